package event

import "github.com/drawbridge-cloud/drawbridge/pkg/arn"

// IsAccount reports whether text has the form of an account's id. What has not, in a tag for example, is nobody's.
func IsAccount(text string) bool { return accountForm.MatchString(text) }

// IsGateway reports whether text has the form of a transit gateway's id. An event that names anything else is not read.
func IsGateway(text string) bool { return gatewayForm.MatchString(text) }

// IsVPC reports whether v has the form of a VPC, an account and a Region. An event that names anything else is not read.
func (v VPCPlace) IsVPC() bool {
	return IsAccount(v.Account) && arn.IsRegion(v.Region) && vpcForm.MatchString(v.VPC)
}
