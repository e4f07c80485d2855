package attachment_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const (
	alpha   = "111111111111" // owns the gateway
	beta    = "222222222222" // owns the VPC
	gateway = "tgw-0123456789abcdef0"
	vpc     = "vpc-0b1c2d3e4f5a60718"
	ours    = "tgw-attach-0123456789abcdef0"
)

// subnets are two in each of two zones, and one in a third.
func subnets() []attachment.Subnet {
	return []attachment.Subnet{
		{ID: "subnet-a1", Zone: "a", Free: 10, V4: true}, {ID: "subnet-a2", Zone: "a", Free: 200, V4: true},
		{ID: "subnet-b1", Zone: "b", Free: 10, V4: true}, {ID: "subnet-b2", Zone: "b", Free: 10, V4: true},
		{ID: "subnet-c1", Zone: "c", Free: 10, V4: true},
	}
}

// question is a VPC with a database in the zones a and b that asks for a gateway which it is given.
func question(change ...func(*attachment.Question)) attachment.Question {
	q := attachment.Question{
		Gateway:     workflow.Gateway{ID: gateway, Account: alpha, Region: "us-east-1", Association: "tgw-rtb-1", Propagation: "tgw-rtb-1", DNS: true},
		VPC:         workflow.VPC{Account: beta, Region: "us-east-1", ID: vpc},
		OwnerMember: true, Asked: true, Visible: true, Managed: true,
		Adopt:     policy.Decision{Action: policy.AdoptAttachment, Allowed: true, Policy: "adopt"},
		Associate: policy.Decision{Action: policy.Associate, Allowed: true, Policy: "associate"},
		Attach:    policy.Decision{Action: policy.Attach, Allowed: true, Policy: "attach"},
		Answer:    policy.Decision{Action: policy.AcceptAttachment, Allowed: true, Policy: "accept"},
		Subnets:   subnets(), Used: []string{"subnet-a1", "subnet-b2"},
	}
	for _, c := range change {
		c(&q)
	}
	return q
}

// attached is an attachment in a state; own says that Drawbridge made it.
func attached(state string, own bool) func(*attachment.Question) {
	return func(q *attachment.Question) {
		q.Attachment = workflow.Attachment{ID: ours, State: state, Own: own, DNS: true, Subnets: []string{"subnet-a2", "subnet-b1"}}
		q.Association, q.Associated, q.Propagated = "associated", "tgw-rtb-1", []string{"tgw-rtb-1"}
	}
}

func unasked(q *attachment.Question)      { q.Asked = false }
func unclear(q *attachment.Question)      { q.Unclear = "; drawbridge:approval=yes means nothing" }
func unshared(q *attachment.Question)     { q.Visible = false }
func outside(q *attachment.Question)      { q.OwnerMember = false }
func unassociated(q *attachment.Question) { q.Association, q.Associated, q.Propagated = "", "", nil }
func given(q *attachment.Question) {
	q.Owners.Owner = map[string]string{"drawbridge:manage": "true"}
}
func requesterGives(q *attachment.Question) {
	q.Owners.VPC = map[string]string{"drawbridge:manage": "true"}
}
func added(q *attachment.Question)     { q.Added = true }
func withPairs(q *attachment.Question) { q.Paired = true }
func told(q *attachment.Question) {
	q.Owners.VPC = map[string]string{"drawbridge:status": "AwaitingApproval"}
}
func refused(q *attachment.Question) {
	q.Owners.VPC = map[string]string{"drawbridge:status": "Refused"}
}
func refusedToOwner(q *attachment.Question) {
	q.Owners.Owner = map[string]string{"drawbridge:status": "Refused"}
}
func ordered(q *attachment.Question) { q.Attachment.Table = "tgw-rtb-1" }
func found(q *attachment.Question)   { q.Managed = false }
func notAssociated(q *attachment.Question) {
	q.Associate = policy.Decision{Action: policy.Associate, Policy: "p"}
}
func defaultless(q *attachment.Question) { q.Gateway.Association, q.Gateway.Propagation = "", "" }
func with(subnets ...string) func(*attachment.Question) {
	return func(q *attachment.Question) { q.Attachment.Subnets = subnets }
}
func answered(action policy.Action, allowed bool) func(*attachment.Question) {
	return func(q *attachment.Question) {
		q.Answer = policy.Decision{Action: action, Allowed: allowed, Policy: "p"}
	}
}
func failed(ids ...string) func(*attachment.Question) {
	return func(q *attachment.Question) { q.Failed = ids }
}
func tables(tables ...attachment.Table) func(*attachment.Question) {
	return func(q *attachment.Question) { q.Tables = tables }
}

