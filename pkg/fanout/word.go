package fanout

import (
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// heard reports whether owners decide by tags of a thing who reaches what: of networks, and of each kind of database. The ids of others say nothing
// outside their account; nor does the name of a workgroup, by which the record of its creation calls it.
func heard(t event.Thing) bool {
	if slices.Contains([]tag.Kind{tag.VPC, tag.Gateway, tag.Peering, tag.Attachment}, t.Kind) {
		return true
	}
	shared := func(w tag.Wish) bool { return w.Key == tag.Share && w.On == t.Kind }
	return slices.ContainsFunc(tag.Wishes, shared) && strings.HasPrefix(t.ID, "arn:")
}

// Words returns what somebody said by a call, by setting or taking away tags of the owners': what the ledger keeps so that people can ask later who
// decided. Nothing is decided by it. A record that names no identity, or no tag, says nothing.
func Words(c event.Changed) []ledger.Word {
	var out []ledger.Word
	if c.Hand.Who == "" {
		return nil
	}
	for _, t := range c.Things {
		if !heard(t) || !slices.Contains([]tag.Act{tag.Sets, tag.Creates, tag.Removes}, t.Act) {
			continue
		}
		for _, key := range t.Keys {
			if slices.Contains(tag.Keys(t.Kind), key) {
				out = append(out, ledger.Word{Thing: t.ID, Said: key, Value: c.Values[key], By: ledger.Hand(c.Hand), Account: c.Account, Region: c.Region, At: c.At, Call: c.Call})
			}
		}
	}
	return out
}
