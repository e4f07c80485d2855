package dataapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Plan answers what a cluster needs:
//
//	its owner says drawbridge:manage=false, or undo
//	  false, and it is managed                         → conclude, Released
//	  undo, and it is managed                          → retract, Retracted
//	  it is not                                        → nothing
//	no consumers named, or no cluster any more
//	  it is managed                                    → retract, Retracted
//	  it is not                                        → nothing
//	the policy admits none of them, or the secret or its key is not for the cluster
//	  it is managed                                    → retract, Refused
//	  it is not                                        → conclude, Refused
//	a role of that name that is not ours               → Conflict
//	not Aurora, or the endpoint cannot be turned on    → Conflict
//	no secret, or not under a customer-managed key     → Conflict, with the command that moves it
//	the key's policy leaves neither to IAM, who decrypts
//	nor who makes grants                               → Conflict, with the statement that is missing
//	a Conflict, and its role lets in more than it says → retract, Refused
//	else                                               → expose, Exposed
//
// A consumer whom the policy does not admit does not keep the others from being admitted.
func Plan(f Facts) (workflow.InspectDataAPIOutput, error) {
	out := Nothing("")
	out.DataAPI.Cluster, out.DataAPI.Leave, out.DataAPI.Manage = f.Cluster, f.Leave, f.Tags[tag.Manage]
	if len(f.Consumers) > 0 {
		out.DataAPI.Consumers = f.Consumers
	}
	unclear := tag.Why(f.Tags, tag.DataAPI)
	if says := tag.Letting(f.Tags); says != "" && !f.Cluster.Gone {
		out.Reason = fmt.Sprintf("%s is tagged %s=%s", f.Cluster.ID, tag.Manage, says)
		switch {
		case !f.Managed:
		case says == tag.Leave:
			out.Result, out.Answer = workflow.Released, workflow.AnswerConclude
		default:
			out.Result, out.Answer, out.DataAPI.Ends = workflow.Retracted, workflow.AnswerRetract, true
		}
		return out, nil
	}
	if f.Cluster.Gone || len(f.Consumers) == 0 {
		out.Reason = fmt.Sprintf("the cluster %s names no account in its tag %s", f.Cluster.ID, tag.DataAPI) + unclear
		if f.Cluster.Gone {
			out.Reason = fmt.Sprintf("the cluster %s does not exist", f.Cluster.ID)
		}
		if f.Managed {
			out.Result, out.Answer, out.DataAPI.Ends = workflow.Retracted, workflow.AnswerRetract, true
		}
		return out, nil
	}
	admitted, lacks := Admitted(f.Consumers), lacks(f)
	if len(admitted) == 0 || lacks != "" {
		out.Result, out.Answer = workflow.RefusedByPolicy, workflow.AnswerConclude
		if out.DataAPI.Ends = f.Managed; f.Managed {
			out.Answer = workflow.AnswerRetract
		}
		out.Decision = f.Consumers[0].Decision
		out.Reason = fmt.Sprintf("account %s: %s", f.Consumers[0].Account, out.Decision.Reason) + unclear
		if lacks != "" {
			out.Decision.Allowed = false
			out.Reason = lacks
		}
		return out, nil
	}
	for _, err := range []error{owned(f), possible(f)} {
		if err != nil && outlived(f) {
			return withdraw(f, out, err), nil
		}
		if err != nil {
			return out, err
		}
	}
	out.Result, out.Answer = workflow.Exposed, workflow.AnswerExpose
	out.DataAPI.Secret = workflow.Secret{ARN: f.Secret.ARN, Key: f.Secret.Key.ARN, Grant: !f.Secret.Key.ToIAM}
	out.Decision = f.Consumers[slices.IndexFunc(f.Consumers, func(c workflow.Consumer) bool { return c.Decision.Allowed })].Decision
	out.Reason = fmt.Sprintf("the accounts %s may query %s", strings.Join(admitted, " "), f.Cluster.ID) + unclear
	return out, nil
}

