package privatenotebooks

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/iampolicy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Grant is what an account's policy has and what it shall have.
type Grant struct {
	ARN       string
	Endpoints []string // ids that the policy shall name
	Document  string   // of the policy's default version; empty: there is no policy
	Own       bool     // the ledger has the policy: it is Drawbridge's
	Edited    bool     // it is Drawbridge's, and not as Drawbridge left it
	Versions  []string // of the policy that are not the default, oldest first
	Tagged    []string // names of the roles that carry the tag
	Unclear   []string // of which roles the tag means nothing, and why
	Attached  []string // names of the roles that have the policy
	Given     []string // those of them to which the ledger says that Drawbridge gave it
	Closed    []string // names of the roles whose tag says clearly that they shall not have it
	// Left are the names of the roles of which somebody took the policy again after it was put back, and Kept says that somebody keeps
	// writing the policy otherwise: that is left to them.
	Left []string
	Kept bool
	// Released says that no VPC of the account is Drawbridge's any more, and that the policy names endpoints of one that was let go of.
	Released bool
}

// Name says which endpoints the policy shall name: those of the VPCs that are Drawbridge's, and of the VPCs that were let go of those that it names now.
func (g *Grant) Name(ids, released []string, account, region string) {
	now, _ := Written(g.Document, account, region)
	kept := slices.DeleteFunc(slices.Clone(released), func(id string) bool { return !slices.Contains(now, id) })
	g.Endpoints, g.Released = sorted(append(kept, ids...)), len(ids) == 0 && len(kept) > 0
}

// GrantChanges is what brings an account's policy in line. Its zero value changes nothing.
type GrantChanges struct {
	Create  string   // a document: the policy is made with it
	Replace string   // a document: a new default version
	Drop    []string // versions to be deleted first, for want of room
	Attach  []string // roles
	Detach  []string // roles
	Delete  bool     // the policy, when nothing has it any more; its other versions go first
}

// maxVersions is how many versions IAM keeps of a managed policy.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxVersions = 5

// PlanGrant returns what brings an account's policy in line:
//
//	endpoints, no policy                           → create it, attach it
//	endpoints, the policy names exactly these      → nothing
//	endpoints, the policy says something else      → a new default version, unless that is left to who wrote it
//	a tagged role without the policy               → attach, unless that is left to who took it
//	a role that was given it, without the tag      → detach
//	no endpoints, no policy                        → nothing
//	no endpoints, the policy as it was left        → detach it from those that were given it, delete it
//	no endpoints, a policy that somebody changed   → detach it from those that were given it
//	a policy that the ledger has not               → it is somebody else's: neither changed nor given to anybody
//	all VPCs whose endpoints it names are let go of → nothing: it stays as it is
//
// Its name and path make no policy Drawbridge's: the ledger does.
func PlanGrant(g Grant, account, region string) GrantChanges {
	var out GrantChanges
	if g.Theirs() || g.Released {
		return out
	}
	if len(g.Endpoints) == 0 {
		if g.Document != "" {
			out.Detach = sorted(g.Given)
		}
		if g.Document != "" && !g.Edited {
			out.Drop, out.Delete = slices.Clone(g.Versions), true
		}
		return out
	}
	wanted := PolicyDocument(account, region, g.Endpoints)
	switch {
	case g.Kept:
		if g.Document == "" {
			return out
		}
	case g.Document == "":
		out.Create = wanted
	case !same(g.Document, wanted):
		out.Replace = wanted
		if room := maxVersions - 1; len(g.Versions) >= room {
			out.Drop = slices.Clone(g.Versions[:len(g.Versions)-room+1])
		}
	}
	for _, role := range sorted(g.Tagged) {
		if !slices.Contains(g.Attached, role) && !slices.Contains(g.Left, role) {
			out.Attach = append(out.Attach, role)
		}
	}
	for _, role := range sorted(g.Given) {
		if !slices.Contains(g.Tagged, role) {
			out.Detach = append(out.Detach, role)
		}
	}
	return out
}

// Theirs reports whether there is a policy of Drawbridge's name that is somebody else's.
func (g Grant) Theirs() bool { return g.Document != "" && !g.Own }

