package main

// shareSteps are the states of the Share machine.
var shareSteps = map[string]step{
	"InspectShare": {
		readsParam:  true,
		asksOrg:     true,
		keeps:       true,
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{"ec2:DescribeTransitGateways", "ec2:DescribeTransitGatewayAttachments", "ec2:DescribeVpcs"}},
			// IAM knows no resource for these reads.
			{actions: []string{"ram:GetResourceShares", "ram:GetResourceShareAssociations", "ram:GetResourceShareInvitations"}},
		},
	},
	"AcceptShare": {
		keepsLedger: true,
		// An invitation belongs to the account that shares.
		member: []grant{{actions: []string{"ram:AcceptResourceShareInvitation"},
			resources: []string{"arn:${AWS::Partition}:ram:*:*:resource-share-invitation/*"}}},
	},
}
