// Package dataapi lets accounts query an Aurora cluster of another account through the RDS Data API: no route leads there,
// a role of the cluster's account does.
//
// The owner of the cluster says by tags who may and with which secret: drawbridge:data-api=<accounts> and
// drawbridge:secret=<secret name>. Drawbridge then keeps, in that account,
//
//	the HTTP endpoint   on; if Drawbridge turned it on, the tag drawbridge:http-endpoint says so
//	the role            /drawbridge/drawbridge-data-api-<cluster>: trusts exactly the consumers, allows exactly this cluster,
//	                    secret and key, and never more than the boundary that the member stack made
//	the key's policy    two statements for the role, merged; the secret must be under a customer-managed key
//	the secret's policy one statement for the role, merged
//
// The tags of the role remember which secret and key it was for, so that all of it can be taken back when the owner's tags
// are gone.
//
//	dataapi.go   the words
//	plan.go      thinks: what is to be done for a cluster, and the documents (pure)
//	inspect.go   reads, and asks the policy
//	apply.go     acts
//
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
package dataapi

import "github.com/drawbridge-cloud/drawbridge/pkg/tag"

import "github.com/drawbridge-cloud/drawbridge/pkg/workflow"

// The tags of a cluster besides [tag.DataAPI], all but the first set by Drawbridge.
const (
	TagSecret   = tag.Secret                 // set by the cluster's owner: the secret's name; on the role: its ARN
	TagEndpoint = "drawbridge:http-endpoint" // Drawbridge turned the HTTP endpoint on
	TagStatus   = "drawbridge:status"
	TagReason   = "drawbridge:reason"
)

// The tags of the role, besides [TagSecret].
const (
	TagConnection = "drawbridge:connection" // the ARN of the cluster that it is for
	TagKey        = "drawbridge:key"        // the ARN of the key
)

// RolePrefix begins the name of every role that Drawbridge makes for a cluster; see [RoleName].
const RolePrefix = "drawbridge-data-api-"

const (
	rolePath     = "/drawbridge/"
	policyName   = "data-api" // of the role's inline policy
	boundaryName = "drawbridge-data-api-boundary"
)

// Facts are what a plan knows of a cluster.
type Facts struct {
	Cluster workflow.Cluster
	Engine  string // RDS's name of it
	Mode    string // RDS's engine mode
	Status  string
	Tags    map[string]string // of the cluster
	Role    *Role             // nil: there is none of that name
	Secret  Secret
	// Consumers are the accounts that the tag names, with the policy's decisions.
	Consumers []workflow.Consumer
}

// Role is what is found under the name of the cluster's role.
type Role struct {
	ARN      string
	Path     string
	Boundary string // ARN
	Tags     map[string]string
}

// Secret is the secret that the cluster's owner named.
type Secret struct {
	Name    string
	ARN     string // empty: there is none of that name
	Deleted bool   // it is marked for deletion
	Key     string // ARN of the key; empty: the key that AWS manages
	Managed bool   // by AWS
	Enabled bool   // the key
}
