package stories

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// ledgered are an act of each machine that has a lease in the ledger, beside that of peerings, which [sampled] has.
var ledgered = map[string]int{"transit": 1, "attach": 2, "private-notebooks": 1, "studio": 1, "s3-data-api": 1, "data-api-consumer": 2}

// TestTheLedgerIsStruck strikes the ledger of every machine, in the sample that `make test` plays: a write whose answer is lost, one that meets
// another, or whose function is killed after it; and it lets the holder of a lease fail at its first change of a member, so that another
// execution has to take its lease and do the work. [TestFaults] tries every kind at every call where all are tried.
func TestTheLedgerIsStruck(t *testing.T) {
	if every {
		t.Skip("every call is struck by TestFaults")
	}
	roughen(t)
	ctx := limited(t, time.Hour)
	struck := 0
	for n, s := range slices.Concat(library(), accessRehearsals) {
		number, ok := ledgered[s.name]
		if !ok {
			continue
		}
		t.Run(fmt.Sprintf("%s/%d", s.name, number), func(t *testing.T) {
			c := prepared(ctx, t, 9000+n, s, number)
			writes := c.first(func(o call) bool { return o.service == "dynamodb" })
			changes := c.first(func(o call) bool { return slices.Contains(memberServices, o.service) })
			if len(writes) == 0 || len(changes) == 0 {
				t.Fatalf("the act writes %v in the ledger and %v in members", writes, changes)
			}
			lost := []string{"time-out after the effect", "transaction conflict", "function killed"}[struck%3]
			for _, blow := range []struct {
				at  call
				how string
			}{{writes[struck%len(writes)], lost}, {changes[0], "access denied"}} {
				t.Run(blow.at.String()+", "+blow.how, func(t *testing.T) { c.strike(ctx, t, blow.at, kindCalled(t, blow.how), true) })
			}
			struck++
		})
	}
	if struck != len(ledgered) {
		t.Errorf("%d acts were struck, want %d", struck, len(ledgered))
	}
}

// memberServices have what machines change in members.
var memberServices = []string{"ec2", "iam", "kms", "rds", "sagemaker"}

// first are the calls of a machine's steps that change something, each the first of its kind, so that it is made in every run.
func (c *scene) first(of func(call) bool) []call {
	return slices.DeleteFunc(slices.Clone(c.calls), func(o call) bool {
		announces := strings.HasSuffix(o.function, "find-connections") || strings.HasSuffix(o.function, "answer-tags")
		return !of(o) || o.n > 1 || announces || (awscall.Call{Action: o.action}).Reads()
	})
}

// kindCalled returns the way of failing that has a name.
func kindCalled(t *testing.T, name string) kind {
	t.Helper()
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		t.Fatalf("no call fails by %q", name)
	}
	return kinds[i]
}
