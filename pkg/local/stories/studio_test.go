package stories

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// studios are the stories about Redshift and SageMaker Studio.
var studios = []tale{
	{
		name:  "studio",
		title: "Studio users query a Redshift cluster of another account, each as themselves",
		about: `
Alpha has a SageMaker Studio domain in VPC only mode. Its owner opened it and its execution role to Drawbridge
(drawbridge:studio=true on each). Beta has a Redshift cluster. One tag on it, drawbridge:studio=111111111111, and the users of
the domain may ask for credentials of the database user of their own name, and of nobody else. Then the owner of beta
takes the tag away, and alpha's role, its trust policy and the domain are as before.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"Ana, a user of the domain, asks for credentials as herself; then as boris.", asAna, nil},
			{"The owner of beta takes the tag away.", unshareWarehouse, []string{"Announced", "Removed"}},
		},
		struck: []int{1, 3},
		more:   studioState,
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
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "AwaitingApps"}},
			{"Ana deletes her app.", deleteApp, []string{"Announced", "Identified"}},
		},
		also: identified,
	},
	{
		name:  "studio-second-role",
		title: "A second execution role is opened later",
		about: `
As in studio.md. Then one more user profile gets an execution role of its own, opened to Drawbridge: by that alone the
readers' role trusts both. Then that role is closed again, and only it loses what it had; its owner is told that its apps do not start
any more in a domain that names its people.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"Boris gets a role of his own.", openRoleOfBoris, []string{"Announced", "Identified"}},
			{"Both may read.", readersAre(scenario.ExecutionRole, roleOfBoris), nil},
			{"The owner of alpha closes that role.", closeRoleOfBoris, []string{"Announced", "Incomplete"}},
			{"Only the first may read.", readersAre(scenario.ExecutionRole), nil},
			{"Somebody puts an event on the bus that deletes the app of no domain.", garbledApp, []string{"Invalid"}},
		},
		unruly: true,
	},
	{
		name:  "studio-closed-role",
		title: "The owner of the execution role opens it later, and closes it again",
		about: `
As in studio.md, but the execution role has no tag drawbridge:studio. Nothing is granted: nobody's role is changed without
its owner. When the owner opens the role, CloudTrail's record of that call, which AWS writes in us-east-1, leads to a look at
each cluster that the ledger has for the account; the cluster's tag is read again there. When the owner closes the role, it loses what it
had in the same way.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			studioWorld(false)(ctx, t, w)
			closeRole(ctx, t, w)
			until(ctx, t, 1)
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Nothing"}},
			{"The owner of alpha tags the execution role: drawbridge:studio=true.", openRole, []string{"Announced", "Announced", "Identified"}},
			{"Ana asks for credentials as herself; then as boris.", asAna, nil},
			{"The owner of alpha takes that tag away.", closeRole, []string{"Announced", "Announced", "Removed"}},
			{"The owner of beta takes the tag from the cluster.", unshareWarehouse, []string{"Announced", "Nothing"}},
			{"The owner of alpha opens the role to a cluster that names the account no more: the ledger has none that does.", openRole, []string{"Announced", "Nothing"}},
		},
		struck: []int{2, 4},
		more:   studioState,
		also:   nothingOfStudioLeft,
	},
}

// studioOwners are the stories about what owners open, and what they set up themselves.
var studioOwners = []tale{
	{
		name:  "studio-closed-domain",
		title: "The owner of the domain opens it later, and closes it again",
		about: `
As in studio.md, but the domain has no tag drawbridge:studio. The execution role is served, and the setting of the domain, which concerns all who work
there, stays as it is: IAM lets Drawbridge change it only with that tag. The record of the tag leads to the clusters that wait.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			studioWorld(false)(ctx, t, w)
			closeDomain(ctx, t, w)
			until(ctx, t, 2)
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Incomplete"}},
			{"The owner of alpha tags the domain: drawbridge:studio=true.", openDomain, []string{"Announced", "Announced", "Identified"}},
			{"Ana asks for credentials as herself; then as boris.", asAna, nil},
			{"The owner of alpha takes that tag away.", closeDomain, []string{"Announced", "Announced", "Incomplete"}},
			{"The owner of beta takes the tag from the cluster.", unshareWarehouse, []string{"Announced", "Removed"}},
		},
		also: nothingOfStudioLeft,
	},
	{
		name:  "studio-full-role",
		title: "One role has no room, another was set up by hand",
		about: `
As in studio.md, but the owner of alpha set the domain's ExecutionRoleIdentityConfig by hand, and boris works with a role of his own whose trust policy is
full. Ana is served; of boris the execution says why he is not, and nothing is left on his role. In the end the setting is as its owner made it.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			studioWorld(false)(ctx, t, w)
			identifyByHand(ctx, t, w)
			until(ctx, t, 1)
			openRoleOfBoris(ctx, t, w)
			fillRoleOfBoris(ctx, t, w)
			until(ctx, t, 3)
		},
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Incomplete"}},
			{"Ana asks for credentials as herself; then as boris.", asAna, nil},
			{"The owner of beta takes the tag away.", unshareWarehouse, []string{"Announced", "Removed"}},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
			identified(ctx, t, w, calls)
			role, err := rolesOf(w).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(roleOfBoris)})
			if err != nil || unescaped(t, aws.ToString(role.Role.AssumeRolePolicyDocument)) != fullTrust {
				t.Errorf("the trust policy of boris's role changed: %v", err)
			}
			for _, own := range role.Role.Tags {
				if key := aws.ToString(own.Key); key != tag.Studio && key != "team" {
					t.Errorf("boris's role has the tag %s", key)
				}
			}
		},
	},
}

// fullTrust is a trust policy in which there is no room for a statement more.
var fullTrust = `{"Version":"2012-10-17","Statement":{"Sid":"` + strings.Repeat("x", 1900) + `","Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}}`

func fillRoleOfBoris(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(rolesOf(w).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(roleOfBoris), PolicyDocument: &fullTrust}))
}

func domainsOf(w *scenario.World) *sagemaker.Client {
	return sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
}

func identifyByHand(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(domainsOf(w).UpdateDomain(ctx, &sagemaker.UpdateDomainInput{DomainId: aws.String(scenario.StudioDomain),
		DomainSettingsForUpdate: &sagemakertypes.DomainSettingsForUpdate{ExecutionRoleIdentityConfig: studio.ByProfile}}))
}

func openDomain(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(domainsOf(w).AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: aws.String(w.DomainARN()), Tags: []sagemakertypes.Tag{{Key: aws.String(tag.Studio), Value: aws.String("true")}}}))
}

