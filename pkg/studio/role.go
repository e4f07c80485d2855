package studio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// RoleReader reads roles.
type RoleReader interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
}

// ExecutionRoleWriter is what [Admit] and [Release] need of IAM in the consumer's account.
type ExecutionRoleWriter interface {
	RoleReader
	TagRole(context.Context, *iam.TagRoleInput, ...func(*iam.Options)) (*iam.TagRoleOutput, error)
	UntagRole(context.Context, *iam.UntagRoleInput, ...func(*iam.Options)) (*iam.UntagRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *iam.UpdateAssumeRolePolicyInput, ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error)
	PutRolePolicy(context.Context, *iam.PutRolePolicyInput, ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error)
	DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error)
}

// executionRole is an execution role that is being changed for a warehouse.
type executionRole struct {
	api           ExecutionRoleWriter
	book          Book
	account, name string
	id            string // of the connection
	execution     string
	have          *role
	items         []ledger.Item
}

// hop is the hop of an execution role.
func (x executionRole) hop(ok bool, format string, args ...any) workflow.Hop {
	return workflow.Hop{Hop: fmt.Sprintf("execution role %s in %s", x.name, x.account), OK: ok, Detail: fmt.Sprintf(format, args...)}
}

// on reads a role and what the ledger has of it, under its lease, and does f.
func (x executionRole) on(ctx context.Context, f func(executionRole) error) error {
	return x.book.While(ctx, "role "+x.account+"/"+x.name, x.execution, func() error {
		var err error
		if x.have, err = readRole(ctx, x.api, x.name, x.account); err != nil {
			return err
		}
		if x.items, err = x.book.Of(ctx, x.account, x.book.Home, x.name); err != nil {
			return err
		}
		return f(x)
	})
}

// forAPerson reports whether an error is one of a member that no retry mends: then the hop says it, and whoever else can be served is. What the hub
// itself lacks fails the state: there the remedy is to mend it, and to redrive.
func forAPerson(err error) bool {
	var hub ownError
	if errors.As(err, &hub) {
		return false
	}
	kind := fault.Of(err)
	return kind == fault.Refused || kind == fault.Conflict
}

