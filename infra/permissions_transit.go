package main

// transitSteps are the states that only the Transit machine has; it shares the others with the Peering machine.
var transitSteps = map[string]step{
	"InspectTransit": {
		brakes:      true,
		readsParam:  true,
		asksOrg:     true,
		namesUnits:  true,
		keeps:       true,
		keepsLedger: true,
		leases:      "transit",
		member: append(databases(append([]string{
			"ec2:DescribeTransitGatewayVpcAttachments", "ec2:DescribeTransitGateways", "ec2:DescribeTransitGatewayAttachments",
			"ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:DescribeRouteTables", "ec2:DescribeSubnets",
		}, listClients...)...),
			grant{actions: []string{"ec2:SearchTransitGatewayRoutes"}, resources: []string{arn("ec2", "transit-gateway-route-table/*")}},
			clients, grant{actions: []string{"sagemaker:ListTags"}, resources: []string{notebooks}},
		),
	},
	"RefuseTransit": {
		announces:   true,
		readsLedger: true,
		member: []grant{
			{actions: []string{"ec2:CreateTags", "ec2:DeleteTags"}, resources: []string{attachments}, when: only("drawbridge:pairs")},
		},
	},
}
