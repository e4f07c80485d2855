package rebuild

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapiendpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Tagged is an interface endpoint, or a security group, with the tag drawbridge:connection.
type Tagged struct {
	event.Place
	ID, VPC string
	Owner   string // the tag's value
	// Service is an endpoint's, and State AWS's word for how it stands; Group is the name of a group.
	Service, State, Group string
}

// PlanEndpoints returns what the ledger gets of the endpoints and groups of a place: for each word of which an endpoint says that it was made for it, the
// entry of its VPC, and the items.
//
//	an endpoint with the word of a machine and of its own VPC, there or on its way → an item, and the entry
//	two of one service                                                             → the first by id; of the other nobody can tell
//	a group with the name and the word that Drawbridge gives it                    → an item, if there is the entry; else nothing
//	another word, another VPC's, an endpoint that is deleted                       → nothing
func PlanEndpoints(endpoints, groups []Tagged) []Rows {
	var out []Rows
	at := map[string]int{}
	all := slices.Clone(endpoints)
	slices.SortFunc(all, func(a, b Tagged) int { return strings.Compare(a.ID, b.ID) })
	for _, e := range all {
		kind, ok := purpose(e)
		if !ok || e.State == "deleted" || e.State == "deleting" {
			continue
		}
		n, known := at[e.Owner]
		if !known {
			n = len(out)
			at[e.Owner] = n
			out = append(out, Rows{Kind: Endpointed, Entry: &ledger.Connection{ID: e.Owner, Kind: kind, Origin: ledger.Requested, Status: stands(kind),
				Sides: []ledger.Side{{Role: "consumer", Account: e.Account, Region: e.Region, ID: e.VPC}}}})
		}
		i := e.item(ledger.Endpoint, e.Service)
		if slices.ContainsFunc(out[n].Items, i.Same) {
			out[n].Untold = append(out[n].Untold, Untold{Endpoints, fmt.Sprintf("%s of %s: there is another one of %s", e.ID, e.VPC, e.Service)})
			continue
		}
		out[n].Items = append(out[n].Items, i)
	}
	for _, g := range groups {
		if n, known := at[g.Owner]; known && out[n].Entry.Sides[0].ID == g.VPC && g.Group == endpoint.GroupName(g.Owner) {
			out[n].Items = append(out[n].Items, g.item(ledger.Group, g.Group))
		}
	}
	return out
}

// stands is what nearly all entries of a kind have that stand; the next look writes what is true.
func stands(kind road.Kind) ledger.Status {
	if kind == road.PrivateNotebooks {
		return ledger.Status(workflow.Private)
	}
	return ""
}

// purpose returns the machine whose word a thing carries for its own VPC.
func purpose(e Tagged) (kind road.Kind, ok bool) {
	switch e.Owner {
	case dataapiendpoint.Owner(e.VPC):
		return road.DataAPIEndpoint, true
	case privatenotebooks.Owner(e.VPC):
		return road.PrivateNotebooks, true
	}
	return "", false
}

func (e Tagged) item(kind ledger.Kind, key string) ledger.Item {
	return ledger.Item{Account: e.Account, Region: e.Region, Resource: e.VPC, Kind: kind, Key: key, Left: e.ID, Needed: []string{e.Owner}}
}

// endpoints gives to with the rows of the endpoints of a place, and of the account's policy of private notebooks for the VPCs that it is for. home is the
// Region under which IAM's things are filed.
func (r *reader) endpoints(ctx context.Context, at event.Place, home string, to func(Rows) error) error {
	endpoints, groups, err := r.tagged(ctx, at)
	if err != nil {
		return err
	}
	grant, err := r.grants.read(at.Account, func() (privatenotebooks.Grant, error) {
		return privatenotebooks.ReadGrant(ctx, r.in(at).IAM, at.Account, at.Region)
	})
	if err != nil {
		return err
	}
	items, ids, untold := privatenotebooks.Told(grant, at.Account, at.Region, home)
	named, err := r.named(ctx, at, slices.DeleteFunc(ids, func(id string) bool {
		return slices.ContainsFunc(endpoints, func(e Tagged) bool { return e.ID == id })
	}))
	if err != nil {
		return err
	}
	left := func(Tagged) bool { return false }
	if len(endpoints)+len(named) > 0 {
		if left, err = r.left(ctx, at); err != nil {
			return err
		}
	}
	all := PlanGrant(PlanEndpoints(slices.DeleteFunc(endpoints, left), groups), slices.DeleteFunc(named, left), items)
	if len(untold) > 0 && !r.told[at.Account] {
		r.told[at.Account] = true
		rows := Rows{}
		for _, what := range untold {
			rows.Untold = append(rows.Untold, Untold{Given, what})
		}
		all = append(all, rows)
	}
	for _, rows := range all {
		if err := to(rows); err != nil {
			return err
		}
	}
	return nil
}