// Admit lets an execution role assume a readers' role: one inline policy of ours for this warehouse, and one statement of ours for all of them
// in its trust policy, with which SageMaker sets the source identity. What its owner has already is used as it is. IAM lets Drawbridge
// do this only while the role has its owner's tag.
//
// A role that cannot be served gets nothing, and the hop says why. Only what a retry may mend is an error.
func Admit(ctx context.Context, api ExecutionRoleWriter, book Book, in workflow.AdmitRoleInput) (workflow.AdmitRoleOutput, error) {
	w := in.Warehouse
	x := executionRole{api: api, book: book, account: in.Role.Account, name: nameOf(in.Role.ARN), id: w.ARN, execution: in.Execution}
	out := workflow.AdmitRoleOutput{Role: in.Role.ARN}
	say := func(ok bool, format string, args ...any) { out.Hops = []workflow.Hop{x.hop(ok, format, args...)} }
	if in.Role.Kept != "" {
		out.Ready = true // as far as is known: nothing of its account is changed
		say(false, "stays as it is: %s", in.Role.Kept)
		return out, nil
	}
	err := x.on(ctx, func(x executionRole) error {
		if x.have == nil {
			say(true, "it does not exist any more")
			return book.Cancel(ctx, x.id, of(x.items, x.id))
		}
		said, err := x.admit(ctx, PolicyOf(w), Assume(w.Role))
		if err != nil && forAPerson(err) {
			undone, undoing := x.undo(ctx)
			if undoing != nil && !forAPerson(undoing) {
				return undoing
			}
			if undoing != nil {
				undone = append(undone, undoing.Error())
			}
			say(false, "%s", strings.Join(append([]string{err.Error()}, undone...), "; "))
			return nil
		}
		if err != nil {
			return err
		}
		ok := !slices.ContainsFunc(said, func(s note) bool { return !s.ok })
		detail := "may assume " + nameOf(w.Role) + " and pass the source identity on"
		if !ok {
			detail = "is not served"
		}
		for _, s := range said {
			detail += "; " + s.text
		}
		say(ok, "%s", detail)
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("admitting the execution role %s in %s: %w", x.name, x.account, err)
	}
	now, err := readRole(ctx, api, x.name, x.account)
	if err != nil {
		return out, err
	}
	out.Ready = now == nil || Ready(now.trust)
	return out, nil
}

// note is something that the hop of a role says beside whether it is served.
type note struct {
	ok   bool
	text string
}

// thing is one of the two things that a reader needs on an execution role.
type thing struct {
	item   ledger.Item
	called string
	there  string // digest of what stands in its place
	serves bool
	write  func(context.Context) error
	remedy string
}

func (x executionRole) admit(ctx context.Context, policy, wanted string) ([]note, error) {
	text, err := rolePolicy(ctx, x.api, x.name, policy)
	if err != nil {
		return nil, fmt.Errorf("reading its policy %s: %w", policy, err)
	}
	own, err := policydocument.Find([]byte(x.have.trust), Sid)
	if err != nil {
		return nil, fmt.Errorf("reading its trust policy: %w", err)
	}
	trust := thing{item: x.book.role(x.account, x.name, ledger.Statement, trustKey), called: "the statement " + Sid + " of its trust policy",
		there: digest(string(own)), serves: always(x.have.trust), write: x.addStatement,
		remedy: "let " + service + " call sts:SetSourceIdentity in a statement of your own, or delete that one"}
	trust.item.Before, trust.item.Left = x.have.trust, statementDigest
	document := thing{item: x.book.role(x.account, x.name, ledger.Document, policy), called: "its inline policy " + policy,
		there: digest(text), serves: sameJSON(text, wanted), remedy: "delete that policy",
		write: func(ctx context.Context) error {
			_, err := x.api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &x.name, PolicyName: &policy, PolicyDocument: &wanted})
			return err
		}}
	document.item.Left = digest(wanted)
	var said []note
	// The trust policy first: a role that has the policy without it could assume the readers' role as nobody, and would be denied.
	for _, t := range []thing{trust, document} {
		one, err := x.give(ctx, t)
		if err != nil {
			return nil, err
		}
		if one.text != "" {
			said = append(said, one)
		}
	}
	return said, nil
}

// give sees to it that an execution role has a thing.
func (x executionRole) give(ctx context.Context, t thing) (note, error) {
	item := find(x.items, t.item)
	switch Needed(item, t.there, t.serves) {
	case Theirs:
		if item != nil { // contested, and its owner put there what serves
			return note{true, t.called + " is its owner's"}, x.book.Cancel(ctx, x.id, []ledger.Item{*item})
		}
		return note{true, t.called + " was there already"}, nil
	case InWay:
		return note{false, fmt.Sprintf("%s is its owner's, and not what is needed; %s", t.called, t.remedy)}, nil
	case Contest:
		if t.serves {
			return note{true, "somebody wrote " + t.called + " otherwise: it is the owner's from now on"}, x.book.Cancel(ctx, x.id, []ledger.Item{*item})
		}
		if _, err := x.book.Mark(ctx, *item, func(i *ledger.Item) { i.State, i.TakenBy = ledger.Contested, contest.Taker(*i) }); err != nil {
			return note{}, err
		}
		verb := "changed"
		if t.there == "" {
			verb = "took away"
		}
		return note{t.serves, fmt.Sprintf("somebody %s %s: it is the owner's from now on; %s", verb, t.called, t.remedy)}, nil
	case Keep:
		if _, err := x.book.Record(ctx, x.id, t.item); err != nil {
			return note{}, err
		}
		if _, err := x.book.Confirm(ctx, t.item); err != nil {
			return note{}, err
		}
		return note{}, x.mark(ctx)
	case Again:
		_, left, err := x.book.contest().Missing(ctx, x.id, x.execution, []ledger.Item{*item})
		if err != nil {
			return note{}, err
		}
		if len(left) > 0 {
			return note{false, fmt.Sprintf("%s %s; to have it again, tag the role %s=true anew", t.called, contest.How(left[0]), tag.Studio)}, nil
		}
	}
	if _, err := x.book.Record(ctx, x.id, t.item); err != nil {
		return note{}, err
	}
	// The mark comes before what it lets Drawbridge take back.
	if err := x.mark(ctx); err != nil {
		return note{}, err
	}
	if err := t.write(ctx); err != nil {
		return note{}, opened(err, "writing "+t.called)
	}
	_, err := x.book.Confirm(ctx, t.item)
	return note{}, err
}

