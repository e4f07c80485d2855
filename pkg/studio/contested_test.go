package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// A hand at each kind of thing, ten times: it is put back once, or not at all where the policy says so, and then the end is Contested until its owner
// asks anew.
func TestEachKindOfThingIsPutBackOnce(t *testing.T) {
	const there = "222222222222"
	ci := contest.Sight{By: ledger.Hand{Who: "arn:aws:sts::111111111111:assumed-role/ci/run"}}
	readersRole := nameOf(clusterOf(0).Role)
	for what, c := range map[string]struct {
		act                       func(*world, *producer)
		whole                     func(*world, *producer) bool
		account, region, resource string
	}{
		"the role's policy is deleted": {func(w *world, _ *producer) { delete(w.policies, PolicyOf(clusterOf(0))) },
			func(w *world, _ *producer) bool { return w.policies[PolicyOf(clusterOf(0))] != "" }, account, home, "studio"},
		"the statement is taken out of its trust policy": {func(w *world, _ *producer) {
			out, err := policydocument.Remove([]byte(w.trust), Sid)
			if err != nil {
				t.Fatal(err)
			}
			w.trust = string(out)
		}, func(w *world, _ *producer) bool { return Ready(w.trust) }, account, home, "studio"},
		"the domain's setting is turned off": {func(w *world, _ *producer) { w.setting = Disabled },
			func(w *world, _ *producer) bool { return w.setting == ByProfile }, account, region, "d-1"},
		"the readers' role is deleted": {func(_ *world, h *producer) { h.trust, h.policy = "", "" },
			func(_ *world, h *producer) bool { return h.trust != "" && h.policy != "" }, there, home, readersRole},
		"its policy is deleted": {func(_ *world, h *producer) { h.policy = "" },
			func(_ *world, h *producer) bool { return h.policy != "" }, there, home, readersRole},
		"whom it trusts is changed": {func(_ *world, h *producer) { h.trust = Trust([]string{"arn:aws:iam::111111111111:role/other"}) },
			func(_ *world, h *producer) bool { return strings.Contains(h.trust, executionARN) }, there, home, readersRole},
	} {
		for _, leave := range []bool{false, true} {
			ledgers, _ := ledgertest.New()
			now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			ledgers.Now = func() time.Time { return now }
			book := Book{ledgers, home}
			w, h := newWorld(plain), cluster0(account)
			look := func() workflow.Result {
				t.Helper()
				in := workflow.ConcludeStudioInput{Warehouse: clusterOf(0), Roles: []workflow.ExecutionRole{{Account: account, ARN: executionARN}}}
				in.Warehouse.Named = true
				if _, err := book.Begin(t.Context(), ledger.Connection{ID: clusterOf(0).ARN, Kind: road.Studio}); err != nil {
					t.Fatal(err)
				}
				written, err := WriteRole(t.Context(), h, book, workflow.WriteStudioRoleInput{Execution: "x", Warehouse: clusterOf(0), Roles: in.Roles})
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				hops, _, err := w.look(t.Context(), book, 0, true)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				in.Written, in.Admitted = written, []workflow.AdmitRoleOutput{{Hops: hops}}
				out, err := Conclude(t.Context(), tagger{h}, notice.Bus{API: &taken{}}, book, in)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				return out.Result
			}
			if got := look(); got != workflow.Identified {
				t.Fatalf("%s: %s", what, got)
			}
			if leave {
				if _, err := book.Change(t.Context(), clusterOf(0).ARN, func(c *ledger.Connection) { c.Leave = []string{account, there} }); err != nil {
					t.Fatal(err)
				}
			}
			var ends []workflow.Result
			var whole []bool
			for range 10 {
				now = now.Add(time.Minute)
				c.act(w, h)
				ci.At = now
				if _, err := book.contest().Note(t.Context(), c.account, c.region, c.resource, nil, ci); err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Hour)
				ends, whole = append(ends, look()), append(whole, c.whole(w, h))
			}
			wantEnds, wantWhole := slices.Repeat([]workflow.Result{workflow.Contested}, 10), make([]bool, 10)
			if !leave {
				wantEnds[0], wantWhole[0] = workflow.Identified, true
			}
			if !slices.Equal(ends, wantEnds) || !slices.Equal(whole, wantWhole) {
				t.Errorf("%s, leave %v: it ends %v, whole %v", what, leave, ends, whole)
			}
			if _, err := book.contest().Settle(t.Context(), c.account, []string{clusterOf(0).ARN}); err != nil {
				t.Fatal(err)
			}
			if got := look(); got != workflow.Identified || !c.whole(w, h) {
				t.Errorf("%s, leave %v: asked for anew, it ends %s", what, leave, got)
			}
		}
	}
}

