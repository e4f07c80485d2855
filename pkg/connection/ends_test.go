package connection_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// booked is a verification of one client of some notebooks in subnet-a, of which a table leads 10.2.0.0/24 to the connection, and of one database.
func booked(c workflow.Client, injected ...workflow.NotebooksOutput) workflow.VerifyConnectionInput {
	a := workflow.VPC{Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	b := workflow.VPC{Account: "222222222222", Region: "us-east-1", ID: "vpc-2", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}}
	c.Account, c.Host, c.Subnets, c.Groups = a.Account, true, []string{"subnet-a"}, []string{"sg-1"}
	return workflow.VerifyConnectionInput{Connection: workflow.Connection{ID: "pcx-1", Target: "pcx-1", Requester: a, Accepter: b},
		Sides: []workflow.Side{{Role: "requester", VPC: a, Peer: b, Consumer: true, Clients: []workflow.Client{c}},
			{Role: "accepter", VPC: b, Peer: a, AllowedDatabases: []workflow.AllowedDatabase{{Database: "sales", Port: 3306, Subnets: []string{"subnet-d"}}}}},
		Routed: []workflow.AddRoutesOutput{{Account: a.Account, VPC: a.ID, Tables: []workflow.Table{{ID: "rtb-1", Subnets: []string{"subnet-a"},
			Routes: []workflow.Route{{Destination: netip.MustParsePrefix("10.2.0.0/24"), Target: "pcx-1"}}}}}},
		Injected: injected}
}

// clients says which clients there are on the requester's side: names, how many, what their scripts set or why that is not known.
func clients(in workflow.VerifyConnectionInput, batches ...workflow.Batch) string {
	var out []string
	in.Batches = batches
	for _, c := range connection.Ends(in)[0].Clients {
		out = append(out, fmt.Sprint(strings.Join(c.Names, "+"), " ", c.Count, " ", c.Host.Routes, c.Host.Unread))
	}
	return strings.Join(out, "; ")
}

