package peering_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// desk is a bus, a topic and the tags of a peering, in the order in which they were used.
type desk struct {
	stuck  bool
	did    []string
	looks  []string // that were asked for
	detail string
	broken error                                     // of the topic
	state  types.VpcPeeringConnectionStateReasonCode // of the peering; empty: it is not shown
}

func (d *desk) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	if d.did = append(d.did, *in.Entries[0].DetailType); !event.Own(*in.Entries[0].DetailType) {
		d.detail = *in.Entries[0].Detail
	} else {
		for _, e := range in.Entries {
			d.looks = append(d.looks, *e.Detail)
		}
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func (d *desk) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	if d.broken != nil {
		return nil, d.broken
	}
	d.did = append(d.did, "publish for "+*in.MessageAttributes["account"].StringValue)
	return &sns.PublishOutput{}, nil
}

func (d *desk) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	d.did = append(d.did, "tag "+*in.Tags[0].Value)
	return &ec2.CreateTagsOutput{}, nil
}

func (d *desk) ask(in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
	return peering.Ask(context.Background(), d.managed(in.Connection), func(workflow.VPC) connection.Tagger { return d }, d.bus(), notice.Topic{API: d, ARN: "topic"}, func(string) bool { return d.stuck }, in)
}

// managed returns a ledger with a connection.
func (d *desk) managed(c workflow.Connection) ledger.Ledger {
	l, _ := ledgertest.New()
	if _, err := l.Begin(context.Background(), connection.Entry(c, road.Peering, ledger.Requested)); err != nil {
		panic(err)
	}
	return l
}

func (d *desk) bus() notice.Bus { return notice.Bus{API: d, Name: "drawbridge"} }

func (d *desk) RejectVpcPeeringConnection(context.Context, *ec2.RejectVpcPeeringConnectionInput, ...func(*ec2.Options)) (*ec2.RejectVpcPeeringConnectionOutput, error) {
	d.did = append(d.did, "reject")
	return &ec2.RejectVpcPeeringConnectionOutput{}, nil
}

func (d *desk) DescribeNetworkAcls(context.Context, *ec2.DescribeNetworkAclsInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkAclsOutput, error) {
	return &ec2.DescribeNetworkAclsOutput{}, nil
}

// DescribeVpcPeeringConnections says that the peering is in the state of the desk.
func (d *desk) DescribeVpcPeeringConnections(_ context.Context, in *ec2.DescribeVpcPeeringConnectionsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	d.did = append(d.did, "read")
	out := &ec2.DescribeVpcPeeringConnectionsOutput{}
	if d.state != "" {
		out.VpcPeeringConnections = []types.VpcPeeringConnection{{VpcPeeringConnectionId: &in.VpcPeeringConnectionIds[0], Status: &types.VpcPeeringConnectionStateReason{Code: d.state}}}
	}
	return out, nil
}

// verify gives a connection its verdict.
func (d *desk) verify(in workflow.VerifyConnectionInput) error {
	still := func(ctx context.Context) error {
		return peering.StillThere(ctx, func(workflow.VPC) peering.Describer { return d }, in.Connection)
	}
	_, err := connection.Verifier{Ledger: d.managed(in.Connection), Bus: d.bus(), Enter: func(workflow.VPC) connection.Tagger { return d }, World: unseen{}, Still: still}.Verify(context.Background(), in)
	return err
}

// unseen reads nothing, so that no path can be judged.
type unseen struct{ connection.Reader }

func (unseen) Read(context.Context, discover.Carrier, [2]discover.VPC) (network.World, error) {
	return network.World{}, nil
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, t := range texts {
		all = append(all, netip.MustParsePrefix(t))
	}
	return all
}

