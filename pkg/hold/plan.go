package hold

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// thing returns what an execution's input is about, the same for each event about it. An event that names one thing is that thing
// with its place; any other is what it says, but for what differs from one record to the next.
func thing(input json.RawMessage) string {
	e, err := event.Parse(input)
	if err != nil || e.Kind == event.Unhandled {
		return "event " + digest(lasting(input))
	}
	e.ID, e.Name, e.Others, e.Why = "", "", nil, ""
	words := []string{string(e.Kind), e.Account, e.Region, e.PeeringID, e.NotebookName, e.RouteTableID, e.Cluster, e.Workgroup,
		e.DomainID, e.VPC, e.ClusterARN, e.GatewayID, e.AttachmentID, e.ShareARN}
	for _, v := range e.VPCs {
		words = append(words, fmt.Sprint(v))
	}
	if e.Roles {
		words = append(words, "roles")
	}
	text := strings.Join(strings.Fields(strings.Join(words, " ")), " ")
	if len(text) > 512 {
		text = string(e.Kind) + " " + digest([]byte(text))
	}
	return text
}

// passing are the members of a record that differ between two records of the same change.
var passing = []string{"id", "time", "version", "eventID", "eventTime", "requestID", "requestId", "userIdentity", "sourceIPAddress", "userAgent", "tlsDetails",
	"sharedEventID", "version-timestamp"}

// lasting returns a JSON object without what passes, in the envelope and in the detail.
func lasting(input json.RawMessage) []byte {
	var object map[string]any
	if json.Unmarshal(input, &object) != nil {
		return input
	}
	detail, _ := object["detail"].(map[string]any)
	for _, name := range passing {
		delete(object, name)
		delete(detail, name)
	}
	text, err := json.Marshal(object) // with its keys in order
	if err != nil {
		return input
	}
	return text
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

// keeps reports whether an execution that was held back is kept: not one that a change of the mode starts anyway, and not one that
// an account alone held back, which the next sweep looks at again. Nor is a rebuild of the ledger kept.
//
//	end                  mode      kept
//	Braked, Unreadable   any       yes
//	any                  full      no: the account only lets itself be observed, or the mode changed a moment ago
//	any                  another   yes
func keeps(machine string, end mode.End, at mode.Mode) bool {
	return machine != sweep && machine != rebuild && (end == mode.Braked || end == mode.Unreadable || at != mode.Full)
}

// resumes reports whether what is kept goes on: in another mode than it was held back in; if the brake stopped it, when a person let it
// through; if something could not be read, with each sweep.
func (r row) resumes(at mode.Mode, letThrough bool) bool {
	switch {
	case at == mode.Stopped:
		return false
	case r.End == mode.Braked:
		return letThrough
	case r.End == mode.Unreadable:
		return true
	}
	return r.Mode != at
}

// name is the name of the execution that goes on: the same if it is started twice.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func name(machine, thing string, version int64) string {
	return fmt.Sprintf("resumed-%s-%d", digest([]byte(machine+" "+thing)), version)
}
