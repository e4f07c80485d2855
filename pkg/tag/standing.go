package tag

import (
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// Pair is one tag.
type Pair struct{ Key, Value string }

// Standing returns the tags by which a thing says how it stands, why, and since when.
func Standing(status, reason string, since time.Time) []Pair {
	return []Pair{{Status, status}, {Reason, fit.Tag(reason)}, {Since, since.UTC().Format(time.RFC3339)}}
}

// StandingInStudio returns the same about who reads a Redshift cluster from Studio.
func StandingInStudio(status, reason string, since time.Time) []Pair {
	out := Standing(status, reason, since)
	for n, key := range []string{StudioStatus, StudioReason, StudioSince} {
		out[n].Key = key
	}
	return out
}

// StatusKeys are the keys of [Standing].
func StatusKeys() []string { return []string{Status, Reason, Since} }
