package firewall_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The owner of a VPC sees groups of its participants. They are noted, never changed, and do not matter for the owner's clients.
func TestGroupsOfParticipantsAreNotedAndLeft(t *testing.T) {
	f := newAccount("sg-own", "sg-theirs")
	f.owners = map[string]string{"sg-own": producer().Peer.Account, "sg-theirs": "333333333333"}
	f.put("sg-own", true, 0, "0.0.0.0/0")
	side := consumer()
	if _, err := f.ledger.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering", Sides: []ledger.Side{{Role: "requester", Account: side.VPC.Account, Region: side.VPC.Region, ID: side.VPC.ID}}}); err != nil {
		t.Fatal(err)
	}
	out, err := f.open("pcx-1", side, workflow.Client{Groups: []string{"sg-theirs"}})
	if err != nil || strings.Join(f.calls, ", ") != "Describe" || len(out.Hops) != 1 || !out.Hops[0].OK {
		t.Errorf("%+v by %v, %v", out.Hops, f.calls, err)
	}
	entry, _, err := f.ledger.Connection(t.Context(), "pcx-1")
	if got := participant.In(entry, side.VPC); err != nil || len(got) != 1 || got[0] != "333333333333" {
		t.Errorf("%v take part, %v", got, err)
	}
}

// A database of a participant may have only a group that the VPC's owner shares with it. It is the owner's; the other databases are opened.
func TestAGroupThatIsOnlySharedIsLeft(t *testing.T) {
	f := newAccount("sg-db", "sg-shared")
	side := producer()
	f.owners = map[string]string{"sg-db": side.VPC.Account, "sg-shared": "111111111111"}
	side.Owner = "111111111111"
	side.AllowedDatabases = append([]workflow.AllowedDatabase{{Database: "books", Engine: "postgres", Port: 5432, Groups: []string{"sg-shared"}}}, side.AllowedDatabases...)
	out, err := f.open("pcx-1", side)
	if err != nil || len(out.Hops) != 2 || out.Hops[0].OK || !out.Hops[1].OK || !strings.Contains(out.Hops[0].Detail, "111111111111") {
		t.Errorf("%+v, %v", out.Hops, err)
	}
	if strings.Contains(f.String(), "sg-shared") {
		t.Errorf("%s", f)
	}
}
