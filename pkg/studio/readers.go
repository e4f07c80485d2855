package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
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
	role.Left, policy.Left = w.Role, policydocument.Digest([]byte(Permissions(w)))
	return role, policy
}

// ours reports whether the ledger has a role: the one that was made, or is being made.
func (r role) ours(item *ledger.Item) bool {
	return item != nil && (item.Left == r.id || item.Left == r.arn)
}

// given reports whether a role that the ledger does not have is the one that was let go of, and that the cluster's owner gives to Drawbridge again: under its
// path, with its mark and its boundary. Its name says the cluster and its Region.
func (r role) given(item *ledger.Item, w workflow.Warehouse) bool {
	return item == nil && w.Manage == tag.Take && r.arn == w.Role && r.tags[MarkTag] == Mark && r.boundary == boundary(w)
}

// WriteRole makes the readers' role of a warehouse trust exactly these execution roles, at once: what follows may take its time. Without any, the
// role goes. It always carries the permissions boundary of the member stack, without which Drawbridge may create no role.
//
// A role of that name which the ledger does not have is a [fault.Conflict], unless the cluster's owner gives it to Drawbridge, and so is one that has not the boundary any more: Drawbridge may set none.
// Long, because the order of IAM's calls is the point of it.
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
	if item := find(items, made); have != nil && !have.ours(item) && !have.given(item, w) {
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
	if have != nil && have.boundary != boundary(w) {
		return workflow.HopsOutput{}, fault.NewConflict(fmt.Sprintf("the role %s in %s has lost its permissions boundary", name, w.Account),
			"set the boundary "+boundary(w)+" again, or delete the role, then redrive the execution")
	}
	trust := Trust(readers)
	if have == nil {
		if item := find(items, made); item != nil {
			_, left, err := book.contest().Missing(ctx, w.ARN, in.Execution, []ledger.Item{*item})
			if err != nil {
				return failed("asking the ledger about", err)
			}
			if len(left) > 0 {
				out, err := readersHop(name, fmt.Sprintf("it %s; %s", contest.How(left[0]), anew))
				out.Hops[0].OK = false
				return out, err
			}
		}
		// Its documents went with it: that is no other hand at them.
		if _, err := book.MarkAll(ctx, []ledger.Item{policy, readersTrust(book, w)}, func(i *ledger.Item) {
			if i.State == ledger.Confirmed {
				i.State = ledger.Intended
			}
		}); err != nil {
			return failed("recording", err)
		}
	}
	if _, err := book.Record(ctx, w.ARN, made); err != nil {
		return failed("recording", err)
	}
	id := ""
	if have == nil {
		got, err := api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, Path: aws.String(Path), AssumeRolePolicyDocument: &trust, PermissionsBoundary: aws.String(boundary(w)),
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
	}
	if made.Left = id; id == "" {
		made.Left = w.Role
	}
	if _, err := book.Confirm(ctx, made); err != nil {
		return failed("recording", err)
	}
	changed, err := documents(ctx, api, book, in, have, policy, trust)
	if err != nil {
		return failed("writing the documents of", err)
	}
	out, err := readersHop(name, fmt.Sprintf("trusts %d execution roles, for %s as the user of the source identity", len(readers), w.ID))
	for _, i := range changed {
		out.Hops[0].OK = false
		out.Hops[0].Detail = fmt.Sprintf("its %s %s %s; %s", i.Kind, i.Key, contest.How(i), anew)
	}
	return out, err
}

// boundary returns the ARN of the permissions boundary that the member stack makes for readers' roles.
func boundary(w workflow.Warehouse) string {
	return strings.Replace(strings.TrimSuffix(w.Role, nameOf(w.Role))+Boundary, ":role/", ":policy/", 1)
}

// anew is how the owner of a cluster ends a quarrel.
const anew = "to have it again, set the tag " + tag.Studio + " of the cluster anew, with the value that it has"

// readersTrust is the item of whom the readers' role trusts.
func readersTrust(book Book, w workflow.Warehouse) ledger.Item {
	return book.role(w.Account, nameOf(w.Role), ledger.Statement, "trust")
}

// documents brings the trust and the policy of the readers' role in line, and returns those that are left to who keeps changing them. have is the role as it
// was read, nil if it was made with this trust.
// Many parameters, because they are the role's two documents, as they are and as they shall be.
func documents(ctx context.Context, api RoleWriter, book Book, in workflow.WriteStudioRoleInput, have *role, policy ledger.Item, trust string) ([]ledger.Item, error) {
	w, name := in.Warehouse, nameOf(in.Warehouse.Role)
	there := trust
	if have != nil {
		there = have.trust
	}
	write := func(ctx context.Context) error {
		_, err := api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &trust})
		return err
	}
	item := readersTrust(book, w)
	item.Left = digest(trust)
	left, err := book.contest().Keep(ctx, w.ARN, in.Execution, contest.Document{Item: item, There: digest(there), Write: write})
	if err != nil {
		return nil, err
	}
	var changed []ledger.Item
	if left != nil {
		changed = append(changed, *left)
		leaves, err := leaves(ctx, book, w, in.Roles, there)
		if err == nil && leaves {
			err = write(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	wanted := Permissions(w)
	now, err := rolePolicy(ctx, api, name, PolicyName)
	if err != nil {
		return nil, err
	}
	left, err = book.contest().Keep(ctx, w.ARN, in.Execution, contest.Document{Item: policy, There: digest(now), Write: func(ctx context.Context) error {
		_, err := api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(PolicyName), PolicyDocument: &wanted})
		return err
	}})
	if left != nil {
		changed = append(changed, *left)
	}
	return changed, err
}

// leaves reports whether a trust admits a role that Drawbridge had let in and that may not read any more: it is put out, whoever else writes the trust.
func leaves(ctx context.Context, book Book, w workflow.Warehouse, stay []workflow.ExecutionRole, trust string) (bool, error) {
	trusted, err := Readers(trust)
	if err != nil {
		return false, nil // it admits nobody who can be known
	}
	items, err := book.Items(ctx, w.ARN)
	return slices.ContainsFunc(trusted, func(one string) bool {
		stays := slices.ContainsFunc(stay, func(r workflow.ExecutionRole) bool { return r.ARN == one })
		return !stays && slices.ContainsFunc(items, func(i ledger.Item) bool {
			return i.Kind == ledger.Document && i.Account == arn.AccountOf(one) && i.Resource == nameOf(one)
		})
	}), err
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
