package studio

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// RoleName returns the name of the role that the readers of a cluster assume. A role's name has at most 64 characters; of
// a longer one the end becomes a hash.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func RoleName(region, cluster string) string {
	name := RolePrefix + region + "-" + cluster
	if len(name) <= 64 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:55] + "-" + hex.EncodeToString(sum[:4])
}

// document is an IAM policy.
type document struct {
	Version   string
	Statement []policydocument.Statement
}

func (d document) text() string {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and lists always encode
	}
	return string(text)
}

// maxTrust is how many characters a trust policy may have, without white space, unless AWS raised the account's quota.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxTrust = 2048

// Trust returns the trust policy of the readers' role: exactly these execution roles, and only with a source identity. Without any it
// denies everybody: IAM takes no empty one.
func Trust(readers []string) string {
	actions := []string{"sts:AssumeRole", "sts:SetSourceIdentity"}
	if len(readers) == 0 {
		return document{policydocument.Version, []policydocument.Statement{{Sid: "DrawbridgeNobody", Effect: "Deny", Principal: map[string][]string{"AWS": {"*"}}, Action: actions}}}.text()
	}
	readers = slices.Sorted(slices.Values(readers))
	return document{policydocument.Version, []policydocument.Statement{{Sid: "DrawbridgeReaders", Effect: "Allow", Action: actions,
		Principal: map[string][]string{"AWS": slices.Compact(readers)},
		// Without it somebody could assume the role as nobody.
		Condition: map[string]map[string][]string{"StringLike": {"sts:SourceIdentity": {"*"}}}}}}.text()
}

// Fit returns those of the readers that fit into the trust policy of the readers' role, and those that do not: who reads already comes first,
// then by name.
func Fit(readers, already []string) (fit, full []string) {
	order := slices.Compact(slices.Sorted(slices.Values(readers)))
	slices.SortStableFunc(order, func(a, b string) int {
		return cmp.Compare(btoi(!slices.Contains(already, a)), btoi(!slices.Contains(already, b)))
	})
	for _, r := range order {
		if len(Trust(append(slices.Clone(fit), r))) > maxTrust {
			full = append(full, r)
		} else {
			fit = append(fit, r)
		}
	}
	slices.Sort(fit)
	return fit, full
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Permissions returns what the readers' role may do: on exactly this cluster, as exactly the user of the session's source
// identity, in exactly the groups.
// https://docs.aws.amazon.com/redshift/latest/mgmt/generating-iam-credentials-role-permissions.html
func Permissions(w workflow.Warehouse) string {
	partition := arn.PartitionOf(w.ARN)
	of := func(kind, thing string) string {
		return arn.New(partition, "redshift", w.Region, w.Account, kind+":"+thing)
	}
	const self = "${aws:SourceIdentity}"
	asSelf := map[string]map[string][]string{"StringEquals": {"redshift:DbUser": {self}}}
	all := []policydocument.Statement{
		{Sid: "DrawbridgeCredentials", Effect: "Allow", Action: []string{"redshift:GetClusterCredentials"},
			Resource: []string{of("dbname", w.ID+"/*"), of("dbuser", w.ID+"/"+self)}, Condition: asSelf},
		{Sid: "DrawbridgeCreateUser", Effect: "Allow", Action: []string{"redshift:CreateClusterUser"},
			Resource: []string{of("dbuser", w.ID+"/"+self)}, Condition: asSelf},
		{Sid: "DrawbridgeQuery", Effect: "Allow",
			Action:   []string{"redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"},
			Resource: []string{of("cluster", w.ID)},
			// The owner's tag counts at once, before Drawbridge hears of it. Of a cluster's users and databases, which are what credentials
			// are for, IAM knows no tags.
			// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshift.html
			Condition: map[string]map[string][]string{"Null": {"aws:ResourceTag/" + tag.Studio: {"false"}}}},
		// These know a statement, not a cluster; each session sees its own.
		// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-iam.html
		{Sid: "DrawbridgeResults", Effect: "Allow",
			Action:   []string{"redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"},
			Resource: []string{"*"}, Condition: map[string]map[string][]string{"StringEquals": {"redshift-data:statement-owner-iam-userid": {"${aws:userid}"}}}},
		{Sid: "DrawbridgeDescribe", Effect: "Allow", Action: []string{"redshift:DescribeClusters"}, Resource: []string{"*"}},
	}
	if len(w.Groups) > 0 {
		var groups []string
		for _, g := range w.Groups {
			groups = append(groups, of("dbgroup", w.ID+"/"+g))
		}
		all = append(all, policydocument.Statement{Sid: "DrawbridgeJoinGroups", Effect: "Allow", Action: []string{"redshift:JoinGroup"}, Resource: groups})
	}
	return document{policydocument.Version, all}.text()
}

// Readers returns the execution roles that the trust policy of a readers' role admits, sorted.
func Readers(trust string) ([]string, error) {
	var d struct {
		Statement []struct {
			Effect    string
			Principal struct{ AWS any }
		}
	}
	if err := json.Unmarshal([]byte(trust), &d); err != nil {
		return nil, fmt.Errorf("reading the trust policy of the readers' role: %w", err)
	}
	var out []string
	for _, s := range d.Statement {
		if s.Effect == "Allow" {
			out = append(out, texts(s.Principal.AWS)...)
		}
	}
	// IAM writes the id of a principal that was deleted instead of its ARN.
	out = slices.DeleteFunc(out, func(p string) bool { return !strings.Contains(p, ":role/") })
	slices.Sort(out)
	return slices.Compact(out), nil
}

// texts returns a string, or the strings of a list.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, one := range v {
			if text, ok := one.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	return nil
}

