package stories

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// resolvers are the stories about how names are resolved.
var resolvers = []tale{
	{
		name:  "dns-own",
		title: "A VPC with a DNS server of its own",
		about: `
As in s1-peering.md, but the DHCP options of alpha's VPC name a DNS server of its owner's. Nobody here can ask it for the name of the database: the path is
neither whole nor broken, and the verdict says why.`,
		prepare:   ownServer,
		acts:      []act{request("Connected")},
		connected: true,
	},
	{
		name:  "dns-public",
		title: "A database with a public address",
		about: `
As in s1-peering.md, but the database is accessible publicly, and alpha's VPC has no DNS hostnames, as AWS makes a VPC. So the notebook resolves the
name of the database to its public address, which no peering leads to: the path is broken, and the verdict says by what. Then the owner turns them on, and asks for
the peering to be managed.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			must(t)(databases(w).ModifyDBInstance(ctx, &rds.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String(w.Database.Name), PubliclyAccessible: aws.Bool(true)}))
			hostnames(ctx, t, producer(w), w.ProducerNetwork.VPC)
		},
		acts: []act{
			request("Conflict"),
			{"The owner of alpha turns on the DNS hostnames of the VPC, and tags the peering: drawbridge:manage=true.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				hostnames(ctx, t, consumer(w), w.ConsumerNetwork.VPC)
				manageIt("true")(ctx, t, w)
			}, []string{"Announced", "Connected"}},
		},
		connected: true,
	},
}

// hostnames turns on the DNS hostnames of a VPC.
func hostnames(ctx context.Context, t *testing.T, client *ec2.Client, vpc string) {
	t.Helper()
	must(t)(client.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: &vpc, EnableDnsHostnames: &ec2types.AttributeBooleanValue{Value: aws.Bool(true)}}))
}

// ownServer lets the DHCP options of alpha's VPC name a DNS server in it.
func ownServer(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	server := w.Consumer.Subnets[0].Addr().Next().Next().Next().String()
	options, err := consumer(w).CreateDhcpOptions(ctx, &ec2.CreateDhcpOptionsInput{DhcpConfigurations: []ec2types.NewDhcpConfiguration{
		{Key: aws.String("domain-name-servers"), Values: []string{server}}}})
	succeeds(t, err)
	must(t)(consumer(w).AssociateDhcpOptions(ctx, &ec2.AssociateDhcpOptionsInput{DhcpOptionsId: options.DhcpOptions.DhcpOptionsId, VpcId: &w.ConsumerNetwork.VPC}))
}
