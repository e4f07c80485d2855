package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

func TestATrailLogsWhatIsListenedTo(t *testing.T) {
	services := listened()
	for _, must := range []string{"ec2.amazonaws.com", "kms.amazonaws.com", "rds.amazonaws.com"} {
		if !slices.Contains(services, must) {
			t.Fatalf("nobody listens to %s: %v", must, services)
		}
	}
	field := func(name string, equals, not []string) types.AdvancedFieldSelector {
		return types.AdvancedFieldSelector{Field: &name, Equals: equals, NotEquals: not}
	}
	management := field("eventCategory", []string{"Management"}, nil)
	advanced := func(fields ...types.AdvancedFieldSelector) []types.AdvancedEventSelector {
		return []types.AdvancedEventSelector{{FieldSelectors: fields}}
	}
	for name, c := range map[string]struct {
		basic    []types.EventSelector
		advanced []types.AdvancedEventSelector
		lacks    []string
	}{
		"all":                       {basic: []types.EventSelector{{IncludeManagementEvents: aws.Bool(true), ReadWriteType: types.ReadWriteTypeAll}}},
		"writes":                    {basic: []types.EventSelector{{IncludeManagementEvents: aws.Bool(true), ReadWriteType: types.ReadWriteTypeWriteOnly}}},
		"reads":                     {basic: []types.EventSelector{{IncludeManagementEvents: aws.Bool(true), ReadWriteType: types.ReadWriteTypeReadOnly}}, lacks: services},
		"data events alone":         {basic: []types.EventSelector{{IncludeManagementEvents: aws.Bool(false), ReadWriteType: types.ReadWriteTypeAll}}, lacks: services},
		"no keys":                   {basic: []types.EventSelector{{IncludeManagementEvents: aws.Bool(true), ExcludeManagementEventSources: []string{"kms.amazonaws.com"}}}, lacks: []string{"kms.amazonaws.com"}},
		"nothing":                   {lacks: services},
		"advanced, all":             {advanced: advanced(management)},
		"advanced, writes":          {advanced: advanced(management, field("readOnly", []string{"false"}, nil))},
		"advanced, reads":           {advanced: advanced(management, field("readOnly", []string{"true"}, nil)), lacks: services},
		"advanced, data":            {advanced: advanced(field("eventCategory", []string{"Data"}, nil)), lacks: services},
		"advanced, a list":          {advanced: advanced(management, field("eventSource", services[1:], nil)), lacks: services[:1]},
		"advanced, all but some":    {advanced: advanced(management, field("eventSource", nil, []string{"rdsdata.amazonaws.com", "kms.amazonaws.com"})), lacks: []string{"kms.amazonaws.com"}},
		"advanced, two that add up": {advanced: append(advanced(management, field("eventSource", services[:2], nil)), advanced(management, field("eventSource", services[2:], nil))...)},
	} {
		if got := lacks(services, c.basic, c.advanced); !slices.Equal(got, c.lacks) {
			t.Errorf("%s: it lacks %v, want %v", name, got, c.lacks)
		}
	}
}

func TestTheTrail(t *testing.T) {
	trail := func(organization, multi, global bool) types.Trail {
		return types.Trail{TrailARN: aws.String("t"), IsOrganizationTrail: &organization, IsMultiRegionTrail: &multi, IncludeGlobalServiceEvents: &global}
	}
	for name, c := range map[string]struct {
		trails []types.Trail
		answer string
	}{"none": {nil, No}, "of an account": {[]types.Trail{trail(false, true, true)}, No}, "of one Region": {[]types.Trail{trail(true, false, true)}, No}, "without IAM": {[]types.Trail{trail(true, true, false)}, No},
		"two, one is right": {[]types.Trail{trail(true, false, true), trail(true, true, true)}, Yes}} {
		if _, answer, detail := logs(c.trails); answer != c.answer || detail == "" {
			t.Errorf("%s: %s, %s", name, answer, detail)
		}
	}
}

