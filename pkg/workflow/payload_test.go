package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// An extent is how much there is to connect.
type extent struct{ notebooks, databases, tables, subnets, cidrs int }

func (n extent) grown(by int) extent {
	return extent{n.notebooks * by, n.databases * by, n.tables * by, n.subnets * by, n.cidrs}
}

const pcx = "pcx-0123456789abcdef0"

func id(kind string, n int) string { return fmt.Sprintf("%s-%017x", kind, n) }

func (n extent) inspection(answer Answer) InspectPeeringOutput {
	decision := policy.Decision{Action: policy.Inject, Allowed: true, Policy: "inject-where-nobody-says-otherwise", Reason: "allowed by policy inject-where-nobody-says-otherwise"}
	out := InspectPeeringOutput{Answer: answer, Reason: "connected by policy route-both-ways", Event: json.RawMessage(`{"detail-type":"x"}`),
		Members: []string{"requester", "accepter"}, Found: []Hop{{Hop: "peering active", OK: true, Detail: pcx}}, Notebooks: []int{}}
	vpc := func(account, block int) VPC {
		v := VPC{Account: strings.Repeat(fmt.Sprint(account), 12), Region: "ap-southeast-1", ID: id("vpc", account)}
		for i := range n.cidrs {
			v.CIDRs = append(v.CIDRs, netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", block+i)))
		}
		return v
	}
	a, b := vpc(1, 10), vpc(2, 60)
	out.Connection = Connection{ID: pcx, Target: pcx, Requester: a, Accepter: b}
	for _, role := range []string{"requester", "accepter"} {
		s := Side{Role: role, Consumer: role == "requester", VPC: a, Peer: b, Carrier: pcx}
		if role == "accepter" {
			s.VPC, s.Peer = b, a
		}
		if answer == AnswerConnect {
			for i := range n.subnets {
				s.Subnets = append(s.Subnets, id("subnet", i))
				s.Seats = append(s.Seats, Seat{ID: id("subnet", i), CIDRs: []netip.Prefix{netip.MustParsePrefix("10.100.100.0/24")}, Zone: "ap-southeast-1a", ZoneID: "apse1-az1"})
			}
			for i := range n.tables {
				s.Tables = append(s.Tables, Table{ID: id("rtb", i), Subnets: s.Subnets[i*n.subnets/n.tables : (i+1)*n.subnets/n.tables]})
			}
			s.Carried = encoded(s.Tables)
			s.Ways = []Way{{To: s.Peer.CIDRs}}
			if s.Consumer {
				for i := range 1000 {
					s.Clients = append(s.Clients, Client{Names: []string{fmt.Sprintf("notebook of-somebody-%d", i)}, Count: 1, Account: s.VPC.Account, Subnets: []string{id("subnet", i)}, Groups: []string{id("sg", i)}})
				}
				s.Clients = Few(s.Clients)
			}
			for i := range n.databases {
				s.Openings = append(s.Openings, Opening{Database: fmt.Sprintf("orders-of-the-team-number-%d", i), Engine: "aurora-postgresql", Port: 5432,
					Groups: []string{id("sg", i)}, Subnets: s.Subnets[:min(3, len(s.Subnets))], Decision: decision})
			}
		}
		out.Sides = append(out.Sides, s)
	}
	var names []string
	for i := range n.notebooks {
		names = append(names, fmt.Sprintf("notebook-of-somebody-%d", i))
	}
	out.Batches, out.Notebooks = Numbered(Batches(Batch{Account: a.Account, Region: a.Region, VPC: a.ID, Subnet: id("subnet", 1), SubnetCIDR: netip.MustParsePrefix("10.10.1.0/24")}, names))
	return out
}

// worst is what a step tells at most: as many hops as it likes, each as long as it likes.
func worst(n int) []Hop {
	var out []Hop
	for i := range n {
		out = append(out, Hop{Hop: fmt.Sprintf("hop %d <%s", i, strings.Repeat("h", 3*HopSize)), OK: i%2 == 0, Detail: strings.Repeat("é<", HopSize)})
	}
	return out
}

// unserved are the hops of a batch of which none is served.
func unserved(b Batch) []Hop {
	hops := worst(len(b.Names))
	for n := range hops {
		hops[n].OK = false
	}
	return hops
}

// through runs a step as Lambda does, and returns what it answers.
func through[T any](t *testing.T, out T) T {
	t.Helper()
	got, err := Handler(func(context.Context, struct{}) (T, error) { return out, nil }).Invoke(t.Context(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	var read T
	if err := json.Unmarshal(got, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// play runs the states of the machine behind an inspection, each telling the most, and returns the largest payload: of a
// state's input, its result with what AWS writes around it, or its output.
func play(t *testing.T, in InspectPeeringOutput) (largest int) {
	t.Helper()
	state := map[string]any{}
	b, err := json.Marshal(in)
	if err == nil {
		err = json.Unmarshal(b, &state)
	}
	if err != nil {
		t.Fatal(err)
	}
	look := func(v any) { largest = max(largest, encoded(v)) }
	result := func(v any) {
		look(map[string]any{"Payload": v, "ExecutedVersion": "$LATEST", "StatusCode": 200, "SdkHttpMetadata": strings.Repeat("h", 1000)})
	}
	result(in)
	look(state)
	each := func(key string, v any) { state[key] = v; look(state) }
	switch in.Answer {
	case AnswerConnect:
		each("dns", HopsOutput{through(t, HopsOutput{worst(2)}).Hops})
		var routed []AddRoutesOutput
		var opened []HopsOutput
		for _, s := range in.Sides {
			tables := []Table{}
			for _, table := range s.Tables {
				for _, c := range s.Peer.CIDRs {
					table.Routes = append(table.Routes, Route{Destination: c, Target: pcx})
				}
				tables = append(tables, table)
			}
			routed = append(routed, through(t, AddRoutesOutput{Account: s.VPC.Account, VPC: s.VPC.ID, Hops: worst(len(s.Tables) * len(s.Peer.CIDRs)), Tables: tables}))
			opened = append(opened, through(t, HopsOutput{worst(len(s.Openings) + 1)}))
		}
		each("routed", routed)
		each("opened", opened)
		injected := []NotebooksOutput{}
		for _, b := range in.Batches {
			one := b.Tell(unserved(b))
			one.Hosts = strings.Repeat(string(rune(HostNone)), len(b.Names))
			injected = append(injected, through(t, one))
		}
		each("injected", injected)
	case AnswerDisconnect:
		var disconnected []Disconnected
		for _, s := range in.Sides {
			closed := through(t, HopsOutput{worst(500)})
			removed := through(t, RemoveRoutesOutput{Account: s.VPC.Account, VPC: s.VPC.ID, Hops: worst(500)})
			disconnected = append(disconnected, Disconnected{Connection: in.Connection, Side: s, Closed: closed, Removed: removed})
		}
		each("disconnected", disconnected)
		withdrawn := []NotebooksOutput{}
		for _, b := range in.Batches {
			withdrawn = append(withdrawn, through(t, b.Tell(unserved(b))))
		}
		each("withdrawn", withdrawn)
	}
	state["execution"] = strings.Repeat("e", 80) // the input of the last step
	look(state)
	return largest
}

// An extent grows until it is refused. Just below that, nothing in the whole machine exceeds what Step Functions carries,
// and the refusal comes not much too early.
func TestWhatIsNotRefusedFits(t *testing.T) {
	for name, one := range map[string]extent{
		"notebooks": {notebooks: 1, databases: 1, tables: 2, subnets: 2, cidrs: 1},
		"databases": {databases: 5, notebooks: 1, tables: 2, subnets: 6, cidrs: 1},
		"tables":    {databases: 1, tables: 5, subnets: 5, cidrs: 5, notebooks: 0},
		"subnets":   {databases: 1, tables: 1, subnets: 50, cidrs: 1, notebooks: 0},
		"all":       {notebooks: 1, databases: 1, tables: 1, subnets: 1, cidrs: 2},
	} {
		for _, answer := range []Answer{AnswerConnect, AnswerDisconnect} {
			t.Run(name+"/"+string(answer), func(t *testing.T) {
				if answer == AnswerDisconnect { // nothing in it grows that travels
					if err := Fits(one.grown(4999).inspection(answer)); err != nil {
						t.Error(err)
					}
					return
				}
				last, refused := extent{}, error(nil)
				for by := 1; by < 5000 && refused == nil; by++ {
					n := one.grown(by)
					if refused = Fits(n.inspection(answer)); refused == nil {
						last = n
					}
				}
				if refused == nil {
					t.Fatal("whatever its size, it is not refused")
				}
				if fault.Of(refused) != fault.Conflict || !strings.Contains(refused.Error(), pcx) || !strings.Contains(refused.Error(), "remedy: ") {
					t.Errorf("refused with %v", refused)
				}
				largest := play(t, last.inspection(answer))
				t.Logf("%+v: %d of %d bytes", last, largest, MaxPayload)
				if largest > MaxPayload {
					t.Errorf("%+v makes %d bytes", last, largest)
				}
				if largest < MaxPayload*6/10 {
					t.Errorf("%+v is the last that is let through, and makes only %d bytes", last, largest)
				}
			})
		}
	}
}

func TestAnInspectionThatIsTooLargeFailsByName(t *testing.T) {
	large := extent{notebooks: 600, databases: 2000, tables: 1, subnets: 1, cidrs: 1}.inspection(AnswerConnect)
	_, err := Handler(func(context.Context, struct{}) (InspectPeeringOutput, error) { return large, nil }).Invoke(t.Context(), []byte("{}"))
	var told messages.InvokeResponse_Error
	if !errors.As(err, &told) || told.Type != string(fault.Conflict) || !strings.Contains(told.Message, "600 notebook instances") || !strings.Contains(told.Message, "this step changed nothing") {
		t.Errorf("got %v", err)
	}
	_, err = Handler(func(context.Context, struct{}) (string, error) { return strings.Repeat("x", MaxPayload), nil }).Invoke(t.Context(), []byte("{}"))
	if !errors.As(err, &told) || told.Type != string(fault.Conflict) {
		t.Errorf("any other output: %v", err)
	}
}

// What travels is bounded, however many notebooks there are; and a verdict names the first of those that are not served.
func TestNotebooksDoNotTravel(t *testing.T) {
	for _, answer := range []Answer{AnswerConnect, AnswerDisconnect} {
		few, many := extent{databases: 1, tables: 1, subnets: 2, cidrs: 1}.inspection(answer), extent{notebooks: 500, databases: 1, tables: 1, subnets: 2, cidrs: 1}.inspection(answer)
		without, with := play(t, few), play(t, many)
		t.Logf("%s: %d bytes, and %d with 500 notebooks", answer, without, with)
		if len(many.Notebooks) != 10 || with-without > 16<<10 {
			t.Errorf("%s: %d batches of 500 notebooks make %d bytes more", answer, len(many.Notebooks), with-without)
		}
	}
}

func TestAVerdictCountsManyNotebooks(t *testing.T) {
	tell := func(many, unserved int) []Hop {
		var names []string
		for n := range many {
			names = append(names, fmt.Sprintf("n%03d", n))
		}
		rows, _ := Numbered(Batches(Batch{Subnet: "subnet-1"}, names))
		var out []NotebooksOutput
		for _, b := range rows {
			var hops []Hop
			for _, name := range b.Names {
				h := Hop{Hop: "host route on " + name, OK: unserved <= 0, Detail: "x"}
				unserved--
				hops = append(hops, h)
			}
			out = append(out, b.Tell(hops))
		}
		return HostRoutes(out)
	}
	if got := tell(20, 1); len(got) != 20 || got[0].OK || !got[1].OK {
		t.Errorf("of 20, each is named: %+v", got)
	}
	if got := tell(500, 2); len(got) != 3 || got[0] != (Hop{Hop: "host routes", Detail: "498 of 500 notebooks"}) || got[1].Hop != "host route on n000" {
		t.Errorf("of 500: %+v", got)
	}
	if got := tell(500, 0); len(got) != 1 || got[0] != (Hop{Hop: "host routes", OK: true, Detail: "500 of 500 notebooks"}) {
		t.Errorf("all of 500: %+v", got)
	}
	if got := tell(500, 400); len(got) > 21 || got[0].OK || !strings.Contains(got[0].Detail, "100 of 500 notebooks; 3") {
		t.Errorf("few of 500: %+v", got)
	}
	if got := tell(0, 0); len(got) != 0 {
		t.Errorf("of none: %+v", got)
	}
}

func TestFewKeepsWhatFits(t *testing.T) {
	small := []Hop{{Hop: "a", OK: true, Detail: "b"}, {Hop: "c", OK: false, Detail: "d"}}
	if got := few(small, HopSize, HopsSize); fmt.Sprint(got) != fmt.Sprint(small) {
		t.Errorf("got %v", got)
	}
	many := make([]Hop, 1000)
	for i := range many {
		many[i] = Hop{Hop: fmt.Sprint("hop ", i), OK: i != 999, Detail: strings.Repeat("x", 40)}
	}
	got := few(many, HopSize, HopsSize)
	if encoded(got) > HopsSize || len(got) < 50 {
		t.Errorf("%d hops of %d bytes", len(got), encoded(got))
	}
	if rest := got[len(got)-1]; rest.Hop != "and more" || rest.Detail != fmt.Sprintf("%d lines that have no room here", 1000-len(got)+1) || !rest.OK {
		t.Errorf("the rest: %+v", rest)
	}
	if last := got[len(got)-2]; last.Hop != "hop 999" || last.OK {
		t.Errorf("the hop that does not hold is gone: %+v", last)
	}
	for _, h := range few(worst(3), HopSize, 3*HopSize) {
		if encoded(h) >= HopSize || encoded(h) < HopSize-20 || h.Hop == "" {
			t.Errorf("a hop of %d bytes: %+v", encoded(h), h)
		}
	}
}

func TestTheCauseIsCutAndTheRemedyStays(t *testing.T) {
	err := fault.NewConflict(strings.Repeat("route 10.0.0.0/8 in rtb-1 already goes to tgw-1; ", 1000), "remove it")
	if got := cut(err); len(got) > maxCause || !strings.HasSuffix(got, "…; remedy: remove it") {
		t.Errorf("%d bytes: …%s", len(got), got[max(0, len(got)-60):])
	}
	if got := cut(errors.New(strings.Repeat("é", maxCause))); len(got) > maxCause {
		t.Errorf("%d bytes", len(got))
	}
	if got := cut(errors.New("short")); got != "short" {
		t.Errorf("got %q", got)
	}
}