func TestJudge(t *testing.T) {
	marked := attachment.Table{ID: "tgw-rtb-2", Tags: map[string]string{"drawbridge:association": " Default", "drawbridge:propagation": "default"}}
	type changes = []func(*attachment.Question)
	for name, c := range map[string]struct {
		change changes
		want   workflow.Answer
		says   string
		does   string // subnets, association, propagation
	}{
		"asked for, nothing is there":               {nil, workflow.AnswerAttach, "attached by policy attach", "[subnet-a2 subnet-b1]  []"},
		"asked for, deleted before":                 {changes{attached("deleted", true)}, workflow.AnswerAttach, "attached", "[subnet-a2 subnet-b1]  []"},
		"asked for, AWS failed it":                  {changes{attached("failed", true), failed(ours)}, workflow.AnswerAttach, "once more after AWS failed " + ours, "[subnet-a2 subnet-b1]  []"},
		"asked for, AWS failed somebody else's":     {changes{attached("failed", false)}, workflow.AnswerAttach, "once more", "[subnet-a2 subnet-b1]  []"},
		"AWS failed two, one since deleted":         {changes{attached("deleted", true), failed("tgw-attach-1", ours)}, workflow.AnswerAttach, "attached by policy attach", "[subnet-a2 subnet-b1]  []"},
		"AWS failed it, the policy allows no more":  {changes{attached("failed", true), failed(ours), func(q *attachment.Question) { q.Attach = policy.Decision{Policy: "p"} }}, workflow.AnswerRefuse, "refused by policy p", "[]  []"},
		"AWS failed it, nobody asks any more":       {changes{attached("failed", true), failed(ours), unasked}, workflow.AnswerRemoved, "failed", "[]  []"},
		"asked for, the owner rejected it":          {changes{attached("rejected", true)}, workflow.AnswerRejected, "rejected", "[]  []"},
		"rejected, and nothing of it is left":       {changes{attached("rejected", false), found}, workflow.AnswerNothing, "nothing of it", "[]  []"},
		"rejected, with pairs":                      {changes{attached("rejected", false), found, withPairs}, workflow.AnswerRejected, "rejected", "[]  []"},
		"rejected, and a status is left":            {changes{attached("rejected", false), found, told}, workflow.AnswerRejected, "rejected", "[]  []"},
		"the policy does not allow it":              {changes{func(q *attachment.Question) { q.Attach = policy.Decision{Policy: "p"} }}, workflow.AnswerRefuse, "refused by policy p", "[]  []"},
		"a VPC without subnets":                     {changes{func(q *attachment.Question) { q.Subnets = nil }}, workflow.AnswerRefuse, "the VPC has none", "[]  []"},
		"not asked for, nothing is there":           {changes{unasked}, workflow.AnswerNothing, "does not ask", "[]  []"},
		"asked for, not given":                      {changes{unshared}, workflow.AnswerNothing, "neither owns nor is given", "[]  []"},
		"the gateway of a stranger":                 {changes{outside}, workflow.AnswerRefuse, "outside the organization", "[]  []"},
		"on its way":                                {changes{attached("pending", true)}, workflow.AnswerWait, "is pending", "[]  []"},
		"being modified":                            {changes{attached("modifying", false)}, workflow.AnswerWait, "is modifying", "[]  []"},
		"waits for the owner, the policy accepts":   {changes{attached("pendingAcceptance", true)}, workflow.AnswerAccept, "accepted by policy accept", "[]  []"},
		"somebody else's, the policy accepts":       {changes{attached("pendingAcceptance", false), unasked}, workflow.AnswerAccept, "accepted", "[]  []"},
		"waits for the owner, the policy asks":      {changes{attached("pendingAcceptance", true), answered(policy.AskAttachment, true)}, workflow.AnswerAsk, "approval needed", "[]  []"},
		"waits for the owner, who wrote nothing":    {changes{attached("pendingAcceptance", true), answered(policy.AskAttachment, true), unclear}, workflow.AnswerAsk, "approval needed by policy p; drawbridge:approval=yes means nothing", "[]  []"},
		"what the VPC asks for means nothing":       {changes{unasked, unclear}, workflow.AnswerNothing, "means nothing", "[]  []"},
		"waits for the owner, the policy refuses":   {changes{attached("pendingAcceptance", true), answered(policy.AskAttachment, false)}, workflow.AnswerRefuse, "refused by policy p", "[]  []"},
		"waits for the owner, nobody asks any more": {changes{attached("pendingAcceptance", true), unasked}, workflow.AnswerDetach, "does not ask", "[]  []"},
		"in order":                                  {changes{attached("available", true)}, workflow.AnswerVerify, "is attached", "[]  []"},
		"somebody else's in order":                  {changes{attached("available", false), unasked}, workflow.AnswerVerify, "is attached", "[]  []"},
		"the tag is gone":                           {changes{attached("available", true), unasked}, workflow.AnswerDetach, "does not ask", "[]  []"},
		"the share ended":                           {changes{attached("available", true), unshared}, workflow.AnswerDetach, "not shared", "[]  []"},
		"the share ended, somebody else's":          {changes{attached("available", false), unshared}, workflow.AnswerVerify, "is attached", "[]  []"},
		"the tag is gone, the owner left":           {changes{attached("available", true), unasked, outside}, workflow.AnswerDetach, "does not ask", "[]  []"},
		"being deleted, nobody asks":                {changes{attached("deleting", true), unasked}, workflow.AnswerRemoved, "deleting", "[]  []"},
		"deleted, nobody asks":                      {changes{attached("deleted", true), unasked}, workflow.AnswerRemoved, "deleted", "[]  []"},
		"being deleted, asked for again":            {changes{attached("deleting", true)}, workflow.AnswerWait, "deleting", "[]  []"},
		"a zone was added":                          {changes{attached("available", true), with("subnet-a1")}, workflow.AnswerAttach, "more Availability Zones", "[subnet-b1]  []"},
		"being associated":                          {changes{attached("available", true), func(q *attachment.Question) { q.Association = "associating" }}, workflow.AnswerWait, "associating", "[]  []"},
		"taken out of the gateway's default":        {changes{attached("available", true), unassociated, tables(marked)}, workflow.AnswerVerify, "is attached", "[]  []"},
		"without a default, a table without a mark": {changes{attached("available", true), unassociated, defaultless, tables(attachment.Table{ID: "tgw-rtb-9"})}, workflow.AnswerVerify, "is attached", "[]  []"},
		"the policy does not associate":             {changes{attached("available", true), unassociated, defaultless, tables(marked), notAssociated}, workflow.AnswerVerify, "is attached", "[]  []"},
		"found, in quarantine":                      {changes{attached("available", false), unasked, unassociated, defaultless, tables(marked), found}, workflow.AnswerNothing, "was there before Drawbridge and is left as it is", "[]  []"},
		"found, in order":                           {changes{attached("available", false), unasked, found}, workflow.AnswerNothing, "drawbridge:manage=true", "[]  []"},
		"found, and still said to be refused":       {changes{attached("available", false), unasked, unassociated, found, refused}, workflow.AnswerReleased, "said on it no more", "[]  []"},
		"the same, in order, said to its owner":     {changes{attached("available", false), unasked, found, refusedToOwner}, workflow.AnswerReleased, "was there before Drawbridge", "[]  []"},
		"the same, the VPC asks still":              {changes{attached("available", false), unassociated, found, refused}, workflow.AnswerRefuse, "Drawbridge did not make it", "[]  []"},
		"the same, the policy adopts no more":       {changes{attached("available", false), unassociated, found, refused, func(q *attachment.Question) { q.Adopt = policy.Decision{Policy: "p"} }}, workflow.AnswerReleased, "refused by policy p", "[]  []"},
		"found, its entry was lost":                 {changes{attached("available", false), unasked, found, told}, workflow.AnswerNothing, "was there before Drawbridge", "[]  []"},
		"without a default, the one that is marked": {changes{attached("available", true), unassociated, defaultless, tables(attachment.Table{ID: "tgw-rtb-1"}, marked)}, workflow.AnswerAssociate, "not associated", "[] tgw-rtb-2 [tgw-rtb-2]"},
		"without a default, none of two is marked":  {changes{attached("available", true), unassociated, defaultless, tables(attachment.Table{ID: "tgw-rtb-1"}, attachment.Table{ID: "tgw-rtb-2"})}, workflow.AnswerVerify, "is attached", "[]  []"},
		"its owner took the association away":       {changes{attached("available", true), unassociated, ordered}, workflow.AnswerRemoved, "was taken out of its route table", "[]  []"},
		"the same, propagation is Drawbridge's":     {changes{attached("available", true), unassociated, ordered, added}, workflow.AnswerDisassociate, "was taken out of its route table", "[]  []"},
		"somebody else's, the VPC asks":             {changes{attached("available", false), unassociated, defaultless, tables(marked), found}, workflow.AnswerRefuse, "Drawbridge did not make it", "[]  []"},
		"the same, the VPC's owner gives it":        {changes{attached("available", false), unassociated, defaultless, tables(marked), found, requesterGives}, workflow.AnswerRefuse, "Drawbridge did not make it", "[]  []"},
		"the same, the policy does not adopt":       {changes{attached("available", false), unassociated, defaultless, tables(marked), found, func(q *attachment.Question) { q.Adopt = policy.Decision{Policy: "p"} }}, workflow.AnswerNothing, "refused by policy p", "[]  []"},
		"somebody else's, managed":                  {changes{attached("available", false), unassociated, defaultless, tables(marked)}, workflow.AnswerRefuse, "Drawbridge did not make it", "[]  []"},
		"somebody else's, the gateway's owner says": {changes{attached("available", false), unassociated, defaultless, tables(marked), given}, workflow.AnswerAssociate, "not associated", "[] tgw-rtb-2 [tgw-rtb-2]"},
		"somebody else's, propagated nowhere":       {changes{attached("available", false), defaultless, tables(marked), func(q *attachment.Question) { q.Propagated = nil }}, workflow.AnswerVerify, "is attached", "[]  []"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := attachment.Judge(question(c.change...))
			if err != nil {
				t.Fatal(err)
			}
			if does := fmt.Sprint(v.Subnets, " ", v.Associate, " ", v.Propagate); v.Answer != c.want || !strings.Contains(v.Reason, c.says) || does != c.does || v.Undone != (v.Answer == workflow.AnswerReleased) {
				t.Errorf("got %+v, want %s because %q, doing %s", v, c.want, c.says, c.does)
			}
		})
	}
}

