package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EndpointReader is what [Endpoints] needs of EC2.
type EndpointReader interface {
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
}

// Endpoints finds VPCs that are tagged for private notebooks or for the Data API, unless Drawbridge let go of them, and what Drawbridge placed in VPCs that
// are not. A look at a VPC from which the Data API is called is an execution of drawbridge-data-api-endpoint; private
// notebooks are looked at account by account, by drawbridge-private-notebooks.
type Endpoints struct {
	// EC2 returns the client for acting in a place on behalf of an execution.
	EC2 func(execution string, place event.Place) EndpointReader
	// Ledger has the VPCs in which endpoints were placed.
	Ledger ledger.Ledger
}

// Kind implements [AccountFinder].
func (Endpoints) Kind() string { return "VPCs with endpoints" }

// placing is one machine that places endpoints: the tag by which the owner of a VPC asks for one, and the kind of its entries in the ledger.
type placing struct {
	tag  string
	kind road.Kind
}

var (
	dataAPICallers   = placing{tag.DataAPI, road.DataAPIEndpoint}
	privateNotebooks = placing{tag.PrivateNotebooks, road.PrivateNotebooks}
)

// FindAll implements [AccountFinder]. In each Region one DescribeVpcs for 100 things.
func (e Endpoints) FindAll(ctx context.Context, execution string, t workflow.Territory, ask Ask) (seen int, err error) {
	arranged := false
	var broken []error
	for _, region := range t.Regions {
		at := event.Place{Account: t.Account, Region: region}
		found, err := e.placings(ctx, execution, at)
		if errors.Is(err, fault.ErrClosed) {
			return seen, err
		}
		if err != nil {
			broken = append(broken, regional{region, err})
			continue
		}
		seen += len(found[dataAPICallers]) + len(found[privateNotebooks])
		var looks []look.Look
		for _, vpc := range slices.Sorted(maps.Keys(found[dataAPICallers])) {
			looks = append(looks, event.DataAPIEndpointInspection{Account: t.Account, Region: region, VPC: vpc, Reason: found[dataAPICallers][vpc]})
		}
		if vpcs := slices.Sorted(maps.Keys(found[privateNotebooks])); !arranged && len(vpcs) > 0 {
			arranged = true
			looks = append(looks, event.PrivateNotebooksInspection{Account: t.Account, Region: region, Reason: found[privateNotebooks][vpcs[0]]})
		}
		if err := ask(ctx, looks...); err != nil {
			return seen, err
		}
	}
	return seen, errors.Join(broken...)
}

// placings returns, for each machine that places endpoints, the VPCs of a Region that ask for it or have something of it,
// each with the reason to look at it.
func (e Endpoints) placings(ctx context.Context, execution string, at event.Place) (map[placing]map[string]string, error) {
	found := map[placing]map[string]string{dataAPICallers: {}, privateNotebooks: {}}
	vpcs := ec2.NewDescribeVpcsPaginator(e.EC2(execution, at), &ec2.DescribeVpcsInput{MaxResults: aws.Int32(pageSize),
		Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{dataAPICallers.tag, privateNotebooks.tag}}}})
	for vpcs.HasMorePages() {
		page, err := vpcs.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the tagged VPCs: %w", err)
		}
		for _, v := range page.Vpcs {
			if tag.Letting(tag.Clean(tag.VPC, tag.OfEC2(v.Tags))) != "" {
				continue
			}
			for _, t := range v.Tags {
				for one, of := range found {
					if aws.ToString(t.Key) == one.tag {
						of[aws.ToString(v.VpcId)] = aws.ToString(v.VpcId) + " is tagged " + one.tag + ": is everything in place?"
					}
				}
			}
		}
	}
	managed, err := e.Ledger.Connections(ctx, at.Account, at.Region)
	if err != nil {
		return nil, err
	}
	for _, c := range managed {
		for one, of := range found {
			vpc := strings.TrimPrefix(c.ID, string(one.kind)+"-")
			if c.Kind == one.kind && of[vpc] == "" {
				of[vpc] = "the ledger has endpoints of " + vpc + ", but the VPC does not ask for them"
			}
		}
	}
	return found, nil
}
