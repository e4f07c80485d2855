package peering_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/rebuild"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	access "github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// marked is a land as a rebuild reads it: what carries marks, in bulk.
type marked struct{ *land }

func (m marked) DescribeVpcPeeringConnections(ctx context.Context, in *ec2.DescribeVpcPeeringConnectionsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	if len(in.Filters) != 1 || *in.Filters[0].Name != "tag-key" || in.Filters[0].Values[0] != "drawbridge:status" {
		return nil, code("InvalidParameterValue")
	}
	out := &ec2.DescribeVpcPeeringConnectionsOutput{}
	for _, id := range slices.Sorted(maps.Keys(m.realm.peerings)) {
		if m.tags[id]["drawbridge:status"] == "" {
			continue
		}
		one, err := m.land.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{id}})
		if err != nil {
			return nil, err
		}
		out.VpcPeeringConnections = append(out.VpcPeeringConnections, one.VpcPeeringConnections...)
	}
	return out, nil
}

func (m marked) DescribeSecurityGroupRules(ctx context.Context, in *ec2.DescribeSecurityGroupRulesInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	if len(in.Filters) != 1 || *in.Filters[0].Name != "tag:drawbridge:connection" || in.Filters[0].Values[0] != "*" {
		return nil, code("InvalidParameterValue")
	}
	out, err := m.land.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: m.groups}}})
	if err == nil {
		out.SecurityGroupRules = slices.DeleteFunc(out.SecurityGroupRules, func(r types.SecurityGroupRule) bool {
			return !slices.ContainsFunc(r.Tags, func(t types.Tag) bool { return *t.Key == "drawbridge:connection" })
		})
	}
	return out, err
}

func (m marked) DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error) {
	return &ec2.DescribeTransitGatewayAttachmentsOutput{}, nil
}

func (m marked) GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error) {
	return &ec2.GetTransitGatewayAttachmentPropagationsOutput{}, nil
}

func (m marked) DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error) {
	return &ec2.DescribeTransitGatewaysOutput{}, nil
}

// bare is an account that has nothing of RAM's and IAM's.
type bare struct {
	share.RAM
	rebuild.IAM
}

func (bare) GetResourceShareInvitations(context.Context, *ram.GetResourceShareInvitationsInput, ...func(*ram.Options)) (*ram.GetResourceShareInvitationsOutput, error) {
	return &ram.GetResourceShareInvitationsOutput{}, nil
}

func (bare) GetAccountAuthorizationDetails(context.Context, *iam.GetAccountAuthorizationDetailsInput, ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	return &iam.GetAccountAuthorizationDetailsOutput{}, nil
}

// withoutReaders has no Redshift cluster, and so nobody asks for Studio domains.
type withoutReaders struct {
	studio
	access.DomainReader
}

func (withoutReaders) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{}, nil
}

func (m marked) DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error) {
	return &ec2.DescribeVpcEndpointsOutput{}, nil
}

// rebuilt rebuilds the ledger from both lands, and returns what the visits say, by kind.
func (w *realm) rebuilt(t *rapid.T) map[string]workflow.Found {
	r := rebuild.Rebuilder{Ledger: w.ledger, Enter: func(_ string, at event.Place) rebuild.Clients {
		l := w.lands[at.Account]
		return rebuild.Clients{EC2: marked{l}, SageMaker: withoutReaders{studio: studio{l}}, RDS: l, Redshift: withoutReaders{}, IAM: bare{}, RAM: bare{}}
	}}
	all := map[string]workflow.Found{}
	for _, account := range []string{alpha, beta} {
		out, err := r.Rebuild(context.Background(), workflow.SweepAccountInput{Execution: "x", Territory: workflow.Territory{Account: account, Regions: []string{"eu-west-1"}}})
		if err != nil || out.Closed != "" {
			t.Fatalf("rebuilding %s: %v %s", account, err, out.Closed)
		}
		for _, f := range out.Found {
			was := all[f.Kind]
			f.Seen, f.Written, f.Untold, f.Names = f.Seen+was.Seen, f.Written+was.Written, f.Untold+was.Untold, append(f.Names, was.Names...)
			all[f.Kind] = f
		}
	}
	return all
}

