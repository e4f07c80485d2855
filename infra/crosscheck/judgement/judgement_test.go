package judgement_test

import (
	"bytes"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/infra/crosscheck/judgement"
)

func TestReport(t *testing.T) {
	var r judgement.Report
	var out bytes.Buffer
	r.Add(&out, "one", true, "%d", 1)
	r.Add(&out, "two", false, "because")
	if r.Held() != 1 || len(r.Judgements) != 2 || out.String() != "judgement: held   one (1)\njudgement: failed two (because)\n" {
		t.Errorf("%d of %d:\n%s", r.Held(), len(r.Judgements), &out)
	}
}
