package peering_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// recorded is CloudTrail's record of a call about a peering.
func recorded(name string) json.RawMessage {
	return json.RawMessage(`{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"eu-west-1","detail":{
		"eventSource":"ec2.amazonaws.com","eventName":"` + name + `","recipientAccountId":"111111111111","awsRegion":"eu-west-1",
		"userIdentity":{"arn":"arn:aws:iam::111111111111:user/ana"},
		"requestParameters":{"vpcPeeringConnectionId":"pcx-0123456789abcdef0"},
		"responseElements":{"vpcPeeringConnection":{"vpcPeeringConnectionId":"pcx-0123456789abcdef0"}}}}`)
}

// Whoever comes while another is at the peering ends, and what only the record of a request can say is kept.
func TestARequestIsNotLostWhileAnotherIsAtIt(t *testing.T) {
	const id = "pcx-0123456789abcdef0"
	for name, c := range map[string]struct {
		event, of string // of the execution that comes, and of the one that is at it
		managed   bool
		asked     string // what the entry says then
		waits     bool
	}{
		"any event":                            {"AcceptVpcPeeringConnection", "CreateVpcPeeringConnection", false, "", false},
		"the request once more":                {"CreateVpcPeeringConnection", "CreateVpcPeeringConnection", false, "", false},
		"the request, after another event":     {"CreateVpcPeeringConnection", "AcceptVpcPeeringConnection", false, "", true},
		"the request of what is managed":       {"CreateVpcPeeringConnection", "", true, "arn:aws:iam::111111111111:user/ana", false},
		"any event about what is managed":      {"AcceptVpcPeeringConnection", "", true, "", false},
		"the request once more, being managed": {"CreateVpcPeeringConnection", "CreateVpcPeeringConnection", true, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			l, _ := ledgertest.New()
			if c.managed {
				if _, err := l.Begin(ctx, ledger.Connection{ID: id, Kind: "peering", Origin: ledger.Requested}); err != nil {
					t.Fatal(err)
				}
			}
			turn := peering.Inspector{Ledger: l}.Turn()
			in := workflow.InspectPeeringInput{Execution: "run-2", Event: recorded(c.event), Looked: workflow.Looked{Accepted: true}}
			if claim := turn.Claim(in); claim.Of != id || claim.Execution != "run-2" || claim.Event != c.event {
				t.Fatalf("it claims %+v", claim)
			}
			if turn.Fresh(in).Looked.Accepted {
				t.Error("what is fresh knows the old policy")
			}
			out, err := turn.Busy(ctx, in, ledger.Lease{Turn: ledger.Turn{Holder: "run-1", Event: c.of}})
			if (fault.Of(err) == fault.NotYet) != c.waits || !c.waits && err != nil {
				t.Fatalf("it fails with %v", err)
			}
			if !c.waits && (out.Result != workflow.Nothing || !turn.Ends(out) || !strings.Contains(out.Reason, "run-1")) {
				t.Errorf("it ends with %+v", out)
			}
			if entry, _, err := l.Connection(ctx, id); err != nil || entry.Asked != c.asked {
				t.Errorf("asked by %q, %v", entry.Asked, err)
			}
			words, err := l.Words(ctx, id)
			if accepted := c.event == "AcceptVpcPeeringConnection"; err != nil || accepted != (len(words) == 1 && words[0].Said == c.event && words[0].By.Who == "arn:aws:iam::111111111111:user/ana") {
				t.Errorf("it heard %+v, %v", words, err)
			}
		})
	}
}

func TestOnlyEventsAboutPeeringsClaimOne(t *testing.T) {
	for _, text := range []string{`{`, `{"source":"aws.ec2","detail-type":"something else"}`} {
		if claim := (peering.Inspector{}).Turn().Claim(workflow.InspectPeeringInput{Event: json.RawMessage(text)}); claim.Of != "" {
			t.Errorf("%s claims %+v", text, claim)
		}
	}
}