func TestWhatAWSFailedTwiceIsAConflict(t *testing.T) {
	v, err := attachment.Judge(question(attached("failed", true), failed("tgw-attach-1", ours)))
	if fault.Of(err) != fault.Conflict || v.Answer != "" {
		t.Fatalf("got %+v, %v", v, err)
	}
	for _, said := range []string{vpc, gateway, "tgw-attach-1 and " + ours, beta, "CloudTrail", "redrive"} {
		if !strings.Contains(err.Error(), said) {
			t.Errorf("%v does not say %s", err, said)
		}
	}
}

func TestAnAttachmentOfSomebodyElseIsNotModified(t *testing.T) {
	v, err := attachment.Judge(question(attached("available", false), with("subnet-a1")))
	if err != nil || v.Answer != workflow.AnswerVerify || len(v.Subnets) > 0 || len(v.Lacking) != 1 || !strings.Contains(v.Lacking[0].Detail, "no subnet in b") || !strings.Contains(v.Lacking[0].Detail, "remedy") {
		t.Errorf("got %+v", v)
	}
}

func TestManages(t *testing.T) {
	says := func(word string) func(*attachment.Question) {
		return func(q *attachment.Question) { q.Owners.VPC = map[string]string{"drawbridge:manage": word} }
	}
	closed := func(q *attachment.Question) { q.Adopt = policy.Decision{Policy: "hands-off"} }
	type changes = []func(*attachment.Question)
	for name, c := range map[string]struct {
		change changes
		want   string
	}{
		"known":                          {changes{attached("available", false), unasked}, "true "},
		"there is none":                  {changes{found}, "false "},
		"deleted":                        {changes{attached("deleted", true), found}, "false "},
		"Drawbridge made it":             {changes{attached("available", true), found}, "true requested"},
		"it waits for its owner":         {changes{attached("pendingAcceptance", false), unasked, found}, "true requested"},
		"its request was seen":           {changes{attached("available", false), unasked, found, func(q *attachment.Question) { q.Requested = true }}, "true requested"},
		"the VPC asks for the gateway":   {changes{attached("available", false), found}, "true adopted"},
		"an owner gives it":              {changes{attached("available", false), unasked, found, says("true")}, "true adopted"},
		"it is given, the policy not":    {changes{attached("available", false), unasked, found, says("true"), closed}, "false "},
		"it is asked for, not given":     {changes{attached("available", false), unshared, found}, "false "},
		"it is kept out, and asked for":  {changes{attached("available", false), unassociated, found}, "false "},
		"it is kept out, the VPC's says": {changes{attached("available", false), unassociated, found, requesterGives}, "false "},
		"it is kept out, its owner says": {changes{attached("available", false), unassociated, found, given}, "true adopted"},
		"nobody says anything about it":  {changes{attached("available", false), unasked, found}, "false "},
	} {
		managed, origin, why := attachment.Manages(question(c.change...))
		if got := fmt.Sprint(managed, " ", origin); got != c.want || managed && why != "" {
			t.Errorf("%s: %s, because %q", name, got, why)
		}
	}
}