// A role that may not read any more is put out of the trust, also while somebody keeps writing it.
func TestWhoLeavesGoesFromAContestedTrust(t *testing.T) {
	ledgers, _ := ledgertest.New()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ledgers.Now = func() time.Time { return now }
	book, w, h := Book{ledgers, home}, newWorld(plain), cluster0(account)
	const other = "arn:aws:iam::111111111111:role/other"
	write := func(roles ...string) {
		t.Helper()
		in := workflow.WriteStudioRoleInput{Execution: "x", Warehouse: clusterOf(0)}
		for _, r := range roles {
			in.Roles = append(in.Roles, workflow.ExecutionRole{ARN: r})
		}
		now = now.Add(time.Minute)
		if _, err := WriteRole(t.Context(), h, book, in); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.look(t.Context(), book, 0, true); err != nil { // the ledger has something on the role
		t.Fatal(err)
	}
	write(executionARN, other)
	theirs := Trust([]string{executionARN, "arn:aws:iam::111111111111:role/theirs"})
	for range 2 {
		now = now.Add(time.Minute)
		h.trust = theirs
		if _, err := book.contest().Note(t.Context(), "222222222222", home, nameOf(clusterOf(0).Role), nil, contest.Sight{By: ledger.Hand{Who: "ci"}, At: now}); err != nil {
			t.Fatal(err)
		}
		write(executionARN, other)
	}
	if h.trust != theirs {
		t.Fatalf("it is not left: %s", h.trust)
	}
	if write(other); strings.Contains(h.trust, executionARN) {
		t.Errorf("it trusts %s", h.trust)
	}
}

// A readers' role whose boundary somebody took off, or changed, is a conflict that names it: nothing more is written on it, but it still goes.
func TestARoleWithoutItsBoundaryIsSaid(t *testing.T) {
	for _, boundary := range []string{"", "arn:aws:iam::222222222222:policy/theirs"} {
		book, _ := shelf(t)
		h := cluster0(account)
		in := workflow.WriteStudioRoleInput{Execution: "x", Warehouse: clusterOf(0), Roles: []workflow.ExecutionRole{{Account: account, ARN: executionARN}}}
		if _, err := WriteRole(t.Context(), h, book, in); err != nil {
			t.Fatal(err)
		}
		made := h.boundary
		h.boundary = boundary
		in.Roles = append(in.Roles, workflow.ExecutionRole{Account: account, ARN: executionARN + "-2"})
		if _, err := WriteRole(t.Context(), h, book, in); fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "has lost its permissions boundary") || strings.Contains(h.trust, executionARN+"-2") {
			t.Errorf("%q: %v, trusts %s", boundary, err, h.trust)
		}
		in.Roles = nil
		if _, err := WriteRole(t.Context(), h, book, in); err != nil || h.trust != "" {
			t.Errorf("%q: taking it away: %v, trusts %s", boundary, err, h.trust)
		}
		if !strings.HasSuffix(made, ":policy/drawbridge/drawbridge-studio-boundary") {
			t.Errorf("made with %q", made)
		}
	}
}

// A domain that lost its tag counts, one whose owner says false does not. What the brake holds back stays as it is.
func TestADomainThatLostItsTagIsBraked(t *testing.T) {
	for value, why := range map[string]brake.Why{"": brake.Lost, "perhaps": brake.Lost, "false": brake.Ended} {
		book, _ := shelf(t)
		w := newWorld(plain)
		if _, _, err := w.look(t.Context(), book, 0, true); err != nil || w.setting != ByProfile || len(w.asked) > 0 {
			t.Fatalf("%v, %s, %+v", err, w.setting, w.asked)
		}
		if w.domainTags[tag.Studio] = value; value == "" {
			delete(w.domainTags, tag.Studio)
		}
		w.holds = true
		_, _, err := w.look(t.Context(), book, 0, true)
		if why == brake.Ended {
			if err != nil || w.setting != Disabled || len(w.asked) > 0 {
				t.Errorf("%q: %v, %s, asked %+v", value, err, w.setting, w.asked)
			}
			continue
		}
		if fault.Of(err) != fault.Held || w.setting != ByProfile || len(w.asked) != 1 || w.asked[0].Why != brake.Lost || !strings.HasSuffix(w.asked[0].ID, "domain/d-1") {
			t.Errorf("%q: %v, %s, asked %+v", value, err, w.setting, w.asked)
		}
		w.holds = false
		if _, _, err := w.look(t.Context(), book, 0, true); err != nil || w.setting != Disabled {
			t.Errorf("%q: let through: %v, %s", value, err, w.setting)
		}
	}
}

// The policy is asked for both sides, and the cluster's entry says where it does not allow it.
func TestTheEntrySaysWhereThePolicyLeaves(t *testing.T) {
	for text, want := range map[string]string{
		``: "",
		`@id("a") forbid (principal, action == Drawbridge::Action::"Restore", resource) when { resource.hasTag("managed-by") };`:      account,
		`@id("a") forbid (principal, action == Drawbridge::Action::"Restore", resource) when { resource.account == "222222222222" };`: "222222222222",
	} {
		set, err := policy.Parse("test", []byte(policy.DefaultText()+text))
		if err != nil {
			t.Fatal(err)
		}
		org := func(id string) policy.Account { return policy.Account{ID: id, Organization: "o-1", OUPath: "o-1/r-1/"} }
		got := leftIn(set, policy.Warehouse{ARN: clusterOf(0).ARN, ID: "c0", Region: region, Account: org("222222222222")},
			policy.Role{ARN: executionARN, Name: "studio", Region: region, Tags: map[string]string{"managed-by": "terraform"}, Account: org(account)})
		if strings.Join(got, " ") != want {
			t.Errorf("%s: left in %v, want %s", text, got, want)
		}
	}
}

// tagger is a cluster that takes tags, and no status that does not say since when it is so.
type tagger struct{ *producer }

func (tagger) CreateTags(_ context.Context, in *redshift.CreateTagsInput, _ ...func(*redshift.Options)) (*redshift.CreateTagsOutput, error) {
	since := in.Tags[len(in.Tags)-1]
	if at, err := time.Parse(time.RFC3339, *since.Value); *since.Key != tag.StudioSince || err != nil || at.IsZero() {
		return nil, fmt.Errorf("the status is since %s=%s", *since.Key, *since.Value)
	}
	return nil, nil
}

func (tagger) DeleteTags(context.Context, *redshift.DeleteTagsInput, ...func(*redshift.Options)) (*redshift.DeleteTagsOutput, error) {
	return nil, nil
}
