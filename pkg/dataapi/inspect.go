package dataapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// RDSReader is what [Inspector] needs of RDS.
type RDSReader interface {
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
}

// SecretReader is what [Inspector] needs of Secrets Manager.
type SecretReader interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
}

// KeyReader is what [Inspector] needs of KMS.
type KeyReader interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
	GetKeyPolicy(context.Context, *kms.GetKeyPolicyInput, ...func(*kms.Options)) (*kms.GetKeyPolicyOutput, error)
	ListResourceTags(context.Context, *kms.ListResourceTagsInput, ...func(*kms.Options)) (*kms.ListResourceTagsOutput, error)
}

// RoleReader is what it takes to look at a role.
type RoleReader interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
}

// Readers are the clients that an inspection uses in the cluster's account and Region.
type Readers struct {
	RDS     RDSReader
	Secrets SecretReader
	Keys    KeyReader
	Roles   RoleReader
}

// Inspector reads what there is about a cluster and asks the policy.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Readers
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Policy returns the policy in force.
	Policy func(context.Context) (*policy.Set, error)
	Ledger ledger.Ledger
	// Brake is asked before something is taken away.
	Brake brake.Asker
	// Home is the Region under which the ledger has what has none: the hub's.
	Home string
}

// Inspect reads the cluster that the event names, its role and its secret, asks the policy about each consumer, and
// answers what is to be done. It changes nothing.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectDataAPIInput) (workflow.InspectDataAPIOutput, error) {
	e, err := event.Parse(in.Event)
	if err != nil {
		return workflow.InspectDataAPIOutput{}, err
	}
	nothing := func(why string) (workflow.InspectDataAPIOutput, error) {
		slog.InfoContext(ctx, "inspected", "answer", workflow.AnswerNothing, "reason", why)
		return Nothing(why), nil
	}
	if e.ClusterARN == "" {
		if e.Why == "" {
			e.Why = "the event names no DB cluster"
		}
		return nothing(e.Why)
	}
	producer, outside, err := brake.Member(ctx, i.Account, i.Ledger, e.Account, e.ClusterARN)
	if err != nil {
		return workflow.InspectDataAPIOutput{}, err
	}
	if outside != "" {
		return nothing(outside)
	}
	facts, err := i.read(ctx, in.Execution, e, producer)
	if held := brake.Unread(ctx, i.Ledger, e.ClusterARN, err); held != nil {
		return workflow.InspectDataAPIOutput{}, held
	}
	if err != nil {
		return workflow.InspectDataAPIOutput{}, fmt.Errorf("in %s, %s: %w", e.Account, e.Region, err)
	}
	out, err := Plan(facts)
	if err != nil {
		return out, fmt.Errorf("inspecting %s: %w", e.ClusterARN, err)
	}
	out.First, out.Off, out.Unmade = !facts.Managed, !facts.Endpoint, facts.Role == nil
	out.Stands = facts.Entry.Status == ledger.Status(workflow.Exposed)
	out.DataAPI.Tagged = standing(facts.Entry, facts.Tags)
	if err := i.Brake.Ask(ctx, Removals(facts, out)...); err != nil {
		return out, err
	}
	slog.InfoContext(ctx, "inspected", "cluster", e.ClusterARN, "answer", out.Answer, "reason", out.Reason)
	return out, nil
}

func (i Inspector) read(ctx context.Context, execution string, e event.Event, producer workflow.AccountFacts) (Facts, error) {
	clients := i.Enter(execution, e.Place)
	facts, err := readCluster(ctx, clients.RDS, e)
	if err != nil {
		return facts, err
	}
	facts.Cluster.Organization = producer.Organization
	if facts.Entry, facts.Managed, err = i.Ledger.Connection(ctx, facts.Cluster.ARN); err != nil {
		return facts, err
	}
	// Only what is to be let at is read.
	if facts.Tags[tag.DataAPI] == "" || tag.Letting(facts.Tags) != "" || facts.Cluster.Gone {
		return facts, nil
	}
	if facts.Role, err = readRole(ctx, clients.Roles, facts.Cluster); err != nil {
		return facts, err
	}
	if facts.Item, err = roleEntry(ctx, i.Ledger, facts.Cluster, i.Home); err != nil {
		return facts, err
	}
	if facts.Item != nil {
		if facts.Rights, err = entry(ctx, i.Ledger, rightsItem(facts.Cluster, i.Home)); err != nil {
			return facts, err
		}
	}
	if name := facts.Tags[tag.Secret]; name != "" {
		if facts.Secret, err = readSecret(ctx, clients, name, facts.Cluster); err != nil {
			return facts, err
		}
	}
	facts.Consumers, facts.Leave, err = i.ask(ctx, facts, producer)
	return facts, err
}