func TestEitherOwnerLetsGo(t *testing.T) {
	tags := func(word string) map[string]string { return map[string]string{"drawbridge:manage": word} }
	for want, said := range map[string][]map[string]string{"": {nil, {}}, "true": {tags("true"), nil}, "false": {tags("true"), tags("false")}, "undo": {tags("undo"), tags("false")}} {
		if got := attachment.Says(said...); got != want {
			t.Errorf("%v: %q, want %q", said, got, want)
		}
	}
}

// Whatever else is so: what was found is never changed, and not even asked about.
func TestWhatIsFoundIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := question(attached("available", false), found)
		q.Asked, q.Visible = rapid.Bool().Draw(t, "asked"), rapid.Bool().Draw(t, "visible")
		q.Association = rapid.SampledFrom([]string{"", "associated"}).Draw(t, "association")
		q.Gateway.Association = rapid.SampledFrom([]string{"", "tgw-rtb-1"}).Draw(t, "default")
		q.Tables = []attachment.Table{{ID: "tgw-rtb-2", Tags: map[string]string{"drawbridge:association": "default", "drawbridge:propagation": "default"}}}
		tags := rapid.SampledFrom([]map[string]string{nil, {"drawbridge:manage": "true"}, {"drawbridge:approval": "approved"}, {"drawbridge:approval": "rejected"}, {"drawbridge:manage": "undo"}})
		q.Owners.VPC, q.Added = tags.Draw(t, "of the VPC's owner"), rapid.Bool().Draw(t, "added")
		v, err := attachment.Judge(q)
		said := v.Answer == workflow.AnswerNothing || v.Answer == workflow.AnswerRefuse && q.Association == ""
		if err != nil || !said || v.Associate != "" || len(v.Propagate) > 0 || len(v.Subnets) > 0 {
			t.Fatalf("got %+v for %+v", v, q)
		}
	})
}

