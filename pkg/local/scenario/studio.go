package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// The things of the fourth scenario, by the names that their owners gave them. The domain is called research.
const (
	Warehouse     = "sales-warehouse"
	WarehouseDB   = "sales"
	ExecutionRole = "studio-execution"
	StudioDomain  = "d-research"
)

// ExecutionTrust is the trust policy of the execution role, as its owner wrote it.
const ExecutionTrust = `{
  "Version": "2012-10-17",
  "Statement": {"Sid": "Studio", "Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
}`

// The tags by which the two owners agree.
const (
	studioTag  = "drawbridge:studio"
	groupsTag  = "drawbridge:studio-groups"
	readerRole = "drawbridge-studio-"
)

// S4 is the reference world of the fourth scenario: a SageMaker Studio domain in VPC only mode in one account, a Redshift
// cluster in another, and nothing between them yet. It has what [World.MakeStudio] and [World.MakeWarehouse] make.
func S4() Spec {
	s := S1()
	s.Notebook = Notebook{}
	s.Database = Database{Name: Warehouse, Engine: "redshift", Port: 5439}
	s.Studio = true
	return s
}

func (w *World) redshift() *redshift.Client {
	return redshift.NewFromConfig(w.clients(w.Producer.Account, w.Producer.Region))
}

// RoleARN is the ARN of a role of the consumer.
func (w *World) RoleARN(name string) string {
	return arn.IAM(arn.Partition(w.Consumer.Region), w.Consumer.Account, "role/"+name)
}

// MakeStudio makes the domain in VPC only mode and its execution role, both of which their owner opened to Drawbridge, and the user
// profile of Ana.
func (w *World) MakeStudio(ctx context.Context) error {
	if err := w.MakeExecutionRole(ctx, ExecutionRole); err != nil {
		return err
	}
	if _, err := w.sagemaker().CreateDomain(ctx, &sagemaker.CreateDomainInput{DomainName: aws.String("research"), AuthMode: sagemakertypes.AuthModeIam,
		VpcId: &w.ConsumerNetwork.VPC, SubnetIds: w.ConsumerNetwork.Subnets, AppNetworkAccessType: sagemakertypes.AppNetworkAccessTypeVpcOnly,
		Tags: []sagemakertypes.Tag{{Key: aws.String(studioTag), Value: aws.String("true")}, {Key: aws.String("team"), Value: aws.String("research")}},
		DefaultUserSettings: &sagemakertypes.UserSettings{ExecutionRole: aws.String(w.RoleARN(ExecutionRole)),
			SecurityGroups: []string{w.ConsumerNetwork.Group}}}); err != nil {
		return err
	}
	return w.MakeProfile(ctx, "ana", "")
}

// DomainARN is the ARN of the Studio domain.
func (w *World) DomainARN() string {
	return arn.New(arn.Partition(w.Consumer.Region), "sagemaker", w.Consumer.Region, w.Consumer.Account, "domain/"+StudioDomain)
}

// MakeExecutionRole makes a role for Studio that its owner opened to Drawbridge.
func (w *World) MakeExecutionRole(ctx context.Context, name string) error {
	_, err := iam.NewFromConfig(w.clients(w.Consumer.Account, w.Consumer.Region)).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: aws.String(ExecutionTrust),
		Tags: []iamtypes.Tag{{Key: aws.String(studioTag), Value: aws.String("true")}, {Key: aws.String("team"), Value: aws.String("research")}}})
	return err
}

// MakeProfile makes a user profile, with an execution role of its own if one is named.
func (w *World) MakeProfile(ctx context.Context, user, role string) error {
	in := &sagemaker.CreateUserProfileInput{DomainId: aws.String(StudioDomain), UserProfileName: &user}
	if role != "" {
		in.UserSettings = &sagemakertypes.UserSettings{ExecutionRole: aws.String(w.RoleARN(role))}
	}
	_, err := w.sagemaker().CreateUserProfile(ctx, in)
	return err
}

// StartApp starts an app of Ana's.
func (w *World) StartApp(ctx context.Context) error {
	_, err := w.sagemaker().CreateApp(ctx, &sagemaker.CreateAppInput{DomainId: aws.String(StudioDomain), UserProfileName: aws.String("ana"),
		AppType: sagemakertypes.AppTypeJupyterLab, AppName: aws.String("default")})
	return err
}

// DeleteApp deletes it.
func (w *World) DeleteApp(ctx context.Context) error {
	_, err := w.sagemaker().DeleteApp(ctx, &sagemaker.DeleteAppInput{DomainId: aws.String(StudioDomain), UserProfileName: aws.String("ana"),
		AppType: sagemakertypes.AppTypeJupyterLab, AppName: aws.String("default")})
	return err
}

// MakeWarehouse makes the Redshift cluster in the producer's first two subnets. Its readers may join the group analysts; its
// port is shared if the world's databases are.
func (w *World) MakeWarehouse(ctx context.Context) error {
	group := Warehouse + "-subnets"
	if _, err := w.redshift().CreateClusterSubnetGroup(ctx, &redshift.CreateClusterSubnetGroupInput{ClusterSubnetGroupName: &group,
		Description: aws.String("where " + Warehouse + " lives"), SubnetIds: w.ProducerNetwork.Subnets[:2]}); err != nil {
		return err
	}
	in := &redshift.CreateClusterInput{ClusterIdentifier: aws.String(Warehouse), NodeType: aws.String("ra3.large"),
		DBName: aws.String(WarehouseDB), MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("Passw0rd"), Port: aws.Int32(5439),
		ClusterSubnetGroupName: &group, VpcSecurityGroupIds: []string{w.ProducerNetwork.Group},
		Tags: []redshifttypes.Tag{{Key: aws.String(groupsTag), Value: aws.String("analysts")}}}
	if w.Share != "" {
		in.Tags = append(in.Tags, redshifttypes.Tag{Key: aws.String("drawbridge:share"), Value: &w.Share})
	}
	_, err := w.redshift().CreateCluster(ctx, in)
	return err
}

