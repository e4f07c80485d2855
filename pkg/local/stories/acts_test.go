package stories

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// lives are stories of what owners do, one act after the other, where a side is not one account of its own; and of connections that are let go of. [oneEnd]
// holds each act to its end.
var lives = []tale{
	{
		name:  "one-account-life",
		title: "Whatever is done to a connection of one account with itself ends as between two",
		about: `
As in one-account.md, but the VPC asks before it accepts. Both owners are one, who reads one tag where two accounts have one each, and hears once.`,
		change: func(s *scenario.Spec) { s.Producer.Account, s.Accept = s.Consumer.Account, "" },
		unruly: true, // both sides of a step are in one account, whichever comes first
		acts: []act{
			request("AwaitingApproval"),
			{"The owner rejects it by the tag drawbridge:approval=rejected.", approve("rejected"), []string{"Announced", "Refused", "Rejected"}},
			request("AwaitingApproval"),
			{"The owner calls ec2 RejectVpcPeeringConnection.", reject, []string{"Rejected"}},
			request("AwaitingApproval"),
			{"The owner deletes the pending peering.", remove(false), []string{"Withdrawn"}},
			request("AwaitingApproval"),
			{"The owner approves it.", approve("approved-all"), []string{"Announced", "Connected"}},
			{"The owner shares the database no more.", unshare, []string{"Announced", "Connected"}},
			{"The owner shares it again.", share, []string{"Announced", "Connected"}},
			{"The owner rejects the peering that stands.", approve("rejected"), []string{"Announced", "Removed"}},
			{"The owner approves it.", approve("approved-all"), []string{"Announced", "Connected"}},
			{"The owner tags the VPC: drawbridge:accept=never.", neverMore, []string{"Announced", "Removed"}},
			{"The owner tags it drawbridge:accept=auto.", takesAgain, []string{"Announced", "Connected"}},
			{"The operators forbid routes for the account. The clock starts drawbridge-sweep.", forbidRoutes, []string{"Removed", "Swept"}},
			{"They allow them again.", allowRoutes, []string{"Connected", "Swept"}},
			{"The owner tags the peering: drawbridge:manage=undo.", manageIt("undo"), []string{"Announced", "Removed"}},
			{"The owner tags it drawbridge:manage=true.", manageIt("true"), []string{"Announced", "Connected"}},
			{"The owner tags it drawbridge:manage=false.", manageIt("false"), []string{"Announced", "Released"}},
		},
		connected: true,
	},
	{
		name:  "one-account-gateway",
		title: "A pair of VPCs of one account on its own gateway",
		about: `
As in transit.md, but both VPCs and the gateway are one account's. What is done to the pair ends as between two accounts, and the account hears once.`,
		change: func(s *scenario.Spec) {
			onGateway(s)
			s.Producer.Account = s.Consumer.Account
		},
		prepare: pairOfOne,
		unruly:  true, // both sides of a step are in one account, whichever comes first
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"The owner shares the database no more, and the pair wants a look.", lookAfter(unshare), []string{"Removed"}},
			{"The owner shares it again, and the pair wants a look.", lookAfter(share), []string{"Connected"}},
			{"The operators forbid routes for the account, and the pair wants a look.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				forbid(ctx, t, w, policy.Route)
				look(nil)(ctx, t, w)
			}, []string{"Removed"}},
			{"They allow them again, and the pair wants a look.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				edit(ctx, t, func(text string) string { return strings.ReplaceAll(text, forbidding(w, policy.Route), "") })
				look(nil)(ctx, t, w)
			}, []string{"Connected"}},
			{"The owner tags the VPC of the database: drawbridge:accept=never.", neverMore, []string{"Announced", "Attached", "Removed"}},
			{"The owner tags it drawbridge:accept=auto.", takesAgain, []string{"Announced", "Attached", "Connected"}},
			{"The owner deletes the attachment of that VPC; the pair wants a look.", look((*scenario.World).Detach), []string{"Removed"}},
		},
	},
	{
		name:  "shared-vpc-life",
		title: "Whatever is done to a connection of shared VPCs ends for participants, too",
		about: `
As in shared-vpc.md. What the owners of the VPCs do ends what 333333333333 and 444444444444 have of the connection, as it ends what the owners have.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			sharesSubnets(ctx, t, w, w.Consumer, w.ConsumerNetwork, takesPart("3", w))
			sharesSubnets(ctx, t, w, w.Producer, w.ProducerNetwork, takesPart("4", w))
			study(ctx, t, w)
			books(ctx, t, w)
		},
		unruly: true, // notebooks are looked at beside the connection
		acts: []act{
			request("Connected", "InSync"),
			{"The owner of beta tags the peering: drawbridge:approval=rejected.", approve("rejected"), []string{"Announced", "InSync", "Removed"}},
			{"The owner of beta approves it.", approve("approved-all"), []string{"Announced", "Connected", "InSync"}},
			{"The owner of beta tags the VPC: drawbridge:accept=never.", neverMore, []string{"Announced", "InSync", "Removed"}},
			{"The owner of beta tags it drawbridge:accept=auto.", takesAgain, []string{"Announced", "Connected", "InSync"}},
			{"The operators forbid routes for alpha. The clock starts drawbridge-sweep.", forbidRoutes, []string{"InSync", "Removed", "Swept"}},
			{"They allow them again.", allowRoutes, []string{"Connected", "InSync", "Swept"}},
			{"The owner of beta shares the database no more: books alone is open.", unshare, []string{"Announced", "Connected"}},
			{"444444444444 shares books no more.", unshareBooks, []string{"Announced", "Connected", "InSync"}},
			{"444444444444 shares it again.", shareBooks, []string{"Announced", "Connected", "InSync"}},
			{"The owner of alpha tags the peering: drawbridge:manage=undo.", manageIt("undo"), []string{"Announced", "InSync", "Removed"}},
			{"The owner of alpha tags it drawbridge:manage=true.", manageIt("true"), []string{"Announced", "Connected", "InSync"}},
			{"444444444444 deletes books.", dropBooks, []string{"Announced", "Connected", "InSync"}},
			{"The owner of beta shares the own database again.", share, []string{"Announced", "Connected", "InSync"}},
			{"The owner of alpha tags the peering drawbridge:manage=false.", manageIt("false"), []string{"Announced", "Released"}},
		},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: joined(true, true), 2: joined(false, false), 3: joined(true, true), 6: joined(false, false), 7: joined(true, true)},
		connected: true,
	},
	{
		name:  "release-peering",
		title: "An owner takes a peering out of Drawbridge's hands, as it stands",
		about: `
As in s1-peering.md. Then the owner of alpha tags the peering drawbridge:manage=false. Everything stays as it stands: the routes, the rule, the host route, also when
the notebook is stopped, the next day's sweep comes, and the policy forbids routes. No status is left of Drawbridge's: nobody would keep it true.`,
		acts: []act{
			request("Connected"),
			{"The owner of alpha tags the peering: drawbridge:manage=false.", manageIt("false"), []string{"Announced", "Released"}},
			{"The owner of alpha stops the notebook.", stopNotebook, []string{"InSync"}},
			{"The operators forbid routes for alpha. The clock starts drawbridge-sweep.", forbidRoutes, []string{"Swept"}},
			{"The owner of beta tags it drawbridge:approval=rejected.", approve("rejected"), []string{"Announced", "Nothing"}},
		},
		connected: true,
	},
	{
		name:  "undo-peering",
		title: "An owner takes a peering out of Drawbridge's hands, and has taken back what was added",
		about: `
As in s1-peering.md. Then the owner of beta tags the peering drawbridge:manage=undo: both accounts are what they were, and the peering stays.`,
		acts: []act{
			request("Connected"),
			{"The owner of beta tags the peering: drawbridge:manage=undo.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				mark(ctx, t, w.Producer, w.Connection, "drawbridge:manage", "undo")
			}, []string{"Announced", "Removed"}},
			{"The next day drawbridge-sweep starts.", startSweep, []string{"Swept"}},
		},
		also: noRuleOfOurs,
	},
	{
		name:  "undo-attachment",
		title: "A VPC's owner takes its attachment out of Drawbridge's hands, and has taken back what was added",
		about: `
As in takeback-attachment.md, up to the connection. Then the owner of alpha tags alpha's own attachment, which is not Drawbridge's, drawbridge:manage=undo: the pair goes, and the
attachment stays. With drawbridge:manage=true the pair comes back.`,
		change:  onGateway,
		prepare: pairOnClosedGateway,
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", lend, []string{"Announced", "Attached", "Connected", "Nothing"}},
			{"The owner of alpha tags alpha's attachment: drawbridge:manage=undo.", undoOwn("undo"), []string{"Announced", "Removed"}},
			{"The owner of alpha tags it drawbridge:manage=true.", undoOwn("true"), []string{"Announced", "Attached", "Connected"}},
		},
		connected: true,
		unruly:    true,
		also:      everyHopHolds,
	},
	{
		name:  "undo-own-attachment",
		title: "An attachment that Drawbridge made is undone, and its VPC's tag still asks for it",
		about: `
As in takeback-attachment.md, up to the connection. Then the owner of beta tags beta's attachment, which Drawbridge made, drawbridge:manage=undo: it goes, with the pair. The VPC's tag
drawbridge:attach stays, but no sweep attaches it again, neither while AWS still shows the attachment nor after. When the owner sets the tag anew, it is attached and connected.`,
		change:  onGateway,
		prepare: pairOnClosedGateway,
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", lend, []string{"Announced", "Attached", "Connected", "Nothing"}},
			{"The owner of beta tags the attachment: drawbridge:manage=undo.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				succeeds(t, w.Find(ctx))
				manages(false, "undo")(ctx, t, w)
			}, []string{"Announced", "Removed"}},
			{"The next day drawbridge-sweep starts.", startSweep, []string{"Nothing", "Swept"}},
			{"Three days pass, and drawbridge-sweep starts.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				pass(ctx, t, w.ProducerNetwork.Attachment)
				startSweep(ctx, t, w)
			}, []string{"Nothing", "Swept"}},
			{"The owner of beta sets the VPC's tag anew: drawbridge:attach=core.", attach("core"), []string{"Announced", "Attached", "Connected"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){5: func(ctx context.Context, t *testing.T, w *scenario.World) {
			succeeds(t, w.Find(ctx)) // the new one
		}},
		connected: true,
		unruly:    true,
		also:      everyHopHolds,
	},
	{
		name:  "right-lacking",
		title: "A right is lacking before the notebooks, and everything says so",
		about: `
As in s1-peering.md, but a service control policy denies Drawbridge to add routes in alpha. All else is done: beta's database is opened. The notebook and, on both sides, the peering say
what is lacking, with the time, and the execution fails. Once the policy is lifted it is redriven, looks anew, and connects.`,
		fault: func(w *scenario.World) local.Injector {
			return func(c awscall.Call, when local.Moment) *local.Fault {
				if when != local.Before || c.Action != "CreateRoute" || c.Account != w.Consumer.Account {
					return nil
				}
				return &local.Fault{Status: 403, Code: "UnauthorizedOperation", Message: "You are not authorized to perform this operation. with an explicit deny in a service control policy"}
			}
		},
		acts: []act{
			request("Refused"),
			{"The policy is lifted; the execution is redriven.", func(ctx context.Context, t *testing.T, _ *scenario.World) {
				injector.Store(nil)
				redrive(ctx, t, "drawbridge-peering")
			}, []string{"Connected"}},
		},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: saysWhatIsLacking, 2: saysWhatIsThere},
		connected: true,
	},
	{
		name:  "throttled-to-the-end",
		title: "AWS throttles a call as often as it is tried, and everything says so",
		about: `
As in right-lacking.md, but it is AWS that answers each call that adds a route in alpha with RequestLimitExceeded. After all tries the rest is done, notebook and peering say so, and the
execution fails. It is redriven, looks anew, and connects.`,
		fault: func(w *scenario.World) local.Injector {
			return func(c awscall.Call, when local.Moment) *local.Fault {
				if when != local.Before || c.Action != "CreateRoute" || c.Account != w.Consumer.Account {
					return nil
				}
				return &local.Fault{Throttle: true}
			}
		},
		acts: []act{
			request("Conflict"),
			{"AWS throttles no more; the execution is redriven.", func(ctx context.Context, t *testing.T, _ *scenario.World) {
				injector.Store(nil)
				redrive(ctx, t, "drawbridge-peering")
			}, []string{"Connected"}},
		},
		then:      map[int]func(context.Context, *testing.T, *scenario.World){1: saysWhatIsLacking, 2: saysWhatIsThere},
		connected: true,
	},
	{
		name:  "unit-lost",
		title: "An account leaves the unit that a policy speaks of",
		about: `
As in s1-peering.md, but the operators allow routes to beta's account only while it is in the unit data/warehouses. Then AWS Organizations moves it out of that unit. No event tells of that: the next
sweep finds it, and what Drawbridge added goes, on both sides. Back in the unit it is connected again.`,
		prepare: onlyInUnit,
		acts: []act{
			request("Connected"),
			{"beta's account leaves the unit. The clock starts drawbridge-sweep.", unitMoved(""), []string{"Removed", "Swept"}},
			{"It is moved back. The clock starts drawbridge-sweep.", unitMoved(warehouses), []string{"Connected", "Swept"}},
		},
		connected: true,
	},
	{
		name:  "studio-narrowed",
		title: "A policy does not allow people of Studio to read any more",
		about: `
As in studio.md. Then the operators forbid alpha's account to query clusters. The next sweep finds it: the role and what alpha's execution role and domain got go.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"The operators forbid it. The clock starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				forbid(ctx, t, w, policy.Identify)
				startSweep(ctx, t, w)
			}, []string{"Removed", "Swept"}},
		},
		also: nothingOfStudioLeft,
	},
	{
		name:  "private-narrowed",
		title: "A policy does not allow private notebooks any more",
		about: `
As in private-notebooks.md. Then the operators forbid alpha's account to have them. The next sweep finds it: the endpoints and the policy go.`,
		prepare: privateWorld,
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The operators forbid it. The clock starts drawbridge-sweep.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				forbid(ctx, t, w, policy.Expose)
				startSweep(ctx, t, w)
			}, []string{"Removed", "Swept"}},
		},
		also: nothingPrivateLeft,
	},
	{
		name:  "unit-lost-gateway",
		title: "An account on a gateway leaves the unit that a policy speaks of",
		about: `
As in transit.md and unit-lost.md: the pair goes, the attachments stay.`,
		change: onGateway,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			attachedPair(ctx, t, w)
			onlyInUnit(ctx, t, w)
		},
		acts: []act{
			{"The pair of VPCs wants a look.", look(nil), []string{"Connected"}},
			{"beta's account leaves the unit, and the pair wants a look.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				move("")(ctx, t, w)
				look(nil)(ctx, t, w)
			}, []string{"Removed"}},
		},
	},
}

