package rebuild_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/rebuild"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// town takes events and notifications.
type town struct{ told []string }

func (o *town) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	o.told = append(o.told, *in.Entries[0].DetailType)
	return &eventbridge.PutEventsOutput{}, nil
}

func (o *town) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	o.told = append(o.told, *in.Message)
	return &sns.PublishOutput{}, nil
}

func TestPeopleAreToldOnceWhatARebuildCameTo(t *testing.T) {
	visits := []*workflow.Visit{
		{SweepAccountOutput: workflow.SweepAccountOutput{Account: alpha, Found: []workflow.Found{{Kind: rebuild.Routes, Seen: 4, Written: 3, Untold: 1, Names: []string{"rtb-1 to 10.9.0.0/16"}}}}},
		{SweepAccountOutput: workflow.SweepAccountOutput{Account: beta, Closed: "nobody is let in", Found: []workflow.Found{{Kind: rebuild.Routes, Seen: 2, Written: 2}}}}}
	in := workflow.TallySweepInput{Execution: "run-1", ExecutionID: "arn:aws:states:us-east-1:123456789012:execution:drawbridge-rebuild:run-1", Page: "2",
		Accounts: []workflow.Territory{{Account: alpha}, {Account: beta}}, Visits: visits}
	for name, c := range map[string]struct {
		page   string
		failed bool
		answer workflow.Answer
		says   []string
	}{
		"another page":   {page: "2", answer: "more"},
		"the last":       {answer: "Rebuilt", says: []string{"wrote 5 rows", "in 2 accounts", "routes: 6 told, 5 of them new", "1 cannot be told and stay as they are: rtb-1 to 10.9.0.0/16", "account 222222222222 lets nobody in: nobody is let in", "docs/runbook.md#rebuilt"}},
		"a visit failed": {failed: true, answer: "PartlyRebuilt", says: []string{"account 333333333333 failed: the visit left no answer", "stateMachine:drawbridge-rebuild --input '{}'", "docs/runbook.md#partlyrebuilt"}},
	} {
		t.Run(name, func(t *testing.T) {
			o, in := &town{}, in
			if in.Page = c.page; c.failed {
				in.Accounts = append(in.Accounts, workflow.Territory{Account: "333333333333"})
			}
			out, err := rebuild.Teller{Bus: notice.Bus{API: o, Name: "drawbridge"}, Topic: notice.Topic{API: o, ARN: "topic"}}.Tally(t.Context(), in)
			if err != nil || out.Answer != c.answer || len(o.told) != 2*min(1, len(c.says)) {
				t.Fatalf("%+v, %v, told %q", out, err, o.told)
			}
			for _, says := range c.says {
				if !strings.Contains(o.told[1], says) {
					t.Errorf("not told %q:\n%s", says, o.told[1])
				}
			}
		})
	}
}

// However much of an account cannot be told, twenty answers fit into the data of the machine.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
func TestAnAnswerStaysSmall(t *testing.T) {
	w := world()
	l, _ := ledgertest.New()
	for n := range 500 {
		w[beta].rules = append(w[beta].rules, types.SecurityGroupRule{SecurityGroupRuleId: aws.String(fmt.Sprintf("sgr-%017d", n)), GroupId: aws.String("sg-0123456789abcdef0"), IsEgress: aws.Bool(false), IpProtocol: aws.String("tcp"),
			FromPort: aws.Int32(1), ToPort: aws.Int32(2), Tags: ec2tags(map[string]string{"drawbridge:connection": "pcx-" + strings.Repeat("x", 200)})})
	}
	out, _, err := visit(t, w, l, beta)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil || len(text) > 12<<10 || !strings.Contains(string(text), `"untold":500`) {
		t.Errorf("%d bytes, %v: %s", len(text), err, text)
	}
}
