package road_test

import (
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

func TestIdsTellTheKind(t *testing.T) {
	for id, want := range map[string]road.Kind{
		"pcx-1": road.Peering, "tgw-1:vpc-1:vpc-2": road.Transit, "tgw-attach-1": road.Attachment,
		"arn:aws:rds:eu-west-1:111111111111:cluster:sales": road.DataAPI, "arn:aws:redshift:eu-west-1:111111111111:cluster:sales": road.Studio,
		"tgw-1": "", "tgw-1:vpc-2:vpc-1": "", "tgw-rtb-1": "", "vpc-1": "", "data-api-endpoint-vpc-1": road.DataAPIEndpoint, "private-notebooks-vpc-1": road.PrivateNotebooks, "": "",
	} {
		if got := road.Of(id); got != want {
			t.Errorf("%q is of the kind %q, want %q", id, got, want)
		}
	}
}

func TestTargetsTellTheCarrier(t *testing.T) {
	for target, want := range map[string]road.Carrier{"pcx-1": road.ByPeering, "tgw-1": road.ByGateway, "tgw-attach-1": road.ByNothing, "tgw-rtb-1": road.ByNothing,
		"nat-1": road.ByNothing, "local": road.ByNothing, "": road.ByNothing} {
		if got := road.CarrierOf(target); got != want || road.Carries(target) != (want != road.ByNothing) {
			t.Errorf("%q is carried by %q, want %q", target, got, want)
		}
	}
}

// What connects two VPCs has a carrier of its own, and its id begins like the carrier's: by that IAM lets rules be added for it.
func TestWhatConnectsHasACarrier(t *testing.T) {
	var carriers []road.Carrier
	for _, k := range road.Kinds() {
		if k.Connects() {
			carriers = append(carriers, k.Carrier())
		}
	}
	if want := []road.Carrier{road.ByPeering, road.ByGateway}; !slices.Equal(carriers, want) {
		t.Errorf("%v carry packets, want %v: a new one goes into this test", carriers, want)
	}
	// IAM's conditions in every member's template have these.
	if want := []string{"pcx-*", "tgw-*"}; !slices.Equal(road.Patterns(), want) {
		t.Errorf("the ids of connections match %v, want %v: a new pattern goes into this test", road.Patterns(), want)
	}
}

func TestPairsAreTakenApartStrictly(t *testing.T) {
	for id, want := range map[string]bool{"tgw-1:vpc-1:vpc-2": true, "tgw-1:vpc-2:vpc-1": false, "tgw-1:vpc-1:vpc-1": false, "tgw-1:vpc-1": false, "pcx-1:vpc-1:vpc-2": false, "tgw-1:vpc-1:vpc-2:": false, "": false} {
		if _, _, ok := road.Pair(id); ok != want {
			t.Errorf("Pair(%q) is %v", id, ok)
		}
	}
}
