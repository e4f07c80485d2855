package main

// sweepSteps are the states of the Sweep machine, and of the Rebuild machine.
var sweepSteps = map[string]step{
	"ListAccounts": {listsOrg: true, readsParam: true},
	"TallySweep":   {announces: true, notifies: true, keepsLedger: true},
	"SweepAccount": {
		announces:   true,
		keepsLedger: true,
		asksOrg:     true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections",                                                 // peerings
				"ec2:DescribeRouteTables", "ec2:DescribeSubnets", "sagemaker:ListNotebookInstances", // notebooks
				"ec2:DescribeTransitGatewayAttachments", "ec2:DescribeVpcs", // attachments
				"ec2:DescribeTransitGatewayVpcAttachments", // pairs
				"redshift:DescribeClusters",                // clusters
				"ram:GetResourceShareInvitations",          // shares
				"events:ListRules",                         // whether events reach the hub
			}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags"}, resources: []string{notebooks}},
			{actions: []string{"sagemaker:DescribeNotebookInstanceLifecycleConfig"}, resources: []string{lifecycles}},
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}},
		},
	},
	"TallyRebuild": {announces: true, notifies: true, readsLedger: true},
	"RebuildAccount": {
		keepsLedger: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections", "ec2:DescribeTransitGatewayAttachments", "ec2:DescribeSecurityGroupRules", // what carries marks
				"ec2:DescribeVpcEndpoints", "ec2:DescribeSecurityGroups", // the same
				"iam:GetAccountAuthorizationDetails",                                                           // who may open notebooks
				"ram:GetResourceShareInvitations", "ram:GetResourceShares", "ram:GetResourceShareAssociations", // shares that were accepted
				"ec2:DescribeTransitGateways",
				"ec2:DescribeRouteTables", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:GetTransitGatewayAttachmentPropagations",
				"redshift:DescribeClusters", "sagemaker:ListDomains", "sagemaker:ListNotebookInstances", "sagemaker:ListUserProfiles",
			}},
			{actions: []string{"sagemaker:DescribeNotebookInstance"}, resources: []string{notebooks}},
			{actions: []string{"sagemaker:DescribeNotebookInstanceLifecycleConfig"}, resources: []string{lifecycles}},
			{actions: []string{"rds:DescribeDBClusters"}, resources: []string{clusters}},
			{actions: []string{"sagemaker:DescribeDomain", "sagemaker:ListTags"}, resources: []string{domains}},
			{actions: []string{"sagemaker:DescribeUserProfile"}, resources: []string{arn("sagemaker", "user-profile/*")}},
			// The roles that Drawbridge made, and the execution roles of Studio, whatever their path: who let it in is told by the mark on each.
			{actions: []string{"iam:GetRole", "iam:GetRolePolicy"}, resources: []string{anyRole}},
		},
	},
}