func TestWhatBecameOfHostRoutes(t *testing.T) {
	batch := func(names ...string) workflow.Batch {
		return workflow.Batch{Account: "111111111111", Region: "us-east-1", VPC: "vpc-1", Subnet: "subnet-a", SubnetCIDR: netip.MustParsePrefix("10.1.0.0/24"), Names: names}
	}
	two := workflow.Client{Names: []string{"notebook a", "notebook b"}, Count: 2}
	many := workflow.Client{Names: []string{"notebook a"}, Count: 4}
	said := func(hosts string) workflow.NotebooksOutput { return workflow.NotebooksOutput{Hosts: hosts} }
	for name, c := range map[string]struct {
		client   workflow.Client
		injected []workflow.NotebooksOutput
		batches  []workflow.Batch
		want     string
	}{
		"both have them":                     {two, []workflow.NotebooksOutput{said("ss")}, []workflow.Batch{batch("a", "b")}, "notebook a+notebook b 2 [10.2.0.0/24]"},
		"one has none":                       {two, []workflow.NotebooksOutput{said("sn")}, []workflow.Batch{batch("a", "b")}, "notebook a 1 [10.2.0.0/24]; notebook b 1 []"},
		"one is left out":                    {two, []workflow.NotebooksOutput{said("ls")}, []workflow.Batch{batch("a", "b")}, "notebook a 1 []the policy leaves it out; notebook b 1 [10.2.0.0/24]"},
		"one is gone":                        {two, []workflow.NotebooksOutput{said("gs")}, []workflow.Batch{batch("a", "b")}, "notebook a 1 []it is gone; notebook b 1 [10.2.0.0/24]"},
		"in two batches":                     {two, []workflow.NotebooksOutput{said("s"), said("n")}, []workflow.Batch{batch("a"), batch("b")}, "notebook a 1 [10.2.0.0/24]; notebook b 1 []"},
		"nobody looked":                      {two, nil, nil, "notebook a+notebook b 2 []nobody looked at it"},
		"a batch that was written anew":      {two, []workflow.NotebooksOutput{said("ss")}, []workflow.Batch{batch("a")}, "notebook a+notebook b 2 []nobody looked at it"},
		"names that had no room":             {many, []workflow.NotebooksOutput{said("ssns")}, []workflow.Batch{batch("a", "b", "c", "d")}, "notebook a+notebook b+notebook d 3 [10.2.0.0/24]; notebook c 1 []"},
		"and one that needs none":            {many, []workflow.NotebooksOutput{said("svsss")}, []workflow.Batch{batch("a", "b", "c", "d", "e")}, "notebook a+notebook c+notebook d+notebook e 4 [10.2.0.0/24]"},
		"some of which nobody looked at":     {many, []workflow.NotebooksOutput{said("s")}, []workflow.Batch{batch("a")}, "notebook a 1 [10.2.0.0/24]; a notebook like a 3 []nobody looked at it"},
		"one of the same name, of another's": {two, []workflow.NotebooksOutput{said("ss")}, []workflow.Batch{{Account: "999999999999", Names: []string{"a", "b"}}}, "notebook a+notebook b 2 []nobody looked at it"},
	} {
		if got := clients(booked(c.client, c.injected...), c.batches...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Of two clients in one subnet that differ in their groups, nobody knows whose a notebook is that neither has room to name: it has no name.
// A function receives answers at other ports than a notebook, so a network ACL that has room for the one's may shut out the other.
func TestWhereClientsReceiveAnswers(t *testing.T) {
	in := booked(workflow.Client{Names: []string{"function jobs"}, Count: 1, Replies: notebook.OfFunctions})
	in.Sides[0].Clients[0].Host = false
	if got := connection.Ends(in)[0].Clients; len(got) != 1 || !slices.Equal(got[0].Answered(), notebook.OfFunctions) {
		t.Errorf("%+v", got)
	}
}

func TestANotebookThatMayBeOfEither(t *testing.T) {
	in := booked(workflow.Client{Names: []string{"notebook a"}, Count: 2}, workflow.NotebooksOutput{Hosts: "sss"})
	other := in.Sides[0].Clients[0]
	other.Names, other.Groups = []string{"notebook b"}, []string{"sg-2"}
	in.Sides[0].Clients = append(slices.Clone(in.Sides[0].Clients), other)
	b := workflow.Batch{Account: "111111111111", Region: "us-east-1", VPC: "vpc-1", Subnet: "subnet-a", SubnetCIDR: netip.MustParsePrefix("10.1.0.0/24"), Names: []string{"a", "b", "c"}}
	if got := clients(in, b); got != "notebook a 2 [10.2.0.0/24]; notebook b 2 [10.2.0.0/24]" {
		t.Error(got)
	}
}

// Where nothing may lead to a database, that is why a path fails, at whichever hop: nobody is told to add what Drawbridge withholds.
func TestWhatIsWithheldIsTheReasonAtEachHop(t *testing.T) {
	in := booked(workflow.Client{})
	in.Sides[0].AllowedDatabases = []workflow.AllowedDatabase{{Database: "sales", Withheld: &workflow.Withheld{Owner: "222222222222", Detail: "payroll would be reached", Remedy: "narrow sg-1"}}}
	why, _ := connection.Reasons(in)
	var hops []string
	for _, w := range why {
		if w.About == "sales" && w.Remedy == "narrow sg-1" && w.Owner == "222222222222" {
			hops = append(hops, w.Hop)
		}
	}
	if got := strings.Join(hops, ", "); got != "client group, route there, database group, route back, host route" {
		t.Error(got)
	}
}

// What a step says of a table may be why a path fails there or back, and what it says of nothing on a path is no reason.
func TestReasonsAreWhatFailed(t *testing.T) {
	in := booked(workflow.Client{})
	in.Routed[0].Account = "111111111111"
	in.Routed[0].Hops = []workflow.Hop{{Hop: "divert there rtb-2", Detail: "would leave"}, {Hop: "divert there rtb-3", OK: true, Detail: "leaves"}, {Hop: "route there rtb-1", Detail: "left to somebody"}, {Hop: "route there rtb-4", Detail: "leads elsewhere; remedy: narrow it"}}
	in.Opened = []workflow.HopsOutput{{Hops: []workflow.Hop{{Hop: "security group of sales", Detail: "never opened"}, {Hop: "egress vpc-1", OK: true, Detail: "is open"}, {Hop: "something else", Detail: "odd"}}}}
	why, others := connection.Reasons(in)
	got := ""
	for _, w := range why {
		got += fmt.Sprintf("%s %s %s, %s %t; ", w.Hop, w.About, w.Detail, w.Owner, w.Remedy != "")
	}
	if got != "route there rtb-2 would leave, 111111111111 true; route back rtb-2 would leave, 111111111111 true; route there rtb-1 left to somebody,  false; route back rtb-1 left to somebody,  false; route there rtb-4 leads elsewhere, 111111111111 true; route back rtb-4 leads elsewhere, 111111111111 true; database group sales never opened,  false; " {
		t.Error(got)
	}
	if len(others) != 2 || others[0].Hop != "divert there rtb-3" || others[1].Hop != "something else" {
		t.Errorf("%+v", others)
	}
}