// Empty reports whether nothing is to be changed.
func (c GrantChanges) Empty() bool {
	return c.Create == "" && c.Replace == "" && !c.Delete && len(c.Drop)+len(c.Attach)+len(c.Detach) == 0
}

// PolicyDocument returns the policy that allows the URL of any notebook of the account through these endpoints only.
// https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-interface-endpoint.html#notebook-private-link-restrict
func PolicyDocument(account, region string, endpoints []string) string {
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Sid":       "DrawbridgePrivateNotebooks",
		"Effect":    "Allow",
		"Action":    []string{Presign, Describe},
		"Resource":  arn.New(arn.Partition(region), "sagemaker", "*", account, "notebook-instance/*"),
		"Condition": map[string]any{"ForAnyValue:StringEquals": map[string]any{"aws:SourceVpce": sorted(endpoints)}},
	}}})
	return string(text)
}

// Written reports whether a policy is exactly as Drawbridge writes it for the endpoints that it names, which are returned, sorted, whether it is or not.
func Written(document, account, region string) (endpoints []string, ok bool) {
	var says struct {
		Statement []struct {
			Condition map[string]map[string]any
		}
	}
	if json.Unmarshal([]byte(document), &says) != nil || len(says.Statement) != 1 {
		return nil, false
	}
	named, _ := says.Statement[0].Condition["ForAnyValue:StringEquals"]["aws:SourceVpce"].([]any)
	for _, one := range named {
		id, _ := one.(string)
		endpoints = append(endpoints, id)
	}
	endpoints = sorted(endpoints)
	return endpoints, len(endpoints) > 0 && same(document, PolicyDocument(account, region, endpoints))
}

// same reports whether two policies say the same, whatever their spaces and the order of their keys.
func same(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func sorted(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}

// ChooseResult says how an execution ends, and with which answer it goes on:
//
//	a tagged VPC that the policy allows            → arrange, Private
//	a VPC with something of ours that shall not    → arrange, Removed
//	a VPC with something of ours that is let go of → arrange, Released
//	tagged VPCs, none of them allowed              → refuse, Refused
//	nothing of all that                            → nothing, Nothing
func ChooseResult(wanted, refused, leaving, released int) (answer workflow.Answer, result workflow.Result) {
	switch {
	case wanted > 0:
		return workflow.AnswerArrange, workflow.Private
	case leaving > 0:
		return workflow.AnswerArrange, workflow.Removed
	case released > 0:
		return workflow.AnswerArrange, workflow.Released
	case refused > 0:
		return workflow.AnswerRefuse, workflow.RefusedByPolicy
	}
	return workflow.AnswerNothing, workflow.Nothing
}

// Resolver returns the address of a VPC's resolver: the base of its first CIDR plus two.
// https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
func Resolver(primary netip.Prefix) netip.Addr {
	if !primary.IsValid() {
		return netip.Addr{}
	}
	return primary.Masked().Addr().Next().Next()
}

// Unrestricted returns, for each identity that may issue the URL of a notebook from the internet, its policy that allows
// it: the request comes from an address of nobody's, through no endpoint.
func Unrestricted(identities []iampolicy.Identity, notebookARN string) map[string]string {
	out := map[string]string{}
	for _, i := range identities {
		if by, ok := i.Allowed(iampolicy.Request{Action: Presign, Resource: notebookARN, Keys: map[string][]string{
			"aws:sourceip": {"203.0.113.7"}, "aws:securetransport": {"true"}, "aws:viaawsservice": {"false"}, // RFC 5737
			"aws:principalarn": {i.ARN},
		}}); ok {
			out[i.Kind+" "+i.Name] = by
		}
	}
	return out
}

// through reports whether the identity may issue and open the URL of a notebook through an endpoint.
func through(i iampolicy.Identity, notebookARN, endpoint, vpc string) bool {
	for _, action := range []string{Presign, Describe} {
		if _, ok := i.Allowed(iampolicy.Request{Action: action, Resource: notebookARN, Keys: map[string][]string{
			"aws:sourcevpce": {endpoint}, "aws:sourcevpc": {vpc}, "aws:securetransport": {"true"}, "aws:viaawsservice": {"false"},
			"aws:principalarn": {i.ARN},
		}}); !ok {
			return false
		}
	}
	return true
}
