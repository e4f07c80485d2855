package event

import (
	"encoding/json"
	"fmt"
)

// PrivateNotebooksToInspect is the detail-type of Drawbridge's own event that the private notebooks of an account want a
// look.
const PrivateNotebooksToInspect = "Private Notebooks To Inspect"

// PrivateNotebooksInspection is the detail of Drawbridge's own event [PrivateNotebooksToInspect]. The account is looked at
// in all Regions, whichever is named.
type PrivateNotebooksInspection struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Reason  string `json:"reason"`
}

func privateNotebooksToInspect(out Event, detail json.RawMessage) (Event, error) {
	var d PrivateNotebooksInspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	where, err := place(d.Account, d.Region)
	if err != nil {
		return Event{}, err
	}
	out.Kind, out.Place = Private, where
	return out, nil
}

// endpointCalls are the API calls of EC2 by which interface endpoints come and go.
var endpointCalls = map[string]bool{"CreateVpcEndpoint": true, "DeleteVpcEndpoints": true}

// roleCalls are the API calls of IAM that set or remove tags of a role.
var roleCalls = map[string]bool{"CreateRole": true, "TagRole": true, "UntagRole": true}

// optIn reads an event about what private notebooks depend on: an endpoint that came or went, tags of a role, or a tag change
// that the service itself tells EventBridge. Only the account is taken from it, because the account as a whole is looked at.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tag-changes.html
func optIn(out Event, detail json.RawMessage) (Event, error) {
	var c call
	if err := json.Unmarshal(detail, &c); err != nil {
		return Event{}, invalid("detail: %v", err)
	}
	if c.EventName == "" && out.Name == "Tag Change on Resource" {
		out.Kind = Private
		return out, nil
	}
	out.Name = clip(c.EventName)
	switch {
	case !endpointCalls[c.EventName] && !roleCalls[c.EventName]:
		out.Why = fmt.Sprintf("%s changes no tag of a role", out.Name)
	case c.ErrorCode != "":
		out.Failed = true
		out.Why = fmt.Sprintf("%s failed with %s, so nothing changed", out.Name, clip(c.ErrorCode))
	default:
		out.Kind, out.Roles = Private, roleCalls[c.EventName]
	}
	return out, nil
}
