package notebook_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// facts are what the policy is asked about of a VPC.
func facts(account, id string) *workflow.Facts {
	return &workflow.Facts{VPC: workflow.VPC{Account: account, Region: "us-east-1", ID: id, CIDRs: nil}, Account: workflow.AccountFacts{ID: account, Organization: "o-abc1234567", OUPath: "o-abc1234567/r-ab12/"}}
}

func TestABatchIsReadAsItIsNow(t *testing.T) {
	b := workflow.Batch{Account: "111111111111", Region: "us-east-1", VPC: "vpc-1", Subnet: "subnet-a", Names: []string{"Gone", "In-A", "In-B"}, Here: facts("111111111111", "vpc-1"), There: facts("222222222222", "vpc-2")}
	v := vpc{tags: map[string]string{"In-A": "drawbridge:routes=off"}}
	found, missed := notebook.ReadBatch(context.Background(), v, policy.Default(), "pcx-1", b)
	if len(found) != 1 || found[0].Name != "In-A" || found[0].Inject.Allowed || found[0].Restart.Allowed || found[0].Account != "111111111111" {
		t.Errorf("found %+v: want In-A, whose owner wants no routes", found)
	}
	// One that is gone, and one that is in another subnet by now, keep nobody from being served.
	if got := fmt.Sprint(missed); got != "[{{host route on Gone true false the notebook is gone} <nil>} {{host route on In-B true false the notebook is gone} <nil>}]" {
		t.Errorf("missed %s", got)
	}
	if found, _ := notebook.ReadBatch(context.Background(), v, nil, "pcx-1", b); len(found) != 1 || found[0].Inject.Policy != "" {
		t.Errorf("who takes away asks no policy: %+v", found)
	}
}
