package terraform

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// Who owns what main.tf makes.
const (
	consumer = "111111111111"
	producer = "222222222222"
)

// The ranges, the port and the script of main.tf.
const (
	consumerCIDR = "10.1.0.0/16"
	producerCIDR = "10.2.0.0/16"
	port         = 3306
	script       = "setup"
)

// message is a notification for the owner of one account.
type message struct{ account, body string }

// hear keeps what people are told.
func (p *play) hear(c awscall.Call, x local.Exchange) {
	if c.Action != "Publish" || c.Error != "" {
		return
	}
	form, err := url.ParseQuery(string(x.Body))
	if err != nil {
		return
	}
	m := message{body: form.Get("Message")}
	for n := 1; form.Has(fmt.Sprintf("MessageAttributes.entry.%d.Name", n)); n++ {
		if form.Get(fmt.Sprintf("MessageAttributes.entry.%d.Name", n)) == "account" {
			m.account = form.Get(fmt.Sprintf("MessageAttributes.entry.%d.Value.StringValue", n))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, m)
}

// told returns what was heard since it was asked last.
func (p *play) told() []message {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.messages
	p.messages = nil
	return out
}

// hold keeps Drawbridge's calls waiting while Terraform applies, as AWS's records do, which come minutes later. Otherwise a route could be back before Terraform
// has seen that it is gone.
func (p *play) hold(c awscall.Call, when local.Moment) *local.Fault {
	if c.Function != "" && when == local.Before {
		p.applying.RLock()
		defer p.applying.RUnlock()
	}
	return nil
}

// The names of what Drawbridge adds, by where Terraform owns the whole of it.
const (
	routeThere = "the route of alpha's table"
	routeBack  = "the route of beta's table" // which no code owns inline
	rule       = "the rule of beta's group"
	hostRoute  = "the host route of alpha's script"
)

// stands says which of the things that Drawbridge adds are there.
func (p *play) stands(ctx context.Context) ([]string, error) {
	var out []string
	for _, t := range []struct{ account, table, destination, name string }{
		{consumer, p.ids.ConsumerTable, producerCIDR, routeThere}, {producer, p.ids.ProducerTable, consumerCIDR, routeBack},
	} {
		got, err := p.ec2(t.account).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{t.table}})
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(got.RouteTables[0].Routes, func(r ec2types.Route) bool {
			return within(aws.ToString(r.DestinationCidrBlock), t.destination) && aws.ToString(r.VpcPeeringConnectionId) == p.ids.Connection
		}) {
			out = append(out, t.name)
		}
	}
	groups, err := p.ec2(producer).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{p.ids.ProducerGroup}})
	if err != nil {
		return nil, err
	}
	for _, permission := range groups.SecurityGroups[0].IpPermissions {
		if aws.ToInt32(permission.FromPort) == port && slices.ContainsFunc(permission.UserIdGroupPairs, func(g ec2types.UserIdGroupPair) bool { return aws.ToString(g.UserId) == consumer }) {
			out = append(out, rule)
		}
	}
	config, err := sagemaker.NewFromConfig(p.engine.Config(consumer, p.engine.Region())).DescribeNotebookInstanceLifecycleConfig(ctx,
		&sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: aws.String(script)})
	if err != nil {
		return nil, err
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(config.OnStart[0].Content))
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(strings.Fields(string(text)), func(word string) bool { return within(word, producerCIDR) }) {
		out = append(out, hostRoute)
	}
	return out, nil
}

// within reports whether a text is a prefix within another.
func within(text, all string) bool {
	p, err := netip.ParsePrefix(text)
	return err == nil && netip.MustParsePrefix(all).Overlaps(p) && p.Bits() >= netip.MustParsePrefix(all).Bits()
}

func (p *play) ec2(account string) *ec2.Client {
	return ec2.NewFromConfig(p.engine.Config(account, p.engine.Region()))
}

// share makes a database in beta that is shared with everybody, in the group that Terraform owns. The provider would wait for it longer than for all else.
func (p *play) share(ctx context.Context) error {
	client := rds.NewFromConfig(p.engine.Config(producer, p.engine.Region()))
	if _, err := client.CreateDBSubnetGroup(ctx, &rds.CreateDBSubnetGroupInput{
		DBSubnetGroupName: aws.String("sales"), DBSubnetGroupDescription: aws.String("where sales lives"), SubnetIds: p.ids.ProducerSubnets,
	}); err != nil {
		return err
	}
	_, err := client.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("sales"), DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("mysql"), Port: aws.Int32(port),
		AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), ManageMasterUserPassword: aws.Bool(true),
		DBSubnetGroupName: aws.String("sales"), VpcSecurityGroupIds: []string{p.ids.ProducerGroup},
		Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: aws.String("true")}},
	})
	return err
}

// askAnew sets the tag by which an owner asks anew, as their notification says.
func (p *play) askAnew(ctx context.Context, account string) error {
	_, err := p.ec2(account).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{p.ids.Connection},
		Tags: []ec2types.Tag{{Key: aws.String("drawbridge:manage"), Value: aws.String("true")}}})
	return err
}

// additions are the calls by which Drawbridge adds, since the last act began, by action.
func (p *play) additions() map[string]int {
	out := map[string]int{}
	for _, c := range p.engine.Story().Calls() {
		switch c.Action {
		case "CreateRoute", "ReplaceRoute", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "UpdateNotebookInstanceLifecycleConfig", "ModifyVpcPeeringConnectionOptions":
			if c.Error == "" {
				out[c.Action]++
			}
		}
	}
	return out
}