// Whatever else is so: only the gateway's owner, in the own account, opens the route tables to what Drawbridge did not make, and the VPC's owner
// hears nothing of them.
func TestNobodyElseOpensAQuarantine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := question(attached("available", false), unassociated, defaultless)
		q.Managed, q.Requested, q.Asked = rapid.Bool().Draw(t, "managed"), rapid.Bool().Draw(t, "requested"), rapid.Bool().Draw(t, "asked")
		q.Tables = []attachment.Table{{ID: "tgw-rtb-2", Tags: map[string]string{"drawbridge:association": "default", "drawbridge:propagation": "default"}}}
		q.Association = rapid.SampledFrom([]string{"", "associated"}).Draw(t, "association")
		tags := rapid.SampledFrom([]map[string]string{nil, {"drawbridge:manage": "true"}, {"drawbridge:approval": "approved"}, {"drawbridge:accept": "auto"}})
		q.Owners.VPC = tags.Draw(t, "of the VPC's owner")
		if rapid.Bool().Draw(t, "approved") {
			q.Owners.Owner = map[string]string{"drawbridge:approval": "approved"}
		}
		v, err := attachment.Judge(q)
		if err != nil || v.Answer == workflow.AnswerAssociate || v.Associate != "" || len(v.Propagate) > 0 || strings.Contains(v.Said.Requester, "table") {
			t.Fatalf("got %+v for %+v", v, q)
		}
		q.Owners.Owner, q.Managed = map[string]string{"drawbridge:manage": "true"}, true
		if v, err := attachment.Judge(q); err != nil || v.Answer != workflow.AnswerAssociate {
			t.Fatalf("its owner gives it: %+v", v)
		}
	})
}

