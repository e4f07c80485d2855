package gatewaypair

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestASuspendedAccountIsNotOutside(t *testing.T) {
	there := End{VPC: workflow.VPC{ID: "vpc-1", Account: "111111111111"}, Member: true, Attachment: &Attachment{ID: "tgw-attach-1", State: "available"}}
	for name, c := range map[string]struct {
		other   End
		settled bool
		why     brake.Why
	}{
		"suspended, or lets nobody in": {End{Closed: true}, false, brake.Ended},
		"outside":                      {End{}, true, brake.Outside},
		"not attached any more":        {End{Member: true}, true, brake.Ended},
	} {
		q := Question{Ends: [2]End{there, c.other}, Before: true}
		v, settled := Standing(q)
		if settled != c.settled || settled && v.Answer != workflow.AnswerDisconnect {
			t.Errorf("%s: %+v, %v", name, v, settled)
		}
		l := inspection{pair: &pair{q: q}}
		if why := l.why(v); why != c.why {
			t.Errorf("%s: %s, want %s", name, why, c.why)
		}
	}
	l := inspection{pair: &pair{q: Question{Ends: [2]End{there, there}}}}
	if why := l.why(Verdict{Decision: policy.Decision{Policy: "no"}}); why != brake.Forbidden {
		t.Errorf("a policy: %s", why)
	}
	if v := l.unread("so"); v.Answer != workflow.AnswerUnreadable || len(l.out.Sides) != 2 || l.out.Sides[0].StatusResource != "tgw-attach-1" {
		t.Errorf("%+v, %+v", v, l.out.Sides)
	}
}
