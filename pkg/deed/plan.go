package deed

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// nobody is what an owner writes to name nobody: taking a tag off may be a slip, and the brake asks about it.
const nobody = "none"

// Without returns the value of a tag that names accounts without one of them, and whether it named that. value is as [tag.Clean] gives it.
func Without(value, account string) (string, bool) {
	ids := strings.Fields(value)
	left := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == account })
	switch {
	case len(left) == len(ids):
		return "", false
	case len(left) == 0:
		return nobody, true
	}
	return strings.Join(left, " "), true
}

// Entry is what a deed has to know of a connection. The zero value is one of which the ledger was not read.
type Entry struct {
	Known   bool
	State   string
	Command []string // by which the owner who is asked approves
	Shown   []string // what the last question showed
	// Contested says that something of it was taken away again after it was put back: Drawbridge leaves that until its owner asks anew.
	Contested bool
	// Tags are those of the thing, as [Read] gives them; nil if they could not be read.
	Tags map[string]string
}

// so completes a deed that sets a tag: it is none if the thing has the tag already.
func (d Deed) so(t Thing, e Entry, key, value string) Deed {
	if e.Tags[key] != value {
		d.Calls = []Call{Tag(t, key, value)}
		return d
	}
	d.Already, d.Says = true, []string{fmt.Sprintf("It is so already: %s has %s=%s.", t.ID, key, value)}
	if e.State != "" {
		d.Says[0] += " It is " + e.State + "."
	}
	return d
}

// answered is the value of the tag in the command by which an owner approves; see [board.Line].
func answered(command []string) (string, bool) {
	for _, word := range command {
		if value, ok := strings.CutPrefix(word, "Key="+tag.Approval+",Value="); ok {
			return value, true
		}
	}
	return "", false
}

// Approve is the deed of the owner who is asked. answer is the value to approve with; if it is empty, it is that of the last question, or the plain word
// if the ledger was not read.
func Approve(t Thing, answer string, e Entry) Deed {
	d := Deed{Title: "Approve " + t.ID}
	asked, ok := answered(e.Command)
	if e.Known {
		if said := e.Tags[tag.Approval]; !ok && strings.HasPrefix(said, tag.Approved) && cmp.Or(answer, said) == said {
			return d.so(t, e, tag.Approval, said)
		}
		if !ok {
			d.Says = append(d.Says, "Nothing waits for an approval: it is "+cmp.Or(e.State, "begun")+".")
			return d
		}
		for _, line := range e.Shown {
			d.Says = append(d.Says, "The question shows: "+line)
		}
	}
	answer = cmp.Or(answer, asked, tag.Approved)
	d.Says = append(d.Says, map[bool]string{true: "It covers what is there and what comes later.", false: "It covers what the question showed; what comes later is asked about again."}[answer == tag.ApprovedAll])
	return d.so(t, e, tag.Approval, answer)
}

// Reject is the deed of an owner who says no, or takes back what stands.
func Reject(t Thing, e Entry) Deed {
	says := "A request that waits is rejected. Of a connection that stands, what Drawbridge added goes on both sides; the peering or attachment stays."
	if e.State != "" {
		says += " It is " + e.State + "."
	}
	return Deed{Title: "Reject " + t.ID, Says: []string{says}}.so(t, e, tag.Approval, "rejected")
}

// Manage is the deed of an owner who gives a connection, or access, to Drawbridge, or asks anew for what is contested of it.
func Manage(t Thing, e Entry) Deed {
	d := Deed{Title: "Give " + t.ID + " to Drawbridge", Says: []string{"If the policy allows it, Drawbridge connects it from now on. What is there stays its owners'."}}
	if !connected(t) {
		d.Says[0] = "Drawbridge does from now on what its owner's tags ask for, if the policy allows it, and puts back what was left to who took it away. What is there stays its owner's."
		d.Says = append(d.Says, whole(t)...)
	}
	if e.Contested { // the same word again asks anew
		d.Calls = []Call{Tag(t, tag.Manage, tag.Take)}
		return d
	}
	if d = d.so(t, e, tag.Manage, tag.Take); d.Already && !e.Known {
		d.Says = append(d.Says, "If something of it is contested, the same word asks anew for that: --hub-profile says whether it is.")
	}
	return d
}

