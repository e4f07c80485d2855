package stories

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	resolvertypes "github.com/aws/aws-sdk-go-v2/service/route53resolver/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// secondRegion is the other Region of the engine.
const secondRegion = "eu-west-1"

// privates are the stories about notebooks that are reached through interface endpoints only.
var privates = []tale{
	{
		name:  "private-notebooks",
		title: "Notebooks are reached through interface endpoints only",
		about: `
Alpha has a VPC with a notebook, a role "scientist" whose owner tagged it drawbridge:private-notebooks=true, and a role
"admin" with AdministratorAccess. One tag on the VPC, and it has the two endpoints of SageMaker; the scientist may issue
the URL of a notebook through them and from nowhere else; and the verdict names the admin, who still may from anywhere.
Then the tag goes, and with it everything that was added.`,
		prepare: privateWorld,
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The scientist asks for the notebook's URL, from here and there.", asScientist, nil},
			{"The owner of alpha takes the tag of the role away.", untagScientist, []string{"Announced", "Private"}},
			{"The scientist asks again, through the endpoint.", scientistIsDenied, nil},
			{"The owner of alpha takes the tag of the VPC away.", tagPrivate(false), []string{"Announced", "Removed"}},
		},
		struck: []int{1, 3, 5},
		more:   privateState,
		also:   nothingPrivateLeft,
	},
	{
		name:  "private-two",
		title: "Two VPCs have one policy",
		about: `
As in private-notebooks.md, but alpha has a second VPC, in eu-west-1. The account has one policy, which names the endpoints
of both: four ids. When one VPC leaves, its two ids leave; when the last one leaves, so does the policy.`,
		prepare: privateWorld,
		acts: []act{
			{"The owner of alpha tags the VPC.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The owner of alpha makes a VPC in eu-west-1 and tags it.", secondVPC, []string{"Announced", "Nothing", "Private"}},
			{"Somebody reads the policy.", policyNames(4), nil},
			{"The owner takes the tag of the first VPC away.", tagPrivate(false), []string{"Announced", "Private"}},
			{"Somebody reads the policy.", policyNames(2), nil},
			{"The owner takes the tag of the second VPC away.", untagSecond, []string{"Announced", "Removed"}},
		},
		also:   nothingPrivateLeft,
		unruly: true, // the VPCs of two Regions are served side by side
	},
	{
		name:  "private-owner",
		title: "The owner's own endpoints are used",
		about: `
As in private-notebooks.md, but the VPC has both endpoints already. They are neither doubled nor changed, the policy names
them, and they stay when the tag goes.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			privateWorld(ctx, t, w)
			ownEndpoints(ctx, t, w)
		},
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"Somebody reads the policy.", policyNames(2), nil},
			{"The owner of alpha takes the tag away.", tagPrivate(false), []string{"Announced", "Removed"}},
		},
		also: ownersStay,
	},
	{
		name:  "private-drift",
		title: "Endpoints follow their VPC",
		about: "An endpoint fails and is made anew; a zone, then a range comes; the range goes again.",
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			privateWorld(ctx, t, w)
			ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
			must(t)(ec2api.CreateTags(ctx, &ec2.CreateTagsInput{Resources: w.ConsumerNetwork.Subnets[:1],
				Tags: []ec2types.Tag{{Key: aws.String("simulated:endpoint"), Value: aws.String("failed")}}}))
		},
		acts: []act{
			{"The owner of alpha tags the VPC; the first endpoint fails.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The owner makes a subnet in a new zone and a second range.", widen, []string{"Announced", "Private"}},
			{"The owner gives the range back.", narrow, []string{"Announced", "Private"}},
		},
		also:   everyZone,
		unruly: true,
	},
}

// privateParts are the stories about what of an account cannot be served.
var privateParts = []tale{
	{
		name:  "private-one-bad",
		title: "One VPC cannot have private notebooks",
		about: `
As in private-notebooks.md, but alpha has a second VPC, in which names do not resolve; both get the tag by one call. The first is served all the same, and the execution
ends Incomplete: the reason names the other, and what its owner has to do. Once that is done, and the tag set anew, both are served.`,
		prepare: withBadVPC,
		acts: []act{
			{"The owner of alpha tags both VPCs by one call.", tagBoth, []string{"Announced", "Incomplete"}},
			{"Somebody reads the policy.", policyNames(2), nil},
			{"The owner turns the DNS names on, and tags the VPC anew.", mendBad, []string{"Announced", "Private"}},
			{"Somebody reads the policy.", policyNames(4), nil},
		},
		unruly: true, // the VPCs are served side by side
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			if len(endpointsOf(ctx, t, w)) != 2 {
				t.Error("the first VPC does not have its endpoints")
			}
		},
	},
	{
		name:  "private-theirs",
		title: "There is a policy of the same name",
		about: `
As in private-notebooks.md, but somebody in alpha made a policy of the name and path of Drawbridge's before. It is not in the ledger, so it stays as it is, and nobody is
given it: the execution ends Incomplete and says what its owner has to do. Once it is deleted, and the tag set anew, all is as ever.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			privateWorld(ctx, t, w)
			must(t)(iam.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).CreatePolicy(ctx, &iam.CreatePolicyInput{
				PolicyName: aws.String(privatenotebooks.PolicyName), Path: aws.String(privatenotebooks.PolicyPath), PolicyDocument: aws.String(theirPolicy)}))
		},
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Incomplete"}},
			{"The policy is as it was, and the scientist has it not.", isTheirs, nil},
			{"Its owner deletes it, and tags the VPC anew.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				must(t)(iam.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).DeletePolicy(ctx, &iam.DeletePolicyInput{
					PolicyArn: aws.String(privatenotebooks.PolicyARN(w.Consumer.Account, w.Consumer.Region))}))
				tagPrivate(true)(ctx, t, w)
			}, []string{"Announced", "Nothing", "Private"}},
			{"The owner of alpha takes the tag of the VPC away.", tagPrivate(false), []string{"Announced", "Removed"}},
		},
		also: nothingPrivateLeft,
	},
}

