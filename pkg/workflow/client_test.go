package workflow

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// However many clients there are, what is said of them has room, and no subnet of theirs is lost.
func TestClientsHaveRoom(t *testing.T) {
	for _, count := range []int{0, 1, 30, 120, 2000} {
		var all []Client
		for n := range count {
			c := Client{Count: 20, Account: "111111111111", Subnets: []string{id("subnet", n%200)}, CIDRs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, byte(n % 200), 0}), 24)}, Groups: []string{id("sg", n)}}
			for m := range 20 {
				c.Names = append(c.Names, fmt.Sprintf("notebook analysis-%d-%d", n, m))
			}
			all = append(all, c)
		}
		got, counted, subnets := Few(all), 0, []string(nil)
		for _, c := range got {
			if counted += c.Count; len(c.Names) == 0 || c.Called() == "" {
				t.Errorf("%d: a client without a name: %+v", count, c)
			}
			subnets = append(subnets, c.Subnets...)
		}
		slices.Sort(subnets)
		if subnets = slices.Compact(subnets); counted != 20*count || len(subnets) != min(count, 200) {
			t.Errorf("%d clients became %d, in %d subnets", 20*count, counted, len(subnets))
		}
		if room := ClientsSize + 200*40; encoded(got) > room { // what has none by itself is one, with all subnets
			t.Errorf("%d clients take %d bytes", count, encoded(got))
		}
		if last := got[max(0, len(got)-1):]; count == 2000 && (len(last) != 1 || len(last[0].Groups) > 0) || count == 30 && len(got) != 30 {
			t.Errorf("%d clients became %d, the last with %v", count, len(got), last)
		}
	}
}

func TestCallersAreWhatIsCalledNeeds(t *testing.T) {
	p := netip.MustParsePrefix
	client := func(account string, cidr string, groups ...string) Client {
		return Client{Account: account, CIDRs: []netip.Prefix{p(cidr)}, Groups: groups}
	}
	got := CallersOf([]Client{client("2", "10.1.1.0/24", "sg-b"), client("1", "10.1.0.0/24", "sg-a", "sg-b"), client("1", "10.1.1.0/24", "sg-a", "sg-b"), client("1", "10.9.0.0/24", "sg-c")}, []netip.Prefix{p("10.1.0.0/16")})
	want := "{[10.1.0.0/23] [{1 [sg-a sg-b]} {1 [sg-c]} {2 [sg-b]}] [] false}"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	var many []Client
	for n := range GroupSets + 1 {
		many = append(many, client("1", "10.1.0.0/24", id("sg", n)))
	}
	if got := CallersOf(many, nil); len(got.Groups) != GroupSets || !got.More {
		t.Errorf("%d sets, more: %v", len(got.Groups), got.More)
	}
	if got := CallersOf([]Client{client("1", "10.1.0.0/24")}, nil); !got.More || len(got.Groups) > 0 {
		t.Errorf("%+v: it has a client of which no group is known", got)
	}
}
