// Package fact keeps what a look at a connection found, and what the steps after it told, as rows of the ledger, so that nothing travels from state to
// state that grows with the accounts.
//
// An inspection writes its rows in place of those of the one before, and what was told since goes with them. A step reads what it needs by one Query.
// The rows are intent: what a step acts on it reads anew where it is. A redrive reads what the last inspection wrote.
//
//	fact.go   how facts are rows, and back (pure)
//	follow.go what a look need not do again that goes on where another ended (pure)
//	apply.go  writes and reads them, around the steps of connections
//	list.go   lists of things that a state works on one by one
//	studio.go, private.go  the same around the steps of Studio, and of private notebooks
//	sweep.go  around visits to accounts: what has no room where they are tallied
//
// Behind connection#<id> and fact#, with n and k as four digits:
//
//	about                      the answer, and what waits for an owner
//	before, absent, closed     #k: hops that are known before anything is done
//	reachable, shown           #k: what the owner is asked about; reachable of an attachment, too
//	vpc#<role>                 a VPC with its account, for the look after an acceptance, and for who is asked
//	side#<n>#side              one side of the connection
//	side#<n>#<list>            #k: its tables, databases, clients, services, ways, end subnets (`subnet`), groups, those kept out, rules that go
//	side#<n>#told#<state>      #k: what a step told of the side, with the tables or groups that it left
//	notebooks#<n>              a batch of notebook instances
//	told#<state>#<n>           what a step told of a batch, or of the connection
//	….told#<state>#refused     that it failed for the last time, and why
//
// Behind the ARN of a Redshift cluster, about its readers:
//
//	role, leaving, domain#<n>  an execution role that may read, one that may no more, a Studio domain
//	unfit                      #k: who cannot be served
//	told#<state>#<n>           what a step told of one of them; without a number, of the readers' role
//
// Behind the account of private notebooks:
//
//	want#<n>                   which endpoints a VPC shall have; those that shall have none any more are last
//	tagged, refused, released  #k: the VPCs that the policy allows, and does not, and those that were let go of
//	told#<state>#<n>           what a step told of a want; without a number, of the account's policy
//
// Behind visits, of a sweep or a rebuild:
//
//	visit#<account>            what the last visit to an account found, if it had no room
//
// Lists are cut into rows of at most [Size] bytes: a row of DynamoDB has room for 400 KB, a transaction for 4 MB.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
package fact

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Size is how many bytes of JSON a row with a part of a list has at most, unless one entry alone has more.
const Size = 24 << 10

// The kinds of rows.
const (
	about     = "about"
	notebooks = "notebooks"
	reachable = "reachable"
	told      = "told"
	injected  = told + "#InjectRoutes" // of a batch
	refused   = "#refused"
	failed    = told + "#VerifyConnection" + refused // it failed, as a step before had failed
)

// aboutRow is what the answer of a look has to say for all steps.
type aboutRow struct {
	Answer    workflow.Answer  `json:"answer"`
	Waits     workflow.Waiting `json:"waits,omitzero"`
	Execution string           `json:"execution,omitempty"` // whose look did not come to all
}

// sideRow is one side, without its lists. The answer is that of the look: a side of another look is not worked on.
type sideRow struct {
	Answer workflow.Answer `json:"answer"`
	Side   workflow.Side   `json:"side"`
}

// readRow says when a step read what it told.
type readRow struct {
	At time.Time `json:"at"`
}

// refusedRow is why a step could not do its work.
type refusedRow struct {
	Account string     `json:"account,omitempty"`
	Kind    fault.Kind `json:"kind,omitempty"`
	Why     string     `json:"why"`
}

// part is a part of a list.
type part[T any] struct {
	Of []T `json:"of"`
}

// number is a number in a sort key.
func number(n int) string { return fmt.Sprintf("%04d", n) }

// of is the sort key of one of many, from 1, and the beginning of all about it.
func of(kind string, n int) string { return kind + "#" + number(n) + "#" }

func side(n int) string { return of("side", n) }

// parts cuts a list into rows.
func parts[T any](sort string, all []T) []ledger.Fact {
	var out []ledger.Fact
	var some []T
	size := 0
	put := func() {
		if len(some) > 0 {
			out = append(out, ledger.Fact{Sort: sort + "#" + number(len(out)+1), Body: part[T]{some}})
		}
		some, size = nil, 0
	}
	for _, one := range all {
		b, _ := json.Marshal(one) // what cannot be written is said when the row is
		if size += len(b) + 1; size > Size && len(some) > 0 {
			put()
			size = len(b) + 1
		}
		some = append(some, one)
	}
	put()
	return out
}

// gather puts a list together again.
func gather[T any](f ledger.Facts, sort string, into *[]T) error {
	*into = nil
	for _, s := range f.Under(sort + "#").Sorts() {
		var one part[T]
		if _, err := f.FactOf(s, &one); err != nil {
			return err
		}
		*into = append(*into, one.Of...)
	}
	return nil
}