// Release is the deed of an owner who takes a connection, or access, out of Drawbridge's hands: all stands as it does, or, with undo, what was added goes before.
func Release(t Thing, e Entry, undo bool) Deed {
	d, word := Deed{Title: "Release " + t.ID, Says: []string{"Drawbridge lets go of it, and leaves everything as it stands."}}, tag.Leave
	if undo {
		d, word = Deed{Title: "Undo and release " + t.ID, Says: []string{"What Drawbridge added goes on both sides, then it lets go."}}, tag.Undo
	}
	if !connected(t) {
		d.Says = append(d.Says, whole(t)...)
	}
	return d.so(t, e, tag.Manage, word)
}

// connected reports whether a thing carries a connection between two networks; what else there is, is access that its owner asks for by tags.
func connected(t Thing) bool { return t.Kind == tag.Peering || t.Kind == tag.Attachment }

// whole says what the tag drawbridge:manage of a thing is about that no connection is.
func whole(t Thing) []string {
	return map[tag.Kind][]string{
		tag.VPC:             {"It counts for all endpoints that the VPC's tags ask for: of private notebooks, and of the Data API. The VPC's connections have tags of their own."},
		tag.DBCluster:       {"It counts for the Data API of the cluster. Who reaches it over a network is the connection's."},
		tag.RedshiftCluster: {"It counts for the people of SageMaker Studio. Who reaches the cluster over a network is the connection's."},
	}[t.Kind]
}

// Managed returns the thing whose owner's tag drawbridge:manage counts for an entry of the ledger: a peering or an attachment; the cluster with the Data API, or
// with readers; the VPC with endpoints. One whose id does not say its place is at the place that is given. It is false of other ids.
func Managed(id string, at event.Place) (Thing, bool) {
	switch of := road.Of(id); of {
	case road.DataAPIEndpoint, road.PrivateNotebooks:
		id = strings.TrimPrefix(id, string(of)+"-")
	case road.Peering, road.Attachment, road.Transit, road.DataAPI, road.Studio, road.Share:
	}
	t, ok := Tagged(id, at)
	if _, managed := tag.Find(t.Kind, tag.Manage); !ok || !managed {
		return Thing{}, false
	}
	return t, true
}

// Tagged returns the thing that an id of EC2's at a place names, or an ARN; false if Drawbridge goes by no tag of it.
func Tagged(id string, at event.Place) (Thing, bool) {
	for _, kind := range tag.KindsOf("tagging") {
		of := kind.Naming()
		if of.Service == "ec2" && of.Form.MatchString(id) {
			return Thing{Kind: kind, ID: id, Account: at.Account, Region: at.Region}, true
		}
		where, name, ok := arn.Match(id, of.Service, of.Resource)
		if !ok || !cmp.Or(of.InARN, of.Form).MatchString(name[strings.LastIndexByte(name, '/')+1:]) && kind != tag.StoredSecret {
			continue
		}
		t := Thing{Kind: kind, ID: id, Account: where.AccountID, Region: cmp.Or(where.Region, at.Region)}
		if of.Service == "ec2" || kind == tag.Role {
			t.ID = name[strings.LastIndexByte(name, '/')+1:]
		}
		return t, true
	}
	return Thing{}, false
}

// Revocable are the tags by which the owner of a database names the accounts that reach it.
var Revocable = []string{tag.Share, tag.DataAPI, tag.Studio}

// RevokeAccount is the deed of a database's owner who takes an account out of their tags; tags are as [tag.Clean] gives them.
func RevokeAccount(t Thing, name, account string, tags map[string]string) Deed {
	d := Deed{Title: "Take " + name + " away from account " + account}
	for _, key := range Revocable {
		if _, known := tag.Find(t.Kind, key); !known {
			continue
		}
		if tags[key] == "true" {
			d.Says = append(d.Says, key+"=true shares it with every account, so none can be taken out: name the accounts that shall have it instead, or reject the connection.")
			continue
		}
		if value, ok := Without(tags[key], account); ok {
			d.Says = append(d.Says, fmt.Sprintf("%s named %s.", key, strings.Join(strings.Fields(tags[key]), ", ")))
			d.Calls = append(d.Calls, Tag(t, key, value))
		}
	}
	if len(d.Calls) == 0 && len(d.Says) == 0 {
		d.Says = []string{"No tag of its owner's names the account: " + strings.Join(Revocable, ", ") + ". drawbridge who says over which road it is reached."}
	}
	return d
}

