package workflow

// An Answer is what the function of a state wants to happen next. The Choice after the state has a way for each.
type Answer string

// The answers of an inspection, which reads what its thing is like and says what the thing needs next.
const (
	AnswerNothing    Answer = "nothing"    // there is nothing to do about the event
	AnswerUnreadable Answer = "unreadable" // something cannot be read now: nothing is taken away, and a sweep looks again
	AnswerRefuse     Answer = "refuse"
	AnswerAsk        Answer = "ask"      // an owner is to be asked for approval
	AnswerAccept     Answer = "accept"   // the request, or the invitation, is to be accepted
	AnswerAnnounce   Answer = "announce" // looks at other things were asked for
	AnswerExpired    Answer = "expired"  // nobody answered the invitation in time
	AnswerRejected   Answer = "rejected" // somebody rejected it

	// Of a connection.
	AnswerConnect    Answer = "connect"
	AnswerExtend     Answer = "extend"   // connect, and ask about what came after the approval
	AnswerTrim       Answer = "trim"     // take away a part of it
	AnswerConflict   Answer = "conflict" // another target has what it needs
	AnswerDisconnect Answer = "disconnect"

	// Of a VPC on a transit gateway.
	AnswerAttach       Answer = "attach"       // the VPC is to be attached, or its attachment to get subnets
	AnswerAssociate    Answer = "associate"    // the attachment is to be associated with a route table, or propagated to one
	AnswerVerify       Answer = "verify"       // everything is there: is it right?
	AnswerDisassociate Answer = "disassociate" // what Drawbridge added for the attachment on the gateway is to be taken back
	AnswerDetach       Answer = "detach"       // the VPC's own attachment is to be deleted
	AnswerRemoved      Answer = "removed"      // the attachment is gone, or taken back
	AnswerReleased     Answer = "released"     // its owner takes the thing out of Drawbridge's hands; of access, too

	// Of access to a database or a notebook without a connection.
	AnswerExpose   Answer = "expose"   // let accounts query the cluster
	AnswerAdmit    Answer = "admit"    // let people query the warehouse
	AnswerRetract  Answer = "retract"  // take back what nobody needs any more
	AnswerConclude Answer = "conclude" // nothing to change but the status
	AnswerArrange  Answer = "arrange"  // bring the account's endpoints and its policy in line
	AnswerPlace    Answer = "place"    // the VPC is to have an endpoint
	AnswerRemove   Answer = "remove"   // the VPC is to have one no more

	AnswerInject Answer = "inject" // bring notebooks' host routes in line
)

// The answers of steps that are asked again, since what they asked AWS for takes its time.
const (
	AnswerWait  Answer = "wait"
	AnswerReady Answer = "ready"
	AnswerDone  Answer = "done"
	AnswerAgain Answer = "again" // what it rests on changed meanwhile: look anew
	AnswerMore  Answer = "more"  // there is another page
	AnswerStop  Answer = "stop"  // the notebook is to be stopped
	AnswerStart Answer = "start" // the notebook is to be started
)

// Answers are all that the function of a state may answer, of each state of which a machine follows the answer. The Choices of the machines are held
// to it both ways (infra/template), and so is what the functions' packages answer (this package's tests).
var Answers = map[string][]Answer{
	"InspectPeering": {AnswerAccept, AnswerWait, AnswerConnect, AnswerExtend, AnswerTrim, AnswerConflict, AnswerUnreadable, AnswerAsk, AnswerRefuse,
		AnswerDisconnect, AnswerNothing},
	"InspectTransit": {AnswerWait, AnswerConnect, AnswerExtend, AnswerTrim, AnswerUnreadable, AnswerRefuse, AnswerDisconnect, AnswerNothing},
	"InspectAttachment": {AnswerAttach, AnswerAccept, AnswerAssociate, AnswerDisassociate, AnswerDetach, AnswerWait, AnswerVerify, AnswerRemoved,
		AnswerReleased, AnswerRejected, AnswerAsk, AnswerRefuse, AnswerAnnounce, AnswerNothing},
	"InspectShare":            {AnswerAccept, AnswerWait, AnswerAnnounce, AnswerRefuse, AnswerExpired, AnswerRejected, AnswerNothing},
	"InspectNotebooks":        {AnswerInject, AnswerNothing},
	"AttachRoutes":            {AnswerDone, AnswerStop, AnswerStart, AnswerWait},
	"InspectDataApi":          {AnswerExpose, AnswerRetract, AnswerConclude, AnswerNothing},
	"InspectDataApiEndpoint":  {AnswerPlace, AnswerRemove, AnswerRefuse, AnswerReleased, AnswerNothing},
	"InspectStudio":           {AnswerAdmit, AnswerRetract, AnswerReleased, AnswerAnnounce, AnswerRefuse, AnswerNothing},
	"InspectPrivateNotebooks": {AnswerArrange, AnswerRefuse, AnswerNothing},
	"PlaceEndpoints":          {AnswerReady, AnswerWait},
	"RemoveEndpoints":         {AnswerReady, AnswerWait},
	"GrantNotebookAccess":     {AnswerDone, AnswerAgain},
	"ResumeExecutions":        {AnswerMore, AnswerDone},
	// The last page is followed by an end.
	"TallySweep":   {AnswerMore, Answer(Swept), Answer(PartlySwept)},
	"TallyRebuild": {AnswerMore, Answer(Rebuilt), Answer(PartlyRebuilt)},
}
