package studio

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// sinces notes since when a cluster's tags say that it stands as it does.
type sinces struct {
	tagger
	all []string
}

func (s *sinces) CreateTags(_ context.Context, in *redshift.CreateTagsInput, _ ...func(*redshift.Options)) (*redshift.CreateTagsOutput, error) {
	s.all = append(s.all, *in.Tags[len(in.Tags)-1].Value)
	return nil, nil
}

// However slow the machine is, the cluster's tag and the ledger's entry say the same time: else the next look would find the tag changed.
func TestTheTagSaysTheTimeOfTheEntry(t *testing.T) {
	ledgers, _ := ledgertest.New()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ledgers.Now = func() time.Time { now = now.Add(2 * time.Second); return now }
	book := Book{ledgers, home}
	w := clusterOf(0)
	w.Named = true
	if _, err := book.Begin(t.Context(), ledger.Connection{ID: w.ARN, Kind: road.Studio}); err != nil {
		t.Fatal(err)
	}
	api := &sinces{tagger: tagger{cluster0(account)}}
	in := workflow.ConcludeStudioInput{Warehouse: w, Roles: []workflow.ExecutionRole{{Account: account, ARN: executionARN}}}
	if _, err := Conclude(t.Context(), api, notice.Bus{API: &taken{}}, book, in); err != nil {
		t.Fatal(err)
	}
	entry, _, err := book.Connection(t.Context(), w.ARN)
	if err != nil || len(api.all) != 1 || api.all[0] != entry.At.UTC().Format(time.RFC3339) {
		t.Errorf("the tags say %v, the entry %v: %v", api.all, entry.At, err)
	}
}