// privateFollows are the stories about private notebooks whose VPC changes.
var privateFollows = []tale{
	{
		name:  "private-subnet",
		title: "A VPC with private notebooks gets a subnet in a new Availability Zone",
		about: `
As in private-notebooks.md. Then the owner of alpha makes a subnet in a zone where the VPC had none, and later gives the VPC a
second range of addresses. Nobody tags anything again: both endpoints get an address in the new zone, and their security group
admits the new range.`,
		prepare: privateWorld,
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The owner of alpha makes a subnet in another Availability Zone.", newZone, []string{"Announced", "Private"}},
			{"Both endpoints are in all zones.", zonesOfEndpoints(4), nil},
			{"The owner of alpha associates 10.62.0.0/16 with the VPC.", mine("10.62.0.0/16"), []string{"Announced", "Private"}},
			{"The group of the endpoints admits both ranges.", groupAdmits("10.1.0.0/16", "10.62.0.0/16"), nil},
			{"The owner of alpha takes the tag away.", tagPrivate(false), []string{"Announced", "Removed"}},
		},
		struck: []int{2},
		more:   privateState,
		also:   nothingPrivateLeft,
	},
	{
		name:  "private-paths",
		title: "People come by Client VPN and from on premises",
		about: `
As in private-notebooks.md. Beside, 192.168.0.0/16 on premises is named in the parameter private-access-cidrs, and the VPC has a
Client VPN endpoint whose clients ask the VPC's resolver. The verdict says who gets in by which path: from on premises nobody finds
the names, until the owner makes an inbound endpoint of Route 53 Resolver.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			privateWorld(ctx, t, w)
			namePremises(ctx, t)
			must(t)(consumer(w).CreateClientVpnEndpoint(ctx, &ec2.CreateClientVpnEndpointInput{ClientCidrBlock: aws.String("10.200.0.0/22"),
				ServerCertificateArn: aws.String("arn:aws:acm:" + w.Consumer.Region + ":" + w.Consumer.Account + ":certificate/vpn"), VpcId: &w.ConsumerNetwork.VPC,
				AuthenticationOptions: []ec2types.ClientVpnAuthenticationRequest{{Type: ec2types.ClientVpnAuthenticationTypeCertificateAuthentication}},
				ConnectionLogOptions:  &ec2types.ConnectionLogOptions{Enabled: aws.Bool(false)}, DnsServers: []string{"10.1.0.2"}}))
		},
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The owner makes an inbound endpoint of Route 53 Resolver, and tags the VPC again.", resolveInbound, []string{"Announced", "Private"}},
			{"The owner of alpha takes the tag away.", tagPrivate(false), []string{"Announced", "Removed"}},
		},
		also: nothingPrivateLeft,
	},
}

// badVPC is the second VPC of a world, in which names do not resolve at first.
var badVPC = map[*scenario.World]string{}

// withBadVPC is privateWorld with a second VPC.
func withBadVPC(ctx context.Context, t *testing.T, w *scenario.World) {
	privateWorld(ctx, t, w)
	silently(ctx, t, w, func() {
		made, err := consumer(w).CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.61.0.0/16")})
		done(t, err)
		badVPC[w] = *made.Vpc.VpcId
		must(t)(consumer(w).CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: made.Vpc.VpcId, CidrBlock: aws.String("10.61.0.0/24")}))
	})
}

// tagBoth tags both VPCs by one call.
func tagBoth(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(consumer(w).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{w.ConsumerNetwork.VPC, badVPC[w]}, Tags: privateTags}))
}

// mendBad turns DNS names on in the second VPC, whose owner asks anew.
func mendBad(ctx context.Context, t *testing.T, w *scenario.World) {
	resolve(ctx, t, consumer(w), badVPC[w])
	tagVPC(ctx, t, consumer(w), badVPC[w], true)
}

// theirPolicy is what somebody's own policy of Drawbridge's name says.
const theirPolicy = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}`

// isTheirs holds the policy to what its owner wrote, with nobody.
func isTheirs(ctx context.Context, t *testing.T, w *scenario.World) {
	client := iam.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	has, err := client.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String(privatenotebooks.PolicyARN(w.Consumer.Account, w.Consumer.Region))})
	done(t, err)
	if text := policyOf(ctx, t, w); len(has.PolicyRoles) > 0 || text != theirPolicy {
		t.Errorf("%d roles have the policy, which says %s", len(has.PolicyRoles), text)
	}
}

