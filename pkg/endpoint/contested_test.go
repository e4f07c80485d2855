package endpoint_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/endpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// live returns the endpoint of a service that is not deleted, nil if there is none.
func (c *cloud) live(service string) *types.VpcEndpoint {
	for n := range c.endpoints {
		if *c.endpoints[n].ServiceName == service && c.endpoints[n].State == "available" {
			return &c.endpoints[n]
		}
	}
	return nil
}

// A hand at each part of an endpoint, ten times, once an hour or as fast as one can: it is put back once, or not at all where the policy says so, and then
// said, and contested, until the owner asks anew.
func TestEachPartIsPutBackOnce(t *testing.T) {
	ci := ledger.Hand{Who: "arn:aws:sts::111111111111:assumed-role/ci/run"}
	for what, act := range map[string]func(*cloud) (resource string){
		"the endpoint is deleted": func(c *cloud) string {
			e := c.live(api)
			if e == nil {
				return ""
			}
			e.State = "deleted"
			return *e.VpcEndpointId
		},
		"a subnet is taken off it": func(c *cloud) string {
			e := c.live(api)
			e.SubnetIds = slices.DeleteFunc(slices.Clone(e.SubnetIds), func(s string) bool { return s == "subnet-b" })
			return *e.VpcEndpointId
		},
		"its group is taken off it": func(c *cloud) string {
			e := c.live(api)
			e.Groups = []types.SecurityGroupIdentifier{{GroupId: aws.String("sg-theirs")}}
			return *e.VpcEndpointId
		},
		"a rule of its group is revoked": func(c *cloud) string {
			c.rules = slices.DeleteFunc(slices.Clone(c.rules), func(r types.SecurityGroupRule) bool { return *r.CidrIpv4 == "10.60.0.0/16" })
			return *c.groups[0].GroupId
		},
		"the group is deleted": func(c *cloud) string {
			if len(c.groups) == 0 {
				return ""
			}
			for n := range c.endpoints {
				c.endpoints[n].Groups = []types.SecurityGroupIdentifier{{GroupId: aws.String("sg-theirs")}}
			}
			id := *c.groups[0].GroupId
			c.groups, c.rules = nil, nil
			return id
		},
	} {
		for n := range 4 {
			leave, pace := n%2 == 1, []time.Duration{time.Hour, 4 * time.Second}[n/2]
			if what == "the group is deleted" && pace < ledger.Lifetime { // no record of that is heard, so looks alone tell, and they take their time
				continue
			}
			book, _ := ledgertest.New()
			now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
			book.Now = func() time.Time { return now }
			hands := contest.Contest{Ledger: book}
			c, w := &cloud{}, want
			w.Leave = leave
			ensure(t, c, book, w)
			c.calls = nil
			contested := func() bool {
				items, err := book.Items(t.Context(), w.Owner)
				if err != nil {
					t.Fatal(err)
				}
				return len(contest.Of(items)) > 0
			}
			said := func(s endpoint.State) bool {
				return slices.ContainsFunc(s.Hops, func(h workflow.Hop) bool { return !h.OK && strings.Contains(h.Detail, "left to them") })
			}
			var ends []bool
			for n := range 10 {
				now = now.Add(pace)
				if id := act(c); id != "" {
					_, err := hands.Note(t.Context(), w.Account, w.Region, id, nil, contest.Sight{By: ci, At: now})
					if err == nil {
						_, err = hands.NoteMade(t.Context(), w.Account, w.Region, id, contest.Sight{By: ci, At: now})
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				now = now.Add(pace / 4)
				state := ensure(t, c, book, w)
				if ends = append(ends, contested()); ends[n] != said(state) {
					t.Errorf("%s, %d: contested %v, and it says %+v", what, n, ends[n], state.Hops)
				}
			}
			if want := append([]bool{leave}, slices.Repeat([]bool{true}, 9)...); !slices.Equal(ends, want) {
				t.Errorf("%s, leave %v, each %s: contested %v; %v", what, leave, pace, ends, c.calls)
			}
			if most := map[bool]int{false: 5, true: 0}[leave]; len(c.calls) > most || !leave && len(c.calls) == 0 {
				t.Errorf("%s, leave %v: it made %v", what, leave, c.calls)
			}
			if _, err := hands.Settle(t.Context(), w.Account, []string{w.Owner}); err != nil {
				t.Fatal(err)
			}
			if state := ensure(t, c, book, w); contested() || said(state) || c.live(api) == nil || len(c.live(api).SubnetIds) != 2 || len(c.rules) != 2 ||
				!slices.ContainsFunc(c.live(api).Groups, func(g types.SecurityGroupIdentifier) bool { return *g.GroupId == *c.groups[0].GroupId }) {
				t.Errorf("%s, leave %v: asked for anew, %+v, %v, %v", what, leave, state.Hops, c.endpoints, c.rules)
			}
			withdraw(t, c, book, w)
			if items, err := book.Items(t.Context(), w.Owner); err != nil || len(items) > 0 || c.live(api) != nil || len(c.groups) > 0 {
				t.Errorf("%s, leave %v: in the end there is %v, %v, %v", what, leave, items, c.endpoints, err)
			}
		}
	}
}
