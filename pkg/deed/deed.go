// Package deed is what people do by the command: each deed is one or a few calls of AWS that they could make themselves, under their own rights.
//
// Drawbridge asks nobody's leave by an API of its own: owners speak by tags of their things, operators by the hub's parameter and machines. So a deed is
// the call and the words of the AWS CLI that make the same call, which are shown before it is made, and which answers name as the way to end something.
//
//	deed.go    the words
//	call.go    the calls, and how the AWS CLI says them
//	plan.go    thinks: which calls a deed is (pure)
//	read.go    reads a thing's tags, and whether there is such a thing
//	do.go      asks, and makes the calls
//	policy.go  tries a policy before it is put in force
package deed

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Thing is what has a tag.
type Thing struct {
	Kind            tag.Kind
	ID              string // as EC2 calls it; of RDS, Redshift and Redshift Serverless the ARN
	Account, Region string
}

// Call is one call of AWS.
type Call struct {
	Account string   `json:"account" jsonschema:"whose rights it takes"`
	Region  string   `json:"region"`
	Command []string `json:"command" jsonschema:"the same call, as the AWS CLI makes it"`

	do func(context.Context, aws.Config) (said string, err error)
}

// Deed is what somebody is about to do.
type Deed struct {
	Title string // "Approve pcx-1"
	// Says are sentences: what will come of it.
	Says  []string
	Calls []Call // in their order; none: there is nothing to do, and Says has why
	// Already says that there is nothing to do because it is so already, not because it cannot be.
	Already bool
}