// PolicyOf returns the name of the inline policy with which an execution role may assume the readers' role of a warehouse: one for each.
// It has at most 115 characters of the 128 that IAM takes.
func PolicyOf(w workflow.Warehouse) string {
	return RolePrefix + w.Account + "-" + w.Region + "-" + w.ID
}

// Assume returns that inline policy: it may assume the readers' role, and is one session with it by its source identity.
func Assume(readers string) string {
	return document{policydocument.Version, []policydocument.Statement{{Sid: "DrawbridgeAssumeReaders", Effect: "Allow",
		Action: []string{"sts:AssumeRole", "sts:SetSourceIdentity"}, Resource: []string{readers}}}}.text()
}

// A Deed is what is to be done about one thing that a reader needs on an execution role.
type Deed string

// The deeds.
const (
	Write   Deed = "write"   // it is missing
	Again   Deed = "again"   // somebody took it away: package contest says whether it is put back
	Keep    Deed = "keep"    // Drawbridge wrote it, and it is as it was left
	Theirs  Deed = "theirs"  // its owner has what serves: nothing is written, and nothing will be taken away
	Contest Deed = "contest" // its owner changed it, or has another in its place: it is theirs from now on
	InWay   Deed = "in way"  // its owner has something else in its place
)

// Needed decides about a thing. item is what the ledger has of it, nil if nothing; there is a digest of what stands in its place, "" if nothing
// does; serves says whether the role has what a reader needs of it, whoever wrote it.
//
//	the ledger            the role                     →
//	nothing               has what serves              → theirs
//	                      has something else there     → in way
//	                      nothing                      → write
//	contested             has what serves              → theirs
//	                      else                         → in way
//	leaving               whatever                     → write: the ledger says when it may be needed again
//	intended, confirmed   as it was left               → keep
//	                      something else there         → contest
//	intended              nothing                      → write
//	confirmed             nothing, another serves      → contest
//	                      nothing                      → again
func Needed(item *ledger.Item, there string, serves bool) Deed {
	theirs := map[bool]Deed{true: Theirs, false: InWay}[serves]
	switch {
	case item == nil && !serves && there == "":
		return Write
	case item == nil, item.State == ledger.Contested:
		return theirs
	case item.State == ledger.Leaving:
		return Write
	case there != "" && there == item.Left:
		return Keep
	case there != "":
		return Contest
	case item.State != ledger.Confirmed:
		return Write
	case serves:
		return Contest
	}
	return Again
}

// A Move is what is to be done with a domain's setting.
type Move string