// rows are all rows of what a look found.
func rows(f workflow.Findings) []ledger.Fact {
	var out []ledger.Fact
	put := func(more ...ledger.Fact) { out = append(out, more...) }
	w := f.Waits
	w.Reachable, w.Shown = nil, nil
	put(ledger.Fact{Sort: about, Body: aboutRow{f.Answer, w, f.Execution}})
	put(parts(reachable, f.Waits.Reachable)...)
	put(parts("shown", f.Waits.Shown)...)
	put(parts("before", f.Before)...)
	put(parts("absent", f.Absent)...)
	put(parts("closed", f.Known.Closed)...)
	for n, facts := range []*workflow.Facts{f.Known.Requester, f.Known.Accepter} {
		if facts == nil {
			continue
		}
		vpc := *facts
		vpc.Tables = nil
		put(ledger.Fact{Sort: vpcOf(n), Body: vpc})
		put(parts(vpcOf(n)+"#table", facts.Tables)...)
	}
	for n, s := range f.Sides {
		put(rowsOf(n+1, f.Answer, s)...)
	}
	for n, b := range f.Batches {
		put(ledger.Fact{Sort: of(notebooks, n+1), Body: b})
		if b.Kept != nil {
			put(ledger.Fact{Sort: of(injected, n+1), Body: *b.Kept})
		}
	}
	return out
}

func vpcOf(n int) string { return "vpc#" + [2]string{"requester", "accepter"}[n] }

// rowsOf are the rows of one side.
func rowsOf(n int, answer workflow.Answer, s workflow.Side) []ledger.Fact {
	var out []ledger.Fact
	at := side(n)
	for _, list := range [][]ledger.Fact{
		parts(at+"table", s.Tables), parts(at+"database", s.AllowedDatabases), parts(at+"client", s.Clients), parts(at+"service", s.Services),
		parts(at+"way", s.Ways), parts(at+"subnet", s.EndSubnets), parts(at+"group", s.Groups),
		parts(at+"apart", s.Apart), parts(at+"noted", s.Noted),
	} {
		out = append(out, list...)
	}
	s.Tables, s.AllowedDatabases, s.Clients, s.Services, s.Ways, s.EndSubnets, s.Groups = nil, nil, nil, nil, nil, nil, nil
	s.Apart, s.Noted = nil, nil
	if s.Trim != nil {
		out = append(out, parts(at+"rule", s.Trim.Rules)...)
		s.Trim = &workflow.Trim{Destinations: s.Trim.Destinations}
	}
	return append(out, ledger.Fact{Sort: at + "side", Body: sideRow{answer, s}})
}

// sideOf reads one side, and the answer of the look that found it; none if there is no such side.
func sideOf(f ledger.Facts, n int) (s workflow.Side, answer workflow.Answer, err error) {
	at := side(n)
	f = f.Under(at)
	var row sideRow
	if ok, err := f.FactOf(at+"side", &row); err != nil || !ok {
		return s, "", err
	}
	s = row.Side
	for _, err := range []error{
		gather(f, at+"table", &s.Tables), gather(f, at+"database", &s.AllowedDatabases), gather(f, at+"client", &s.Clients), gather(f, at+"service", &s.Services),
		gather(f, at+"way", &s.Ways), gather(f, at+"subnet", &s.EndSubnets),
		gather(f, at+"group", &s.Groups), gather(f, at+"apart", &s.Apart), gather(f, at+"noted", &s.Noted),
	} {
		if err != nil {
			return s, "", err
		}
	}
	if s.Trim != nil {
		err = gather(f, at+"rule", &s.Trim.Rules)
	}
	return s, row.Answer, err
}

// found reads all that a look found and the steps told.
func found(f ledger.Facts) (workflow.Findings, error) {
	var out workflow.Findings
	var row aboutRow
	if _, err := f.FactOf(about, &row); err != nil {
		return out, err
	}
	out.Answer, out.Waits, out.Execution = row.Answer, row.Waits, row.Execution
	for _, err := range []error{
		gather(f, reachable, &out.Waits.Reachable), gather(f, "shown", &out.Waits.Shown), gather(f, "before", &out.Before),
		gather(f, "absent", &out.Absent), gather(f, "closed", &out.Known.Closed),
	} {
		if err != nil {
			return out, err
		}
	}
	for n, into := range []**workflow.Facts{&out.Known.Requester, &out.Known.Accepter} {
		var vpc workflow.Facts
		ok, err := f.FactOf(vpcOf(n), &vpc)
		if err == nil && ok {
			*into, err = &vpc, gather(f, vpcOf(n)+"#table", &vpc.Tables)
		}
		if err != nil {
			return out, err
		}
	}
	if err := sides(f.Under("side#"), &out); err != nil {
		return out, err
	}
	return out, batches(f, &out)
}