// Nothing is the answer that there is nothing to do.
func Nothing(why string) workflow.InspectDataAPIOutput {
	none := workflow.HopsOutput{Hops: []workflow.Hop{}}
	return workflow.InspectDataAPIOutput{Result: workflow.Nothing, Answer: workflow.AnswerNothing, Reason: why,
		DataAPI: workflow.DataAPI{Consumers: []workflow.Consumer{}}, Enabled: none, Admitted: none, Retracted: none}
}

// lacks says whose consent is missing, with the command by which they give it; "" if all agreed. Whatever the policy
// permits, IAM would let nobody at the secret without it.
func lacks(f Facts) string {
	s, value := f.Secret, fmt.Sprintf("Key=%s,Value=%s", tag.DataAPI, f.Cluster.ID)
	switch {
	case s.ARN == "" || s.Deleted: // what keeps it from being used says more
		return ""
	case !For(s.Tags, f.Cluster.ID):
		return fmt.Sprintf("the owner of the secret %s does not say that it is for %s%s; who owns it allows it by: aws secretsmanager tag-resource --region %s --secret-id %s --tags %s",
			s.Name, f.Cluster.ID, tag.Why(s.Tags, tag.DataAPI), f.Cluster.Region, s.Name, value)
	case !readable(s, f.Cluster):
		return ""
	case !For(s.Key.Tags, f.Cluster.ID):
		return fmt.Sprintf("the owner of the key %s does not say that it is for %s%s; who owns it allows it by: aws kms tag-resource --region %s --key-id %s --tags %s",
			s.Key.ARN, f.Cluster.ID, tag.Why(s.Key.Tags, tag.DataAPI), f.Cluster.Region, s.Key.ARN, strings.NewReplacer("Key=", "TagKey=", "Value=", "TagValue=").Replace(value))
	}
	return ""
}

// readable reports whether it can be known for which clusters the key of a secret is.
func readable(s Secret, c workflow.Cluster) bool {
	return !s.Managed && !s.Key.Closed && arn.AccountOf(s.Key.ARN) == c.Account
}

// For reports whether the tags of a secret or a key say that it is for a cluster.
func For(tags map[string]string, cluster string) bool {
	return slices.Contains(strings.Fields(tags[tag.DataAPI]), cluster)
}

// owned says what keeps the role of that name from being ours: it is, if there is an entry of it that the cluster needs; or if it was let go of, and the
// cluster's owner gives it to Drawbridge.
func owned(f Facts) error {
	if f.Role == nil {
		return nil
	}
	name := RoleName(f.Cluster.ID)
	rename := "rename that role or the cluster (a role's name is one for all Regions), then redrive the execution"
	switch i := f.Item; {
	case i == nil && f.Tags[tag.Manage] == tag.Take && f.Role.Path == rolePath && f.Role.Boundary == Boundary(f.Cluster):
	case i == nil:
		return fault.NewConflict(fmt.Sprintf("the role %s in %s is not Drawbridge's", name, f.Cluster.Account), rename)
	case !i.NeededBy(f.Cluster.ARN) && i.For != f.Cluster.ARN:
		return fault.NewConflict(fmt.Sprintf("the role %s in %s is for %s", name, f.Cluster.Account, strings.Join(append(i.Needed, i.For), " ")), rename)
	case ledger.Stands(*i, f.Role.ID, true) == ledger.Others && i.State != ledger.Intended, f.Role.Path != rolePath:
		return fault.NewConflict(fmt.Sprintf("the role %s in %s is another one than Drawbridge made", name, f.Cluster.Account), rename)
	case f.Role.Boundary != Boundary(f.Cluster):
		return fault.NewConflict(fmt.Sprintf("the role %s in %s has lost its permissions boundary", name, f.Cluster.Account),
			"set the boundary "+Boundary(f.Cluster)+" again, or delete the role, then redrive the execution")
	}
	return nil
}

