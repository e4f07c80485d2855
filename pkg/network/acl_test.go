package network_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func entry(number int, allow bool, prefix string, from, to int) network.Entry {
	return network.Entry{Number: number, Allow: allow, CIDR: cidr(prefix), Ports: network.Ports{From: from, To: to}}
}

func TestDeny(t *testing.T) {
	peers := []netip.Prefix{cidr("10.1.0.0/16")}
	one := network.Ports{From: 3306, To: 3306}
	for name, c := range map[string]struct {
		entries []network.Entry
		ports   network.Ports
		want    []network.Denied
	}{
		"no entry": {nil, one, []network.Denied{{CIDR: peers[0], Ports: one}}},
		"two halves are a whole": {
			[]network.Entry{entry(100, true, "10.1.0.0/17", 3306, 3306), entry(110, true, "10.1.128.0/17", 0, 65535)}, one, nil},
		"ports in two entries": {
			[]network.Entry{entry(100, true, "10.1.0.0/16", 1024, 49151), entry(110, true, "0.0.0.0/0", 49152, 65535)}, network.Ephemeral, nil},
		"entries are taken by their numbers": {
			[]network.Entry{entry(200, false, "0.0.0.0/0", 0, 65535), entry(100, true, "10.0.0.0/8", 3306, 3306)}, one, nil},
		"a deny of another range, and of another port": {
			[]network.Entry{entry(80, false, "192.168.0.0/16", 0, 65535), entry(90, false, "0.0.0.0/0", 22, 22), entry(100, true, "0.0.0.0/0", 0, 65535)}, one, nil},
		"a deny of a part": {
			[]network.Entry{entry(90, false, "10.1.2.0/24", 0, 65535), entry(100, true, "10.1.0.0/16", 3306, 3306)}, one,
			[]network.Denied{{CIDR: cidr("10.1.2.0/24"), Ports: one, Rule: 90}}},
		"a deny after an allow of the same part": {
			[]network.Entry{entry(90, true, "10.1.2.0/24", 0, 65535), entry(100, false, "10.1.0.0/16", 0, 65535)}, one,
			[]network.Denied{{CIDR: cidr("10.1.0.0/23"), Ports: one, Rule: 100}, {CIDR: cidr("10.1.3.0/24"), Ports: one, Rule: 100},
				{CIDR: cidr("10.1.4.0/22"), Ports: one, Rule: 100}, {CIDR: cidr("10.1.8.0/21"), Ports: one, Rule: 100},
				{CIDR: cidr("10.1.16.0/20"), Ports: one, Rule: 100}, {CIDR: cidr("10.1.32.0/19"), Ports: one, Rule: 100},
				{CIDR: cidr("10.1.64.0/18"), Ports: one, Rule: 100}, {CIDR: cidr("10.1.128.0/17"), Ports: one, Rule: 100}}},
		"the other address family": {
			[]network.Entry{entry(100, true, "::/0", 0, 65535)}, one, []network.Denied{{CIDR: peers[0], Ports: one}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := network.Deny(c.entries, peers, c.ports); !reflect.DeepEqual(got, c.want) {
				t.Errorf("denied is\n%v, want\n%v", got, c.want)
			}
		})
	}
}

// A packet is denied exactly if the first entry that matches it denies it, or none matches; and then by that one.
func TestDenyIsWhatTheFirstMatchSays(t *testing.T) {
	// A world so small that every packet can be tried: 16 addresses, 8 ports.
	prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
		bits := rapid.IntRange(27, 32).Draw(t, "bits")
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(0, 15).Draw(t, "host"))}), bits).Masked()
	})
	span := rapid.Custom(func(t *rapid.T) network.Ports {
		from := rapid.IntRange(0, 7).Draw(t, "from")
		return network.Ports{From: from, To: rapid.IntRange(from, 7).Draw(t, "to")}
	})
	rapid.Check(t, func(t *rapid.T) {
		var entries []network.Entry
		for n := range rapid.IntRange(0, 6).Draw(t, "entries") {
			entries = append(entries, network.Entry{Number: 100 + n, Allow: rapid.Bool().Draw(t, "allow"), CIDR: prefix.Draw(t, "cidr"), Ports: span.Draw(t, "ports")})
		}
		entries = rapid.Permutation(entries).Draw(t, "order")
		peers := rapid.SliceOfN(prefix, 1, 3).Draw(t, "peers")
		ports := span.Draw(t, "ports")
		got := network.Deny(entries, peers, ports)
		for host := range 16 {
			addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(host)})
			for port := range 8 {
				packet := fmt.Sprintf("%s port %d", addr, port)
				asked := port >= ports.From && port <= ports.To && contains(peers, addr)
				rule, allowed := first(entries, addr, port)
				var by []int
				for _, d := range got {
					if d.CIDR.Contains(addr) && port >= d.Ports.From && port <= d.Ports.To {
						by = append(by, d.Rule)
					}
				}
				switch {
				case asked && !allowed:
					if len(by) != 1 || by[0] != rule {
						t.Fatalf("%s is denied by %v, want by %d alone", packet, by, rule)
					}
				case len(by) > 0:
					t.Fatalf("%s is denied by %v; asked for: %v, allowed: %v", packet, by, asked, allowed)
				}
			}
		}
	})
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// first says what AWS's guide does: by the lowest number of the entries that match.
func first(entries []network.Entry, a netip.Addr, port int) (rule int, allowed bool) {
	for _, e := range entries {
		if e.CIDR.Contains(a) && port >= e.Ports.From && port <= e.Ports.To && (rule == 0 || e.Number < rule) {
			rule, allowed = e.Number, e.Allow
		}
	}
	return rule, allowed
}
