package event

import (
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// Touch is a call by which somebody may undo, or change, what Drawbridge did, or make it themselves: of what the ledger has of the resource that it names.
type Touch struct {
	Service string // the event's source, without "aws."
	Call    string
	// Resource leads to the id or name under which the ledger files items; a call may name several.
	Resource []string
	// Keys lead to what the call names within the resource; Word is a word of the item's key that the call stands for. Neither: it may
	// be any item of the resource.
	Keys [][]string
	Word string
	// Machine hears the call itself, and looks; empty: drawbridge-change asks for a look at each connection that needs an item.
	Machine string
}

var (
	destinations = [][]string{{"destinationCidrBlock"}, {"destinationIpv6CidrBlock"}}
	roleName     = []string{"roleName"}
	policyARN    = []string{"policyArn"}
	attachmentID = []string{"transitGatewayAttachmentId"}
)

// Touches are all there are.
var Touches = []Touch{
	{"ec2", "CreateRoute", []string{"routeTableId"}, destinations, "", ""},
	{"ec2", "ReplaceRoute", []string{"routeTableId"}, destinations, "", ""},
	{"ec2", "DeleteRoute", []string{"routeTableId"}, destinations, "", ""},
	{"ec2", "AuthorizeSecurityGroupIngress", []string{"groupId"}, nil, "ingress", ""},
	{"ec2", "AuthorizeSecurityGroupEgress", []string{"groupId"}, nil, "egress", ""},
	{"ec2", "RevokeSecurityGroupIngress", []string{"groupId"}, nil, "ingress", ""},
	{"ec2", "RevokeSecurityGroupEgress", []string{"groupId"}, nil, "egress", ""},
	{"ec2", "ModifySecurityGroupRules", []string{"groupId"}, nil, "", ""},
	{"ec2", "DeleteSecurityGroup", []string{"groupId"}, nil, "", ""},
	{"ec2", "ModifyVpcPeeringConnectionOptions", []string{"vpcPeeringConnectionId"}, nil, "", "peering"},
	{"ec2", "DeleteVpcEndpoints", []string{"vpcEndpointId"}, nil, "", ""},
	{"ec2", "ModifyVpcEndpoint", []string{"vpcEndpointId"}, nil, "", ""},
	{"ec2", "DisassociateTransitGatewayRouteTable", attachmentID, nil, "", "attachment"},
	{"ec2", "DisableTransitGatewayRouteTablePropagation", attachmentID, nil, "", "attachment"},
	{"sagemaker", "UpdateNotebookInstance", []string{"notebookInstanceName"}, nil, "", ""},
	{"sagemaker", "UpdateNotebookInstanceLifecycleConfig", []string{"notebookInstanceLifecycleConfigName"}, nil, "", ""},
	{"sagemaker", "DeleteNotebookInstanceLifecycleConfig", []string{"notebookInstanceLifecycleConfigName"}, nil, "", ""},
	{"sagemaker", "UpdateDomain", []string{"domainId"}, nil, "", "studio"},
	{"rds", "EnableHttpEndpoint", []string{"resourceArn"}, nil, "", ""},
	{"rds", "DisableHttpEndpoint", []string{"resourceArn"}, nil, "", ""},
	{"kms", "RevokeGrant", []string{"keyId"}, nil, "", ""},
	{"kms", "RetireGrant", []string{"keyId"}, nil, "", ""},
	{"iam", "PutRolePolicy", roleName, nil, "", ""},
	{"iam", "DeleteRolePolicy", roleName, nil, "", ""},
	{"iam", "AttachRolePolicy", roleName, nil, "", ""},
	{"iam", "DetachRolePolicy", roleName, nil, "", ""},
	{"iam", "UpdateAssumeRolePolicy", roleName, nil, "", ""},
	{"iam", "DeleteRole", roleName, nil, "", ""},
	{"iam", "PutRolePermissionsBoundary", roleName, nil, "", ""},
	{"iam", "DeleteRolePermissionsBoundary", roleName, nil, "", ""},
	{"iam", "CreatePolicyVersion", policyARN, nil, "", ""},
	{"iam", "SetDefaultPolicyVersion", policyARN, nil, "", ""},
	{"iam", "DeletePolicy", policyARN, nil, "", ""},
}

// TouchCalls returns the names of the calls of these services that are touches, sorted.
func TouchCalls(services ...string) []string {
	var out []string
	for _, t := range Touches {
		if slices.Contains(services, t.Service) {
			out = append(out, t.Call)
		}
	}
	slices.Sort(out)
	return out
}

// FindTouch returns the touch that a call of a service is.
func FindTouch(service, call string) (Touch, bool) {
	n := slices.IndexFunc(Touches, func(t Touch) bool { return t.Service == service && t.Call == call })
	if n < 0 {
		return Touch{}, false
	}
	return Touches[n], true
}

// Touched is a resource at which somebody's hand was.
type Touched struct {
	Resource string
	Keys     []string // what of it; none: anything
	Global   bool     // it is of a service without Regions
	Looks    bool     // another machine looks already
	Gone     bool     // it is a security group that was deleted, with all that was in it
	Made     []Made   // what the call made of it
	Begins   bool     // the call only makes
	Frees    bool     // it is a route table in which a route went, or leads elsewhere
}

// mostTouched bounds how many resources one record may name. DeleteVpcEndpoints takes 25.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpcEndpoints.html
const mostTouched = 25

// touched returns what a record says somebody's hand was at. Names are only asked for in the ledger, never of AWS.
func (t Touch) touched(at Place, r record) ([]Touched, error) {
	names := r.request.texts(t.Resource...)
	if len(names) == 0 && t.Call == "DeleteVpcEndpoints" { // as older records have it
		names = r.request.texts("vpcEndpointIds")
	}
	if len(names) == 0 && t.Call == "RetireGrant" { // whose record has no parameters: https://docs.aws.amazon.com/kms/latest/developerguide/ct-retire-grant.html
		names = r.resources.texts("aRN")
	}
	if len(names) == 0 && t.Service == "ec2" && strings.Contains(t.Call, "SecurityGroup") && r.request.one("groupName") != "" {
		return nil, nil // of the default VPC, by name: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
	}
	if len(names) == 0 {
		return nil, invalid("%s names nothing: there is nothing at %s", clip(r.call), strings.Join(t.Resource, "."))
	}
	var keys []string
	for _, path := range t.Keys {
		keys = append(keys, r.request.texts(path...)...)
	}
	if t.Word != "" {
		keys = append(keys, t.Word)
	}
	var out []Touched
	for _, name := range names[:min(len(names), mostTouched)] {
		form := name
		if _, id, ok := arn.Match(name, "iam", "policy/"); ok {
			form = id[strings.LastIndexByte(id, '/')+1:]
		}
		if t.Service == "kms" { // a key is named by its id or its ARN, and filed by the ARN
			if _, id, ok := arn.Match(name, "kms", "key/"); ok {
				form = id
			}
			name = arn.New(arn.Partition(at.Region), "kms", at.Region, at.Account, "key/"+form)
		}
		if len(name) > 300 || strings.ContainsAny(form, "#/ \n") {
			return nil, invalid("%s names %q", clip(r.call), clip(name))
		}
		begun := slices.Contains(begins, t.Call)
		out = append(out, Touched{Resource: name, Keys: keys, Global: t.Service == "iam", Looks: t.Machine != "", Gone: t.Call == "DeleteSecurityGroup",
			Made: made(t.Call, r), Begins: begun, Frees: len(t.Keys) > 0 && !begun})
	}
	return out, nil
}

// Hand is somebody who changed a thing, as a record says it.
type Hand struct {
	Who  string // the ARN of the identity, or what the record has in its place
	Tool string // by which they did: one of those below, or the first word of the user agent
}

// The tools that hands are known by.
const (
	Terraform      = "terraform"
	CloudFormation = "cloudformation"
	Console        = "console"
	CLI            = "cli"
)

// ownRoles is what the names of Drawbridge's roles in members begin with.
const ownRoles = "drawbridge-member-"

// identity is the part of a record that says who made the call, and by what.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type identity struct {
	UserIdentity struct {
		Type        string `json:"type"`
		PrincipalID text   `json:"principalId"`
		ARN         string `json:"arn"`
		InvokedBy   string `json:"invokedBy"`
		Session     struct {
			Issuer struct {
				UserName string `json:"userName"`
			} `json:"sessionIssuer"`
		} `json:"sessionContext"`
	} `json:"userIdentity"`
	SourceIPAddress string `json:"sourceIPAddress"`
	UserAgent       string `json:"userAgent"`
	FromConsole     text   `json:"sessionCredentialFromConsole"`
	EventTime       string `json:"eventTime"`
	EventID         string `json:"eventID"`
}

