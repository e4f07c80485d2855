package privatenotebooks

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Where a person has to act first, the VPC is done with, and named; what passes by itself, what is held, and what nobody can read fails the step as ever. So does
// all of it for a VPC from which the Data API is called: its execution is about no other.
func TestAVPCThatCannotBeServedHoldsUpNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		goes bool
	}{
		"a conflict":       {fault.NewConflict("it has no names", "turn them on"), true},
		"refused by EC2":   {&smithy.GenericAPIError{Code: "UnauthorizedOperation", Message: "denied by a service control policy"}, true},
		"the hub's ledger": {&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no identity-based policy allows dynamodb:Query"}, false},
		"the account shut": {&fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "access denied"}, false},
		"throttled":        {fault.New(fault.Transient, "slow down"), false},
		"not yet":          {fault.New(fault.NotYet, "on its way"), false},
		"held":             {fault.New(fault.Held, "paused"), false},
	} {
		want := workflow.EndpointWant{VPC: "vpc-1", Owner: Owner("vpc-1")}
		out, err := oneOfMany(want, endpoint.State{Waiting: []string{"x"}}, c.err)
		if goes := err == nil; goes != c.goes || goes && (out.Answer != workflow.AnswerReady || len(out.Waiting) > 0 || len(out.Hops) != 1 || out.Hops[0].OK || out.Hops[0].Detail != c.err.Error()) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		want.Owner = "data-api-endpoint-vpc-1"
		if _, err := oneOfMany(want, endpoint.State{}, c.err); !errors.Is(err, c.err) {
			t.Errorf("%s, of a caller of the Data API: %v", name, err)
		}
	}
	if out, err := oneOfMany(workflow.EndpointWant{VPC: "vpc-1", Owner: Owner("vpc-1")}, endpoint.State{Waiting: []string{"x"}}, nil); err != nil || out.Answer != workflow.AnswerWait {
		t.Errorf("nothing is wrong: %+v, %v", out, err)
	}
}

// What could not be served makes the end Incomplete; what an owner's own endpoint lacks, or is contested, does not.
func TestWhatIsShort(t *testing.T) {
	served := workflow.PlaceEndpointsOutput{Want: workflow.EndpointWant{VPC: "vpc-1"}, Hops: []workflow.Hop{{Hop: "endpoint x", Detail: "its private DNS is off"}}}
	bad := workflow.PlaceEndpointsOutput{Want: workflow.EndpointWant{VPC: "vpc-2"}, Hops: []workflow.Hop{{Hop: unserved("vpc-2"), Detail: "no names"}}}
	theirs := workflow.GrantNotebookAccessOutput{Hops: []workflow.Hop{theirs(Grant{Document: "{}", Endpoints: []string{"vpce-1"}})}}
	for want, in := range map[string]workflow.VerifyPrivateNotebooksInput{
		"":                        {Placed: []workflow.PlaceEndpointsOutput{served}},
		"VPC vpc-2":               {Placed: []workflow.PlaceEndpointsOutput{served, bad}},
		"VPC vpc-2 is not served": {Removed: []workflow.PlaceEndpointsOutput{bad}},
		"not Drawbridge's":        {Granted: theirs},
	} {
		if got := short(in); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