// possible says what keeps a cluster from being exposed.
func possible(f Facts) error {
	if !strings.HasPrefix(f.Engine, "aurora") {
		return fault.NewConflict(fmt.Sprintf("the cluster %s is %s, and only Aurora has the Data API", f.Cluster.ID, f.Engine),
			"remove its tag "+tag.DataAPI)
	}
	// EnableHttpEndpoint "applies only to Aurora Serverless v2 and provisioned DB clusters".
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_EnableHttpEndpoint.html
	if f.Mode == "serverless" && !f.Endpoint {
		return fault.NewConflict(fmt.Sprintf("the cluster %s is Aurora Serverless v1, whose HTTP endpoint Drawbridge does not turn on", f.Cluster.ID),
			fmt.Sprintf("aws rds modify-db-cluster --db-cluster-identifier %s --enable-http-endpoint --region %s, then redrive the execution", f.Cluster.ID, f.Cluster.Region))
	}
	s := f.Secret
	switch {
	case s.Name == "":
		return fault.NewConflict(fmt.Sprintf("the cluster %s says by no tag which secret opens it%s", f.Cluster.ID, tag.Why(f.Tags, tag.Secret)),
			fmt.Sprintf("aws rds add-tags-to-resource --resource-name %s --tags Key=%s,Value=<secret name>", f.Cluster.ARN, tag.Secret))
	case s.ARN == "" || s.Deleted:
		return fault.NewConflict(fmt.Sprintf("the secret %s of the cluster %s does not exist in %s, %s, or is being deleted", s.Name, f.Cluster.ID, f.Cluster.Account, f.Cluster.Region),
			"name another secret in the cluster's tag "+tag.Secret)
	case s.Managed:
		// "You cannot tag an AWS managed key": https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html
		return fault.NewConflict(fmt.Sprintf("the secret %s is encrypted with the key that AWS manages, which nobody can tag for a cluster", s.Name),
			fmt.Sprintf("aws secretsmanager update-secret --secret-id %s --kms-key-id <a customer-managed key> --region %s, then redrive the execution", s.Name, f.Cluster.Region))
	case arn.AccountOf(s.Key.ARN) != f.Cluster.Account:
		return fault.NewConflict(fmt.Sprintf("the secret %s is encrypted with %s, a key of another account", s.Name, s.Key.ARN),
			fmt.Sprintf("aws secretsmanager update-secret --secret-id %s --kms-key-id <a customer-managed key of %s> --region %s, then redrive the execution", s.Name, f.Cluster.Account, f.Cluster.Region))
	case s.Key.Closed, !s.Key.ToIAM && !s.Key.Granting:
		// An IAM policy allows nothing on a key whose own policy does not leave it to the account's IAM policies, not even to make a grant.
		return fault.NewConflict(fmt.Sprintf("the policy of the key %s leaves nothing to the IAM policies of %s", s.Key.ARN, f.Cluster.Account),
			fmt.Sprintf("allow %s in the key's policy to %s (IAM then says who of the account), then redrive the execution",
				strings.Join(keyActions, ", "), arn.IAM(arn.PartitionOf(f.Cluster.ARN), f.Cluster.Account, "root")))
	case !s.Key.Enabled:
		return fault.NewConflict(fmt.Sprintf("the key %s of the secret %s is not enabled", s.Key.ARN, s.Name), "enable the key, then redrive the execution")
	}
	return nil
}

// keyActions are what a key's policy has to leave to IAM at least.
var keyActions = []string{"kms:CreateGrant", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:ListResourceTags"}

// Admitted returns the accounts that the policy admits, sorted.
func Admitted(consumers []workflow.Consumer) []string {
	var admitted []string
	for _, c := range consumers {
		if c.Decision.Allowed {
			admitted = append(admitted, c.Account)
		}
	}
	slices.Sort(admitted)
	return slices.Compact(admitted)
}

// RoleName returns the name of a cluster's role: a name of more than 64 characters ends in a hash instead.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func RoleName(cluster string) string {
	name := RolePrefix + cluster
	if len(name) <= 64 {
		return name
	}
	sum := sha256.Sum256([]byte(cluster))
	return name[:55] + "-" + hex.EncodeToString(sum[:4])
}

