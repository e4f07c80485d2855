// Package studio lets the people of a SageMaker Studio domain query a Redshift cluster of another account, each as the
// database user of their own name.
//
// The producer has a role that may ask for credentials of exactly one database user: the one whose name is the source
// identity of the session. The execution roles of the consumer's domain may assume that role and pass the source identity
// on, and the domain makes the user profile's name the source identity of everything that an app does. So nobody can be
// another user, and CloudTrail shows on both sides who it was.
// https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
//
// It all hangs on two tags, one of each owner: drawbridge:studio on the cluster names the consumer accounts, and
// drawbridge:studio=true on an execution role opens that role to Drawbridge. The network between the two is the business
// of the connections (package peering and transit): Studio in VPC only mode needs no host routes.
//
//	studio.go   the words
//	plan.go     thinks: documents, who is admitted, when a domain's setting may change (pure)
//	inspect.go  reads
//	index.go    remembers which clusters named an account
//	apply.go    writes roles and domain settings
package studio

// machine is the state machine that all of this is for.
const machine = "drawbridge-studio"

const (
	// Path is the path of every role that Drawbridge makes in a member account.
	Path = "/drawbridge/"
	// RolePrefix begins the name of every readers' role; see [RoleName].
	RolePrefix = "drawbridge-studio-"
	// Boundary is the permissions boundary, a managed policy under [Path] of the member stack.
	Boundary = "drawbridge-studio-boundary"
	// PolicyName is the inline policy of ours, on the producer's role and on an execution role.
	PolicyName = "drawbridge-studio"
	// Sid is the one statement of ours in the trust policy of an execution role.
	Sid = "DrawbridgeSetSourceIdentity"
	// MarkTag is on everything that we made or added something to; its value is [Mark].
	MarkTag = "drawbridge:connection"
	// Mark is the value of [MarkTag].
	Mark = "studio"
	// IdentityTag is on a domain whose setting ExecutionRoleIdentityConfig Drawbridge changed; its value is what it was.
	IdentityTag = "drawbridge:identity-was"
)

// The values of a domain's setting ExecutionRoleIdentityConfig.
const (
	ByProfile = "USER_PROFILE_NAME"
	Disabled  = "DISABLED"
)