func closeDomain(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(domainsOf(w).DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: aws.String(w.DomainARN()), TagKeys: []string{tag.Studio}}))
}

// goneWarehouses are the stories about Redshift that is not there any more, or cannot be shared.
var goneWarehouses = []tale{
	{
		name:  "studio-deleted-cluster",
		title: "The Redshift cluster is deleted",
		about: `
As in studio.md. Then the owner of beta deletes the cluster without a word to anybody. The readers' role goes, and what alpha's
execution role and domain had got for it.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"The owner of beta deletes the cluster.", deleteWarehouse, []string{"Announced", "Removed"}},
		},
		struck: []int{2},
		more:   studioState,
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			nothingAddedLeft(ctx, t, w)
		},
	},
	{
		name:  "studio-workgroup",
		title: "What cannot be shared is tagged",
		about: `
Redshift Serverless makes a database user of the role that asks, so all readers would be one. Drawbridge says so instead of
pretending. The engine has no Redshift Serverless: the story puts CloudTrail's record on beta's bus itself. Nor can a cluster be
shared with what is not an account.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags a workgroup: drawbridge:studio=111111111111.", tagWorkgroup, []string{"Announced", "Conflict"}},
			{"The owner of beta tags the cluster: drawbridge:studio=research.", shareWithNobody, []string{"Announced", "Nothing"}},
		},
	},
}

func shareWithNobody(ctx context.Context, t *testing.T, w *scenario.World) {
	arn := "arn:aws:redshift:" + w.Producer.Region + ":" + w.Producer.Account + ":cluster:" + scenario.Warehouse
	must(t)(redshift.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).CreateTags(ctx, &redshift.CreateTagsInput{
		ResourceName: &arn, Tags: []redshifttypes.Tag{{Key: aws.String(tag.Studio), Value: aws.String("research")}}}))
}

func deleteWarehouse(ctx context.Context, t *testing.T, w *scenario.World) {
	done(t, w.DeleteWarehouse(ctx))
}