// saidOn are the tags of Drawbridge's on the notebook, and on the peering as each side has it.
func saidOn(ctx context.Context, t *testing.T, w *scenario.World) (notebook map[string]string, peering [2]map[string]string) {
	t.Helper()
	notebook = map[string]string{}
	alpha := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	one, err := alpha.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &w.Notebook.Name})
	succeeds(t, err)
	got, err := alpha.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: one.NotebookInstanceArn})
	succeeds(t, err)
	for _, tag := range got.Tags {
		notebook[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return notebook, peeringTags(ctx, t, w)
}

// peeringTags are the tags of the peering, in alpha and in beta.
func peeringTags(ctx context.Context, t *testing.T, w *scenario.World) (peering [2]map[string]string) {
	t.Helper()
	for n, client := range []*ec2.Client{consumer(w), producer(w)} {
		peering[n] = map[string]string{}
		got, err := client.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{w.Connection}})
		succeeds(t, err)
		for _, tag := range got.VpcPeeringConnections[0].Tags {
			peering[n][aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
	}
	return peering
}

// saysWhatIsLacking holds a world to a notebook and a peering that say that routes could not be added, with the time, and why to alpha alone.
func saysWhatIsLacking(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	opens(3306)(ctx, t, w)
	notebook, peering := saidOn(ctx, t, w)
	if notebook["drawbridge:status"] != "routes-failed" || !strings.Contains(notebook["drawbridge:reason"], "CreateRoute") || notebook["drawbridge:since"] == "" {
		t.Errorf("the notebook says %v", notebook)
	}
	for n, tags := range peering {
		if tags["drawbridge:status"] != "Conflict" || !strings.Contains(tags["drawbridge:reason"], "AddRoutes") || strings.Contains(tags["drawbridge:reason"], "CreateRoute") != (n == 0) || tags["drawbridge:since"] == "" {
			t.Errorf("on side %d the peering says %v", n, tags)
		}
	}
}

// saysWhatIsThere holds a world to a notebook and a peering that say that all is in order.
func saysWhatIsThere(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	if notebook, peering := saidOn(ctx, t, w); notebook["drawbridge:status"] != "routes-set" || peering[0]["drawbridge:status"] != "Connected" || peering[1]["drawbridge:status"] != "Connected" {
		t.Errorf("the notebook says %v, the peering %v", notebook, peering)
	}
}

// pairOfOne attaches both VPCs to a gateway of their own account, and gives the attachments to Drawbridge.
func pairOfOne(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	quiet(ctx, t, w)
	made, err := consumer(w).CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{Description: aws.String("of one account")})
	succeeds(t, err)
	w.Gateway = aws.ToString(made.TransitGateway.TransitGatewayId)
	for _, net := range []*scenario.Network{&w.ConsumerNetwork, &w.ProducerNetwork} {
		got, err := consumer(w).CreateTransitGatewayVpcAttachment(ctx, &ec2.CreateTransitGatewayVpcAttachmentInput{TransitGatewayId: &w.Gateway, VpcId: &net.VPC, SubnetIds: net.Subnets})
		succeeds(t, err)
		net.Attachment = aws.ToString(got.TransitGatewayVpcAttachment.TransitGatewayAttachmentId)
	}
	succeeds(t, w.Attached(ctx))
	given(ctx, t, w)
}

