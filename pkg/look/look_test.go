package look_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// bus takes events, or not.
type bus struct {
	entries []types.PutEventsRequestEntry
	sizes   []int
	err     error
	refuses bool
}

func (b *bus) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	if b.err != nil {
		return nil, b.err
	}
	b.entries, b.sizes = append(b.entries, in.Entries...), append(b.sizes, len(in.Entries))
	out := &eventbridge.PutEventsOutput{Entries: make([]types.PutEventsResultEntry, len(in.Entries))}
	if b.refuses {
		out.Entries[len(out.Entries)-1] = types.PutEventsResultEntry{ErrorCode: aws.String("InternalFailure")}
	}
	return out, nil
}

func TestLooksAreEventsThatAreReadAgain(t *testing.T) {
	b := &bus{}
	asker := look.Asker{API: b, Bus: "drawbridge"}
	place := func(n int) event.VPCPlace {
		return event.VPCPlace{Account: "111111111111", Region: "us-east-1", VPC: fmt.Sprintf("vpc-%08d", n)}
	}
	var pairs []event.TransitInspection
	for n := range 12 {
		pairs = append(pairs, event.TransitInspection{TransitGatewayID: "tgw-0123456789abcdef0", VPCs: []event.VPCPlace{place(100), place(n)}, Reason: "r"})
	}
	share := event.ShareInspection{Account: "111111111111", Region: "us-east-1", Share: "arn:aws:ram:us-east-1:111111111111:resource-share/0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"}
	attachment := event.AttachmentInspection{Account: "111111111111", Region: "us-east-1", TransitGatewayID: "tgw-0123456789abcdef0", VPC: "vpc-00000001"}
	for _, err := range []error{look.Ask(t.Context(), asker, pairs...), look.Ask(t.Context(), asker, share), look.Ask(t.Context(), asker, attachment)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(b.sizes) != "[10 2 1 1]" {
		t.Errorf("put %v at a time", b.sizes)
	}
	kinds := map[event.Kind]int{}
	for _, e := range b.entries {
		raw := fmt.Sprintf(`{"source": %q, "detail-type": %q, "account": "123456789012", "region": "us-east-1", "detail": %s}`, *e.Source, *e.DetailType, *e.Detail)
		read, err := event.Parse([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		kinds[read.Kind]++
	}
	if kinds[event.Transit] != 12 || kinds[event.Share] != 1 || kinds[event.Attachment] != 1 {
		t.Errorf("read back %v", kinds)
	}
}

func TestAnEventThatIsNotTakenIsTransient(t *testing.T) {
	one := event.AttachmentInspection{}
	if err := look.Ask(t.Context(), look.Asker{API: &bus{refuses: true}}, one); fault.Of(err) != fault.Transient {
		t.Errorf("%v", err)
	}
	if err := look.Ask(t.Context(), look.Asker{API: &bus{err: errors.New("no")}}, one); err == nil {
		t.Error("no error")
	}
	b := &bus{}
	if err := (look.Asker{API: b}).Ask(t.Context(), one, stranger{}); fault.Of(err) != fault.Invalid || len(b.entries) > 0 {
		t.Errorf("%v after %d events: nothing is asked where no machine answers one of them", err, len(b.entries))
	}
}

// stranger is of a kind that no machine answers.
type stranger struct{}

func (stranger) DetailType() string { return "Moon To Inspect" }

// Events that have no room together go one after the other.
func TestLooksThatAreLarge(t *testing.T) {
	b := &bus{}
	large := event.TransitInspection{TransitGatewayID: "tgw-0123456789abcdef0", Reason: strings.Repeat("r", 100_000)}
	if err := look.Ask(t.Context(), look.Asker{API: b, Bus: "drawbridge"}, large, large, large, large, large); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(b.sizes) != "[2 2 1]" {
		t.Errorf("put %v at a time", b.sizes)
	}
}