// sides reads the sides, with what the steps told of each.
func sides(f ledger.Facts, out *workflow.Findings) error {
	for n := 1; ; n++ {
		one := f.Under(side(n))
		s, answer, err := sideOf(one, n)
		if err != nil || answer == "" {
			return err
		}
		routed := workflow.AddRoutesOutput{Account: s.VPC.Account, VPC: s.VPC.ID, Hops: []workflow.Hop{}}
		opened, closed, removed := workflow.HopsOutput{Hops: []workflow.Hop{}}, workflow.HopsOutput{Hops: []workflow.Hop{}}, workflow.RemoveRoutesOutput{Account: s.VPC.Account, VPC: s.VPC.ID}
		for state, into := range map[string]*[]workflow.Hop{"AddRoutes": &routed.Hops, "OpenFirewall": &opened.Hops, "CloseFirewall": &closed.Hops, "RemoveRoutes": &removed.Hops} {
			if err := gather(one, side(n)+told+"#"+state+"#hop", into); err != nil {
				return err
			}
		}
		for _, state := range []string{"AddRoutes", "OpenFirewall"} {
			if err := refusal(one, side(n)+told+"#"+state, state, out); err != nil {
				return err
			}
		}
		var read readRow
		_, err = one.FactOf(side(n)+told+"#OpenFirewall#read", &read)
		if opened.At = read.At; err == nil {
			err = gather(one, side(n)+told+"#OpenFirewall#group", &opened.Groups)
		}
		if err == nil {
			err = gather(one, side(n)+told+"#AddRoutes#table", &routed.Tables)
		}
		if err != nil {
			return err
		}
		out.Sides, out.Routed, out.Opened = append(out.Sides, s), append(out.Routed, routed), append(out.Opened, opened)
		out.Closed, out.Removed = append(out.Closed, closed), append(out.Removed, removed)
	}
}

// batches reads the batches of notebooks, with what the steps told of each, and what they told of the connection.
func batches(f ledger.Facts, out *workflow.Findings) error {
	for n := range f.Under(notebooks + "#").Sorts() {
		var b workflow.Batch
		var served, withdrawn workflow.NotebooksOutput
		for sort, into := range map[string]any{of(notebooks, n+1): &b, of(injected, n+1): &served, of(told+"#WithdrawRoutes", n+1): &withdrawn} {
			if _, err := f.FactOf(sort, into); err != nil {
				return err
			}
		}
		if err := refusal(f, of(injected, n+1), "InjectRoutes", out); err != nil {
			return err
		}
		out.Batches, out.Injected, out.Withdrawn = append(out.Batches, b), append(out.Injected, served), append(out.Withdrawn, withdrawn)
	}
	state := "AllowDnsResolution"
	if out.Answer == workflow.AnswerDisconnect {
		state = "RestoreDnsResolution"
	}
	if err := gather(f, told+"#"+state+"#hop", &out.DNS.Hops); err != nil {
		return err
	}
	var again refusedRow
	var err error
	if out.Redriven, err = f.FactOf(failed, &again); err != nil {
		return err
	}
	return refusal(f, told+"#AllowDnsResolution", "AllowDnsResolution", out)
}

// refusal reads that a step failed for the last time, if it did.
func refusal(f ledger.Facts, at, state string, out *workflow.Findings) error {
	var row refusedRow
	is, err := f.FactOf(at+refused, &row)
	if is {
		out.Refused = append(out.Refused, workflow.Refusal{State: state, Account: row.Account, Kind: row.Kind, Why: row.Why})
	}
	return err
}

// toldRows are the rows of what a step told: none if it told nothing.
func toldRows(at string, out any) []ledger.Fact {
	switch o := out.(type) {
	case workflow.NotebooksOutput:
		return []ledger.Fact{{Sort: at, Body: o}}
	case workflow.HopsOutput:
		out := append(parts(at+"#hop", o.Hops), parts(at+"#group", o.Groups)...)
		if len(o.Groups) > 0 {
			out = append(out, ledger.Fact{Sort: at + "#read", Body: readRow{o.At}})
		}
		return out
	case workflow.AddRoutesOutput:
		return append(parts(at+"#hop", o.Hops), parts(at+"#table", o.Tables)...)
	case said:
		return parts(at+"#hop", o.Said())
	}
	return nil
}

// counted is what a step says of what it told.
func counted(out said) workflow.Told {
	hops := out.Said()
	t := workflow.Told{Hops: len(hops)}
	for _, h := range hops {
		if h.OK {
			t.OK++
		}
	}
	return t
}

// home is the number of the side in whose VPC a batch is, as its owner has it; 0 if that is not among the sides.
func home(sides []workflow.Side, b workflow.Batch) int {
	for n, s := range sides {
		if s.Owner == "" && s.VPC.ID == b.VPC && s.VPC.Account == b.Network() && s.VPC.Region == b.Region {
			return n + 1
		}
	}
	return 0
}

// numbered returns the numbers of n rows.
func numbered(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}