// lookAfter does something of which no event is forwarded, and asks for one look at the pair: of two attachments of one account, each would have it looked at.
func lookAfter(do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		silently(ctx, t, w, func() { do(ctx, t, w) })
		quiet(ctx, t, w)
		look(nil)(ctx, t, w)
	}
}

// takesAgain lets the producer's VPC take connections.
func takesAgain(ctx context.Context, t *testing.T, w *scenario.World) {
	mark(ctx, t, w.Producer, w.ProducerNetwork.VPC, "drawbridge:accept", "auto")
}

// allowRoutes takes back what [forbidRoutes] did, and sweeps.
func allowRoutes(ctx context.Context, t *testing.T, w *scenario.World) {
	edit(ctx, t, func(text string) string { return strings.ReplaceAll(text, forbidding(w, policy.Route), "") })
	startSweep(ctx, t, w)
}

// manageIt tags the peering drawbridge:manage, as the requester.
func manageIt(value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		mark(ctx, t, w.Consumer, w.Connection, "drawbridge:manage", value)
	}
}

// dropBooks deletes the participant's database.
func dropBooks(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(booksOf(w).DeleteDBInstance(ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: aws.String("books"), SkipFinalSnapshot: aws.Bool(true)}))
}

// stopNotebook stops the consumer's notebook, as its owner.
func stopNotebook(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: &w.Notebook.Name}))
}

