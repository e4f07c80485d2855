package plan

import (
	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/change"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/dataapiendpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/failure"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/gateway"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps/tagging"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// step makes a handler of a step.
func step[I, O any](f workflow.Step[I, O]) runtime.Handler { return workflow.Rehearsed(f) }

// stage is where the functions' own steps play in a rehearsal.
func (r *rehearsal) stage() steps.Stage {
	return steps.Stage{Door: r, Hub: r.hub, Ledger: r.book, Bus: r.bus, Topic: r.topic, Looks: r.looks, Patience: r.Patience, Regions: r.Regions,
		Account: r.organization.Account, Units: r.organization.Units, Policy: r.policy, Callers: parameter.Callers(ssm.NewFromConfig(r.hub), CallersParameter),
		Keeper: r.keeper, Brake: r.brake.Asker(r.Mode)}
}

// steps are the functions of the machines that are rehearsed, by the names of their states.
func (r *rehearsal) steps() map[string]runtime.Handler {
	s := r.stage()
	return map[string]runtime.Handler{
		"HoldExecution": step(hold.Holder{Ledger: r.book, Mode: r.Mode, Brake: r.brake, Bus: r.bus, Topic: r.topic}.Hold),

		"InspectPeering":          step(peering.InspectPeering(s)),
		"InspectTransit":          step(gateway.InspectTransit(s)),
		"AcceptPeering":           step(peering.AcceptPeering(s)),
		"AllowDnsResolution":      step(network.AllowDNSResolution(s)),
		"AddRoutes":               step(network.AddRoutes(s)),
		"OpenFirewall":            step(network.OpenFirewall(s)),
		"InjectRoutes":            step(notebook.InjectRoutes(s)),
		"VerifyConnection":        step(peering.VerifyConnection(s)),
		"CloseFirewall":           step(network.CloseFirewall(s)),
		"RemoveRoutes":            step(network.RemoveRoutes(s)),
		"WithdrawRoutes":          step(notebook.WithdrawRoutes(s)),
		"RestoreDnsResolution":    step(network.RestoreDNSResolution(s)),
		"ConcludeRemoval":         step(peering.ConcludeRemoval(s)),
		"RefuseTransit":           step(gateway.RefuseTransit(s)),
		"AskAgain":                step(peering.AskAgain(s)),
		"AskApproval":             step(peering.AskApproval(s)),
		"RefusePeering":           step(peering.RefusePeering(s)),
		"ReportConflict":          step(peering.ReportConflict(s)),
		"ReportUnreadable":        step(peering.ReportUnreadable(s)),
		"InspectNotebooks":        step(notebook.InspectNotebooks(s)),
		"AttachRoutes":            step(notebook.AttachRoutes(s)),
		"StopNotebook":            step(notebook.StopNotebook(s)),
		"StartNotebook":           step(notebook.StartNotebook(s)),
		"InspectAttachment":       step(gateway.InspectAttachment(s)),
		"AttachVpc":               step(gateway.AttachVPC(s)),
		"AcceptAttachment":        step(gateway.AcceptAttachment(s)),
		"AssociateAttachment":     step(gateway.AssociateAttachment(s)),
		"DisassociateAttachment":  step(gateway.DisassociateAttachment(s)),
		"DetachVpc":               step(gateway.DetachVPC(s)),
		"VerifyAttachment":        step(gateway.VerifyAttachment(s)),
		"ConcludeDetachment":      step(gateway.ConcludeDetachment(s)),
		"AskAttachment":           step(gateway.AskAttachment(s)),
		"RefuseAttachment":        step(gateway.RefuseAttachment(s)),
		"InspectShare":            step(gateway.InspectShare(s)),
		"AcceptShare":             step(gateway.AcceptShare(s)),
		"InspectDataApi":          step(dataapi.InspectDataAPI(s)),
		"EnableHttpEndpoint":      step(dataapi.EnableHTTPEndpoint(s)),
		"AdmitConsumers":          step(dataapi.AdmitConsumers(s)),
		"RetractDataApi":          step(dataapi.RetractDataAPI(s)),
		"ConcludeDataApi":         step(dataapi.ConcludeDataAPI(s)),
		"InspectDataApiEndpoint":  step(dataapiendpoint.InspectDataAPIEndpoint(s)),
		"VerifyDataApiEndpoint":   step(dataapiendpoint.VerifyDataAPIEndpoint(s)),
		"InspectStudio":           step(studio.InspectStudio(s)),
		"WriteStudioRole":         step(studio.WriteStudioRole(s)),
		"AdmitExecutionRole":      step(studio.AdmitExecutionRole(s)),
		"IdentifyUsers":           step(studio.IdentifyUsers(s)),
		"ReleaseExecutionRole":    step(studio.ReleaseExecutionRole(s)),
		"ConcludeStudio":          step(studio.ConcludeStudio(s)),
		"InspectPrivateNotebooks": step(privatenotebooks.InspectPrivateNotebooks(s)),
		"GrantNotebookAccess":     step(privatenotebooks.GrantNotebookAccess(s)),
		"PlaceEndpoints":          step(privatenotebooks.PlaceEndpoints(s)),
		"RemoveEndpoints":         step(privatenotebooks.RemoveEndpoints(s)),
		"VerifyPrivateNotebooks":  step(privatenotebooks.VerifyPrivateNotebooks(s)),
		"FindConnections":         step(change.FindConnections(s)),
		"AnswerTags":              step(tagging.AnswerTags(s)),
		"ReportContest":           step(contest.ReportContest(s)),
		"ReportFailure":           step(failure.ReportFailure(s)),
	}
}
