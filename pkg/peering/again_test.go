package peering_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// extension is a peering to which a database and a range came after it was approved.
func extension() workflow.AskAgainInput {
	in := request()
	o := in.Sides[1].AllowedDatabases[0]
	o.Also = []string{"archive"}
	c := in.Connection
	return workflow.AskAgainInput{Execution: "run-2", Connection: c, Waits: workflow.Waiting{Thing: c.ID, Account: c.Accepter.Account, Region: c.Accepter.Region,
		Known: in.Known, Request: workflow.Request{By: "arn:aws:sts::111111111111:assumed-role/research/ana", Why: "weekly report", Approve: "approved-0a1b2c3d"},
		Ranges: []workflow.Ranged{{CIDR: prefixes("100.64.0.0/20")[0], VPC: c.Requester}}, Reachable: []workflow.Reachable{{Database: o, VPC: c.Accepter, From: c.Requester}},
		Shown:    cover.Lines("range 100.64.0.0/20", "database orders, aurora-mysql, TCP port 3307"),
		Decision: in.Decision, Said: workflow.Said{Requester: "something waits", Accepter: "orders waits"}}}
}

// What the approver reads when something came after the approval.
func ExampleExtension() {
	subject, body := peering.Extension(extension())
	fmt.Println(subject)
	_, body, _ = strings.Cut(body, "Who asks")
	fmt.Print("…Who asks", body)
	// Output:
	// Drawbridge: approval needed for more of pcx-0123456789abcdef0
	// …Who asks, and why
	//   arn:aws:sts::111111111111:assumed-role/research/ana
	//   weekly report
	//
	// Which addresses would reach what is open
	//   100.64.0.0/20  of vpc-1 of account 111111111111
	//
	// What would become reachable, too
	//   orders  aurora-mysql, TCP port 3307, in vpc-2 of account 222222222222, from vpc-1 of account 111111111111
	//     by policy open-shared: the tag says so
	//     and with it archive, which nobody shared: it has the same security group and port
	//
	// Why you are asked
	//   policy ask-owner: the owner has to approve
	//
	// To answer, with credentials of account 222222222222
	//   approve  aws ec2 create-tags --region us-east-1 --resources pcx-0123456789abcdef0 --tags Key=drawbridge:approval,Value=approved-0a1b2c3d
	//            for what is listed here
	//   all      aws ec2 create-tags --region us-east-1 --resources pcx-0123456789abcdef0 --tags Key=drawbridge:approval,Value=approved-all
	//            for what comes later, too
	//   leave    do nothing: all stays as it was approved
	//   end      aws ec2 create-tags --region us-east-1 --resources pcx-0123456789abcdef0 --tags Key=drawbridge:approval,Value=rejected
	//            takes the whole connection back
	//   or look  https://us-east-1.console.aws.amazon.com/vpcconsole/home?region=us-east-1#PeeringConnectionDetails:VpcPeeringConnectionId=pcx-0123456789abcdef0
	//
	// Execution run-2
}

// The question is written before it is sent, sent once, and sent again only if nobody knows whether it was.
func TestOneAsksAgainOnceForEachQuestion(t *testing.T) {
	d, in := &desk{}, extension()
	l, ctx := d.managed(in.Connection), context.Background()
	ask := func(in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
		return peering.AskAgain(ctx, l, d.nobody, d.bus(), notice.Topic{API: d, ARN: "topic"}, in)
	}
	shown := cover.Lines("range 100.64.0.0/20", "database orders, aurora-mysql, TCP port 3307")
	d.broken = fmt.Errorf("no topic")
	if _, err := ask(in); err == nil {
		t.Fatal("no error")
	}
	entry, _, _ := l.Connection(ctx, in.Connection.ID)
	if !slices.Equal(entry.Approval.Shown, shown) || cover.Told(entry.Approval, shown) {
		t.Errorf("before it is sent the entry says %+v", entry.Approval)
	}
	if got, waits := cover.Weigh(ledger.Approval{Covered: []string{"a"}, Shown: entry.Approval.Shown}, "approved-"+cover.Digest(shown), shown, true); len(waits) > 0 {
		t.Errorf("an answer to it covers %v", got.Covered)
	}
	d.broken, d.did = nil, nil
	for n, want := range []bool{true, false} {
		if out, err := ask(in); err != nil || out.Asked != want {
			t.Errorf("%d: %+v, %v", n, out, err)
		}
	}
	if want := []string{"Approval Needed", "publish for 222222222222"}; !slices.Equal(d.did, want) {
		t.Errorf("did %v, want %v", d.did, want)
	}
	if entry, _, _ = l.Connection(ctx, in.Connection.ID); !cover.Told(entry.Approval, shown) {
		t.Errorf("the entry says %+v", entry.Approval)
	}
	in.Execution, in.Waits.Reachable[0].Database.Decision = "run-3", policy.Decision{}
	if out, err := ask(in); err != nil || out.Asked {
		t.Errorf("another execution asks the same: %+v, %v", out, err)
	}
	in.Waits.Reachable, in.Waits.Shown = nil, []string{"range 100.64.0.0/20"}
	if out, err := ask(in); err != nil || !out.Asked {
		t.Errorf("another question: %+v, %v", out, err)
	}
}

// nobody is entered where the question is about a peering.
func (d *desk) nobody(workflow.VPC) connection.Tagger { panic("a member is entered") }

// signboard is the account of a gateway's owner.
type signboard map[string]string

func (s signboard) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	for _, t := range in.Tags {
		s[in.Resources[0]+" "+*t.Key] = *t.Value
	}
	return nil, nil
}

// The answer to a question about an attachment stands on it, as the gateway's owner sees it, not only in the message.
func TestTheQuestionStandsOnTheAttachment(t *testing.T) {
	d, in := &desk{}, extension()
	in.Waits.Thing, in.Waits.Account = "tgw-attach-0123456789abcdef0", "333333333333"
	l, ctx := d.managed(in.Connection), context.Background()
	if _, err := l.Begin(ctx, ledger.Connection{ID: in.Waits.Thing, Kind: "attachment", Approval: ledger.Approval{Covered: []string{"range 10.1.0.0/16 of vpc-a"}}}); err != nil {
		t.Fatal(err)
	}
	s := signboard{}
	enter := func(v workflow.VPC) connection.Tagger {
		if v.Account != "333333333333" {
			t.Errorf("entered %s", v.Account)
		}
		return s
	}
	if _, err := peering.AskAgain(ctx, l, enter, d.bus(), notice.Topic{API: d, ARN: "topic"}, in); err != nil {
		t.Fatal(err)
	}
	want := "drawbridge:approval=approved-" + cover.Digest(cover.Lines(in.Waits.Shown...))
	if got := s[in.Waits.Thing+" drawbridge:reason"]; !strings.HasPrefix(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
}
