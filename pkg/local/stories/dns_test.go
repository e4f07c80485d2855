package stories

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

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
