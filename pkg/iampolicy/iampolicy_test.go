package iampolicy_test

import (
	"fmt"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/iampolicy"
)

const (
	presign  = "sagemaker:CreatePresignedNotebookInstanceUrl"
	research = "arn:aws:sagemaker:eu-west-1:111111111111:notebook-instance/research"
)

func TestWhoMayDoWhat(t *testing.T) {
	const ours = `{"Statement":{"Effect":"Allow","Action":["sagemaker:CreatePresignedNotebookInstanceUrl"],"Resource":"arn:aws:sagemaker:*:111111111111:notebook-instance/*",
		"Condition":{"ForAnyValue:StringEquals":{"aws:SourceVpce":["vpce-1","vpce-2"]}}}}`
	const all = `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	const power = `{"Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*"],"Resource":"*"}]}`
	const fence = `{"Statement":[{"Effect":"Deny","Action":"SageMaker:createpresigned*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}]}`
	const office = `{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["198.51.100.0/24"]}}}]}`
	const odd = `"Statement":[{%s,"Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}]`
	const own = `{"Statement":[{"Effect":"Allow","Action":"sagemaker:*","Resource":"arn:aws:sagemaker:*:*:notebook-instance/${aws:username}"}]}`
	const others = `{"Statement":[{"Effect":"Allow","Action":"sagemaker:*","NotResource":"arn:aws:sagemaker:*:*:notebook-instance/research"}]}`
	const tagless = `{"Statement":[{"Effect":"Allow","Action":"sagemaker:*","Resource":"*","Condition":{"Null":{"aws:SourceVpce":"false"}}}]}`
	const mfa = `{"Statement":[{"Effect":"Allow","Action":"sagemaker:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}}]}`
	internet := map[string][]string{"aws:sourceip": {"203.0.113.7"}}
	through := func(id string) map[string][]string { return map[string][]string{"aws:sourcevpce": {id}} }
	for name, c := range map[string]struct {
		policies []string
		boundary string
		keys     map[string][]string
		want     bool
	}{
		"no policy allows nothing":                          {nil, "", internet, false},
		"ours, through the first endpoint":                  {[]string{ours}, "", through("vpce-1"), true},
		"ours, through the second endpoint":                 {[]string{ours}, "", through("vpce-2"), true},
		"ours, through a stranger's endpoint":               {[]string{ours}, "", through("vpce-9"), false},
		"ours, from the internet":                           {[]string{ours}, "", internet, false},
		"full rights, from the internet":                    {[]string{ours, all}, "", internet, true},
		"everything but IAM, from the internet":             {[]string{power}, "", internet, true},
		"full rights behind a deny, from the internet":      {[]string{all, fence}, "", internet, false},
		"full rights behind a deny, through the endpoint":   {[]string{all, fence}, "", through("vpce-1"), true},
		"full rights from the office only, from elsewhere":  {[]string{all, office}, "", internet, false},
		"full rights from the office only, from the office": {[]string{all, office}, "", map[string][]string{"aws:sourceip": {"198.51.100.9"}}, true},
		"full rights under a boundary that lacks it":        {[]string{all}, ours, internet, false},
		"full rights under a boundary that has it":          {[]string{all}, ours, through("vpce-2"), true},
		"an allow under a condition nobody knows":           {[]string{"{" + fmt.Sprintf(odd, `"Effect":"Allow"`) + "}"}, "", internet, true},
		"a deny under a condition nobody knows":             {[]string{all, "{" + fmt.Sprintf(odd, `"Effect":"Deny"`) + "}"}, "", internet, true},
		"a variable may stand for anything":                 {[]string{own}, "", internet, true},
		"everything but this":                               {[]string{others}, "", internet, false},
		"a key that must be there and is not":               {[]string{tagless}, "", internet, false},
		"a key that need not be there":                      {[]string{mfa}, "", internet, true},
	} {
		t.Run(name, func(t *testing.T) {
			who := iampolicy.Identity{Bounded: c.boundary != ""}
			for _, text := range c.policies {
				d, err := iampolicy.Parse(text)
				if err != nil || len(d) == 0 {
					t.Fatal(err, len(d))
				}
				who.Policies = append(who.Policies, iampolicy.Policy{Name: "one", Document: d})
			}
			if who.Bounded {
				d, err := iampolicy.Parse(c.boundary)
				if err != nil {
					t.Fatal(err)
				}
				who.Boundary = d
			}
			by, got := who.Allowed(iampolicy.Request{Action: presign, Resource: research, Keys: c.keys})
			if got != c.want || got != (by != "") {
				t.Errorf("Allowed = %t by %q, want %t", got, by, c.want)
			}
		})
	}
}

func TestParseRefusesWhatIsNoPolicy(t *testing.T) {
	for _, text := range []string{"", "[]", `{"Statement":7}`} {
		if d, err := iampolicy.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v", text, d)
		}
	}
}
