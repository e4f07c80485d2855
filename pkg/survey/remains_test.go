package survey_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// bare is a lab whose notebook has no script, and perhaps a status.
type bare struct {
	rooms
	status string
}

func (b bare) ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	b.read("tags")
	out := &sagemaker.ListTagsOutput{}
	if b.status != "" {
		out.Tags = []sagemakertypes.Tag{{Key: aws.String(tag.Status), Value: &b.status}}
	}
	return out, nil
}

// A notebook instance without a script has no host route, but may say what became of it: its tags tell.
func TestANotebookWithoutAScriptMayStillSaySomething(t *testing.T) {
	for status, want := range map[string]int{"": 0, "Blocked": 1} {
		b := bare{rooms{&lab{subnet: "subnet-1"}, false}, status}
		l, _ := ledgertest.New()
		s := survey.Surveyor{Ledger: l, Enter: func(event.Place) survey.Clients { return survey.Clients{EC2: b, SageMaker: b, Lambda: b} }}
		got, err := s.Instances(t.Context(), workflow.VPC{ID: "vpc-1", Account: alpha, Region: "eu-west-1"}, "")
		if err != nil || workflow.Instances(got) != want {
			t.Errorf("status %q: %v, %v, want %d", status, got, err, want)
		}
	}
}

// What was added to a script for notebooks that are deleted has to be found, too: nobody else tells of their subnet.
func TestASubnetWhoseNotebooksAreDeletedIsNotForgotten(t *testing.T) {
	b := bare{rooms{&lab{subnet: "subnet-1"}, false}, ""}
	l, _ := ledgertest.New()
	s := survey.Surveyor{Ledger: l, Enter: func(event.Place) survey.Clients { return survey.Clients{EC2: b, SageMaker: b, Lambda: b} }}
	look := func() []workflow.Batch {
		got, err := s.Instances(t.Context(), workflow.VPC{ID: "vpc-1", Account: alpha, Region: "eu-west-1"}, "")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := look(); len(got) != 0 {
		t.Fatalf("nothing was added: %v", got)
	}
	item := ledger.Item{Account: alpha, Region: "eu-west-1", Resource: "script", Kind: ledger.HostRoute, Key: "10.1.0.0/24 10.2.0.0/24"}
	if _, err := l.Record(t.Context(), "subnet-1", item); err != nil {
		t.Fatal(err)
	}
	if got := look(); len(got) != 1 || got[0].Subnet != "subnet-1" || len(got[0].Names) != 0 {
		t.Errorf("%v, want one batch of subnet-1 without names", got)
	}
	// A subnet that is deleted, too, is told of by the connection for which it had host routes.
	sides := []ledger.Side{{Role: "requester", Account: alpha, Region: "eu-west-1", ID: "vpc-1"}}
	if _, err := l.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering", Sides: sides, Hosts: []ledger.Host{
		{Account: alpha, Region: "eu-west-1", VPC: "vpc-1", Subnet: "subnet-1"}, {Account: alpha, Region: "eu-west-1", VPC: "vpc-1", Subnet: "subnet-gone"},
		{Account: alpha, Region: "eu-west-1", VPC: "vpc-1", Subnet: "subnet-bare"}, {Account: alpha, Region: "eu-west-1", VPC: "vpc-2", Subnet: "subnet-other"}}}); err != nil {
		t.Fatal(err)
	}
	item.Key = "10.1.7.0/24 10.2.0.0/24"
	for _, subnet := range []string{"subnet-gone", "subnet-other"} {
		if _, err := l.Record(t.Context(), subnet, item); err != nil {
			t.Fatal(err)
		}
	}
	if got := look(); len(got) != 2 || got[1].Subnet != "subnet-gone" || got[1].SubnetCIDR.String() != "10.1.7.0/24" || len(got[1].Names) != 0 {
		t.Errorf("%v, want a batch of subnet-gone, too", got)
	}
}
