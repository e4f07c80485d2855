package workflow

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Trim is what goes from one side of a connection that stays: exactly what is named here, if it is still Drawbridge's.
type Trim struct {
	Rules        []string       `json:"rules,omitempty"`        // ids of security group rules
	Destinations []netip.Prefix `json:"destinations,omitempty"` // of routes to the connection's target, and of host routes
}

// Leaving returns the destinations whose routes go from this side: those that are trimmed, or, with the whole
// connection, all that it reaches.
func (s Side) Leaving() []netip.Prefix {
	if s.Trim != nil {
		return s.Trim.Destinations
	}
	return s.Peer.CIDRs
}

// ReportConflictInput names a connection that its own change broke.
type ReportConflictInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Members    []string   `json:"members"`
}

// ReportConflictOutput says why there is no conflict any more.
type ReportConflictOutput struct {
	Reason string `json:"reason"`
}

// ReportUnreadableInput names a connection of which something cannot be read now.
type ReportUnreadableInput struct {
	Execution  string     `json:"execution"`
	Connection Connection `json:"connection"`
	Sides      []Side     `json:"-"` // rows of the ledger
	Reason     string     `json:"reason"`
	Said       Said       `json:"said"`
}

// Empty is the output of a step that only ever fails.
type Empty struct{}

// TaggedThing is a thing whose owner set one of Drawbridge's tags.
type TaggedThing struct {
	Account string   `json:"account"`
	Region  string   `json:"region"` // of the event; IAM itself is global
	Kind    tag.Kind `json:"kind"`
	// ID is what AWS calls it by: the id of what is EC2's, the ARN of a database or a cluster, the name of a role or a notebook.
	ID string `json:"id,omitempty"`
}

// TaggedThings are things that travel with what they have in common said once, so that a thousand, as many as one call tags, take some 20 KB.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
type TaggedThings []TaggedThing

// alike are things of one kind in one place; with Prefix begin the ids of all.
type alike struct {
	TaggedThing
	Prefix string   `json:"prefix,omitempty"`
	IDs    []string `json:"ids,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (all TaggedThings) MarshalJSON() ([]byte, error) {
	out := []alike{}
	for _, t := range all {
		of := t
		of.ID = ""
		n := slices.IndexFunc(out, func(a alike) bool { return a.TaggedThing == of })
		if n < 0 {
			n, out = len(out), append(out, alike{TaggedThing: of})
		}
		out[n].IDs = append(out[n].IDs, t.ID)
	}
	for n, a := range out {
		if len(a.IDs) == 1 {
			out[n].ID, out[n].IDs = a.IDs[0], nil
			continue
		}
		first := a.IDs[0]
		out[n].Prefix = first[:strings.LastIndexByte(first, '-')+1]
		if slices.ContainsFunc(a.IDs, func(id string) bool { return !strings.HasPrefix(id, out[n].Prefix) }) {
			out[n].Prefix = ""
		}
		for m := range a.IDs {
			a.IDs[m] = strings.TrimPrefix(a.IDs[m], out[n].Prefix)
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (all *TaggedThings) UnmarshalJSON(text []byte) error {
	var in []alike
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*all = TaggedThings{}
	for _, a := range in {
		if a.IDs == nil {
			*all = append(*all, a.TaggedThing)
		}
		for _, id := range a.IDs {
			t := a.TaggedThing
			t.ID = a.Prefix + id
			*all = append(*all, t)
		}
	}
	return nil
}

// AnswerTagsInput names the things whose tags were set.
type AnswerTagsInput struct {
	Execution string       `json:"execution"`
	Things    TaggedThings `json:"things"`
}

// AnswerTagsOutput says of how many things people were told that a tag means nothing, and how many are clear again.
type AnswerTagsOutput struct {
	Told    int    `json:"told"`
	Cleared int    `json:"cleared"`
	Reason  string `json:"reason"`
}

// ReportContestInput names a connection of which something is contested.
type ReportContestInput struct {
	Execution  string `json:"execution"`
	Connection string `json:"connection"` // its id in the ledger
}

// ReportContestOutput says whether people were told.
type ReportContestOutput struct {
	Result Result `json:"result"` // Contested; Reported, if all there was to tell is what became its owner's; Nothing if they were told before or it is over
	Reason string `json:"reason"`
}

// ReportFailureInput names an execution that ended without saying so on what it was about.
type ReportFailureInput struct {
	Execution string `json:"execution"`
	Failed    string `json:"failed"` // its ARN
}

// ReportFailureOutput says on what it is said now.
type ReportFailureOutput struct {
	Result Result `json:"result"` // Reported, or Nothing if there is nothing to say, or not any more
	Reason string `json:"reason"`
	On     int    `json:"on"` // how many things
}

// FindConnectionsInput starts a look for the connections that a change concerns.
type FindConnectionsInput struct {
	Execution string          `json:"execution"`
	Event     json.RawMessage `json:"event"`
}

// Raw returns the execution's name and the event as it came.
func (in FindConnectionsInput) Raw() (execution string, event json.RawMessage) {
	return in.Execution, in.Event
}

// FindConnectionsOutput says for how many peerings and attachments a look was asked.
type FindConnectionsOutput struct {
	Result    Result `json:"result"` // Announced or Nothing
	Reason    string `json:"reason"`
	Announced int    `json:"announced"`
	// Tagged are the things whose tags the event says were set or removed; an empty list, never null.
	Tagged TaggedThings `json:"tagged"`
	// Contested is the connection whose owners may have to be told that something of it is contested; empty if there is none.
	Contested string `json:"contested"`
	// Failed is an execution that ended without saying so on what it was about, by its ARN; empty if there is none.
	Failed string `json:"failed"`
}