// RoleARN returns the ARN of a cluster's role.
func RoleARN(c workflow.Cluster) string {
	return arn.IAM(arn.PartitionOf(c.ARN), c.Account, "role"+rolePath+RoleName(c.ID))
}

// Boundary returns the ARN of the permissions boundary that the member stack makes for such roles.
func Boundary(c workflow.Cluster) string {
	return arn.IAM(arn.PartitionOf(c.ARN), c.Account, "policy"+rolePath+boundaryName)
}

// Trust returns the role's trust policy: exactly the admitted accounts, as long as they are in the organization.
func Trust(api workflow.DataAPI) ([]byte, error) {
	var roots []string
	for _, a := range Admitted(api.Consumers) {
		roots = append(roots, arn.IAM(arn.PartitionOf(api.Cluster.ARN), a, "root"))
	}
	return document(policydocument.Statement{
		Sid: "DrawbridgeConsumers", Effect: "Allow", Action: []string{"sts:AssumeRole"},
		Principal: map[string][]string{"AWS": roots},
		Condition: map[string]map[string][]string{"StringEquals": {"aws:PrincipalOrgID": {api.Cluster.Organization}}},
	})
}

// RolePolicy returns the role's own policy: this cluster, and this secret and key as long as their owners' tags name the cluster.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrdsdataapi.html
func RolePolicy(api workflow.DataAPI) ([]byte, error) {
	consent := map[string][]string{"aws:ResourceTag/" + tag.DataAPI: named(api.Cluster.ID)}
	return document(
		policydocument.Statement{Sid: "DrawbridgeQuery", Effect: "Allow", Resource: []string{api.Cluster.ARN}, Action: []string{
			"rds-data:BatchExecuteStatement", "rds-data:BeginTransaction", "rds-data:CommitTransaction",
			"rds-data:ExecuteStatement", "rds-data:RollbackTransaction",
		}},
		policydocument.Statement{Sid: "DrawbridgeSecret", Effect: "Allow", Resource: []string{api.Secret.ARN},
			Action: []string{"secretsmanager:GetSecretValue"}, Condition: map[string]map[string][]string{"StringLike": consent}},
		policydocument.Statement{Sid: "DrawbridgeDecrypt", Effect: "Allow", Resource: []string{api.Secret.Key},
			Action: []string{"kms:Decrypt"}, Condition: map[string]map[string][]string{
				"StringLike": consent,
				// The key decrypts this one secret only, for Secrets Manager.
				// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
				"StringEquals": {"kms:ViaService": arn.ViaService("secretsmanager", api.Cluster.Region), contextKey: {api.Secret.ARN}},
			}},
		policydocument.Statement{Sid: "DrawbridgeDescribe", Effect: "Allow", Resource: []string{api.Secret.Key},
			Action: []string{"kms:DescribeKey"}, Condition: map[string]map[string][]string{"StringLike": consent}},
	)
}

const contextKey = "kms:EncryptionContext:" + contextName

// contextName is what Secrets Manager calls the ARN of a secret when it has the key encrypt or decrypt it.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-encryption-context
const contextName = "SecretARN"

// named are the patterns, for IAM, of a list of clusters with blanks between that has this one.
func named(cluster string) []string {
	return []string{cluster, cluster + " *", "* " + cluster, "* " + cluster + " *"}
}

// grantName is what the grant for a role and a secret is called. KMS makes no second one of the same name and content, so that a lost answer
// is asked for again; a role that was made anew is another one to it.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
func grantName(role Role, secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return RolePrefix + role.ID + "-" + hex.EncodeToString(sum[:8])
}

// grantKey is the key of the grant's item in the ledger.
func grantKey(api workflow.DataAPI) string { return RoleName(api.Cluster.ID) + " " + api.Secret.ARN }

