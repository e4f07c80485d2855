package main

import (
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// kind is one kind of event that Drawbridge listens to. The member stack makes a forwarding rule from it in every
// account and Region, named drawbridge-forward-<name>. What is forwarded starts the machine whose rule on the hub's bus
// matches it; see machine in hub.go.
type kind struct {
	name    string
	about   string
	pattern map[string]any // an EventBridge pattern, without the account
}

// Only the account's own successful calls count, and never Drawbridge's: an execution that changes a peering must not
// start another one. The field is absent when a user or the root user calls. The event's source says which service was called, in every
// partition alike; the record's eventSource, a host, does not.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func callPattern(services []string, detail map[string]any) map[string]any {
	var sources []string
	for _, s := range services {
		sources = append(sources, "aws."+s)
	}
	detail["errorCode"] = []any{map[string]any{"exists": false}}
	detail["userIdentity"] = map[string]any{"sessionContext": map[string]any{"sessionIssuer": map[string]any{
		"userName": []any{
			map[string]any{"exists": false},
			map[string]any{"anything-but": map[string]any{"prefix": "drawbridge-member-"}},
		},
	}}}
	return map[string]any{
		"source":      sources,
		"detail-type": []string{"AWS API Call via CloudTrail"},
		"detail":      detail,
	}
}

// The calls of EC2 that matter, by what they are about.
var (
	peeringCalls = []string{
		"CreateVpcPeeringConnection", "AcceptVpcPeeringConnection", "RejectVpcPeeringConnection",
		"DeleteVpcPeeringConnection", "ModifyVpcPeeringConnectionOptions",
	}
	tableCalls   = []string{"AssociateRouteTable", "ReplaceRouteTableAssociation"}
	gatewayCalls = []string{
		"CreateTransitGatewayVpcAttachment", "AcceptTransitGatewayVpcAttachment", "RejectTransitGatewayVpcAttachment",
		"DeleteTransitGatewayVpcAttachment", "ModifyTransitGatewayVpcAttachment",
		"AssociateTransitGatewayRouteTable", "DisassociateTransitGatewayRouteTable",
		"EnableTransitGatewayRouteTablePropagation", "DisableTransitGatewayRouteTablePropagation",
	}
	shareCalls = []string{
		"CreateResourceShare", "AssociateResourceShare", "DisassociateResourceShare", "DeleteResourceShare", "AcceptResourceShareInvitation",
	}
	listCalls  = event.ListCalls
	routeCalls = []string{"CreateRoute", "ReplaceRoute", "DeleteRoute", "AssociateRouteTable", "ReplaceRouteTableAssociation"}
)

// The services whose records matter, by what they keep.
var (
	ec2          = []string{"ec2"}
	ownTags      = slices.DeleteFunc(tag.Services(), func(s string) bool { return s == "ec2" }) // whose things have calls of their own for tags
	databaseKeep = database.Services()
	touched      = []string{"ec2", "iam", "kms", "rds", "sagemaker"} // in which Drawbridge adds what somebody may take away
)

// retired are the calls that end a grant of a key by who has it.
var retired = []string{"RetireGrant"}

// grantPattern matches grants that somebody retires. AWS's services retire all day what they were granted for a volume, a table or a task; none of
// them is in a grant of Drawbridge's.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func grantPattern() map[string]any {
	detail := map[string]any{"eventName": retired}
	pattern := callPattern([]string{"kms"}, detail)
	detail["userIdentity"].(map[string]any)["type"] = []any{map[string]any{"anything-but": []string{"AWSService"}}}
	return pattern
}

// touchCalls returns the calls by which somebody may undo what Drawbridge did, without those that other kinds of events have already.
func touchCalls() []string {
	forwarded := slices.Concat(peeringCalls, routeCalls, gatewayCalls, endpointCalls, peopleCalls, retired, named(touched, tag.Deletes))
	return slices.DeleteFunc(event.TouchCalls(touched...), func(call string) bool { return slices.Contains(forwarded, call) })
}

// spoken are the keys of the tags by which Drawbridge speaks to people, on what carries a connection.
var spoken = []any{tag.Status, tag.Reason, tag.Pairs, map[string]any{"prefix": "drawbridge:peer:"}}

// named returns the names of the records of these services that do one of these things, and that no other machine than
// drawbridge-change hears, sorted.
func named(services []string, acts ...tag.Act) []string {
	var names []string
	for _, r := range tag.Records {
		if r.Machine == "" && slices.Contains(services, r.Service) && slices.Contains(acts, r.Act) {
			names = append(names, r.Call)
		}
	}
	if len(names) == 0 {
		panic("no record of these services does that: see pkg/tag")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// wishes are the keys of the tags by which the owners of things of these services ask. Tags that Drawbridge sets itself are not among them.
func wishes(services ...string) []any {
	var kinds []tag.Kind
	for _, s := range services {
		kinds = append(kinds, tag.KindsOf(s)...)
	}
	var all []any
	for _, key := range tag.Keys(kinds...) {
		all = append(all, key)
	}
	return all
}

// taggedARNs match the ARNs of all kinds of things that may have a wish, in the list of a call of the tagging API.
func taggedARNs() []any {
	var all []any
	for _, service := range append(slices.Clone(ec2), ownTags...) {
		all = append(all, map[string]any{"wildcard": "arn:*:" + service + ":*"})
	}
	return all
}

// databaseStates is the pattern of RDS's events that an instance or a cluster was created (0005, 0170), restored (0019, 0043) or deleted
// (0003, 0171), or that an instance restarted (0006), which is when another port is in force.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
var databaseStates = map[string]any{
	"source":      []string{"aws.rds"},
	"detail-type": []string{"RDS DB Instance Event", "RDS DB Cluster Event"},
	"detail": map[string]any{"EventID": []string{"RDS-EVENT-0003", "RDS-EVENT-0005", "RDS-EVENT-0006", "RDS-EVENT-0019", "RDS-EVENT-0043",
		"RDS-EVENT-0170", "RDS-EVENT-0171"}},
}