func TestWhatIsComparedAndCounted(t *testing.T) {
	wanted := []string{"a", "b", "c"}
	for name, c := range map[string]struct {
		there  map[string]bool
		answer string
		says   string
	}{"all": {map[string]bool{"a": true, "b": true, "c": true, "theirs": false}, Yes, "3 rules"}, "one off": {map[string]bool{"a": true, "b": false, "c": true}, No, "off: b"},
		"one missing": {map[string]bool{"a": true, "c": true}, No, "missing: b"}, "none": {nil, No, "none of 3 rules"}} {
		if answer, detail := compared("rules", wanted, c.there); answer != c.answer || !strings.Contains(detail, c.says) {
			t.Errorf("%s: %s, %s", name, answer, detail)
		}
	}
	for used, want := range map[int]string{0: Yes, 80: Yes, 81: No, 120: No} {
		if answer, _ := room("x", used, 100); answer != want {
			t.Errorf("%d of 100 is %s", used, answer)
		}
	}
	if got := some([]string{"1", "2", "3", "4", "5", "6", "7"}); got != "1, 2, 3, 4, 5 and 2 more" {
		t.Error(got)
	}
	if len(names(resources(template.Member, "AWS::IAM::Role"), func(r resource) any { return r.Properties.RoleName })) < 50 || len(names(resources(template.Hub, "AWS::Events::Rule"), func(r resource) any { return r.Properties.Name })) < 30 {
		t.Error("the templates' names are not read")
	}
}

func TestInstances(t *testing.T) {
	i := func(status cfntypes.StackInstanceStatus, detailed cfntypes.StackInstanceDetailedStatus, reason string) cfntypes.StackInstanceSummary {
		return cfntypes.StackInstanceSummary{Account: aws.String("1"), Region: aws.String("r"), Status: status, StatusReason: &reason, StackInstanceStatus: &cfntypes.StackInstanceComprehensiveStatus{DetailedStatus: detailed}}
	}
	if got := instance(i(cfntypes.StackInstanceStatusCurrent, cfntypes.StackInstanceDetailedStatusSucceeded, "")); got != "" {
		t.Error(got)
	}
	for _, bad := range []cfntypes.StackInstanceSummary{i(cfntypes.StackInstanceStatusOutdated, cfntypes.StackInstanceDetailedStatusFailed, "no role"), i(cfntypes.StackInstanceStatusCurrent, cfntypes.StackInstanceDetailedStatusFailed, "no role")} {
		if got := instance(bad); !strings.Contains(got, "1 r is ") || !strings.Contains(got, "(no role)") {
			t.Error(got)
		}
	}
}

// Each check is whole: it looks, it says what to do, and its commands are filled in.
func TestTheTable(t *testing.T) {
	p := Patient{At: event.Place{Account: "123456789012", Region: "us-east-1"}, Table: "drawbridge-ledger"}
	codes := map[string]bool{}
	for _, c := range Checks {
		if c.look == nil || c.Title == "" || c.Remedy == "" || len(c.Mends) == 0 || codes[c.Code] || !slices.Contains([]string{Management, Hub, Member}, c.Where) {
			t.Errorf("%s is not whole", c.Code)
		}
		codes[c.Code] = true
		for _, m := range c.Mends {
			words := filled(m, p, event.Place{Account: "111111111111", Region: "eu-west-1"})
			line := strings.Join(words, " ")
			if slices.Contains(words, "") || strings.Contains(line, "HUB_") || strings.Contains(line, " REGION") || strings.Contains(line, "LEDGER") {
				t.Errorf("%s: %q", c.Code, words)
			}
		}
	}
	if words := filled("aws x '{\"a b\":1}' --y", p, p.At); !slices.Equal(words, []string{"aws", "x", `{"a b":1}`, "--y"}) {
		t.Errorf("%q", words)
	}
}

func TestAReport(t *testing.T) {
	at := event.Place{Account: "123456789012", Region: "us-east-1"}
	r := Report{Head: answer.HeadOf("Doctor"), Account: at.Account, Region: at.Region, At: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	p := Patient{At: at, Table: "drawbridge-ledger"}
	for n, c := range Checks {
		f := Finding{Code: c.Code, Title: c.Title, Account: at.Account, Region: at.Region, Answer: []string{Yes, No, Unknown, Yes, No}[n%5], Detail: "as it is"}
		if c.Where == Member {
			f.Account = "111111111111"
		}
		if f.Answer == No {
			f.Remedy = c.Remedy
			for _, m := range c.Mends {
				f.Mends = append(f.Mends, filled(m, p, at))
			}
		}
		r.Findings = append(r.Findings, f)
	}
	r.Answer = judged(r.Findings)
	well := r
	well.Findings, well.Answer = r.Findings[:1], judged(r.Findings[:1])
	answertest.Text(t, "doctor", r, false)
	answertest.Schema[Report](t, "../..", "doctor.v1", "drawbridge doctor -o json", r, well)
	if r.Answer != No || well.Answer != Yes || judged([]Finding{{Answer: Yes}, {Answer: Unknown}}) != Unknown {
		t.Errorf("%s, %s", r.Answer, well.Answer)
	}
}
