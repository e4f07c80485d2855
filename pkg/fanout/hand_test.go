package fanout_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fanout"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// counted counts how often a store is asked.
type counted struct {
	ledger.Store
	reads, writes int
}

func (c *counted) Read(ctx context.Context, keys []ledger.Key) ([]ledger.Row, error) {
	c.reads++
	return c.Store.Read(ctx, keys)
}

func (c *counted) List(ctx context.Context, part, prefix string) ([]ledger.Row, error) {
	c.reads++
	return c.Store.List(ctx, part, prefix)
}

func (c *counted) Write(ctx context.Context, changes []ledger.Change) error {
	c.writes++
	return c.Store.Write(ctx, changes)
}

// configured has two notebooks with a configuration, and one with another whose name contains it.
type configured struct{}

func (configured) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	out := &sagemaker.ListNotebookInstancesOutput{}
	for name, config := range map[string]string{"Research": "on-start", "Analysis": "on-start", "Other": "on-start-2"} {
		out.NotebookInstances = append(out.NotebookInstances, types.NotebookInstanceSummary{NotebookInstanceName: aws.String(name), NotebookInstanceLifecycleConfigName: aws.String(config)})
	}
	return out, nil
}

// hub is a ledger with a peering, a pair and a cluster, and what it took to ask it.
type hub struct {
	fanout.Fanout
	store   *counted
	asked   []string
	entered int
}

func newHub(t *testing.T) *hub {
	t.Helper()
	ctx := t.Context()
	l, _ := ledgertest.New()
	l.Now = func() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) }
	const away = "222222222222"
	sides := []ledger.Side{{Role: "requester", Account: here.Account, Region: here.Region, ID: "vpc-00000001"}, {Role: "accepter", Account: away, Region: here.Region, ID: "vpc-0000000f"}}
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.Begin(ctx, ledger.Connection{ID: "pcx-00000001", Kind: "peering", Sides: sides}))
	must(l.Begin(ctx, ledger.Connection{ID: "tgw-00000001:vpc-00000001:vpc-0000000f", Kind: "transit", Sides: sides}))
	must(l.Begin(ctx, ledger.Connection{ID: "arn:aws:redshift:eu-west-1:111111111111:cluster:sales", Kind: "studio", Sides: sides[:1]}))
	must(l.Begin(ctx, ledger.Connection{ID: "data-api-endpoint-vpc-00000001", Kind: "data-api-endpoint", Sides: sides[:1]}))
	for id, items := range map[string][]ledger.Item{
		"data-api-endpoint-vpc-00000001": {{Account: here.Account, Region: here.Region, Resource: "vpc-00000001", Kind: ledger.Endpoint, Key: "com.amazonaws.eu-west-1.rds-data", Left: "vpce-00000001"},
			{Account: here.Account, Region: here.Region, Resource: "vpc-00000001", Kind: ledger.Group, Key: "drawbridge-data-api-endpoint", Left: "sg-00000002"}},
		"pcx-00000001": {{Account: here.Account, Region: here.Region, Resource: "rtb-00000001", Kind: ledger.Route, Key: "10.2.0.0/16", Left: "pcx-00000001"},
			{Account: here.Account, Region: here.Region, Resource: "sg-00000001", Kind: ledger.Rule, Key: "egress tcp 3306 10.2.0.0/16"},
			{Account: here.Account, Region: here.Region, Resource: "pcx-00000001", Kind: ledger.DNSOption, Key: "requester", Left: "on"}},
		"tgw-00000001:vpc-00000001:vpc-0000000f": {{Account: here.Account, Region: here.Region, Resource: "rtb-00000001", Kind: ledger.Route, Key: "10.3.0.0/16", Left: "tgw-00000001"},
			{Account: here.Account, Region: here.Region, Resource: "sg-00000001", Kind: ledger.Rule, Key: "egress tcp 3306 10.2.0.0/16"}},
		"arn:aws:redshift:eu-west-1:111111111111:cluster:sales": {{Account: here.Account, Region: "us-east-1", Resource: "readers", Kind: ledger.Document, Key: "sales"}},
		"subnet-1": {{Account: here.Account, Region: here.Region, Resource: "on-start", Kind: ledger.HostRoute, Key: "10.1.0.0/24 10.2.0.0/16"}},
	} {
		recorded, err := l.Record(ctx, id, items...)
		must(nil, err)
		must(l.Confirm(ctx, recorded...))
	}
	h := &hub{store: &counted{Store: l.Store}}
	l.Store = h.store
	h.Fanout = fanout.Fanout{Contest: contest.Contest{Ledger: l}, Region: "us-east-1",
		Enter: func(string, event.Place) fanout.Clients {
			h.entered++
			return fanout.Clients{EC2: &account{}, SageMaker: configured{}}
		},
		Ask: func(_ context.Context, looks ...look.Look) error {
			for _, l := range looks {
				name := l.DetailType() + " " + about(l)
				switch l := l.(type) {
				case event.TransitInspection:
					name += l.TransitGatewayID + " " + l.VPCs[0].VPC + " " + l.VPCs[1].VPC
				case event.StudioInspection:
					name += l.Cluster
				case event.ContestReport:
					name += l.Connection
				}
				h.asked = append(h.asked, name)
			}
			return nil
		}}
	return h
}

