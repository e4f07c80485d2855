package stories

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// book is the ledger of the engine's hub.
func book() ledger.Ledger {
	return ledger.Ledger{Store: ledger.Table{API: dynamodb.NewFromConfig(engine.Config(local.HubAccount, engine.Region())), Name: "drawbridge-ledger"}, Now: time.Now}
}

// deletedGroups are the stories of a security group that goes with the rules that Drawbridge added to it.
var deletedGroups = []tale{{
	name:  "hand-group",
	title: "Somebody deletes a security group with a rule of Drawbridge's",
	about: `
As in s1-peering.md. Then the owner of alpha marks a group, which lets nothing out, as that of clients: it gets a rule towards the database. Nothing uses the group any more, and its
owner deletes it. The record of that call leads to the connection: the rule is gone with its group, the ledger does not have it any more, nothing is contested, and the
others are served as before.`,
	acts: []act{
		request("Connected"),
		{"The owner of alpha marks a group as that of clients: drawbridge:client=true.", func(ctx context.Context, t *testing.T, w *scenario.World) {
			_, err := consumer(w).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{clients[w]}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:client"), Value: aws.String("true")}}})
			done(t, err)
		}, []string{"Announced", "Connected"}},
		{"The owner of alpha calls ec2 DeleteSecurityGroup.", func(ctx context.Context, t *testing.T, w *scenario.World) {
			if items := itemsOf(ctx, t, w, clients[w]); len(items) != 1 || items[0].Kind != ledger.Rule {
				t.Errorf("the ledger has %+v of the group; want one rule", items)
			}
			_, err := consumer(w).DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: aws.String(clients[w])})
			done(t, err)
		}, []string{"Announced", "Connected"}},
	},
	prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
		made, err := consumer(w).CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("clients"), Description: aws.String("clients"), VpcId: &w.ConsumerNetwork.VPC})
		done(t, err)
		clients[w] = *made.GroupId
		_, err = consumer(w).RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: made.GroupId,
			IpPermissions: []ec2types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}})
		done(t, err)
	},
	then: map[int]func(context.Context, *testing.T, *scenario.World){3: func(ctx context.Context, t *testing.T, w *scenario.World) {
		if items := itemsOf(ctx, t, w, clients[w]); len(items) > 0 {
			t.Errorf("the ledger still has %+v", items)
		}
	}},
	connected: true,
	unruly:    true, // a group of which nothing is known is in all tables, which are told in the order of their ids
}}

// clients is, of a world, the security group that its owner marks.
var clients = map[*scenario.World]string{}

// itemsOf returns what the ledger has of a thing of alpha's.
func itemsOf(ctx context.Context, t *testing.T, w *scenario.World, resource string) []ledger.Item {
	t.Helper()
	items, err := book().Of(ctx, w.Consumer.Account, w.Consumer.Region, resource)
	done(t, err)
	return items
}

// byTerraform calls with the user agent of Terraform's provider.
func byTerraform(o *ec2.Options) {
	o.APIOptions = append(o.APIOptions, middleware.AddUserAgentKeyValue("terraform-provider-aws", "5.100.0"))
}

// known makes the ledger know a connection with one route of alpha's, as the steps write it.
func known(ctx context.Context, t *testing.T, w *scenario.World) ledger.Item {
	t.Helper()
	l := book()
	_, err := l.Begin(ctx, ledger.Connection{ID: w.Connection, Kind: "peering", Origin: ledger.Requested, Sides: []ledger.Side{
		{Role: "requester", Account: w.Consumer.Account, Region: w.Consumer.Region, ID: w.ConsumerNetwork.VPC},
		{Role: "accepter", Account: w.Producer.Account, Region: w.Producer.Region, ID: w.ProducerNetwork.VPC}}})
	done(t, err)
	i := ledger.Item{Account: w.Consumer.Account, Region: w.Consumer.Region, Resource: w.ConsumerNetwork.Tables[0], Kind: ledger.Route, Key: there(w), Left: w.Connection}
	recorded, err := l.Record(ctx, w.Connection, i)
	done(t, err)
	_, err = l.Confirm(ctx, recorded...)
	done(t, err)
	return i
}

// ending counts the executions of a machine that ended in a state.
func ending(ends []story.End, machine, state string) int {
	n := 0
	for _, e := range ends {
		if e.Machine == machine && e.State == state {
			n++
		}
	}
	return n
}

