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
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/statement"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Plan answers what a cluster needs:
//
//	no consumers named, or no cluster any more
//	  something of ours is there                     → retract, Retracted
//	  nothing is                                     → nothing
//	a role of that name that is not ours             → Conflict
//	consumers named, the policy admits none of them
//	  something of ours is there                     → retract, Refused
//	  nothing is                                     → conclude, Refused
//	not Aurora, or the endpoint cannot be turned on  → Conflict
//	no secret, or not under a customer-managed key   → Conflict, with the command that moves it
//	else                                             → expose, Exposed
//
// A consumer whom the policy does not admit does not keep the others from being admitted.
func Plan(f Facts) (workflow.InspectDataAPIOutput, error) {
	out := Nothing("")
	out.DataAPI.Cluster = f.Cluster
	if len(f.Consumers) > 0 {
		out.DataAPI.Consumers = f.Consumers
	}
	ours, err := owned(f)
	if err != nil {
		return out, err
	}
	if f.Role != nil {
		out.DataAPI.Secret = workflow.Secret{ARN: f.Role.Tags[TagSecret], Key: f.Role.Tags[TagKey]}
	}
	unclear := tag.Why(f.Tags, tag.DataAPI)
	if f.Cluster.Gone || len(f.Consumers) == 0 {
		out.Reason = fmt.Sprintf("the cluster %s names no account in its tag %s", f.Cluster.ID, tag.DataAPI) + unclear
		if f.Cluster.Gone {
			out.Reason = fmt.Sprintf("the cluster %s does not exist", f.Cluster.ID)
		}
		if ours {
			out.Result, out.Answer = workflow.Retracted, workflow.AnswerRetract
		}
		return out, nil
	}
	admitted := Admitted(f.Consumers)
	if len(admitted) == 0 {
		out.Result, out.Answer = workflow.RefusedByPolicy, workflow.AnswerConclude
		if ours {
			out.Answer = workflow.AnswerRetract
		}
		out.Decision = f.Consumers[0].Decision
		out.Reason = fmt.Sprintf("account %s: %s", f.Consumers[0].Account, out.Decision.Reason) + unclear
		return out, nil
	}
	if err := possible(f); err != nil {
		return out, err
	}
	out.Result, out.Answer = workflow.Exposed, workflow.AnswerExpose
	out.DataAPI.Secret = workflow.Secret{ARN: f.Secret.ARN, Key: f.Secret.Key}
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

// owned reports whether something of ours is there. What has our role's name and is not ours is a Conflict.
func owned(f Facts) (bool, error) {
	if f.Role != nil {
		name := RoleName(f.Cluster.ID)
		if of := f.Role.Tags[TagConnection]; of != f.Cluster.ARN || f.Role.Path != rolePath {
			what := "is not Drawbridge's"
			if of != "" {
				what = "is for " + of
			}
			return false, fault.NewConflict(fmt.Sprintf("the role %s in %s %s", name, f.Cluster.Account, what),
				"rename that role or the cluster (a role's name is one for all Regions), then redrive the execution")
		}
		if f.Role.Boundary != Boundary(f.Cluster) {
			return false, fault.NewConflict(fmt.Sprintf("the role %s in %s has lost its permissions boundary", name, f.Cluster.Account),
				"set the boundary "+Boundary(f.Cluster)+" again, or delete the role, then redrive the execution")
		}
	}
	return f.Role != nil || f.Cluster.EndpointOurs || f.Cluster.Tagged, nil
}

// possible says what keeps a cluster from being exposed.
func possible(f Facts) error {
	if !strings.HasPrefix(f.Engine, "aurora") {
		return fault.NewConflict(fmt.Sprintf("the cluster %s is %s, and only Aurora has the Data API", f.Cluster.ID, f.Engine),
			"remove its tag "+tag.DataAPI)
	}
	// EnableHttpEndpoint "applies only to Aurora Serverless v2 and provisioned DB clusters".
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_EnableHttpEndpoint.html
	if f.Mode == "serverless" && !f.Cluster.Endpoint {
		return fault.NewConflict(fmt.Sprintf("the cluster %s is Aurora Serverless v1, whose HTTP endpoint Drawbridge does not turn on", f.Cluster.ID),
			fmt.Sprintf("aws rds modify-db-cluster --db-cluster-identifier %s --enable-http-endpoint --region %s, then redrive the execution", f.Cluster.ID, f.Cluster.Region))
	}
	s := f.Secret
	switch {
	case s.Name == "":
		return fault.NewConflict(fmt.Sprintf("the cluster %s says by no tag which secret opens it%s", f.Cluster.ID, tag.Why(f.Tags, tag.Secret)),
			fmt.Sprintf("aws rds add-tags-to-resource --resource-name %s --tags Key=%s,Value=<secret name>", f.Cluster.ARN, TagSecret))
	case s.ARN == "" || s.Deleted:
		return fault.NewConflict(fmt.Sprintf("the secret %s of the cluster %s does not exist in %s, %s, or is being deleted", s.Name, f.Cluster.ID, f.Cluster.Account, f.Cluster.Region),
			"name another secret in the cluster's tag "+TagSecret)
	case s.Managed:
		// "You can't use the AWS managed key" for another account.
		// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
		return fault.NewConflict(fmt.Sprintf("the secret %s is encrypted with the key that AWS manages, which no other account's people can use", s.Name),
			fmt.Sprintf("aws secretsmanager update-secret --secret-id %s --kms-key-id <a customer-managed key> --region %s, then redrive the execution", s.Name, f.Cluster.Region))
	case arn.AccountOf(s.Key) != f.Cluster.Account:
		return fault.NewConflict(fmt.Sprintf("the secret %s is encrypted with %s, a key of another account", s.Name, s.Key),
			fmt.Sprintf("aws secretsmanager update-secret --secret-id %s --kms-key-id <a customer-managed key of %s> --region %s, then redrive the execution", s.Name, f.Cluster.Account, f.Cluster.Region))
	case len(s.ARN) > fit.TagRoom || len(s.Key) > fit.TagRoom:
		// The role says by its tags which secret and key it reads, so that it can be taken back.
		return fault.NewConflict(fmt.Sprintf("the ARN of the secret %s or of its key has more than the %d characters that a tag holds", s.Name, fit.TagRoom),
			"copy the secret to one with a shorter name and name that in the cluster's tag "+TagSecret)
	case !s.Enabled:
		return fault.NewConflict(fmt.Sprintf("the key %s of the secret %s is not enabled", s.Key, s.Name), "enable the key, then redrive the execution")
	}
	return nil
}

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
	return document(statement.Statement{
		Sid: "DrawbridgeConsumers", Effect: "Allow", Action: []string{"sts:AssumeRole"},
		Principal: map[string][]string{"AWS": roots},
		Condition: map[string]map[string][]string{"StringEquals": {"aws:PrincipalOrgID": {api.Cluster.Organization}}},
	})
}

