package main

// sweepSteps are the states of the Sweep machine.
var sweepSteps = map[string]step{
	"ListAccounts": {listsOrg: true},
	"TallySweep":   {announces: true, notifies: true},
	"SweepAccount": {
		announces: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeVpcPeeringConnections",                                                 // peerings
				"ec2:DescribeRouteTables", "ec2:DescribeSubnets", "sagemaker:ListNotebookInstances", // notebooks
			}},
			{actions: []string{"sagemaker:DescribeNotebookInstance"}, resources: []string{notebooks}},
			{actions: []string{"sagemaker:DescribeNotebookInstanceLifecycleConfig"}, resources: []string{lifecycles}},
		},
	},
}
