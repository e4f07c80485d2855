package main

// longest says how many characters the value of each parameter may have. CloudFormation refuses a longer one, so the
// sizes of the policies, environments and names that it ends up in are known; limits_test.go holds them to AWS's limits.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
var longest = map[string]float64{
	"ApprovalPatience":   1,
	"BrakeConnections":   3,
	"BrakePercent":       3,
	"ExternalId":         200, // AWS takes 1,224, and it stands in the trust policy of every role
	"HomeRegion":         32,
	"HubAccount":         12,
	"HubBusArn":          128,
	"InitialMode":        7,
	"LedgerTable":        128, // DynamoDB takes 255
	"ObserveOnly":        5,
	"OrganizationId":     34,
	"PrivateAccessCidrs": 3072, // of a parameter's 4,096: 170 ranges
	"Regions":            1024, // there are about 45 Regions
	"SweepSchedule":      128,  // EventBridge takes 256
}
