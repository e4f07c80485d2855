package main

// The machine for the callers of the Data API shares PlaceEndpoints and RemoveEndpoints with the one for private notebooks.
// Its own steps only read.
var dataAPIEndpointSteps = map[string]step{
	"InspectDataApiEndpoint": {
		leases:      "data-api-endpoint",
		brakes:      true,
		readsParam:  true,
		asksOrg:     true,
		keepsLedger: true,
		member:      []grant{{actions: []string{"ec2:DescribeVpcs"}}},
	},
	"VerifyDataApiEndpoint": {
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
				"ec2:DescribeVpcEndpointServices", "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs",
			}},
			{actions: []string{"ec2:DescribeVpcAttribute"}, resources: []string{vpcs}},
		},
	},
}