// request is a request to which the policy answered Ask.
func request() workflow.ConcludeInput {
	requester := workflow.VPC{Account: "111111111111", Region: "eu-west-1", ID: "vpc-1", CIDRs: prefixes("10.1.0.0/16", "100.64.0.0/20", "2600:1f18::/56")}
	accepter := workflow.VPC{Account: "222222222222", Region: "us-east-1", ID: "vpc-2", CIDRs: prefixes("10.2.0.0/16")}
	facts := func(v workflow.VPC, vpc, account, units, path string) *workflow.Facts {
		return &workflow.Facts{VPC: v, Name: vpc, Account: workflow.AccountFacts{ID: v.Account, Name: account, OUPath: path, Units: units}}
	}
	shared := policy.Decision{Action: policy.Open, Allowed: true, Policy: "open-shared", Reason: "the tag says so"}
	return workflow.ConcludeInput{Execution: "run-1",
		Connection: workflow.Connection{ID: "pcx-0123456789abcdef0", Target: "pcx-0123456789abcdef0", Requester: requester, Accepter: accepter},
		Known: workflow.Known{Requester: facts(requester, "lab", "research", "Work/Research", "o-abc1234567/r-ab12/ou-ab12-work/ou-ab12-research/"),
			Accepter: facts(accepter, "", "data", "", "o-abc1234567/r-ab12/ou-ab12-data/")},
		Members: []string{"requester", "accepter"}, Reason: "approval needed by policy ask-owner", Expires: "2026-11-29T09:00:00Z",
		Decision: policy.Decision{Action: policy.Ask, Allowed: true, Policy: "ask-owner", Reason: "the owner has to approve"},
		Request:  workflow.Request{Approve: "approved"},
		Sides: []workflow.Side{
			{Role: peering.Requester, VPC: requester, Peer: accepter, AllowedDatabases: []workflow.AllowedDatabase{{Database: "features", Engine: "postgres", Port: 5432, Decision: shared}}},
			{Role: peering.Accepter, VPC: accepter, Peer: requester, AllowedDatabases: []workflow.AllowedDatabase{{Database: "orders", Engine: "aurora-mysql", Port: 3307, Decision: shared}}}}}
}

// What the approver reads.
func ExampleMessage() {
	subject, body := peering.Message(request())
	fmt.Println(subject)
	fmt.Println()
	fmt.Print(body)
	// Output:
	// Drawbridge: approval needed for pcx-0123456789abcdef0
	//
	// A VPC peering request waits for the owner of vpc-2 in account 222222222222.
	// Unanswered, it expires at 2026-11-29T09:00:00Z.
	//
	// Requester (asks)
	//   account  111111111111  research
	//   unit     Work/Research  o-abc1234567/r-ab12/ou-ab12-work/ou-ab12-research/
	//   VPC      vpc-1  lab
	//   Region   eu-west-1
	//   CIDR     10.1.0.0/16
	//   CIDR     100.64.0.0/20
	//   CIDR     2600:1f18::/56
	//
	// Accepter (is asked)
	//   account  222222222222  data
	//   unit     o-abc1234567/r-ab12/ou-ab12-data/
	//   VPC      vpc-2  (no name)
	//   Region   us-east-1
	//   CIDR     10.2.0.0/16
	//
	// Who asks, and why
	//   the record of the request does not say who
	//   no reason is given: the requester may tag the peering drawbridge:reason before it is asked about
	//
	// What would become reachable
	//   features  postgres, TCP port 5432, in vpc-1 of account 111111111111, from vpc-2 of account 222222222222
	//     by policy open-shared: the tag says so
	//   orders  aurora-mysql, TCP port 3307, in vpc-2 of account 222222222222, from vpc-1 of account 111111111111
	//     by policy open-shared: the tag says so
	//
	// Why you are asked
	//   policy ask-owner: the owner has to approve
	//
	// To answer, with credentials of account 222222222222
	//   approve  aws ec2 create-tags --region us-east-1 --resources pcx-0123456789abcdef0 --tags Key=drawbridge:approval,Value=approved
	//            for what is listed here; you are asked again about ranges of theirs and databases of yours that come later
	//   all      aws ec2 create-tags --region us-east-1 --resources pcx-0123456789abcdef0 --tags Key=drawbridge:approval,Value=approved-all
	//            for those, too
	//   reject   aws ec2 create-tags --region us-east-1 --resources pcx-0123456789abcdef0 --tags Key=drawbridge:approval,Value=rejected
	//   or look  https://us-east-1.console.aws.amazon.com/vpcconsole/home?region=us-east-1#PeeringConnectionDetails:VpcPeeringConnectionId=pcx-0123456789abcdef0
	//
	// Execution run-1
}

func TestARequestThatOpensNothingSaysSo(t *testing.T) {
	nothing := request()
	nothing.Sides = nil
	if _, body := peering.Message(nothing); !strings.Contains(body, "no database") {
		t.Errorf("the message does not say that nothing is reachable:\n%s", body)
	}
}