// Pause is the deed of an operator who has Drawbridge do nothing.
func Pause(hub event.Place, now string) Deed {
	if now == "paused" {
		return Deed{Title: "Pause Drawbridge", Says: []string{"It is paused already."}, Already: true}
	}
	return Deed{Title: "Pause Drawbridge", Says: []string{"Nothing is looked at, added or taken away until it is resumed; events are kept, one for each thing. The mode is " + cmp.Or(now, "not known") + "."},
		Calls: []Call{Put(hub, ModeParameter, "paused", "")}}
}

// Resume is the deed of an operator who ends a pause, or sets how far Drawbridge goes: want is the mode.
func Resume(hub event.Place, now, want string) Deed {
	d := Deed{Title: "Set the mode to " + want}
	if now == want {
		d.Says, d.Already = []string{"It is " + now + " already."}, true
		return d
	}
	d.Says = []string{map[string]string{"full": "Drawbridge adds and takes away.", "add": "Drawbridge adds, and keeps what it would take away.", "observe": "Drawbridge looks, says what it would do, and changes nothing."}[want] +
		" What was held back is looked at again. The mode is " + cmp.Or(now, "not known") + "."}
	d.Calls = []Call{Put(hub, ModeParameter, want, "")}
	return d
}

// The hub's parameters and machines.
const (
	ModeParameter   = "/drawbridge/mode"
	PolicyParameter = "/drawbridge/policy"
)

// Machine is the ARN of one of the hub's machines, by its kind.
func Machine(hub event.Place, kind string) string {
	return arn.New(arn.Partition(hub.Region), "states", hub.Region, hub.Account, "stateMachine:drawbridge-"+kind)
}

// Execution is the ARN of an execution, by its own ARN or as MACHINE/NAME, such as peering/2f0c; ok is false if it is neither.
func Execution(hub event.Place, text string) (id string, ok bool) {
	if _, _, is := arn.Match(text, "states", "execution:drawbridge-"); is {
		return text, true
	}
	machine, name, found := strings.Cut(text, "/")
	if !found || machine == "" || name == "" || strings.ContainsAny(name, "/:") {
		return "", false
	}
	return arn.New(arn.Partition(hub.Region), "states", hub.Region, hub.Account, "execution:drawbridge-"+strings.TrimPrefix(machine, "drawbridge-")+":"+name), true
}

// Sweep is the deed of an operator who has accounts looked through; none are all.
func Sweep(hub event.Place, accounts []string) (Deed, error) {
	d := Deed{Title: "Sweep all accounts", Says: []string{"Everything is looked at as if something had happened to it, by executions of its own."}}
	if len(accounts) > 0 {
		d.Title = "Sweep " + strings.Join(accounts, ", ")
	}
	input, err := json.Marshal(struct {
		Accounts []string `json:"accounts,omitempty"`
	}{accounts})
	if err != nil {
		return d, err
	}
	d.Calls = []Call{Start(hub, Machine(hub, "sweep"), string(input))}
	return d, nil
}

// ReleaseBrake is the deed of an operator who decides about what the brake stopped: it is let through, or dismissed. waiting says what, with its cause.
func ReleaseBrake(hub event.Place, waiting []string, through bool) Deed {
	word, title, says := "dismiss", "Dismiss what the brake stopped", "It stays, and asks again if its cause is still there when it is looked at."
	if through {
		word, title, says = "let through", "Let through what the brake stopped", "All of it is taken away."
	}
	d := Deed{Title: title}
	if len(waiting) == 0 {
		d.Says = []string{"Nothing waits at the brake."}
		return d
	}
	for _, w := range waiting {
		d.Says = append(d.Says, "Waits: "+w)
	}
	d.Says = append(d.Says, says)
	d.Calls = []Call{Start(hub, Machine(hub, "sweep"), fmt.Sprintf(`{"braked":%q}`, word))}
	return d
}

// RedriveOf is the deed of an operator who has a failed execution go on.
func RedriveOf(hub event.Place, execution, status, failure string) Deed {
	d := Deed{Title: "Redrive " + execution[strings.LastIndexByte(execution, ':')+1:]}
	if !slices.Contains([]string{"FAILED", "TIMED_OUT", "ABORTED"}, status) {
		d.Says = []string{"It is " + status + ": only what failed, timed out or was aborted goes on."}
		return d
	}
	d.Says = []string{"It goes on at the state that failed, with what was read and decided before.", "It failed with " + cmp.Or(failure, "no words") + "."}
	d.Calls = []Call{Redrive(hub, execution)}
	return d
}
