package route

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// NetworkReader reads route tables and the prefix lists in them.
type NetworkReader interface {
	Reader
	ListReader
}

// ListReader is what [Expand] needs of EC2.
type ListReader interface {
	GetManagedPrefixListEntries(context.Context, *ec2.GetManagedPrefixListEntriesInput, ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error)
}

// Expand returns tables with the entries of the prefix lists that they route to among their routes. Lists that lead to a gateway
// endpoint are left out: their entries are AWS's own addresses. So are dead ones: they are in nobody's way, and serve nobody.
// https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html
func Expand(ctx context.Context, ec2api ListReader, tables []Table) ([]Table, error) {
	out, known := slices.Clone(tables), map[string][]netip.Prefix{}
	for n, t := range out {
		routes := slices.Clone(t.Routes)
		for _, l := range t.Lists {
			if l.Blackhole {
				continue
			}
			entries, ok := known[l.ID]
			if !ok {
				var err error
				if entries, err = ReadList(ctx, ec2api, l.ID); err != nil {
					return nil, fmt.Errorf("reading prefix list %s, to which %s has a route: %w", l.ID, t.ID, err)
				}
				known[l.ID] = entries
			}
			for _, e := range entries {
				routes = append(routes, Route{Destination: e, Target: l.Target, List: l.ID})
			}
		}
		out[n].Routes = routes
	}
	return out, nil
}

// Served returns the tables that subnets use, as [Expand] does, and the others as they are.
func Served(ctx context.Context, ec2api ListReader, tables []Table, subnets ...string) ([]Table, error) {
	out := slices.Clone(tables)
	for n, t := range out {
		if !slices.ContainsFunc(subnets, func(s string) bool { of, _ := Of(tables, s); return of.ID == t.ID }) {
			continue
		}
		expanded, err := Expand(ctx, ec2api, []Table{t})
		if err != nil {
			return nil, err
		}
		out[n] = expanded[0]
	}
	return out, nil
}

// ReadList returns the entries of a prefix list, masked.
func ReadList(ctx context.Context, ec2api ListReader, list string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	pages := ec2.NewGetManagedPrefixListEntriesPaginator(ec2api, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &list})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Entries {
			if p, err := netip.ParsePrefix(aws.ToString(e.Cidr)); err == nil {
				out = append(out, p.Masked())
			}
		}
	}
	return out, nil
}
