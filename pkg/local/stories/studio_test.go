package stories

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
)

// warehouse is the cluster of the stories, as its owner named it.
const (
	warehouse     = "sales-warehouse"
	executionRole = "studio-execution"
	studioDomain  = "d-research"
)

// studios are the stories about Redshift and SageMaker Studio.
var studios = []tale{
	{
		name:  "studio",
		title: "Studio users query a Redshift cluster of another account, each as themselves",
		about: `
Alpha has a SageMaker Studio domain in VPC only mode. The owner of its execution role opened it to Drawbridge
(drawbridge:studio=true). Beta has a Redshift cluster. One tag on it, drawbridge:studio=111111111111, and the users of
the domain may ask for credentials of the database user of their own name, and of nobody else. Then the owner of beta
takes the tag away, and alpha's role, its trust policy and the domain are as before.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Identified", "Nothing"}},
			{"Ana, a user of the domain, asks for credentials as herself; then as boris.", asAna, nil},
			{"The owner of beta takes the tag away.", unshareWarehouse, []string{"Nothing", "Removed"}},
		},
		struck: []int{1},
		also:   nothingOfStudioLeft,
	},
	{
		name:  "studio-apps",
		title: "A domain's setting waits for its apps",
		about: `
As in studio.md, but Ana works: her app runs, and a domain's setting changes only while there is none. Drawbridge never
stops an app. It says what it waits for, and goes on by itself when Ana deletes it.`,
		prepare: studioWorld(true),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"AwaitingApps", "Nothing"}},
			{"Ana deletes her app.", deleteApp, []string{"Identified"}},
		},
		also: identified,
	},
	{
		name:  "studio-second-role",
		title: "A second execution role is opened later",
		about: `
As in studio.md. Then one more user profile gets an execution role of its own, opened to Drawbridge, and the owner of beta
tags the cluster again: the readers' role trusts both. Then that role is closed again, and only it loses what it had.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Identified", "Nothing"}},
			{"Boris gets a role of his own. The owner of beta tags the cluster again.", openRoleOfBoris, []string{"Identified", "Nothing"}},
			{"The owner of alpha closes that role. The owner of beta tags the cluster again.", closeRoleOfBoris, []string{"Identified", "Nothing"}},
			{"Somebody puts an event on the bus that deletes the app of no domain.", garbledApp, []string{"Invalid"}},
		},
		unruly: true,
	},
	{
		name:  "studio-closed-role",
		title: "The owner of the execution role did not opt in",
		about: `
As in studio.md, but the execution role has no tag drawbridge:studio. Nothing is granted: nobody's role is changed without
its owner.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			studioWorld(false)(ctx, t, w)
			roles := iam.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
			must(t)(roles.UntagRole(ctx, &iam.UntagRoleInput{RoleName: aws.String(executionRole), TagKeys: []string{studio.ShareTag}}))
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Nothing", "Nothing"}},
		},
		also: nothingOfStudioLeft,
	},
}

// must fails the test if a call of the story's people fails.
func must(t *testing.T) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

const executionTrust = `{
  "Version": "2012-10-17",
  "Statement": {"Sid": "Studio", "Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
}`

// studioWorld makes the domain and the cluster; with an app, Ana works.
func studioWorld(app bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		alpha, beta := engine.Config(w.Consumer.Account, w.Consumer.Region), engine.Config(w.Producer.Account, w.Producer.Region)
		roles, people, clusters := iam.NewFromConfig(alpha), sagemaker.NewFromConfig(alpha), redshift.NewFromConfig(beta)
		must(t)(roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(executionRole), AssumeRolePolicyDocument: aws.String(executionTrust),
			Tags: []iamtypes.Tag{{Key: aws.String(studio.ShareTag), Value: aws.String("true")}, {Key: aws.String("team"), Value: aws.String("research")}}}))
		must(t)(people.CreateDomain(ctx, &sagemaker.CreateDomainInput{DomainName: aws.String("research"), AuthMode: sagemakertypes.AuthModeIam,
			VpcId: &w.ConsumerNetwork.VPC, SubnetIds: w.ConsumerNetwork.Subnets, AppNetworkAccessType: sagemakertypes.AppNetworkAccessTypeVpcOnly,
			DefaultUserSettings: &sagemakertypes.UserSettings{ExecutionRole: aws.String("arn:aws:iam::" + w.Consumer.Account + ":role/" + executionRole)}}))
		must(t)(people.CreateUserProfile(ctx, &sagemaker.CreateUserProfileInput{DomainId: aws.String(studioDomain), UserProfileName: aws.String("ana")}))
		if app {
			must(t)(people.CreateApp(ctx, &sagemaker.CreateAppInput{DomainId: aws.String(studioDomain), UserProfileName: aws.String("ana"),
				AppType: sagemakertypes.AppTypeJupyterLab, AppName: aws.String("default")}))
		}
		must(t)(clusters.CreateCluster(ctx, &redshift.CreateClusterInput{ClusterIdentifier: aws.String(warehouse), NodeType: aws.String("ra3.large"),
			DBName: aws.String("sales"), MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("Passw0rd"), Port: aws.Int32(5439),
			Tags: []redshifttypes.Tag{{Key: aws.String(studio.GroupsTag), Value: aws.String("analysts")}}}))
		until(ctx, t, 2) // the Change and the Studio machine have looked at the new cluster
	}
}

func warehouseARN(w *scenario.World) *string {
	return aws.String("arn:aws:redshift:" + w.Producer.Region + ":" + w.Producer.Account + ":cluster:" + warehouse)
}

func shareWarehouse(ctx context.Context, t *testing.T, w *scenario.World) {
	clusters := redshift.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	must(t)(clusters.CreateTags(ctx, &redshift.CreateTagsInput{ResourceName: warehouseARN(w),
		Tags: []redshifttypes.Tag{{Key: aws.String(studio.ShareTag), Value: &w.Consumer.Account}}}))
}

func unshareWarehouse(ctx context.Context, t *testing.T, w *scenario.World) {
	clusters := redshift.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	must(t)(clusters.DeleteTags(ctx, &redshift.DeleteTagsInput{ResourceName: warehouseARN(w), TagKeys: []string{studio.ShareTag}}))
}

const roleOfBoris = "boris-execution"

func openRoleOfBoris(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := engine.Config(w.Consumer.Account, w.Consumer.Region)
	must(t)(iam.NewFromConfig(alpha).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(roleOfBoris), AssumeRolePolicyDocument: aws.String(executionTrust),
		Tags: []iamtypes.Tag{{Key: aws.String(studio.ShareTag), Value: aws.String("true")}}}))
	must(t)(sagemaker.NewFromConfig(alpha).CreateUserProfile(ctx, &sagemaker.CreateUserProfileInput{DomainId: aws.String(studioDomain), UserProfileName: aws.String("boris"),
		UserSettings: &sagemakertypes.UserSettings{ExecutionRole: aws.String("arn:aws:iam::" + w.Consumer.Account + ":role/" + roleOfBoris)}}))
	shareWarehouse(ctx, t, w)
}

func closeRoleOfBoris(ctx context.Context, t *testing.T, w *scenario.World) {
	alpha := engine.Config(w.Consumer.Account, w.Consumer.Region)
	must(t)(iam.NewFromConfig(alpha).UntagRole(ctx, &iam.UntagRoleInput{RoleName: aws.String(roleOfBoris), TagKeys: []string{studio.ShareTag}}))
	shareWarehouse(ctx, t, w)
}

// garbledApp puts an event on alpha's bus that looks like CloudTrail's and names no domain.
func garbledApp(ctx context.Context, t *testing.T, w *scenario.World) {
	client := eventbridge.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{{
		Source: aws.String("aws.sagemaker"), DetailType: aws.String("AWS API Call via CloudTrail"),
		Detail: aws.String(`{"eventSource":"sagemaker.amazonaws.com","eventName":"DeleteApp","userIdentity":{"type":"Root"},"requestParameters":{"domainId":"$(reboot)"}}`),
	}}})
	if err != nil || out.FailedEntryCount > 0 {
		t.Fatal(err, out)
	}
}

func deleteApp(ctx context.Context, t *testing.T, w *scenario.World) {
	people := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	must(t)(people.DeleteApp(ctx, &sagemaker.DeleteAppInput{DomainId: aws.String(studioDomain), UserProfileName: aws.String("ana"),
		AppType: sagemakertypes.AppTypeJupyterLab, AppName: aws.String("default")}))
}

// asAna does what the code of Ana's app does: SageMaker gives it the execution role with her name as source identity, and
// with that it assumes the readers' role and asks for credentials.
func asAna(ctx context.Context, t *testing.T, w *scenario.World) {
	inside, err := engine.AsService(ctx, "sagemaker.amazonaws.com", engine.Config(w.Consumer.Account, w.Consumer.Region),
		"arn:aws:iam::"+w.Consumer.Account+":role/"+executionRole, "ana")
	if err != nil {
		t.Fatalf("starting an app with the source identity ana: %v", err)
	}
	readers := "arn:aws:iam::" + w.Producer.Account + ":role" + studio.Path + studio.RoleName(w.Producer.Region, warehouse)
	reader, err := sts.NewFromConfig(inside).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &readers, RoleSessionName: aws.String("query")})
	if err != nil {
		t.Fatalf("assuming the readers' role: %v", err)
	}
	if got := aws.ToString(reader.SourceIdentity); got != "ana" {
		t.Errorf("the source identity is %q, want ana", got)
	}
	there := engine.Config(w.Producer.Account, w.Producer.Region)
	there.Credentials = credentials.NewStaticCredentialsProvider(*reader.Credentials.AccessKeyId, *reader.Credentials.SecretAccessKey, *reader.Credentials.SessionToken)
	clusters := redshift.NewFromConfig(there, func(o *redshift.Options) { o.RetryMaxAttempts = 1 })
	ask := func(cluster, user string, groups ...string) error {
		_, err := clusters.GetClusterCredentials(ctx, &redshift.GetClusterCredentialsInput{ClusterIdentifier: &cluster, DbUser: &user,
			DbName: aws.String("sales"), AutoCreate: aws.Bool(true), DbGroups: groups})
		return err
	}
	for _, c := range []struct {
		cluster, user string
		groups        []string
		allowed       bool
	}{
		{warehouse, "ana", nil, true},
		{warehouse, "ana", []string{"analysts"}, true},
		{warehouse, "ana", []string{"owners"}, false},
		{warehouse, "boris", nil, false},
		{warehouse, "admin", nil, false},
		{"another-warehouse", "ana", nil, false},
	} {
		err := ask(c.cluster, c.user, c.groups...)
		var api smithy.APIError
		denied := errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied")
		if c.allowed && err != nil || !c.allowed && !denied {
			t.Errorf("credentials of %s on %s in %v: %v, want allowed %v", c.user, c.cluster, c.groups, err, c.allowed)
		}
	}
	// Without her name she is nobody, and nobody else is let in.
	if _, err := sts.NewFromConfig(there).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &readers, RoleSessionName: aws.String("query")}); err == nil {
		t.Error("the readers' role lets itself be assumed by others than the execution role")
	}
}

// identified holds a story to a domain whose apps carry their user's name.
func identified(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	people := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	got, err := people.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: aws.String(studioDomain)})
	if err != nil || got.DomainSettings == nil || got.DomainSettings.ExecutionRoleIdentityConfig != "USER_PROFILE_NAME" {
		t.Errorf("the domain's settings are %+v, %v", got.DomainSettings, err)
	}
}

// nothingOfStudioLeft holds a story to a world in which nothing of ours is left, and what is not ours as it was.
func nothingOfStudioLeft(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	alpha, beta := engine.Config(w.Consumer.Account, w.Consumer.Region), engine.Config(w.Producer.Account, w.Producer.Region)
	roles := iam.NewFromConfig(alpha)
	role, err := roles.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(executionRole)})
	if err != nil {
		t.Fatal(err)
	}
	if trust := unescaped(t, aws.ToString(role.Role.AssumeRolePolicyDocument)); trust != executionTrust {
		t.Errorf("the trust policy of the execution role is\n%s\nit was\n%s", trust, executionTrust)
	}
	for _, tag := range role.Role.Tags {
		if key := aws.ToString(tag.Key); key != studio.ShareTag && key != "team" {
			t.Errorf("the execution role has the tag %s", key)
		}
	}
	policies, err := roles.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(executionRole)})
	if err != nil || len(policies.PolicyNames) > 0 {
		t.Errorf("the execution role has the policies %v, %v", policies.PolicyNames, err)
	}
	if _, err := iam.NewFromConfig(beta).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(studio.RoleName(w.Producer.Region, warehouse))}); err == nil {
		t.Error("the readers' role is still there")
	}
	domain, err := sagemaker.NewFromConfig(alpha).DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: aws.String(studioDomain)})
	if err != nil {
		t.Fatal(err)
	}
	if s := domain.DomainSettings; s != nil && s.ExecutionRoleIdentityConfig == "USER_PROFILE_NAME" {
		t.Error("the domain's setting was not taken back")
	}
	clusters, err := redshift.NewFromConfig(beta).DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: aws.String(warehouse)})
	if err != nil || len(clusters.Clusters) != 1 {
		t.Fatal(err)
	}
	for _, tag := range clusters.Clusters[0].Tags {
		if key := aws.ToString(tag.Key); key == studio.StatusTag || key == studio.ReasonTag {
			t.Errorf("the cluster has the tag %s", key)
		}
	}
}

func unescaped(t *testing.T, text string) string {
	t.Helper()
	plain, err := url.PathUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
