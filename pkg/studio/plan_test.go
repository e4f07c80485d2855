package studio

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestIdentity(t *testing.T) {
	of := func(state ledger.State) *ledger.Item {
		return &ledger.Item{State: state, Before: Disabled, Left: ByProfile}
	}
	for name, c := range map[string]struct {
		Setting
		want Move
	}{
		"wanted and off":                         {Setting{Wanted: true, Opened: true, Now: Disabled}, Set},
		"wanted and off, but apps run":           {Setting{Wanted: true, Opened: true, Now: Disabled, Apps: 2}, Wait},
		"wanted and off, not opened":             {Setting{Wanted: true, Now: Disabled}, Closed},
		"not opened before it is blocked":        {Setting{Wanted: true, Now: Disabled, Unready: true}, Closed},
		"wanted, but apps of a role would fail":  {Setting{Wanted: true, Opened: true, Now: Disabled, Unready: true}, Block},
		"blocked before it waits":                {Setting{Wanted: true, Opened: true, Now: Disabled, Unready: true, Apps: 1}, Block},
		"it waited, and may":                     {Setting{Wanted: true, Opened: true, Now: Disabled, Item: of(ledger.Wanted)}, Set},
		"wanted and on, its owner's":             {Setting{Wanted: true, Now: ByProfile, Apps: 1}, Leave},
		"wanted and on, ours":                    {Setting{Wanted: true, Opened: true, Now: ByProfile, Item: of(ledger.Confirmed)}, Leave},
		"wanted and on, the answer was lost":     {Setting{Wanted: true, Opened: true, Now: ByProfile, Item: of(ledger.Intended)}, Adopt},
		"wanted anew while it leaves":            {Setting{Wanted: true, Opened: true, Now: ByProfile, Item: of(ledger.Leaving)}, Adopt},
		"ours, somebody turned it off":           {Setting{Wanted: true, Opened: true, Now: Disabled, Item: of(ledger.Confirmed)}, Set},
		"contested":                              {Setting{Wanted: true, Opened: true, Now: Disabled, Item: of(ledger.Contested)}, Dispute},
		"ours, closed, others need it":           {Setting{Wanted: true, Now: ByProfile, Item: of(ledger.Confirmed)}, Other},
		"ours, closed":                           {Setting{Wanted: true, Now: ByProfile, Item: of(ledger.Confirmed), Last: true}, Restore},
		"ours, closed, but apps run":             {Setting{Wanted: true, Now: ByProfile, Item: of(ledger.Confirmed), Last: true, Apps: 1}, Wait},
		"not wanted, the owner's own":            {Setting{Now: ByProfile}, Leave},
		"not wanted, ours":                       {Setting{Now: ByProfile, Item: of(ledger.Leaving), Last: true}, Restore},
		"not wanted, ours, closed":               {Setting{Opened: false, Now: ByProfile, Item: of(ledger.Leaving), Last: true}, Restore},
		"not wanted, ours, but apps run":         {Setting{Now: ByProfile, Item: of(ledger.Leaving), Last: true, Apps: 1}, Wait},
		"not wanted, ours, the owner changed it": {Setting{Now: Disabled, Item: of(ledger.Leaving), Last: true}, Forget},
		"not wanted, intended and never done":    {Setting{Now: Disabled, Item: of(ledger.Intended), Last: true}, Forget},
		"not wanted, only wished":                {Setting{Now: Disabled, Item: of(ledger.Wanted), Last: true}, Leave},
		"not wanted here, another cluster's":     {Setting{Now: ByProfile, Item: of(ledger.Confirmed)}, Other},
		"not wanted and off":                     {Setting{Now: Disabled}, Leave},
	} {
		if got := Identity(c.Setting); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestNeeded(t *testing.T) {
	of := func(state ledger.State) *ledger.Item { return &ledger.Item{State: state, Left: "ours"} }
	for name, c := range map[string]struct {
		item   *ledger.Item
		there  string
		serves bool
		want   Deed
	}{
		"nothing":                              {nil, "", false, Write},
		"its owner has it":                     {nil, "", true, Theirs},
		"its owner has it under our name":      {nil, "ours", true, Theirs},
		"its owner has something else there":   {nil, "other", false, InWay},
		"as it was left":                       {of(ledger.Confirmed), "ours", true, Keep},
		"the answer was lost":                  {of(ledger.Intended), "ours", true, Keep},
		"the call was never made":              {of(ledger.Intended), "", false, Write},
		"changed":                              {of(ledger.Confirmed), "other", false, Contest},
		"changed, and it serves":               {of(ledger.Confirmed), "other", true, Contest},
		"its owner wrote another in its place": {of(ledger.Confirmed), "", true, Contest},
		"taken away":                           {of(ledger.Confirmed), "", false, Again},
		"contested":                            {of(ledger.Contested), "", false, InWay},
		"contested, and its owner has it":      {of(ledger.Contested), "ours", true, Theirs},
		"leaving":                              {of(ledger.Leaving), "ours", true, Write},
	} {
		if got := Needed(c.item, c.there, c.serves); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestARoleIsReadyIfItsTrustSaysSo(t *testing.T) {
	for trust, want := range map[string]bool{
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}}`:                               false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":["sagemaker.amazonaws.com"]},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`: true,
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:*"}}`:                                        true,
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:SetSourceIdentity"}}`:                              false,
		`{"Statement":{"Effect":"Deny","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:SetSourceIdentity"}}`:                         false,
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`:                                                                 false,
		`not JSON`: false,
	} {
		if Ready(trust) != want {
			t.Errorf("Ready(%s) = %v", trust, !want)
		}
	}
}

// Beside a statement of another form.
func TestASecondStatementCounts(t *testing.T) {
	const trust = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:SetSourceIdentity"}]}`
	if !Ready(trust) || !ReadyWithout(trust) {
		t.Error("the owner's statement is not seen")
	}
	added, err := Added(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`)
	if err != nil || !Ready(added) || ReadyWithout(added) {
		t.Errorf("%s, %v: ready %v, without ours %v", added, err, Ready(added), ReadyWithout(added))
	}
}

func TestTheReadersRoleTrustsExactlyTheAdmitted(t *testing.T) {
	roles := []string{"arn:aws:iam::111111111111:role/b", "arn:aws:iam::111111111111:role/a"}
	readers, err := Readers(Trust(roles))
	if err != nil || !slices.Equal(readers, []string{roles[1], roles[0]}) {
		t.Errorf("Readers = %v, %v", readers, err)
	}
	if readers, err := Readers(Trust(nil)); err != nil || len(readers) > 0 || !strings.Contains(Trust(nil), `"Effect":"Deny"`) {
		t.Errorf("nobody: %v, %v", readers, err)
	}
	// IAM shows the id of a role that was deleted.
	if readers, err := Readers(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["AROAEXAMPLE","arn:aws:iam::111111111111:role/a"]}}]}`); err != nil || len(readers) != 1 {
		t.Errorf("Readers = %v, %v", readers, err)
	}
}

// Whoever does not fit is named, whoever reads already stays, and what fits fits.
func TestFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[a-z]{1,60}`), func(s string) string { return s }).Draw(t, "names")
		var readers, already []string
		for _, n := range names {
			readers = append(readers, "arn:aws:iam::111111111111:role/"+n)
		}
		reads := map[string]bool{}
		for _, r := range readers {
			if len(Trust(append(slices.Clone(already), r))) <= maxTrust && rapid.Bool().Draw(t, "already") {
				already, reads[r] = append(already, r), true
			}
		}
		fit, full := Fit(readers, already)
		if len(fit)+len(full) != len(readers) || len(Trust(fit)) > maxTrust {
			t.Fatalf("of %d, %d fit and %d do not; they have %d characters", len(readers), len(fit), len(full), len(Trust(fit)))
		}
		for _, r := range full {
			if reads[r] || len(Trust(append(slices.Clone(fit), r))) <= maxTrust {
				t.Fatalf("%s is kept out: it reads already %v", r, reads[r])
			}
		}
	})
}

func TestPermissionsNameNobodyButTheSessionsOwnUser(t *testing.T) {
	text := Permissions(workflow.Warehouse{Account: "222222222222", Region: "eu-west-1", ID: "sales", ARN: "arn:aws:redshift:eu-west-1:222222222222:cluster:sales", Groups: []string{"analysts"}})
	for _, want := range []string{`dbuser:sales/${aws:SourceIdentity}`, `dbgroup:sales/analysts`, `cluster:sales`, `"redshift:DbUser":["${aws:SourceIdentity}"]`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if strings.Contains(text, "dbuser:sales/*") || strings.Contains(text, "dbgroup:sales/*") {
		t.Errorf("the policy allows every user or group: %s", text)
	}
}

func TestOneInlinePolicyForEachWarehouse(t *testing.T) {
	long := workflow.Warehouse{Account: "222222222222", Region: "ap-southeast-5", ID: strings.Repeat("x", 63)}
	other := long
	other.Account = "333333333333"
	if name := PolicyOf(long); len(name) > 128 || name == PolicyOf(other) || !strings.HasPrefix(name, RolePrefix) {
		t.Errorf("%q and %q", PolicyOf(long), PolicyOf(other))
	}
}

// Whatever the owner wrote in whatever form, with our statement and without it it is theirs byte for byte; also where the service writes it
// without white space.
func TestATrustPolicyComesBackByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := trusts(t)
		added, err := Added(before)
		if err != nil {
			t.Fatal(err)
		}
		if !Ready(added) {
			t.Fatalf("not ready: %s", added)
		}
		if again, err := Added(added); err != nil || again != added {
			t.Fatalf("a second time changes %s to %s, %v", added, again, err)
		}
		if back, err := Restored(added, before); err != nil || back != before {
			t.Fatalf("%s\ncomes back as\n%s, %v", before, back, err)
		}
		// A service that keeps no white space gets what it had, in its own form.
		if back, err := Restored(compact(added), compact(before)); err != nil || compact(back) != compact(before) {
			t.Fatalf("%s\ncomes back as\n%s, %v", compact(before), back, err)
		}
	})
}

// trusts draws the trust policy of an execution role, in some form.
func trusts(t *rapid.T) string {
	space := rapid.SampledFrom([]string{"", " ", "\n", "\n  ", "\t", "\r\n"})
	one := func(n int) string {
		action := rapid.SampledFrom([]string{`"sts:AssumeRole"`, `["sts:AssumeRole"]`, `[ "sts:AssumeRole", "sts:TagSession" ]`}).Draw(t, "action")
		principal := rapid.SampledFrom([]string{`{"Service":"sagemaker.amazonaws.com"}`, `{"Service": ["sagemaker.amazonaws.com","glue.amazonaws.com"]}`, `{"AWS":"111111111111"}`, `"*"`}).Draw(t, "principal")
		sid := rapid.SampledFrom([]string{"", `"Sid":"Studio",`, fmt.Sprintf(`"Sid" : "s%d",`, n)}).Draw(t, "sid")
		return "{" + space.Draw(t, "a") + sid + `"Effect":"Allow",` + space.Draw(t, "b") + `"Principal":` + principal + `,"Action":` + action + space.Draw(t, "c") + "}"
	}
	var statements []string
	for n := range rapid.IntRange(1, 3).Draw(t, "statements") {
		statements = append(statements, one(n))
	}
	value := "[" + space.Draw(t, "d") + strings.Join(statements, ","+space.Draw(t, "e")) + space.Draw(t, "f") + "]"
	if len(statements) == 1 && rapid.Bool().Draw(t, "single") {
		value = statements[0]
	}
	if rapid.Bool().Draw(t, "version last") {
		return "{" + space.Draw(t, "g") + `"Statement":` + value + `,"Version":"2012-10-17"` + space.Draw(t, "h") + "}"
	}
	return "{" + space.Draw(t, "g") + `"Version":"2012-10-17","Statement":` + space.Draw(t, "h") + value + "}" + space.Draw(t, "i")
}

func TestRoleName(t *testing.T) {
	if got := RoleName("eu-west-1", "sales"); got != "drawbridge-studio-eu-west-1-sales" {
		t.Error(got)
	}
	long := strings.Repeat("x", 62)
	a, b := RoleName("eu-west-1", long+"a"), RoleName("eu-west-1", long+"b")
	if len(a) > 64 || a == b || !strings.HasPrefix(a, "drawbridge-studio-eu-west-1-xxx") {
		t.Errorf("%s and %s", a, b)
	}
}

func TestCanBeUser(t *testing.T) {
	for name, want := range map[string]bool{"ana": true, "ana.b-1_2@x": true, "Ana": false, "1ana": false, "": false, strings.Repeat("a", 65): false, "ana b": false} {
		if CanBeUser(name) != want {
			t.Errorf("CanBeUser(%q) = %v", name, !want)
		}
	}
}

func TestEnd(t *testing.T) {
	ok, bad, waits := workflow.Hop{Hop: "a", OK: true}, workflow.Hop{Hop: "b"}, workflow.Hop{Hop: "domain"}
	waiting := []workflow.IdentifyUsersOutput{{}, {Waiting: true, Hops: []workflow.Hop{waits}}}
	for name, c := range map[string]struct {
		readers int
		verdict []workflow.Hop
		domains []workflow.IdentifyUsersOutput
		want    workflow.Result
	}{
		"all is done":                         {1, []workflow.Hop{ok}, nil, workflow.Identified},
		"apps are in the way":                 {1, []workflow.Hop{ok, waits}, waiting, workflow.AwaitingApps},
		"somebody is not served":              {1, []workflow.Hop{ok, bad}, nil, workflow.Incomplete},
		"somebody is not served, others wait": {1, []workflow.Hop{waits, bad}, waiting, workflow.Incomplete},
		"nobody is left":                      {0, []workflow.Hop{ok}, nil, workflow.Removed},
		"nobody is left, but apps":            {0, []workflow.Hop{waits}, waiting, workflow.AwaitingApps},
		"something could not be taken back":   {0, []workflow.Hop{bad}, nil, workflow.Incomplete},
	} {
		if got := End(c.readers, c.verdict, c.domains); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
