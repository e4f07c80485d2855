package gatewaypair

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// labels are tags of things, by thing and key.
type labels map[string]string

func (l labels) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	for _, t := range in.Tags {
		l[in.Resources[0]+" "+*t.Key] = *t.Value
	}
	return nil, nil
}

func (l labels) DeleteTags(_ context.Context, in *ec2.DeleteTagsInput, _ ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error) {
	for _, t := range in.Tags {
		delete(l, in.Resources[0]+" "+*t.Key)
	}
	return nil, nil
}

func (labels) PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	return &eventbridge.PutEventsOutput{}, nil
}

// A pair that was counted and is refused now is counted on neither attachment any more: the tag goes with the last pair.
func TestARefusedPairIsNotCounted(t *testing.T) {
	book, _ := ledgertest.New()
	side := func(account, vpc string) ledger.Side {
		return ledger.Side{Account: account, Region: "eu-west-1", ID: vpc}
	}
	for id, sides := range map[string][]ledger.Side{
		"tgw-1:vpc-a:vpc-b": {side("111111111111", "vpc-a"), side("222222222222", "vpc-b")},
		"tgw-1:vpc-b:vpc-c": {side("222222222222", "vpc-b"), side("333333333333", "vpc-c")},
	} {
		if _, err := book.Begin(t.Context(), ledger.Connection{ID: id, Kind: road.Transit, Sides: sides, Status: ledger.Status(workflow.Removed)}); err != nil {
			t.Fatal(err)
		}
	}
	l := labels{"tgw-attach-a drawbridge:pairs": "1 Removed at x", "tgw-attach-b drawbridge:pairs": "2 Removed at x"}
	i := inspection{Inspector: Inspector{Ledger: book}, managed: true, pair: &pair{}}
	i.out.Connection = workflow.Connection{ID: "tgw-1:vpc-a:vpc-b", Target: "tgw-1"}
	for n, name := range []string{"a", "b"} {
		i.q.Ends[n] = End{VPC: workflow.VPC{Account: strings.Repeat([]string{"1", "2"}[n], 12), Region: "eu-west-1", ID: "vpc-" + name}, Attachment: &Attachment{ID: "tgw-attach-" + name}}
	}
	out, err := i.end(t.Context(), Verdict{Answer: workflow.AnswerRefuse, Reason: "forbidden"})
	if err != nil || len(out.Tagged) != 2 {
		t.Fatalf("%+v, %v", out.Tagged, err)
	}
	if _, err := Refuse(t.Context(), book, func(workflow.StatusResource) connection.Untagger { return l }, notice.Bus{API: l}, workflow.RefuseTransitInput{Connection: out.Connection, Tagged: out.Tagged}); err != nil {
		t.Fatal(err)
	}
	if _, there := l["tgw-attach-a drawbridge:pairs"]; there || !strings.HasPrefix(l["tgw-attach-b drawbridge:pairs"], "1 Removed at ") {
		t.Errorf("the attachments say %v", l)
	}
}
