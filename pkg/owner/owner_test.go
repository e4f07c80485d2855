package owner_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// mail is SNS: what it delivered, by account, and whether it fails.
type mail struct {
	got   map[string][]string
	fails error
}

func (m *mail) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	if m.fails != nil {
		return nil, m.fails
	}
	account := aws.ToString(in.MessageAttributes["account"].StringValue)
	m.got[account] = append(m.got[account], aws.ToString(in.Message))
	return &sns.PublishOutput{}, nil
}

var pair = workflow.Connection{ID: "pcx-1", Requester: workflow.VPC{Account: "111111111111", Region: "eu-west-1", ID: "vpc-1"}, Accepter: workflow.VPC{Account: "222222222222", Region: "eu-west-1", ID: "vpc-2"}}

func stands(databases ...string) owner.News {
	side := workflow.Side{Role: "accepter", VPC: pair.Accepter, Peer: pair.Requester}
	side.Ways = []workflow.Way{{Subnets: []string{"subnet-1"}, To: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")}}, {Subnets: []string{"subnet-2"}, To: []netip.Prefix{netip.MustParsePrefix("10.1.1.0/24")}}}
	for _, d := range databases {
		side.AllowedDatabases = append(side.AllowedDatabases, workflow.AllowedDatabase{Database: d, Port: 3306})
	}
	return owner.Stands(workflow.VerifyConnectionInput{Execution: "e", Reason: "connected by policy p", Connection: pair, Sides: []workflow.Side{side}}, workflow.VerifyConnectionOutput{Result: workflow.Connected, Reason: "connected by policy p"})
}

func TestBothOwnersHearOnceOfEachThingThatChanges(t *testing.T) {
	ctx, m := context.Background(), &mail{got: map[string][]string{}}
	book, _ := ledgertest.New()
	teller := owner.Teller{Ledger: book, Topic: notice.Topic{API: m, ARN: "topic"}}
	tell := func(n owner.News, want int, about string) {
		t.Helper()
		if err := teller.Tell(ctx, n); err != nil {
			t.Fatalf("%s: %v", about, err)
		}
		for _, account := range []string{"111111111111", "222222222222"} {
			if len(m.got[account]) != want {
				t.Fatalf("%s: account %s heard %d times, want %d: %v", about, account, len(m.got[account]), want, m.got[account])
			}
		}
	}
	tell(stands("sales"), 0, "one that is not managed")
	if _, err := book.Begin(ctx, ledger.Connection{ID: pair.ID, Kind: "peering"}); err != nil {
		t.Fatal(err)
	}
	m.fails = errors.New("no")
	if err := teller.Tell(ctx, stands("sales")); err == nil {
		t.Fatal("a failure is hidden")
	}
	m.fails = nil
	tell(stands("sales"), 1, "after a failure")
	tell(stands("sales"), 1, "the same")
	tell(stands("sales", "orders"), 2, "a database came")
	refused := owner.Refused(workflow.ConcludeInput{Connection: pair, Said: workflow.Said{Requester: "ask the owner", Accepter: "your tag says so"}}, workflow.ConcludeOutput{Result: workflow.RefusedByPolicy})
	tell(refused, 3, "it is refused")
	tell(refused, 3, "the same refusal of the next sweep")
	tell(owner.Ended(workflow.ConcludeRemovalInput{Connection: pair, Result: workflow.Removed, Reason: "the owner takes it back"}), 4, "it ends")
	one, two := m.got["111111111111"], m.got["222222222222"]
	if !strings.Contains(one[2], "ask the owner") || strings.Contains(one[2], "your tag") || !strings.Contains(two[2], "your tag says so") {
		t.Errorf("each side has a text of its own:\n%s\n%s", one[2], two[2])
	}
	if !strings.Contains(one[0], "sales in vpc-2 of account 222222222222, TCP port 3306") || !strings.Contains(one[0], "routes of vpc-2 in account 222222222222 to 10.1.0.0/23") || !strings.Contains(two[3], "the owner takes it back") {
		t.Errorf("the messages do not say what they are about:\n%s\n%s", one[0], two[3])
	}
}

// What is contested is told with its remedy, by another; that it stands again after that is news.
func TestWhatIsContestedIsNotToldTwice(t *testing.T) {
	ctx, m := context.Background(), &mail{got: map[string][]string{}}
	book, _ := ledgertest.New()
	teller := owner.Teller{Ledger: book, Topic: notice.Topic{API: m, ARN: "topic"}}
	if _, err := book.Begin(ctx, ledger.Connection{ID: pair.ID, Kind: "peering"}); err != nil {
		t.Fatal(err)
	}
	contested := stands("sales")
	contested.Result = workflow.Contested
	for n, each := range []struct {
		news owner.News
		want int
	}{{stands("sales"), 1}, {contested, 1}, {contested, 1}, {stands("sales"), 2}} {
		if err := teller.Tell(ctx, each.news); err != nil {
			t.Fatal(err)
		}
		if got := len(m.got["111111111111"]); got != each.want || len(m.got["222222222222"]) != got {
			t.Errorf("after news %d they heard %v, want %d each", n+1, m.got, each.want)
		}
	}
}

func TestOneAccountHearsOnce(t *testing.T) {
	n := stands("sales")
	n.Connection.Accepter.Account = n.Connection.Requester.Account
	if got := owner.Messages(n); len(got) != 1 {
		t.Errorf("%d messages to one account that say the same", len(got))
	}
	n.Said = workflow.Said{Requester: "your table is full", Accepter: "your group is full"}
	got := owner.Messages(n)
	if len(got) != 1 || !strings.Contains(got[0].Body, n.Said.Requester) || !strings.Contains(got[0].Body, n.Said.Accepter) {
		t.Errorf("one account hears what is for either side, once: %v", got)
	}
	n.Said.Requester = ""
	if got := owner.Messages(n); len(got) != 1 || !strings.Contains(got[0].Body, n.Said.Accepter) {
		t.Errorf("what is said to one side alone: %v", got)
	}
}

// What is refused for the reason for which it was taken away is no news, nor that AWS shows as rejected what Drawbridge rejected. Another reason is.
func TestOneEndIsToldOnce(t *testing.T) {
	said := workflow.Alike("refused by policy p")
	refused := func(said workflow.Said, rejects bool) owner.News {
		in := workflow.ConcludeInput{Connection: pair, Said: said, Members: []string{"requester", "accepter"}}
		in.Reject.Allowed = rejects
		return owner.Refused(in, workflow.ConcludeOutput{Result: workflow.RefusedByPolicy})
	}
	removed := owner.Ended(workflow.ConcludeRemovalInput{Connection: pair, Result: workflow.Removed, Said: said})
	rejected := owner.Ended(workflow.ConcludeRemovalInput{Connection: pair, Result: workflow.Rejected, Reason: "pcx-1 is rejected"})
	for name, c := range map[string]struct {
		first, then owner.News
		want        int
	}{
		"refused for the reason of the removal": {removed, refused(said, false), 1},
		"refused for another":                   {removed, refused(workflow.Alike("refused by policy q"), false), 2},
		"rejected, and shown so":                {refused(said, true), rejected, 1},
		"refused, and rejected by its owner":    {refused(said, false), rejected, 2},
		"it stands, and is over":                {stands("sales"), removed, 2},
	} {
		ctx, m := context.Background(), &mail{got: map[string][]string{}}
		book, _ := ledgertest.New()
		if _, err := book.Begin(ctx, ledger.Connection{ID: pair.ID, Kind: "peering"}); err != nil {
			t.Fatal(err)
		}
		teller := owner.Teller{Ledger: book, Topic: notice.Topic{API: m, ARN: "topic"}}
		for _, n := range []owner.News{c.first, c.then} {
			if err := teller.Tell(ctx, n); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(m.got["111111111111"]); got != c.want || len(m.got["222222222222"]) != c.want {
			t.Errorf("%s: they heard %d times, want %d", name, got, c.want)
		}
	}
}

// Who takes part in a VPC and has something of the connection hears with its owner, but nothing of others' databases there.
func TestParticipantsHear(t *testing.T) {
	ctx, m := context.Background(), &mail{got: map[string][]string{}}
	book, _ := ledgertest.New()
	side := ledger.Side{Role: "accepter", Account: pair.Accepter.Account, Region: pair.Accepter.Region, ID: pair.Accepter.ID, Participants: []string{"333333333333", "444444444444"}}
	if _, err := book.Begin(ctx, ledger.Connection{ID: pair.ID, Kind: "peering", Sides: []ledger.Side{side}}); err != nil {
		t.Fatal(err)
	}
	of := func(account string, databases ...string) workflow.Side {
		s := workflow.Side{Role: "accepter", VPC: pair.Accepter, Peer: pair.Requester, Owner: pair.Accepter.Account}
		s.VPC.Account = account
		for _, d := range databases {
			s.AllowedDatabases = append(s.AllowedDatabases, workflow.AllowedDatabase{Database: d, Port: 5432})
		}
		return s
	}
	own := workflow.Side{Role: "accepter", VPC: pair.Accepter, Peer: pair.Requester, AllowedDatabases: []workflow.AllowedDatabase{{Database: "sales", Port: 3306}}}
	in := workflow.VerifyConnectionInput{Reason: "connected by policy p", Connection: pair, Sides: []workflow.Side{own, of("333333333333", "books"), of("444444444444")}}
	teller := owner.Teller{Ledger: book, Topic: notice.Topic{API: m, ARN: "topic"}}
	for _, n := range []owner.News{owner.Stands(in, workflow.VerifyConnectionOutput{Result: workflow.Connected}),
		owner.Ended(workflow.ConcludeRemovalInput{Connection: pair, Result: workflow.Removed, Reason: "over", Disconnected: []workflow.Disconnected{{Side: own}, {Side: of("333333333333")}}}),
		owner.Ended(workflow.ConcludeRemovalInput{Connection: pair, Result: workflow.Released, Reason: "let go"})} {
		if err := teller.Tell(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	for account, want := range map[string]int{"111111111111": 3, "222222222222": 3, "333333333333": 3, "444444444444": 1} {
		if len(m.got[account]) != want {
			t.Errorf("%s heard %d times, want %d: %v", account, len(m.got[account]), want, m.got[account])
		}
	}
	if text := m.got["333333333333"][0]; !strings.Contains(text, "books in") || strings.Contains(text, "sales in") {
		t.Errorf("the participant reads %s", text)
	}
	if text := m.got["222222222222"][0]; !strings.Contains(text, "books in") || !strings.Contains(text, "sales in") {
		t.Errorf("the owner reads %s", text)
	}
}

func TestNoNewsOfAStepThatFailed(t *testing.T) {
	m := &mail{got: map[string][]string{}, fails: errors.New("it was asked")}
	book, _ := ledgertest.New()
	teller := owner.Teller{Ledger: book, Topic: notice.Topic{API: m}}
	failed := errors.New("failed")
	_, err := owner.After(context.Background(), teller, func() (int, error) { return 0, failed }, func(int) owner.News { t.Error("news of what failed"); return owner.News{} })
	if !errors.Is(err, failed) {
		t.Error(err)
	}
}

// Which tags do not bring what they say each owner hears of its own things alone, and a participant of what is its own.
func TestWhoHearsOfTagsThatAreNotHeeded(t *testing.T) {
	const guest = "333333333333"
	sides := func(participants string) []workflow.Side {
		out := []workflow.Side{
			{Role: "requester", VPC: pair.Requester, Unheeded: []string{"rtb-1: not kept out", "shared and not opened: cache"}},
			{Role: "accepter", VPC: pair.Accepter, Unheeded: []string{"sg-2: not kept out"}},
			{Role: "accepter", VPC: pair.Accepter, Owner: pair.Accepter.Account, AllowedDatabases: []workflow.AllowedDatabase{{Database: "books", Port: 5432}}}}
		if out[2].VPC.Account = guest; participants != "" {
			out[2].Unheeded = []string{participants}
		}
		return out
	}
	m := &mail{got: map[string][]string{}}
	book, _ := ledgertest.New()
	if _, err := book.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering"}); err != nil {
		t.Fatal(err)
	}
	teller := owner.Teller{Ledger: book, Topic: notice.Topic{API: m, ARN: "topic"}}
	for n, text := range []string{"", "sg-3: not kept out", "sg-3: not kept out"} {
		news := owner.Stands(workflow.VerifyConnectionInput{Execution: "e", Reason: "connected", Connection: pair, Sides: sides(text)}, workflow.VerifyConnectionOutput{Result: workflow.Connected, Reason: "connected"})
		if err := teller.Tell(t.Context(), news); err != nil {
			t.Fatal(err)
		}
		if want := []int{1, 2, 2}[n]; len(m.got[guest]) != want {
			t.Errorf("the participant heard %d times, want %d", len(m.got[guest]), want)
		}
	}
	for account, hears := range map[string][]string{"111111111111": {"rtb-1", "cache"}, "222222222222": {"sg-2"}, guest: {"sg-2", "sg-3"}} { // who takes part hears what the VPC's owner hears
		last := m.got[account][len(m.got[account])-1]
		for _, word := range []string{"rtb-1", "cache", "sg-2", "sg-3"} {
			if slices.Contains(hears, word) != strings.Contains(last, word) {
				t.Errorf("account %s hears %s", account, last)
			}
		}
	}
}
