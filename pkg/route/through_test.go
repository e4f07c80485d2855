package route

import "testing"

// A target that is neither a peering nor a gateway goes into no field: it must not be taken for one of them.
func TestATargetGoesIntoItsOwnField(t *testing.T) {
	for target, want := range map[string][2]string{"pcx-1": {"pcx-1", ""}, "tgw-1": {"", "tgw-1"}, "vgw-1": {"", ""}} {
		var got [2]string
		peering, gateway := through(target)
		for n, field := range []*string{peering, gateway} {
			if field != nil {
				got[n] = *field
			}
		}
		if got != want {
			t.Errorf("%s goes into %q, want %q", target, got, want)
		}
	}
}
