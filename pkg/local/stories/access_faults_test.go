package stories

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// accessRehearsals are the stories of the Data API, told in a world of the other stories so that their calls are struck too.
var accessRehearsals = []tale{
	rehearsed("s3-data-api", 1),
	rehearsed("data-api-removed", 2),
	rehearsed("data-api-consumer", 2),
	rehearsed("data-api-consumer-removed", 2),
}

// rehearsed makes a tale of a story of the Data API.
func rehearsed(name string, struck ...int) tale {
	worlds := map[string]*scenario.DataAPIWorld{} // by the account of the consumer
	out := tale{name: name, struck: struck}
	for _, s := range append(append([]dataAPITale{}, dataAPITales...), callers...) {
		if s.name != name {
			continue
		}
		out.title, out.about = s.title, s.about
		out.prepare = func(ctx context.Context, t *testing.T, w *scenario.World) {
			spec := scenario.S3()
			spec.Consumer, spec.Producer, spec.Third = w.Consumer.Account, w.Producer.Account, "33333333"+w.Consumer.Account[8:]
			if s.change != nil {
				s.change(&spec)
			}
			made, err := spec.Build(ctx, engine.Config)
			done(t, err)
			worlds[w.Consumer.Account] = made
		}
		for _, a := range s.acts {
			out.acts = append(out.acts, act{a.says, func(ctx context.Context, t *testing.T, w *scenario.World) {
				done(t, a.do(ctx, worlds[w.Consumer.Account]))
			}, a.ends})
		}
		out.more = func(ctx context.Context, t *testing.T, w *scenario.World) string {
			text, err := worlds[w.Consumer.Account].Owned(ctx)
			done(t, err)
			return made.ReplaceAllString(text, "$1-some") + endpointState(ctx, t, w) // an endpoint that is made anew has another id
		}
	}
	return out
}

var made = regexp.MustCompile(`\b(vpce|sg|sgr|eni|subnet)-[0-9a-f]{8,}`)

// endpointState is a line for each interface endpoint of the consumer's, and for what its group admits.
func endpointState(ctx context.Context, t *testing.T, w *scenario.World) string {
	t.Helper()
	text := ""
	got, err := consumer(w).DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{})
	done(t, err)
	for _, e := range got.VpcEndpoints {
		if !strings.EqualFold(string(e.State), "deleted") {
			text += fmt.Sprintf("\nendpoint %s %s in %d subnets with %d groups", aws.ToString(e.ServiceName), strings.ToLower(string(e.State)), len(e.SubnetIds), len(e.Groups))
		}
	}
	groups, err := consumer(w).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	done(t, err)
	for _, g := range groups.SecurityGroups {
		if strings.HasPrefix(aws.ToString(g.GroupName), "drawbridge") {
			text += "\ngroup " + made.ReplaceAllString(aws.ToString(g.GroupName), "$1-some")
			for _, p := range g.IpPermissions {
				for _, r := range p.IpRanges {
					text += fmt.Sprintf("\ngroup admits %s %d from %s", aws.ToString(p.IpProtocol), aws.ToInt32(p.FromPort), aws.ToString(r.CidrIp))
				}
			}
		}
	}
	return text
}

// document shows a policy in one line, without the ids that AWS made up.
func document(t *testing.T, text *string) string {
	t.Helper()
	return strings.ReplaceAll(made.ReplaceAllString(unescaped(t, aws.ToString(text)), "$1-some"), "\n", "⏎")
}

// roleState is everything that an account's roles, and the policies under Drawbridge's path, say.
func roleState(ctx context.Context, t *testing.T, h scenario.Home) string {
	t.Helper()
	api := iam.NewFromConfig(engine.Config(h.Account, h.Region))
	text := ""
	roles, err := api.ListRoles(ctx, &iam.ListRolesInput{})
	done(t, err)
	for _, r := range roles.Roles {
		name := aws.ToString(r.RoleName)
		if strings.HasPrefix(name, "drawbridge-member-") {
			continue
		}
		text += fmt.Sprintf("\nrole %s trusts %s", name, document(t, r.AssumeRolePolicyDocument))
		full, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: r.RoleName})
		done(t, err)
		for _, tag := range full.Role.Tags {
			text += fmt.Sprintf("\nrole %s tag %s=%s", name, aws.ToString(tag.Key), aws.ToString(tag.Value))
		}
		inline, err := api.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: r.RoleName})
		done(t, err)
		for _, p := range inline.PolicyNames {
			got, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: r.RoleName, PolicyName: &p})
			done(t, err)
			text += fmt.Sprintf("\nrole %s may %s", name, document(t, got.PolicyDocument))
		}
		attached, err := api.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: r.RoleName})
		done(t, err)
		for _, p := range attached.AttachedPolicies {
			text += fmt.Sprintf("\nrole %s has %s", name, aws.ToString(p.PolicyName))
		}
	}
	policies, err := api.ListPolicies(ctx, &iam.ListPoliciesInput{PathPrefix: aws.String("/drawbridge/")})
	done(t, err)
	for _, p := range policies.Policies {
		version, err := api.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: p.Arn, VersionId: p.DefaultVersionId})
		done(t, err)
		text += fmt.Sprintf("\npolicy %s says %s", aws.ToString(p.PolicyName), document(t, version.PolicyVersion.Document))
	}
	return text
}

// privateState is what private notebooks make of the consumer's account.
func privateState(ctx context.Context, t *testing.T, w *scenario.World) string {
	t.Helper()
	return endpointState(ctx, t, w) + roleState(ctx, t, w.Consumer)
}

// studioState is what Studio makes of both accounts.
func studioState(ctx context.Context, t *testing.T, w *scenario.World) string {
	t.Helper()
	text := roleState(ctx, t, w.Consumer) + roleState(ctx, t, w.Producer)
	domain, err := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: aws.String(scenario.StudioDomain)})
	done(t, err)
	if domain.DomainSettings != nil {
		text += "\ndomain " + string(domain.DomainSettings.ExecutionRoleIdentityConfig)
	}
	clusters, err := redshift.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).DescribeClusters(ctx, &redshift.DescribeClustersInput{})
	done(t, err)
	for _, c := range clusters.Clusters {
		for _, one := range c.Tags {
			value := aws.ToString(one.Value)
			if aws.ToString(one.Key) == tag.StudioSince {
				value = "a time" // another in each run
			}
			text += fmt.Sprintf("\ncluster %s tag %s=%s", aws.ToString(c.ClusterIdentifier), aws.ToString(one.Key), value)
		}
	}
	return text
}
