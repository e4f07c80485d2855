package fanout

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Fanout] needs of EC2.
type EC2 interface {
	sweep.EC2
	DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error)
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
}

// SageMaker is what [Fanout] needs of SageMaker.
type SageMaker interface {
	ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error)
}

// Clients are for acting in one account and Region.
type Clients struct {
	EC2       EC2
	RDS       sweep.RDS
	RAM       sweep.InvitationReader
	SageMaker SageMaker
}

// Fanout finds whom an event concerns, and asks for a look at each.
type Fanout struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Ask asks for looks.
	Ask sweep.Ask
	// Contest is what the ledger says of things that somebody may have taken away.
	Contest contest.Contest
	// Region is the hub's, under which the ledger has what is of a service without Regions.
	Region string
}

// pageSize is how many things are held at a time.
const pageSize = 100

// filterValues is how many values a filter of EC2 takes.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
const filterValues = 200

// Find asks for a look at everything that the event concerns: see [Plan].
func (f Fanout) Find(ctx context.Context, in workflow.FindConnectionsInput) (workflow.FindConnectionsOutput, error) {
	c, err := event.ReadChanged(in.Event)
	if err != nil {
		return workflow.FindConnectionsOutput{}, err
	}
	tagged := Tagged(c)
	nothing := func(why string) (workflow.FindConnectionsOutput, error) {
		return workflow.FindConnectionsOutput{Result: workflow.Nothing, Reason: why, Tagged: tagged}, nil
	}
	if c.Contest != "" {
		return workflow.FindConnectionsOutput{Result: workflow.Announced, Tagged: tagged, Contested: c.Contest, Reason: "something of " + c.Contest + " is contested"}, nil
	}
	if c.Failed != "" {
		return workflow.FindConnectionsOutput{Result: workflow.Announced, Tagged: tagged, Failed: c.Failed, Reason: c.Failed + " did not come to its end"}, nil
	}
	if c.Nothing() {
		return nothing(c.Why)
	}
	if err := f.Contest.Ledger.Hear(ctx, Words(c)...); err != nil {
		return workflow.FindConnectionsOutput{}, fmt.Errorf("keeping what %s said in %s, %s: %w", c.Hand.Who, c.Account, c.Region, err)
	}
	concern := Plan(c)
	contested, err := f.hands(ctx, &concern, c)
	if err != nil {
		return workflow.FindConnectionsOutput{}, fmt.Errorf("finding what the hand of %s was at in %s, %s: %w", c.Hand.Who, c.Account, c.Region, err)
	}
	if concern.Empty() {
		out, err := nothing(fmt.Sprintf("%s by %s is about nothing that Drawbridge did in %s, %s", c.Name, c.Hand.Who, c.Account, c.Region))
		out.Contested = contested
		return out, err
	}
	api := f.Enter(in.Execution, c.Place)
	for _, more := range []func() error{
		func() error { return concern.tables(ctx, api.EC2, c.Place) },
		func() error { return concern.networks(ctx, api.EC2, c) },
		func() error { return concern.notebooks(ctx, api.SageMaker, c, tagged) },
		func() error { return concern.configured(ctx, api.SageMaker, c) },
		func() error { return concern.clusters(ctx, api.RDS, c) },
	} {
		if err := more(); err != nil {
			return workflow.FindConnectionsOutput{}, fmt.Errorf("in %s, %s: %w", c.Account, c.Region, err)
		}
	}
	if err := f.Ask(ctx, concern.Looks...); err != nil {
		return workflow.FindConnectionsOutput{}, err
	}
	found := len(concern.Looks)
	if concern.Invited {
		_, asked, err := sweep.EachInvitation(ctx, api.RAM, c.Place, c.Name, f.Ask)
		if err != nil {
			return workflow.FindConnectionsOutput{}, fmt.Errorf("in %s, %s: %w", c.Account, c.Region, err)
		}
		found += asked
	}
	if concern.Everywhere || len(concern.VPCs) > 0 {
		peerings, err := concern.peerings(ctx, api.EC2, c, f.Ask)
		if err != nil {
			return workflow.FindConnectionsOutput{}, err
		}
		attachments, err := concern.attachments(ctx, api.EC2, c, f.Ask)
		if err != nil {
			return workflow.FindConnectionsOutput{}, err
		}
		joined, err := concern.joined(ctx, f, c)
		if err != nil {
			return workflow.FindConnectionsOutput{}, err
		}
		found += peerings + attachments + joined
	}
	if found == 0 {
		return nothing(fmt.Sprintf("%s concerns no connection of %s in %s", c.Name, c.Account, c.Region))
	}
	return workflow.FindConnectionsOutput{Result: workflow.Announced, Announced: found, Tagged: tagged, Contested: contested,
		Reason: strings.TrimSuffix(fmt.Sprintf("%s concerns %d, each looked at by an execution of its own; left out: %s", c.Name, found, c.Unread), "; left out: ")}, nil
}

// tables adds the VPCs of route tables that were given to subnets.
func (o *Concern) tables(ctx context.Context, api EC2, at event.Place) error {
	for _, id := range o.Tables {
		got, err := api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{id}})
		if fault.HasCode(err, "InvalidRouteTableID.NotFound") {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", id, err)
		}
		for _, t := range got.RouteTables {
			o.VPCs = append(o.VPCs, aws.ToString(t.VpcId))
		}
	}
	return nil
}

