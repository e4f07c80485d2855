package plan

import (
	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/private"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// step makes a handler of a step.
func step[I, O any](f workflow.Step[I, O]) runtime.Handler { return workflow.Rehearsed(f) }

// stage is where the functions' own steps play in a rehearsal.
func (r *rehearsal) stage() steps.Stage {
	return steps.Stage{Door: r, Hub: r.hub, Ledger: r.book, Bus: r.bus, Topic: r.topic, Looks: r.looks, Patience: r.Patience, Regions: r.Regions,
		Account: r.organization.Account, Units: r.organization.Units, Policy: r.policy, Callers: private.Callers(ssm.NewFromConfig(r.hub), CallersParameter),
		Keeper: r.keeper, Brake: r.brake.Asker(r.Mode)}
}

// steps are the functions of the machines that are rehearsed, by the names of their states.
func (r *rehearsal) steps() map[string]runtime.Handler {
	s := r.stage()
	return map[string]runtime.Handler{
		"HoldExecution": step(hold.Holder{Ledger: r.book, Mode: r.Mode, Brake: r.brake, Bus: r.bus, Topic: r.topic}.Hold),

		"InspectPeering":          step(steps.InspectPeering(s)),
		"InspectTransit":          step(steps.InspectTransit(s)),
		"AcceptPeering":           step(steps.AcceptPeering(s)),
		"AllowDnsResolution":      step(steps.AllowDNSResolution(s)),
		"AddRoutes":               step(steps.AddRoutes(s)),
		"OpenFirewall":            step(steps.OpenFirewall(s)),
		"InjectRoutes":            step(steps.InjectRoutes(s)),
		"VerifyConnection":        step(steps.VerifyConnection(s)),
		"CloseFirewall":           step(steps.CloseFirewall(s)),
		"RemoveRoutes":            step(steps.RemoveRoutes(s)),
		"WithdrawRoutes":          step(steps.WithdrawRoutes(s)),
		"RestoreDnsResolution":    step(steps.RestoreDNSResolution(s)),
		"ConcludeRemoval":         step(steps.ConcludeRemoval(s)),
		"RefuseTransit":           step(steps.RefuseTransit(s)),
		"AskAgain":                step(steps.AskAgain(s)),
		"AskApproval":             step(steps.AskApproval(s)),
		"RefusePeering":           step(steps.RefusePeering(s)),
		"ReportConflict":          step(steps.ReportConflict(s)),
		"ReportUnreadable":        step(steps.ReportUnreadable(s)),
		"InspectNotebooks":        step(steps.InspectNotebooks(s)),
		"AttachRoutes":            step(steps.AttachRoutes(s)),
		"StopNotebook":            step(steps.StopNotebook(s)),
		"StartNotebook":           step(steps.StartNotebook(s)),
		"InspectAttachment":       step(steps.InspectAttachment(s)),
		"AttachVpc":               step(steps.AttachVPC(s)),
		"AcceptAttachment":        step(steps.AcceptAttachment(s)),
		"AssociateAttachment":     step(steps.AssociateAttachment(s)),
		"DisassociateAttachment":  step(steps.DisassociateAttachment(s)),
		"DetachVpc":               step(steps.DetachVPC(s)),
		"VerifyAttachment":        step(steps.VerifyAttachment(s)),
		"ConcludeDetachment":      step(steps.ConcludeDetachment(s)),
		"AskAttachment":           step(steps.AskAttachment(s)),
		"RefuseAttachment":        step(steps.RefuseAttachment(s)),
		"InspectShare":            step(steps.InspectShare(s)),
		"AcceptShare":             step(steps.AcceptShare(s)),
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