func TestOwnersTakeBack(t *testing.T) {
	tag := func(key, value string) map[string]string { return map[string]string{key: value} }
	rejected, never := tag("drawbridge:approval", "rejected"), tag("drawbridge:accept", "never")
	type changes = []func(*attachment.Question)
	owners := func(gateway, owner, vpc map[string]string) func(*attachment.Question) {
		return func(q *attachment.Question) { q.Owners = attachment.Owners{Gateway: gateway, Owner: owner, VPC: vpc} }
	}
	told := func(q *attachment.Question) {
		q.Status, q.Because = "Removed", "the owner of account "+alpha+" takes it back: "+ours+" is tagged drawbridge:approval=rejected"
	}
	for name, c := range map[string]struct {
		change changes
		want   workflow.Answer
		by     string
	}{
		"the gateway takes nobody":                {changes{owners(never, nil, nil)}, workflow.AnswerRemoved, alpha},
		"it is rejected by the gateway's owner":   {changes{owners(nil, rejected, nil)}, workflow.AnswerRemoved, alpha},
		"it is rejected by the VPC's owner":       {changes{owners(nil, nil, rejected)}, workflow.AnswerRemoved, beta},
		"the ledger has what was added":           {changes{owners(nil, rejected, nil), added}, workflow.AnswerDisassociate, alpha},
		"both were told, and nothing is left":     {changes{owners(nil, rejected, nil), told}, workflow.AnswerNothing, alpha},
		"both were told, and there are pairs":     {changes{owners(nil, rejected, nil), told, withPairs}, workflow.AnswerRemoved, alpha},
		"both were told of another cause":         {changes{owners(never, nil, nil), told}, workflow.AnswerRemoved, alpha},
		"it was not given to Drawbridge":          {changes{attached("available", false), owners(never, rejected, rejected), found}, workflow.AnswerNothing, ""},
		"the gateway asks":                        {changes{owners(tag("drawbridge:accept", "ask"), nil, nil)}, workflow.AnswerVerify, ""},
		"the VPC's owner does not ask any more":   {changes{owners(never, nil, nil), unasked}, workflow.AnswerDetach, ""},
		"a tag of another thing":                  {changes{owners(rejected, never, never)}, workflow.AnswerVerify, ""},
		"somebody else's, rejected and kept out":  {changes{attached("available", false), unassociated, owners(nil, rejected, nil)}, workflow.AnswerRemoved, alpha},
		"Drawbridge's own, being taken out still": {changes{ordered, func(q *attachment.Question) { q.Association = "disassociating" }}, workflow.AnswerWait, ""},
	} {
		v, err := attachment.Judge(question(append(changes{attached("available", true)}, c.change...)...))
		if err != nil || v.Answer != c.want {
			t.Errorf("%s: %+v, %v, want %s", name, v, err, c.want)
		}
		if c.by == "" {
			continue
		}
		if !strings.Contains(v.Reason, c.by+" takes it back") || !strings.Contains(v.Said.Requester, c.by+" takes it back") || !strings.Contains(v.Said.Accepter, c.by+" takes it back") {
			t.Errorf("%s: says %q and %+v", name, v.Reason, v.Said)
		}
		if c.by == alpha && strings.Contains(v.Said.Requester, "drawbridge:") {
			t.Errorf("%s: the VPC's owner hears %q", name, v.Said.Requester)
		}
	}
}

// What was undone is not made again, whether AWS shows it still or not, until its VPC's owner asks anew.
func TestWhatWasUndoneIsNotMadeAgain(t *testing.T) {
	undone := func(q *attachment.Question) { q.Undone = true }
	type changes = []func(*attachment.Question)
	for name, c := range map[string]struct {
		change changes
		want   workflow.Answer
	}{
		"it is shown still, and the ledger has it": {changes{attached("deleted", true), undone}, workflow.AnswerRemoved},
		"it is shown still":                        {changes{attached("deleted", true), found, undone}, workflow.AnswerNothing},
		"it is shown no more":                      {changes{attached("", false), found, undone}, workflow.AnswerNothing},
		"asked for anew, and shown still":          {changes{attached("deleted", true), found}, workflow.AnswerAttach},
		"asked for anew":                           {changes{attached("", false), found}, workflow.AnswerAttach},
	} {
		v, err := attachment.Judge(question(c.change...))
		if err != nil || v.Answer != c.want {
			t.Errorf("%s: %+v, %v, want %q", name, v, err, c.want)
		}
	}
}

func TestLetGo(t *testing.T) {
	says := func(word string) func(*attachment.Question) {
		return func(q *attachment.Question) { q.Owners.Owner = map[string]string{"drawbridge:manage": word} }
	}
	type changes = []func(*attachment.Question)
	for name, c := range map[string]struct {
		change changes
		want   workflow.Answer
	}{
		"nobody says so":                      {changes{attached("available", false)}, ""},
		"its owner gives it":                  {changes{attached("available", false), says("true")}, ""},
		"leave it":                            {changes{attached("available", false), says("false"), added}, workflow.AnswerReleased},
		"leave what Drawbridge made":          {changes{attached("available", true), says("false")}, workflow.AnswerReleased},
		"leave what was never given":          {changes{attached("available", false), says("false"), found}, workflow.AnswerNothing},
		"the same, but there are pairs of it": {changes{attached("available", false), says("false"), found, withPairs}, workflow.AnswerReleased},
		"undo it":                             {changes{attached("available", false), says("undo"), added}, workflow.AnswerDisassociate},
		"it is undone":                        {changes{attached("available", false), says("undo")}, workflow.AnswerReleased},
		"undo what Drawbridge made":           {changes{attached("available", true), says("undo"), added}, workflow.AnswerDetach},
		"it is undone, and on its way out":    {changes{attached("deleting", true), says("undo"), added}, workflow.AnswerRemoved},
		"undo what was never given":           {changes{attached("available", false), says("undo"), found}, workflow.AnswerNothing},
		"undo what was refused":               {changes{attached("available", false), says("undo"), found, refused}, workflow.AnswerReleased},
		"leave what was refused":              {changes{attached("available", false), says("false"), found, refused}, workflow.AnswerReleased},
		"what was refused is over":            {changes{attached("deleted", false), says("undo"), found, refused, unasked}, workflow.AnswerNothing},
		"the same, and its VPC asks still":    {changes{attached("deleted", false), says("undo"), found, refused}, ""},
		"what is undone is over":              {changes{attached("deleted", true), says("undo"), found}, ""},
	} {
		q := question(c.change...)
		if v, let := attachment.LetGo(q); let != (c.want != "") || v.Answer != c.want || v.Undone != (v.Answer == workflow.AnswerReleased && q.Says() == "undo") {
			t.Errorf("%s: %+v, want %q", name, v, c.want)
		}
	}
}

