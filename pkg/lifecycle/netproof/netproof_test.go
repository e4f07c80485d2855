package netproof

import (
	"context"
	"net/netip"
	"os"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
)

func TestStory(t *testing.T) {
	change, err := lifecycle.Plan(&lifecycle.Configuration{Name: "c", OnStart: []byte("#!/bin/bash\nset -e\necho hello\n")}, lifecycle.Edit{Subnet: netip.MustParsePrefix("10.1.0.0/24"), Destinations: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), change.OnStart, os.Stdout)
	t.Log(r.Means, r.Took, err, r.OK())
	if err != nil || !r.OK() {
		t.Fail()
	}
}
