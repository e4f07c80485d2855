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
func WriteRole(ctx context.Context, api RoleWriter, book Book, in workflow.WriteStudioRoleInput) (workflow.HopsOutput, error) {
	r := readersRole{api: api, book: book, in: in, w: in.Warehouse, name: nameOf(in.Warehouse.Role)}
	r.made, r.policy = readersItems(book, r.w)
	var readers []string
	for _, one := range in.Roles {
		readers = append(readers, one.ARN)
	}
	var err error
	if r.have, err = readRole(ctx, api, r.name, r.w.Account); err != nil {
		return workflow.HopsOutput{}, err
	}
	if r.items, err = book.Of(ctx, r.w.Account, book.Home, r.name); err != nil {
		return r.failed("asking the ledger about", err)
	}
	known := find(r.items, r.made)
	switch {
	case r.have != nil && !r.have.ours(known) && !r.have.given(known, r.w):
		return r.somebodyElses(ctx, readers)
	case len(readers) == 0:
		return r.unmake(ctx)
	case r.have != nil && r.have.boundary != boundary(r.w):
		return workflow.HopsOutput{}, fault.NewConflict(fmt.Sprintf("the role %s in %s has lost its permissions boundary", r.name, r.w.Account),
			"set the boundary "+boundary(r.w)+" again, or delete the role, then redrive the execution")
	case r.have == nil:
		left, err := r.missing(ctx, known)
		if err != nil {
			return r.failed("recording", err)
		}
		if left != nil {
			return r.hop(false, fmt.Sprintf("it %s; %s", contest.How(*left), anew))
		}
	}
	r.trust = Trust(readers)
	if doing, err := r.make(ctx); err != nil {
		return r.failed(doing, err)
	}
	changed, err := r.documents(ctx)
	if err != nil {
		return r.failed("writing the documents of", err)
	}
	if len(changed) > 0 {
		last := changed[len(changed)-1]
		return r.hop(false, fmt.Sprintf("its %s %s %s; %s", last.Kind, last.Key, contest.How(last), anew))
	}
	return r.hop(true, fmt.Sprintf("trusts %d execution roles, for %s as the user of the source identity", len(readers), r.w.ID))
}

// readersRole is the readers' role of a warehouse while it is written.
type readersRole struct {
	api  RoleWriter
	book Book
	in   workflow.WriteStudioRoleInput
	w    workflow.Warehouse
	name string
	have *role // as it was read; nil if there is none
	// made and policy are the role and its policy, as the ledger calls them; items is what the ledger has of a role of that name.
	made, policy ledger.Item
	items        []ledger.Item
	trust        string // that it shall have
}

// failed says what was being done when err happened.
func (r *readersRole) failed(doing string, err error) (workflow.HopsOutput, error) {
	return workflow.HopsOutput{}, fmt.Errorf("%s the role %s in %s: %w", doing, r.name, r.w.Account, err)
}

// hop is the answer: what became of the role.
func (r *readersRole) hop(ok bool, detail string) (workflow.HopsOutput, error) {
	return workflow.HopsOutput{Hops: []workflow.Hop{{Hop: "readers' role " + r.name, OK: ok, Detail: detail}}}, nil
}

// somebodyElses ends the writing of a role that the ledger does not have: it is in the way of readers, and stays where there are none.
func (r *readersRole) somebodyElses(ctx context.Context, readers []string) (workflow.HopsOutput, error) {
	if len(readers) > 0 {
		return workflow.HopsOutput{}, fault.NewConflict(fmt.Sprintf("the role %s in %s is not Drawbridge's: the ledger does not have it", r.name, r.w.Account),
			"rename that role, then redrive the execution")
	}
	// Somebody deleted Drawbridge's role, and made another one.
	if err := r.book.Cancel(ctx, r.w.ARN, of(r.items, r.w.ARN)); err != nil {
		return r.failed("forgetting", err)
	}
	return r.hop(true, "it is somebody else's, and stays")
}

// missing says of a role that is not there, and that the ledger may know, whether it is left to who keeps deleting it: then it returns its item.
func (r *readersRole) missing(ctx context.Context, known *ledger.Item) (*ledger.Item, error) {
	if known != nil {
		_, left, err := r.book.contest().Missing(ctx, r.w.ARN, r.in.Execution, []ledger.Item{*known})
		if err != nil {
			return nil, err
		}
		if len(left) > 0 {
			return &left[0], nil
		}
	}
	// Its documents went with it: that is no other hand at them.
	_, err := r.book.MarkAll(ctx, []ledger.Item{r.policy, readersTrust(r.book, r.w)}, func(i *ledger.Item) {
		if i.State == ledger.Confirmed {
			i.State = ledger.Intended
		}
	})
	return nil, err
}

