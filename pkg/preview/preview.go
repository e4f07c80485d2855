// Package preview says in sentences what an inspection's answer would change, before anything is changed. It is pure: it reads what the
// inspection hands to the steps after it, and asks the same plans that these ask.
//
// What only a step itself finds out is said with the reservation that it is not there yet: a security group may have the rule, a
// script the line.
//
//	preview.go  the inspections, held to the mode
//	plan.go     thinks: what an answer would change (pure)
package preview

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Peering is the inspection of a peering, held to the mode: see [mode.Gate].
func Peering(door mode.Door, inspect workflow.Step[workflow.InspectPeeringInput, workflow.InspectPeeringOutput]) workflow.Step[workflow.InspectPeeringInput, workflow.InspectPeeringOutput] {
	return mode.Gate(door, peering, inspect)
}

// Transit is the inspection of a pair of VPCs on a gateway, held to the mode: see [mode.Gate].
func Transit(door mode.Door, inspect workflow.Step[workflow.InspectTransitInput, workflow.InspectTransitOutput]) workflow.Step[workflow.InspectTransitInput, workflow.InspectTransitOutput] {
	return mode.Gate(door, transit, inspect)
}

// Notebooks is the inspection of notebooks, held to the mode: see [mode.Gate].
func Notebooks(door mode.Door, inspect workflow.Step[workflow.InspectNotebooksInput, workflow.InspectNotebooksOutput]) workflow.Step[workflow.InspectNotebooksInput, workflow.InspectNotebooksOutput] {
	return mode.Gate(door, notebooks, inspect)
}

// Attachment is the inspection of a VPC on a gateway, held to the mode: see [mode.Gate].
func Attachment(door mode.Door, inspect workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput]) workflow.Step[workflow.InspectAttachmentInput, workflow.InspectAttachmentOutput] {
	return mode.Gate(door, attachment, inspect)
}

// Share is the inspection of a resource share, held to the mode: see [mode.Gate].
func Share(door mode.Door, inspect workflow.Step[workflow.InspectShareInput, workflow.InspectShareOutput]) workflow.Step[workflow.InspectShareInput, workflow.InspectShareOutput] {
	return mode.Gate(door, share, inspect)
}

// DataAPI is the inspection of an Aurora cluster, held to the mode: see [mode.Gate].
func DataAPI(door mode.Door, inspect workflow.Step[workflow.InspectDataAPIInput, workflow.InspectDataAPIOutput]) workflow.Step[workflow.InspectDataAPIInput, workflow.InspectDataAPIOutput] {
	return mode.Gate(door, dataAPI, inspect)
}

// DataAPIEndpoint is the inspection of a VPC from which the Data API is called, held to the mode: see [mode.Gate].
func DataAPIEndpoint(door mode.Door, inspect workflow.Step[workflow.InspectDataAPIEndpointInput, workflow.InspectDataAPIEndpointOutput]) workflow.Step[workflow.InspectDataAPIEndpointInput, workflow.InspectDataAPIEndpointOutput] {
	return mode.Gate(door, dataAPIEndpoint, inspect)
}

// PrivateNotebooks is the inspection of the private notebooks of an account, held to the mode: see [mode.Gate].
func PrivateNotebooks(door mode.Door, inspect workflow.Step[workflow.InspectPrivateNotebooksInput, workflow.InspectPrivateNotebooksOutput]) workflow.Step[workflow.InspectPrivateNotebooksInput, workflow.InspectPrivateNotebooksOutput] {
	return mode.Gate(door, privateNotebooks, inspect)
}

// Studio is the inspection of the readers of a Redshift cluster, held to the mode: see [mode.Gate].
func Studio(door mode.Door, inspect workflow.Step[workflow.InspectStudioInput, workflow.InspectStudioOutput]) workflow.Step[workflow.InspectStudioInput, workflow.InspectStudioOutput] {
	return mode.Gate(door, studio, inspect)
}
