package stories

import (
	"archive/zip"
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// acls are the stories of network ACLs that let some of a VPC through.
var acls = []tale{
	{
		name:  "acl-clients",
		title: "A network ACL lets in the subnet of the notebook, and nobody else",
		about: `
As in s1-peering.md, but the network ACL of the database's subnets lets in, and answers, nothing but the subnet of alpha's notebook. That is
enough, as long as nothing else of alpha's calls databases. Then alpha gets a Lambda function in another subnet, and somebody looks again.`,
		prepare: admitNotebookAlone,
		acts: []act{
			request("Connected"),
			{"The owner of alpha creates a function in another subnet; the owner of beta asks for the peering to be managed.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				makeFunction(ctx, t, w)
				_, err := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{w.Connection},
					Tags: []ec2types.Tag{{Key: aws.String("drawbridge:manage"), Value: aws.String("true")}}})
				succeeds(t, err)
			}, []string{"Announced", "PartlyConnected"}},
		},
		connected: true, // the notebook is
	},
}

// admitNotebookAlone gives the subnets of beta's database a network ACL that lets through the subnet of alpha's notebook.
func admitNotebookAlone(ctx context.Context, t *testing.T, w *scenario.World) {
	client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	made, err := client.CreateNetworkAcl(ctx, &ec2.CreateNetworkAclInput{VpcId: &w.ProducerNetwork.VPC})
	succeeds(t, err)
	for _, egress := range []bool{false, true} {
		_, err := client.CreateNetworkAclEntry(ctx, &ec2.CreateNetworkAclEntryInput{NetworkAclId: made.NetworkAcl.NetworkAclId, RuleNumber: aws.Int32(100), Egress: &egress,
			RuleAction: ec2types.RuleActionAllow, Protocol: aws.String("-1"), CidrBlock: aws.String(w.Consumer.Subnets[0].String())})
		succeeds(t, err)
	}
	old, err := client.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.ProducerNetwork.VPC}}}})
	succeeds(t, err)
	for _, acl := range old.NetworkAcls {
		for _, a := range acl.Associations {
			if slices.Contains(w.ProducerNetwork.Subnets[:2], aws.ToString(a.SubnetId)) {
				_, err := client.ReplaceNetworkAclAssociation(ctx, &ec2.ReplaceNetworkAclAssociationInput{AssociationId: a.NetworkAclAssociationId, NetworkAclId: made.NetworkAcl.NetworkAclId})
				succeeds(t, err)
			}
		}
	}
}

// makeFunction makes a function in alpha's second subnet.
func makeFunction(ctx context.Context, t *testing.T, w *scenario.World) {
	clients := engine.Config(w.Consumer.Account, w.Consumer.Region)
	role, err := iam.NewFromConfig(clients).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("reports"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	succeeds(t, err)
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	_, err = archive.Create("bootstrap")
	succeeds(t, err)
	succeeds(t, archive.Close())
	_, err = lambda.NewFromConfig(clients).CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String("reports"), Role: role.Role.Arn,
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()},
		VpcConfig: &lambdatypes.VpcConfig{SecurityGroupIds: []string{w.ConsumerNetwork.Group}, SubnetIds: w.ConsumerNetwork.Subnets[1:2]}})
	succeeds(t, err)
}
