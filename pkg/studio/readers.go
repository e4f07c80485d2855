package studio

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/statement"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// RoleWriter is what [WriteRole] needs of IAM in the producer's account.
type RoleWriter interface {
	RoleReader
	CreateRole(context.Context, *iam.CreateRoleInput, ...func(*iam.Options)) (*iam.CreateRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)
	DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error)
}

// readersItems are the readers' role of a warehouse and its policy, as the ledger calls them. Of a role that was not made yet, the ARN says how it is
// intended; of one that was made, its unique id, which no other role of the same name has.
func readersItems(book Book, w workflow.Warehouse) (role, policy ledger.Item) {
	name := nameOf(w.Role)
	role, policy = book.role(w.Account, name, ledger.Role, readersKey), book.role(w.Account, name, ledger.Document, PolicyName)
	role.Left, policy.Left = w.Role, statement.Digest([]byte(Permissions(w)))
	return role, policy
}

// ours reports whether the ledger has a role: the one that was made, or is being made.
func (r role) ours(item *ledger.Item) bool {
	return item != nil && (item.Left == r.id || item.Left == r.arn)
}

// WriteRole makes the readers' role of a warehouse trust exactly these execution roles, at once: what follows may take its time. Without any, the
// role goes. It always carries the permissions boundary of the member stack, without which Drawbridge may create no role.
//
// A role of that name which the ledger does not have is a [fault.Conflict].
func WriteRole(ctx context.Context, api RoleWriter, book Book, in workflow.WriteStudioRoleInput) (workflow.HopsOutput, error) {
	w, name := in.Warehouse, nameOf(in.Warehouse.Role)
	failed := func(doing string, err error) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fmt.Errorf("%s the role %s in %s: %w", doing, name, w.Account, err)
	}
	var readers []string
	for _, r := range in.Roles {
		readers = append(readers, r.ARN)
	}
	have, err := readRole(ctx, api, name, w.Account)
	if err != nil {
		return workflow.HopsOutput{}, err
	}
	items, err := book.Of(ctx, w.Account, book.Home, name)
	if err != nil {
		return failed("asking the ledger about", err)
	}
	made, policy := readersItems(book, w)
	if item := find(items, made); have != nil && !have.ours(item) {
		if len(readers) > 0 {
			return workflow.HopsOutput{}, notOurs(name, w.Account)
		}
		// Somebody deleted Drawbridge's role, and made another one.
		if err := book.Cancel(ctx, w.ARN, of(items, w.ARN)); err != nil {
			return failed("forgetting", err)
		}
		return readersHop(name, "it is somebody else's, and stays")
	}
	if len(readers) == 0 {
		return unmake(ctx, api, book, w, have, items)
	}
	trust := Trust(readers)
	if _, err := book.Record(ctx, w.ARN, made, policy); err != nil {
		return failed("recording", err)
	}
	id := ""
	if have == nil {
		boundary := strings.Replace(strings.TrimSuffix(w.Role, name)+Boundary, ":role/", ":policy/", 1)
		got, err := api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, Path: aws.String(Path), AssumeRolePolicyDocument: &trust, PermissionsBoundary: &boundary,
			Description: aws.String("Drawbridge: who reads the Redshift cluster " + w.ID + " from SageMaker Studio of another account, each as a user of their own name."),
			Tags:        []iamtypes.Tag{{Key: aws.String(MarkTag), Value: aws.String(Mark)}}})
		switch {
		case fault.HasCode(err, "EntityAlreadyExists"):
			return failed("creating", &fault.Error{Kind: fault.NotYet, Message: "another execution just made it", Cause: err})
		case fault.HasCode(err, "MalformedPolicyDocument"):
			return failed("creating", &fault.Error{Kind: fault.Conflict, Message: err.Error(), Cause: err, Remedy: "see whether each execution role still exists; the next look leaves out those that do not"})
		case err != nil:
			return failed("creating", err)
		}
		if got.Role != nil {
			id = aws.ToString(got.Role.RoleId)
		}
	} else {
		id = have.id
		if !sameJSON(have.trust, trust) {
			if _, err := api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &trust}); err != nil {
				return failed("changing who may assume", err)
			}
		}
	}
	wanted := Permissions(w)
	now, err := rolePolicy(ctx, api, name, PolicyName)
	if err != nil {
		return failed("reading the policy of", err)
	}
	if !sameJSON(now, wanted) {
		if _, err = api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName), PolicyDocument: &wanted}); err != nil {
			return failed("writing the policy of", err)
		}
	}
	if made.Left = id; id == "" {
		made.Left = w.Role
	}
	if _, err := book.Confirm(ctx, made, policy); err != nil {
		return failed("recording", err)
	}
	return readersHop(name, fmt.Sprintf("trusts %d execution roles, for %s as the user of the source identity", len(readers), w.ID))
}

// unmake deletes the readers' role. Where somebody added something to it, IAM does not let it go: then nobody may assume it any more.
func unmake(ctx context.Context, api RoleWriter, book Book, w workflow.Warehouse, have *role, items []ledger.Item) (workflow.HopsOutput, error) {
	name := nameOf(w.Role)
	failed := func(doing string, err error) (workflow.HopsOutput, error) {
		return workflow.HopsOutput{}, fmt.Errorf("%s the role %s in %s: %w", doing, name, w.Account, err)
	}
	leaving, err := book.Release(ctx, w.ARN, of(items, w.ARN))
	if err != nil {
		return failed("releasing", err)
	}
	detail := "there is none"
	if have != nil {
		detail = "deleted"
		_, err := api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName)})
		if err != nil && !gone(ctx, api, name, w.Account, err) {
			return failed("emptying", err)
		}
		_, err = api.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
		if fault.HasCode(err, "DeleteConflict") {
			nobody := Trust(nil)
			if _, err := api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &nobody}); err != nil {
				return failed("closing", err)
			}
			out, _ := readersHop(name, "nobody may assume it any more, but somebody added policies to it, so it stays; take them off or delete the role")
			out.Hops[0].OK = false
			return out, nil
		}
		if err != nil && !gone(ctx, api, name, w.Account, err) {
			return failed("deleting", err)
		}
	}
	if err := book.Forget(ctx, w.ARN, leaving); err != nil {
		return failed("forgetting", err)
	}
	return readersHop(name, detail)
}

// readersHop is the hop of a readers' role.
func readersHop(name, detail string) (workflow.HopsOutput, error) {
	return workflow.HopsOutput{Hops: []workflow.Hop{{Hop: "readers' role " + name, OK: true, Detail: detail}}}, nil
}

// notOurs says of a role with the name of a readers' role that the ledger does not have it.
func notOurs(name, account string) error {
	return fault.NewConflict(fmt.Sprintf("the role %s in %s is not Drawbridge's: the ledger does not have it", name, account),
		"rename that role, then redrive the execution")
}

// gone reports whether a call failed because another execution deleted the role meanwhile: IAM says so, or denies the call,
// since a role that does not exist is asked for by its name without the path that Drawbridge's rights have.
func gone(ctx context.Context, api RoleReader, name, account string, err error) bool {
	if fault.HasCode(err, "NoSuchEntity") {
		return true
	}
	if fault.Of(err) != fault.Refused {
		return false
	}
	now, reading := readRole(ctx, api, name, account)
	return reading == nil && now == nil
}
