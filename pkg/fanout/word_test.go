package fanout_test

import (
	"os"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fanout"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// What owners say is kept with who said it, in whichever way the record of the call writes it.
func TestWords(t *testing.T) {
	for sample, want := range map[string]map[string]string{
		"create-tags-on-peering":   {"pcx-0123456789abcdef0 drawbridge:approval": "approved"},
		"add-tags-to-db-cluster":   {"arn:aws:rds:eu-west-1:222222222222:cluster:sales drawbridge:data-api": "111111111111", "arn:aws:rds:eu-west-1:222222222222:cluster:sales drawbridge:secret": "sales/reader"},
		"tag-role":                 {}, // the name of a role is one of its account
		"associate-vpc-cidr-block": {}, // no tag
	} {
		raw, err := os.ReadFile("../../events/" + sample + ".json")
		if err != nil {
			t.Fatal(err)
		}
		c, err := event.ReadChanged(raw)
		if err != nil {
			t.Fatal(err)
		}
		words := fanout.Words(c)
		for _, w := range words {
			if value, ok := want[w.Thing+" "+w.Said]; !ok || w.Value != value || w.By.Who != "arn:aws:sts::222222222222:assumed-role/platform/ben" || w.Account != "222222222222" || w.At.IsZero() || w.Call == "" {
				t.Errorf("%s: %+v", sample, w)
			}
		}
		if len(words) != len(want) {
			t.Errorf("%s: %d words, want %d", sample, len(words), len(want))
		}
	}
}

// Who shared a database, of whatever kind, can be asked later.
func TestWhoSharesADatabaseIsKept(t *testing.T) {
	at := event.Place{Account: "222222222222", Region: "eu-west-1"}
	for _, k := range database.Served() {
		id := "arn:aws:" + k.Service + ":eu-west-1:222222222222:" + k.Resource + "x1"
		c := event.Changed{Place: at, Hand: event.Hand{Who: "ben"}, Things: []event.Thing{{Kind: k.Tag, ID: id, Act: tag.Sets, Keys: []string{tag.Share}}}}
		if words := fanout.Words(c); len(words) != 1 || words[0].Thing != id {
			t.Errorf("%s: %+v", k.Name, words)
		}
	}
}

func TestWhatOwnersSayIsKept(t *testing.T) {
	h := newHub(t)
	h.find(t, "ec2", "CreateTags", `{"resourcesSet":{"items":[{"resourceId":"pcx-00000001"}]},"tagSet":{"items":[{"key":"drawbridge:manage","value":"false"},{"key":"Name","value":"x"}]}}`)
	words, err := h.Contest.Ledger.Words(t.Context(), "pcx-00000001")
	if err != nil || len(words) != 1 || words[0].Said != "drawbridge:manage" || words[0].Value != "false" || words[0].By.Tool != event.Terraform {
		t.Errorf("%+v, %v", words, err)
	}
}
