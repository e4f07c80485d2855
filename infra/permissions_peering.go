package main

// peeringSteps are the states of the Peering machine.
var peeringSteps = map[string]step{
	"InspectPeering": {
		readsParam:  true,
		asksOrg:     true,
		namesUnits:  true,
		keeps:       true,
		keepsLedger: true,
		leases:      "peering",
		brakes:      true,
		member: append(databases(append([]string{"ec2:DescribeRouteTables", "ec2:DescribeSubnets", "ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs"}, listClients...)...),
			clients, grant{actions: []string{"sagemaker:ListTags"}, resources: []string{notebooks}}),
	},
	"AcceptPeering": {
		member: []grant{{actions: []string{"ec2:AcceptVpcPeeringConnection"},
			resources: []string{arn("ec2", "vpc/*"), peerings}}},
	},
	"AskApproval": {
		notifies:    true,
		announces:   true,
		patient:     true,
		keepsLedger: true,
		member:      []grant{status},
	},
	"AskAgain": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member:      []grant{{actions: []string{"ec2:CreateTags"}, resources: []string{attachments}, when: only("drawbridge:reason")}},
	},
	"RefusePeering": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member: []grant{status,
			{actions: []string{"ec2:RejectVpcPeeringConnection"}, resources: []string{peerings}}},
	},
	"ReportConflict": {
		keepsLedger: true,
		member:      []grant{status, {actions: []string{"ec2:DescribeVpcs"}}},
	},
	"ReportUnreadable": {
		notifies:    true,
		keepsLedger: true,
		member:      []grant{status, {actions: []string{"ec2:CreateTags"}, resources: []string{attachments}, when: only("drawbridge:pairs")}},
	},
	"AllowDnsResolution": {
		keepsLedger: true,
		member:      []grant{{actions: []string{"ec2:ModifyVpcPeeringConnectionOptions"}, resources: []string{peerings}}},
	},
	"RestoreDnsResolution": {
		keepsLedger: true,
		member:      []grant{{actions: []string{"ec2:ModifyVpcPeeringConnectionOptions"}, resources: []string{peerings}}},
	},
	"AddRoutes": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables"}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"ec2:CreateRoute", "ec2:ReplaceRoute"}, resources: []string{arn("ec2", "route-table/*")}},
		},
	},
	"OpenFirewall": {
		keepsLedger: true,
		member: []grant{
			// Interfaces say what else has the group that would be opened.
			{actions: []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"}},
			{actions: authorize, resources: []string{arn("ec2", "security-group/*")}},
			// A rule without the tag that says for which connection it is cannot be added.
			{actions: authorize, resources: []string{rules},
				when: and(only("drawbridge:connection", "drawbridge:peer"), "StringLike", "aws:RequestTag/drawbridge:connection", "pcx-*", "tgw-*")},
			{actions: []string{"ec2:CreateTags"}, resources: []string{rules},
				when: and(only("drawbridge:connection", "drawbridge:peer"), "StringEquals", "ec2:CreateAction",
					"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")},
		},
	},
	"InjectRoutes": {
		readsParam:  true,
		keepsLedger: true,
		announces:   true,
		member: []grant{
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags", "sagemaker:UpdateNotebookInstance"},
				resources: []string{notebooks}},
			{actions: []string{
				"sagemaker:DescribeNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			}, resources: []string{lifecycles}},
			{actions: []string{"sagemaker:CreateNotebookInstanceLifecycleConfig"}, resources: []string{ownLifecycles}},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{notebooks}, when: only("drawbridge:reason", "drawbridge:since", "drawbridge:status")},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{ownLifecycles}, when: only("drawbridge:subnet")},
		},
	},
	"CloseFirewall": {
		keepsLedger: true,
		takes:       true,
		member: []grant{
			{actions: []string{"ec2:DescribeSecurityGroupRules"}},
			// IAM knows no rule here, only its group.
			{actions: []string{"ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"},
				resources: []string{arn("ec2", "security-group/*")}},
		},
	},
	"RemoveRoutes": {
		keepsLedger: true,
		takes:       true,
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables"}},
			// What another connection needs is led to its gateway, and a blackhole put back.
			{actions: []string{"ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"}, resources: []string{arn("ec2", "route-table/*")}},
		},
	},
	"WithdrawRoutes": {
		keepsLedger: true,
		takes:       true,
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables", "sagemaker:ListNotebookInstances"}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags", "sagemaker:UpdateNotebookInstance"},
				resources: []string{notebooks}},
			{actions: []string{
				"sagemaker:DescribeNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			}, resources: []string{lifecycles}},
			{actions: []string{"sagemaker:DeleteNotebookInstanceLifecycleConfig"}, resources: []string{ownLifecycles}},
			{actions: []string{"sagemaker:DeleteTags"}, resources: []string{notebooks}, when: only("drawbridge:reason", "drawbridge:since", "drawbridge:status")},
		},
	},
	"ConcludeRemoval": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:DeleteTags"}, resources: []string{peerings}, when: only(statusKeys...)},
			{actions: []string{"ec2:CreateTags", "ec2:DeleteTags"}, resources: []string{attachments}, when: only("drawbridge:pairs")},
		},
	},
	"VerifyConnection": {
		notifies:    true,
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{ // both VPCs and what carries the connection, into the model
				"ec2:DescribeDhcpOptions", "ec2:DescribeNetworkAcls", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
				"ec2:DescribeTransitGatewayAttachments", "ec2:DescribeTransitGateways", "ec2:DescribeTransitGatewayVpcAttachments",
				"ec2:DescribeVpcPeeringConnections",
			}},
			{actions: []string{"ec2:DescribeVpcAttribute"}, resources: []string{vpcs}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"ec2:SearchTransitGatewayRoutes"}, resources: []string{arn("ec2", "transit-gateway-route-table/*")}},
			status,
			{actions: []string{"ec2:CreateTags"}, resources: []string{attachments}, when: only("drawbridge:pairs")},
		},
	},
}