// namePremises names a range on premises in the hub, until the story is over.
func namePremises(ctx context.Context, t *testing.T) {
	hub := ssm.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	name := "/drawbridge/private-access-cidrs"
	was, err := hub.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	done(t, err)
	put := func(ctx context.Context, value *string) {
		_, err := hub.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: value, Overwrite: aws.Bool(true)})
		done(t, err)
	}
	put(ctx, aws.String("192.168.0.0/16"))
	t.Cleanup(func() { put(context.WithoutCancel(ctx), was.Parameter.Value) })
}

// resolveInbound lets DNS servers on premises ask the VPC's resolver.
func resolveInbound(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(route53resolver.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)).CreateResolverEndpoint(ctx, &route53resolver.CreateResolverEndpointInput{
		CreatorRequestId: aws.String("premises"), Name: aws.String("premises"), Direction: resolvertypes.ResolverEndpointDirectionInbound,
		SecurityGroupIds: []string{w.ConsumerNetwork.Group}, IpAddresses: []resolvertypes.IpAddressRequest{
			{SubnetId: &w.ConsumerNetwork.Subnets[0], Ip: aws.String("10.1.0.10")}, {SubnetId: &w.ConsumerNetwork.Subnets[1], Ip: aws.String("10.1.1.10")}}}))
	tagPrivate(true)(ctx, t, w)
}

func newZone(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(consumer(w).CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &w.ConsumerNetwork.VPC, CidrBlock: aws.String("10.1.200.0/24"),
		AvailabilityZone: aws.String(w.Consumer.Region + "f")}))
}

// zonesOfEndpoints holds both endpoints to subnets in n zones.
func zonesOfEndpoints(n int) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		got, err := consumer(w).DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: endpointsOf(ctx, t, w)})
		if err != nil || len(got.VpcEndpoints) != 2 {
			t.Fatal(err, len(got.VpcEndpoints))
		}
		for _, e := range got.VpcEndpoints {
			if len(e.SubnetIds) != n {
				t.Errorf("%s is in %v, want %d zones", *e.ServiceName, e.SubnetIds, n)
			}
		}
	}
}

