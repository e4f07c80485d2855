package main

// notebookSteps are the states that only the Notebook machine has.
var notebookSteps = map[string]step{
	"InspectNotebooks": {
		readsParam:  true,
		asksOrg:     true,
		keeps:       true,
		keepsLedger: true,
		announces:   true,
		leases:      "notebook",
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
	"AttachRoutes": {
		keepsLedger: true,
		announces:   true,
		member: []grant{
			{actions: []string{"ec2:DescribeRouteTables", "sagemaker:ListNotebookInstances"}},
			{actions: []string{"ec2:GetManagedPrefixListEntries"}, resources: []string{prefixLists}},
			{actions: []string{"sagemaker:DescribeNotebookInstance", "sagemaker:UpdateNotebookInstance"},
				resources: []string{notebooks}},
			{actions: []string{
				"sagemaker:DescribeNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstanceLifecycleConfig",
			}, resources: []string{lifecycles}},
			{actions: []string{"sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:DeleteNotebookInstanceLifecycleConfig"},
				resources: []string{ownLifecycles}},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{notebooks}, when: only("drawbridge:reason", "drawbridge:since", "drawbridge:status")},
			{actions: []string{"sagemaker:AddTags"}, resources: []string{ownLifecycles}, when: only("drawbridge:subnet")},
		},
	},
	"StopNotebook": {
		keepsLedger: true,
		member:      []grant{{actions: []string{"sagemaker:StopNotebookInstance"}, resources: []string{notebooks}}},
	},
	"StartNotebook": {
		member: []grant{{actions: []string{"sagemaker:StartNotebookInstance"}, resources: []string{notebooks}}},
	},
}
