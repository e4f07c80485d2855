package main

// notebookSteps are the states that only the Notebook machine has.
var notebookSteps = map[string]step{
	"InspectNotebooks": {
		readsParam:  true,
		asksOrg:     true,
		keeps:       true,
		announces:   true,
		readsLedger: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:DescribeRouteTables", "ec2:DescribeSubnets",
				"sagemaker:ListNotebookInstances",
			}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:ListTags"},
				resources: []string{notebooks}},
		},
	},
	"StopNotebook": {
		member: []grant{{actions: []string{"sagemaker:StopNotebookInstance"}, resources: []string{notebooks}}},
	},
	"StartNotebook": {
		member: []grant{{actions: []string{"sagemaker:StartNotebookInstance"}, resources: []string{notebooks}}},
	},
}