// connection is the cluster's entry in the ledger.
func connection(c workflow.Cluster) ledger.Connection {
	return ledger.Connection{ID: c.ARN, Kind: road.DataAPI, Origin: ledger.Requested,
		Sides: []ledger.Side{{Role: "producer", Account: c.Account, Region: c.Region, ID: c.ARN}}}
}

// Paths are who is let in, as the ledger keeps them for people: from each admitted account to the cluster. One is whole if everything that was done for
// it holds; else it ends at what does not.
func Paths(in workflow.ConcludeDataAPIInput) ledger.Paths {
	var out ledger.Paths
	if in.Result != workflow.Exposed && in.Result != workflow.Contested {
		return out
	}
	c, broken := in.DataAPI.Cluster, workflow.Hop{OK: true}
	for _, h := range slices.Concat(in.Enabled.Hops, in.Admitted.Hops) {
		if !h.OK && broken.OK && h.Hop != consumerHop {
			broken = h
		}
	}
	for _, account := range Admitted(in.DataAPI.Consumers) {
		one := ledger.Path{Client: ledger.End{Name: anyRole, Account: account, Network: account}, Database: ledger.End{Name: c.ID, Account: c.Account, Network: c.ARN}, Port: https, Answer: "yes"}
		if out.All++; broken.OK {
			out.Whole++
		} else {
			one.Answer, one.Hop, one.Owner, one.Detail = "no", broken.Hop, c.Account, broken.Detail
		}
		if len(out.Lines) < verdict.Shown {
			out.Lines = append(out.Lines, one)
		}
	}
	return out
}

// consumerHop is the hop that says of an account why it is not let in.
const consumerHop = "consumer"

// anyRole is who calls from an account: the cluster's role trusts the account, which says itself who of it may assume that.
const anyRole = "any role"

// https is the port at which the Data API answers.
const https = 443

// The items of a cluster. IAM's are filed under home, the hub's Region.
func endpointItem(c workflow.Cluster) ledger.Item {
	return ledger.Item{Account: c.Account, Region: c.Region, Resource: c.ARN, Kind: ledger.Setting, Key: httpEndpoint, Before: off, Left: on}
}

func roleItem(c workflow.Cluster, home string) ledger.Item {
	return ledger.Item{Account: c.Account, Region: home, Resource: RoleName(c.ID), Kind: ledger.Role, Key: purpose}
}

// trustItem and rightsItem are the documents of the role: whom it trusts, and what it may do. They go with it.
func trustItem(c workflow.Cluster, home string) ledger.Item {
	return ledger.Item{Account: c.Account, Region: home, Resource: RoleName(c.ID), Kind: ledger.Statement, Key: "trust"}
}

func rightsItem(c workflow.Cluster, home string) ledger.Item {
	return ledger.Item{Account: c.Account, Region: home, Resource: RoleName(c.ID), Kind: ledger.Document, Key: PolicyName}
}

func grantItem(api workflow.DataAPI) ledger.Item {
	return ledger.Item{Account: api.Cluster.Account, Region: api.Cluster.Region, Resource: api.Secret.Key, Kind: ledger.Grant, Key: grantKey(api)}
}

// Surplus returns those of a cluster's items that it does not need any more, in the order in which they are to be taken back: who may
// do something first, then what they did it with.
//
//	nobody is to query it any more           → all
//	the grant of another secret or key       → that one
//	a grant, and the key leaves it to IAM    → that one
func Surplus(api workflow.DataAPI, items []ledger.Item) []ledger.Item {
	var out []ledger.Item
	for _, kind := range []ledger.Kind{ledger.Role, ledger.Document, ledger.Statement, ledger.Grant, ledger.Setting} {
		for _, i := range items {
			needed := !api.Ends && (kind != ledger.Grant || api.Secret.Grant && i.Same(grantItem(api)))
			if i.Kind == kind && !needed {
				out = append(out, i)
			}
		}
	}
	return out
}

// document returns a policy document of ours alone.
func document(all ...policydocument.Statement) ([]byte, error) {
	return json.Marshal(struct {
		Version   string
		Statement []policydocument.Statement
	}{policydocument.Version, all})
}