// Somebody's hand at what the ledger has is seen by its record: whose, and with which tool; the connection is looked at. A hand at anything
// else costs an execution that ends at once. What is contested ends the look Contested, is told once, and ends when the owner asks anew.
func TestAHandIsSeenAndAContestIsToldOnce(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	w := connected(ctx, t)
	item := known(ctx, t, w)
	alpha := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region), byTerraform)

	engine.Story().Begin()
	_, err := alpha.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: &item.Resource, DestinationCidrBlock: &item.Key})
	done(t, err)
	ends := until(ctx, t, 3) // the change, the notebooks of the table, the connection
	all(t, ends, "Announced", "Connected", "InSync", "Nothing")
	if ending(ends, "drawbridge-change", "Announced") != 1 || ending(ends, "drawbridge-peering", "Connected") != 1 {
		t.Errorf("%+v", ends)
	}
	holds(ctx, t, w)
	items, err := book().Of(ctx, item.Account, item.Region, item.Resource)
	done(t, err)
	n := slices.IndexFunc(items, item.Same)
	if n < 0 || items[n].Seen.Tool != event.Terraform || items[n].Seen.Who != "arn:aws:iam::"+w.Consumer.Account+":root" || items[n].SeenAt.IsZero() {
		t.Fatalf("%+v", items)
	}

	engine.Story().Begin()
	_, err = alpha.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &item.Resource, DestinationCidrBlock: aws.String("192.0.2.0/24"), VpcPeeringConnectionId: &w.Connection})
	done(t, err)
	_, err = alpha.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: &item.Resource, DestinationCidrBlock: aws.String("192.0.2.0/24")})
	done(t, err)
	ends = until(ctx, t, 4)
	if ending(ends, "drawbridge-change", "Nothing") != 2 || ending(ends, "drawbridge-peering", "Connected") != 0 {
		t.Errorf("a route of somebody's: %+v", ends)
	}

	// The same hand again.
	engine.Story().Begin()
	_, err = alpha.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: &item.Resource, DestinationCidrBlock: &item.Key})
	done(t, err)
	ends = until(ctx, t, 4) // the change, the notebooks of the table, the connection, and who tells people
	all(t, ends, "Announced", "Contested", "InSync", "Nothing")
	if ending(ends, "drawbridge-peering", "Contested") != 1 || ending(ends, "drawbridge-change", "Contested") != 1 {
		t.Errorf("taken away again: %+v", ends)
	}
	tags := &ec2.DeleteTagsInput{Resources: []string{w.Connection}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:status")}}}
	for round, want := range []int{1, 0} {
		engine.Story().Begin()
		_, err = alpha.DeleteTags(ctx, tags)
		done(t, err)
		ends = until(ctx, t, 1+2*want) // the change; the look, and who tells people
		all(t, ends, "Announced", "Contested", "Nothing")
		if got := ending(ends, "drawbridge-peering", "Contested"); got != want {
			t.Errorf("round %d: %d looks end Contested: %+v", round, got, ends)
		}
		if got := ending(ends, "drawbridge-change", "Contested"); got != 0 {
			t.Errorf("round %d: told again: %+v", round, ends)
		}
	}
	entry, _, err := book().Connection(ctx, w.Connection)
	done(t, err)
	if entry.Contest == "" || entry.Untagged[w.Consumer.Account].Times != 2 {
		t.Errorf("%+v", entry)
	}

	engine.Story().Begin()
	_, err = alpha.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{w.Connection}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:approval"), Value: aws.String("approved")}}})
	done(t, err)
	ends = until(ctx, t, 2)
	all(t, ends, "Announced", "Connected")
	if ending(ends, "drawbridge-peering", "Connected") != 1 {
		t.Errorf("its owner asked anew: %+v", ends)
	}
	holds(ctx, t, w)
}

// A pipeline that owns the notebook's route table and its script takes away together what Drawbridge added to both: it is put back, once, and left when it
// goes again. When the owner asks anew, the route comes back, and the host route that follows from it.
func TestARouteAndItsHostRouteAreTakenAwayTogether(t *testing.T) {
	roughen(t)
	ctx := limited(t, 5*time.Minute)
	w := connected(ctx, t)
	redeploy := func() []story.End {
		time.Sleep(time.Second) // records say whole seconds
		engine.Story().Begin()
		_, err := alphas(w).DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: &w.ConsumerNetwork.Tables[0], DestinationCidrBlock: aws.String(there(w))})
		done(t, err)
		restore(ctx, t, w)
		return until(ctx, t, 4) // two changes, the notebooks of the table, the connection
	}
	all(t, redeploy(), "Announced", "Connected", "InSync", "Nothing")
	holds(ctx, t, w)
	ends := redeploy()
	all(t, ends, "Announced", "Contested", "InSync", "Nothing")
	if ending(ends, "drawbridge-peering", "Contested") == 0 {
		t.Errorf("taken away again: %+v", ends)
	}

	engine.Story().Begin()
	mark(ctx, t, w.Consumer, w.Connection, "drawbridge:manage", "true")
	ends = until(ctx, t, 2)
	all(t, ends, "Announced", "Connected", "InSync", "Nothing")
	if ending(ends, "drawbridge-peering", "Connected") == 0 {
		t.Errorf("asked for anew: %+v", ends)
	}
	holds(ctx, t, w)
}
