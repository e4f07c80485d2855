package notice

import "github.com/drawbridge-cloud/drawbridge/pkg/workflow"

// ChangeHeld is the kind of event about changes that were not made: Drawbridge only observes, takes nothing away, asks a person first, or cannot read
// something now.
const ChangeHeld Kind = "Change Held"

// Held is the detail of [ChangeHeld].
type Held struct {
	Execution string          `json:"execution"`
	Machine   string          `json:"machine"` // such as drawbridge-peering
	Result    workflow.Result `json:"result"`  // the end state: Planned, Kept, Braked or Unreadable
	Mode      string          `json:"mode,omitempty"`
	Reason    string          `json:"reason"`
	// Changes are what would be changed, each in a sentence; the first of them.
	Changes []string `json:"changes"`
}

func (Held) kind() Kind { return ChangeHeld }

// about is the execution that was held back.
func (h Held) about() string { return h.Execution }

func (h Held) within(n int) Event {
	h.Reason, h.Changes = text(h.Reason, n), some(h.Changes, n)
	return h
}
