package peering_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const gamma = "333333333333"

// A peering that AWS shows no more is known by the rules that it left: the event is one of the accepter's account, which has
// the database.
func TestAPeeringThatAWSHasForgotten(t *testing.T) {
	const peer, mended = alpha + "/eu-west-1/vpc-00000001", "rule 222"
	for name, c := range map[string]struct {
		world   *world
		trimmed bool
		answer  workflow.Answer
		sides   string // role, destinations, and whether the rules stay
		reason  string
		absent  string
	}{
		"no rule is left":                 {&world{left: []string{"route 111", "route 222"}}, false, workflow.AnswerNothing, "", "does not exist", ""},
		"rules here, routes on both":      {&world{peer: peer, left: []string{"route 111", "route 222", mended}}, false, workflow.AnswerTrim, "requester [10.2.0.0/16] trim, accepter [10.1.0.0/16 10.7.0.0/16] trim", "1 of its rules are left", ""},
		"the same, after the routes":      {&world{peer: peer, left: []string{"route 111", mended}}, true, workflow.AnswerDisconnect, "requester [10.2.0.0/16], accepter [10.1.0.0/16 10.7.0.0/16]", "1 of its rules are left", ""},
		"only the rule is left":           {&world{peer: peer, left: []string{mended}}, false, workflow.AnswerDisconnect, "accepter [10.1.0.0/16 10.7.0.0/16]", "1 of its rules are left", ""},
		"the peer's VPC is gone":          {&world{peer: peer, left: []string{"route 222", mended}, gone: []string{alpha}}, false, workflow.AnswerTrim, "accepter [10.7.0.0/16] trim", "1 of its rules", "requester vpc-00000001 true the VPC is gone"},
		"the peer's account is closed":    {&world{peer: peer, left: []string{"route 222", mended}, closed: []string{alpha}}, false, workflow.AnswerTrim, "accepter [10.7.0.0/16] trim", "1 of its rules", "access denied"},
		"the peer's account has left":     {&world{peer: peer, left: []string{"route 222", mended}, outside: []string{alpha}}, false, workflow.AnswerTrim, "accepter [10.7.0.0/16] trim", "1 of its rules", "account 111111111111 is outside the organization"},
		"the rule says nothing of it":     {&world{left: []string{"route 111", "route 222", mended}}, false, workflow.AnswerTrim, "accepter [] trim", "1 of its rules", "nothing that is left tells which VPC it was with"},
		"the rule says nonsense of it":    {&world{peer: "$(reboot)", left: []string{mended}}, true, workflow.AnswerDisconnect, "accepter []", "1 of its rules", "nothing that is left tells"},
		"the peer shows it still":         {&world{peer: peer, status: "deleted", hidden: []string{beta}, tags: status("Connected"), left: []string{"route 111", mended}}, false, workflow.AnswerDisconnect, "requester [10.2.0.0/16 10.12.0.0/16], accepter [10.1.0.0/16]", "is deleted", ""},
		"the peer shows it, and it lives": {&world{peer: peer, status: "provisioning", hidden: []string{beta}, left: []string{mended}}, false, workflow.AnswerWait, "", "provisioning", ""},
		"the group went meanwhile":        {&world{peer: peer, groupless: true, left: []string{mended}}, false, workflow.AnswerNothing, "", "does not exist", ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(t, accepted, beta, workflow.Known{Trimmed: c.trimmed})
			if err != nil || out.Answer != c.answer || !strings.Contains(out.Reason, c.reason) {
				t.Fatalf("got %s (%s), %v, want %s", out.Answer, out.Reason, err, c.answer)
			}
			var sides []string
			for _, s := range out.Sides {
				one := s.Role + " " + fmt.Sprint(s.Peer.CIDRs)
				if s.Trim != nil {
					one += " trim"
					if len(s.Trim.Rules) > 0 || !slices.Equal(s.Trim.Destinations, s.Peer.CIDRs) {
						t.Errorf("trims %+v, want all routes and no rule", s.Trim)
					}
				}
				sides = append(sides, one)
			}
			if got := strings.Join(sides, ", "); got != c.sides {
				t.Errorf("sides %q, want %q", got, c.sides)
			}
			if got := fmt.Sprint(out.Absent); !strings.Contains(got, c.absent) || c.absent == "" && len(out.Absent) > 0 {
				t.Errorf("absent %s, want %q", got, c.absent)
			}
		})
	}
}

// Whoever tags a rule of theirs with the id of a peering between two others does nothing to that.
func TestARuleThatNamesThePeeringOfOthers(t *testing.T) {
	w := world{peer: alpha + "/eu-west-1/vpc-00000001", status: "active", hidden: []string{beta, gamma}, left: []string{"rule 333"}}
	out, err := w.inspect(t, accepted, gamma, workflow.Known{})
	if err != nil || out.Answer != workflow.AnswerNothing || !strings.Contains(out.Reason, "is between others than 333333333333") {
		t.Errorf("got %s (%s), %v", out.Answer, out.Reason, err)
	}
}
