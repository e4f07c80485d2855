package notice

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// large returns each kind of event with n of everything that may be many, and sentences as long.
func large(n int) []Event {
	long := strings.Repeat("word <é> ", n*4)
	var hops []workflow.Hop
	var reachable []Reachable
	var accounts []string
	vpc := workflow.VPC{Account: "111111111111", Region: "eu-west-1", ID: "vpc-1"}
	for i := range n {
		hops = append(hops, workflow.Hop{Hop: fmt.Sprint("hop ", i), Detail: long[:min(len(long), 2000)]})
		reachable = append(reachable, Reachable{Database: fmt.Sprint("database-", i), Decision: policy.Decision{Reason: long[:min(len(long), 500)]}})
		accounts = append(accounts, fmt.Sprintf("%012d", i))
		vpc.CIDRs = append(vpc.CIDRs, netip.MustParsePrefix("10.0.0.0/16"))
	}
	decision := policy.Decision{Reason: long}
	head := Head{Execution: "e", Connection: workflow.Connection{ID: "pcx-1", Requester: vpc, Accepter: vpc}, Reason: long}
	thing := Thing{Execution: "e", For: accounts, Reason: long}
	return []Event{Connected{head, hops}, Approval{Head: head, Decision: decision, Reachable: reachable}, Refused{Head: head, Decision: decision}, Removed{head, hops},
		Granted{thing, hops}, Pending{thing, hops}, Barred{thing, decision}, Withdrawn{thing, hops},
		Unclear{Execution: "e", Problems: slices.Repeat([]UnclearValue{{Key: tag.Accept, Value: long[:min(len(long), 500)], Why: long[:min(len(long), 500)]}}, n)},
		Contested{ID: "pcx-1", Accounts: accounts, Things: slices.Repeat([]Contest{{Resource: "rtb-1", Remedy: long[:min(len(long), 500)]}}, n)},
		Held{Execution: "e", Reason: long, Changes: slices.Repeat([]string{long[:min(len(long), 200)]}, n)},
		Attention{What: long, Why: long, Remedy: long, Command: long}}
}

func TestEveryEventHasRoom(t *testing.T) {
	seen := map[Kind]bool{}
	for _, n := range []int{0, 1, 10, 1000, 10_000} {
		for _, e := range large(n) {
			seen[e.kind()] = true
			whole, _ := json.Marshal(e)
			got, err := detail(e, maxEntry)
			if err != nil || len(got) > maxEntry || !json.Valid(got) {
				t.Errorf("%s with %d: %d bytes, %v", e.kind(), n, len(got), err)
			}
			if len(whole) <= maxEntry && string(got) != string(whole) {
				t.Errorf("%s with %d has room and was cut", e.kind(), n)
			}
			if len(whole) > maxEntry && len(got) < maxEntry/8 {
				t.Errorf("%s with %d was cut from %d to %d bytes", e.kind(), n, len(whole), len(got))
			}
		}
	}
	for _, k := range Kinds() {
		if !seen[k] {
			t.Errorf("%s was not tried", k)
		}
	}
	if got, _ := detail(large(1000)[0], maxEntry); !strings.Contains(string(got), "lines that have no room here") {
		t.Error("what was left out is not counted")
	}
}