func (h *hub) find(t *testing.T, service, call, parameters string) workflow.FindConnectionsOutput {
	t.Helper()
	h.asked, h.entered, h.store.reads, h.store.writes = nil, 0, 0, 0
	raw := fmt.Sprintf(`{"source":"aws.%s","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"eu-west-1","detail":{"eventName":%q,"eventTime":"2026-11-22T09:00:00Z","eventID":"e-%s",
		"userAgent":"APN/1.0 HashiCorp/1.0 Terraform/1.11.4 terraform-provider-aws/5.100.0","userIdentity":{"arn":"arn:aws:sts::111111111111:assumed-role/ci/run-1"},"requestParameters":%s}}`, service, call, t.Name(), parameters)
	out, err := h.Find(t.Context(), workflow.FindConnectionsInput{Event: []byte(raw)})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(h.asked)
	return out
}

func TestAHandAtWhatTheLedgerHas(t *testing.T) {
	const pair = "Transit To Inspect tgw-00000001 vpc-00000001 vpc-0000000f"
	for name, c := range map[string]struct {
		service, call, parameters string
		want                      []string
		noted                     []string // keys of items
	}{
		"a route of the peering":        {"ec2", "DeleteRoute", `{"routeTableId":"rtb-00000001","destinationCidrBlock":"10.2.0.0/16"}`, []string{"Peering To Inspect pcx-00000001"}, []string{"10.2.0.0/16"}},
		"a route of the pair":           {"ec2", "ReplaceRoute", `{"routeTableId":"rtb-00000001","destinationCidrBlock":"10.3.0.0/16"}`, []string{pair}, []string{"10.3.0.0/16"}},
		"a rule that both need":         {"ec2", "RevokeSecurityGroupEgress", `{"groupId":"sg-00000001"}`, []string{"Peering To Inspect pcx-00000001", pair}, []string{"egress tcp 3306 10.2.0.0/16"}},
		"a rule of the other direction": {"ec2", "RevokeSecurityGroupIngress", `{"groupId":"sg-00000001"}`, nil, nil},
		"a role, which has no Region":   {"iam", "PutRolePolicy", `{"roleName":"readers"}`, []string{"Studio To Inspect sales"}, []string{"sales"}},
		"a lifecycle configuration":     {"sagemaker", "UpdateNotebookInstanceLifecycleConfig", `{"notebookInstanceLifecycleConfigName":"on-start"}`, []string{"Notebook To Inspect Analysis", "Notebook To Inspect Research"}, []string{"10.1.0.0/24 10.2.0.0/16"}},
		"what its own machine looks at": {"ec2", "ModifyVpcPeeringConnectionOptions", `{"ModifyVpcPeeringConnectionOptionsRequest":{"VpcPeeringConnectionId":"pcx-00000001"}}`, nil, []string{"requester"}},
		"an endpoint, which is filed under its VPC": {"ec2", "DeleteVpcEndpoints", `{"DeleteVpcEndpointsRequest":{"VpcEndpointId":{"content":"vpce-00000001","tag":1}}}`,
			[]string{"Data API Endpoint To Inspect vpc-00000001"}, []string{"com.amazonaws.eu-west-1.rds-data"}},
		"a group with rules that both need": {"ec2", "DeleteSecurityGroup", `{"groupId":"sg-00000001"}`, []string{"Peering To Inspect pcx-00000001", pair}, []string{"egress tcp 3306 10.2.0.0/16"}},
		"an endpoint's group, which is filed under its VPC": {"ec2", "DeleteSecurityGroup", `{"groupId":"sg-00000002"}`,
			[]string{"Data API Endpoint To Inspect vpc-00000001"}, []string{"drawbridge-data-api-endpoint"}},
		"the boundary of a role":         {"iam", "DeleteRolePermissionsBoundary", `{"roleName":"readers"}`, []string{"Studio To Inspect sales"}, []string{"sales"}},
		"somebody's group":               {"ec2", "DeleteSecurityGroup", `{"groupId":"sg-00000003"}`, nil, nil},
		"somebody's endpoint":            {"ec2", "DeleteVpcEndpoints", `{"DeleteVpcEndpointsRequest":{"VpcEndpointId":{"content":"vpce-00000002","tag":1}}}`, nil, nil},
		"somebody's route in that table": {"ec2", "DeleteRoute", `{"routeTableId":"rtb-00000001","destinationCidrBlock":"0.0.0.0/0"}`, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			out := h.find(t, c.service, c.call, c.parameters)
			if !slices.Equal(h.asked, c.want) || out.Announced != len(c.want) || (out.Result == workflow.Nothing) != (len(c.want) == 0) {
				t.Errorf("asked for %q, %+v", h.asked, out)
			}
			var noted []string
			for _, id := range []string{"pcx-00000001", "tgw-00000001:vpc-00000001:vpc-0000000f", "arn:aws:redshift:eu-west-1:111111111111:cluster:sales", "subnet-1", "data-api-endpoint-vpc-00000001"} {
				items, err := h.Contest.Ledger.Items(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				for _, i := range items {
					if i.Seen.Tool == event.Terraform && strings.HasSuffix(i.Seen.Who, "/ci/run-1") {
						noted = append(noted, i.Key)
					}
				}
			}
			slices.Sort(noted)
			if noted = slices.Compact(noted); !slices.Equal(noted, c.noted) {
				t.Errorf("noted on %q, want %q", noted, c.noted)
			}
		})
	}
}