// make creates the role if it is not there: first the ledger, then the call, then the ledger again. Of an error it says what was being done.
func (r *readersRole) make(ctx context.Context) (doing string, err error) {
	if _, err := r.book.Record(ctx, r.w.ARN, r.made); err != nil {
		return "recording", err
	}
	id := ""
	if r.have != nil {
		id = r.have.id
	} else {
		got, err := r.api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &r.name, Path: aws.String(Path), AssumeRolePolicyDocument: &r.trust, PermissionsBoundary: aws.String(boundary(r.w)),
			Description: aws.String("Drawbridge: who reads the Redshift cluster " + r.w.ID + " from SageMaker Studio of another account, each as a user of their own name."),
			Tags:        []iamtypes.Tag{{Key: aws.String(MarkTag), Value: aws.String(Mark)}}})
		switch {
		case fault.HasCode(err, "EntityAlreadyExists"):
			return "creating", &fault.Error{Kind: fault.NotYet, Message: "another execution just made it", Cause: err}
		case fault.HasCode(err, "MalformedPolicyDocument"):
			return "creating", &fault.Error{Kind: fault.Conflict, Message: err.Error(), Cause: err, Remedy: "see whether each execution role still exists; the next look leaves out those that do not"}
		case err != nil:
			return "creating", err
		}
		if got.Role != nil {
			id = aws.ToString(got.Role.RoleId)
		}
	}
	if r.made.Left = id; id == "" {
		r.made.Left = r.w.Role
	}
	_, err = r.book.Confirm(ctx, r.made)
	return "recording", err
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

// documents brings the trust and the policy of the role in line, and returns those that are left to who keeps changing them.
func (r *readersRole) documents(ctx context.Context) ([]ledger.Item, error) {
	there := r.trust // it was made with it
	if r.have != nil {
		there = r.have.trust
	}
	write := func(ctx context.Context) error {
		_, err := r.api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &r.name, PolicyDocument: &r.trust})
		return err
	}
	item := readersTrust(r.book, r.w)
	item.Left = digest(r.trust)
	left, err := r.book.contest().Keep(ctx, r.w.ARN, r.in.Execution, contest.Document{Item: item, There: digest(there), Write: write})
	if err != nil {
		return nil, err
	}
	var changed []ledger.Item
	if left != nil {
		changed = append(changed, *left)
		leaves, err := leaves(ctx, r.book, r.w, r.in.Roles, there)
		if err == nil && leaves {
			err = write(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	wanted := Permissions(r.w)
	now, err := rolePolicy(ctx, r.api, r.name, PolicyName)
	if err != nil {
		return nil, err
	}
	left, err = r.book.contest().Keep(ctx, r.w.ARN, r.in.Execution, contest.Document{Item: r.policy, There: digest(now), Write: func(ctx context.Context) error {
		_, err := r.api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &r.name, PolicyName: aws.String(PolicyName), PolicyDocument: &wanted})
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

// unmake deletes the role. Where somebody added something to it, IAM does not let it go: then nobody may assume it any more.
func (r *readersRole) unmake(ctx context.Context) (workflow.HopsOutput, error) {
	leaving, err := r.book.Release(ctx, r.w.ARN, of(r.items, r.w.ARN))
	if err != nil {
		return r.failed("releasing", err)
	}
	detail := "there is none"
	if r.have != nil {
		detail = "deleted"
		_, err := r.api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &r.name, PolicyName: aws.String(PolicyName)})
		if err != nil && !gone(ctx, r.api, r.name, r.w.Account, err) {
			return r.failed("emptying", err)
		}
		_, err = r.api.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &r.name})
		if fault.HasCode(err, "DeleteConflict") {
			nobody := Trust(nil)
			if _, err := r.api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &r.name, PolicyDocument: &nobody}); err != nil {
				return r.failed("closing", err)
			}
			return r.hop(false, "nobody may assume it any more, but somebody added policies to it, so it stays; take them off or delete the role")
		}
		if err != nil && !gone(ctx, r.api, r.name, r.w.Account, err) {
			return r.failed("deleting", err)
		}
	}
	if err := r.book.Forget(ctx, r.w.ARN, leaving); err != nil {
		return r.failed("forgetting", err)
	}
	return r.hop(true, detail)
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
