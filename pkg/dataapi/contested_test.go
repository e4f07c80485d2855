package dataapi

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// board is where a conclusion leaves its result.
type board struct {
	status string
	asked  int
}

// AddTagsToResource takes no status that does not say since when it is so.
func (b *board) AddTagsToResource(_ context.Context, in *rds.AddTagsToResourceInput, _ ...func(*rds.Options)) (*rds.AddTagsToResourceOutput, error) {
	since := in.Tags[len(in.Tags)-1]
	if at, err := time.Parse(time.RFC3339, *since.Value); *since.Key != tag.Since || err != nil || at.IsZero() {
		return nil, fmt.Errorf("the status is since %s=%s", *since.Key, *since.Value)
	}
	b.status = *in.Tags[0].Value
	return &rds.AddTagsToResourceOutput{}, nil
}

func (b *board) RemoveTagsFromResource(context.Context, *rds.RemoveTagsFromResourceInput, ...func(*rds.Options)) (*rds.RemoveTagsFromResourceOutput, error) {
	b.status = ""
	return &rds.RemoveTagsFromResourceOutput{}, nil
}

func (b *board) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		if strings.Contains(*e.DetailType, "Contest") {
			b.asked++
		}
	}
	return &eventbridge.PutEventsOutput{Entries: nil}, nil
}

// A hand at each kind of thing, ten times: it is put back once, or not at all where the policy says so, and then the end is Contested until
// the owner asks anew.
func TestEachKindOfThingIsPutBackOnce(t *testing.T) {
	const name = "drawbridge-data-api-sales"
	ci := ledger.Hand{Who: "arn:aws:sts::222222222222:assumed-role/ci/run"}
	for what, c := range map[string]struct {
		act      func(*estate)
		call     string // that puts it back
		resource string
		region   string
	}{
		"the HTTP endpoint is disabled": {func(e *estate) { e.Endpoint = false }, "EnableHttpEndpoint", sales().ARN, sales().Region},
		"the role's policy is deleted":  {func(e *estate) { delete(e.Policies, name) }, "PutRolePolicy", name, "eu-west-1"},
		"the trust is changed": {func(e *estate) {
			e.Roles[name].AssumeRolePolicyDocument = aws.String(`{"Version":"2012-10-17","Statement":[]}`)
		}, "UpdateAssumeRolePolicy", name, "eu-west-1"},
		"the role is deleted": {func(e *estate) { delete(e.Roles, name); delete(e.Policies, name) }, "CreateRole", name, "eu-west-1"},
		"the grant is revoked": {func(e *estate) {
			for id := range e.Grants {
				if id != "theirs" {
					delete(e.Grants, id)
				}
			}
		}, "CreateGrant", keyARN, sales().Region},
	} {
		for _, leave := range []bool{false, true} {
			e, b := newEstate(), &board{}
			book, _ := ledgertest.New()
			now := book.Now()
			book.Now = func() time.Time { return now }
			hands := contest.Contest{Ledger: book}
			api := exposure()
			api.Leave = leave
			look := func() workflow.Result {
				t.Helper()
				hops, err := play(t, e, book, api)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				out, err := Concluder{b, notice.Bus{API: b}, book}.Conclude(t.Context(), workflow.ConcludeDataAPIInput{Execution: "x", Result: workflow.Exposed, DataAPI: api, Admitted: workflow.HopsOutput{Hops: hops}})
				if err != nil || b.status != string(out.Result) {
					t.Fatalf("%s: %v, the status is %s", what, err, b.status)
				}
				return out.Result
			}
			if got := look(); got != workflow.Exposed {
				t.Fatalf("%s: %s", what, got)
			}
			e.calls = nil
			var ends []workflow.Result
			for range 10 {
				now = now.Add(time.Minute)
				c.act(e)
				if _, err := hands.Note(t.Context(), sales().Account, c.region, c.resource, nil, contest.Sight{By: ci, At: now}); err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Minute)
				ends = append(ends, look())
			}
			times, first := 1, workflow.Exposed
			if leave {
				times, first = 0, workflow.Contested
			}
			calls := func() (n int) {
				for _, call := range e.calls {
					if call == c.call {
						n++
					}
				}
				return n
			}
			if got := calls(); got != times || ends[0] != first || slices.ContainsFunc(ends[1:], func(r workflow.Result) bool { return r != workflow.Contested }) {
				t.Errorf("%s, leave %v: put back %d times, want %d; it ends %v", what, leave, got, times, ends)
			}
			if _, err := hands.Settle(t.Context(), sales().Account, []string{sales().ARN}); err != nil {
				t.Fatal(err)
			}
			if got := look(); got != workflow.Exposed || calls() != times+1 {
				t.Errorf("%s: asked for anew, it ends %s", what, got)
			}
			if _, err := play(t, e, book, ended()); err != nil || len(e.Roles) > 0 || len(e.Grants) != 1 || e.Endpoint {
				t.Errorf("%s: in the end there is %s, %v", what, e.shows(t), err)
			}
		}
	}
}

// Whom the policy refuses is put out of the trust, also while somebody keeps writing it.
func TestTheRefusedGoFromAContestedTrust(t *testing.T) {
	const name = "drawbridge-data-api-sales"
	e := newEstate()
	book, _ := ledgertest.New()
	now := book.Now()
	book.Now = func() time.Time { return now }
	two := exposure()
	two.Consumers = append(two.Consumers, consumer("333333333333", true))
	if _, err := play(t, e, book, two); err != nil {
		t.Fatal(err)
	}
	both := *e.Roles[name].AssumeRolePolicyDocument
	theirs := strings.Replace(both, `"Action"`, `"Sid2":"x","Action"`, 1)
	if theirs == both {
		t.Fatal("nothing to change in " + both)
	}
	for range 2 {
		now = now.Add(time.Minute)
		e.Roles[name].AssumeRolePolicyDocument = &theirs
		if _, err := (contest.Contest{Ledger: book}).Note(t.Context(), sales().Account, "eu-west-1", name, nil, contest.Sight{By: ledger.Hand{Who: "ci"}, At: now}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
		if _, err := play(t, e, book, two); err != nil {
			t.Fatal(err)
		}
	}
	if got := *e.Roles[name].AssumeRolePolicyDocument; got != theirs {
		t.Fatalf("it is not left: %s", got)
	}
	two.Consumers[1] = consumer("333333333333", false)
	if _, err := play(t, e, book, two); err != nil || strings.Contains(*e.Roles[name].AssumeRolePolicyDocument, "333333333333") {
		t.Errorf("%v, the role trusts %s", err, *e.Roles[name].AssumeRolePolicyDocument)
	}
}
