// Package export writes what Drawbridge added for a connection as code, for owners who want to keep it themselves from then on.
//
// A connection that has become part of a network belongs to where the network is described. So each thing that the ledger has becomes a resource of
// Terraform's or CloudFormation's, with what imports it: taking over changes nothing. What is only a part of somebody's thing (a line of a script, a
// setting) cannot be a resource, and is said by name, with what to do instead. The code needs nothing of Drawbridge's.
//
//	export.go          the words, which are the answer's fields
//	plan.go            thinks: which item becomes which resource, and which none (pure)
//	resource.go        thinks: what a resource of each kind says, for both tools (pure)
//	terraform.go       the resources as Terraform's code (pure)
//	cloudformation.go  the resources as templates of CloudFormation, one for each stack (pure)
//	read.go            reads what stands in the members
//	text.go            the code for people, and into files
//
// docs/decisions/0116-code-takes-over.md has the reasons.
package export

import (
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// The tools that code is written for.
const (
	Terraform      = "terraform"
	CloudFormation = "cloudformation"
)

// Export is the answer of drawbridge export.
type Export struct {
	answer.Head
	Hub  board.Hub `json:"hub"`
	Tool string    `json:"tool" jsonschema:"terraform or cloudformation"`
	IDs  []string  `json:"ids" jsonschema:"the entries of the ledger whose things these are"`
	At   time.Time `json:"at" jsonschema:"when the ledger was read"`
	// Resources are what the code owns, by account, Region, type and name.
	Resources []Resource `json:"resources"`
	Files     []File     `json:"files" jsonschema:"the code"`
	Left      []Left     `json:"left" jsonschema:"what the code does not own"`
}

// Resource is one resource of the code.
type Resource struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Type    string `json:"type" jsonschema:"as the tool calls it"`
	Name    string `json:"name" jsonschema:"in the code"`
	Import  string `json:"import" jsonschema:"the id by which the tool imports it; of CloudFormation the identifier's values, with | between"`
}

// File is one file of code.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Left is a thing of the ledger's that the code does not own.
type Left struct {
	Account  string      `json:"account"`
	Region   string      `json:"region"`
	Kind     ledger.Kind `json:"kind"`
	Resource string      `json:"resource"`
	Key      string      `json:"key,omitempty"`
	Why      string      `json:"why"`
	Do       string      `json:"do"`
	// Lacks says that the code is not whole without it: it could not be read, or is not there, or Drawbridge is about to change it.
	Lacks bool `json:"lacks" jsonschema:"whether the code should have it: it could not be read, is not there, or is about to be changed"`
}

// Whole reports whether the code owns all that code can own.
func (e Export) Whole() bool {
	for _, l := range e.Left {
		if l.Lacks {
			return false
		}
	}
	return true
}

// Question is what code is asked for.
type Question struct {
	Tool string
	IDs  []string
	Only []string // accounts whose things are wanted; none: all
}

// Fact is what stands of one item in its member. The zero value: it is there, and its item says all of it.
type Fact struct {
	Gone   bool   // it is not there, or is another's by now
	Unread string // why it could not be read; empty: it was

	Rule       *Rule
	Attachment *Attachment
	Endpoint   *Endpoint
	Group      *Group
	Role       *Role
	Policy     *Policy
	Grants     []Grant
}

// Facts are what stands, by item; see [Facts.Of].
type Facts map[string]Fact

// Of returns what stands of an item.
func (f Facts) Of(i ledger.Item) Fact { return f[factKey(i)] }

func (f Facts) set(i ledger.Item, fact Fact) { f[factKey(i)] = fact }

func factKey(i ledger.Item) string {
	return i.Place() + " " + i.Resource + " " + string(i.Kind) + " " + i.Key
}

// Rule is a rule of a security group, as AWS holds it.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
type Rule struct {
	ID, Group          string
	Egress             bool
	Protocol           string
	From, To           int
	CIDR4, CIDR6, List string
	Other, OtherOwner  string // the group that it refers to, and whose that is
	Description        string
	Tags               map[string]string
}

// Attachment is an attachment of a VPC to a transit gateway.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TransitGatewayVpcAttachment.html
type Attachment struct {
	ID, VPC, Gateway            string
	Subnets                     []string
	DNS, IPv6, Appliance, Refer string // enable or disable; Refer: of groups by reference
	// Associated and Propagated say whether it is in the table that its gateway has for all. Of a gateway of another account nobody sees that here, and
	// Terraform takes it to be so.
	Associated, Propagated bool
	Tags                   map[string]string
}

// Endpoint is an interface endpoint. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
type Endpoint struct {
	ID, Service, VPC string
	Subnets, Groups  []string
	PrivateDNS       bool
	Policy           string // JSON
	Tags             map[string]string
}

// Group is a security group.
type Group struct {
	ID, Name, Description, VPC string
	Tags                       map[string]string
}

// Role is a role of IAM. https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
type Role struct {
	Name, Path, Description, Boundary string
	Trust                             string // JSON
	Session                           int    // seconds
	Tags                              map[string]string
}

// Policy is a policy of IAM: an inline one of a role, or a managed one with an ARN.
type Policy struct {
	ARN, Name, Path, Description string
	Text                         string // JSON
	Tags                         map[string]string
}

// Grant is a grant of a key. https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html
type Grant struct {
	ID, Name, Grantee, Retiring string
	Operations                  []string
	Equals, Subset              map[string]string // the encryption context
}