// RolePolicy returns the role's own policy: this cluster, this secret, this key.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrdsdataapi.html
func RolePolicy(api workflow.DataAPI) ([]byte, error) {
	return document(
		statement.Statement{Sid: "DrawbridgeQuery", Effect: "Allow", Resource: []string{api.Cluster.ARN}, Action: []string{
			"rds-data:BatchExecuteStatement", "rds-data:BeginTransaction", "rds-data:CommitTransaction",
			"rds-data:ExecuteStatement", "rds-data:RollbackTransaction",
		}},
		statement.Statement{Sid: "DrawbridgeSecret", Effect: "Allow", Resource: []string{api.Secret.ARN},
			Action: []string{"secretsmanager:GetSecretValue"}},
		statement.Statement{Sid: "DrawbridgeDecrypt", Effect: "Allow", Resource: []string{api.Secret.Key},
			Action: []string{"kms:Decrypt"}, Condition: forSecret(api)},
		statement.Statement{Sid: "DrawbridgeDescribe", Effect: "Allow", Resource: []string{api.Secret.Key},
			Action: []string{"kms:DescribeKey"}},
	)
}

// forSecret lets the key decrypt this one secret only, for Secrets Manager.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func forSecret(api workflow.DataAPI) map[string]map[string][]string {
	return map[string]map[string][]string{"StringEquals": {
		"kms:ViaService":                  arn.ViaService("secretsmanager", api.Cluster.Region),
		"kms:EncryptionContext:SecretARN": {api.Secret.ARN},
	}}
}

// KeyStatements returns what the key's policy says to the role.
func KeyStatements(api workflow.DataAPI) []statement.Statement {
	role := map[string][]string{"AWS": {RoleARN(api.Cluster)}}
	return []statement.Statement{
		{Sid: sid(api.Cluster, "Decrypt"), Effect: "Allow", Principal: role, Action: []string{"kms:Decrypt"}, Resource: []string{"*"}, Condition: forSecret(api)},
		{Sid: sid(api.Cluster, "Describe"), Effect: "Allow", Principal: role, Action: []string{"kms:DescribeKey"}, Resource: []string{"*"}},
	}
}

// SecretStatements returns what the secret's policy says to the role.
func SecretStatements(api workflow.DataAPI) []statement.Statement {
	return []statement.Statement{{
		Sid: sid(api.Cluster, "Read"), Effect: "Allow", Principal: map[string][]string{"AWS": {RoleARN(api.Cluster)}},
		Action: []string{"secretsmanager:GetSecretValue"}, Resource: []string{"*"},
		Condition: map[string]map[string][]string{"ForAnyValue:StringEquals": {"secretsmanager:VersionStage": {"AWSCURRENT"}}},
	}}
}

// sid returns the Sid of a statement for a cluster. A Sid has letters and digits only, an identifier small letters, digits
// and single hyphens; so X stands for the hyphen and no two clusters share a Sid.
func sid(c workflow.Cluster, what string) string {
	return statement.Prefix + "DataApi" + what + "0" + strings.ReplaceAll(c.ID, "-", "X")
}

// sids returns the Sids of statements.
func sids(all []statement.Statement) []string {
	var names []string
	for _, s := range all {
		names = append(names, s.Sid)
	}
	return names
}

// document returns a policy document of ours alone.
func document(all ...statement.Statement) ([]byte, error) {
	return json.Marshal(struct {
		Version   string
		Statement []statement.Statement
	}{statement.Version, all})
}
