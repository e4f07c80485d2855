// Package connection is what every kind of connection ends with: the verdict and the status tags of one that is set up,
// and their removal for one that is over.
//
// It knows the carriers of the tags, not what kind of connection they are of. A carrier that is the connection itself, as
// a peering is in each account, has a status, a reason and its destinations. A carrier that many connections share, as an
// attachment to a transit gateway is, has one tag for each peer, because each is written and removed by itself.
//
//	connection.go   the words
//	plan.go         thinks: which tags to write, and what they say (pure)
//	apply.go        verifies, concludes, tags
package connection

// The tags by which Drawbridge speaks to people, on the carrier of a connection.
const (
	TagStatus = "drawbridge:status"
	TagReason = "drawbridge:reason"
	// TagDestinations says, on each side, what its route tables reach through the connection by Drawbridge's routes: CIDRs
	// with spaces between. It outlives the peer's VPC, so that removal knows which routes are Drawbridge's.
	TagDestinations = "drawbridge:destinations"
	// TagPeer, with the id of a VPC behind it, says on a carrier that several connections share what the one with that VPC
	// came to, the VPC's account, and its destinations.
	TagPeer = "drawbridge:peer:"
)