// The moves.
const (
	Leave   Move = "leave"   // it is as it should be
	Set     Move = "set"     // people become identified
	Adopt   Move = "adopt"   // it is set, by a call whose answer was lost
	Restore Move = "restore" // what it was before Drawbridge changed it
	Wait    Move = "wait"    // it would change, but apps are there
	Block   Move = "block"   // some apps could not start with it
	Closed  Move = "closed"  // its owner did not open the domain to Drawbridge
	Forget  Move = "forget"  // its owner changed it: it is theirs
	Dispute Move = "dispute" // its owner turned it off again
	Other   Move = "other"   // another warehouse still needs it
)

// Setting is what is known of a domain's setting ExecutionRoleIdentityConfig.
type Setting struct {
	Wanted  bool // somebody in the domain reads the warehouse
	Opened  bool // its owner opened the domain to Drawbridge
	Unready bool // some of its apps could not start with it
	Now     string
	Apps    int // that are neither deleted nor failed
	// Item is what the ledger has of it, nil if nothing. Last says that nobody else needs it than the warehouse that is looked at, or that it is
	// leaving for that one.
	Item *ledger.Item
	Last bool
}

// Identity decides about a domain's setting.
//
//	wanted  set, and the ledger has no call of ours                   → leave: its owner set it
//	        set, and ours                                             → leave, or adopt if the answer of our call was lost
//	        set and ours, but the domain is not opened any more       → as if it were not wanted
//	        not set, contested                                        → dispute
//	        not set, the domain is not opened                         → closed
//	        not set, a role is not ready for it                       → block
//	        not set                                                   → set, or wait while there are apps
//	not wanted  not ours                                              → leave
//	            ours, another warehouse needs it                      → other
//	            ours, and not as we left it                           → forget
//	            ours, as we left it                                   → restore, or wait while there are apps
func Identity(s Setting) Move {
	change := func(m Move) Move {
		if s.Apps > 0 {
			return Wait
		}
		return m
	}
	state := stateOf(s.Item)
	if wanted(s) {
		switch {
		case s.Now == ByProfile && (state == ledger.Intended || state == ledger.Leaving):
			return Adopt
		case s.Now == ByProfile:
			return Leave
		case state == ledger.Contested:
			return Dispute
		case !s.Opened:
			return Closed
		case s.Unready:
			return Block
		}
		return change(Set)
	}
	switch {
	case !made(state):
		return Leave
	case !s.Last:
		return Other
	case s.Now != s.Item.Left:
		return Forget
	}
	return change(Restore)
}

// wanted reports whether a domain shall have the setting: somebody in it reads the warehouse, and its owner did not close it again to Drawbridge,
// which set it.
func wanted(s Setting) bool {
	return s.Wanted && !(made(stateOf(s.Item)) && s.Now == ByProfile && !s.Opened)
}

// made reports whether the ledger says in this state that Drawbridge changed the thing, or was about to.
func made(s ledger.State) bool {
	return s == ledger.Intended || s == ledger.Confirmed || s == ledger.Leaving
}

func stateOf(item *ledger.Item) ledger.State {
	if item == nil {
		return ""
	}
	return item.State
}

// userForm is what the name of a database user may look like that GetClusterCredentials creates.
// https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html
var userForm = regexp.MustCompile(`^[a-z][a-z0-9_+.@-]{0,63}$`)

// CanBeUser reports whether a user profile's name can be the name of a database user.
func CanBeUser(profile string) bool { return userForm.MatchString(profile) }

// End names the end of an execution about a warehouse.
//
//	something is not as it should be, and no app is to blame → Incomplete
//	a domain waits for its apps                               → AwaitingApps
//	nobody may read the warehouse                             → Removed
//	else                                                      → Identified
func End(readers int, verdict []workflow.Hop, domains []workflow.IdentifyUsersOutput) workflow.Result {
	waiting := slices.ContainsFunc(domains, func(d workflow.IdentifyUsersOutput) bool { return d.Waiting })
	switch {
	case slices.ContainsFunc(verdict, func(h workflow.Hop) bool {
		return !h.OK && !slices.ContainsFunc(domains, func(d workflow.IdentifyUsersOutput) bool {
			return d.Waiting && slices.Contains(d.Hops, h)
		})
	}):
		return workflow.Incomplete
	case waiting:
		return workflow.AwaitingApps
	case readers == 0:
		return workflow.Removed
	}
	return workflow.Identified
}
