package firewall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Interface is a network interface, as far as it tells what it is of.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html
type Interface struct {
	ID          string
	Type        string // AWS's word: interface, lambda, vpc_endpoint, …
	Description string
	Instance    string // i-…, of EC2
	Managed     bool   // AWS keeps it for a service
	Groups      []string
}

// Choose returns the group through which a database is opened to its callers, the first by id of those that nothing is against; else, for people, why
// there is none. groups are those of its account in the VPC, and interfaces what has them. openings are all databases of the side that are opened.
//
//	named default                                          → no: whatever names no group has it
//	its owner keeps it out, drawbridge:reach=none          → no
//	another database has it on the same port, and nobody
//	opens that, and the group's owner does not ask for it  → no
//	the interface of something else has it, likewise       → no
//	the same, and its rules let the callers in already     → yes: nothing more opens
//	else                                                   → yes
//
// Its owner asks for it by the tag drawbridge:open=true on the group.
func Choose(o workflow.AllowedDatabase, side workflow.Side, groups []Group, interfaces []Interface) (group, why string) {
	var against, shared []string
	for _, id := range slices.Sorted(slices.Values(o.Groups)) {
		n := slices.IndexFunc(groups, func(g Group) bool { return g.ID == id })
		if n < 0 {
			against = append(against, id+" is not in the VPC")
			continue
		}
		g := groups[n]
		others := append(slices.Clone(o.Shared[id]), using(id, interfaces, side.AllowedDatabases)...)
		switch {
		case g.Name == Default:
			against = append(against, fmt.Sprintf("%s is the group named default, which is never opened", id))
		case g.Apart:
			against = append(against, KeptOut([]string{id}))
		case len(others) > 0 && !g.Open && !admit(g.Ingress, calling(o, side)):
			against, shared = append(against, fmt.Sprintf("%s would open %s as well", id, few(others))), append(shared, id)
		default:
			return id, ""
		}
	}
	why = strings.Join(against, "; ") + ": give it a security group of its own"
	if len(shared) > 0 {
		why += fmt.Sprintf(", or tag %s %s=true", shared[0], tag.Open)
	}
	return "", why
}

// named is how many things a reason names.
const named = 3

func few(things []string) string {
	if more := len(things) - named; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(things[:named], ", "), more)
	}
	return strings.Join(things, ", ")
}

// using returns what has a group beside databases that are known: those of openings, and those that the survey found and are no opening. An interface says by
// nothing that AWS documents which database it is of, so that of a service of databases counts as one of these. A function listens to nothing.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
func using(group string, interfaces []Interface, openings []workflow.AllowedDatabase) []string {
	var out []string
	for _, i := range interfaces {
		if slices.Contains(i.Groups, group) && i.Type != "lambda" && !i.known(group, openings) {
			out = append(out, i.of())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// The descriptions of interfaces of databases.
const (
	ofRDS      = "RDSNetworkInterface" // also of Neptune and DocumentDB, which RDS describes
	ofRedshift = "RedshiftNetworkInterface"
	ofProxy    = "Network interface for DBProxy "
)

// known reports whether an interface is of a database that the survey knows. Proxies and workgroups are only known if they are opened.
func (i Interface) known(group string, openings []workflow.AllowedDatabase) bool {
	opened := func(is func(workflow.AllowedDatabase) bool) bool {
		return slices.ContainsFunc(openings, func(o workflow.AllowedDatabase) bool { return slices.Contains(o.Groups, group) && is(o) })
	}
	proxy, isProxy := strings.CutPrefix(i.Description, ofProxy)
	switch {
	case !i.Managed:
		return false
	case i.Description == ofRDS, i.Description == ofRedshift:
		return true
	case isProxy:
		return opened(func(o workflow.AllowedDatabase) bool {
			return o.Database == proxy || strings.HasPrefix(o.Database, proxy+"/")
		})
	}
	return i.Type == "vpc_endpoint" && opened(func(o workflow.AllowedDatabase) bool { return strings.HasPrefix(o.Engine, "redshift") })
}

// of says what an interface is of.
func (i Interface) of() string {
	switch {
	case i.Instance != "":
		return "instance " + i.Instance
	case i.Description != "":
		return fmt.Sprintf("%s (%s)", i.ID, i.Description)
	}
	return i.ID
}
