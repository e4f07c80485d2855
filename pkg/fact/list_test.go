package fact_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const cluster = "arn:aws:redshift:eu-west-1:222222222222:cluster:sales"

// studios is what a look at the readers of a cluster finds: so many execution roles that may read, half as many that may no more, and domains.
func studios(n int) workflow.InspectStudioOutput {
	out := workflow.InspectStudioOutput{Answer: workflow.AnswerAdmit, Warehouse: workflow.Warehouse{ARN: cluster}}
	for i := range n {
		role := workflow.ExecutionRole{Account: here.Account, ARN: fmt.Sprintf("arn:aws:iam::111111111111:role/reader-%d", i)}
		out.Roles = append(out.Roles, role)
		if i%2 == 0 {
			out.Leaving = append(out.Leaving, role)
			out.Domains = append(out.Domains, workflow.Domain{ID: fmt.Sprintf("d-%d", i), Roles: []string{role.ARN}})
			out.Unfit = append(out.Unfit, workflow.Hop{Hop: role.ARN, Detail: "no room"})
		}
	}
	return out
}

// travels is what an output is between two states: how many bytes, and read again.
func travels[T any](t *testing.T, out T) (read T, size int) {
	t.Helper()
	text, err := json.Marshal(out)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	return read, len(text)
}

func look[I, O any](out O) workflow.Step[I, O] {
	return func(context.Context, I) (O, error) { return out, nil }
}

// However many execution roles and domains there are, only their numbers travel, and each is worked on once; the last step knows of all what was told.
func TestReadersAreRows(t *testing.T) {
	l, _ := ledgertest.New()
	var sizes []int
	for _, n := range []int{3, 120} {
		found := studios(n)
		out, err := fact.Readers(l, look[workflow.InspectStudioInput](found))(t.Context(), workflow.InspectStudioInput{})
		if err != nil {
			t.Fatal(err)
		}
		out, size := travels(t, out)
		if sizes = append(sizes, size); len(out.Roles)+len(out.Domains)+len(out.Leaving) > 0 || len(out.Admit) > workflow.ReaderItems {
			t.Errorf("%d: %d items, and lists that travel", n, len(out.Admit))
		}
		w := found.Warehouse
		wrote, err := fact.WriteReaders(l, func(_ context.Context, in workflow.WriteStudioRoleInput) (workflow.HopsOutput, error) {
			return workflow.HopsOutput{Hops: []workflow.Hop{{Hop: fmt.Sprint(len(in.Roles)), OK: true}}}, nil
		})(t.Context(), workflow.WriteStudioRoleInput{Warehouse: w})
		if err != nil || wrote != (workflow.Told{Hops: 1, OK: 1}) {
			t.Fatal(wrote, err)
		}
		var admitted []string
		admit := fact.Admit(l, func(_ context.Context, in workflow.AdmitRoleInput) (workflow.AdmitRoleOutput, error) {
			admitted = append(admitted, in.Role.ARN)
			return workflow.AdmitRoleOutput{Role: in.Role.ARN, Ready: true, Hops: []workflow.Hop{{Hop: in.Role.ARN, OK: true}}}, nil
		})
		for _, rows := range out.Admit {
			if _, err := admit(t.Context(), workflow.AdmitRoleInput{Warehouse: w, Rows: rows}); err != nil {
				t.Fatal(err)
			}
		}
		for _, rows := range out.Identify {
			if _, err := fact.Identify(l, func(_ context.Context, in workflow.IdentifyUsersInput) (workflow.IdentifyUsersOutput, error) {
				if len(in.Admitted) != n {
					t.Errorf("%d: %d were admitted", n, len(in.Admitted))
				}
				return workflow.IdentifyUsersOutput{Needing: in.Domain.Roles, Hops: []workflow.Hop{{Hop: in.Domain.ID}}}, nil
			})(t.Context(), workflow.IdentifyUsersInput{Warehouse: w, Rows: rows}); err != nil {
				t.Fatal(err)
			}
		}
		for _, rows := range out.Release {
			if _, err := fact.Release(l, func(_ context.Context, in workflow.ReleaseRoleInput) (workflow.HopsOutput, error) {
				if len(in.Identified) != len(found.Domains) || in.Identified[0].Needing == nil {
					t.Errorf("%d: %d domains were told of", n, len(in.Identified))
				}
				return workflow.HopsOutput{Hops: []workflow.Hop{{Hop: in.Role.ARN}}}, nil
			})(t.Context(), workflow.ReleaseRoleInput{Warehouse: w, Rows: rows}); err != nil {
				t.Fatal(err)
			}
		}
		if len(admitted) != n || admitted[n-1] != found.Roles[n-1].ARN {
			t.Errorf("%d: admitted %d", n, len(admitted))
		}
		_, err = fact.ConcludeReaders(l, func(_ context.Context, in workflow.ConcludeStudioInput) (workflow.ConcludeStudioOutput, error) {
			if len(in.Roles) != n || len(in.Admitted) != n || in.Admitted[n-1].Role != in.Roles[n-1].ARN || len(in.Identified) != len(found.Domains) || len(in.Released) != len(found.Leaving) ||
				len(in.Unfit) != len(found.Unfit) || len(in.Written.Hops) != 1 {
				t.Errorf("%d: concludes with %d roles, %d admitted, %d domains, %d released, %d unfit", n, len(in.Roles), len(in.Admitted), len(in.Identified), len(in.Released), len(in.Unfit))
			}
			return workflow.ConcludeStudioOutput{}, nil
		})(t.Context(), workflow.ConcludeStudioInput{Warehouse: w})
		if err != nil {
			t.Error(err)
		}
	}
	if sizes[1]-sizes[0] > 2<<10 {
		t.Errorf("%d bytes, and %d of many", sizes[0], sizes[1])
	}
}

