package lease_test

import (
	"encoding/json"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapiendpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/gatewaypair"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The look that an execution asks for with its last step is about what it had the lease of.
func TestTheLookThatIsAskedForClaimsTheSameLease(t *testing.T) {
	const (
		account, region = "222222222222", "eu-west-1"
		execution       = "run-1"
		cluster         = "arn:aws:rds:eu-west-1:222222222222:cluster:sales"
	)
	a := workflow.VPC{Account: "111111111111", Region: region, ID: "vpc-0000000000000000a"}
	b := workflow.VPC{Account: account, Region: region, ID: "vpc-0000000000000000b"}
	peered := workflow.Connection{ID: "pcx-0123456789abcdef0", Target: "pcx-0123456789abcdef0", Requester: a, Accepter: b}
	paired := workflow.Connection{ID: gatewaypair.ID("tgw-0123456789abcdef0", a, b), Target: "tgw-0123456789abcdef0", Requester: b, Accepter: a}
	for name, c := range map[string]struct {
		last  func() (lease.Claim, look.Look)
		first func(json.RawMessage) lease.Claim
	}{
		"peering": {func() (lease.Claim, look.Look) {
			return peering.LastVerdict(workflow.VerifyConnectionInput{Execution: execution, Connection: peered})
		}, func(e json.RawMessage) lease.Claim {
			return peering.Inspector{}.Turn().Claim(workflow.InspectPeeringInput{Execution: execution, Event: e})
		}},
		"transit": {func() (lease.Claim, look.Look) {
			return peering.LastRemoval(workflow.ConcludeRemovalInput{Execution: execution, Connection: paired})
		}, func(e json.RawMessage) lease.Claim {
			return gatewaypair.Inspector{}.Turn().Claim(workflow.InspectTransitInput{Execution: execution, Event: e})
		}},
		"data-api": {func() (lease.Claim, look.Look) {
			return dataapi.LastVerdict(workflow.ConcludeDataAPIInput{Execution: execution, DataAPI: workflow.DataAPI{
				Cluster: workflow.Cluster{Account: account, Region: region, ID: "sales", ARN: cluster}}})
		}, func(e json.RawMessage) lease.Claim {
			return dataapi.Inspector{}.Turn().Claim(workflow.InspectDataAPIInput{Execution: execution, Event: e})
		}},
		"data-api-endpoint": {func() (lease.Claim, look.Look) {
			return dataapiendpoint.LastVerdict(workflow.VerifyDataAPIEndpointInput{Execution: execution,
				Want: workflow.EndpointWant{Account: account, Region: region, VPC: b.ID}})
		}, func(e json.RawMessage) lease.Claim {
			return dataapiendpoint.Inspector{}.Turn().Claim(workflow.InspectDataAPIEndpointInput{Execution: execution, Event: e})
		}},
		"private-notebooks": {func() (lease.Claim, look.Look) {
			return privatenotebooks.LastVerdict(workflow.VerifyPrivateNotebooksInput{Execution: execution, Account: account, Region: region})
		}, func(e json.RawMessage) lease.Claim {
			return privatenotebooks.Inspector{}.Turn().Claim(workflow.InspectPrivateNotebooksInput{Execution: execution, Event: e})
		}},
		"studio": {func() (lease.Claim, look.Look) {
			return studio.LastVerdict(workflow.ConcludeStudioInput{Execution: execution, Warehouse: workflow.Warehouse{Account: account, Region: region, ID: "sales"}})
		}, func(e json.RawMessage) lease.Claim {
			return studio.Inspector{}.Turn().Claim(workflow.InspectStudioInput{Execution: execution, Event: e})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			claimed, again := c.last()
			text, err := json.Marshal(map[string]any{"source": event.Source, "detail-type": again.DetailType(),
				"account": "123456789012", "region": region, "detail": again})
			if err != nil {
				t.Fatal(err)
			}
			if e, err := event.Parse(text); err != nil || e.Kind == event.Unhandled {
				t.Fatalf("%s says nothing: %s, %v", text, e.Why, err)
			}
			if got := c.first(text); claimed.Of == "" || got.Of != claimed.Of || got.Execution != execution || claimed.Execution != execution {
				t.Errorf("the last step gives back %+v, and the look claims %+v", claimed, got)
			}
		})
	}
}
