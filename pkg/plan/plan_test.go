package plan

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/infra/rights"
	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/asl"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Every Task state of the machines that are planned has its step, and every call by which it may write has an answer.
func TestAllStatesAreRehearsed(t *testing.T) {
	r, err := rehearse(Hub{Store: &ledgertest.Memory{}, Policy: policy.DefaultText()})
	if err != nil {
		t.Fatal(err)
	}
	tasks := map[string]bool{}
	var walk func(*asl.Machine)
	walk = func(m *asl.Machine) {
		for name, s := range m.States {
			if s.Type == "Task" {
				tasks[name] = true
			}
			if s.ItemProcessor != nil {
				walk(s.ItemProcessor)
			}
		}
	}
	for _, m := range machines {
		parsed, err := asl.Parse(m.definition)
		if err != nil {
			t.Fatal(err)
		}
		walk(parsed)
	}
	for name := range tasks {
		if r.handlers[name] == nil {
			t.Errorf("%s is not rehearsed", name)
		}
	}
	for name := range r.handlers {
		if !tasks[name] {
			t.Errorf("%s is rehearsed, and no state of a machine that is planned", name)
		}
	}
	checked := 0
	for _, line := range rights.Lines {
		for state, calls := range line.Writes {
			for _, call := range calls {
				if !tasks[state] {
					continue
				}
				if beside[call] != "" { // AWS asks for it beside another call, and nobody calls it
					call = beside[call]
				}
				if checked++; !dryrun.Knows(call) {
					t.Errorf("%s may call %s, to which there is no answer", state, call)
				}
			}
		}
	}
	if len(tasks) < 30 || checked < 30 {
		t.Errorf("%d states and %d calls were checked", len(tasks), checked)
	}
}

// beside are rights that are no calls of Drawbridge's: AWS asks for them when it makes another.
var beside = map[string]string{"route53:AssociateVPCWithHostedZone": "ec2:CreateVpcEndpoint", "iam:TagPolicy": "iam:CreatePolicy"}

func TestCompare(t *testing.T) {
	at := func(state string, paths int, things ...string) standing {
		return standing{played: played{State: state}, things: things, paths: paths}
	}
	for name, c := range map[string]struct {
		now, then standing
		want      string // "": nothing
	}{
		"nothing, as before":      {at("Refused", 0), at("Refused", 0), ""},
		"the same":                {at("Connected", 2, "a", "b"), at("Connected", 2, "a", "b"), ""},
		"something appears":       {at("Refused", 0), at("Connected", 1, "a"), Appears},
		"all goes":                {at("Connected", 1, "a"), at("Removed", 0), Goes},
		"more":                    {at("Connected", 1, "a"), at("Connected", 1, "a", "b"), Widens},
		"less":                    {at("Connected", 1, "a", "b"), at("Connected", 1, "b"), Narrows},
		"other":                   {at("Connected", 1, "a"), at("Connected", 1, "b"), Differs},
		"more paths":              {at("Connected", 1, "a"), at("Connected", 2, "a"), Widens},
		"fewer paths":             {at("Connected", 2, "a"), at("Connected", 1, "a"), Narrows},
		"it only ends otherwise":  {at("AwaitingApproval", 0), at("Refused", 0), Differs},
		"another end and as many": {at("Connected", 1, "a"), at("PartlyConnected", 1, "a"), Differs},
	} {
		c.now.tells, c.then.tells = []string{"2: as before", "1: then no more"}, []string{"2: as before", "2: not kept out"}
		e, other := compare(c.now, c.then)
		if other && !slices.Equal(e.Tells, []string{"2: not kept out"}) {
			t.Errorf("%s: tells %q", name, e.Tells)
		}
		if other != (c.want != "") || other && e.Effect != c.want {
			t.Errorf("%s: %q, %v; want %q", name, e.Effect, other, c.want)
		}
	}
	if e, _ := compare(at("Connected", 1, "a", "b"), at("Connected", 1, "b", "c")); !slices.Equal(e.Gains, []string{"c"}) || !slices.Equal(e.Loses, []string{"a"}) {
		t.Errorf("%+v", e)
	}
}

var (
	noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	hub  = board.Hub{Account: "123456789012", Region: "us-east-1", Table: "drawbridge-ledger", Stack: "drawbridge-hub"}
)

const one, two = "111111111111", "222222222222"

