package sweep

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestAttached(t *testing.T) {
	told := map[string]string{"drawbridge:status": "Attached"}
	for name, c := range map[string]struct {
		a    Attachment
		want bool
	}{
		"there, of a VPC that asks":         {Attachment{State: "available", Asked: true}, false},
		"there, of a VPC that does not ask": {Attachment{State: "available"}, true},
		"one that nobody accepted yet":      {Attachment{State: "pendingAcceptance"}, true},
		"over, with our status":             {Attachment{State: "deleted", Tags: told}, true},
		"over, of a VPC that asks still":    {Attachment{State: "deleted", Tags: told, Asked: true}, true},
		"over, with tags of its owner":      {Attachment{State: "deleted", Tags: map[string]string{"Name": "x"}}, false},
		"rejected, never looked at":         {Attachment{State: "rejected"}, false},
	} {
		if got := Attached(c.a); (got != "") != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// aurora is the Aurora clusters of a place: id → the tag drawbridge:data-api.
type aurora map[string]string

func (a aurora) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	out := &rds.DescribeDBClustersOutput{}
	for id, accounts := range a {
		one := rdstypes.DBCluster{DBClusterArn: aws.String("arn:aws:rds:eu-west-1:111111111111:cluster:" + id)}
		if accounts != "" {
			one.TagList = []rdstypes.Tag{{Key: aws.String("drawbridge:data-api"), Value: &accounts}}
		}
		out.DBClusters = append(out.DBClusters, one)
	}
	return out, nil
}

func TestClustersAreFoundByTheirTagAndByTheLedger(t *testing.T) {
	book, _ := ledgertest.New()
	begin := func(kind road.Kind, id, region string) {
		if _, err := book.Begin(t.Context(), ledger.Connection{ID: id, Kind: kind, Sides: []ledger.Side{{Account: "111111111111", Region: region, ID: id}}}); err != nil {
			t.Fatal(err)
		}
	}
	arn := "arn:aws:rds:eu-west-1:111111111111:cluster:"
	for _, id := range []string{"named", "bare", "deleted"} {
		begin(road.DataAPI, arn+id, "eu-west-1")
	}
	begin("peering", "pcx-1", "eu-west-1")
	begin(road.DataAPI, "arn:aws:rds:us-east-1:111111111111:cluster:elsewhere", "us-east-1")
	var got []string
	d := DataAPI{Enter: func(string, event.Place) RDS {
		return aurora{"named": "222222222222", "new": "222222222222 333333333333", "nobody": "none", "bare": "", "plain": ""}
	}, Ledger: book}
	seen, err := d.Find(t.Context(), "x", event.Place{Account: "111111111111", Region: "eu-west-1"}, func(_ context.Context, looks ...look.Look) error {
		for _, l := range looks {
			got = append(got, event.ClusterID(l.(event.DataAPIInspection).Cluster))
		}
		return nil
	})
	slices.Sort(got)
	if want := []string{"bare", "deleted", "named", "new"}; err != nil || seen != 5 || !slices.Equal(got, want) {
		t.Errorf("saw %d, asked for %q, %v, want %q", seen, got, err, want)
	}
}

// palace has the VPCs of one account. What is not overridden is not called.
type palace struct {
	EndpointReader
	vpcs   map[string][]string // Region → "vpc tag"
	placed map[string][]string // Region → "vpc owner", as the ledger has them
	region string
}

// warehouses are the Redshift clusters of a place that have the tag drawbridge:studio.
type warehouses []string

func (w warehouses) DescribeClusters(_ context.Context, in *redshift.DescribeClustersInput, _ ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	out := &redshift.DescribeClustersOutput{}
	if slices.Equal(in.TagKeys, []string{"drawbridge:studio"}) {
		for _, id := range w {
			out.Clusters = append(out.Clusters, redshifttypes.Cluster{ClusterIdentifier: &id})
		}
	}
	return out, nil
}

// What is shared is looked at, and what the ledger has that is not shared any more; nothing else that the ledger has of the place, such as the
// clusters of other accounts that its roles may read.
func TestWarehousesAreFoundByTheirTagAndInTheLedger(t *testing.T) {
	book, _ := ledgertest.New()
	at := event.Place{Account: "222222222222", Region: "eu-west-1"}
	for _, c := range []ledger.Connection{
		{ID: "arn:aws:redshift:eu-west-1:222222222222:cluster:shared", Kind: "studio", Sides: []ledger.Side{{Role: "producer", Account: at.Account, Region: at.Region}}},
		{ID: "arn:aws:redshift:eu-west-1:222222222222:cluster:closed", Kind: "studio", Sides: []ledger.Side{{Role: "producer", Account: at.Account, Region: at.Region}}},
		{ID: "arn:aws:redshift:eu-west-1:333333333333:cluster:theirs", Kind: "studio", Sides: []ledger.Side{{Role: "consumer", Account: at.Account, Region: at.Region}}},
		{ID: "pcx-1", Kind: "peering", Sides: []ledger.Side{{Role: "requester", Account: at.Account, Region: at.Region}}},
	} {
		if _, err := book.Begin(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	seen, err := Studio{Ledger: book, Enter: func(string, event.Place) Redshift { return warehouses{"shared", "new"} }}.Find(t.Context(), "x", at,
		func(_ context.Context, looks ...look.Look) error {
			for _, l := range looks {
				got = append(got, l.(event.StudioInspection).Cluster)
			}
			return nil
		})
	if want := []string{"shared", "new", "closed"}; err != nil || !slices.Equal(got, want) || seen != 3 {
		t.Errorf("saw %d, asked for %q, %v, want %q", seen, got, err, want)
	}
}

func (p *palace) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	out := &ec2.DescribeVpcsOutput{}
	for _, v := range p.vpcs[p.region] {
		var id, tag string
		fmt.Sscan(v, &id, &tag)
		out.Vpcs = append(out.Vpcs, ec2types.Vpc{VpcId: aws.String(id), Tags: []ec2types.Tag{{Key: aws.String(tag), Value: aws.String("true")}}})
	}
	return out, nil
}

func (p palace) in(region string) *palace { p.region = region; return &p }

// wants returns what a finder asks looks for, sorted, and how much it saw.
func wants(t *testing.T, f AccountFinder) ([]string, int) {
	t.Helper()
	var got []string
	seen, err := f.FindAll(t.Context(), "x", workflow.Territory{Account: "111111111111", Regions: []string{"us-east-1", "eu-west-1"}}, func(_ context.Context, looks ...look.Look) error {
		for _, l := range looks {
			switch l := l.(type) {
			case event.StudioInspection:
				got = append(got, l.Region+" "+l.Cluster)
			case event.DataAPIEndpointInspection:
				got = append(got, "data-api "+l.Region+" "+l.VPC)
			case event.PrivateNotebooksInspection:
				got = append(got, "private "+l.Region)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got, seen
}

func TestVPCsAreFoundByTheirTagsAndByWhatIsInThem(t *testing.T) {
	for name, c := range map[string]struct {
		p    palace
		want []string
	}{
		"nothing":               {palace{}, nil},
		"a caller of each kind": {palace{vpcs: map[string][]string{"us-east-1": {"vpc-1 drawbridge:data-api"}, "eu-west-1": {"vpc-2 drawbridge:private-notebooks"}}}, []string{"data-api us-east-1 vpc-1", "private eu-west-1"}},
		"one look at an account": {palace{vpcs: map[string][]string{"us-east-1": {"vpc-1 drawbridge:private-notebooks"}, "eu-west-1": {"vpc-2 drawbridge:private-notebooks"}}},
			[]string{"private us-east-1"}},
		"left in VPCs":         {palace{placed: map[string][]string{"eu-west-1": {"vpc-3 data-api-endpoint-vpc-3", "vpc-4 private-notebooks-vpc-4"}}}, []string{"data-api eu-west-1 vpc-3", "private eu-west-1"}},
		"somebody else's mark": {palace{placed: map[string][]string{"eu-west-1": {"vpc-3 pcx-1"}}}, nil},
	} {
		book, _ := ledgertest.New()
		for region, all := range c.p.placed {
			for _, one := range all {
				var vpc, owner string
				fmt.Sscan(one, &vpc, &owner)
				if _, err := book.Begin(t.Context(), ledger.Connection{ID: owner, Kind: road.Kind(strings.TrimSuffix(owner, "-"+vpc)), Sides: []ledger.Side{{Account: "111111111111", Region: region, ID: vpc}}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, _ := wants(t, Endpoints{
			Ledger: book,
			EC2:    func(_ string, at event.Place) EndpointReader { return c.p.in(at.Region) },
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: asked for %q, want %q", name, got, c.want)
		}
	}
}

func TestASweepWithoutRegionsIsInvalid(t *testing.T) {
	if _, err := (Sweeper{}).Sweep(t.Context(), workflow.SweepAccountInput{}); fault.Of(err) != fault.Invalid {
		t.Error(err)
	}
}