// One that fails keeps nobody from being served, and when the item is tried again only that one is. Of a look that went no further nobody says that it did.
func TestOneThatFailsIsTriedAgainAlone(t *testing.T) {
	l, _ := ledgertest.New()
	found := studios(3)
	if _, err := fact.Readers(l, look[workflow.InspectStudioInput](found))(t.Context(), workflow.InspectStudioInput{}); err != nil {
		t.Fatal(err)
	}
	in, bad := workflow.AdmitRoleInput{Warehouse: found.Warehouse, Rows: workflow.Rows{1, 2, 3}}, found.Roles[1].ARN
	var did []string
	admit := fact.Admit(l, func(_ context.Context, in workflow.AdmitRoleInput) (workflow.AdmitRoleOutput, error) {
		if did = append(did, in.Role.ARN); in.Role.ARN == bad {
			return workflow.AdmitRoleOutput{}, fault.New(fault.Transient, "slow down")
		}
		return workflow.AdmitRoleOutput{Role: in.Role.ARN}, nil
	})
	for range 2 {
		if _, err := admit(t.Context(), in); fault.Of(err) != fault.Transient {
			t.Fatal(err)
		}
	}
	if want := []string{found.Roles[0].ARN, bad, found.Roles[2].ARN, bad}; !slices.Equal(did, want) {
		t.Errorf("did %v, want %v", did, want)
	}
	conclude := fact.ConcludeReaders(l, look[workflow.ConcludeStudioInput](workflow.ConcludeStudioOutput{}))
	if _, err := conclude(t.Context(), workflow.ConcludeStudioInput{Warehouse: found.Warehouse}); fault.Of(err) != fault.Conflict {
		t.Errorf("concluded what was not done: %v", err)
	}
	if err := l.Replace(t.Context(), cluster, "", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := conclude(t.Context(), workflow.ConcludeStudioInput{Warehouse: found.Warehouse}); err != nil {
		t.Errorf("of a cluster that the ledger forgot: %v", err)
	}
}

// Of private notebooks, however many VPCs an account has: what is ready is not looked at again, what is not is waited for, and with the last VPC nothing is left.
func TestWantsAreRows(t *testing.T) {
	l, memory := ledgertest.New()
	const of = "private-notebooks 111111111111"
	var sizes []int
	for _, n := range []int{2, 60} {
		found := workflow.InspectPrivateNotebooksOutput{Answer: workflow.AnswerArrange, Of: of}
		for i := range n {
			vpc := id("vpc", i)
			found.VPCs = append(found.VPCs, workflow.PrivateVPC{ID: vpc, CIDRs: here.CIDRs})
			found.Wants, found.Leaving = append(found.Wants, workflow.EndpointWant{VPC: vpc, Callers: here.CIDRs}), append(found.Leaving, workflow.EndpointWant{VPC: "gone-" + vpc})
		}
		found.Refused = []workflow.PrivateVPC{{ID: "vpc-no"}}
		out, err := fact.Wants(l, look[workflow.InspectPrivateNotebooksInput](found))(t.Context(), workflow.InspectPrivateNotebooksInput{})
		if err != nil {
			t.Fatal(err)
		}
		out, size := travels(t, out)
		if sizes = append(sizes, size); len(out.VPCs)+len(out.Wants)+len(out.Leaving)+len(out.Refused) > 0 || max(len(out.Place), len(out.Remove)) > workflow.EndpointItems {
			t.Errorf("%d: %d items, and lists that travel", n, len(out.Place))
		}
		looks := map[string]int{}
		step := func(slow bool) workflow.Step[workflow.PlaceEndpointsInput, workflow.PlaceEndpointsOutput] {
			return func(_ context.Context, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
				looks[in.Want.VPC]++
				if slow && looks[in.Want.VPC] == 1 && in.Want.VPC == found.Wants[n-1].VPC {
					return workflow.PlaceEndpointsOutput{Answer: workflow.AnswerWait}, nil
				}
				return workflow.PlaceEndpointsOutput{Answer: workflow.AnswerReady, Want: in.Want, Hops: []workflow.Hop{{Hop: in.Want.VPC, OK: true}}}, nil
			}
		}
		waits := 0
		for state, items := range map[string][]workflow.Rows{"PlaceEndpoints": out.Place, "RemoveEndpoints": out.Remove} {
			for _, rows := range items {
				for {
					in, _ := travels(t, workflow.PlaceEndpointsInput{Want: workflow.EndpointWant{Of: of, Rows: rows}})
					got, err := fact.Endpoints(l, state, step(state == "PlaceEndpoints"))(t.Context(), in)
					if err != nil || len(got.Hops) > 0 {
						t.Fatal(got, err)
					}
					if got.Answer == workflow.AnswerReady {
						break
					}
					waits++
				}
			}
		}
		if waits != 1 || len(looks) != 2*n || looks[found.Wants[n-1].VPC] != 2 || looks[found.Wants[0].VPC] != 1 || looks[found.Leaving[n-1].VPC] != 1 {
			t.Errorf("%d: waited %d times, looked at %d VPCs", n, waits, len(looks))
		}
		grant, err := fact.Grant(l, func(_ context.Context, in workflow.GrantNotebookAccessInput) (workflow.GrantNotebookAccessOutput, error) {
			if len(in.VPCs) != n || len(in.Refused) != 1 {
				t.Errorf("%d: grants for %d VPCs, and not %d", n, len(in.VPCs), len(in.Refused))
			}
			return workflow.GrantNotebookAccessOutput{Answer: workflow.AnswerDone, Roles: []string{"admin"}}, nil
		})(t.Context(), workflow.GrantNotebookAccessInput{Of: of})
		if err != nil || grant.Answer != workflow.AnswerDone || len(grant.Roles) > 0 {
			t.Error(grant, err)
		}
		result := workflow.Private
		verify := fact.VerifyEndpoints(l, func(_ context.Context, in workflow.VerifyPrivateNotebooksInput) (workflow.VerifyPrivateNotebooksOutput, error) {
			if len(in.Placed) != n || len(in.Removed) != n || in.Placed[n-1].Want.VPC != in.VPCs[n-1].ID || in.Removed[0].Want.VPC != found.Leaving[0].VPC || len(in.Granted.Roles) != 1 {
				t.Errorf("%d: verifies %d placed, %d removed, %d VPCs, %+v", n, len(in.Placed), len(in.Removed), len(in.VPCs), in.Granted)
			}
			return workflow.VerifyPrivateNotebooksOutput{Result: result}, nil
		})
		for _, result = range []workflow.Result{workflow.Private, workflow.Removed} {
			if _, err := verify(t.Context(), workflow.VerifyPrivateNotebooksInput{Of: of}); err != nil {
				t.Error(err)
			}
		}
		if left := memory.Rows(); len(left) > 0 {
			t.Errorf("%d: %d rows are left", n, len(left))
		}
	}
	if sizes[1]-sizes[0] > 2<<10 {
		t.Errorf("%d bytes, and %d of many", sizes[0], sizes[1])
	}
}

// One that stands by itself, as the VPC from which the Data API is called, is no row.
func TestAWantThatTravelsIsServedAsItIs(t *testing.T) {
	l, memory := ledgertest.New()
	in := workflow.PlaceEndpointsInput{Want: workflow.EndpointWant{VPC: "vpc-1"}}
	out, err := fact.Endpoints(l, "PlaceEndpoints", func(_ context.Context, in workflow.PlaceEndpointsInput) (workflow.PlaceEndpointsOutput, error) {
		return workflow.PlaceEndpointsOutput{Answer: workflow.AnswerReady, Want: in.Want, Hops: []workflow.Hop{{Hop: "x"}}}, nil
	})(t.Context(), in)
	if err != nil || out.Want.VPC != "vpc-1" || len(out.Hops) != 1 || len(memory.Rows()) > 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

// A page of a sweep has room for so much of each visit; what has none is read where the page is tallied, whatever became of others.
func TestAVisitThatHasNoRoomIsARow(t *testing.T) {
	l, memory := ledgertest.New()
	small := workflow.SweepAccountOutput{Account: "1", Found: []workflow.Found{{Kind: "peerings", Seen: 3}}, Managed: 2}
	large := workflow.SweepAccountOutput{Account: "2", Found: []workflow.Found{{Kind: "peerings", Names: many(30, "pcx")}}, Managed: 5}
	var visits []*workflow.Visit
	for _, answer := range []workflow.SweepAccountOutput{small, large} {
		out, err := fact.Visit(l, func(_ context.Context, in workflow.SweepAccountInput) (workflow.SweepAccountOutput, error) {
			if len(in.Territory.Regions) != 1 {
				t.Errorf("visits %v", in.Territory)
			}
			return answer, nil
		})(t.Context(), workflow.SweepAccountInput{Territory: workflow.Territory{Account: answer.Account}, Regions: []string{"eu-west-1"}})
		if err != nil {
			t.Fatal(err)
		}
		read, size := travels(t, out)
		if visits = append(visits, &read); size > workflow.VisitSize || read.Kept != (answer.Account == "2") {
			t.Errorf("%s: %d bytes, %+v", answer.Account, size, read)
		}
	}
	if rows := len(memory.Rows()); rows != 1 {
		t.Errorf("%d rows", rows)
	}
	visits = append(visits, nil)
	tally := fact.Visits(l, func(_ context.Context, in workflow.TallySweepInput) (workflow.TallySweepOutput, error) {
		if in.Visits[0].Managed != 2 || in.Visits[1].Managed != 5 || len(in.Visits[1].Found[0].Names) != 30 || in.Visits[2] != nil {
			t.Errorf("tallies %+v", in.Visits)
		}
		return workflow.TallySweepOutput{}, nil
	})
	if _, err := tally(t.Context(), workflow.TallySweepInput{Visits: visits}); err != nil {
		t.Error(err)
	}
	if _, err := tally(t.Context(), workflow.TallySweepInput{Visits: []*workflow.Visit{{SweepAccountOutput: workflow.SweepAccountOutput{Account: "3"}, Kept: true}}}); fault.Of(err) != fault.Transient {
		t.Errorf("what is lost counts as nothing: %v", err)
	}
	_, err := fact.Visit(l, func(context.Context, workflow.SweepAccountInput) (workflow.SweepAccountOutput, error) {
		return small, fault.NewConflict(strings.Repeat("too long ", 50), "wait")
	})(t.Context(), workflow.SweepAccountInput{})
	if fault.Of(err) != fault.Conflict || len(err.Error()) > 300 || !strings.HasSuffix(err.Error(), "remedy: wait") {
		t.Errorf("a visit that failed is told by %d bytes", len(err.Error()))
	}
}

func many(n int, kind string) (out []string) {
	for i := range n {
		out = append(out, id(kind, i))
	}
	return out
}
