package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Gamma is an account that nobody named.
const Gamma = "333333333333"

// DataAPISpec says what a world of the third scenario is like. [S3] is the reference.
type DataAPISpec struct {
	// Consumer and Third are the accounts whose people ask; the producer's tag names the first.
	Consumer, Producer, Third string
	Region                    string
	Engine                    string
	// Endpoint says that the owner turned the HTTP endpoint on.
	Endpoint bool
	// ManagedKey says that the secret is under the key that AWS manages.
	ManagedKey bool
	// Unprotected says that the owner gave the secret no policy.
	Unprotected bool
	// Unshared says that the owners of secret and key say of none that it is for the cluster.
	Unshared bool
	// KeyPolicy is what the key's policy leaves to IAM.
	KeyPolicy KeyPolicy
	// Secret is the value of the tag drawbridge:secret; empty means no tag.
	Secret string
	// Network says that the consumer has a VPC, OwnEndpoint that its owner made an endpoint of the Data API in it.
	Network, OwnEndpoint bool
}

// KeyPolicy is what the policy of the owner's key leaves to IAM.
type KeyPolicy int

// The policies of a key.
const (
	Everything KeyPolicy = iota
	OnlyGrants           // who makes grants, and who reads it: not who decrypts
	OwnersOnly           // nothing: its policy names the owner's people
)

// The things of the third scenario, by the names that their owners gave them.
const (
	cluster     = "sales"
	otherOne    = "payroll"
	secretName  = "sales/reader"
	otherSecret = "payroll/admin"
	user        = "reader"
	password    = "correct horse battery"
)

// S3 is the reference world of the third scenario: an Aurora cluster in one account, people in another who have no
// network to it, and a third account that has no business there.
func S3() DataAPISpec {
	return DataAPISpec{Consumer: Alpha, Producer: Beta, Third: Gamma, Region: "us-east-1", Engine: "aurora-postgresql", Secret: secretName}
}

// DataAPIWorld is a built world of the third scenario.
type DataAPIWorld struct {
	DataAPISpec
	// Key is the ARN of the owner's key, OtherKey of another one.
	Key, OtherKey string
	// SecretARN and OtherSecret are the ARNs of the secrets.
	SecretARN, OtherSecret string
	// VPC is the consumer's; empty if it has none.
	VPC string

	clients Clients
}

// ClusterARN is the ARN of the cluster.
func (w *DataAPIWorld) ClusterARN() string { return w.arn(cluster) }

func (w *DataAPIWorld) arn(id string) string {
	return arn.New(arn.Partition(w.Region), "rds", w.Region, w.Producer, "cluster:"+id)
}

// RoleARN is the ARN of the role that Drawbridge makes for the cluster.
func (w *DataAPIWorld) RoleARN() string {
	return arn.IAM(arn.Partition(w.Region), w.Producer, "role/drawbridge/drawbridge-data-api-"+cluster)
}

// Names gives what AWS made up in the names of the world's things the form that it has in a story.
func (w *DataAPIWorld) Names() []string {
	var names []string
	for _, arn := range []string{w.SecretARN, w.OtherSecret} {
		name := arn[strings.LastIndexByte(arn, ':')+1:]
		names = append(names, name, name[:strings.LastIndexByte(name, '-')]+"-AbCdEf")
	}
	return names
}

func (w *DataAPIWorld) rds() *rds.Client { return rds.NewFromConfig(w.clients(w.Producer, w.Region)) }
func (w *DataAPIWorld) iam(account string) *iam.Client {
	return iam.NewFromConfig(w.clients(account, w.Region))
}
func (w *DataAPIWorld) kms() *kms.Client { return kms.NewFromConfig(w.clients(w.Producer, w.Region)) }
func (w *DataAPIWorld) secrets() *secretsmanager.Client {
	return secretsmanager.NewFromConfig(w.clients(w.Producer, w.Region))
}