// Whatever else is so: what somebody else made is neither detached nor given subnets.
func TestWhatIsNotOursIsNeverChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := question(attached(rapid.SampledFrom([]string{"pending", "pendingAcceptance", "available", "modifying", "deleting", "rejected"}).Draw(t, "state"), false))
		q.Asked, q.Visible, q.OwnerMember = rapid.Bool().Draw(t, "asked"), rapid.Bool().Draw(t, "visible"), rapid.Bool().Draw(t, "member")
		q.Attachment.Subnets = rapid.SliceOf(rapid.SampledFrom([]string{"subnet-a1", "subnet-b1", "subnet-c1"})).Draw(t, "subnets")
		q.Association = rapid.SampledFrom([]string{"", "associated", "associating"}).Draw(t, "association")
		if v, err := attachment.Judge(q); err != nil || v.Answer == workflow.AnswerDetach || v.Answer == workflow.AnswerAttach {
			t.Fatalf("got %+v for %+v", v, q)
		}
	})
}

func TestCover(t *testing.T) {
	full := func(id string) []attachment.Subnet {
		all := subnets()
		for n := range all {
			if all[n].ID == id {
				all[n].Free = 0
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		subnets        []attachment.Subnet
		used, attached []string
		add, lacking   string
	}{
		"the freest of each used zone":          {subnets(), []string{"subnet-a1", "subnet-b2"}, nil, "[subnet-a2 subnet-b1]", ""},
		"every zone, if nothing is used":        {subnets(), nil, nil, "[subnet-a2 subnet-b1 subnet-c1]", ""},
		"nothing is used, but it is attached":   {subnets(), nil, []string{"subnet-a1"}, "[]", ""},
		"a zone is covered by any of it":        {subnets(), []string{"subnet-a1", "subnet-b2"}, []string{"subnet-a2"}, "[subnet-b1]", ""},
		"all are covered":                       {subnets(), []string{"subnet-a1"}, []string{"subnet-a2"}, "[]", ""},
		"a zone in which every subnet is full":  {full("subnet-c1"), []string{"subnet-a1", "subnet-c1"}, nil, "[subnet-a2]", "no subnet in c has a free IPv4 address"},
		"a zone with IPv6 only":                 {[]attachment.Subnet{{ID: "subnet-a", Zone: "a", Free: 9}}, []string{"subnet-a"}, nil, "[]", "no subnet in a"},
		"what is used elsewhere does not count": {subnets(), []string{"subnet-of-another-vpc", "subnet-a1"}, nil, "[subnet-a2]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			add, lacking := attachment.Cover(c.subnets, c.used, c.attached)
			if fmt.Sprint(add) != c.add || fmt.Sprint(lacking) == "[]" != (c.lacking == "") || !strings.Contains(fmt.Sprint(lacking), c.lacking) {
				t.Errorf("got %v, lacking %v", add, lacking)
			}
		})
	}
}

// One subnet for each zone, never a zone twice, and once they are added nothing more is needed.
func TestCoverIsOneForEachZoneAndEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []attachment.Subnet
		for n := range rapid.IntRange(1, 9).Draw(t, "subnets") {
			all = append(all, attachment.Subnet{ID: fmt.Sprintf("subnet-%d", n), Zone: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone"),
				Free: rapid.Int32Range(0, 3).Draw(t, "free"), V4: rapid.Bool().Draw(t, "v4")})
		}
		id := func(label string) []string {
			var out []string
			for _, s := range all {
				if rapid.Bool().Draw(t, label) {
					out = append(out, s.ID)
				}
			}
			return out
		}
		used, before := id("used"), []string{}
		add, lacking := attachment.Cover(all, used, before)
		zones := map[string]int{}
		for _, s := range all {
			if slices.Contains(add, s.ID) {
				zones[s.Zone]++
				if s.Free == 0 || !s.V4 {
					t.Fatalf("%+v will not do", s)
				}
			}
		}
		for zone, n := range zones {
			if n > 1 {
				t.Fatalf("%d subnets in %s", n, zone)
			}
		}
		if len(add) == 0 {
			return
		}
		more, still := attachment.Cover(all, used, add)
		if len(more) > 0 || len(used) > 0 && len(still) != len(lacking) {
			t.Fatalf("after %v: %v, lacking %v, before %v", add, more, still, lacking)
		}
		slices.Reverse(all)
		if again, _ := attachment.Cover(all, used, before); !slices.Equal(again, add) {
			t.Fatalf("in another order %v, before %v", again, add)
		}
	})
}

