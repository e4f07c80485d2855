// Package dataapi lets accounts query an Aurora cluster of another account through the RDS Data API: no route leads there,
// a role of the cluster's account does.
//
// Three owners have to agree, each by a tag on what is theirs:
//
//	the cluster   drawbridge:data-api=<accounts> and drawbridge:secret=<secret name>
//	the secret    drawbridge:data-api=<clusters>
//	its key       drawbridge:data-api=<clusters>
//
// So who may tag a cluster, and no more, cannot give away a secret of somebody else's. IAM holds it, too: the role reads the secret, and has it
// decrypted, only while the tags of both name the cluster.
//
// Drawbridge then keeps, in the cluster's account,
//
//	the HTTP endpoint   on
//	the role            /drawbridge/drawbridge-data-api-<cluster>: trusts exactly the consumers, allows exactly this cluster,
//	                    secret and key, and never more than the boundary that the member stack made
//	a grant of the key  for the role and this one secret, if the key's policy does not leave it to IAM who decrypts
//
// The policies of secret and key are never changed. What Drawbridge made or turned on is in the ledger, and only that is
// taken back.
//
//	dataapi.go   the words
//	plan.go      thinks: what is to be done for a cluster, and the documents (pure)
//	key.go       thinks: whether a key's policy leaves it to IAM who decrypts (pure)
//	inspect.go   reads, and asks the policy
//	admit.go     lets the consumers in
//	retract.go   takes back
//	conclude.go  leaves the result
//	removal.go   thinks: what an answer takes away, for the brake (pure)
//	withdraw.go  thinks: whether the role lets in more than the cluster says now (pure)
//	status.go    the tags that say how a cluster stands
//	told.go      tells from what the accounts show what a ledger had that was lost
//	turn.go      under which lease an inspection looks
//
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
package dataapi

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// PolicyName is what the inline policy of such a role is called.
const PolicyName = "data-api"

// RolePrefix begins the name of every role that Drawbridge makes for a cluster; see [RoleName].
const RolePrefix = "drawbridge-data-api-"

const (
	rolePath     = "/drawbridge/"
	boundaryName = "drawbridge-data-api-boundary"
	// retirer is the role, in the cluster's account, that may retire the grants which are made for a cluster's role, and no others:
	// the one of the state RetractDataApi.
	retirer = "drawbridge-member-retract-data-api"
)

// The keys of a cluster's items in the ledger.
const (
	httpEndpoint = "http-endpoint" // of the setting
	purpose      = "data-api"      // of the role
	on, off      = "on", "off"
)

// Facts are what a plan knows of a cluster.
type Facts struct {
	Cluster workflow.Cluster
	Engine  string // RDS's name of it
	Mode    string // RDS's engine mode
	Status  string
	// Endpoint says whether the HTTP endpoint is on.
	Endpoint bool
	Tags     map[string]string // of the cluster
	// Leave says that the policy wants what somebody takes away to be left: it does not allow Restore for one of those that it admits.
	Leave bool
	// Managed says that the ledger has an entry of the cluster.
	Managed bool
	Entry   ledger.Connection
	Role    *Role        // nil: there is none of that name
	Item    *ledger.Item // of the role; nil: the ledger has none
	Rights  *ledger.Item // of what the role may do; nil: the ledger has nothing
	Secret  Secret
	// Consumers are the accounts that the tag names, with the policy's decisions.
	Consumers []workflow.Consumer
}

// Role is what is found under the name of the cluster's role.
type Role struct {
	ID       string // AROA…: one of the same name that is made later has another
	ARN      string
	Path     string
	Boundary string // ARN
	Trust    string // document
}

// Secret is the secret that the cluster's owner named.
type Secret struct {
	Name    string
	ARN     string            // empty: there is none of that name
	Tags    map[string]string // of the secret
	Deleted bool              // it is marked for deletion
	Managed bool              // its key is the one that AWS manages
	Key     Key               // looked at only once the secret is for the cluster
}

// Key is the key that encrypts a secret.
type Key struct {
	ARN     string
	Tags    map[string]string
	Enabled bool
	// Closed says that its policy lets nobody read it by IAM.
	Closed bool
	// ToIAM says that its policy leaves it to IAM who decrypts, Granting that it leaves it to IAM who makes grants.
	ToIAM, Granting bool
}
