package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// undo takes back what a role got that cannot be served.
func (x executionRole) undo(ctx context.Context) ([]string, error) {
	items, err := x.book.Of(ctx, x.account, x.book.Home, x.name)
	if err != nil {
		return nil, err
	}
	x.items = items
	if x.have, err = readRole(ctx, x.api, x.name, x.account); err != nil {
		return nil, err
	}
	return x.release(ctx, of(items, x.id))
}

// Release takes back what an execution role got for a warehouse: its inline policy, and with the last warehouse the statement in its trust policy,
// which is then what it was before, and the mark. What its owner changed meanwhile is theirs, and stays. Where a domain still has the
// setting, the statement stays as long: without it, apps could not start.
//
// What cannot be taken back stays in the ledger, and the hop says what it is.
func Release(ctx context.Context, api ExecutionRoleWriter, book Book, in workflow.ReleaseRoleInput) (workflow.HopsOutput, error) {
	x := executionRole{api: api, book: book, account: in.Role.Account, name: nameOf(in.Role.ARN), id: in.Warehouse.ARN, execution: in.Execution}
	var hops []workflow.Hop
	say := func(ok bool, format string, args ...any) { hops = []workflow.Hop{x.hop(ok, format, args...)} }
	if in.Role.Outside {
		items, err := book.Of(ctx, x.account, book.Home, x.name)
		if err == nil {
			err = book.Cancel(ctx, x.id, of(items, x.id))
		}
		say(true, "its account left the organization: what was added to it is out of reach, and lets it assume nothing any more")
		return workflow.HopsOutput{Hops: hops}, err
	}
	needing := slices.ContainsFunc(in.Identified, func(d workflow.IdentifyUsersOutput) bool { return slices.Contains(d.Needing, in.Role.ARN) })
	err := x.on(ctx, func(x executionRole) error {
		mine := of(x.items, x.id)
		if x.have == nil {
			say(true, "it does not exist any more")
			return book.Cancel(ctx, x.id, mine)
		}
		if needing {
			mine = slices.DeleteFunc(mine, func(i ledger.Item) bool { return i.Kind == ledger.Statement })
		}
		said, err := x.release(ctx, mine)
		detail := "may no longer assume " + nameOf(in.Warehouse.Role)
		if needing {
			said = append(said, "its trust policy follows with the setting of its domain, which waits for apps")
		}
		detail = strings.Join(append([]string{detail}, said...), "; ")
		if err != nil && forAPerson(err) {
			say(false, "%s; %s", detail, err)
			return nil
		}
		say(true, "%s", detail)
		return err
	})
	if err != nil {
		return workflow.HopsOutput{}, fmt.Errorf("taking back what the execution role %s in %s got: %w", x.name, x.account, err)
	}
	return workflow.HopsOutput{Hops: hops}, nil
}

// release takes items back that the connection needs no more, and says of each that had to stay why. x.have is the role as it is now.
func (x executionRole) release(ctx context.Context, items []ledger.Item) (said []string, err error) {
	var contested, own []ledger.Item
	for _, i := range items {
		if i.State == ledger.Contested {
			contested = append(contested, i)
			said = append(said, called(i)+" is its owner's, and stays")
		} else {
			own = append(own, i)
		}
	}
	if err := x.book.Cancel(ctx, x.id, contested); err != nil {
		return said, err
	}
	leaving, err := x.book.Release(ctx, x.id, own)
	if err != nil {
		return said, err
	}
	// The policy before the trust policy: a document of kind document sorts first.
	for _, i := range leaving {
		text, err := x.takeBack(ctx, i)
		if err != nil {
			return said, err
		}
		if text != "" {
			said = append(said, text)
		}
		if err := x.book.Forget(ctx, x.id, []ledger.Item{i}); err != nil {
			return said, err
		}
	}
	left, err := x.book.Of(ctx, x.account, x.book.Home, x.name)
	if err != nil || len(left) > 0 || x.have.tags[MarkTag] != Mark {
		return said, err
	}
	// Last of all: the mark is what lets Drawbridge take the rest away, also when the owner's own tag is gone.
	if _, err := x.api.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &x.name, TagKeys: []string{MarkTag}}); err != nil {
		return said, stuck(err, "its tag "+MarkTag)
	}
	return said, nil
}

// called is what people call an item of an execution role.
func called(i ledger.Item) string {
	if i.Kind == ledger.Statement {
		return "the statement " + Sid + " of its trust policy"
	}
	return "its inline policy " + i.Key
}

// stuck says of what could not be taken back what to do.
func stuck(err error, what string) error {
	if fault.Of(err) == fault.Refused {
		return &fault.Error{Kind: fault.Refused, Cause: err, Message: "taking back " + what + ": " + err.Error(),
			Remedy: "delete it by hand, or tag the role " + MarkTag + "=" + Mark + " again; the next look goes on"}
	}
	return fmt.Errorf("taking back %s: %w", what, err)
}

// takeBack takes one item back, if it is as it was left.
func (x executionRole) takeBack(ctx context.Context, i ledger.Item) (text string, err error) {
	there := ""
	switch i.Kind {
	case ledger.Document:
		text, err := rolePolicy(ctx, x.api, x.name, i.Key)
		if err != nil {
			return "", fmt.Errorf("reading its policy %s: %w", i.Key, err)
		}
		there = digest(text)
	default:
		own, err := policydocument.Find([]byte(x.have.trust), Sid)
		if err != nil {
			return "", fmt.Errorf("reading its trust policy: %w", err)
		}
		there = digest(string(own))
	}
	switch ledger.Stands(i, there, there != "") {
	case ledger.Gone:
		return "", nil
	case ledger.Others:
		return "somebody changed " + called(i) + ": it is the owner's, and stays", nil
	}
	if i.Kind == ledger.Document {
		_, err = x.api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &x.name, PolicyName: &i.Key})
		if fault.HasCode(err, "NoSuchEntity") {
			err = nil
		}
	} else {
		_, err = policydocument.Change(ctx, trustPolicy{x}, func(document []byte) ([]byte, error) {
			own, err := policydocument.Find(document, Sid)
			if err != nil || own == nil {
				return document, err
			}
			out, err := Restored(string(document), i.Before)
			return []byte(out), err
		})
	}
	if err != nil {
		return "", stuck(err, called(i))
	}
	return "", nil
}