// The policies that the owners wrote by hand, each in a style of its own.
const (
	keyPolicy = `{
  "Version" : "2012-10-17",
  "Id" : "sales-key",
  "Statement" : [ {
    "Sid" : "Enable IAM policies",
    "Effect" : "Allow",
    "Principal" : { "AWS" : "%s" },
    "Action" : "kms:*",
    "Resource" : "*"
  }, {
    "Effect" : "Deny", "Principal" : "*", "Action" : "kms:ScheduleKeyDeletion", "Resource" : "*"
  } ]
}`
	grantsPolicy = `{ "Version": "2012-10-17", "Statement": [
  { "Sid": "Administrators", "Effect": "Allow", "Principal": { "AWS": "arn:PARTITION:iam::ACCOUNT:role/key-admins" }, "Action": "kms:*", "Resource": "*" },
  { "Sid": "Grants", "Effect": "Allow", "Principal": { "AWS": "%s" },
    "Action": [ "kms:CreateGrant", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:ListResourceTags" ], "Resource": "*" } ] }`
	closedPolicy = `{ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Principal": { "AWS": "arn:PARTITION:iam::ACCOUNT:role/key-admins" }, "Action": "kms:*", "Resource": "*" } }`
	secretPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"secretsmanager:DeleteSecret","Resource":"*"}}`
)

// Build makes the world, each account's things as that account.
func (s DataAPISpec) Build(ctx context.Context, clients Clients) (*DataAPIWorld, error) {
	w := &DataAPIWorld{DataAPISpec: s, clients: clients}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"keys", w.makeKeys},
		{"secrets", w.makeSecrets},
		{"clusters", w.makeClusters},
		{"people", w.makePeople},
		{"network", w.makeNetwork},
	} {
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("building the %s: %w", step.what, err)
		}
	}
	return w, nil
}

func (w *DataAPIWorld) makeKeys(ctx context.Context) error {
	if w.KeyPolicy != Everything { // whom the policy names has to be there
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + arn.IAM(arn.Partition(w.Region), w.Producer, "root") + `"}}]}`
		if _, err := w.iam(w.Producer).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("key-admins"), AssumeRolePolicyDocument: &trust}); err != nil {
			return err
		}
	}
	for _, key := range []*string{&w.Key, &w.OtherKey} {
		in := &kms.CreateKeyInput{Policy: aws.String(w.keyPolicy(w.KeyPolicy))}
		if key == &w.Key && !w.Unshared {
			in.Tags = []kmstypes.Tag{{TagKey: aws.String("drawbridge:data-api"), TagValue: aws.String(cluster)}}
		}
		made, err := w.kms().CreateKey(ctx, in)
		if err != nil {
			return err
		}
		*key = aws.ToString(made.KeyMetadata.Arn)
	}
	return nil
}

// keyPolicy is the text of a key's policy.
func (w *DataAPIWorld) keyPolicy(p KeyPolicy) string {
	partition := arn.Partition(w.Region)
	switch p {
	case OnlyGrants:
		return strings.NewReplacer("PARTITION", partition, "ACCOUNT", w.Producer, "%s", arn.IAM(partition, w.Producer, "root")).Replace(grantsPolicy)
	case OwnersOnly:
		return strings.NewReplacer("PARTITION", partition, "ACCOUNT", w.Producer).Replace(closedPolicy)
	}
	return fmt.Sprintf(keyPolicy, arn.IAM(partition, w.Producer, "root"))
}

// Open changes what the policy of the owner's key leaves to IAM.
func (w *DataAPIWorld) Open(ctx context.Context, p KeyPolicy) error {
	_, err := w.kms().PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &w.Key, PolicyName: aws.String("default"), Policy: aws.String(w.keyPolicy(p)), BypassPolicyLockoutSafetyCheck: true})
	return err
}

// Consent is the call of a secret's owner: they say for which clusters it is, for none if there are none.
func (w *DataAPIWorld) Consent(ctx context.Context, secret string, clusters ...string) error {
	if len(clusters) == 0 {
		_, err := w.secrets().UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: &secret, TagKeys: []string{"drawbridge:data-api"}})
		return err
	}
	_, err := w.secrets().TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: &secret,
		Tags: []secretstypes.Tag{{Key: aws.String("drawbridge:data-api"), Value: aws.String(strings.Join(clusters, " "))}}})
	return err
}

// ConsentKey is the same of the key's owner.
func (w *DataAPIWorld) ConsentKey(ctx context.Context, clusters ...string) error {
	if len(clusters) == 0 {
		_, err := w.kms().UntagResource(ctx, &kms.UntagResourceInput{KeyId: &w.Key, TagKeys: []string{"drawbridge:data-api"}})
		return err
	}
	_, err := w.kms().TagResource(ctx, &kms.TagResourceInput{KeyId: &w.Key,
		Tags: []kmstypes.Tag{{TagKey: aws.String("drawbridge:data-api"), TagValue: aws.String(strings.Join(clusters, " "))}}})
	return err
}

func (w *DataAPIWorld) makeSecrets(ctx context.Context) error {
	value, err := json.Marshal(map[string]string{"username": user, "password": password})
	if err != nil {
		return err
	}
	for name, arn := range map[string]*string{secretName: &w.SecretARN, otherSecret: &w.OtherSecret} {
		in := &secretsmanager.CreateSecretInput{Name: aws.String(name), SecretString: aws.String(string(value)), KmsKeyId: &w.Key}
		if name == secretName && w.ManagedKey {
			in.KmsKeyId = nil
		}
		if name == secretName && !w.Unshared {
			in.Tags = []secretstypes.Tag{{Key: aws.String("drawbridge:data-api"), Value: aws.String(cluster)}}
		}
		made, err := w.secrets().CreateSecret(ctx, in)
		if err != nil {
			return err
		}
		*arn = aws.ToString(made.ARN)
	}
	if w.Unprotected {
		return nil
	}
	_, err = w.secrets().PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: &w.SecretARN, ResourcePolicy: aws.String(secretPolicy)})
	return err
}