func tagWorkgroup(ctx context.Context, t *testing.T, w *scenario.World) {
	recordCall(ctx, t, w.Producer, "redshift-serverless", `"eventName":"TagResource","requestParameters":{"resourceArn":
		"arn:aws:redshift-serverless:`+w.Producer.Region+`:`+w.Producer.Account+`:workgroup/0f6ab1d2-7c34-4e58-9b10-2a3c4d5e6f70",
		"tags":[{"key":"drawbridge:studio","value":"111111111111"}]}`)
}

// recordCall puts an event on an account's bus that looks like CloudTrail's record of a call.
func recordCall(ctx context.Context, t *testing.T, at scenario.Home, service, rest string) {
	t.Helper()
	out, err := eventbridge.NewFromConfig(engine.Config(at.Account, at.Region)).PutEvents(ctx, &eventbridge.PutEventsInput{
		Entries: []eventbridgetypes.PutEventsRequestEntry{{
			Source: aws.String("aws." + service), DetailType: aws.String("AWS API Call via CloudTrail"),
			Detail: aws.String(`{"eventSource":"` + service + `.amazonaws.com","userIdentity":{"type":"Root"},` + rest + `}`),
		}}})
	if err != nil || out.FailedEntryCount > 0 {
		t.Fatal(err, out)
	}
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

// studioWorld makes the domain and the cluster; with an app, Ana works.
func studioWorld(app bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		done(t, w.MakeStudio(ctx))
		if app {
			done(t, w.StartApp(ctx))
		}
		done(t, w.MakeWarehouse(ctx))
		until(ctx, t, 5) // at the role, the domain, the profile, and two machines at the new cluster
	}
}

func shareWarehouse(ctx context.Context, t *testing.T, w *scenario.World) {
	done(t, w.ShareWarehouse(ctx))
}

func unshareWarehouse(ctx context.Context, t *testing.T, w *scenario.World) {
	done(t, w.UnshareWarehouse(ctx))
}

const roleOfBoris = "boris-execution"

func openRoleOfBoris(ctx context.Context, t *testing.T, w *scenario.World) {
	done(t, w.MakeExecutionRole(ctx, roleOfBoris))
	done(t, w.MakeProfile(ctx, "boris", roleOfBoris))
}

func closeRoleOfBoris(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(rolesOf(w).UntagRole(ctx, &iam.UntagRoleInput{RoleName: aws.String(roleOfBoris), TagKeys: []string{tag.Studio}}))
}

func rolesOf(w *scenario.World) *iam.Client {
	return iam.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
}

func openRole(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(rolesOf(w).TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String(scenario.ExecutionRole),
		Tags: []iamtypes.Tag{{Key: aws.String(tag.Studio), Value: aws.String(" TRUE")}}}))
}

func closeRole(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(rolesOf(w).UntagRole(ctx, &iam.UntagRoleInput{RoleName: aws.String(scenario.ExecutionRole), TagKeys: []string{tag.Studio}}))
}

// readersAre holds a story to who may read the cluster: the readers' role trusts exactly these, and each of them may assume it.
func readersAre(names ...string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		t.Helper()
		readers := studio.RoleName(w.Producer.Region, scenario.Warehouse)
		got, err := iam.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).GetRole(ctx, &iam.GetRoleInput{RoleName: &readers})
		if err != nil {
			t.Fatal(err)
		}
		trusted, err := studio.Readers(unescaped(t, aws.ToString(got.Role.AssumeRolePolicyDocument)))
		var want []string
		for _, name := range names {
			want = append(want, w.RoleARN(name))
		}
		slices.Sort(want)
		if err != nil || !slices.Equal(trusted, want) {
			t.Errorf("the readers' role trusts %v, %v, want %v", trusted, err, want)
		}
		for _, name := range []string{scenario.ExecutionRole, roleOfBoris} {
			policies, err := rolesOf(w).ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
			if err != nil || slices.Contains(policies.PolicyNames, warehousePolicy(w)) != slices.Contains(names, name) {
				t.Errorf("%s has the policies %v, %v", name, policies.PolicyNames, err)
			}
		}
	}
}

// warehousePolicy is the name of the inline policy that an execution role gets for the cluster.
func warehousePolicy(w *scenario.World) string {
	return studio.PolicyOf(workflow.Warehouse{Account: w.Producer.Account, Region: w.Producer.Region, ID: scenario.Warehouse})
}

