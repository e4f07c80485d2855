package rebuild

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what a rebuild needs of EC2.
type EC2 interface {
	route.Reader
	route.SubnetReader
	firewall.RuleReader
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
	DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error)
	DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
	GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error)
}

// SageMaker is what a rebuild needs of SageMaker.
type SageMaker interface {
	lifecycle.Reader
	notebook.Describer
	studio.MarkReader
	ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error)
}

// Clients are the clients for one account and Region.
type Clients struct {
	EC2       EC2
	SageMaker SageMaker
	RDS       RDS
	Redshift  studio.Redshift
	IAM       IAM
	RAM       share.RAM
}

// IAM is what a rebuild needs of IAM.
type IAM interface {
	dataapi.PolicyReader
	privatenotebooks.Details
}

// reader reads for one visit, each thing once.
type reader struct {
	enter       func(event.Place) Clients
	ledger      ledger.Ledger // what is known of notebook instances
	clients     map[event.Place]Clients
	peerings    once[event.Place, []types.VpcPeeringConnection]
	attachments once[event.Place, []types.TransitGatewayAttachment]
	rules       once[event.Place, []firewall.Marked]
	vpcs        once[event.Place, map[string]types.Vpc]
	tables      once[spot, []route.Table]
	subnets     once[spot, []route.Subnet]
	grants      once[string, privatenotebooks.Grant] // of an account: IAM has no Region
	told        map[string]bool                      // an account of whose policy was told what nobody can tell
}

// spot is a VPC in a place.
type spot struct {
	event.Place
	vpc string
}

// once remembers what was read, and why it could not be.
type once[K comparable, V any] map[K]struct {
	value V
	err   error
}

func (o once[K, V]) read(key K, f func() (V, error)) (V, error) {
	if known, ok := o[key]; ok {
		return known.value, known.err
	}
	value, err := f()
	o[key] = struct {
		value V
		err   error
	}{value, err}
	return value, err
}

func newReader(enter func(event.Place) Clients, book ledger.Ledger) *reader {
	return &reader{enter: enter, ledger: book, clients: map[event.Place]Clients{}, peerings: once[event.Place, []types.VpcPeeringConnection]{}, attachments: once[event.Place, []types.TransitGatewayAttachment]{},
		rules: once[event.Place, []firewall.Marked]{}, vpcs: once[event.Place, map[string]types.Vpc]{}, tables: once[spot, []route.Table]{}, subnets: once[spot, []route.Subnet]{},
		grants: once[string, privatenotebooks.Grant]{}, told: map[string]bool{}}
}

func (r *reader) in(at event.Place) Clients {
	if _, known := r.clients[at]; !known {
		r.clients[at] = r.enter(at)
	}
	return r.clients[at]
}

// pageSize is how many things are read at a time.
const pageSize = 100

// markedPeerings returns the peerings that have Drawbridge's status in a place.
func (r *reader) markedPeerings(ctx context.Context, at event.Place) ([]types.VpcPeeringConnection, error) {
	return r.peerings.read(at, func() (out []types.VpcPeeringConnection, err error) {
		pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(r.in(at).EC2, &ec2.DescribeVpcPeeringConnectionsInput{MaxResults: aws.Int32(pageSize),
			Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{tag.Status}}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the peerings with a status in %s, %s: %w", at.Account, at.Region, err)
			}
			out = append(out, page.VpcPeeringConnections...)
		}
		return out, nil
	})
}

// allAttachments returns what a place shows of attachments of VPCs: of its own VPCs, and to its own gateways.
func (r *reader) allAttachments(ctx context.Context, at event.Place) ([]types.TransitGatewayAttachment, error) {
	return r.attachments.read(at, func() (out []types.TransitGatewayAttachment, err error) {
		pages := ec2.NewDescribeTransitGatewayAttachmentsPaginator(r.in(at).EC2, &ec2.DescribeTransitGatewayAttachmentsInput{MaxResults: aws.Int32(pageSize),
			Filters: []types.Filter{{Name: aws.String("resource-type"), Values: []string{"vpc"}}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the attachments in %s, %s: %w", at.Account, at.Region, err)
			}
			out = append(out, page.TransitGatewayAttachments...)
		}
		return out, nil
	})
}

// markedRules returns the rules of a place that carry Drawbridge's tag.
func (r *reader) markedRules(ctx context.Context, at event.Place) ([]firewall.Marked, error) {
	return r.rules.read(at, func() ([]firewall.Marked, error) {
		found, err := firewall.ReadMarked(ctx, r.in(at).EC2)
		if err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
		return found, nil
	})
}

// vpc returns a VPC with its addresses and tags; found is false if there is none any more.
func (r *reader) vpc(ctx context.Context, at event.Place, id string) (v workflow.VPC, tags map[string]string, err error) {
	all, err := r.vpcs.read(at, func() (map[string]types.Vpc, error) {
		out := map[string]types.Vpc{}
		pages := ec2.NewDescribeVpcsPaginator(r.in(at).EC2, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(pageSize)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the VPCs of %s, %s: %w", at.Account, at.Region, err)
			}
			for _, v := range page.Vpcs {
				out[aws.ToString(v.VpcId)] = v
			}
		}
		return out, nil
	})
	v = workflow.VPC{Account: at.Account, Region: at.Region, ID: id}
	found, ok := all[id]
	if err != nil || !ok {
		return v, nil, err
	}
	v.CIDRs = route.CIDRs(found)
	return v, tag.Clean(tag.VPC, tag.OfEC2(found.Tags)), nil
}