// undoOwn tags alpha's attachment to its own gateway drawbridge:manage.
func undoOwn(value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		succeeds(t, w.Find(ctx))
		mark(ctx, t, w.Consumer, w.ConsumerNetwork.Attachment, "drawbridge:manage", value)
	}
}

// warehouses is the unit of the producers' accounts, and unitOf its id; see [options].
const (
	warehouses = "data/warehouses"
	unitOf     = "ou-dbr0-datawarehouses"
)

// onlyInUnit forbids routes to the producer's account while it is in no unit of the name, until the story is over.
func onlyInUnit(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	rule := fmt.Sprintf(`
@id("only-in-its-unit")
forbid (principal, action == Drawbridge::Action::%q, resource)
when { principal.account == %q || resource.account == %[2]q }
unless { principal in Drawbridge::OU::%[3]q || resource in Drawbridge::OU::%[3]q };`, policy.Route, w.Producer.Account, unitOf)
	edit(ctx, t, func(text string) string { return text + rule })
	t.Cleanup(func() {
		edit(context.Background(), t, func(text string) string { return strings.ReplaceAll(text, rule, "") })
	})
}

// move moves the producer's account to a unit, until the story is over.
func move(unit string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		succeeds(t, engine.Move(ctx, w.Producer.Account, unit))
		t.Cleanup(func() { succeeds(t, engine.Move(context.Background(), w.Producer.Account, warehouses)) })
	}
}

// unitMoved is [move], and a sweep.
func unitMoved(unit string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		move(unit)(ctx, t, w)
		startSweep(ctx, t, w)
	}
}
