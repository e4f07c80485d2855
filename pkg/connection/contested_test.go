package connection_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// world remembers what it is told.
type world struct {
	account string
	tags    map[string][]string // by account: the values of tags
	events  *[]string
}

func (w world) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	for _, t := range in.Tags {
		w.tags[w.account] = append(w.tags[w.account], *t.Value)
	}
	return &ec2.CreateTagsOutput{}, nil
}

func (w world) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		*w.events = append(*w.events, *e.DetailType)
	}
	return &eventbridge.PutEventsOutput{Entries: nil}, nil
}

// The policy is asked for each side about what is taken away there.
func TestLeftIn(t *testing.T) {
	vpc := func(account string) policy.VPC {
		return policy.VPC{ID: "vpc-" + account, Region: "eu-west-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, Account: policy.Account{ID: account, Organization: "o-1", OUPath: "o-1/r-1/"}}
	}
	for text, want := range map[string]string{
		"": "[]",
		`@id("a") forbid (principal, action == Drawbridge::Action::"Restore", resource in Drawbridge::Account::"222222222222");`: "[222222222222]",
		`@id("a") forbid (principal, action == Drawbridge::Action::"Restore", resource);`:                                        "[111111111111 222222222222]",
	} {
		set, err := policy.Parse("test", []byte(policy.DefaultText()+text))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(connection.LeftIn(set, vpc("111111111111"), vpc("222222222222"), policy.Context{})); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// Whose tags do not hold is written in the entry, and no more once they do.
func TestTheEntrySaysWhoKeepsNothingOut(t *testing.T) {
	l, _ := ledgertest.New()
	side := func(account, policy string) workflow.Side {
		return workflow.Side{VPC: workflow.VPC{Account: account}, Overruled: policy}
	}
	c := workflow.Connection{ID: "pcx-1"}
	entry, err := l.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering"})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		sides []workflow.Side
		want  string
	}{
		{[]workflow.Side{side("222222222222", ""), side("111111111111", "")}, "map[]"},
		{[]workflow.Side{side("222222222222", "a"), side("111111111111", ""), side("222222222222", "a"), side("111111111111", "a")}, "map[111111111111:a 222222222222:a]"},
		{[]workflow.Side{side("222222222222", ""), side("111111111111", "b")}, "map[111111111111:b]"},
		{nil, "map[]"},
	} {
		if entry, err = connection.Manage(t.Context(), l, c, ledger.Connection{Overruled: connection.OverruledIn(step.sides)}, entry, true); err != nil {
			t.Fatal(err)
		}
		there, _, err := l.Connection(t.Context(), "pcx-1")
		if got := fmt.Sprint(there.Overruled); err != nil || got != step.want || fmt.Sprint(entry.Overruled) != got {
			t.Errorf("%v, %s, want %s", err, got, step.want)
		}
	}
}

// What is contested ends the look Contested, says so in the tags of both sides, and has people told; tags that were taken away twice are not
// written there.
func TestAContestedConnectionIsNotConnected(t *testing.T) {
	const left, right = "111111111111", "222222222222"
	vpc := func(account string) workflow.VPC {
		return workflow.VPC{Account: account, Region: "eu-west-1", ID: "vpc-" + account}
	}
	in := workflow.VerifyConnectionInput{Execution: "run", Connection: workflow.Connection{ID: "pcx-1", Target: "pcx-1", Requester: vpc(left), Accepter: vpc(right)},
		Sides: []workflow.Side{{VPC: vpc(left), Peer: vpc(right), StatusResource: "pcx-1"}, {VPC: vpc(right), Peer: vpc(left), StatusResource: "pcx-1"}}}
	for name, c := range map[string]struct {
		contested, untagged bool
		want                workflow.Result
		event               string
	}{
		"nothing is contested": {false, false, workflow.Connected, "Connection Connected"},
		"a route is":           {true, false, workflow.Contested, "Contest To Report"},
		"the tags are":         {false, true, workflow.Connected, "Connection Connected"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			l, _ := ledgertest.New()
			entry := ledger.Connection{ID: "pcx-1", Kind: "peering"}
			if c.untagged {
				entry.Untagged = map[string]ledger.Untagged{left: {Times: 2}}
			}
			_, err := l.Begin(ctx, entry)
			if err != nil {
				t.Fatal(err)
			}
			recorded, err := l.Record(ctx, "pcx-1", ledger.Item{Account: left, Region: "eu-west-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.MarkAll(ctx, recorded, func(i *ledger.Item) {
				if i.State = ledger.Confirmed; c.contested {
					i.State = ledger.Contested
				}
			}); err != nil {
				t.Fatal(err)
			}
			events, tags := []string{}, map[string][]string{}
			enter := func(v workflow.VPC) connection.Tagger {
				return world{account: v.Account, tags: tags, events: &events}
			}
			out, err := connection.Verifier{Ledger: l, Bus: notice.Bus{API: world{events: &events}, Name: "drawbridge"}, Enter: enter, Still: func(context.Context) error { return nil }}.Verify(ctx, in)
			if err != nil || out.Result != c.want || !slices.Equal(events, []string{c.event}) {
				t.Fatalf("%+v, %v, announced %v", out, err, events)
			}
			if len(tags[right]) == 0 || tags[right][0] != string(c.want) || (len(tags[left]) == 0) != c.untagged {
				t.Errorf("tags %v", tags)
			}
			if strings.Contains(strings.Join(tags[right], " "), "rtb-1") {
				t.Errorf("the other side reads %v", tags[right])
			}
		})
	}
}