func example() Plan {
	write := func(account, call string, all ...dryrun.Change) dryrun.Write {
		return dryrun.Write{Call: call, Account: account, Region: "us-east-1", Changes: all}
	}
	p := Plan{Head: answer.HeadOf("Plan"), Hub: hub, At: noon, Mode: board.Mode{Mode: "full"}, About: "the next look at pcx-0aaaaaaaaaaaaaaa1",
		Looks:   []Look{{Machine: "drawbridge-peering", ID: "pcx-0aaaaaaaaaaaaaaa1", Ends: "Connected", Reason: "accepted by policy accept-auto"}},
		Notices: []string{"Connection Connected"}, Unplanned: []string{}}
	p.Changes, p.Counts = changes([]dryrun.Write{
		write(two, "ec2:AcceptVpcPeeringConnection", dryrun.Change{Sign: dryrun.Changes, What: "accept the peering request", Thing: "pcx-0aaaaaaaaaaaaaaa1"}),
		write(one, "ec2:CreateRoute", dryrun.Change{Sign: dryrun.Adds, What: "route 10.2.0.0/23 to pcx-0aaaaaaaaaaaaaaa1", Thing: "rtb-0a1a1a1a1a1a1a1a1"}),
		write(one, "ec2:DeleteRoute", dryrun.Change{Sign: dryrun.Takes, What: "route 10.2.0.0/16", Thing: "rtb-0a1a1a1a1a1a1a1a1"}),
		write(two, "ec2:AuthorizeSecurityGroupIngress", dryrun.Change{Sign: dryrun.Adds, What: "rule TCP 3306 in from sg-0a1a1a1a1a1a1a1a1", Thing: "sg-0b2b2b2b2b2b2b2b2"},
			dryrun.Change{Sign: dryrun.Adds, What: "rule TCP 3306 in from 10.1.0.0/24", Thing: "sg-0b2b2b2b2b2b2b2b2"}),
		write(two, "rds:AddTagsToResource", dryrun.Change{Sign: dryrun.Changes, What: "tag drawbridge:status=Connected", Thing: "arn:aws:rds:us-east-1:222222222222:db:sales"}),
	})
	p.Counts.States = 24
	return p
}

func swept() Plan {
	p := Plan{Head: answer.HeadOf("Plan"), Hub: hub, At: noon, Mode: board.Mode{Mode: "observe"}, About: "a sweep of all accounts", Notices: []string{},
		Looks: []Look{{Machine: "drawbridge-attachment", ID: "vpc-0b2b2b2b2b2b2b2b2", Ends: "VerifyAttachment", Fails: "Conflict", Reason: "somebody is in the way"},
			{Machine: "drawbridge-peering", ID: "pcx-0aaaaaaaaaaaaaaa2", Ends: "WaitForPeering", Waits: true, Reason: "pcx-0aaaaaaaaaaaaaaa2 is provisioning"}},
		Found:     found([]workflow.SweepAccountOutput{{Found: []workflow.Found{{Kind: "peerings", Seen: 7, Unmanaged: 4, Names: []string{"pcx-0c", "pcx-0d"}}}}, {Found: []workflow.Found{{Kind: "peerings", Seen: 2}, {Kind: "notebooks", Seen: 3}}}}),
		Unplanned: []string{"account 333333333333: nobody may look into it"}}
	p.Changes, p.Counts = changes([]dryrun.Write{{Call: "ec2:CreateTransitGatewayVpcAttachment", Account: two, Region: "us-east-1",
		Changes: []dryrun.Change{{Sign: dryrun.Adds, What: "attachment to tgw-0e with subnet-0f", Thing: "vpc-0b2b2b2b2b2b2b2b2"}}},
		{Call: "ec2:CreateVpcEndpoint", Account: one, Region: "us-east-1", Changes: []dryrun.Change{{Sign: dryrun.Adds, What: "endpoint of rds-data in subnet-0a, subnet-0b", Thing: "vpc-0a1a1a1a1a1a1a1a1", Interfaces: 2}}},
		{Call: "ec2:DeleteVpcEndpoints", Account: one, Region: "us-east-1", Changes: []dryrun.Change{{Sign: dryrun.Takes, What: "endpoint", Thing: "vpce-0a", Interfaces: 1}}}})
	p.Counts.States = 31
	return p
}

func nothing() Plan {
	p := Plan{Head: answer.HeadOf("Plan"), Hub: hub, At: noon, About: "the next look at pcx-0aaaaaaaaaaaaaaa1", Notices: []string{}, Unplanned: []string{},
		Looks: []Look{{Machine: "drawbridge-peering", ID: "pcx-0aaaaaaaaaaaaaaa1", Ends: "Connected"}}}
	p.Changes, p.Counts = changes(nil)
	return p
}

func compared() Comparison {
	c := Comparison{Head: answer.HeadOf("PolicyPlan"), Hub: hub, At: noon, Mode: board.Mode{Mode: "full"}, File: "new.cedar", Same: 12, Unplanned: []string{"share-0b: there is no look at what is of the kind share"}, Connections: []Effect{
		{ID: "pcx-0aaaaaaaaaaaaaaa3", Kind: "peering", Between: []string{one + "/us-east-1/vpc-0a", two + "/us-east-1/vpc-0b"}, Effect: Appears, Now: "Refused", Then: "Connected", Paths: [2]int{0, 1},
			Gains: []string{"route 10.2.0.0/23 of rtb-0a in " + one + "/us-east-1"}, Loses: []string{}},
		{ID: "pcx-0aaaaaaaaaaaaaaa1", Kind: "peering", Between: []string{one + "/us-east-1/vpc-0a", two + "/us-east-1/vpc-0c"}, Effect: Goes, Now: "Connected", Then: "Removed", Reason: "the policy does not allow it any more", Paths: [2]int{2, 0},
			Gains: []string{}, Loses: []string{"route 10.3.0.0/23 of rtb-0a in " + one + "/us-east-1", "rule ingress tcp 3306 10.1.0.0/24 of sg-0c in " + two + "/us-east-1"}},
	}}
	inOrder(c.Connections)
	c.Counts = sums(c.Connections)
	return c
}