// roleEntry returns what the ledger has of the cluster's role, nil if it has nothing.
func roleEntry(ctx context.Context, book ledger.Ledger, c workflow.Cluster, home string) (*ledger.Item, error) {
	return entry(ctx, book, roleItem(c, home))
}

// entry returns what the ledger has of a thing, nil if it has nothing.
func entry(ctx context.Context, book ledger.Ledger, thing ledger.Item) (*ledger.Item, error) {
	items, err := book.Of(ctx, thing.Account, thing.Region, thing.Resource)
	if err != nil {
		return nil, err
	}
	if at := slices.IndexFunc(items, thing.Same); at >= 0 {
		return &items[at], nil
	}
	return nil, nil
}

func readCluster(ctx context.Context, api RDSReader, e event.Event) (Facts, error) {
	id := event.ClusterID(e.ClusterARN)
	facts := Facts{Cluster: workflow.Cluster{Account: e.Account, Region: e.Region, ID: id, ARN: e.ClusterARN}}
	got, err := api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &id})
	if fault.HasCode(err, "DBClusterNotFoundFault") || err == nil && len(got.DBClusters) == 0 {
		facts.Cluster.Gone = true
		return facts, nil
	}
	if err != nil {
		return facts, fmt.Errorf("reading the cluster %s: %w", id, err)
	}
	c := got.DBClusters[0]
	tags := map[string]string{}
	for _, t := range c.TagList {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	facts.Tags = tag.Clean(tag.DBCluster, tags)
	facts.Engine, facts.Mode, facts.Status = aws.ToString(c.Engine), aws.ToString(c.EngineMode), aws.ToString(c.Status)
	// A cluster that is being deleted needs no consumers any more.
	facts.Cluster.Gone = facts.Status == "deleting"
	facts.Endpoint = aws.ToBool(c.HttpEndpointEnabled)
	return facts, nil
}

// ask puts each account that the cluster's tag names to the policy, and whether what somebody takes away is left.
func (i Inspector) ask(ctx context.Context, f Facts, producer workflow.AccountFacts) (consumers []workflow.Consumer, leave bool, err error) {
	accounts := strings.Fields(f.Tags[tag.DataAPI])
	slices.Sort(accounts)
	if len(accounts) == 0 {
		return nil, false, nil
	}
	set, err := i.Policy(ctx)
	if err != nil {
		return nil, false, err
	}
	cluster := policy.Cluster{ARN: f.Cluster.ARN, ID: f.Cluster.ID, Engine: f.Engine, Region: f.Cluster.Region, Tags: f.Tags, Account: producer.Entity()}
	// The secret is looked for where the cluster is: it is of the same account. If nobody can say for whom its key is, nobody is admitted
	// anyway, and [Plan] says why.
	if s := f.Secret; s.ARN != "" && (!For(s.Tags, f.Cluster.ID) || readable(s, f.Cluster)) {
		cluster.Secret = &policy.Secret{ARN: s.ARN, Name: s.Name, Tags: s.Tags, KeyTags: s.Key.Tags, Account: producer.Entity()}
	}
	for _, id := range accounts {
		facts, err := i.Account(ctx, id)
		if err != nil {
			return nil, false, err
		}
		consumer, about := policy.Consumer{Region: f.Cluster.Region, Account: facts.Entity()}, policy.Context{Connection: f.Cluster.ARN}
		d := set.Admit(consumer, cluster, about)
		if facts.Suspended != "" {
			d = asItIs(facts, f.Role)
		} else if d.Allowed && !set.Restore(cluster, consumer, about).Allowed {
			leave = true
		}
		consumers = append(consumers, workflow.Consumer{Account: id, Decision: d})
	}
	return consumers, leave, nil
}