// network returns the subnets and route tables of a VPC.
func (r *reader) network(ctx context.Context, at event.Place, vpc string) ([]route.Subnet, []route.Table, error) {
	key := spot{at, vpc}
	subnets, err := r.subnets.read(key, func() ([]route.Subnet, error) { return route.ReadSubnets(ctx, r.in(at).EC2, vpc) })
	if err != nil {
		return nil, nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
	}
	tables, err := r.tables.read(key, func() ([]route.Table, error) { return route.Read(ctx, r.in(at).EC2, vpc) })
	if err != nil {
		return nil, nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
	}
	return subnets, tables, nil
}

// notebooks gives to with the rows of the host routes of a place.
func (r *reader) notebooks(ctx context.Context, at event.Place, to func(Rows) error) error {
	notebooks, unreadable, err := r.configured(ctx, at)
	if err != nil {
		return err
	}
	rows := PlanHostRoutes(notebooks)
	for _, name := range unreadable {
		rows.Untold = append(rows.Untold, Untold{HostRoutes, fmt.Sprintf("those in %s: its block was edited by hand", name)})
	}
	return to(rows)
}

// configured returns the notebook instances of a place that use a lifecycle configuration, with the lines in it, and the configurations whose
// block cannot be read.
func (r *reader) configured(ctx context.Context, at event.Place) (out []Notebook, unreadable []string, err error) {
	api := r.in(at).SageMaker
	lines, bad := map[string][]lifecycle.Line{}, map[string]bool{}
	fleet, err := notebook.List(ctx, api)
	if err != nil {
		return nil, nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
	}
	names := fleet.Configurations()
	var mu sync.Mutex
	if err := notebook.Each(ctx, names, func(name string) error {
		found, err := lifecycle.Lines(ctx, api, name)
		mu.Lock()
		defer mu.Unlock()
		if fault.Of(err) == fault.Conflict {
			bad[name], err = true, nil
		}
		lines[name] = found
		return err
	}); err != nil {
		return nil, nil, err
	}
	concerned := func(configuration string) bool { return !bad[configuration] && len(lines[configuration]) > 0 }
	if !slices.ContainsFunc(names, concerned) {
		return nil, slices.Sorted(maps.Keys(bad)), nil
	}
	instances, err := fleet.Read(ctx, api, notebook.Memory{Ledger: r.ledger, At: at}, concerned)
	if err != nil {
		return nil, nil, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
	}
	for _, one := range instances {
		if one.Subnet != "" && concerned(one.LifecycleConfig) {
			out = append(out, Notebook{Place: at, Name: one.Name, Subnet: one.Subnet, Configuration: one.LifecycleConfig, Lines: lines[one.LifecycleConfig]})
		}
	}
	return out, slices.Sorted(maps.Keys(bad)), r.ranges(ctx, at, out)
}

// ranges fills in the CIDRs of the subnets that notebooks are in.
func (r *reader) ranges(ctx context.Context, at event.Place, notebooks []Notebook) error {
	var ids []string
	for _, n := range notebooks {
		ids = append(ids, n.Subnet)
	}
	slices.Sort(ids)
	known := map[string][]netip.Prefix{}
	for some := range slices.Chunk(slices.Compact(ids), pageSize) {
		got, err := r.in(at).EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: some})
		if err != nil {
			return fmt.Errorf("reading the subnets of the notebook instances of %s, %s: %w", at.Account, at.Region, err)
		}
		for _, s := range got.Subnets {
			texts := []string{aws.ToString(s.CidrBlock)}
			for _, a := range s.Ipv6CidrBlockAssociationSet {
				texts = append(texts, aws.ToString(a.Ipv6CidrBlock))
			}
			for _, text := range texts {
				if p, err := netip.ParsePrefix(text); err == nil {
					known[aws.ToString(s.SubnetId)] = append(known[aws.ToString(s.SubnetId)], p.Masked())
				}
			}
		}
	}
	for n := range notebooks {
		notebooks[n].CIDRs = known[notebooks[n].Subnet]
	}
	return nil
}
