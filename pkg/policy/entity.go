package policy

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// An Entity is what a question can be about: a [VPC], and what is in one, such as a [Database] or a [Notebook]; or what
// has no addresses and belongs to an account alone.
type Entity interface {
	// entity says the thing in Cedar, all but the attribute cidr.
	entity() entity
}

// entity is a thing in Cedar's terms.
type entity struct {
	uid        types.EntityUID
	parent     types.EntityUID
	attributes types.RecordMap
	tags       map[string]string
	account    Account
	region     string
	// vpc is the VPC that it is or lies in; nil if it has no addresses. Then it is asked about once, not for each CIDR.
	vpc *VPC
	// has is a thing without addresses that one of the attributes names; nil if none does.
	has *entity
}

func (v VPC) entity() entity {
	attributes := v.whereabouts()
	attributes["id"] = types.String(v.ID)
	return entity{
		uid:        types.NewEntityUID("Drawbridge::VPC", types.String(v.ID)),
		parent:     v.Account.uid(),
		attributes: attributes, tags: v.Tags, account: v.Account, region: v.Region, vpc: &v,
	}
}

func (d Database) entity() entity {
	attributes := d.VPC.whereabouts()
	attributes["id"] = types.String(d.ID)
	attributes["engine"] = types.String(d.Engine)
	attributes["port"] = types.Long(d.Port)
	attributes["tls"] = types.Boolean(d.TLS)
	attributes["vpc"] = types.String(d.VPC.ID)
	attributes["sharedWith"] = words(d.Tags[tag.Share])
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Database", types.String(first(d.ARN, d.ID))),
		parent:     d.VPC.entity().uid,
		attributes: attributes, tags: d.Tags, account: d.VPC.Account, region: d.VPC.Region, vpc: &d.VPC,
	}
}

// words are the words of a tag that names several, as a set.
func words(tag string) types.Set {
	var out []types.Value
	for _, word := range strings.Fields(tag) {
		out = append(out, types.String(word))
	}
	return types.NewSet(out...)
}

func (n Notebook) entity() entity {
	attributes := n.VPC.whereabouts()
	attributes["name"] = types.String(n.Name)
	attributes["vpc"] = types.String(n.VPC.ID)
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Notebook", types.String(first(n.ARN, n.Name))),
		parent:     n.VPC.entity().uid,
		attributes: attributes, tags: n.Tags, account: n.VPC.Account, region: n.VPC.Region, vpc: &n.VPC,
	}
}

// entity has the tags of the table, and for what it does not say itself those of its VPC.
func (t Table) entity() entity {
	tags := maps.Clone(t.VPC.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, t.Tags)
	attributes := t.VPC.whereabouts()
	attributes["id"] = types.String(t.ID)
	attributes["divert"] = words(tags[tag.Divert])
	attributes["vpc"] = types.String(t.VPC.ID)
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Table", types.String(t.ID)),
		parent:     t.VPC.entity().uid,
		attributes: attributes, tags: tags, account: t.VPC.Account, region: t.VPC.Region, vpc: &t.VPC,
	}
}

// whereabouts returns the attributes that everything in v has.
func (v VPC) whereabouts() types.RecordMap {
	cidrs := make([]types.Value, 0, len(v.CIDRs))
	for _, cidr := range v.CIDRs {
		cidrs = append(cidrs, types.IPAddr(cidr.Masked()))
	}
	attributes := v.Account.whereabouts(v.Region)
	attributes["cidrs"] = types.NewSet(cidrs...)
	return attributes
}

// whereabouts returns the attributes that everything in a and a Region has.
func (a Account) whereabouts(region string) types.RecordMap {
	return types.RecordMap{
		"account":      types.String(a.ID),
		"accountName":  types.String(a.Name),
		"organization": types.String(a.organization()),
		"ouPath":       types.String(a.path()),
		"region":       types.String(region),
	}
}