// groupAdmits holds the group of each endpoint to the ranges that it lets in.
func groupAdmits(cidrs ...string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		got, err := consumer(w).DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: endpointsOf(ctx, t, w)})
		if err != nil || len(got.VpcEndpoints) == 0 {
			t.Fatal(err)
		}
		for _, e := range got.VpcEndpoints {
			rules, err := consumer(w).DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{*e.Groups[0].GroupId}}}})
			if err != nil {
				t.Fatal(err)
			}
			var admitted []string
			for _, r := range rules.SecurityGroupRules {
				if !aws.ToBool(r.IsEgress) {
					admitted = append(admitted, aws.ToString(r.CidrIpv4))
				}
			}
			slices.Sort(admitted)
			if !slices.Equal(admitted, cidrs) {
				t.Errorf("the group of %s admits %v, want %v", *e.ServiceName, admitted, cidrs)
			}
		}
	}
}

// privateWorld makes the roles, and lets the VPC resolve private names.
func privateWorld(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := engine.Config(w.Consumer.Account, w.Consumer.Region)
	resolve(ctx, t, ec2.NewFromConfig(alpha), w.ConsumerNetwork.VPC)
	roles := iam.NewFromConfig(alpha)
	trust := aws.String(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}`)
	for _, name := range []string{"scientist", "admin"} {
		in := &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trust}
		if name == "scientist" {
			in.Tags = []iamtypes.Tag{{Key: aws.String(tag.PrivateNotebooks), Value: aws.String("True")}}
		}
		must(t)(roles.CreateRole(ctx, in))
	}
	must(t)(roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("admin"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	until(ctx, t, 1) // a look because of the tagged role
}

func resolve(ctx context.Context, t *testing.T, ec2api *ec2.Client, vpc string) {
	on := &ec2types.AttributeBooleanValue{Value: aws.Bool(true)}
	must(t)(ec2api.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: &vpc, EnableDnsSupport: on}))
	must(t)(ec2api.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: &vpc, EnableDnsHostnames: on}))
}

// privateTags are written as Python writes true, like the tag of the role.
var privateTags = []ec2types.Tag{{Key: aws.String(tag.PrivateNotebooks), Value: aws.String("True")}}

// tagPrivate sets the tag on the consumer's VPC, or takes it away.
func tagPrivate(on bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		tagVPC(ctx, t, ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region)), w.ConsumerNetwork.VPC, on)
	}
}

func tagVPC(ctx context.Context, t *testing.T, ec2api *ec2.Client, vpc string, on bool) {
	if on {
		must(t)(ec2api.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{vpc}, Tags: privateTags}))
		return
	}
	must(t)(ec2api.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{vpc}, Tags: []ec2types.Tag{{Key: aws.String(tag.PrivateNotebooks)}}}))
}

// issue asks for the URL of the notebook as a role, through an endpoint; an empty one is the internet.
func issue(ctx context.Context, t *testing.T, w *scenario.World, role, endpoint string) error {
	inside, err := engine.AsService(ctx, "ec2.amazonaws.com", engine.Config(w.Consumer.Account, w.Consumer.Region), "arn:aws:iam::"+w.Consumer.Account+":role/"+role, "")
	if err != nil {
		t.Fatal(err)
	}
	client := sagemaker.NewFromConfig(inside, func(o *sagemaker.Options) {
		o.RetryMaxAttempts = 1
		if endpoint != "" {
			o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("X-Drawbridge-Vpce", endpoint))
		}
	})
	_, err = client.CreatePresignedNotebookInstanceUrl(ctx, &sagemaker.CreatePresignedNotebookInstanceUrlInput{NotebookInstanceName: &w.Notebook.Name})
	var api smithy.APIError
	if err != nil && (!errors.As(err, &api) || api.ErrorCode() != "AccessDeniedException") {
		t.Fatalf("%s through %q: %v", role, endpoint, err)
	}
	return err
}

// endpointsOf returns the ids of the endpoints of the consumer's VPC that are there.
func endpointsOf(ctx context.Context, t *testing.T, w *scenario.World) []string {
	ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	got, err := ec2api.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{w.ConsumerNetwork.VPC}}}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range got.VpcEndpoints {
		if strings.EqualFold(string(e.State), "available") {
			ids = append(ids, *e.VpcEndpointId)
		}
	}
	return ids
}

// asScientist holds the policies to what they are for: who gets a URL through which endpoint.
func asScientist(ctx context.Context, t *testing.T, w *scenario.World) {
	ids := endpointsOf(ctx, t, w)
	if len(ids) != 2 {
		t.Fatalf("the VPC has the endpoints %v, want two", ids)
	}
	ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	other, err := ec2api.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.99.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	stray, err := ec2api.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{VpcId: other.Vpc.VpcId, VpcEndpointType: ec2types.VpcEndpointTypeInterface,
		ServiceName: aws.String(privatenotebooks.API(w.Consumer.Region)), PrivateDnsEnabled: aws.Bool(false)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		role, through, says string
		allowed             bool
	}{
		{"scientist", ids[0], "one endpoint of the VPC", true},
		{"scientist", ids[1], "the other endpoint of the VPC", true},
		{"scientist", *stray.VpcEndpoint.VpcEndpointId, "an endpoint of a VPC that is not tagged", false},
		{"scientist", "vpce-00000000000000000", "an endpoint that there is not", false},
		{"scientist", "", "the internet", false},
		{"admin", ids[0], "the endpoint", true},
		{"admin", "", "the internet", true},
	} {
		if err := issue(ctx, t, w, c.role, c.through); (err == nil) != c.allowed {
			t.Errorf("the %s through %s: %v, want allowed %v", c.role, c.says, err, c.allowed)
		}
	}
	must(t)(ec2api.DeleteVpcEndpoints(ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*stray.VpcEndpoint.VpcEndpointId}}))
	until(ctx, t, 2) // a look for each of the two events
	engine.Story().Begin()
}

func untagScientist(ctx context.Context, t *testing.T, w *scenario.World) {
	roles := iam.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	must(t)(roles.UntagRole(ctx, &iam.UntagRoleInput{RoleName: aws.String("scientist"), TagKeys: []string{tag.PrivateNotebooks}}))
}

func scientistIsDenied(ctx context.Context, t *testing.T, w *scenario.World) {
	for _, id := range endpointsOf(ctx, t, w) {
		if err := issue(ctx, t, w, "scientist", id); err == nil {
			t.Errorf("the scientist still gets a URL through %s", id)
		}
	}
}

// policyOf returns the account's policy as it is in force; empty if there is none.
func policyOf(ctx context.Context, t *testing.T, w *scenario.World) string {
	api := iam.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	arn := privatenotebooks.PolicyARN(w.Consumer.Account, w.Consumer.Region)
	got, err := api.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil {
		return ""
	}
	version, err := api.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: got.Policy.DefaultVersionId})
	if err != nil {
		t.Fatal(err)
	}
	text, err := url.QueryUnescape(*version.PolicyVersion.Document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// policyNames holds the policy to the number of endpoints that it names, and to the scientist having it.
func policyNames(n int) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		var document struct {
			Statement []struct {
				Action    []string
				Condition map[string]map[string][]string
			}
		}
		text := policyOf(ctx, t, w)
		if err := json.Unmarshal([]byte(text), &document); err != nil || len(document.Statement) != 1 {
			t.Fatalf("the policy is %q: %v", text, err)
		}
		ids := document.Statement[0].Condition["ForAnyValue:StringEquals"]["aws:SourceVpce"]
		if len(slices.Compact(slices.Clone(ids))) != n {
			t.Errorf("the policy names %v, want %d endpoints", ids, n)
		}
		roles := iam.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
		got, err := roles.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String(privatenotebooks.PolicyARN(w.Consumer.Account, w.Consumer.Region))})
		if err != nil || len(got.PolicyRoles) != 1 || *got.PolicyRoles[0].RoleName != "scientist" || len(got.PolicyUsers)+len(got.PolicyGroups) > 0 {
			t.Errorf("the policy is with %+v %v", got, err)
		}
	}
}

func secondVPC(ctx context.Context, t *testing.T, w *scenario.World) {
	ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, secondRegion))
	vpc, err := ec2api.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.61.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(ec2api.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String("10.61.0.0/24")}))
	resolve(ctx, t, ec2api, *vpc.Vpc.VpcId)
	tagVPC(ctx, t, ec2api, *vpc.Vpc.VpcId, true)
}

func untagSecond(ctx context.Context, t *testing.T, w *scenario.World) {
	ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, secondRegion))
	got, err := ec2api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: aws.String("tag-key"), Values: []string{tag.PrivateNotebooks}}}})
	if err != nil || len(got.Vpcs) != 1 {
		t.Fatal(err, len(got.Vpcs))
	}
	tagVPC(ctx, t, ec2api, *got.Vpcs[0].VpcId, false)
}

// ownEndpoints makes both endpoints as an owner does by hand.
func ownEndpoints(ctx context.Context, t *testing.T, w *scenario.World) {
	ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	group, err := ec2api.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("endpoints"), Description: aws.String("ours"), VpcId: &w.ConsumerNetwork.VPC})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(ec2api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("10.1.0.0/16")}}}}}))
	for _, service := range privatenotebooks.Services(w.Consumer.Region) {
		must(t)(ec2api.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{VpcId: &w.ConsumerNetwork.VPC, VpcEndpointType: ec2types.VpcEndpointTypeInterface,
			ServiceName: &service, SubnetIds: w.ConsumerNetwork.Subnets[:1], SecurityGroupIds: []string{*group.GroupId}, PrivateDnsEnabled: aws.Bool(true)}))
	}
	until(ctx, t, 3)
}

// ownersStay holds a story to the owner's two endpoints, and to nothing of ours.
func ownersStay(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
	if ids := endpointsOf(ctx, t, w); len(ids) != 2 {
		t.Errorf("of the owner's endpoints %v are left", ids)
	}
	for _, c := range calls {
		if c.Function != "" && (c.Name() == "ec2:CreateVpcEndpoint" || c.Name() == "ec2:DeleteVpcEndpoints" || c.Name() == "ec2:CreateSecurityGroup") {
			t.Errorf("Drawbridge called %s", c.Name())
		}
	}
	if text := policyOf(ctx, t, w); text != "" {
		t.Errorf("the policy is left: %s", text)
	}
}

// nothingPrivateLeft holds a story to a world without anything of ours.
func nothingPrivateLeft(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	for _, region := range []string{w.Consumer.Region, secondRegion} {
		ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, region))
		got, err := ec2api.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.VpcEndpoints {
			if !strings.EqualFold(string(e.State), "deleted") {
				t.Errorf("%s of %s is left, %s", *e.VpcEndpointId, *e.ServiceName, e.State)
			}
		}
		groups, err := ec2api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups.SecurityGroups {
			if strings.HasPrefix(*g.GroupName, "drawbridge-") {
				t.Errorf("the security group %s is left", *g.GroupName)
			}
		}
	}
	if text := policyOf(ctx, t, w); text != "" {
		t.Errorf("the policy is left: %s", text)
	}
}

// widen gives the VPC a zone and a range.
func widen(ctx context.Context, t *testing.T, w *scenario.World) {
	ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	must(t)(ec2api.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &w.ConsumerNetwork.VPC, CidrBlock: aws.String("10.1.200.0/24"), AvailabilityZone: aws.String(w.Consumer.Region + "f")}))
	must(t)(ec2api.AssociateVpcCidrBlock(ctx, &ec2.AssociateVpcCidrBlockInput{VpcId: &w.ConsumerNetwork.VPC, CidrBlock: aws.String("10.62.0.0/16")}))
}

func narrow(ctx context.Context, t *testing.T, w *scenario.World) {
	ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	got, err := ec2api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{w.ConsumerNetwork.VPC}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range got.Vpcs[0].CidrBlockAssociationSet {
		if *b.CidrBlock == "10.62.0.0/16" {
			must(t)(ec2api.DisassociateVpcCidrBlock(ctx, &ec2.DisassociateVpcCidrBlockInput{AssociationId: b.AssociationId}))
		}
	}
}

// everyZone holds a story to endpoints in all zones, whose group admits the VPC and nothing else.
func everyZone(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	ec2api := ec2.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	got, err := ec2api.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: endpointsOf(ctx, t, w)})
	if err != nil || len(got.VpcEndpoints) != 2 {
		t.Fatal(err, len(got.VpcEndpoints))
	}
	for _, e := range got.VpcEndpoints {
		if len(e.SubnetIds) < 2 {
			t.Errorf("%s is in %v", *e.ServiceName, e.SubnetIds)
		}
	}
	groupAdmits("10.1.0.0/16")(ctx, t, w)
}
