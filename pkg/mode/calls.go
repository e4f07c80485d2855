package mode

import "regexp"

// effect is what a call does to a member.
type effect int

const (
	takes effect = iota // takes something away, or may; also every call that is not in the table
	adds
	says // writes or removes a tag of Drawbridge's own, which people read and nothing is decided by
	reads
)

// onlyReads are the calls that change nothing, by the beginning of their names.
var onlyReads = regexp.MustCompile(`^[a-z0-9-]+:(Describe|Get|List|Search)[A-Z]`)

// calls is what each call does that changes something in a member, as IAM names it. infra's tests hold it to the permissions of
// all roles in members: one that is missing there or superfluous here fails them.
//
// A call that replaces a document or a list adds or takes away by what is in it. It stands here as adding; a function that only
// takes away says so (infra: takes), and the inspection says what would go before that.
var calls = map[string]effect{
	"ec2:AcceptTransitGatewayVpcAttachment":           adds,
	"ec2:AcceptVpcPeeringConnection":                  adds,
	"ec2:AssociateTransitGatewayRouteTable":           adds,
	"ec2:AuthorizeSecurityGroupEgress":                adds,
	"ec2:AuthorizeSecurityGroupIngress":               adds,
	"ec2:CreateRoute":                                 adds,
	"ec2:CreateSecurityGroup":                         adds,
	"ec2:CreateTags":                                  says,
	"ec2:CreateTransitGatewayVpcAttachment":           adds,
	"ec2:CreateVpcEndpoint":                           adds,
	"ec2:DeleteRoute":                                 takes,
	"ec2:DeleteSecurityGroup":                         takes,
	"ec2:DeleteTags":                                  says,
	"ec2:DeleteTransitGatewayVpcAttachment":           takes,
	"ec2:DeleteVpcEndpoints":                          takes,
	"ec2:DisableTransitGatewayRouteTablePropagation":  takes,
	"ec2:DisassociateTransitGatewayRouteTable":        takes,
	"ec2:EnableTransitGatewayRouteTablePropagation":   adds,
	"ec2:ModifyTransitGatewayVpcAttachment":           adds,
	"ec2:ModifyVpcEndpoint":                           adds,
	"ec2:ModifyVpcPeeringConnectionOptions":           adds,
	"ec2:RejectTransitGatewayVpcAttachment":           takes,
	"ec2:RejectVpcPeeringConnection":                  takes,
	"ec2:ReplaceRoute":                                adds, // only what is dead, or leads nowhere any more
	"ec2:RevokeSecurityGroupEgress":                   takes,
	"ec2:RevokeSecurityGroupIngress":                  takes,
	"iam:AttachRolePolicy":                            adds,
	"iam:CreatePolicy":                                adds,
	"iam:CreatePolicyVersion":                         adds,
	"iam:CreateRole":                                  adds,
	"iam:CreateServiceLinkedRole":                     adds,
	"iam:DeletePolicy":                                takes,
	"iam:DeletePolicyVersion":                         adds, // the oldest of Drawbridge's own policy, to make room for the next
	"iam:DeleteRole":                                  takes,
	"iam:DeleteRolePolicy":                            takes,
	"iam:DetachRolePolicy":                            takes,
	"iam:PutRolePolicy":                               adds,
	"iam:TagPolicy":                                   says,
	"iam:TagRole":                                     says,
	"iam:UntagRole":                                   says,
	"iam:UpdateAssumeRolePolicy":                      adds,
	"kms:CreateGrant":                                 adds,
	"ram:AcceptResourceShareInvitation":               adds,
	"redshift-serverless:TagResource":                 says,
	"redshift-serverless:UntagResource":               says,
	"rds:AddTagsToResource":                           says,
	"rds:DisableHttpEndpoint":                         takes,
	"rds:EnableHttpEndpoint":                          adds,
	"rds:RemoveTagsFromResource":                      says,
	"redshift:CreateTags":                             says,
	"redshift:DeleteTags":                             says,
	"route53:AssociateVPCWithHostedZone":              adds, // AWS asks for it with an endpoint
	"sagemaker:AddTags":                               says,
	"sagemaker:CreateNotebookInstanceLifecycleConfig": adds,
	"sagemaker:DeleteNotebookInstanceLifecycleConfig": takes,
	"sagemaker:DeleteTags":                            says,
	"sagemaker:StartNotebookInstance":                 adds,
	"sagemaker:StopNotebookInstance":                  adds, // it is started again
	"sagemaker:UpdateDomain":                          adds,
	"sagemaker:UpdateNotebookInstance":                adds,
	"sagemaker:UpdateNotebookInstanceLifecycleConfig": adds,
}

// effectOf returns what a call does. One that nobody knows takes away.
func effectOf(name string) effect {
	if onlyReads.MatchString(name) {
		return reads
	}
	return calls[name]
}

// Calls returns the names of all calls of the table that change something.
func Calls() []string {
	var names []string
	for name := range calls {
		names = append(names, name)
	}
	return names
}

// Adds reports whether a call, as IAM names it, adds something; Says whether it only writes or removes a tag that people read. What is neither, and
// does not read, takes away.
func Adds(name string) bool { return effectOf(name) == adds }

// Says is described at [Adds].
func Says(name string) bool { return effectOf(name) == says }

// Reads reports whether a call, as IAM names it, changes nothing.
func Reads(name string) bool { return effectOf(name) == reads }
