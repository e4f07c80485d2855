package stories

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// releases are the stories of owners who take what Drawbridge set up out of its hands, as it stands, and give it back.
var releases = []tale{
	{
		name:  "release-studio",
		title: "The owner of a cluster takes its readers out of Drawbridge's hands",
		about: `
As in studio.md. Then the owner of beta tags the cluster drawbridge:manage=false: everything stays as it stands, the people of Studio go on reading, and the
ledger forgets it. Neither the owner's other tag nor a sweep takes it up again, or anything back. With drawbridge:manage=true it is Drawbridge's again; what
alpha's role and domain have is alpha's own by then, so with drawbridge:manage=undo the readers' role goes alone.`,
		prepare: studioWorld(false),
		acts: []act{
			{"The owner of beta tags the cluster: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Identified"}},
			{"The owner of beta tags the cluster: drawbridge:manage=false.", manageWarehouse(tag.Leave), []string{"Announced", "Released"}},
			{"Ana asks for credentials as herself; then as boris.", asAna, nil},
			{"The owner of beta tags the cluster anew: drawbridge:studio=111111111111.", shareWarehouse, []string{"Announced", "Nothing"}},
			{"An operator sweeps.", startSweep, []string{"Swept"}},
			{"The owner of beta tags the cluster: drawbridge:manage=true.", manageWarehouse(tag.Take), []string{"Announced", "Identified"}},
			{"The owner of beta tags the cluster: drawbridge:manage=undo.", manageWarehouse(tag.Undo), []string{"Announced", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){5: forgotten, 7: forgotten},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			if _, err := iam.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).GetRole(ctx, &iam.GetRoleInput{
				RoleName: aws.String(studio.RoleName(w.Producer.Region, scenario.Warehouse))}); err == nil {
				t.Error("the readers' role is still there")
			}
			policies, err := rolesOf(w).ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(scenario.ExecutionRole)})
			if err != nil || !slices.Equal(policies.PolicyNames, []string{warehousePolicy(w)}) {
				t.Errorf("the execution role has %v, %v: what was let go of is its owner's", policies, err)
			}
		},
	},
	{
		name:  "release-private-notebooks",
		title: "The owner of a VPC takes its private notebooks out of Drawbridge's hands",
		about: `
As in private-notebooks.md. Then the owner of alpha tags the VPC drawbridge:manage=false: endpoints and policy stay as they stand, the scientist goes on
issuing URLs, and the ledger forgets it. Neither the tag of a role nor a sweep takes it up again, or anything back. With drawbridge:manage=true it is
Drawbridge's again, the policy with it; the endpoints are the owner's own by then, so with drawbridge:manage=undo they stay.`,
		prepare: privateWorld,
		acts: []act{
			{"The owner of alpha tags the VPC: drawbridge:private-notebooks=true.", tagPrivate(true), []string{"Announced", "Private"}},
			{"The owner of alpha tags the VPC: drawbridge:manage=false.", manageVPC(tag.Leave), []string{"Announced", "Nothing", "Released"}},
			{"The owner of alpha takes the tag of the role away.", untagScientist, []string{"Announced", "Nothing"}},
			{"An operator sweeps.", startSweep, []string{"Swept"}},
			{"The owner of alpha tags the role again, and the VPC: drawbridge:manage=true.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				retagScientist(ctx, t, w)
				until(ctx, t, 2)
				manageVPC(tag.Take)(ctx, t, w)
			}, []string{"Announced", "Announced", "Nothing", "Nothing", "Private"}},
			{"The owner of alpha tags the VPC: drawbridge:manage=undo.", manageVPC(tag.Undo), []string{"Announced", "Nothing", "Removed"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){2: scientistIssues, 3: scientistIssues, 4: forgotten, 5: scientistIssues, 6: forgotten},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
			if ids, policy := endpointsOf(ctx, t, w), policyOf(ctx, t, w); len(ids) != 2 || policy != "" {
				t.Errorf("the VPC has the endpoints %v, and the account the policy %q: want the owner's two, and none", ids, policy)
			}
		},
	},
}

