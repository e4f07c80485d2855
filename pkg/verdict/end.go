package verdict

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// said is how many bytes the ledger keeps of what is in the way, and of how to mend it: the entry of a connection is read at each look.
const said = 200

// ended is one path as the ledger keeps it: of its hops only the one at which it ends.
func ended(c Client, name string, d Database, hops []network.Hop) ledger.Path {
	answer := network.All(hops)
	out := ledger.Path{Client: ledger.End{Name: Called(name), Account: c.Account, Network: c.VPC}, Database: ledger.End{Name: d.Name, Account: d.Account, Network: d.VPC},
		Port: d.Port, Answer: map[network.Answer]string{network.Yes: "yes", network.No: "no", network.Unknown: "unknown"}[answer]}
	if answer == network.Yes {
		return out
	}
	for _, h := range hops {
		if h.Answer == answer {
			out.Hop, out.Owner, out.Detail, out.Remedy = h.Hop, h.Owner, fit.Bytes(h.Detail, said), fit.Bytes(h.Remedy, said)
			break
		}
	}
	return out
}