func (w *DataAPIWorld) makeClusters(ctx context.Context) error {
	for _, id := range []string{cluster, otherOne} {
		if _, err := w.rds().CreateDBCluster(ctx, &rds.CreateDBClusterInput{
			DBClusterIdentifier: aws.String(id), Engine: aws.String(w.Engine), EnableHttpEndpoint: aws.Bool(id == otherOne || w.Endpoint),
			MasterUsername: aws.String(user), MasterUserPassword: aws.String(password),
			Tags: []rdstypes.Tag{{Key: aws.String("team"), Value: aws.String("sales")}},
		}); err != nil {
			return err
		}
	}
	return nil
}

// makePeople makes a role in each account that asks.
func (w *DataAPIWorld) makePeople(ctx context.Context) error {
	for _, account := range []string{w.Consumer, w.Third} {
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + arn.IAM(arn.Partition(w.Region), account, "root") + `"}}]}`
		if _, err := w.iam(account).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("analyst"), AssumeRolePolicyDocument: &trust}); err != nil {
			return err
		}
	}
	return nil
}

// Share makes the one call that sets everything in motion: the owner of the cluster tags it.
func (w *DataAPIWorld) Share(ctx context.Context, accounts ...string) error {
	in := &rds.AddTagsToResourceInput{ResourceName: aws.String(w.ClusterARN()),
		Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:data-api"), Value: aws.String(strings.Join(accounts, " "))}}}
	if w.Secret != "" {
		in.Tags = append(in.Tags, rdstypes.Tag{Key: aws.String("drawbridge:secret"), Value: aws.String(w.Secret)})
	}
	_, err := w.rds().AddTagsToResource(ctx, in)
	return err
}

// Unshare takes the owner's tags away.
func (w *DataAPIWorld) Unshare(ctx context.Context) error {
	_, err := w.rds().RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: aws.String(w.ClusterARN()),
		TagKeys: []string{"drawbridge:data-api", "drawbridge:secret"}})
	return err
}

// Delete deletes the cluster.
func (w *DataAPIWorld) Delete(ctx context.Context) error {
	_, err := w.rds().DeleteDBCluster(ctx, &rds.DeleteDBClusterInput{DBClusterIdentifier: aws.String(cluster), SkipFinalSnapshot: aws.Bool(true)})
	return err
}

// Encrypt moves the secret to a key, as the remedy says.
func (w *DataAPIWorld) Encrypt(ctx context.Context, key string) error {
	_, err := w.secrets().UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: aws.String(secretName), KmsKeyId: &key})
	return err
}

// oneLine shows a document in one line; where it has another line is to be seen.
func oneLine(document *string) string {
	return strings.ReplaceAll(aws.ToString(document), "\n", "⏎")
}

// Owned is everything of the producer's, and of the consumer's VPC, that Drawbridge may have changed: a line for each thing.
func (w *DataAPIWorld) Owned(ctx context.Context) (string, error) {
	var b strings.Builder
	for _, key := range []string{w.Key, w.OtherKey} {
		got, err := w.kms().GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &key, PolicyName: aws.String("default")})
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s\n", key, oneLine(got.Policy))
		grants, err := w.kms().ListGrants(ctx, &kms.ListGrantsInput{KeyId: &key})
		if err != nil {
			return "", err
		}
		for _, g := range grants.Grants {
			fmt.Fprintf(&b, "%s granted to %s: %v\n", key, aws.ToString(g.GranteePrincipal), g.Operations)
		}
	}
	for _, secret := range []string{w.SecretARN, w.OtherSecret} {
		got, err := w.secrets().GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: &secret})
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s\n", secret, oneLine(got.ResourcePolicy))
	}
	clusters, err := w.rds().DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{})
	if err != nil {
		return "", err
	}
	for _, c := range clusters.DBClusters {
		var tags []string
		for _, t := range c.TagList {
			value := aws.ToString(t.Value)
			if aws.ToString(t.Key) == tag.Since {
				value = "a time" // another in each run
			}
			tags = append(tags, aws.ToString(t.Key)+"="+value)
		}
		slices.Sort(tags)
		fmt.Fprintf(&b, "%s endpoint %v %v\n", aws.ToString(c.DBClusterIdentifier), aws.ToBool(c.HttpEndpointEnabled), tags)
	}
	roles, err := w.iam(w.Producer).ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String("/drawbridge/")})
	if err != nil {
		return "", err
	}
	for _, r := range roles.Roles {
		fmt.Fprintf(&b, "role %s %s\n", aws.ToString(r.Arn), oneLine(r.AssumeRolePolicyDocument))
	}
	network, err := w.network(ctx)
	return b.String() + network, err
}
