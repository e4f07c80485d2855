package plan

import (
	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/private"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
)

// accesses are the steps of the machines of the Data API, of its endpoints, of Studio and of private notebooks.
func (r *rehearsal) accesses() map[string]runtime.Handler {
	s := steps.Stage{Door: r, Hub: r.hub, Ledger: r.book, Bus: r.bus, Looks: r.looks, Regions: r.Regions, Account: r.organization.Account, Policy: r.policy,
		Callers: private.Callers(ssm.NewFromConfig(r.hub), CallersParameter),
		Keeper:  r.keeper, Brake: r.brake.Asker(r.Mode)}
	return map[string]runtime.Handler{
		"InspectDataApi":          step(steps.InspectDataAPI(s)),
		"EnableHttpEndpoint":      step(steps.EnableHTTPEndpoint(s)),
		"AdmitConsumers":          step(steps.AdmitConsumers(s)),
		"RetractDataApi":          step(steps.RetractDataAPI(s)),
		"ConcludeDataApi":         step(steps.ConcludeDataAPI(s)),
		"InspectDataApiEndpoint":  step(steps.InspectDataAPIEndpoint(s)),
		"VerifyDataApiEndpoint":   step(steps.VerifyDataAPIEndpoint(s)),
		"InspectStudio":           step(steps.InspectStudio(s)),
		"WriteStudioRole":         step(steps.WriteStudioRole(s)),
		"AdmitExecutionRole":      step(steps.AdmitExecutionRole(s)),
		"IdentifyUsers":           step(steps.IdentifyUsers(s)),
		"ReleaseExecutionRole":    step(steps.ReleaseExecutionRole(s)),
		"ConcludeStudio":          step(steps.ConcludeStudio(s)),
		"InspectPrivateNotebooks": step(steps.InspectPrivateNotebooks(s)),
		"GrantNotebookAccess":     step(steps.GrantNotebookAccess(s)),
		"PlaceEndpoints":          step(steps.PlaceEndpoints(s)),
		"RemoveEndpoints":         step(steps.RemoveEndpoints(s)),
		"VerifyPrivateNotebooks":  step(steps.VerifyPrivateNotebooks(s)),
	}
}
