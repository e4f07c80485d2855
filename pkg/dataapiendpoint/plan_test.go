package dataapiendpoint

import (
	"reflect"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestPlan(t *testing.T) {
	yes, no := policy.Decision{Allowed: true, Policy: "expose-as-tagged"}, policy.Decision{Policy: "no-data-api", Reason: "not here"}
	for name, c := range map[string]struct {
		have   Facts
		result workflow.Result
		answer workflow.Answer
	}{
		"tagged and allowed":            {Facts{Tagged: true, Decision: yes}, workflow.Available, workflow.AnswerPlace},
		"tagged, allowed, and there":    {Facts{Tagged: true, Decision: yes, Standing: true}, workflow.Available, workflow.AnswerPlace},
		"tagged and refused":            {Facts{Tagged: true, Decision: no}, workflow.RefusedByPolicy, workflow.AnswerRefuse},
		"tagged, allowed once, refused": {Facts{Tagged: true, Decision: no, Standing: true}, workflow.RefusedByPolicy, workflow.AnswerRemove},
		"not tagged any more":           {Facts{Standing: true}, workflow.Removed, workflow.AnswerRemove},
		"not tagged":                    {Facts{}, workflow.Nothing, workflow.AnswerNothing},
		"not there any more":            {Facts{Gone: true}, workflow.Nothing, workflow.AnswerNothing},
		"let go of":                     {Facts{Tagged: true, Letting: "false", Standing: true}, workflow.Released, workflow.AnswerReleased},
		"let go of, and found":          {Facts{Tagged: true, Letting: "false"}, workflow.Nothing, workflow.AnswerNothing},
		"undone":                        {Facts{Tagged: true, Letting: "undo", Standing: true}, workflow.Removed, workflow.AnswerRemove},
		"undone, and nothing was added": {Facts{Tagged: true, Letting: "undo"}, workflow.Nothing, workflow.AnswerNothing},
		"let go of, and gone":           {Facts{Letting: "false", Gone: true, Standing: true}, workflow.Removed, workflow.AnswerRemove},
		"gone with what was placed":     {Facts{Gone: true, Standing: true}, workflow.Removed, workflow.AnswerRemove},
	} {
		c.have.VPC = "vpc-1"
		result, answer, reason := Plan(c.have)
		if result != c.result || answer != c.answer || !strings.Contains(reason, "vpc-1") {
			t.Errorf("%s: Plan = %s, %s, %q, want %s, %s", name, result, answer, reason, c.result, c.answer)
		}
	}
	if _, _, reason := Plan(Facts{VPC: "vpc-1", Tagged: true, Decision: no}); !strings.Contains(reason, "no-data-api") || !strings.Contains(reason, "not here") {
		t.Errorf("a refusal says %q, without the policy or its reason", reason)
	}
}

func TestCheckNamesWhatKeepsPeopleOut(t *testing.T) {
	good := workflow.Hop{Hop: "endpoint rds-data", OK: true, Detail: "vpce-1"}
	if err := check("vpc-1", []workflow.Hop{good}); err != nil {
		t.Error(err)
	}
	err := check("vpc-1", []workflow.Hop{good, {Hop: "endpoint rds-data", Detail: "vpce-2, the owner's own: its private DNS is off"}})
	if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "vpce-2") || strings.Contains(err.Error(), "vpce-1") {
		t.Errorf("check = %v", err)
	}
}

// The steps that place endpoints are the ones of private notebooks, too, and work under the lease that the look of their own machine took.
func TestTheStepsKnowTheLease(t *testing.T) {
	for want, w := range map[string]workflow.EndpointWant{
		LeaseOf("vpc-1"):                         {Account: "111111111111", VPC: "vpc-1", Owner: Owner("vpc-1")},
		privatenotebooks.LeaseOf("111111111111"): {Account: "111111111111", VPC: "vpc-1", Owner: privatenotebooks.Owner("vpc-1")},
	} {
		if got := privatenotebooks.LeaseOfWant(w); got != want {
			t.Errorf("%s is under %q, want %q", w.Owner, got, want)
		}
	}
}

// What is in the VPC reaches the Data API, or ends at what the endpoint lacks.
func TestPaths(t *testing.T) {
	want := workflow.EndpointWant{Account: "111111111111", Region: "eu-west-1", VPC: "vpc-1"}
	serves, lacks := workflow.Hop{Hop: "endpoint rds-data", OK: true}, workflow.Hop{Hop: "endpoint rds-data", Detail: "vpce-1, the owner's own: private DNS is off"}
	line := ledger.Path{Client: ledger.End{Name: "any client", Account: "111111111111", Network: "vpc-1"},
		Database: ledger.End{Name: "Data API of eu-west-1", Account: "111111111111", Network: "vpc-1"}, Port: 443, Answer: "yes"}
	broken := line
	broken.Answer, broken.Hop, broken.Owner, broken.Detail = "no", lacks.Hop, "111111111111", lacks.Detail
	for name, c := range map[string]struct {
		hop  workflow.Hop
		want ledger.Paths
	}{
		"serves": {serves, ledger.Paths{All: 1, Whole: 1, Lines: []ledger.Path{line}}},
		"lacks":  {lacks, ledger.Paths{All: 1, Lines: []ledger.Path{broken}}},
	} {
		if got := Paths(want, []workflow.Hop{c.hop}); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