// reworded is a comparison after an upgrade that took a word away.
func reworded(t *testing.T) Comparison {
	t.Helper()
	_, err := policy.Parse("in force", []byte(policy.DefaultText()+"@id(\"lines\")\npermit (principal, action == Drawbridge::Action::\"Dial\", resource);\n"))
	if err == nil {
		t.Fatal("the policy has the word Dial")
	}
	c := compared()
	c.InForce, c.Connections, c.Unplanned = strings.Split(err.Error(), "\n"), c.Connections[:1], []string{}
	c.Room = 20
	c.Counts = sums(c.Connections)
	return c
}

func TestText(t *testing.T) {
	answertest.Text(t, "plan", example(), true)
	answertest.Text(t, "sweep", swept(), false)
	answertest.Text(t, "nothing", nothing(), false)
	answertest.Text(t, "policy", compared(), false)
	same := compared()
	same.Connections, same.Counts, same.Unplanned = []Effect{}, EffectSums{}, []string{}
	answertest.Text(t, "policy-same", same, false)
	answertest.Text(t, "policy-words", reworded(t), false)
}

func TestSchemas(t *testing.T) {
	answertest.Schema[Plan](t, "../..", "plan.v1", "drawbridge plan -o json", example(), swept(), nothing())
	answertest.Schema[Comparison](t, "../..", "plan-policy.v1", "drawbridge plan --policy FILE -o json", compared(), reworded(t))
}

func TestCounts(t *testing.T) {
	_, n := changes([]dryrun.Write{
		{Call: "ec2:CreateTransitGatewayVpcAttachment", Changes: []dryrun.Change{{Sign: dryrun.Adds}}},
		{Call: "ec2:CreateTransitGatewayVpcAttachment", Changes: []dryrun.Change{{Sign: dryrun.Adds}}},
		{Call: "ec2:DeleteTransitGatewayVpcAttachment", Changes: []dryrun.Change{{Sign: dryrun.Takes}}},
		{Call: "ec2:CreateTags", Changes: []dryrun.Change{{Sign: dryrun.Changes}, {Sign: dryrun.Changes}}},
	})
	if n != (Counts{Adds: 2, Changes: 2, Takes: 1, Calls: 4, Monthly: 36.5}) {
		t.Errorf("%+v", n)
	}
}

// Looks at one thing are one look, whatever asked for them.
func TestLooksAreKnownByWhatTheyAreAbout(t *testing.T) {
	key := func(detail string) string {
		return asked{kind: "Peering To Inspect", detail: json.RawMessage(detail)}.key()
	}
	if key(`{"a":1,"reason":"x"}`) != key(`{"reason":"y","a":1}`) || key(`{"a":1}`) == key(`{"a":2}`) {
		t.Error("looks are mistaken for each other")
	}
	if got := subject(`{"account":"1","vpcPeeringConnectionId":"pcx-1"}`); got != "pcx-1" {
		t.Error(got)
	}
	if !strings.HasPrefix(described, "pcx-") {
		t.Error(described)
	}
}

// What cannot be read with the credentials at hand is said, and is not taken for what Drawbridge would find.
func TestAccountsThatCannotBeReadAreNamed(t *testing.T) {
	r, err := rehearse(Hub{Store: &ledgertest.Memory{}, Policy: policy.DefaultText(), Enter: func(event.Place) (aws.Config, error) {
		return aws.Config{}, &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "there are no credentials for account " + two}
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ec2.NewFromConfig(r.Enter(execution, two, "us-east-1")).DescribeVpcs(t.Context(), nil)
	if !errors.Is(err, fault.ErrClosed) {
		t.Errorf("%v", err)
	}
	if got := r.unread(); len(got) != 1 || !strings.Contains(got[0], two) {
		t.Errorf("%q", got)
	}
}

// Where a look waits, or something could not be planned, the counts are a bound and say so.
func TestCountsThatAreABoundSaySo(t *testing.T) {
	for name, c := range map[string]struct {
		plan Plan
		says string
	}{
		"all of it": {Plan{Looks: []Look{{Ends: "Connected"}}}, ""},
		"waits":     {Plan{Looks: []Look{{Ends: "Connected"}, {Ends: "WaitForPeering", Waits: true}}}, "A look waits"},
		"unread":    {Plan{Unplanned: []string{"account 111111111111"}}, "not planned may add"},
	} {
		for _, n := range []Counts{{States: 3}, {Adds: 1, Calls: 1, States: 3}} {
			if got := n.words(c.plan.more()); !strings.Contains(got, c.says) || strings.Contains(got, "At least ") != (c.says != "") {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}
