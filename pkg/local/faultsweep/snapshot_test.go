package faultsweep

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

var random = regexp.MustCompile(`\b(vgw|acl|sg|rtb)-[0-9a-f]{8,}`)

// snapshot is what stands in all accounts of a world that Drawbridge could
// change, a line each, with names in place of ids, sorted.
func snapshot(ctx context.Context, t *testing.T, w *scenario.World) []string {
	t.Helper()
	var pairs []string
	for id, name := range w.Names() {
		pairs = append(pairs, id, name)
	}
	pairs = append(pairs, w.Consumer.Account, "ALPHA", w.Producer.Account, "BETA")
	if w.Connection != "" {
		pairs = append(pairs, w.Connection, "pcx-one")
	}
	names := strings.NewReplacer(pairs...)
	var lines []string
	say := func(home, what string, v ...any) {
		b, err := json.Marshal(v)
		must(t, err)
		lines = append(lines, random.ReplaceAllString(home+" "+names.Replace(what+" "+string(b)), "$1-some"))
	}
	for _, side := range []struct {
		home scenario.Home
		vpc  string
	}{{w.Consumer, w.ConsumerNetwork.VPC}, {w.Producer, w.ProducerNetwork.VPC}} {
		home := side.home.Name
		client := ec2.NewFromConfig(engine.Config(side.home.Account, side.home.Region))
		here := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{side.vpc}}}

		vpcs, err := client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{side.vpc}})
		must(t, err)
		for _, v := range vpcs.Vpcs {
			for _, tag := range v.Tags {
				say(home, "tag of "+*v.VpcId, tag)
			}
		}
		tables, err := client.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: here})
		must(t, err)
		for _, table := range tables.RouteTables {
			for _, r := range table.Routes {
				say(home, "route of "+*table.RouteTableId, r)
			}
			for _, tag := range table.Tags {
				say(home, "tag of "+*table.RouteTableId, tag)
			}
		}
		groups, err := client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: here})
		must(t, err)
		var ids []string
		for _, g := range groups.SecurityGroups {
			ids = append(ids, *g.GroupId)
			for _, tag := range g.Tags {
				say(home, "tag of "+*g.GroupId, tag)
			}
		}
		rules, err := client.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{
			Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: ids}},
		})
		must(t, err)
		for _, r := range rules.SecurityGroupRules {
			r.SecurityGroupRuleId, r.SecurityGroupRuleArn = nil, nil
			say(home, "rule", r)
		}
		acls, err := client.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: here})
		must(t, err)
		for _, a := range acls.NetworkAcls {
			for _, e := range a.Entries {
				say(home, "network ACL entry", e)
			}
		}
		if w.Connection == "" {
			continue
		}
		peerings, err := client.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{w.Connection}})
		must(t, err)
		for _, p := range peerings.VpcPeeringConnections {
			say(home, "peering", p.Status.Code, p.RequesterVpcInfo.PeeringOptions, p.AccepterVpcInfo.PeeringOptions)
			for _, tag := range p.Tags {
				say(home, "tag of the peering", tag)
			}
		}
	}
	if len(lines) == 0 {
		t.Fatal("the snapshot is empty")
	}
	lines = append(lines, notebooks(ctx, t, w)...)
	slices.Sort(lines)
	return lines
}

// notebooks are the consumer's notebooks and lifecycle configurations.
func notebooks(ctx context.Context, t *testing.T, w *scenario.World) []string {
	t.Helper()
	var lines []string
	client := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	list, err := client.ListNotebookInstances(ctx, &sagemaker.ListNotebookInstancesInput{})
	must(t, err)
	for _, n := range list.NotebookInstances {
		lines = append(lines, fmt.Sprintf("alpha notebook %s: configuration %s, %s", *n.NotebookInstanceName, aws.ToString(n.NotebookInstanceLifecycleConfigName), n.NotebookInstanceStatus))
		tags, err := client.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: n.NotebookInstanceArn})
		must(t, err)
		for _, tag := range tags.Tags {
			lines = append(lines, fmt.Sprintf("alpha tag of notebook %s: %s=%s", *n.NotebookInstanceName, *tag.Key, strings.ReplaceAll(*tag.Value, w.Connection, "pcx-one")))
		}
	}
	configs, err := client.ListNotebookInstanceLifecycleConfigs(ctx, &sagemaker.ListNotebookInstanceLifecycleConfigsInput{})
	must(t, err)
	for _, c := range configs.NotebookInstanceLifecycleConfigs {
		full, err := client.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{
			NotebookInstanceLifecycleConfigName: c.NotebookInstanceLifecycleConfigName,
		})
		must(t, err)
		for _, hook := range full.OnStart {
			script, err := base64.StdEncoding.DecodeString(aws.ToString(hook.Content))
			must(t, err)
			for _, l := range strings.Split(string(script), "\n") {
				if w.Connection != "" {
					l = strings.ReplaceAll(l, w.Connection, "pcx-one")
				}
				lines = append(lines, fmt.Sprintf("alpha script of %s: %s", *c.NotebookInstanceLifecycleConfigName, l))
			}
		}
	}
	if len(lines) == 0 {
		t.Fatal("there is no notebook")
	}
	return lines
}
