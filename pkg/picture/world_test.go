package picture

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	past "github.com/drawbridge-cloud/drawbridge/pkg/history"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

var hub = board.Hub{Account: "123456789012", Region: "us-east-1", Table: "drawbridge-ledger"}

// rows makes what was read of a ledger.
func rows(t testing.TB, all ...ledger.Row) board.Rows {
	t.Helper()
	var r board.Rows
	for _, one := range all {
		if err := r.Add(one); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// entries makes what was read of a ledger that has only entries.
func entries(t testing.TB, all ...ledger.Connection) board.Rows {
	t.Helper()
	var out []ledger.Row
	for _, c := range all {
		out = append(out, ledgertest.Row(t, "connection#"+c.ID, "connection", c))
	}
	return rows(t, out...)
}

// drawn is the document of a ledger.
func drawn(r board.Rows, o Organization) Map {
	b := board.Of(r, now)
	b.Hub, b.Mode = hub, board.Mode{Mode: "full"}
	return Of(b, past.Pasts(r), o)
}

// demo is the sample: the ledger of the first scenario.
func demo(t testing.TB) Map {
	t.Helper()
	text, err := os.ReadFile("testdata/demo-ledger.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []ledger.Row
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return drawn(rows(t, all...), Organization{ID: "o-drawbridge", Units: []Unit{{ID: "ou-1", Name: "Research"}, {ID: "ou-2", Name: "Data"}},
		Accounts: map[string]Account{"111111111111": {ID: "111111111111", Name: "alpha", Unit: "ou-1"}, "222222222222": {ID: "222222222222", Name: "beta", Unit: "ou-2"}}})
}

// peering is an entry between VPCs of two accounts, which are given by number, with paths.
func peering(id string, from, to int, status string, lines ...ledger.Path) ledger.Connection {
	side := func(role string, n int) ledger.Side {
		return ledger.Side{Role: role, Account: account(n), Region: "us-east-1", ID: vpc(n), CIDRs: []string{fmt.Sprintf("10.%d.%d.0/24", n/256, n%256)}}
	}
	c := ledger.Connection{ID: id, Kind: "peering", Status: ledger.Status(status), Reason: "accepted by policy accept-auto", Policy: "accept-auto", Asked: "arn:aws:sts::" + account(from) + ":assumed-role/Research/ada",
		Origin: ledger.Requested, Since: now.Add(-72 * time.Hour), At: now.Add(-time.Hour), Sides: []ledger.Side{side("requester", from), side("accepter", to)}}
	c.Paths.Lines, c.Paths.All = lines, len(lines)
	for _, l := range lines {
		switch l.Answer {
		case "yes":
			c.Paths.Whole++
		case "unknown":
			c.Paths.Unknown++
		}
	}
	return c
}

func account(n int) string { return fmt.Sprintf("%012d", 100000000000+n) }

func vpc(n int) string { return fmt.Sprintf("vpc-%017x", 0xa000000+n) }

// way is a path between two accounts, given by number; hop is where it ends, if it is not whole.
func way(client, database string, from, to int, answer, hop string) ledger.Path {
	p := ledger.Path{Client: ledger.End{Name: client, Account: account(from), Network: vpc(from)}, Database: ledger.End{Name: database, Account: account(to), Network: vpc(to)}, Port: 5432, Answer: answer, Hop: hop}
	if hop != "" {
		p.Owner, p.Detail, p.Remedy = account(to), "sg-0a1b2c3d lets nothing in on TCP 5432 from 10.0.1.0/24", "let TCP 5432 in from 10.0.1.0/24"
	}
	return p
}

// large is an organization of many accounts and connections, always the same.
func large(t testing.TB, accounts, connections int) Map {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	o := Organization{ID: "o-large", Accounts: map[string]Account{}}
	for n := range 40 {
		u := Unit{ID: fmt.Sprintf("ou-%02d", n), Name: fmt.Sprintf("Unit %02d", n)}
		if n >= 8 {
			u.Parent = fmt.Sprintf("ou-%02d", n%8)
		}
		o.Units = append(o.Units, u)
	}
	for n := range accounts {
		o.Accounts[account(n)] = Account{ID: account(n), Name: fmt.Sprintf("team-%04d", n), Unit: fmt.Sprintf("ou-%02d", r.IntN(40))}
	}
	hops := []string{"client group", "client ACL", "route there", "carrier", "database ACL", "database group", "route back", "name resolution", "host route"}
	var all []ledger.Connection
	for n := range connections {
		from, to := n%accounts, (n%accounts+1+r.IntN(accounts-1))%accounts
		answer, hop, status := "yes", "", "Connected"
		switch r.IntN(20) {
		case 0:
			answer, hop, status = "no", hops[r.IntN(len(hops))], "PartlyConnected"
		case 1:
			answer, hop = "unknown", hops[r.IntN(len(hops))]
		case 2:
			status = "AwaitingApproval"
		case 3:
			status = "Refused"
		}
		c := peering(fmt.Sprintf("pcx-%017x", 0xb000000+n), from, to, status)
		if status != "AwaitingApproval" && status != "Refused" {
			c = peering(c.ID, from, to, status, way("notebook-"+string(rune('a'+from%3)), "sales", from, to, answer, hop))
		}
		all = append(all, c)
	}
	return drawn(entries(t, all...), o)
}

// hostile is a ledger in which every text that others can choose tries to be markup.
func hostile(t testing.TB) Map {
	t.Helper()
	const bad = `</script><script>document.title='taken'</script><img src=x onerror="document.title='taken'">'"]]>{{script}}` + "\x00\x1b[31m\u202e"
	c := peering("pcx-1", 1, 2, "PartlyConnected", way(bad, bad, 1, 2, "no", bad), way(bad+"2", bad, 1, 2, "yes", ""))
	c.Reason, c.Policy, c.Asked = bad, bad, bad
	c.Paths.Lines[0].Detail, c.Paths.Lines[0].Remedy = bad, bad
	c.Sides[0].CIDRs = []string{bad}
	m := drawn(entries(t, c, ledger.Connection{ID: bad, Kind: bad, Status: bad, Sides: c.Sides[:1], Since: now}), Organization{ID: bad, Units: []Unit{{ID: bad, Name: bad}},
		Accounts: map[string]Account{account(1): {ID: account(1), Name: bad, Unit: bad}}})
	m.Unread = []string{bad}
	return m
}

// mixed has a connection of every look, and of several kinds.
func mixed(t testing.TB) Map {
	t.Helper()
	waits := peering("pcx-0waits", 1, 4, "AwaitingApproval")
	waits.Approval.Shown = []string{"database sales"}
	begun := peering("pcx-0begun", 3, 4, "")
	part := peering("pcx-0part", 1, 2, "PartlyConnected", way("research", "sales", 1, 2, "no", "database group"), way("function jobs", "sales", 1, 2, "yes", ""), way("research", "ledger", 1, 2, "no", "client ACL"))
	all := []ledger.Connection{part, waits, begun, peering("pcx-0whole", 3, 2, "Connected", way("reports", "sales", 3, 2, "yes", "")),
		peering("pcx-0maybe", 3, 1, "Connected", way("reports", "wells", 3, 1, "unknown", "route there")), peering("pcx-0gone", 4, 2, "Refused"),
		{ID: "arn:aws:rds:us-east-1:" + account(4) + ":cluster:orders", Kind: "data-api", Status: "Exposed", Origin: ledger.Requested, Since: now.Add(-time.Hour),
			Sides: []ledger.Side{{Role: "producer", Account: account(4), Region: "us-east-1", ID: "arn:aws:rds:us-east-1:" + account(4) + ":cluster:orders"}},
			Paths: ledger.Paths{All: 1, Whole: 1, Lines: []ledger.Path{{Client: ledger.End{Name: "account " + account(3), Account: account(3), Network: account(3)},
				Database: ledger.End{Name: "orders", Account: account(4), Network: "arn:aws:rds:us-east-1:" + account(4) + ":cluster:orders"}, Port: 443, Answer: "yes"}}}}}
	o := Organization{ID: "o-mixed", Units: []Unit{{ID: "ou-a", Name: "Workloads"}, {ID: "ou-b", Name: "Research", Parent: "ou-a"}, {ID: "ou-c", Name: "Platform"}}, Accounts: map[string]Account{}}
	for n, unit := range []string{"", "ou-b", "ou-a", "ou-b", "ou-c", "ou-c", "ou-c"} {
		o.Accounts[account(n)] = Account{ID: account(n), Name: []string{"management", "alpha", "beta", "gamma", "delta", "log", "audit"}[n], Unit: unit}
	}
	item := func(kind, key, state, by string, taken int) map[string]any {
		i := map[string]any{"account": account(2), "region": "us-east-1", "resource": "sg-0a1", "kind": kind, "key": key, "state": state, "needed": []string{"pcx-0part"}, "by": by, "at": now.Add(-2 * time.Hour)}
		if taken > 0 {
			i["taken"], i["takenBy"], i["seenAt"] = taken, map[string]string{"who": "arn:aws:iam::" + account(2) + ":user/bob"}, now.Add(-time.Hour)
		}
		return i
	}
	var list []ledger.Row
	for _, c := range all {
		list = append(list, ledgertest.Row(t, "connection#"+c.ID, "connection", c))
	}
	list = append(list, ledgertest.Row(t, "resource#"+account(2)+"/us-east-1/sg-0a1", "rule#a", item("rule", "ingress tcp 5432", "confirmed", "exec-1", 0)),
		ledgertest.Row(t, "resource#"+account(2)+"/us-east-1/sg-0a1", "rule#b", item("rule", "ingress tcp 5433", "contested", "exec-2", 2)))
	return drawn(rows(t, list...), o)
}

func printed(w io.Writer, m Map) error { return answer.Printer{Out: w, Format: answer.Table}.Print(m) }