// garbledApp puts an event on alpha's bus that looks like CloudTrail's and names no domain.
func garbledApp(ctx context.Context, t *testing.T, w *scenario.World) {
	recordCall(ctx, t, w.Consumer, "sagemaker", `"eventName":"DeleteApp","requestParameters":{"domainId":"$(reboot)"}`)
}

func deleteApp(ctx context.Context, t *testing.T, w *scenario.World) {
	done(t, w.DeleteApp(ctx))
}

// appOf is an app of Studio in the consumer's account: SageMaker gives it the execution role with its user's name.
func appOf(w *scenario.World) scenario.App {
	return func(ctx context.Context, role, user string) (aws.Config, error) {
		return engine.AsService(ctx, "sagemaker.amazonaws.com", engine.Config(w.Consumer.Account, w.Consumer.Region), role, user)
	}
}

// asAna does what the code of Ana's app does, and what it must not be able to do.
func asAna(ctx context.Context, t *testing.T, w *scenario.World) {
	hops, err := w.Identities(ctx, appOf(w))
	if err != nil || !scenario.Holds(hops) {
		t.Errorf("ana gets %+v, %v", hops, err)
	}
}

// identified holds a story to a domain whose apps carry their user's name.
func identified(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	people := sagemaker.NewFromConfig(engine.Config(w.Consumer.Account, w.Consumer.Region))
	got, err := people.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: aws.String(scenario.StudioDomain)})
	if err != nil || got.DomainSettings == nil || got.DomainSettings.ExecutionRoleIdentityConfig != "USER_PROFILE_NAME" {
		t.Errorf("the domain's settings are %+v, %v", got.DomainSettings, err)
	}
}

// nothingOfStudioLeft holds a story to a world in which nothing of ours is left, and what is not ours as it was.
func nothingOfStudioLeft(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
	nothingAddedLeft(ctx, t, w)
	beta := engine.Config(w.Producer.Account, w.Producer.Region)
	clusters, err := redshift.NewFromConfig(beta).DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: aws.String(scenario.Warehouse)})
	if err != nil || len(clusters.Clusters) != 1 {
		t.Fatal(err)
	}
	for _, one := range clusters.Clusters[0].Tags {
		if key := aws.ToString(one.Key); key == tag.StudioStatus || key == tag.StudioReason || key == tag.StudioSince {
			t.Errorf("the cluster has the tag %s", key)
		}
	}
}

// nothingAddedLeft holds a story to roles and a domain in which nothing of ours is left.
func nothingAddedLeft(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	alpha, beta := engine.Config(w.Consumer.Account, w.Consumer.Region), engine.Config(w.Producer.Account, w.Producer.Region)
	roles := iam.NewFromConfig(alpha)
	role, err := roles.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(scenario.ExecutionRole)})
	if err != nil {
		t.Fatal(err)
	}
	if trust := unescaped(t, aws.ToString(role.Role.AssumeRolePolicyDocument)); trust != scenario.ExecutionTrust {
		t.Errorf("the trust policy of the execution role is\n%s\nit was\n%s", trust, scenario.ExecutionTrust)
	}
	for _, own := range role.Role.Tags {
		if key := aws.ToString(own.Key); key != tag.Studio && key != "team" {
			t.Errorf("the execution role has the tag %s", key)
		}
	}
	policies, err := roles.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(scenario.ExecutionRole)})
	if err != nil || len(policies.PolicyNames) > 0 {
		t.Errorf("the execution role has the policies %v, %v", policies.PolicyNames, err)
	}
	if _, err := iam.NewFromConfig(beta).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(studio.RoleName(w.Producer.Region, scenario.Warehouse))}); err == nil {
		t.Error("the readers' role is still there")
	}
	domain, err := sagemaker.NewFromConfig(alpha).DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: aws.String(scenario.StudioDomain)})
	if err != nil {
		t.Fatal(err)
	}
	if s := domain.DomainSettings; s != nil && s.ExecutionRoleIdentityConfig == "USER_PROFILE_NAME" {
		t.Error("the domain's setting was not taken back")
	}
	tags, err := sagemaker.NewFromConfig(alpha).ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: aws.String(w.DomainARN())})
	if err != nil {
		t.Fatal(err)
	}
	for _, own := range tags.Tags {
		if key := aws.ToString(own.Key); key != tag.Studio && key != "team" {
			t.Errorf("the domain has the tag %s", key)
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
