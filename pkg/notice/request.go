package notice

import (
	"fmt"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// StuckApproval is what people are told of a request that waits too long for its owner, who answers with one of two
// commands.
func StuckApproval(in workflow.ConcludeInput, approve, reject string) Attention {
	c := in.Connection
	return Attention{
		What:  fmt.Sprintf("the request %s of account %s still waits for the owner of account %s", c.ID, c.Requester.Account, c.Accepter.Account),
		Where: requested(in.Execution, c), Kind: "StuckApproval",
		Why:     fmt.Sprintf("%s, and nobody answered; unanswered, it expires at %s", in.Reason, in.Expires),
		Remedy:  "the owner of account " + c.Accepter.Account + " approves with the command below, or rejects with: " + reject,
		Command: approve, Runbook: runbook + "awaitingapproval", Console: PeeringConsole(c),
	}
}

// ExpiredRequest is what people are told of a request that nobody answered in time.
func ExpiredRequest(in workflow.ConcludeRemovalInput) Attention {
	c := in.Connection
	return Attention{
		What:  fmt.Sprintf("the request %s of account %s to account %s expired", c.ID, c.Requester.Account, c.Accepter.Account),
		Where: requested(in.Execution, c), Kind: "ExpiredRequest", Why: in.Reason,
		Remedy:  "ask the owner of account " + c.Accepter.Account + ", then make the request again",
		Runbook: runbook + "expired", Console: PeeringConsole(c),
	}
}

func requested(execution string, c workflow.Connection) Where {
	return Where{Account: c.Accepter.Account, Region: c.Accepter.Region, Connection: c.ID, Machine: "drawbridge-peering", Execution: execution}
}

// PeeringConsole links to a peering in the accepter's console, or is "" where the partition's console is not known.
func PeeringConsole(c workflow.Connection) string { return ThingConsole(c.Accepter.Region, c.ID) }

// ThingConsole returns the link to a peering or to an attachment in its owner's console, or "" where that is not known.
func ThingConsole(region, id string) string {
	host := arn.Console(arn.Partition(region), region)
	if host == "" {
		return ""
	}
	var where string
	switch road.Of(id) {
	case road.Attachment:
		where = "TransitGatewayAttachmentDetails:transitGatewayAttachmentId="
	case road.Peering:
		where = "PeeringConnectionDetails:VpcPeeringConnectionId="
	case road.Transit, road.DataAPI, road.DataAPIEndpoint, road.Studio, road.PrivateNotebooks, road.Share:
		return ""
	}
	return fmt.Sprintf("https://%s/vpcconsole/home?region=%s#%s%s", host, region, where, id)
}

// Answering returns the command by which an owner answers a request with a tag of the resource.
// https://docs.aws.amazon.com/cli/latest/reference/ec2/create-tags.html
func Answering(region, resource, key, value string) string {
	return fmt.Sprintf("aws ec2 create-tags --region %s --resources %s --tags Key=%s,Value=%s", region, resource, key, value)
}

// Because names the policy of a decision and its reason.
func Because(d policy.Decision) string {
	if d.Reason == "" {
		return d.Policy
	}
	return d.Policy + ": " + d.Reason
}

// OrNone says that there is no name, where a blank would look like a mistake.
func OrNone(name string) string {
	if name == "" {
		return "(no name)"
	}
	return name
}