// releasesDataAPI are the same stories of the Data API.
var releasesDataAPI = []dataAPITale{
	{
		name:  "release-data-api",
		title: "The owner of a cluster takes the Data API out of Drawbridge's hands",
		about: `
As in data-api-endpoint.md. Then the owner of beta tags the cluster drawbridge:manage=false: everything stays as it stands, alpha gets through, and the ledger
forgets it. Neither another account in the tag nor a sweep takes it up again, or anything back. With drawbridge:manage=true it is Drawbridge's again, its
role with it; with drawbridge:manage=undo what was added goes.`,
		change: func(s *scenario.DataAPISpec) { s.Endpoint = true },
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of beta tags the cluster: drawbridge:manage=false.", manageCluster(tag.Leave), []string{"Announced", "Released"}},
			{"The owner of beta adds gamma's account to the tag: only alpha gets through.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				return errors.Join(through(ctx, w, w.Consumer, true), through(ctx, w, w.Third, false), w.Share(ctx, alphaAndGamma(w)...))
			}, []string{"Announced", "Nothing"}},
			{"An operator sweeps: nobody but alpha gets through.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				return errors.Join(through(ctx, w, w.Consumer, true), through(ctx, w, w.Third, false), asked(ctx, workflow.Sweep{Accounts: []string{w.Consumer, w.Producer}, Regions: []string{w.Region}}))
			}, []string{"Swept"}},
			{"The owner of beta tags the cluster: drawbridge:manage=true.", manageCluster(tag.Take), []string{"Announced", "Exposed"}},
			{"Both get through; the owner of beta tags the cluster: drawbridge:manage=undo.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				return errors.Join(through(ctx, w, w.Consumer, true), through(ctx, w, w.Third, true), manageCluster(tag.Undo)(ctx, w))
			}, []string{"Announced", "Retracted"}},
			{"The owner of beta takes all tags away.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				return errors.Join(unmanageCluster(ctx, w), w.Unshare(ctx))
			}, []string{"Announced", "Announced", "Nothing", "Nothing"}},
		},
		restored: true,
	},
	{
		name:  "release-data-api-endpoint",
		title: "The owner of a VPC takes its endpoint of the Data API out of Drawbridge's hands",
		about: `
As in data-api-consumer-removed.md, but the owner of alpha tags the VPC drawbridge:manage=false before the other tag goes: the endpoint stays, with its group, and
the ledger forgets it.`,
		change: hasNetwork,
		acts: []dataAPIAct{
			wanted("Available"),
			{"The owner of alpha tags the VPC: drawbridge:manage=false.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				_, err := ec2.NewFromConfig(engine.Config(w.Consumer, w.Region)).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{w.VPC},
					Tags: []ec2types.Tag{{Key: aws.String(tag.Manage), Value: aws.String(tag.Leave)}}})
				return err
			}, []string{"Announced", "Nothing", "Released"}},
			unwanted("Nothing"),
		},
		also: reaches,
	},
}

// forgotten holds a story to a ledger that has nothing of the two accounts.
func forgotten(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	for _, one := range entriesOf(ctx, t, w) {
		t.Error("the ledger has " + one)
	}
}

// manageWarehouse says by the tag of the cluster whether Drawbridge shall manage its readers.
func manageWarehouse(value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		arn := "arn:aws:redshift:" + w.Producer.Region + ":" + w.Producer.Account + ":cluster:" + scenario.Warehouse
		must(t)(redshift.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).CreateTags(ctx, &redshift.CreateTagsInput{
			ResourceName: &arn, Tags: []redshifttypes.Tag{{Key: aws.String(tag.Manage), Value: &value}}}))
	}
}

// manageVPC says by the tag of alpha's VPC whether Drawbridge shall manage its endpoints.
func manageVPC(value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		mark(ctx, t, w.Consumer, w.ConsumerNetwork.VPC, tag.Manage, value)
	}
}

// scientistIssues holds a story to a scientist who may issue the URL through an endpoint of the VPC, and not from the internet.
func scientistIssues(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	inside, outside := issue(ctx, t, w, "scientist", endpointsOf(ctx, t, w)[0]), issue(ctx, t, w, "scientist", "")
	if inside != nil || outside == nil {
		t.Errorf("the scientist issues the URL through the endpoint: %v, from the internet: %v", inside, outside)
	}
}

// manageCluster says by the tag of the cluster whether Drawbridge shall manage its Data API.
func manageCluster(value string) func(context.Context, *scenario.DataAPIWorld) error {
	return func(ctx context.Context, w *scenario.DataAPIWorld) error {
		_, err := rds.NewFromConfig(engine.Config(w.Producer, w.Region)).AddTagsToResource(ctx, &rds.AddTagsToResourceInput{ResourceName: aws.String(w.ClusterARN()),
			Tags: []rdstypes.Tag{{Key: aws.String(tag.Manage), Value: &value}}})
		return err
	}
}

func unmanageCluster(ctx context.Context, w *scenario.DataAPIWorld) error {
	_, err := rds.NewFromConfig(engine.Config(w.Producer, w.Region)).RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: aws.String(w.ClusterARN()), TagKeys: []string{tag.Manage}})
	return err
}

// through fails unless an account gets through to the cluster, or does not, as it should.
func through(ctx context.Context, w *scenario.DataAPIWorld, account string, should bool) error {
	_, err := w.Query(ctx, scenario.Ask{Account: account, Cluster: w.ClusterARN(), Secret: w.SecretARN, SQL: "SELECT 1"})
	if (err == nil) != should {
		return fmt.Errorf("%s gets through is %v: %w", account, err == nil, err)
	}
	return nil
}