// own reports whether Drawbridge itself made the call.
func (i identity) own() bool {
	return strings.HasPrefix(i.UserIdentity.Session.Issuer.UserName, ownRoles)
}

// hand says whose hand it was.
func (i identity) hand() Hand {
	who := i.UserIdentity.ARN
	for _, other := range []string{i.UserIdentity.InvokedBy, string(i.UserIdentity.PrincipalID), i.UserIdentity.Type} {
		if who == "" {
			who = other
		}
	}
	return Hand{Who: plain(who, 300), Tool: i.tool()}
}

// tool says by what the call was made:
//
//	CloudFormation calls for its user                              → cloudformation
//	the user agent names Terraform, or its provider                → terraform
//	the credentials are of a session of the console, or it says so → console
//	the user agent names the CLI                                   → cli
//	else                                                           → the user agent's first word
//
// Pulumi calls with Terraform's provider, and says so first.
func (i identity) tool() string {
	agent := i.UserAgent
	service := func(name string) bool { return strings.HasPrefix(name, arn.ServicePrincipal("cloudformation")) }
	first, _, _ := strings.Cut(agent, " ")
	switch {
	case service(i.UserIdentity.InvokedBy), service(i.SourceIPAddress), service(agent):
		return CloudFormation
	case strings.Contains(agent, "Pulumi"):
		return "pulumi"
	case strings.Contains(agent, "terraform-provider-aws"), strings.Contains(agent, "Terraform/"), strings.Contains(agent, "OpenTofu/"):
		return Terraform
	case i.FromConsole == "true", strings.HasPrefix(agent, "console."), strings.HasPrefix(agent, "signin."), strings.HasPrefix(agent, "Mozilla/"), strings.Contains(agent, "AWSConsole"):
		return Console
	case strings.Contains(agent, "aws-cli/"):
		return CLI
	}
	return plain(first, 60)
}

// plain is text that strangers wrote, without what could be mistaken for more than a word, and no longer than most characters.
func plain(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune("`\\\"'<>|$", r) {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}

// when is the time of the call; that of the event's arrival, if the record does not say.
func (i identity) when(arrived time.Time) time.Time {
	if at, err := time.Parse(time.RFC3339, i.EventTime); err == nil {
		return at.UTC()
	}
	return arrived.UTC()
}
