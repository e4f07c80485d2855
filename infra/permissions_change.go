package main

// changeSteps are the states of the Change machine.
var changeSteps = map[string]step{
	"FindConnections": {
		announces: true,
		keeps:     true,
		member: []grant{{actions: []string{
			"ec2:DescribeVpcPeeringConnections", "ec2:DescribeTransitGatewayVpcAttachments", "ec2:DescribeRouteTables", "ec2:DescribeVpcs",
			"sagemaker:ListNotebookInstances"}}},
	},
}