func (w *World) warehouseARN() *string {
	return aws.String(arn.New(arn.Partition(w.Producer.Region), "redshift", w.Producer.Region, w.Producer.Account, "cluster:"+Warehouse))
}

// ShareWarehouse makes the one call that sets the identities in motion: the owner of the cluster tags it with the consumer.
func (w *World) ShareWarehouse(ctx context.Context) error {
	_, err := w.redshift().CreateTags(ctx, &redshift.CreateTagsInput{ResourceName: w.warehouseARN(),
		Tags: []redshifttypes.Tag{{Key: aws.String(studioTag), Value: &w.Consumer.Account}}})
	return err
}

// UnshareWarehouse takes the tag away, and more of them.
func (w *World) UnshareWarehouse(ctx context.Context, more ...string) error {
	_, err := w.redshift().DeleteTags(ctx, &redshift.DeleteTagsInput{ResourceName: w.warehouseARN(), TagKeys: append([]string{studioTag}, more...)})
	return err
}

// DeleteWarehouse deletes the cluster, as its owner might.
func (w *World) DeleteWarehouse(ctx context.Context) error {
	_, err := w.redshift().DeleteCluster(ctx, &redshift.DeleteClusterInput{ClusterIdentifier: aws.String(Warehouse), SkipFinalClusterSnapshot: aws.Bool(true)})
	return err
}

// An App gives what an app of Studio acts with: the execution role, with the name of the app's user as source identity.
type App func(ctx context.Context, role, user string) (aws.Config, error)

// Reader does what the code of Ana's app does first: with the execution role that SageMaker gave it, it assumes the readers'
// role.
func (w *World) Reader(ctx context.Context, app App) (aws.Config, error) {
	inside, err := app(ctx, w.RoleARN(ExecutionRole), "ana")
	if err != nil {
		return inside, err
	}
	return w.read(ctx, inside)
}

// read assumes the readers' role.
func (w *World) read(ctx context.Context, as aws.Config) (aws.Config, error) {
	got, err := sts.NewFromConfig(as).AssumeRole(ctx, &sts.AssumeRoleInput{RoleSessionName: aws.String("query"),
		RoleArn: aws.String(arn.IAM(arn.Partition(w.Producer.Region), w.Producer.Account, "role/drawbridge/"+readerRole+w.Producer.Region+"-"+Warehouse))})
	if err != nil {
		return as, err
	}
	if who := aws.ToString(got.SourceIdentity); who != "ana" {
		return as, fmt.Errorf("the source identity is %q, and not ana", who)
	}
	there := w.clients(w.Producer.Account, w.Producer.Region)
	there.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(got.Credentials.AccessKeyId),
		aws.ToString(got.Credentials.SecretAccessKey), aws.ToString(got.Credentials.SessionToken))
	return there, nil
}

// Identities asks for credentials as Ana's app does, as Ana and as others, and assumes the readers' role as others do. Each
// line is a call chain that was really made.
func (w *World) Identities(ctx context.Context, app App) ([]story.Hop, error) {
	reader, err := w.Reader(ctx, app)
	if err != nil {
		return nil, fmt.Errorf("assuming the readers' role as ana: %w", err)
	}
	clusters := redshift.NewFromConfig(reader, func(o *redshift.Options) { o.RetryMaxAttempts = 1 })
	ask := func(cluster, user string, groups ...string) func() error {
		return func() error {
			_, err := clusters.GetClusterCredentials(ctx, &redshift.GetClusterCredentialsInput{ClusterIdentifier: &cluster, DbUser: &user,
				DbName: aws.String(WarehouseDB), AutoCreate: aws.Bool(true), DbGroups: groups})
			return err
		}
	}
	hops := []story.Hop{{Hop: "assume role", OK: true, Detail: "ana's app assumes the readers' role with the source identity ana"}}
	for _, c := range []struct {
		hop, says string
		try       func() error
		denied    bool
	}{
		{"as ana", "ana asks for credentials of the database user ana", ask(Warehouse, "ana"), false},
		{"group", "ana, to join the group analysts that the cluster's owner allows", ask(Warehouse, "ana", "analysts"), false},
		{"another group", "ana, to join the group owners", ask(Warehouse, "ana", "owners"), true},
		{"as boris", "ana, as the database user boris", ask(Warehouse, "boris"), true},
		{"as admin", "ana, as the cluster's admin", ask(Warehouse, "admin"), true},
		{"another cluster", "ana, on another-warehouse", ask("another-warehouse", "ana"), true},
		{"nobody's app", "the execution role assumes the readers' role without a source identity", func() error {
			nobody, err := app(ctx, w.RoleARN(ExecutionRole), "")
			if err != nil {
				return err
			}
			_, err = w.read(ctx, nobody)
			return err
		}, true},
		{"not from Studio", "somebody of the cluster's account assumes the readers' role", func() error {
			_, err := w.read(ctx, w.clients(w.Producer.Account, w.Producer.Region))
			return err
		}, true},
	} {
		err := c.try()
		var api smithy.APIError
		switch {
		case err == nil:
			hops = append(hops, story.Hop{Hop: c.hop, OK: !c.denied, Detail: c.says + ": allowed"})
		case errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied"):
			hops = append(hops, story.Hop{Hop: c.hop, OK: c.denied, Detail: c.says + ": denied"})
		default:
			return hops, fmt.Errorf("%s: %w", c.says, err)
		}
	}
	return hops, nil
}
