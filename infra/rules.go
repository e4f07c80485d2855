package main

// kind is one kind of event that Drawbridge listens to. The member stack makes a forwarding rule from it in every
// account and Region, named drawbridge-forward-<name>. What is forwarded starts the machine whose rule on the hub's bus
// matches it; see machine in hub.go.
type kind struct {
	name    string
	about   string
	pattern map[string]any // an EventBridge pattern, without the account
}

// Only the account's own successful calls count, and never Drawbridge's: an execution that changes a peering must not
// start another one. The field is absent when a user or the root user calls.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func callPattern(services []string, detail map[string]any) map[string]any {
	var hosts, sources []string
	for _, s := range services {
		hosts, sources = append(hosts, s+".amazonaws.com"), append(sources, "aws."+s)
	}
	detail["eventSource"] = hosts
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
	tableCalls    = []string{"AssociateRouteTable", "ReplaceRouteTableAssociation"}
	tagCalls      = []string{"CreateTags", "DeleteTags"}
	networkCalls  = []string{"AssociateVpcCidrBlock", "DisassociateVpcCidrBlock", "CreateSubnet"}
	databaseCalls = []string{
		"AddTagsToResource", "RemoveTagsFromResource", "ModifyDBInstance", "ModifyDBCluster", // RDS
		"CreateTags", "DeleteTags", "CreateCluster", "ModifyCluster", "DeleteCluster", // Redshift
	}
	gatewayCalls = []string{
		"CreateTransitGatewayVpcAttachment", "AcceptTransitGatewayVpcAttachment", "RejectTransitGatewayVpcAttachment",
		"DeleteTransitGatewayVpcAttachment", "ModifyTransitGatewayVpcAttachment",
		"AssociateTransitGatewayRouteTable", "DisassociateTransitGatewayRouteTable",
		"EnableTransitGatewayRouteTablePropagation", "DisableTransitGatewayRouteTablePropagation",
	}
	shareCalls = []string{
		"CreateResourceShare", "AssociateResourceShare", "DisassociateResourceShare", "DeleteResourceShare", "AcceptResourceShareInvitation",
	}
	routeCalls = []string{"CreateRoute", "ReplaceRoute", "DeleteRoute", "AssociateRouteTable", "ReplaceRouteTableAssociation"}
)

var (
	ec2              = []string{"ec2"}
	databaseServices = []string{"rds", "redshift"}
)

// databaseStates is the pattern of RDS's events that an instance or a cluster was created (0005, 0170) or deleted (0003,
// 0171), or that an instance restarted (0006), which is when another port is in force.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
var databaseStates = map[string]any{
	"source":      []string{"aws.rds"},
	"detail-type": []string{"RDS DB Instance Event", "RDS DB Cluster Event"},
	"detail":      map[string]any{"EventID": []string{"RDS-EVENT-0003", "RDS-EVENT-0005", "RDS-EVENT-0006", "RDS-EVENT-0170", "RDS-EVENT-0171"}},
}

// kinds are all the kinds of events. EC2 has no event of its own for peerings, only CloudTrail's record of the call:
// https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ec2.html
var kinds = []kind{
	{
		name:    "peering",
		about:   "Somebody requested, answered, changed or deleted a VPC peering.",
		pattern: callPattern(ec2, map[string]any{"eventName": peeringCalls}),
	},
	{
		name:  "approval",
		about: "Somebody set or removed the tag drawbridge:approval on a VPC peering.",
		pattern: callPattern(ec2, map[string]any{
			"eventName": tagCalls,
			"requestParameters": map[string]any{
				"resourcesSet": map[string]any{"items": map[string]any{
					"resourceId": []any{map[string]any{"prefix": "pcx-"}}}},
				"tagSet": map[string]any{"items": map[string]any{"key": []string{"drawbridge:approval"}}},
			},
		}),
	},
	{
		name:  "notebook",
		about: "A SageMaker notebook instance started or stopped.",
		pattern: map[string]any{
			"source":      []string{"aws.sagemaker"},
			"detail-type": []string{"SageMaker Notebook Instance State Change"},
			"detail":      map[string]any{"NotebookInstanceStatus": []string{"Pending", "InService", "Stopped"}},
		},
	},
	{
		name:    "routes",
		about:   "Somebody changed what the route table of a subnet reaches.",
		pattern: callPattern(ec2, map[string]any{"eventName": routeCalls}),
	},
	{
		name:    "network",
		about:   "Somebody changed the addresses of a VPC, or made a subnet.",
		pattern: callPattern(ec2, map[string]any{"eventName": networkCalls}),
	},
	{
		name:  "vpc",
		about: "Somebody set or removed a tag of Drawbridge's on a VPC.",
		pattern: callPattern(ec2, map[string]any{
			"eventName": tagCalls,
			"requestParameters": map[string]any{
				"resourcesSet": map[string]any{"items": map[string]any{
					"resourceId": []any{map[string]any{"prefix": "vpc-"}}}},
				"tagSet": map[string]any{"items": map[string]any{"key": []any{map[string]any{"prefix": "drawbridge:"}}}},
			},
		}),
	},
	{
		name:    "database",
		about:   "Somebody changed a database or its tags.",
		pattern: callPattern(databaseServices, map[string]any{"eventName": databaseCalls}),
	},
	{
		name:    "share",
		about:   "RAM shared something of this account, or with it, or does so no more.",
		pattern: map[string]any{"source": []string{"aws.ram"}, "detail-type": []string{"Resource Sharing State Change"}},
	},
	{
		name:    "share-call",
		about:   "Somebody changed what is shared with whom, or answered an invitation.",
		pattern: callPattern([]string{"ram"}, map[string]any{"eventName": shareCalls}),
	},
	{
		name:    "attachment",
		about:   "Somebody attached a VPC to a transit gateway, answered, changed, associated or detached it.",
		pattern: callPattern(ec2, map[string]any{"eventName": gatewayCalls}),
	},
	{
		name:  "attachment-tag",
		about: "Somebody set or removed a tag of Drawbridge's on a transit gateway or an attachment.",
		pattern: callPattern(ec2, map[string]any{
			"eventName": tagCalls,
			"requestParameters": map[string]any{
				"resourcesSet": map[string]any{"items": map[string]any{
					"resourceId": []any{map[string]any{"prefix": "tgw-"}}}},
				"tagSet": map[string]any{"items": map[string]any{"key": []string{"drawbridge:approval", "drawbridge:accept"}}},
			},
		}),
	},
	{
		name:    "workgroup",
		about:   "Somebody made a workgroup of Redshift Serverless with the tag drawbridge:studio, or gave it to one.",
		pattern: callPattern([]string{"redshift-serverless"}, workgroupTagged()),
	},
	{
		name:    "database-state",
		about:   "A database was created or deleted, or restarted.",
		pattern: databaseStates,
	},
	{
		name:    "studio",
		about:   "Somebody deleted an app of SageMaker Studio, or changed who works in it with which role.",
		pattern: callPattern([]string{"sagemaker"}, map[string]any{"eventName": append([]string{"DeleteApp"}, peopleCalls...)}),
	},
}