func TestOrder(t *testing.T) {
	g := workflow.Gateway{ID: gateway, DNS: true}
	a := workflow.Attachment{ID: ours, DNS: true}
	held := func(by ...string) []attachment.Held {
		return []attachment.Held{{CIDR: "10.1.0.0/16", Table: "tgw-rtb-1", By: by}}
	}
	table := []string{"tgw-rtb-1"}
	for name, c := range map[string]struct {
		gateway    workflow.Gateway
		attachment workflow.Attachment
		table      string
		propagated []string
		held       []attachment.Held
		missing    string
		lacks      string
		settled    bool
	}{
		"in order":                           {g, a, "tgw-rtb-1", table, held(ours), "", "", true},
		"never associated":                   {g, a, "", table, held(ours), "belongs to no route table", "has no association", true},
		"taken out of its table":             {g, workflow.Attachment{ID: ours, DNS: true, Table: "tgw-rtb-1"}, "", table, held(ours), "somebody took it out", "somebody took it out of tgw-rtb-1", true},
		"overlaps another":                   {g, a, "tgw-rtb-1", table, held("tgw-attach-2"), "leads 10.1.0.0/16 to tgw-attach-2", "is not propagated to tgw-rtb-1, which leads it to tgw-attach-2: they overlap", true},
		"not propagated yet":                 {g, a, "tgw-rtb-1", table, held(), "anywhere yet", "", false},
		"static routes":                      {g, a, "tgw-rtb-1", nil, nil, "only static routes", "", true},
		"DNS support off on the attachment":  {g, workflow.Attachment{ID: ours}, "tgw-rtb-1", table, held(ours), "off on " + ours, "", true},
		"DNS support off on the gateway too": {workflow.Gateway{ID: gateway}, a, "tgw-rtb-1", table, held(ours), "off on " + gateway, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			hops, lacks, remedies, settled := attachment.Order(c.gateway, c.attachment, c.table, c.propagated, c.held)
			var missing []string
			for _, h := range hops {
				if !h.OK {
					missing = append(missing, h.Detail)
				}
			}
			if got := strings.Join(missing, "; "); c.missing == "" != (got == "") || !strings.Contains(got, c.missing) {
				t.Errorf("missing %q, want %q", got, c.missing)
			}
			if got := strings.Join(lacks, "; "); c.lacks == "" != (got == "") || !strings.Contains(got, c.lacks) || len(lacks) > 0 && len(remedies) == 0 {
				t.Errorf("lacks %q with remedies %q, want %q", got, remedies, c.lacks)
			}
			if settled != c.settled {
				t.Errorf("settled is %v", settled)
			}
		})
	}
}

func TestPassing(t *testing.T) {
	for state, want := range map[string]bool{"pending": true, "modifying": true, "available": false, "pendingAcceptance": false, "deleting": false, "": false} {
		if v, passing := attachment.Passing(workflow.Attachment{ID: "tgw-attach-1", State: state}); passing != want || passing && v.Answer != workflow.AnswerWait {
			t.Errorf("%q: %v, %+v", state, passing, v)
		}
	}
}

func TestPeersAreThoseOfTheLedger(t *testing.T) {
	pair := func(id string, kind road.Kind, vpcs ...string) ledger.Connection {
		c := ledger.Connection{ID: id, Kind: kind}
		for _, v := range vpcs {
			c.Sides = append(c.Sides, ledger.Side{ID: v, Account: "account of " + v})
		}
		return c
	}
	got := attachment.Peers([]ledger.Connection{pair("tgw-1:vpc-a:vpc-b", road.Transit, "vpc-a", "vpc-b"), pair("tgw-2:vpc-a:vpc-c", road.Transit, "vpc-a", "vpc-c"),
		pair("tgw-1:vpc-b:vpc-d", road.Transit, "vpc-b", "vpc-d"), pair("pcx-1", road.Peering, "vpc-a", "vpc-e")}, "tgw-1", "vpc-a")
	if want := map[string]string{"vpc-b": "account of vpc-b"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
