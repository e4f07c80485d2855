package peering

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Asker returns the ARN of the identity that made the call of a record, or "" if the record does not tell. It is only shown to people: only
// AWS puts such records on a bus, and nothing is decided by it.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func Asker(record json.RawMessage) string {
	var e struct {
		Detail struct {
			UserIdentity struct {
				ARN string `json:"arn"`
			} `json:"userIdentity"`
		} `json:"detail"`
	}
	if json.Unmarshal(record, &e) != nil {
		return ""
	}
	return fit.Bytes(e.Detail.UserIdentity.ARN, 300)
}

// accepts is the call by which an owner answers a request without asking Drawbridge.
const accepts = "AcceptVpcPeeringConnection"

// hear keeps who accepted a peering by hand, going by the record of the call, so that people can ask later who decided.
func (i Inspector) hear(ctx context.Context, in workflow.InspectPeeringInput, id string) error {
	e, err := event.Parse(in.Event)
	if who := Asker(in.Event); err == nil && e.Name == accepts && !e.Failed && who != "" {
		return i.Ledger.Hear(ctx, ledger.Word{Thing: id, Said: accepts, By: ledger.Hand{Who: who}, Account: e.Account, Region: e.Region, At: e.Time.UTC(), Call: e.ID})
	}
	return nil
}

// whyOf is the fact in an entry that says why somebody asks: the requester's tag drawbridge:reason, before Drawbridge answers there.
const whyOf = "why"

// Reason is why the requester asks, going by the tags of the peering in its account: the tag drawbridge:reason, as long as there is no status,
// which Drawbridge gives its own reason.
func Reason(own map[string]string) string {
	if own[tag.Status] != "" {
		return ""
	}
	return fit.Bytes(own[tag.Reason], 300)
}

// remember writes who asks and why into an entry, unless it says so.
func remember(e *ledger.Connection, r workflow.Request) {
	if e.Asked == "" {
		e.Asked = r.By
	}
	if r.Why != "" && e.Facts[whyOf] == "" {
		putFact(e, whyOf, r.Why)
	}
}

// putFact writes one fact into an entry, and leaves the map of whoever else has it as it is.
func putFact(e *ledger.Connection, name, value string) {
	facts := maps.Clone(e.Facts)
	if facts == nil {
		facts = map[string]string{}
	}
	facts[name] = value
	e.Facts = facts
}
