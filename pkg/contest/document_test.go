package contest_test

import (
	"context"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

// paper is a document of a role of Drawbridge's own.
type paper struct {
	contest.Contest
	t      *testing.T
	now    time.Time
	there  string
	writes int
}

func newPaper(t *testing.T) *paper {
	p := &paper{t: t, now: noon}
	l, _ := ledgertest.New()
	l.Now = func() time.Time { return p.now }
	p.Contest = contest.Contest{Ledger: l}
	if _, err := l.Begin(context.Background(), ledger.Connection{ID: "cluster"}); err != nil {
		t.Fatal(err)
	}
	return p
}

// keep is one look an hour later; it reports whether the document was left to somebody.
func (p *paper) keep(wanted string) bool {
	p.t.Helper()
	p.now = p.now.Add(time.Hour)
	left, err := p.Keep(context.Background(), "cluster", "run", contest.Document{
		Item:  ledger.Item{Account: "111111111111", Region: "us-east-1", Resource: "role", Kind: ledger.Document, Key: "policy", Left: wanted},
		There: p.there,
		Write: func(context.Context) error { p.there = wanted; p.writes++; return nil }})
	if err != nil {
		p.t.Fatal(err)
	}
	return left != nil
}

// act is somebody's hand at the document, with the record of it.
func (p *paper) act(there string, by ledger.Hand) {
	p.t.Helper()
	p.now = p.now.Add(time.Minute)
	p.there = there
	if _, err := p.Note(context.Background(), "111111111111", "us-east-1", "role", nil, contest.Sight{By: by, At: p.now}); err != nil {
		p.t.Fatal(err)
	}
}

func TestADocumentIsPutBackOnce(t *testing.T) {
	for name, there := range map[string]string{"taken away": "", "changed": "theirs"} {
		p := newPaper(t)
		p.keep("v1")
		for range 10 {
			p.act(there, ci)
			p.keep("v1")
		}
		if p.writes != 2 || p.there != there {
			t.Errorf("%s ten times: written %d times, it reads %q", name, p.writes, p.there)
		}
		if !p.keep("v2") || p.writes != 2 {
			t.Errorf("%s: what is contested is written because something else is wanted", name)
		}
		p.there = "v2" // by its owner
		if p.keep("v2") || p.writes != 2 {
			t.Errorf("%s: its owner wrote it, and it is left", name)
		}
		if p.keep("v3") || p.writes != 3 {
			t.Errorf("%s: it is as it was left, and is not written", name)
		}
	}
}

func TestDrawbridgesOwnChangeIsNoHand(t *testing.T) {
	p := newPaper(t)
	for _, wanted := range []string{"v1", "v2", "v3", "v4"} {
		if p.keep(wanted) || p.there != wanted {
			t.Errorf("%s is not written", wanted)
		}
	}
}

// IAM writes the id of a principal that was deleted in the place of its ARN, and no record says so.
func TestWhatAWSWritesIsNoHand(t *testing.T) {
	p := newPaper(t)
	for _, wanted := range []string{"v1", "v2", "v3", "v4"} {
		if p.keep(wanted) {
			t.Errorf("%s is left", wanted)
		}
		p.there = "as AWS writes it"
	}
	for range 3 {
		p.act("theirs", ci)
		p.keep("v4")
	}
	if p.there != "theirs" {
		t.Error("a hand that was seen twice is not left alone")
	}
}

func TestThePolicyLeavesADocument(t *testing.T) {
	p := newPaper(t)
	p.keep("v1")
	if _, err := p.Ledger.Change(context.Background(), "cluster", func(c *ledger.Connection) { c.Leave = []string{"111111111111"} }); err != nil {
		t.Fatal(err)
	}
	p.act("", ci)
	if !p.keep("v1") || p.writes != 1 {
		t.Errorf("written %d times", p.writes)
	}
}