func TestAsk(t *testing.T) {
	told := request()
	told.Told = true
	reminded := told
	reminded.Reminded = true
	for name, c := range map[string]struct {
		in    workflow.ConcludeInput
		stuck bool
		did   string
	}{
		"the status says that the owner was told, so it comes last": {request(), false, "[Approval Needed publish for 222222222222 tag AwaitingApproval tag AwaitingApproval]"},
		"who was told is not told again":                            {told, false, "[tag AwaitingApproval tag AwaitingApproval]"},
		"a stuck request is told of once more":                      {told, true, "[Attention Needed publish for 222222222222 tag AwaitingApproval tag AwaitingApproval]"},
		"and then never again":                                      {reminded, true, "[tag AwaitingApproval tag AwaitingApproval]"},
		"the first question is not a reminder":                      {request(), true, "[Approval Needed publish for 222222222222 tag AwaitingApproval tag AwaitingApproval]"},
	} {
		t.Run(name, func(t *testing.T) {
			d := desk{stuck: c.stuck}
			out, err := d.ask(c.in)
			if err != nil || out.Result != workflow.AwaitingApproval || fmt.Sprint(d.did) != c.did {
				t.Errorf("%+v after %v, %v, want %s", out, d.did, err, c.did)
			}
		})
	}
}

func TestARequestThatNobodyWasToldOfHasNoStatus(t *testing.T) {
	d := desk{broken: errors.New("throttled")}
	if _, err := d.ask(request()); err == nil || fmt.Sprint(d.did) != "[Approval Needed]" {
		t.Errorf("did %v, %v", d.did, err)
	}
}

func TestWhatBecameOfARequestIsAnnounced(t *testing.T) {
	d := desk{}
	if _, err := d.ask(request()); err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{`"execution":"run-1"`, `"id":"pcx-0123456789abcdef0"`, `"result":"AwaitingApproval"`, `"policy":"ask-owner"`, `"expires":"2026-11-29T09:00:00Z"`,
		`"database":"orders","engine":"aurora-mysql","port":3307,"from":"vpc-1"`, `"approve":"aws ec2 create-tags --region us-east-1`} {
		if !strings.Contains(d.detail, must) {
			t.Errorf("the event lacks %s: %s", must, d.detail)
		}
	}

	refused := request()
	for rejected, did := range map[bool]string{
		false: "[tag Refused tag Refused Connection Refused]",
		true:  "[Connection Refused reject Peering To Inspect]",
	} {
		d, refused.Reject = desk{}, policy.Decision{Allowed: rejected}
		_, err := peering.Refuse(context.Background(), d.managed(refused.Connection), func(workflow.VPC) peering.Refuser { return &d }, d.bus(), look.Asker{API: &d, Bus: "drawbridge"}, refused)
		if err != nil || fmt.Sprint(d.did) != did || !strings.Contains(d.detail, fmt.Sprintf(`"rejected":%v`, rejected)) {
			t.Errorf("did %v, %v: %s", d.did, err, d.detail)
		}
	}

	d = desk{state: "active"}
	c := request().Connection
	done := workflow.VerifyConnectionInput{Execution: "run-2", Reason: "connected by policy p", Connection: c,
		Sides: []workflow.Side{{VPC: c.Requester, StatusResource: c.ID}, {VPC: c.Accepter, StatusResource: c.ID}},
		Found: []workflow.Hop{{Hop: "ranges of both", OK: true}, {Hop: "database orders", Detail: "is not opened"}}}
	err := d.verify(done)
	if err != nil || fmt.Sprint(d.did) != "[tag Connected tag Connected read Connection Connected]" {
		t.Errorf("did %v, %v", d.did, err)
	}
	if !strings.Contains(d.detail, `"missing":[{"hop":"database orders"`) || strings.Contains(d.detail, "ranges of both") {
		t.Errorf("the event names other hops than those that are missing: %s", d.detail)
	}
}

func TestAPeeringThatWasDeletedMeanwhileIsNeverConnected(t *testing.T) {
	c := request().Connection
	for _, state := range []types.VpcPeeringConnectionStateReasonCode{"deleting", "deleted", "expired", "rejected", ""} {
		d := desk{state: state}
		err := d.verify(workflow.VerifyConnectionInput{Connection: c, Sides: []workflow.Side{{VPC: c.Requester, StatusResource: c.ID}, {VPC: c.Accepter, StatusResource: c.ID}}})
		if fault.Of(err) != fault.Over || fmt.Sprint(d.did) != "[tag Connected tag Connected read]" {
			t.Errorf("%q: did %v, %v; want the look after the last tag, and nothing announced", state, d.did, err)
		}
	}
}