// missing says which fact about e a policy would need, empty if there is none.
func (e entity) missing(needsPath bool) string {
	what := string(e.uid.ID)
	if e.vpc != nil && e.vpc.ID != "" {
		what = e.vpc.ID
	}
	switch {
	case e.uid.ID == "":
		return "the id of a " + strings.TrimPrefix(string(e.uid.Type), "Drawbridge::")
	case e.vpc != nil && e.vpc.ID == "":
		return fmt.Sprintf("the VPC of %s", e.uid.ID)
	case e.region == "":
		return fmt.Sprintf("the Region of %s", what)
	case e.account.ID == "":
		return fmt.Sprintf("the account of %s", what)
	case e.vpc != nil && len(e.vpc.CIDRs) == 0:
		return fmt.Sprintf("the CIDRs of %s", what)
	case slices.ContainsFunc(e.cidrs(), func(c netip.Prefix) bool { return e.vpc != nil && !c.IsValid() }):
		return fmt.Sprintf("a valid CIDR of %s", what)
	case needsPath && e.account.Organization != "" && e.account.path() == "":
		return fmt.Sprintf("the organizational unit of account %s, of which the policy speaks", e.account.ID)
	}
	return ""
}

// cidrs are those that e is asked about, one after the other; of a thing without addresses one that is none.
func (e entity) cidrs() []netip.Prefix {
	if e.vpc == nil {
		return []netip.Prefix{{}}
	}
	return e.vpc.CIDRs
}

// in returns e as Cedar sees it when the question is about this one of its CIDRs.
func (e entity) in(cidr netip.Prefix) types.Entity {
	attributes := maps.Clone(e.attributes)
	if e.vpc != nil {
		attributes["cidr"] = types.IPAddr(cidr.Masked())
	}
	tags := make(types.RecordMap, len(e.tags))
	for key, value := range e.tags {
		tags[types.String(key)] = types.String(value)
	}
	return types.Entity{
		UID:        e.uid,
		Parents:    types.NewEntityUIDSet(e.parent),
		Attributes: types.NewRecord(attributes),
		Tags:       types.NewRecord(tags),
	}
}

// addAncestors adds everything that e lies in to all: its VPC, account, organizational units and organization.
func (e entity) addAncestors(all types.EntityMap) {
	child := e.parent // the account, of a thing without addresses
	if e.vpc != nil {
		vpc := e.vpc.entity()
		all[vpc.uid] = vpc.in(e.vpc.CIDRs[0])
		child = vpc.parent
	}
	chain := e.account.units()
	for i := len(chain) - 1; i >= 0; i-- {
		unit := types.NewEntityUID("Drawbridge::OU", types.String(chain[i]))
		all[child] = types.Entity{UID: child, Parents: types.NewEntityUIDSet(unit)}
		child = unit
	}
	if e.account.Organization == "" {
		all[child] = types.Entity{UID: child}
		return
	}
	organization := types.NewEntityUID("Drawbridge::Organization", types.String(e.account.Organization))
	all[child] = types.Entity{UID: child, Parents: types.NewEntityUIDSet(organization)}
	all[organization] = types.Entity{UID: organization}
}

// uid returns the account as Cedar names it.
func (a Account) uid() types.EntityUID {
	return types.NewEntityUID("Drawbridge::Account", types.String(a.ID))
}

// organization returns the organization's id. An account of none gets a value of its own, so that two strangers are
// never taken for members of one organization.
func (a Account) organization() string {
	if a.Organization == "" {
		return "unknown:" + a.ID
	}
	return a.Organization
}

// units returns the root and the organizational units above the account, from the top.
func (a Account) units() []string {
	var units []string
	if a.Organization == "" {
		return nil
	}
	for _, part := range strings.Split(a.OUPath, "/") {
		if strings.HasPrefix(part, "r-") || strings.HasPrefix(part, "ou-") {
			units = append(units, part)
		}
	}
	return units
}

// path returns the normalised OUPath, "" if nothing is known.
func (a Account) path() string {
	units := a.units()
	if len(units) == 0 {
		return ""
	}
	return a.Organization + "/" + strings.Join(units, "/") + "/"
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
