package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// Items returns what was added for the entries that a question names, each once, sorted by place, resource, kind and key. An entry that is not there, or for which
// nothing was added, is an error.
func Items(r board.Rows, q Question) ([]ledger.Item, error) {
	var out []ledger.Item
	for _, id := range q.IDs {
		entry, ok := r.Entry(id)
		if !ok {
			return nil, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("exporting %s: the ledger has no entry of it", id), Remedy: "drawbridge status lists the entries; what is not managed has nothing of Drawbridge's"}
		}
		for _, i := range append(r.Items(id), r.HostRoutes(entry)...) {
			if !slices.ContainsFunc(out, i.Same) {
				out = append(out, i)
			}
		}
	}
	if len(out) == 0 {
		return nil, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("exporting %s: nothing was added for it", strings.Join(q.IDs, ", ")),
			Remedy: "what was there before Drawbridge is in its owners' code or in none; of a pair on a gateway name its attachments, too"}
	}
	all := out
	if len(q.Only) > 0 {
		out = slices.DeleteFunc(slices.Clone(out), func(i ledger.Item) bool { return !slices.Contains(q.Only, i.Account) })
	}
	if len(out) == 0 {
		return nil, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("exporting %s: nothing was added in account %s", strings.Join(q.IDs, ", "), strings.Join(q.Only, ", ")),
			Remedy: "name with --only one of " + strings.Join(accounts(all), ", ")}
	}
	slices.SortStableFunc(out, func(a, b ledger.Item) int {
		return cmp.Or(strings.Compare(a.Place(), b.Place()), cmp.Compare(rank(a), rank(b)), strings.Compare(a.Resource, b.Resource), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Key, b.Key))
	})
	return out, nil
}

// rank puts things in the order in which people think of them.
func rank(i ledger.Item) int {
	n := slices.Index([]ledger.Kind{ledger.DNSOption, ledger.Attachment, ledger.Association, ledger.Propagation, ledger.Route, ledger.Group, ledger.Rule, ledger.Endpoint}, i.Kind)
	if n < 0 {
		return 99
	}
	return n
}

func accounts(items []ledger.Item) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.Account)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Of makes the code of items, with what stands of them.
func Of(r board.Rows, q Question, items []ledger.Item, facts Facts, at time.Time) (Export, error) {
	out := Export{Head: answer.HeadOf("Export"), Tool: q.Tool, IDs: q.IDs, At: at.UTC(), Resources: []Resource{}, Files: []File{}}
	things, left := things(items, facts, q.IDs)
	if q.Tool == CloudFormation {
		things, left = importable(things, left)
	}
	out.Left = left
	h := head{ids: q.IDs, at: at}
	h.release, h.kept = releases(r, q.IDs)
	var err error
	switch q.Tool {
	case Terraform:
		out.Files = []File{{slug(q.IDs) + ".tf", code(h, things, left)}}
	case CloudFormation:
		out.Files, err = templates(h, things, left)
	default:
		err = &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("exporting: no code is written for %q", q.Tool), Remedy: "say terraform or cloudformation"}
	}
	for _, t := range things {
		out.Resources = append(out.Resources, t.named(q.Tool))
	}
	return out, err
}

// things returns the resources that items become, and the items that become none.
//
//	confirmed, and there                     → a resource
//	part of a thing that is a resource       → nothing: that one says it
//	part of somebody's thing, not its own    → left, with what to do
//	contested                                → left: what stands there is its owner's
//	intended, leaving, wanted                → left: Drawbridge is about to change it
//	not there, or not read                   → left: an import would fail
func things(items []ledger.Item, facts Facts, ids []string) ([]thing, []Left) {
	var out []thing
	left := []Left{}
	for _, i := range items {
		fact := facts.Of(i)
		l := Left{Account: i.Account, Region: i.Region, Kind: i.Kind, Resource: i.Resource, Key: i.Key}
		if part(i, items) {
			continue
		}
		switch why, do, owned := unowned(i); {
		case i.State == ledger.Contested:
			l.Why, l.Do = "somebody took it away again, so it is left to them", "nothing: what stands there is its owner's"
		case i.State == ledger.Wanted:
			l.Why, l.Do = "something else serves in its place, so it was not made", "nothing"
		case i.State != ledger.Confirmed:
			l.Why, l.Do, l.Lacks = "Drawbridge is at it just now ("+string(i.State)+")", "wait until drawbridge status shows that nobody works on it, and export anew", true
		case !owned:
			l.Why, l.Do = why, do
		case fact.Unread != "":
			l.Why, l.Do, l.Lacks = "it could not be read: "+fact.Unread, "export with credentials for account "+i.Account+", or only the others by --only", true
		case fact.Gone:
			l.Why, l.Do, l.Lacks = "it is not there as Drawbridge left it", "see drawbridge status; the next look puts it back or gives it up; then export anew", true
		default:
			made := resources(i, fact)
			for n := range made {
				made[n].place(i)
				made[n].notes = append(notes(i, ids), made[n].notes...)
			}
			out = append(out, made...)
			continue
		}
		left = append(left, l)
	}
	return unique(joined(out)), left
}

