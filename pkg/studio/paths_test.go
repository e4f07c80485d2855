package studio

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Each role that may read is a path. It ends where the role is not served, or where its people are not identified.
func TestPaths(t *testing.T) {
	role := func(name string) workflow.ExecutionRole {
		return workflow.ExecutionRole{Account: "111111111111", ARN: "arn:aws:iam::111111111111:role/" + name}
	}
	in := workflow.ConcludeStudioInput{Warehouse: workflow.Warehouse{ID: "sales", Account: "222222222222", ARN: "arn:aws:redshift:us-east-1:222222222222:cluster:sales"},
		Roles: []workflow.ExecutionRole{role("ana"), role("boris")}, Admitted: []workflow.AdmitRoleOutput{{Role: role("ana").ARN, Hops: []workflow.Hop{{Hop: "execution role ana", OK: true}}}, {Role: role("boris").ARN,
			Hops: []workflow.Hop{{Hop: "execution role boris", Detail: "is not served"}}}}, Identified: []workflow.IdentifyUsersOutput{{Hops: []workflow.Hop{{Hop: "domain d-1", Detail: "waits for apps"}}}}}
	whole := Paths(in, workflow.Identified)
	if whole.All != 2 || whole.Whole != 1 || whole.Lines[0].Answer != "yes" || whole.Lines[0].Client.Name != "role ana" || whole.Lines[1].Hop != "execution role boris" {
		t.Errorf("%+v", whole)
	}
	if waits := Paths(in, workflow.AwaitingApps); waits.Whole != 0 || waits.Lines[0].Hop != "domain d-1" || waits.Lines[1].Hop != "execution role boris" {
		t.Errorf("%+v", waits)
	}
	if none := Paths(workflow.ConcludeStudioInput{}, workflow.Removed); none.All != 0 || none.Lines != nil {
		t.Errorf("%+v", none)
	}
}
