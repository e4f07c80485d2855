package firewall

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// An owner keeps a security group out of every connection by the tag drawbridge:reach=none. Of clients the inspection reads all groups; of databases [Open]
// does, and notes those that are kept out in the entry of the connection. An inspection reads the tags of what is noted. Where the policy forbids it, which the
// inspection asks, nothing is kept out and nothing noted, and whoever reads the groups says so.

// KeptOut says that security groups are kept out.
func KeptOut(groups []string) string {
	return fmt.Sprintf("its owner keeps %s out by the tag %s=%s", few(groups), tag.Reach, tag.NoReach)
}

// NotKept says that things are not kept out, though they are tagged so, as a policy forbids it.
func NotKept(things []string, policy string) string {
	return fmt.Sprintf("%s: not kept out by the tag %s=%s, which policy %s forbids", few(things), tag.Reach, tag.NoReach, policy)
}

// KeptRemedy is what the owner of a database does whose groups are all kept out.
const KeptRemedy = "take the tag off, or give the database a security group that may be opened"

// NotedIn returns the security groups of an account in the VPC of a side that the entry of a connection notes as kept out. owner is the VPC's.
func NotedIn(entry ledger.Connection, v workflow.VPC, owner string) []string {
	if n := sideIn(entry, v, owner); n >= 0 {
		return entry.Sides[n].Apart[v.Account]
	}
	return nil
}

func sideIn(entry ledger.Connection, v workflow.VPC, owner string) int {
	return slices.IndexFunc(entry.Sides, func(s ledger.Side) bool {
		return s.Account == cmp.Or(owner, v.Account) && s.Region == v.Region && s.ID == v.ID
	})
}

// ReadKept returns those of security groups that their owner keeps out now, sorted. One that is gone is none.
func ReadKept(ctx context.Context, ec2api ec2.DescribeSecurityGroupsAPIClient, groups []string) ([]string, error) {
	var out []string
	for ids := range slices.Chunk(groups, pageSize) {
		pages := ec2.NewDescribeSecurityGroupsPaginator(ec2api, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: ids}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the tags of %s: %w", strings.Join(ids, ", "), err)
			}
			for _, g := range page.SecurityGroups {
				if tag.Clean(tag.Group, tag.OfEC2(g.Tags))[tag.Reach] == tag.NoReach {
					out = append(out, aws.ToString(g.GroupId))
				}
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// overrule takes the word of their owner from the groups of a side, where a policy forbids to keep things out, and says of which that databases have.
func overrule(groups []Group, side workflow.Side) (tagged []string) {
	if side.Overruled == "" {
		return nil
	}
	all := kept(groups)
	for n := range groups {
		groups[n].Apart = false
	}
	return slices.DeleteFunc(all, func(id string) bool { return !OfDatabase(id, side.AllowedDatabases) })
}

// OfDatabase reports whether one of databases has a group. Of other groups the inspection says whether they are kept out, of these [Open], which reads them.
func OfDatabase(group string, databases []workflow.AllowedDatabase) bool {
	return slices.ContainsFunc(databases, func(o workflow.AllowedDatabase) bool { return slices.Contains(o.Groups, group) })
}

// Kept returns the ids of those of an account's groups that it keeps out, sorted.
func Kept(groups []Group, account string) []string {
	own, _ := apart(groups, account)
	return kept(own)
}

// KeptWhole reports whether something has none but kept security groups. Of what has none, they are not known.
func KeptWhole(groups, kept []string) bool {
	return len(groups) > 0 && len(without(groups, kept)) == 0
}

func kept(groups []Group) []string {
	var out []string
	for _, g := range groups {
		if g.Apart {
			out = append(out, g.ID)
		}
	}
	slices.Sort(out)
	return out
}

// without returns those of ids that are not among others.
func without(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(others, id) })
}

// within returns those of groups that something of a side has: a client, one that was left out as its groups are kept out, or a database.
func within(groups []string, side workflow.Side) []string {
	return slices.DeleteFunc(slices.Clone(groups), func(id string) bool {
		return !slices.Contains(side.Apart, id) &&
			!slices.ContainsFunc(side.Clients, func(c workflow.Client) bool { return slices.Contains(c.Groups, id) }) &&
			!OfDatabase(id, side.AllowedDatabases)
	})
}

// note writes in the entry of a connection which groups of a side's account are seen to be kept out, if it says otherwise.
func note(ctx context.Context, l ledger.Ledger, id string, side workflow.Side, seen []string) error {
	if slices.Equal(seen, side.Noted) {
		return nil
	}
	_, err := l.Change(ctx, id, func(e *ledger.Connection) {
		n := sideIn(*e, side.VPC, side.Owner)
		if n < 0 {
			return
		}
		noted := maps.Clone(e.Sides[n].Apart)
		if delete(noted, side.VPC.Account); len(seen) > 0 {
			if noted == nil {
				noted = map[string][]string{}
			}
			noted[side.VPC.Account] = seen
		}
		e.Sides[n].Apart = noted
	})
	return err
}

// Known fails with [fault.Over] if the entry of a connection notes a group as kept out of which the inspection did not know that: the machine has to look again.
func Known(entry ledger.Connection, sides []workflow.Side) error {
	for _, s := range sides {
		if fresh := without(without(NotedIn(entry, s.VPC, s.Owner), s.Noted), s.Apart); len(fresh) > 0 {
			return fault.New(fault.Over, "connecting %s: the owner of %s keeps it out, which was not known yet", entry.ID, few(fresh))
		}
	}
	return nil
}
