package dataapi

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// outlived reports whether the cluster's role lets in more than the cluster says now: an account that is not admitted any more, or people to
// another secret. What keeps the cluster from being served as it says must not keep them in: then the role goes. It is asked of a role that is
// Drawbridge's own and has its boundary: IAM lets Drawbridge write no other.
func outlived(f Facts) bool {
	ours := f.Role != nil && f.Item != nil && f.Role.Path == rolePath && f.Role.Boundary == Boundary(f.Cluster) && f.Item.NeededBy(f.Cluster.ARN) && ledger.Stands(*f.Item, f.Role.ID, true) == ledger.AsLeft
	return ours && (len(putOut(f)) > 0 || otherSecret(f))
}

// putOut are the accounts that the cluster's role trusts and that are not admitted any more, sorted.
func putOut(f Facts) []string {
	admitted := Admitted(f.Consumers)
	return slices.DeleteFunc(trusted(f.Role), func(account string) bool { return slices.Contains(admitted, account) })
}

// otherSecret reports whether what the role may do, as the ledger has it, is for another secret or key than the one that the cluster names.
func otherSecret(f Facts) bool {
	if f.Rights == nil || f.Rights.Left == "" {
		return false
	}
	rights, err := RolePolicy(workflow.DataAPI{Cluster: f.Cluster, Secret: workflow.Secret{ARN: f.Secret.ARN, Key: f.Secret.Key.ARN}})
	return err == nil && policydocument.Digest(rights) != f.Rights.Left
}

// withdraw is the answer to what keeps a cluster from being served while its role lets in more than it says.
func withdraw(f Facts, out workflow.InspectDataAPIOutput, why error) workflow.InspectDataAPIOutput {
	out.Result, out.Answer, out.DataAPI.Ends = workflow.RefusedByPolicy, workflow.AnswerRetract, true
	out.Decision, out.Reason = f.Consumers[0].Decision, strings.Replace(why.Error(), "then redrive the execution", "then set the tag "+tag.DataAPI+" of the cluster anew", 1)
	out.Decision.Allowed = false
	return out
}

// ownersDoing reports whether it is the cluster's owner who put somebody out, or names another secret, with one that is there.
func ownersDoing(f Facts) bool {
	for _, account := range putOut(f) {
		if slices.ContainsFunc(f.Consumers, func(c workflow.Consumer) bool { return c.Account == account }) {
			return false
		}
	}
	return len(putOut(f)) > 0 || f.Secret.ARN != "" && tag.Says(f.Tags, tag.Secret)
}

// trusts reports whether a role trusts an account now.
func trusts(role *Role, account string) bool { return slices.Contains(trusted(role), account) }

// trusted are the accounts that a role trusts now, sorted.
func trusted(role *Role) []string {
	var trust struct {
		Statement []struct {
			Effect    string
			Principal struct{ AWS any }
		}
	}
	if role == nil || json.Unmarshal([]byte(role.Trust), &trust) != nil {
		return nil
	}
	var all []string
	for _, s := range trust.Statement {
		if s.Effect != "Allow" {
			continue
		}
		for _, p := range texts(s.Principal.AWS) {
			if account := arn.AccountOf(p); account != "" {
				p = account
			}
			all = append(all, p)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
