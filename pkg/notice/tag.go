package notice

import (
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// TagUnclear is the kind of event about a tag whose value means nothing.
const TagUnclear Kind = "Tag Unclear"

// Unclear is the detail of [TagUnclear]: somebody asked for something in words that Drawbridge does not know.
type Unclear struct {
	Execution string         `json:"execution"`
	Account   string         `json:"account"`
	Region    string         `json:"region"`
	Kind      tag.Kind       `json:"kind"`
	ID        string         `json:"id"` // of the thing that has the tags
	Problems  []UnclearValue `json:"problems"`
	Runbook   string         `json:"runbook"`
	Mode      string         `json:"mode,omitempty"`
}

// UnclearValue is one value that means nothing, or not all of it.
type UnclearValue struct {
	Key     string `json:"key"`
	Value   string `json:"value"`   // as its owner wrote it
	Why     string `json:"why"`     // one sentence
	Remedy  string `json:"remedy"`  // what to write
	Command string `json:"command"` // that corrects it, in the thing's account, with what to write for VALUE
}

func (Unclear) kind() Kind { return TagUnclear }

// about is the thing that the event is about.
func (u Unclear) about() string { return u.ID }

// UnclearRunbook is the entry of the runbook about tags that mean nothing.
const UnclearRunbook = runbook + "a-tag-that-means-nothing"

// UnclearMessage is the notification about tags of a thing that mean nothing.
func UnclearMessage(u Unclear) Notification {
	var b strings.Builder
	fmt.Fprintf(&b, "On %s %s in account %s, %s, a tag asks for something that Drawbridge does not understand. What was decided without it is on the safe side.\n",
		u.Kind, u.ID, u.Account, u.Region)
	for _, p := range u.Problems {
		fmt.Fprintf(&b, "\n%s\n  in account %s: %s\n", p.Why, u.Account, p.Command)
	}
	fmt.Fprintf(&b, "\nThe tag %s on it says the same, and goes when all is clear.\n\nMore\n  %s\n", tag.Unclear, u.Runbook)
	return Notification{Kind: TagUnclear, Account: u.Account, Subject: fmt.Sprintf("Drawbridge: a tag of %s means nothing", u.ID), Body: b.String()}
}
