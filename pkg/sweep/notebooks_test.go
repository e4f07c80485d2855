package sweep

import (
	"net/netip"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
)

func TestDrift(t *testing.T) {
	p := netip.MustParsePrefix
	four, six := p("10.1.0.0/24"), p("2001:db8::/64")
	line := func(of netip.Prefix, to ...netip.Prefix) lifecycle.Line {
		return lifecycle.Line{Subnet: of, Destinations: to}
	}
	for name, c := range map[string]struct {
		lines  []lifecycle.Line
		subnet route.Subnet
		wanted []netip.Prefix
		drifts bool
	}{
		"no routes, no line":                 {nil, route.Subnet{V4: four}, nil, false},
		"routes, no line":                    {nil, route.Subnet{V4: four}, []netip.Prefix{p("10.2.0.0/16")}, true},
		"routes, and the line has them":      {[]lifecycle.Line{line(four, p("10.2.0.0/16"))}, route.Subnet{V4: four}, []netip.Prefix{p("10.2.0.0/16")}, false},
		"the line lacks one":                 {[]lifecycle.Line{line(four, p("10.2.0.0/16"))}, route.Subnet{V4: four}, []netip.Prefix{p("10.2.0.0/16"), p("10.3.0.0/16")}, true},
		"the line is stale":                  {[]lifecycle.Line{line(four, p("10.2.0.0/16"))}, route.Subnet{V4: four}, nil, true},
		"the line of another subnet":         {[]lifecycle.Line{line(p("10.1.1.0/24"), p("10.2.0.0/16"))}, route.Subnet{V4: four}, nil, false},
		"an IPv6 route, a subnet without it": {nil, route.Subnet{V4: four}, []netip.Prefix{p("2001:db8:1::/48")}, false},
		"an IPv6 route, in its line":         {[]lifecycle.Line{line(six, p("2001:db8:1::/48"))}, route.Subnet{V4: four, V6: six}, []netip.Prefix{p("2001:db8:1::/48")}, false},
		"an IPv6 route, no line":             {nil, route.Subnet{V4: four, V6: six}, []netip.Prefix{p("2001:db8:1::/48")}, true},
	} {
		if got := Drift(c.lines, c.subnet, c.wanted); (got != "") != c.drifts {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A host route that the ledger does not have, and nobody wants, is its owner's: it is no drift.
func TestWhatTheLedgerLacksIsTheOwners(t *testing.T) {
	p := netip.MustParsePrefix
	four := p("10.1.0.0/24")
	lines := []lifecycle.Line{{Subnet: four, Destinations: []netip.Prefix{p("10.2.0.0/23"), p("10.3.0.0/16")}}}
	item := lifecycle.Item("111111111111", "us-east-1", "lena", four, p("10.2.0.0/23"))
	for name, c := range map[string]struct {
		wanted []netip.Prefix
		items  []ledger.Item
		drifts bool
	}{
		"nobody wants them, the ledger has one":  {nil, []ledger.Item{item}, true},
		"nobody wants them, the ledger has none": {nil, nil, false},
		"one is wanted, and its owner's":         {[]netip.Prefix{p("10.3.0.0/16")}, nil, false},
		"one is wanted that is not there":        {[]netip.Prefix{p("10.4.0.0/16")}, nil, true},
	} {
		if got := Drift(Ours(lines, c.wanted, c.items), route.Subnet{V4: four}, c.wanted); (got != "") != c.drifts {
			t.Errorf("%s: %q", name, got)
		}
	}
}
