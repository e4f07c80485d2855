package attachment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	surveyed "github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// survey finds the subnets of a VPC and which of them hold a consumer or a producer.
func survey(ctx context.Context, here Clients, l ledger.Ledger, u unit) (subnets []Subnet, used []string, err error) {
	pages := ec2.NewDescribeSubnetsPaginator(here.EC2, &ec2.DescribeSubnetsInput{Filters: []types.Filter{filter("vpc-id", u.vpc)}})
	at := notebook.Where{VPC: u.vpc, Memory: notebook.Memory{Ledger: l, At: event.Place{Account: u.Account, Region: u.Region}}}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the subnets of %s: %w", u.vpc, err)
		}
		for _, s := range page.Subnets {
			subnets = append(subnets, Subnet{ID: aws.ToString(s.SubnetId), Zone: aws.ToString(s.AvailabilityZone), Free: aws.ToInt32(s.AvailableIpAddressCount),
				V4: aws.ToString(s.CidrBlock) != "" && !aws.ToBool(s.Ipv6Native)})
			at.Subnets = append(at.Subnets, aws.ToString(s.SubnetId))
			if tag.Clean(tag.Subnet, tag.OfEC2(s.Tags))[tag.Client] == "true" {
				at.Marked = append(at.Marked, aws.ToString(s.SubnetId))
			}
		}
	}
	slices.SortFunc(subnets, func(a, b Subnet) int { return strings.Compare(a.ID, b.ID) })
	groups, err := firewall.ReadGroups(ctx, here.EC2, u.vpc)
	if err != nil {
		return nil, nil, fmt.Errorf("finding what in %s of account %s is marked as a client: %w", u.vpc, u.Account, err)
	}
	at.Groups = firewall.OfClients(groups)
	clients, err := notebook.Clients(ctx, notebook.ClientAPIs{EC2: here.EC2, SageMaker: here.SageMaker, Lambda: here.Lambda}, at, func() ([]notebook.Instance, error) {
		return notebook.All(ctx, here.SageMaker, at.Memory, at.Subnets)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("finding what in %s of account %s may call databases: %w", u.vpc, u.Account, err)
	}
	found, err := database.Read(ctx, here.Databases, u.vpc, at.Subnets)
	if err != nil && !fault.Absent(err) {
		return nil, nil, fmt.Errorf("finding the databases of %s of account %s: %w", u.vpc, u.Account, err)
	}
	for _, c := range clients {
		used = append(used, c.Subnets...)
	}
	for _, d := range found.Databases {
		used = append(used, d.Subnets...)
		for _, s := range subnets {
			if len(d.Subnets) == 0 && s.Zone == d.Zone {
				used = append(used, s.ID)
			}
		}
	}
	slices.Sort(used)
	return subnets, slices.Compact(used), nil
}

// prospected bounds how many other VPCs of a gateway an approver is told the databases of.
const prospected = 20

// prospect finds what would become reachable if the attachment were accepted: the databases of the VPC that the policy
// would open to those that are attached, and theirs that it would open to the VPC.
func (l *inspection) prospect(ctx context.Context) ([]workflow.Reachable, error) {
	out := []workflow.Reachable{}
	others, err := l.others(ctx)
	if err != nil || len(others) == 0 {
		return out, err
	}
	for n, producer := range append([]policy.VPC{l.principal}, others...) {
		consumers := []policy.VPC{l.principal}
		if n == 0 {
			consumers = others
		}
		at := l.Enter(l.execution, event.Place{Account: producer.Account.ID, Region: producer.Region})
		found, err := database.Read(ctx, at.Databases, producer.ID, nil)
		if err != nil && !fault.Absent(err) {
			return nil, fmt.Errorf("in %s, %s: %w", producer.Account.ID, producer.Region, err)
		}
		databases := slices.DeleteFunc(found.Databases, func(d database.Database) bool { return !d.Answers() })
		for _, consumer := range consumers {
			for _, o := range opened(l.set, consumer, producer, databases) {
				out = append(out, workflow.Reachable{VPC: place(producer), From: place(consumer), Database: o})
			}
		}
	}
	return out, nil
}

// others returns the other VPCs that are attached to the gateway and can be read.
func (l *inspection) others(ctx context.Context) ([]policy.VPC, error) {
	owner := event.Place{Account: l.q.Gateway.Account, Region: l.Region}
	found, err := attachments(ctx, l.Enter(l.execution, owner).EC2,
		filter("state", "available"), filter("resource-type", "vpc"), filter("transit-gateway-id", l.unit.gateway))
	if err != nil {
		return nil, fmt.Errorf("in %s, %s: %w", owner.Account, owner.Region, err)
	}
	var others []policy.VPC
	for _, a := range found[:min(len(found), prospected)] {
		at := event.Place{Account: aws.ToString(a.ResourceOwnerId), Region: l.Region}
		facts, err := l.Account(ctx, at.Account)
		if err != nil {
			return nil, err
		}
		if facts.Organization == "" || aws.ToString(a.ResourceId) == l.unit.vpc {
			continue
		}
		vpc, tags, there, err := readVPC(ctx, l.Enter(l.execution, at).EC2, at, aws.ToString(a.ResourceId))
		if errors.Is(err, fault.ErrClosed) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if there {
			others = append(others, policy.VPC{ID: vpc.ID, Region: vpc.Region, CIDRs: vpc.CIDRs, Tags: tags, Account: facts.Entity()})
		}
	}
	return others, nil
}

// opened returns the databases of one VPC that the policy opens to another, each with what else that opens.
func opened(set *policy.Set, consumer, producer policy.VPC, databases []database.Database) []workflow.AllowedDatabase {
	var open, shut []workflow.AllowedDatabase
	for _, d := range databases {
		o := workflow.AllowedDatabase{Database: d.ID, Engine: d.Engine, Port: d.Port, Groups: d.Groups, Network: d.Network,
			Decision: set.Open(consumer, policy.Database{ARN: d.ARN, ID: d.ID, Engine: d.Engine, Port: d.Port, TLS: d.TLS, Tags: d.Tags, VPC: producer}, policy.Context{})}
		if o.Decision.Allowed {
			open = append(open, o)
		} else {
			shut = append(shut, o)
		}
	}
	surveyed.AlsoReached(open, shut)
	return open
}

func place(v policy.VPC) workflow.VPC {
	return workflow.VPC{Account: v.Account.ID, Region: v.Region, ID: v.ID, CIDRs: v.CIDRs}
}
