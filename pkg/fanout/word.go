package fanout

import (
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// heard are the kinds of things by whose tags owners decide who reaches what. The ids of others say nothing outside their account.
var heard = []tag.Kind{tag.VPC, tag.Gateway, tag.Peering, tag.Attachment, tag.DBInstance, tag.DBCluster, tag.DBProxy, tag.RedshiftCluster}

// Words returns what somebody said by a call, by setting or taking away tags of the owners': what the ledger keeps so that people can ask later who
// decided. Nothing is decided by it. A record that names no identity, or no tag, says nothing.
func Words(c event.Changed) []ledger.Word {
	var out []ledger.Word
	if c.Hand.Who == "" {
		return nil
	}
	for _, t := range c.Things {
		if !slices.Contains(heard, t.Kind) || !slices.Contains([]tag.Act{tag.Sets, tag.Creates, tag.Removes}, t.Act) {
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
