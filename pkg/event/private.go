package event

import "encoding/json"

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
