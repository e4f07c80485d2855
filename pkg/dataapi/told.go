package dataapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// PolicyReader is what [ReadMade] needs of IAM.
type PolicyReader interface {
	RoleReader
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
}

// ReadMade reads the role of a cluster's name, nil if there is none, and what its policy says, nil if it has none.
func ReadMade(ctx context.Context, api PolicyReader, c workflow.Cluster) (role *Role, rights []byte, err error) {
	if role, err = readRole(ctx, api, c); err != nil || role == nil || role.Path != rolePath {
		return role, nil, err
	}
	name := RoleName(c.ID)
	had, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName)})
	if fault.HasCode(err, "NoSuchEntity") {
		return role, nil, nil
	}
	if err != nil {
		return role, nil, fmt.Errorf("reading the policy of the role %s: %w", name, err)
	}
	return role, decoded(had.PolicyDocument), nil
}

// Told returns what a ledger that was lost had of a cluster with a status of Drawbridge's: the entry, and the item of its role. IAM's is filed
// under home.
//
//	a role of the cluster's name, under Drawbridge's path and boundary, whose policy lets it query exactly this cluster → the item
//	a role of that name that is not so                                                                                    → untold
//
// Whether the HTTP endpoint was on before cannot be told: it stays on. A grant is found again by its name when the cluster is looked at.
func Told(c workflow.Cluster, tags map[string]string, role *Role, rights []byte, home string) (entry ledger.Connection, items []ledger.Item, untold string) {
	entry = connection(c)
	entry.Status, entry.Reason = ledger.Status(tags[tag.Status]), tags[tag.Reason]
	entry.At, _ = time.Parse(time.RFC3339, tags[tag.Since]) // zero if it says none
	switch {
	case role == nil:
	case role.Path == rolePath && role.Boundary == Boundary(c) && queries(rights, c.ARN):
		i := roleItem(c, home)
		i.Left, i.Needed = role.ID, []string{c.ARN}
		items = append(items, i)
	default:
		untold = fmt.Sprintf("%s: it is not as Drawbridge makes a role for %s", role.ARN, c.ID)
	}
	return entry, items, untold
}

// given says what keeps a role that the ledger does not have, and that the cluster's owner gives to Drawbridge, from being the one that was let go of: it is,
// if its policy lets it query exactly this cluster. Clusters of one name in two Regions would share the role's name.
func (a Admitter) given(ctx context.Context, c workflow.Cluster) error {
	_, rights, err := ReadMade(ctx, a.Roles, c)
	if err != nil || queries(rights, c.ARN) {
		return err
	}
	return fault.NewConflict(fmt.Sprintf("the role %s in %s does not query %s alone", RoleName(c.ID), c.Account, c.ARN), "delete or rename that role, then redrive the execution")
}

// queries reports whether a policy is one that lets its role query exactly a cluster.
func queries(rights []byte, cluster string) bool {
	text, err := policydocument.Find(rights, "DrawbridgeQuery")
	if err != nil || text == nil {
		return false
	}
	var one struct{ Resource any }
	if json.Unmarshal(text, &one) != nil {
		return false
	}
	all, listed := one.Resource.([]any)
	return one.Resource == any(cluster) || listed && slices.Equal(all, []any{cluster})
}