// networks adds the looks at endpoints that have to follow the addresses and subnets of their VPC.
func (o *Concern) networks(ctx context.Context, api EC2, c event.Changed) error {
	if len(o.Networks) == 0 {
		return nil
	}
	// By filter, so that one that is gone already keeps none of the others from being found. A call changes one VPC.
	pages := ec2.NewDescribeVpcsPaginator(api, &ec2.DescribeVpcsInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: o.Networks}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading %v: %w", o.Networks, err)
		}
		for _, v := range page.Vpcs {
			tags := map[string]string{}
			for _, t := range v.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			tags = tag.Clean(tag.VPC, tags)
			for _, l := range Endpoints(c.Place, aws.ToString(v.VpcId), tags, c.Name) {
				o.look(l)
			}
		}
	}
	return nil
}

// notebooks adds the looks at notebook instances, and gives those that are tagged their own names.
func (o *Concern) notebooks(ctx context.Context, api SageMaker, c event.Changed, tagged []workflow.TaggedThing) error {
	if len(o.Notebooks) == 0 {
		return nil
	}
	var names []string
	pages := sagemaker.NewListNotebookInstancesPaginator(api, &sagemaker.ListNotebookInstancesInput{MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing notebook instances: %w", err)
		}
		for _, n := range page.NotebookInstances {
			names = append(names, aws.ToString(n.NotebookInstanceName))
		}
	}
	for _, name := range o.Notebooks {
		as, ok := Instance(name, names)
		if !ok {
			continue
		}
		o.look(event.NotebookInspection{Account: c.Account, Region: c.Region, Notebook: as, Reason: c.Name})
		for i := range tagged {
			if tagged[i].Kind == tag.Notebook && tagged[i].ID == name {
				tagged[i].ID = as
			}
		}
	}
	return nil
}

// clusters adds the looks at Aurora clusters whose owner names readers.
func (o *Concern) clusters(ctx context.Context, api sweep.RDS, c event.Changed) error {
	if !o.Clusters {
		return nil
	}
	pages := rds.NewDescribeDBClustersPaginator(api, &rds.DescribeDBClustersInput{MaxRecords: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the Aurora clusters: %w", err)
		}
		for _, cluster := range page.DBClusters {
			tags := map[string]string{}
			for _, t := range cluster.TagList {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			if tags = tag.Clean(tag.DBCluster, tags); tags[tag.DataAPI] != "" && tag.Letting(tags) == "" {
				o.look(event.DataAPIInspection{Account: c.Account, Region: c.Region, Cluster: aws.ToString(cluster.DBClusterArn), Reason: c.Name})
			}
		}
	}
	return nil
}

// peerings asks for a look at each pending or active peering that is concerned.
func (o *Concern) peerings(ctx context.Context, api EC2, c event.Changed, ask sweep.Ask) (int, error) {
	_, asked, err := sweep.EachPeering(ctx, api, c.Place, []string{"pending-acceptance", "active"}, func(p sweep.Peering) string {
		if o.Everywhere && sweep.Concerned(p, c.Place, "") || slices.ContainsFunc(o.VPCs, func(vpc string) bool { return sweep.Concerned(p, c.Place, vpc) }) {
			return c.Name
		}
		return ""
	}, ask)
	return asked, err
}

// joined asks for a look at each connection of a VPC in whose subnets the account has its things, if a database of it may be concerned.
func (o *Concern) joined(ctx context.Context, f Fanout, c event.Changed) (int, error) {
	if !o.Everywhere {
		return 0, nil
	}
	entries, err := f.Contest.Ledger.Joined(ctx, c.Account, c.Region)
	if err != nil {
		return 0, err
	}
	var looks []look.Look
	for _, each := range entries {
		if l, ok := look.At(each, c.Place, c.Name); ok && !slices.ContainsFunc(each.Sides, func(s ledger.Side) bool { return s.Account == c.Account && s.Region == c.Region }) {
			looks = append(looks, l)
		}
	}
	return len(looks), f.Ask(ctx, looks...)
}

// attachments asks for a look at each attachment that is concerned. One that is over is none; one that waits for the gateway's owner is looked at
// when they answer.
func (o *Concern) attachments(ctx context.Context, api EC2, c event.Changed, ask sweep.Ask) (asked int, err error) {
	in := &ec2.DescribeTransitGatewayVpcAttachmentsInput{MaxResults: aws.Int32(pageSize), Filters: []types.Filter{
		{Name: aws.String("state"), Values: []string{"available", "modifying", "pending"}}}}
	if !o.Everywhere && len(o.VPCs) <= filterValues {
		in.Filters = append(in.Filters, types.Filter{Name: aws.String("vpc-id"), Values: o.VPCs})
	}
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return asked, fmt.Errorf("reading the attachments of %s, %s: %w", c.Account, c.Region, err)
		}
		var looks []look.Look
		for _, a := range page.TransitGatewayVpcAttachments {
			id := aws.ToString(a.VpcId)
			if owner := aws.ToString(a.VpcOwnerId); owner != "" && owner != c.Account || !o.Everywhere && !slices.Contains(o.VPCs, id) {
				continue // the gateway's owner sees other accounts' attachments too
			}
			looks = append(looks, event.AttachmentInspection{Account: c.Account, Region: c.Region, TransitGatewayID: aws.ToString(a.TransitGatewayId), VPC: id, Reason: c.Name})
		}
		if err := ask(ctx, looks...); err != nil {
			return asked, err
		}
		asked += len(looks)
	}
	return asked, nil
}
