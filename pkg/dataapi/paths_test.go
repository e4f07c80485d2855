package dataapi

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Whom the policy admitted is a path; it is whole unless something of the cluster's is left to its owner. Who is refused is none.
func TestPaths(t *testing.T) {
	in := workflow.ConcludeDataAPIInput{Result: workflow.Exposed, DataAPI: workflow.DataAPI{Cluster: workflow.Cluster{ID: "sales", Account: "222222222222", ARN: "arn:aws:rds:us-east-1:222222222222:cluster:sales"},
		Consumers: []workflow.Consumer{{Account: "333333333333", Decision: policy.Decision{Allowed: true}}, {Account: "111111111111", Decision: policy.Decision{Allowed: true}}, {Account: "444444444444"}}},
		Admitted: workflow.HopsOutput{Hops: []workflow.Hop{{Hop: "role", OK: true}, {Hop: consumerHop, Detail: "444444444444: no policy allows it"}}}}
	if p := Paths(in); p.All != 2 || p.Whole != 2 || len(p.Lines) != 2 || p.Lines[0].Client.Account != "111111111111" || p.Lines[1].Answer != "yes" || p.Lines[0].Database.Name != "sales" {
		t.Errorf("%+v", p)
	}
	in.Result, in.Enabled.Hops = workflow.Contested, []workflow.Hop{{Hop: "HTTP endpoint", Detail: "somebody turned it off"}}
	if p := Paths(in); p.All != 2 || p.Whole != 0 || p.Lines[0].Answer != "no" || p.Lines[0].Hop != "HTTP endpoint" || p.Lines[0].Owner != "222222222222" {
		t.Errorf("%+v", p)
	}
	if in.Result = workflow.RefusedByPolicy; Paths(in).All != 0 {
		t.Errorf("refused: %+v", Paths(in))
	}
}