// mark puts the mark on a role that lacks it.
func (x executionRole) mark(ctx context.Context) error {
	if x.have.tags[MarkTag] == Mark {
		return nil
	}
	if _, err := x.api.TagRole(ctx, &iam.TagRoleInput{RoleName: &x.name, Tags: []iamtypes.Tag{{Key: aws.String(MarkTag), Value: aws.String(Mark)}}}); err != nil {
		return opened(err, "marking it")
	}
	x.have.tags[MarkTag] = Mark
	return nil
}

// opened says of a denied write what allows it.
func opened(err error, doing string) error {
	switch {
	case fault.Of(err) == fault.Refused:
		return &fault.Error{Kind: fault.Refused, Cause: err, Message: doing + ": " + err.Error(), Remedy: "tag the role " + tag.Studio + "=true; Drawbridge goes on by itself"}
	case fault.HasCode(err, "LimitExceeded"):
		return &fault.Error{Kind: fault.Conflict, Cause: err, Message: doing + ": there is no room: " + err.Error(),
			Remedy: "make room in the policies of the role, or ask AWS for a higher quota; the next look goes on"}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// statementDigest is the digest of our statement.
var statementDigest = func() string {
	text, err := json.Marshal(setSourceIdentity)
	if err != nil {
		panic(err) // strings and lists always encode
	}
	return digest(string(text))
}()

// digest stands for what a document or a statement says, "" for none.
func digest(text string) string {
	if text == "" {
		return ""
	}
	return policydocument.Digest([]byte(text))
}

// trustPolicy is the trust policy of a role, as package policydocument changes documents.
type trustPolicy struct{ x executionRole }

// Read implements [policydocument.Store].
func (t trustPolicy) Read(ctx context.Context) ([]byte, error) {
	now, err := readRole(ctx, t.x.api, t.x.name, t.x.account)
	if err != nil || now == nil {
		return nil, err
	}
	return []byte(now.trust), nil
}

// Write implements [policydocument.Store].
func (t trustPolicy) Write(ctx context.Context, document []byte) error {
	_, err := t.x.api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &t.x.name, PolicyDocument: aws.String(string(document))})
	return err
}

// Limit implements [policydocument.Store]. IAM counts no white space, and knows the account's own quota: it says itself what is too much.
func (trustPolicy) Limit() int { return 1 << 20 }

func (x executionRole) addStatement(ctx context.Context) error {
	_, err := policydocument.Change(ctx, trustPolicy{x}, func(document []byte) ([]byte, error) {
		out, err := Added(string(document))
		return []byte(out), err
	})
	return err
}

// role is what IAM says about a role.
type role struct {
	arn, id, trust string
	boundary       string // the ARN of its permissions boundary
	tags           map[string]string
}

// readRole returns a role, or nil if there is none of that name.
func readRole(ctx context.Context, api interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
}, name, account string) (*role, error) {
	got, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	var none *iamtypes.NoSuchEntityException
	if errors.As(err, &none) || fault.HasCode(err, "NoSuchEntity") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the role %s in %s: %w", name, account, err)
	}
	r := &role{arn: aws.ToString(got.Role.Arn), id: aws.ToString(got.Role.RoleId)}
	if b := got.Role.PermissionsBoundary; b != nil {
		r.boundary = aws.ToString(b.PermissionsBoundaryArn)
	}
	// IAM hands documents over URL-encoded.
	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
	if r.trust, err = url.PathUnescape(aws.ToString(got.Role.AssumeRolePolicyDocument)); err != nil {
		return nil, fmt.Errorf("reading the trust policy of %s in %s: %w", name, account, err)
	}
	tags := map[string]string{}
	for _, t := range got.Role.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	r.tags = tag.Clean(tag.Role, tags)
	return r, nil
}

// rolePolicy returns an inline policy of a role, "" if there is none.
func rolePolicy(ctx context.Context, api RoleReader, name, policy string) (string, error) {
	got, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &policy})
	if fault.HasCode(err, "NoSuchEntity") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return url.PathUnescape(aws.ToString(got.PolicyDocument))
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