// PlanGrant adds to the rows of the endpoints of a place the items of the account's policy of private notebooks, which each VPC needs that has endpoints for
// them, Drawbridge's or its owner's own. named are the endpoints of the place that the policy names, and Drawbridge did not make: their VPCs bring
// an entry each.
func PlanGrant(rows []Rows, named []Tagged, items []ledger.Item) []Rows {
	if len(items) == 0 {
		return rows
	}
	for _, e := range named {
		if owner := privatenotebooks.Owner(e.VPC); !slices.ContainsFunc(rows, func(r Rows) bool { return r.Entry.ID == owner }) {
			rows = append(rows, Rows{Kind: Endpointed, Entry: &ledger.Connection{ID: owner, Kind: road.PrivateNotebooks, Origin: ledger.Requested, Status: stands(road.PrivateNotebooks),
				Sides: []ledger.Side{{Role: "consumer", Account: e.Account, Region: e.Region, ID: e.VPC}}}})
		}
	}
	for n, r := range rows {
		for _, i := range items {
			if r.Entry.Kind == road.PrivateNotebooks {
				i.Needed = []string{r.Entry.ID}
				rows[n].Items = append(rows[n].Items, i)
			}
		}
	}
	return rows
}

// named returns those of some endpoints that are in a place.
func (r *reader) named(ctx context.Context, at event.Place, ids []string) ([]Tagged, error) {
	var out []Tagged
	for some := range slices.Chunk(ids, pageSize) {
		pages := ec2.NewDescribeVpcEndpointsPaginator(r.in(at).EC2, &ec2.DescribeVpcEndpointsInput{MaxResults: aws.Int32(pageSize),
			Filters: []types.Filter{{Name: aws.String("vpc-endpoint-id"), Values: some}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the endpoints of %s, %s: %w", at.Account, at.Region, err)
			}
			for _, e := range page.VpcEndpoints {
				out = append(out, Tagged{Place: at, ID: aws.ToString(e.VpcEndpointId), VPC: aws.ToString(e.VpcId)})
			}
		}
	}
	return out, nil
}

// left says of what is in a VPC of a place whether its owner had Drawbridge let go of it: that is the owner's, whoever made it.
func (r *reader) left(ctx context.Context, at event.Place) (func(Tagged) bool, error) {
	vpcs := map[string]bool{}
	pages := ec2.NewDescribeVpcsPaginator(r.in(at).EC2, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(pageSize), Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{tag.Manage}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the VPCs of %s, %s that say %s: %w", at.Account, at.Region, tag.Manage, err)
		}
		for _, v := range page.Vpcs {
			vpcs[aws.ToString(v.VpcId)] = tag.Letting(tag.Clean(tag.VPC, tag.OfEC2(v.Tags))) != ""
		}
	}
	return func(e Tagged) bool { return vpcs[e.VPC] }, nil
}

// tagged reads the interface endpoints of a place with the tag drawbridge:connection, and, if there are any, the groups with it.
func (r *reader) tagged(ctx context.Context, at event.Place) (endpoints, groups []Tagged, err error) {
	tagged := []types.Filter{{Name: aws.String("tag-key"), Values: []string{endpoint.TagConnection}}}
	pages := ec2.NewDescribeVpcEndpointsPaginator(r.in(at).EC2, &ec2.DescribeVpcEndpointsInput{MaxResults: aws.Int32(pageSize), Filters: tagged})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the endpoints of %s, %s: %w", at.Account, at.Region, err)
		}
		for _, e := range page.VpcEndpoints {
			if e.VpcEndpointType == types.VpcEndpointTypeInterface {
				endpoints = append(endpoints, Tagged{Place: at, ID: aws.ToString(e.VpcEndpointId), VPC: aws.ToString(e.VpcId), Owner: tag.OfEC2(e.Tags)[endpoint.TagConnection],
					Service: aws.ToString(e.ServiceName), State: strings.ToLower(string(e.State))})
			}
		}
	}
	if len(endpoints) == 0 {
		return nil, nil, nil
	}
	more := ec2.NewDescribeSecurityGroupsPaginator(r.in(at).EC2, &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(pageSize), Filters: tagged})
	for more.HasMorePages() {
		page, err := more.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the security groups of %s, %s: %w", at.Account, at.Region, err)
		}
		for _, g := range page.SecurityGroups {
			groups = append(groups, Tagged{Place: at, ID: aws.ToString(g.GroupId), VPC: aws.ToString(g.VpcId), Owner: tag.OfEC2(g.Tags)[endpoint.TagConnection], Group: aws.ToString(g.GroupName)})
		}
	}
	return endpoints, groups, nil
}