// part reports whether an item is said by the resource of another: the parts of an endpoint by the endpoint, the trust of a role that Drawbridge made by the role.
func part(i ledger.Item, items []ledger.Item) bool {
	return slices.ContainsFunc(items, func(o ledger.Item) bool {
		if o.State != ledger.Confirmed || o.Place() != i.Place() || o.Resource != i.Resource {
			return false
		}
		service, _, _ := strings.Cut(i.Key, " ")
		return i.Kind == ledger.Interface && o.Kind == ledger.Endpoint && o.Key == service || i.Kind == ledger.Statement && o.Kind == ledger.Role
	})
}

// unowned says of kinds that are part of somebody's thing why no resource owns them, and what its owner does instead.
func unowned(i ledger.Item) (why, do string, owned bool) {
	switch i.Kind {
	case ledger.HostRoute:
		return "it is a line within the script of a lifecycle configuration", "before step 3 tag the notebook drawbridge:routes=on: then Drawbridge goes on to set what the notebook's route table reaches. Without the tag the line goes when the notebook is looked at next. Or set the route yourself, in a part of the script that is yours", false
	case ledger.Config:
		return "which lifecycle configuration a notebook has is said by the notebook", "name " + i.Key + " as the lifecycle configuration in the notebook's own code", false
	case ledger.Setting:
		do = "in its own code set execution_role_identity_config = \"USER_PROFILE_NAME\" (CloudFormation: ExecutionRoleIdentityConfig) among the domain's settings"
		if strings.Contains(i.Resource, ":cluster:") {
			do = "in its own code set enable_http_endpoint = true (CloudFormation: EnableHttpEndpoint)"
		}
		return "it is a setting of " + i.Resource, do, false
	case ledger.Statement:
		return "it is a statement in a document of " + i.Resource, "copy the statement " + i.Key + " from the document as it stands into that thing's own code", false
	case ledger.Interface:
		return "it is a part of an endpoint that is not in this export", "name its subnet, or its group, in the endpoint's own code", false
	case ledger.Share:
		return "that an account accepted a share is no resource that code describes", "nothing: an accepted share stays accepted", false
	case ledger.Route, ledger.Rule, ledger.DNSOption, ledger.Attachment, ledger.Association, ledger.Propagation, ledger.Endpoint, ledger.Group, ledger.Role, ledger.Document, ledger.Managed, ledger.Grant:
		return "", "", true
	}
	return "no code is known for its kind", "describe it in your own code by its id", false
}

// notes are what somebody should know who takes an item over.
func notes(i ledger.Item, ids []string) []string {
	var out []string
	others := slices.DeleteFunc(slices.Clone(i.Needed), func(id string) bool { return slices.Contains(ids, id) })
	if len(others) > 0 {
		out = append(out, fmt.Sprintf("Needed by %s, too: Drawbridge keeps it, and may take it away with the last of them, until these are released as well.", strings.Join(others, ", ")))
	}
	if i.Before != "" && i.Kind == ledger.Route {
		out = append(out, "Before Drawbridge this route was "+i.Before+".")
	}
	if i.Past != "" {
		out = append(out, "It takes this traffic past "+i.Past+", by its owner's leave.")
	}
	return out
}

// unique gives resources of one type that would have one name different ones.
func unique(things []thing) []thing {
	seen := map[string]int{}
	for n := range things {
		t := &things[n]
		key := t.typ + "." + t.name
		if seen[key]++; seen[key] > 1 {
			t.name = fmt.Sprintf("%s_%d", t.name, seen[key])
		}
		if t.native == nil {
			continue
		}
		if seen[t.native.logical]++; seen[t.native.logical] > 1 {
			t.native.logical = fmt.Sprintf("%sN%d", t.native.logical, seen[t.native.logical])
		}
	}
	return things
}

// releases are the commands by which Drawbridge lets go of entries, and kept are the entries of which it never does: it keeps these as long as a tag of their
// owner's asks for them.
func releases(r board.Rows, ids []string) (commands, kept []string) {
	for _, id := range ids {
		switch c, _ := r.Entry(id); c.Kind {
		case road.Peering, road.Attachment, road.DataAPI, road.DataAPIEndpoint, road.PrivateNotebooks, road.Studio:
			commands = append(commands, "drawbridge release "+id)
		case road.Transit:
			commands = append(commands, "drawbridge release "+attachmentOf(r, c))
		case road.Share:
			kept = append(kept, id)
		}
	}
	slices.Sort(commands)
	return slices.Compact(commands), kept
}

// attachmentOf names an attachment by which a pair on a gateway is let go of, with its other pairs: it is managed, and of one of the two VPCs.
func attachmentOf(r board.Rows, pair ledger.Connection) string {
	gateway, _, _ := strings.Cut(pair.ID, ":")
	var found []string
	for _, c := range r.Entries() {
		of := func(id string) bool {
			return slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.ID == id })
		}
		if c.Kind == road.Attachment && of(gateway) && slices.ContainsFunc(pair.Sides, func(s ledger.Side) bool { return of(s.ID) }) {
			found = append(found, c.ID)
		}
	}
	if len(found) == 0 {
		return "tgw-attach-… (an attachment of one of the two VPCs to " + gateway + ")"
	}
	slices.Sort(found)
	return found[0]
}

// slug is what files of entries are called.
func slug(ids []string) string {
	name := ids[0]
	if arn.AccountOf(name) != "" {
		name = name[strings.LastIndexAny(name, ":/")+1:]
	}
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, name)
	if len(ids) > 1 {
		name += fmt.Sprintf("-and-%d", len(ids)-1)
	}
	return name
}
