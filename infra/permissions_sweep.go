package main

// sweepSteps are the states of the Sweep machine.
var sweepSteps = map[string]step{
	"ListAccounts": {listsOrg: true},
	"SweepAccount": {
		announces: true,
		member:    []grant{{actions: []string{"ec2:DescribeVpcPeeringConnections"}}},
	},
}
