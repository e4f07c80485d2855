package plan

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
)

// asked is an execution that something asks for.
type asked struct {
	kind   string // the detail-type of the event that starts it
	detail json.RawMessage
	id     string // what it is about

	from  deed.Thing      // whose tags changed, if that is the event
	whole json.RawMessage // the event itself, if it was kept
}

// told is what an event of Drawbridge's own asks for.
func told(kind string, detail json.RawMessage) asked {
	return asked{kind: kind, detail: detail, id: subject(string(detail))}
}

// again is what was held back, and goes on.
func again(k hold.Kept) asked {
	out := asked{id: k.Thing, whole: k.Input}
	for kind, m := range machines {
		if m.name == k.Machine && (out.kind == "" || kind < out.kind) {
			out.kind = kind
		}
	}
	return out
}

func detailOf(l look.Look) json.RawMessage {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // a look is a struct of texts
	}
	return text
}

// key is the same for looks at the same thing, whatever their reasons.
func (a asked) key() string {
	about := a.kind + arnOf(a.from) + string(a.whole)
	var fields map[string]any
	if json.Unmarshal(a.detail, &fields) == nil {
		delete(fields, "reason")
		text, _ := json.Marshal(fields)
		return about + string(text)
	}
	return about + string(a.detail)
}

// subject is what the detail of a look names.
func subject(detail string) string {
	var fields map[string]any
	_ = json.Unmarshal([]byte(detail), &fields)
	for _, name := range []string{"vpcPeeringConnectionId", "transitGatewayAttachmentId", "attachmentId", "notebookInstanceName", "cluster", "vpcId", "transitGatewayId", "connection", "account"} {
		if text, ok := fields[name].(string); ok && text != "" {
			return text
		}
	}
	return detail
}

// hubAccount stands for the hub's in an event: no machine reads it from one.
const hubAccount = "000000000000"

// event is the event by which an execution is asked for.
func (r *rehearsal) event(a asked) any {
	if a.whole != nil {
		return a.whole
	}
	out := map[string]any{"version": "0", "id": execution, "source": event.Source, "detail-type": a.kind, "account": hubAccount, "region": r.Config.Region,
		"time": r.now().UTC().Format(time.RFC3339), "resources": []any{}, "detail": a.detail}
	if a.kind == tagChange {
		out["source"], out["account"], out["region"], out["resources"] = "aws.tag", a.from.Account, a.from.Region, []string{arnOf(a.from)}
	}
	return out
}

// tagChange is the event that a service sends when the tags of a thing change.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tag-changes.html
const tagChange = "Tag Change on Resource"

// changed is what a change of a thing's tags asks for; a value that is nil is of a tag that is taken off.
func changed(t deed.Thing, tags map[string]*string) asked {
	keys, now := slices.Sorted(maps.Keys(tags)), map[string]string{}
	for _, key := range keys {
		if value := tags[key]; value != nil {
			now[key] = *value
		}
	}
	detail, err := json.Marshal(map[string]any{"changed-tag-keys": keys, "service": t.Kind.Service(), "resource-type": strings.Trim(t.Kind.Resource(), "/:"), "version": 1, "tags": now})
	if err != nil {
		panic(err) // it is made of texts
	}
	return asked{kind: tagChange, detail: detail, id: t.ID, from: t}
}