// told returns the items of the ledger that a rebuild can tell exactly, as far as it can: not what was there before, and not when.
func (w *realm) told(t *rapid.T) map[string]ledger.Item {
	out := map[string]ledger.Item{}
	for _, row := range rows(t, w.ledger) {
		var i ledger.Item
		if !strings.HasPrefix(row.Part, "resource#") {
			continue
		}
		if err := json.Unmarshal(row.Body, &i); err != nil {
			t.Fatal(err)
		}
		if i.Kind == ledger.DNSOption {
			continue
		}
		out[row.Part+" "+row.Sort] = ledger.Item{Account: i.Account, Region: i.Region, Resource: i.Resource, Kind: i.Kind, Key: i.Key, State: i.State, Left: i.Left, Needed: i.Needed}
	}
	return out
}

// rows returns all rows of a ledger in memory.
func rows(t *rapid.T, l ledger.Ledger) []ledger.Row {
	got, err := l.Store.Read(context.Background(), l.Store.(*ledgertest.Memory).Rows())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b ledger.Row) int { return strings.Compare(a.Part+a.Sort, b.Part+b.Sort) })
	return got
}

// For any world that Drawbridge connected, among things of its owners: the table is lost, and what the rebuild writes of routes, rules and lines is
// what was there before; nothing that somebody else made is in it; it changes nothing in the accounts, and the second time nothing at all. Then the
// peering is deleted, and everything that Drawbridge added goes, but for the dead routes that it replaced, of which nobody knows any more.
func TestARebuiltLedgerIsTheLedgerThatWasLost(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	connected, kinds, others := 0, map[ledger.Kind]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawRealm(t, "vgw-1")
		w.peerings[byHand] = "active"
		for _, l := range w.lands {
			l.tags[byHand], l.dns[byHand] = map[string]string{"team": "q"}, false
			l.tables[1].routes = append(l.tables[1].routes, &heldRoute{destination: "10.80.0.0/16", target: byHand})
		}
		if who := rapid.SampledFrom([]string{alpha, beta, ""}).Draw(t, "liar"); who != "" { // one owner says by tags that the other's things are Drawbridge's
			w.lands[who].tags[byHand]["drawbridge:status"] = "Connected"
			other := w.lands[map[string]string{alpha: beta, beta: alpha}[who]]
			w.lands[who].rules = append(w.lands[who].rules, &heldTag{id: "sgr-lie", group: "sg-2", cidr: other.cidrs[0].String(), port: 5432,
				tags: map[string]string{"drawbridge:connection": byHand, "drawbridge:peer": other.account + "/eu-west-1/" + other.vpc}})
		}
		without := w.clone()
		const id = "pcx-00000001"
		for _, r := range []*realm{w, without} {
			r.peerings[id] = "active"
			for _, l := range r.lands {
				l.tags[id], l.dns[id] = map[string]string{"team": "z"}, false
			}
		}
		w.asked = id
		if !w.run(t, id, alpha, 1000) {
			return // a conflict, which stays one
		}
		connected++
		for _, who := range []string{alpha, beta} {
			destination := map[string]string{alpha: "10.2.5.0/24", beta: "10.1.5.0/24"}[who]
			if rapid.Bool().Draw(t, "own things") {
				others++
				own(w, without, who, func(l *land) {
					l.tables[1].routes = append(l.tables[1].routes, &heldRoute{destination: destination, target: id})
					l.rules = append(l.rules, &heldTag{id: fmt.Sprintf("sgr-own-%d", len(l.rules)), group: "sg-1", cidr: "10.0.0.0/8", port: 3306, tags: map[string]string{"drawbridge:connection": id, "drawbridge:peer": "no/such/vpc-1"}})
				})
			}
		}
		before, texts := w.told(t), []string{w.lands[alpha].text(), w.lands[beta].text()}
		entry, _, err := w.ledger.Connection(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		w.ledger.Store = &ledgertest.Memory{}

		first := w.rebuilt(t)
		after, whole := w.told(t), rows(t, w.ledger)
		if !maps.EqualFunc(before, after, func(a, b ledger.Item) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
			t.Fatalf("before the table was lost\n%v\nand rebuilt\n%v\n%+v", before, after, first)
		}
		made := func(l *land, i ledger.Item) bool {
			switch i.Kind {
			case ledger.Route:
				table, at := l.route(i.Resource, i.Key)
				return at >= 0 && table.routes[at].ours
			case ledger.Rule:
				return slices.ContainsFunc(l.rules, func(r *heldTag) bool {
					return r.id == i.Left && !strings.HasPrefix(r.id, "sgr-own") && r.id != "sgr-lie"
				})
			}
			lines, err := lifecycle.Lines(context.Background(), studio{l}, i.Resource)
			subnet, destination, _ := strings.Cut(i.Key, " ")
			return err == nil && slices.ContainsFunc(lines, func(line lifecycle.Line) bool {
				return line.Subnet.String() == subnet && slices.Contains(line.Destinations, netip.MustParsePrefix(destination))
			})
		}
		for _, i := range after {
			if kinds[i.Kind]++; !made(w.lands[i.Account], i) {
				t.Fatalf("%+v is not Drawbridge's", i)
			}
		}
		now, _, err := w.ledger.Connection(context.Background(), id)
		if err != nil || now.Status != entry.Status || now.Origin != entry.Origin || fmt.Sprint(now.Sides) != fmt.Sprint(entry.Sides) || !now.At.Equal(entry.At) {
			t.Fatalf("the entry was\n%+v\nand is\n%+v, %v", entry, now, err)
		}
		if _, managed, _ := w.ledger.Connection(context.Background(), byHand); managed {
			t.Fatal("what was made by hand is managed")
		}
		for kind, f := range w.rebuilt(t) {
			if f.Written != 0 || f.Seen != first[kind].Seen {
				t.Fatalf("the second time: %+v, after %+v", f, first[kind])
			}
		}
		if again := rows(t, w.ledger); fmt.Sprint(again) != fmt.Sprint(whole) {
			t.Fatalf("the second time the ledger became\n%v\nit was\n%v", again, whole)
		}
		if now := []string{w.lands[alpha].text(), w.lands[beta].text()}; !slices.Equal(now, texts) {
			t.Fatalf("the accounts were\n%s\nand are\n%s", texts, now)
		}

		w.asked, w.peerings[id], without.peerings[id] = "", "deleted", "deleted"
		for range 2 {
			if !w.run(t, id, alpha, 1000) {
				t.Fatal("the removal did not end")
			}
		}
		for _, r := range []*realm{w, without} {
			for _, l := range r.lands {
				for name, b := range l.books {
					b.status = "Stopped"
					for range 2 {
						r.inLine(t, l, name)
					}
				}
			}
		}
		if len(w.violations) > 0 {
			t.Fatalf("violations: %q", w.violations)
		}
		for account, l := range w.lands {
			want := strings.Split(without.lands[account].text(), "\n")
			got := strings.Split(l.text(), "\n")
			want = slices.DeleteFunc(want, func(line string) bool { return strings.HasSuffix(line, "pcx-dead") && !slices.Contains(got, line) })
			if !slices.Equal(got, want) {
				t.Fatalf("account %s is\n%s\nand without Drawbridge it would be\n%s", account, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	})
	if connected == 0 || others == 0 || kinds[ledger.Route] == 0 || kinds[ledger.Rule] == 0 || kinds[ledger.HostRoute] == 0 {
		t.Fatalf("%d connected, %d with others' things, items %v: this shows nothing", connected, others, kinds)
	}
}