// readRole returns what has the name of the cluster's role, nil if nothing has.
func readRole(ctx context.Context, api RoleReader, c workflow.Cluster) (*Role, error) {
	name := RoleName(c.ID)
	got, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if fault.HasCode(err, "NoSuchEntity") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the role %s: %w", name, err)
	}
	return convert(got.Role), nil
}

func convert(r *iamtypes.Role) *Role {
	role := &Role{ID: aws.ToString(r.RoleId), ARN: aws.ToString(r.Arn), Path: aws.ToString(r.Path), Trust: string(decoded(r.AssumeRolePolicyDocument))}
	if b := r.PermissionsBoundary; b != nil {
		role.Boundary = aws.ToString(b.PermissionsBoundaryArn)
	}
	return role
}

// readSecret reads a secret and, if its owner says that it is for the cluster, its key.
func readSecret(ctx context.Context, clients Readers, name string, c workflow.Cluster) (Secret, error) {
	s := Secret{Name: name}
	got, err := clients.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if fault.HasCode(err, "ResourceNotFoundException") {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading the secret %s: %w", name, err)
	}
	s.ARN, s.Deleted = aws.ToString(got.ARN), got.DeletedDate != nil
	tags := map[string]string{}
	for _, t := range got.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	s.Tags = tag.Clean(tag.StoredSecret, tags)
	key := aws.ToString(got.KmsKeyId)
	// "If the secret is encrypted with the AWS managed key aws/secretsmanager, this field is omitted."
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
	if key == "" || strings.HasSuffix(key, "alias/aws/secretsmanager") {
		s.Managed = true
		return s, nil
	}
	s.Key.ARN = key
	if owner := arn.AccountOf(key); owner != "" && owner != c.Account || !For(s.Tags, c.ID) {
		return s, nil
	}
	s.Key, s.Managed, err = readKey(ctx, clients.Keys, key, c)
	if err != nil {
		return s, fmt.Errorf("reading the key %s of the secret %s: %w", key, name, err)
	}
	return s, nil
}

// readKey reads a key, its tags and its policy. managed says that it is AWS's own.
func readKey(ctx context.Context, api KeyReader, id string, c workflow.Cluster) (key Key, managed bool, err error) {
	closed := func(err error) (Key, bool, error) {
		// Who is let into the account at all, and not at the key, is kept out by the key's policy.
		if fault.HasCode(err, "AccessDeniedException") && !errors.Is(err, fault.ErrClosed) {
			key.ARN, key.Closed = cmp.Or(key.ARN, id), true
			return key, managed, nil
		}
		return key, managed, err
	}
	described, err := api.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		return closed(err)
	}
	m := described.KeyMetadata
	key.ARN, managed, key.Enabled = aws.ToString(m.Arn), m.KeyManager == kmstypes.KeyManagerTypeAws, m.KeyState == kmstypes.KeyStateEnabled
	if managed {
		return key, managed, nil
	}
	tags := map[string]string{}
	pages := kms.NewListResourceTagsPaginator(api, &kms.ListResourceTagsInput{KeyId: &key.ARN})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return closed(err)
		}
		for _, t := range page.Tags {
			tags[aws.ToString(t.TagKey)] = aws.ToString(t.TagValue)
		}
	}
	key.Tags = tag.Clean(tag.KMSKey, tags)
	document, err := api.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &key.ARN, PolicyName: aws.String("default")})
	if err != nil {
		return closed(err)
	}
	allows := func(action string) bool {
		return Delegates([]byte(aws.ToString(document.Policy)), arn.PartitionOf(c.ARN), c.Account, action)
	}
	key.ToIAM, key.Granting = allows("kms:Decrypt"), allows("kms:CreateGrant")
	return key, managed, nil
}
