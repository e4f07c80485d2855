package workflow

// A Result is the end state of an execution, as people meet it: as the name of the machine's last state, in the execution's output and in the tag
// drawbridge:status.
type Result string

// The end states of any machine.
const (
	Nothing          Result = "Nothing"
	Announced        Result = "Announced" // a look at each thing that is concerned was asked for
	AwaitingApproval Result = "AwaitingApproval"
	RefusedByPolicy  Result = "Refused"
	Contested        Result = "Contested"  // somebody takes away what Drawbridge adds: it is left to them
	Unreadable       Result = "Unreadable" // something cannot be read now: nothing goes for it, and the next sweep looks again
	Released         Result = "Released"   // its owner took it out of Drawbridge's hands, as it stands
	Removed          Result = "Removed"    // it is over, and what Drawbridge added for it is gone
	Rejected         Result = "Rejected"   // who was asked rejected it
	Expired          Result = "Expired"    // nobody answered in time
)

// The end states of single machines.
const (
	Connected       Result = "Connected"
	PartlyConnected Result = "PartlyConnected" // some of the allowed paths are not whole
	PendingApproval Result = "PendingApproval" // connected as approved; what came later waits for the owner
	Withdrawn       Result = "Withdrawn"       // the requester deleted the request before it was accepted
	Attached        Result = "Attached"        // the VPC is attached to the gateway, associated and propagated
	InSync          Result = "InSync"          // the notebooks' host routes are those of their route tables
	Exposed         Result = "Exposed"         // the consumers may query the cluster
	Retracted       Result = "Retracted"       // what Drawbridge added for the cluster's consumers is gone
	Available       Result = "Available"       // the VPC's clients reach the Data API through an interface endpoint
	Private         Result = "Private"         // an account's notebooks are reached through endpoints
	Identified      Result = "Identified"      // each person of the domains queries the cluster under their own name
	AwaitingApps    Result = "AwaitingApps"    // as soon as the apps of a domain are deleted they will
	Incomplete      Result = "Incomplete"      // some are not served, or something could not be taken back; the verdict names each
	Reported        Result = "Reported"        // what an execution was about that failed, was stopped or took too long says so now
	Swept           Result = "Swept"
	PartlySwept     Result = "PartlySwept" // the sweep could not look through every account
	Rebuilt         Result = "Rebuilt"
	PartlyRebuilt   Result = "PartlyRebuilt" // the rebuild could not look through every account
)

// Results are all of them. Each is the end of some machine, which ends in no other way but those of package mode; docs/runbook.md has an entry for each.
var Results = []Result{
	Nothing, Announced, AwaitingApproval, RefusedByPolicy, Contested, Unreadable, Released, Removed, Rejected, Expired,
	Connected, PartlyConnected, PendingApproval, Withdrawn, Attached, InSync, Exposed, Retracted, Available, Private,
	Identified, AwaitingApps, Incomplete, Reported, Swept, PartlySwept, Rebuilt, PartlyRebuilt,
}
