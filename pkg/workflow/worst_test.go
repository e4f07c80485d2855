package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// answered is what a step answers, as Lambda does: shortened, or refused for its size.
func answered[O any](t *testing.T, out O) O {
	t.Helper()
	got, err := Handler(func(context.Context, struct{}) (O, error) { return out, nil }).Invoke(t.Context(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	var read O
	if err := json.Unmarshal(got, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// many is n of something.
func many[T any](n int, of func(int) T) []T {
	out := []T{}
	for i := range n {
		out = append(out, of(i))
	}
	return out
}

// decided is what the policy said, with words as long as those of the default policy.
var decided = policy.Decision{Action: policy.Inject, Allowed: true, Policy: "inject-where-nobody-says-otherwise", Reason: "allowed by policy inject-where-nobody-says-otherwise"}

// wanted is a VPC's endpoints, of as many services as a purpose has.
func wanted(n int) EndpointWant {
	return EndpointWant{Account: "111111111111", Region: "ap-southeast-1", VPC: id("vpc", n), Owner: "private-notebooks", Services: []string{"com.amazonaws.ap-southeast-1.sagemaker.api", "aws.sagemaker.ap-southeast-1.notebook"},
		Callers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12")}}
}

// What a machine carries at its worst, with as much in an account as AWS lets it have, or as the docs say: docs/quotas.md has this table, made by
// go test ./pkg/workflow -run TestWhatMachinesCarryAtTheirWorst -v.
func TestWhatMachinesCarryAtTheirWorst(t *testing.T) {
	// A cluster's tag names accounts, in 256 characters. https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
	const accounts = 256 / 13
	hops := HopsOutput{Hops: answered(t, HopsOutput{Hops: worst(300)}).Hops}
	api := DataAPI{Cluster: Cluster{ARN: strings.Repeat("a", 120)}, Secret: Secret{ARN: strings.Repeat("s", 140), Key: strings.Repeat("k", 120)},
		Consumers: many(accounts, func(n int) Consumer { return Consumer{Account: fmt.Sprintf("%012d", n), Decision: decided} })}
	dataAPI := ConcludeDataAPIInput{Reason: strings.Repeat("r", 300), Decision: decided, DataAPI: api, Enabled: hops, Admitted: hops, Retracted: hops}
	dataAPIEnds := answered(t, ConcludeDataAPIOutput{Decision: decided, Verdict: worst(500)})

	// A route table holds 1,000 routes. https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
	routes := many(1000, func(n int) Route {
		return Route{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 100 + byte(n/250), byte(n % 250), 0}), 24), Target: pcx}
	})
	one := Notebook{Account: "111111111111", Region: "ap-southeast-1", VPC: id("vpc", 1), Name: strings.Repeat("n", 63), ARN: strings.Repeat("a", 130), Subnet: id("subnet", 1),
		SubnetCIDR: netip.MustParsePrefix("10.100.0.0/24"), LifecycleConfig: strings.Repeat("l", 63), Inject: decided, Restart: decided, Said: strings.Repeat("s", 256)}
	notebook := answered(t, InspectNotebooksOutput{Notebooks: []Notebook{one}, Routed: []AddRoutesOutput{{Account: one.Account, VPC: one.VPC, Hops: []Hop{},
		Tables: []Table{{ID: id("rtb", 1), Main: true, Subnets: []string{one.Subnet}, Routes: routes}}}}})
	if !reflect.DeepEqual(notebook.Routed[0].Tables[0].Routes, routes) {
		t.Errorf("the routes that travel are others")
	}
	attached := map[string]any{"connection": Connection{}, "routed": notebook.Routed, "notebook": one, "restart": map[string]any{"phase": "owed"},
		"attached": answered(t, AttachRoutesOutput{Answer: "done", Hops: worst(1)})}

	share := answered(t, InspectShareOutput{Reason: strings.Repeat("r", 300), Decision: decided, Share: strings.Repeat("a", 120), Announced: 5000})
	endpoint := map[string]any{"want": wanted(1), "placed": answered(t, PlaceEndpointsOutput{Want: wanted(1), Hops: worst(50), Endpoints: many(2, func(n int) PlacedEndpoint { return PlacedEndpoint{ID: id("vpce", n)} })})}

	for name, c := range map[string]struct {
		of    any
		limit int
	}{
		"data-api, a tag full of accounts":              {dataAPI, StateSize},
		"data-api, its end":                             {dataAPIEnds, StateSize},
		"data-api-endpoint, one VPC":                    {endpoint, StateSize},
		"notebook, one with 1,000 host routes":          {attached, StateSize},
		"notebook, its inspection":                      {notebook, StateSize},
		"share, with hundreds of principals":            {share, StateSize},
		"studio, its end":                               {answered(t, ConcludeStudioOutput{Verdict: worst(500)}), StateSize},
		"private-notebooks, its end":                    {answered(t, VerifyPrivateNotebooksOutput{Verdict: worst(500)}), StateSize},
		"attachment, its end":                           {answered(t, VerifyAttachmentOutput{Verdict: worst(500)}), StateSize},
		"peering and transit, numbers of 10,000 sides":  {Packed(many(10_000, func(n int) int { return n + 1 }), many(10_000, func(int) int { return 1 }), 1, SideItems), StateSize / 4},
		"peering and transit, numbers of 2,000 batches": {Packed(many(2000, func(n int) int { return n + 1 }), many(2000, func(int) int { return 5 }), BatchSize, BatchItems), StateSize / 4},
		"studio, 100 roles, 20 domains":                 {studioAt(t, 100, 20), MaxPayload},
		"private-notebooks, 50 VPCs":                    {privateAt(t, 50), MaxPayload},
		"attachment, its inspection":                    {attachmentAt(t), StateSize},
	} {
		n := encoded(c.of) + around
		t.Logf("%-50s %7d bytes", name, n)
		if n > c.limit {
			t.Errorf("%s: %d bytes, and a state has %d", name, n, c.limit)
		}
	}
}

func studioAt(t *testing.T, roles, domains int) any {
	arn := func(n int) string {
		return fmt.Sprintf("arn:aws:iam::111111111111:role/service-role/SageMaker-ExecutionRole-%d", n)
	}
	readers := many(roles, func(n int) ExecutionRole {
		return ExecutionRole{Account: "111111111111", ARN: arn(n), Decision: decided}
	})
	hop := answered(t, AdmitRoleOutput{Hops: worst(1)}).Hops
	return ConcludeStudioInput{Roles: readers,
		Admitted:   many(roles, func(n int) AdmitRoleOutput { return AdmitRoleOutput{Role: arn(n), Hops: hop} }),
		Identified: many(domains, func(n int) IdentifyUsersOutput { return answered(t, IdentifyUsersOutput{Hops: worst(4)}) })}
}

func privateAt(t *testing.T, vpcs int) any {
	placed := answered(t, PlaceEndpointsOutput{Want: wanted(1), Hops: worst(4), Endpoints: many(2, func(n int) PlacedEndpoint { return PlacedEndpoint{ID: id("vpce", n)} })})
	return VerifyPrivateNotebooksInput{VPCs: many(vpcs, func(n int) PrivateVPC {
		return PrivateVPC{ID: id("vpc", n), CIDRs: wanted(n).Callers, Decision: decided}
	}),
		Placed: many(vpcs, func(int) PlaceEndpointsOutput { return placed }), Granted: GrantNotebookAccessOutput{Roles: many(200, func(n int) string { return fmt.Sprintf("SageMaker-ExecutionRole-%d", n) })}}
}

func attachmentAt(t *testing.T) any {
	account := AccountFacts{ID: "222222222222", Name: strings.Repeat("n", 50), Units: strings.Repeat("u", 300), Organization: "o-exampleorgid"}
	tags := map[string]string{}
	for n := range 50 { // as many as EC2 takes
		tags[strings.Repeat("k", 20)+id("", n)] = strings.Repeat("v", 60)
	}
	vpc := wanted(1)
	side := &Facts{VPC: VPC{Account: account.ID, Region: "ap-southeast-1", ID: id("vpc", 1), CIDRs: vpc.Callers}, Name: "n", Tags: tags, Account: account}
	return answered(t, InspectAttachmentOutput{Known: Known{Requester: side, Accepter: side}, VPC: side.VPC, Lacking: worst(300), Decision: decided, Reject: decided,
		Subnets: many(6, func(n int) string { return id("subnet", n) }), Propagate: many(20, func(n int) string { return id("tgw-rtb", n) })})
}