// Who makes just what the ledger has makes it theirs: nobody needs it any more, whoever did, and people are to be told. The same before Drawbridge made it
// changes nothing.
func TestWhatSomebodyMadeAgainIsTheirs(t *testing.T) {
	const pair, peer = "tgw-00000001:vpc-00000001:vpc-0000000f", "pcx-00000001"
	for name, c := range map[string]struct {
		call, parameters, answer string
		after                    time.Duration // when Drawbridge made it, from the record on
		of                       []string
	}{
		"a route":        {"CreateRoute", `{"routeTableId":"rtb-00000001","destinationCidrBlock":"10.2.0.0/16","vpcPeeringConnectionId":"pcx-00000001"}`, `{}`, -time.Hour, []string{peer}},
		"led back":       {"ReplaceRoute", `{"routeTableId":"rtb-00000001","destinationCidrBlock":"10.3.0.0/16","transitGatewayId":"tgw-00000001"}`, `{}`, -time.Hour, []string{pair}},
		"of before":      {"CreateRoute", `{"routeTableId":"rtb-00000001","destinationCidrBlock":"10.2.0.0/16","vpcPeeringConnectionId":"pcx-00000001"}`, `{}`, time.Hour, nil},
		"elsewhere":      {"CreateRoute", `{"routeTableId":"rtb-00000001","destinationCidrBlock":"10.2.0.0/16","gatewayId":"vgw-00000001"}`, `{}`, -time.Hour, nil},
		"a DNS option":   {"ModifyVpcPeeringConnectionOptions", `{"vpcPeeringConnectionId":"pcx-00000001","requesterPeeringConnectionOptions":{"allowDnsResolutionFromRemoteVpc":true}}`, `{}`, -time.Hour, []string{peer}},
		"somebody's own": {"CreateRoute", `{"routeTableId":"rtb-00000001","destinationCidrBlock":"192.0.2.0/24","vpcPeeringConnectionId":"pcx-00000001"}`, `{}`, -time.Hour, nil},
		"a rule that both need": {"AuthorizeSecurityGroupEgress", `{"groupId":"sg-00000001"}`,
			`{"securityGroupRuleSet":{"items":[{"securityGroupRuleId":"sgr-9","isEgress":true,"ipProtocol":"tcp","fromPort":3306,"toPort":3306,"cidrIpv4":"10.2.0.0/16"}]}}`, -time.Hour, []string{peer, pair}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			record := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
			var before []ledger.Item
			for _, id := range []string{peer, pair} {
				items, err := h.Contest.Ledger.Items(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				before = append(before, items...)
				if _, err := h.Contest.Ledger.MarkAll(t.Context(), items, func(i *ledger.Item) { i.Made = record.Add(c.after) }); err != nil {
					t.Fatal(err)
				}
			}
			raw := fmt.Sprintf(`{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"eu-west-1","detail":{"eventName":%q,"eventTime":"2026-11-22T09:00:00Z","eventID":"e-1",
				"userIdentity":{"arn":"arn:aws:iam::111111111111:user/eva"},"requestParameters":%s,"responseElements":%s}}`, c.call, c.parameters, c.answer)
			for range 2 { // as it may come
				if _, err := h.Find(t.Context(), workflow.FindConnectionsInput{Event: []byte(raw)}); err != nil {
					t.Fatal(err)
				}
			}
			after := 0
			for _, id := range []string{peer, pair} {
				items, err := h.Contest.Ledger.Items(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				after += len(items)
				entry, _, err := h.Contest.Ledger.Connection(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				want := 0
				if slices.Contains(c.of, id) {
					want = 1
				}
				told := 0
				for _, a := range h.asked {
					if strings.HasPrefix(a, event.ContestToReport) && strings.HasSuffix(a, id) {
						told++
					}
				}
				if len(entry.Theirs) != want || told != want || want > 0 && entry.Theirs[0].TakenBy.Who != "arn:aws:iam::111111111111:user/eva" {
					t.Errorf("%s: %+v, asked for %q", id, entry.Theirs, h.asked)
				}
			}
			if len(before)-after != len(c.of) {
				t.Errorf("%d of %d items are left", after, len(before))
			}
		})
	}
}

// A thousand calls about what is not ours cost one read of the hub each, those of a group a few: no write, no look, no member.
func TestWhatIsNotTheLedgersCostsOneRead(t *testing.T) {
	h := newHub(t)
	for _, touch := range event.Touches {
		if touch.Call == "DeleteRole" {
			continue // it may have had a tag of Drawbridge's, whoever deletes it
		}
		out := h.find(t, touch.Service, touch.Call, fmt.Sprintf(`{%q:"somebodys-own"}`, touch.Resource[0]))
		reads := 1
		if touch.Call == "DeleteSecurityGroup" { // the connections of the place, and what the one VPC with an endpoint has
			reads = 4
		}
		if touch.Call == "DeleteRoute" || touch.Call == "ReplaceRoute" { // it may have been in the way of a connection that falls short
			reads = 3
		}
		if out.Result != workflow.Nothing || h.store.reads != reads || h.store.writes != 0 || h.entered != 0 || len(h.asked) > 0 {
			t.Errorf("%s: %s with %d reads, %d writes, %d members entered, %v", touch.Call, out.Result, h.store.reads, h.store.writes, h.entered, h.asked)
		}
	}
}

// A route of somebody's own may have been in the way of a connection that falls short: it is looked at, and no other is.
func TestWhoseRouteWasFreed(t *testing.T) {
	h := newHub(t)
	stands := func(id string, as workflow.Result) {
		if _, err := h.Contest.Ledger.Change(t.Context(), id, func(c *ledger.Connection) { c.Status = ledger.Status(as) }); err != nil {
			t.Fatal(err)
		}
	}
	stands("tgw-00000001:vpc-00000001:vpc-0000000f", workflow.Connected)
	for as, want := range map[workflow.Result][]string{workflow.Connected: nil, workflow.PartlyConnected: {"Peering To Inspect pcx-00000001"}, workflow.RefusedByPolicy: {"Peering To Inspect pcx-00000001"}, workflow.AwaitingApproval: nil} {
		stands("pcx-00000001", as)
		for _, call := range []string{"DeleteRoute", "ReplaceRoute"} {
			if h.find(t, "ec2", call, `{"routeTableId":"rtb-0000000a","destinationCidrBlock":"10.2.0.0/16"}`); !slices.Equal(h.asked, want) {
				t.Errorf("%s of %s: %v, want %v", call, as, h.asked, want)
			}
		}
		if h.find(t, "ec2", "RevokeSecurityGroupIngress", `{"groupId":"sg-0000000a"}`); len(h.asked) > 0 {
			t.Error(h.asked)
		}
	}
}

func TestStatusTagsAreWrittenAnewOnceAndThenContested(t *testing.T) {
	h := newHub(t)
	const tags = `{"resourcesSet":{"items":[{"resourceId":"pcx-00000001"}]},"tagSet":{"items":[{"key":"drawbridge:status"}]}}`
	t.Run("first", func(t *testing.T) {
		for range 2 { // delivered twice
			if out := h.find(t, "ec2", "DeleteTags", tags); out.Contested != "" || !slices.Equal(h.asked, []string{"Peering To Inspect pcx-00000001"}) {
				t.Errorf("%v, %+v", h.asked, out)
			}
		}
	})
	t.Run("again", func(t *testing.T) {
		if out := h.find(t, "ec2", "DeleteTags", tags); out.Contested != "pcx-00000001" || len(h.asked) > 0 {
			t.Errorf("%v, %+v", h.asked, out)
		}
	})
	t.Run("of what is not managed", func(t *testing.T) {
		if out := h.find(t, "ec2", "DeleteTags", strings.Replace(tags, "pcx-00000001", "pcx-00000002", 1)); out.Contested != "" || len(h.asked) > 0 {
			t.Errorf("%v, %+v", h.asked, out)
		}
	})
}

func TestAnOwnerWhoAsksAnewSettlesTheirOwn(t *testing.T) {
	h := newHub(t)
	items, err := h.Contest.Ledger.Of(t.Context(), here.Account, here.Region, "rtb-00000001")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Contest.Ledger.MarkAll(t.Context(), items, func(i *ledger.Item) { i.State, i.Taken = ledger.Contested, 2 }); err != nil {
		t.Fatal(err)
	}
	states := func() []ledger.State {
		items, err := h.Contest.Ledger.Of(t.Context(), here.Account, here.Region, "rtb-00000001")
		if err != nil {
			t.Fatal(err)
		}
		return []ledger.State{items[0].State, items[1].State}
	}
	const ask = `{"resourcesSet":{"items":[{"resourceId":"ID"}]},"tagSet":{"items":[{"key":"KEY","value":"true"}]}}`
	for _, c := range []struct {
		call, id, key string
		want          []ledger.State
	}{
		{"CreateTags", "pcx-00000002", "drawbridge:approval", []ledger.State{ledger.Contested, ledger.Contested}},
		{"DeleteTags", "pcx-00000001", "drawbridge:approval", []ledger.State{ledger.Contested, ledger.Contested}},
		{"CreateTags", "pcx-00000001", "drawbridge:approval", []ledger.State{ledger.Intended, ledger.Contested}},
		{"CreateTags", "vpc-00000001", "drawbridge:accept", []ledger.State{ledger.Intended, ledger.Intended}},
	} {
		h.find(t, "ec2", c.call, strings.NewReplacer("ID", c.id, "KEY", c.key).Replace(ask))
		if got := states(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s of %s on %s: %v, want %v", c.call, c.key, c.id, got, c.want)
		}
	}
}

func TestAContestIsReported(t *testing.T) {
	h := newHub(t)
	out, err := h.Find(t.Context(), workflow.FindConnectionsInput{Event: []byte(`{"source":"drawbridge.internal","detail-type":"Contest To Report","account":"123456789012","region":"us-east-1","detail":{"connection":"pcx-00000001","reason":"x"}}`)})
	if err != nil || out.Contested != "pcx-00000001" || h.store.reads != 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

// Every kind of connection that has a machine is looked at by it.
func TestLook(t *testing.T) {
	sides := []ledger.Side{{Account: "222222222222", Region: "eu-west-1", ID: "vpc-2"}, {Account: here.Account, Region: here.Region, ID: "vpc-1"}}
	for kind, id := range map[road.Kind]string{road.Peering: "pcx-1", road.Transit: "tgw-1:vpc-1:vpc-2", road.Attachment: "tgw-attach-1", road.DataAPI: "arn:aws:rds:eu-west-1:111111111111:cluster:sales",
		road.DataAPIEndpoint: "vpc-1", road.PrivateNotebooks: "vpc-1", road.Studio: "arn:aws:redshift:eu-west-1:111111111111:cluster:sales"} {
		l, ok := look.At(ledger.Connection{ID: id, Kind: kind, Sides: sides}, here, "DeleteRoute")
		if !ok || !strings.Contains(fmt.Sprintf("%+v", l), here.Account) {
			t.Errorf("%s: %+v", kind, l)
		}
	}
	// A hand at an execution role in a consumer's account leads to the cluster, which is in another.
	const warehouse = "arn:aws:redshift:eu-west-1:222222222222:cluster:sales"
	l, ok := look.At(ledger.Connection{ID: warehouse, Kind: "studio", Sides: []ledger.Side{{Role: "producer", Account: "222222222222", Region: "eu-west-1", ID: warehouse},
		{Role: "consumer", Account: here.Account, Region: here.Region, ID: here.Account}}}, here, "DeleteRolePolicy")
	if want := (event.StudioInspection{Account: "222222222222", Region: "eu-west-1", Cluster: "sales", Reason: "DeleteRolePolicy"}); !ok || l != want {
		t.Errorf("%+v, want %+v", l, want)
	}
	if _, ok := look.At(ledger.Connection{ID: "x", Kind: "unheard"}, here, ""); ok {
		t.Error("a kind that nobody knows is looked at")
	}
}

// A line that was put back before, and a DNS option that a look found off before the record came, are looked at with their connection.
func TestWhatMayBeContestedIsLookedAtWithItsConnection(t *testing.T) {
	for name, c := range map[string]struct {
		mark                func(*ledger.Item)
		service, call, body string
		resource            string
		cidrs               bool
		want                []string
	}{
		"a line that was taken before": {func(i *ledger.Item) { i.Taken = 1 }, "sagemaker", "UpdateNotebookInstanceLifecycleConfig", `{"notebookInstanceLifecycleConfigName":"on-start"}`, "on-start", true,
			[]string{"Peering To Inspect pcx-00000001", "Transit To Inspect tgw-00000001 vpc-00000001 vpc-0000000f"}},
		"a line for no connection": {func(i *ledger.Item) { i.Taken = 1 }, "sagemaker", "UpdateNotebookInstanceLifecycleConfig", `{"notebookInstanceLifecycleConfigName":"on-start"}`, "on-start", false,
			[]string{"Notebook To Inspect Analysis", "Notebook To Inspect Research"}},
		"an option that a look missed": {func(i *ledger.Item) { i.Taken, i.Missed = 1, i.At }, "ec2", "ModifyVpcPeeringConnectionOptions",
			`{"ModifyVpcPeeringConnectionOptionsRequest":{"VpcPeeringConnectionId":"pcx-00000001"}}`, "pcx-00000001", true, []string{"Peering To Inspect pcx-00000001"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			items, err := h.Contest.Ledger.Of(t.Context(), here.Account, here.Region, c.resource)
			if err != nil || len(items) != 1 {
				t.Fatal(items, err)
			}
			if _, err := h.Contest.Ledger.Mark(t.Context(), items[0], c.mark); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"pcx-00000001", "tgw-00000001:vpc-00000001:vpc-0000000f"} {
				if _, err := h.Contest.Ledger.Change(t.Context(), id, func(entry *ledger.Connection) {
					if c.cidrs {
						entry.Sides[0].CIDRs, entry.Sides[1].CIDRs = []string{"10.1.0.0/16"}, []string{"10.2.0.0/16"}
					}
				}); err != nil {
					t.Fatal(err)
				}
			}
			if h.find(t, c.service, c.call, c.body); !slices.Equal(h.asked, c.want) {
				t.Errorf("asked for %q, want %q", h.asked, c.want)
			}
		})
	}
}
