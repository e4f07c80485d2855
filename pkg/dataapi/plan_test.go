package dataapi

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const (
	clusterARN = "arn:aws:rds:us-east-1:222222222222:cluster:sales"
	keyARN     = "arn:aws:kms:us-east-1:222222222222:key/1"
	secretARN  = "arn:aws:secretsmanager:us-east-1:222222222222:secret:sales/reader-AbCdEf"
)

func sales() workflow.Cluster {
	return workflow.Cluster{Account: "222222222222", Region: "us-east-1", ID: "sales", ARN: clusterARN, Organization: "o-1"}
}

func consumer(account string, allowed bool) workflow.Consumer {
	return workflow.Consumer{Account: account, Decision: policy.Decision{Action: policy.Admit, Allowed: allowed, Policy: "p", Reason: "because"}}
}

// world is a cluster whose owner did everything right.
func world(change func(*Facts)) Facts {
	f := Facts{Cluster: sales(), Engine: "aurora-postgresql", Mode: "provisioned", Status: "available",
		Secret: Secret{Name: "sales/reader", ARN: secretARN, Tags: consent("sales"),
			Key: Key{ARN: keyARN, Tags: consent("payroll sales"), Enabled: true, ToIAM: true, Granting: true}},
		Consumers: []workflow.Consumer{consumer("111111111111", true)}}
	change(&f)
	return f
}

func consent(clusters string) map[string]string { return map[string]string{tag.DataAPI: clusters} }

// made puts the role there as Drawbridge made it, and its entry in the ledger.
func made(f *Facts) {
	f.Managed, f.Role = true, &Role{ID: "AROA1", Path: rolePath, Boundary: Boundary(sales())}
	item := roleItem(sales(), "us-east-1")
	item.State, item.Left, item.Needed = ledger.Confirmed, "AROA1", []string{clusterARN}
	f.Item = &item
}

// said is what the cluster's owner says by drawbridge:manage.
func said(f *Facts, value string) { f.Tags = map[string]string{tag.Manage: value} }

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Facts)
		answer workflow.Answer
		result workflow.Result
		says   string // of an error
	}{
		"everything is right":           {func(*Facts) {}, workflow.AnswerExpose, workflow.Exposed, ""},
		"one of two is admitted":        {func(f *Facts) { f.Consumers = append(f.Consumers, consumer("9", false)) }, workflow.AnswerExpose, workflow.Exposed, ""},
		"our role is there":             {made, workflow.AnswerExpose, workflow.Exposed, ""},
		"our role, its answer was lost": {func(f *Facts) { made(f); f.Item.State, f.Item.Left = ledger.Intended, "" }, workflow.AnswerExpose, workflow.Exposed, ""},
		"nobody is named":               {func(f *Facts) { f.Consumers = nil }, workflow.AnswerNothing, workflow.Nothing, ""},
		"nobody is named any more":      {func(f *Facts) { made(f); f.Consumers = nil }, workflow.AnswerRetract, workflow.Retracted, ""},
		"nobody is named, and the owner's tags look like ours": {func(f *Facts) { f.Consumers, f.Tags = nil, map[string]string{tag.Status: "Exposed"} },
			workflow.AnswerNothing, workflow.Nothing, ""},
		"the cluster is gone":         {func(f *Facts) { f.Cluster.Gone = true }, workflow.AnswerNothing, workflow.Nothing, ""},
		"the cluster that we have is": {func(f *Facts) { made(f); f.Cluster.Gone = true }, workflow.AnswerRetract, workflow.Retracted, ""},
		"nobody is admitted":          {func(f *Facts) { f.Consumers[0] = consumer("9", false) }, workflow.AnswerConclude, workflow.RefusedByPolicy, ""},
		"nobody is admitted any more": {func(f *Facts) { made(f); f.Consumers[0] = consumer("9", false) }, workflow.AnswerRetract, workflow.RefusedByPolicy, ""},
		"a broken secret does not keep anybody in": {func(f *Facts) { made(f); f.Consumers, f.Secret = nil, Secret{} },
			workflow.AnswerRetract, workflow.Retracted, ""},
		"a foreign role keeps nobody in": {func(f *Facts) { f.Managed, f.Consumers, f.Role = true, nil, &Role{ID: "AROA2"} },
			workflow.AnswerRetract, workflow.Retracted, ""},
		"an endpoint that the owner turned on, on Serverless v1": {func(f *Facts) { f.Mode, f.Endpoint = "serverless", true },
			workflow.AnswerExpose, workflow.Exposed, ""},

		// Its owner has Drawbridge let go of it.
		"let go of":                     {func(f *Facts) { made(f); said(f, tag.Leave) }, workflow.AnswerConclude, workflow.Released, ""},
		"let go of, and found":          {func(f *Facts) { said(f, tag.Leave) }, workflow.AnswerNothing, workflow.Nothing, ""},
		"undone":                        {func(f *Facts) { made(f); said(f, tag.Undo) }, workflow.AnswerRetract, workflow.Retracted, ""},
		"undone, and nothing was added": {func(f *Facts) { said(f, tag.Undo) }, workflow.AnswerNothing, workflow.Nothing, ""},
		"let go of, and gone":           {func(f *Facts) { made(f); said(f, tag.Leave); f.Cluster.Gone = true }, workflow.AnswerRetract, workflow.Retracted, ""},
		"given back":                    {func(f *Facts) { made(f); f.Managed, f.Item = false, nil; said(f, tag.Take) }, workflow.AnswerExpose, workflow.Exposed, ""},
		"given, and the role is not ours": {func(f *Facts) { made(f); f.Managed, f.Item, f.Role.Boundary = false, nil, ""; said(f, tag.Take) },
			"", "", "is not Drawbridge's"},

		// Whatever the policy permits, the owners of secret and key have to say that they are for the cluster.
		"the secret is for nobody":                           {func(f *Facts) { f.Secret.Tags = nil }, workflow.AnswerConclude, workflow.RefusedByPolicy, ""},
		"the secret is for another":                          {func(f *Facts) { f.Secret.Tags = consent("sales-2 payroll") }, workflow.AnswerConclude, workflow.RefusedByPolicy, ""},
		"the key is for another":                             {func(f *Facts) { f.Secret.Key.Tags = consent("payroll") }, workflow.AnswerConclude, workflow.RefusedByPolicy, ""},
		"the secret is for the cluster no more":              {func(f *Facts) { made(f); f.Secret.Tags = nil }, workflow.AnswerRetract, workflow.RefusedByPolicy, ""},
		"the key is for the cluster no more":                 {func(f *Facts) { made(f); f.Secret.Key.Tags = nil }, workflow.AnswerRetract, workflow.RefusedByPolicy, ""},
		"a secret of another team's says nothing of its key": {func(f *Facts) { f.Secret.Tags, f.Secret.Managed = nil, true }, workflow.AnswerConclude, workflow.RefusedByPolicy, ""},

		"a role of somebody's own":  {func(f *Facts) { f.Role = &Role{ID: "AROA2", Path: rolePath, Boundary: Boundary(sales())} }, "", "", "is not Drawbridge's"},
		"a role that was made anew": {func(f *Facts) { made(f); f.Role.ID = "AROA2" }, "", "", "another one than Drawbridge made"},
		"our name in another path":  {func(f *Facts) { made(f); f.Role.Path = "/" }, "", "", "another one than Drawbridge made"},
		"a role of another cluster": {func(f *Facts) { made(f); f.Item.Needed = []string{"arn:other"} }, "", "", "is for arn:other"},
		"a role without a boundary": {func(f *Facts) { made(f); f.Role.Boundary = "" }, "", "", "lost its permissions boundary"},
		"not Aurora":                {func(f *Facts) { f.Engine = "mysql" }, "", "", "only Aurora"},
		"Serverless v1":             {func(f *Facts) { f.Mode = "serverless" }, "", "", "aws rds modify-db-cluster --db-cluster-identifier sales --enable-http-endpoint"},
		"no secret is named":        {func(f *Facts) { f.Secret = Secret{} }, "", "", "aws rds add-tags-to-resource"},
		"the tag names no secret": {func(f *Facts) {
			f.Secret = Secret{}
			f.Tags = tag.Clean(tag.DBCluster, map[string]string{tag.Secret: " "})
		}, "", "", "drawbridge:secret= means nothing"},
		"there is no such secret":     {func(f *Facts) { f.Secret.ARN = "" }, "", "", "does not exist"},
		"the secret is being deleted": {func(f *Facts) { f.Secret.Deleted = true }, "", "", "is being deleted"},
		"the key that AWS manages":    {func(f *Facts) { f.Secret.Key, f.Secret.Managed = Key{}, true }, "", "", "aws secretsmanager update-secret --secret-id sales/reader --kms-key-id"},
		"a key of another account":    {func(f *Facts) { f.Secret.Key = Key{ARN: strings.Replace(keyARN, "222222222222", "111111111111", 1)} }, "", "", "a key of another account"},
		"a disabled key":              {func(f *Facts) { f.Secret.Key.Enabled = false }, "", "", "enable the key"},
		"a key that nobody can read":  {func(f *Facts) { f.Secret.Key = Key{ARN: keyARN, Closed: true} }, "", "", "allow kms:CreateGrant, kms:DescribeKey"},
		"a key that leaves nothing":   {func(f *Facts) { f.Secret.Key.ToIAM, f.Secret.Key.Granting = false, false }, "", "", "to arn:aws:iam::222222222222:root"},
	} {
		out, err := Plan(world(c.change))
		if c.says != "" {
			if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want a Conflict that says %q", name, err, c.says)
			}
			continue
		}
		if err != nil || out.Answer != c.answer || out.Result != c.result {
			t.Errorf("%s: %s, %s, %v, want %s, %s", name, out.Answer, out.Result, err, c.answer, c.result)
		}
		if out.Answer == workflow.AnswerExpose && out.DataAPI.Secret != (workflow.Secret{ARN: secretARN, Key: keyARN}) {
			t.Errorf("%s: the secret is %+v", name, out.DataAPI.Secret)
		}
		if out.DataAPI.Ends != (out.Answer == workflow.AnswerRetract) {
			t.Errorf("%s: %s, but ends is %v", name, out.Answer, out.DataAPI.Ends)
		}
		if out.Result == workflow.RefusedByPolicy && out.Decision.Allowed {
			t.Errorf("%s: it is refused, and the decision allows it", name)
		}
	}
}

// What the role may do is written out, so that a change of it is seen.
func TestTheRole(t *testing.T) {
	api := workflow.DataAPI{Cluster: sales(), Secret: workflow.Secret{ARN: secretARN, Key: keyARN},
		Consumers: []workflow.Consumer{consumer("333333333333", true), consumer("999999999999", false), consumer("111111111111", true)}}
	trust, err := Trust(api)
	if err != nil {
		t.Fatal(err)
	}
	const wantTrust = `{"Version":"2012-10-17","Statement":[{"Sid":"DrawbridgeConsumers","Effect":"Allow",` +
		`"Principal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::333333333333:root"]},"Action":["sts:AssumeRole"],` +
		`"Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-1"]}}}]}`
	if string(trust) != wantTrust {
		t.Errorf("the role trusts\n%s, want\n%s", trust, wantTrust)
	}
	rights, err := RolePolicy(api)
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Statement []struct {
			Action, Resource []string
			Condition        map[string]map[string][]string
		}
	}
	if err := json.Unmarshal(rights, &policy); err != nil {
		t.Fatal(err)
	}
	on := map[string][]string{}
	for _, s := range policy.Statement {
		for _, r := range s.Resource {
			on[r] = append(on[r], s.Action...)
		}
	}
	if got := slices.Sorted(maps.Keys(on)); !slices.Equal(got, []string{keyARN, clusterARN, secretARN}) {
		t.Errorf("the role has rights on %v", got)
	}
	if !slices.Equal(on[secretARN], []string{"secretsmanager:GetSecretValue"}) || !slices.Equal(on[keyARN], []string{"kms:Decrypt", "kms:DescribeKey"}) {
		t.Errorf("the role may %v", on)
	}
	for _, s := range policy.Statement {
		of := s.Condition["StringLike"]["aws:ResourceTag/drawbridge:data-api"]
		if asks := !slices.Equal(s.Resource, []string{clusterARN}); asks != (len(of) > 0) {
			t.Errorf("%v on %v under %v", s.Action, s.Resource, s.Condition)
		}
	}
}

// What a tag says to IAM's patterns is what it says to [For].
func TestIAMReadsTheTagAsWeDo(t *testing.T) {
	w, _ := tag.Find(tag.StoredSecret, tag.DataAPI)
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[ ,]{0,2}(sales|sales-2|x-sales|payroll|)([ ,]{1,2}(sales|sales-2|payroll)){0,2} {0,2}`).Draw(t, "value")
		meaning, _ := w.Read(value)
		like := slices.ContainsFunc(named("sales"), func(pattern string) bool {
			return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(value)
		})
		if ours := For(consent(meaning), "sales"); ours && !like {
			t.Fatalf("%q is for sales, and IAM denies it", value)
		} else if like && !ours && meaning != "" {
			t.Fatalf("%q is not for sales, and IAM allows it", value)
		}
	})
}

func TestSurplus(t *testing.T) {
	api := workflow.DataAPI{Cluster: sales(), Secret: workflow.Secret{ARN: secretARN, Key: keyARN, Grant: true}}
	other := api
	other.Secret.ARN = secretARN + "2"
	items := []ledger.Item{endpointItem(sales()), grantItem(api), grantItem(other), roleItem(sales(), "us-east-1")}
	keys := func(items []ledger.Item) (out []string) {
		for _, i := range items {
			out = append(out, string(i.Kind)+" "+i.Key)
		}
		return out
	}
	ends, toIAM := api, api
	ends.Ends, toIAM.Secret.Grant = true, false
	for name, c := range map[string]struct {
		api  workflow.DataAPI
		want []string
	}{
		"the grant of another secret": {api, []string{"grant drawbridge-data-api-sales " + secretARN + "2"}},
		"the key leaves it to IAM":    {toIAM, []string{"grant drawbridge-data-api-sales " + secretARN, "grant drawbridge-data-api-sales " + secretARN + "2"}},
		"all, the role first": {ends, []string{"role data-api", "grant drawbridge-data-api-sales " + secretARN,
			"grant drawbridge-data-api-sales " + secretARN + "2", "setting http-endpoint"}},
	} {
		if got := keys(Surplus(c.api, items)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDelegates(t *testing.T) {
	root := `"Principal":{"AWS":"arn:aws:iam::222222222222:root"}`
	for name, c := range map[string]struct {
		statements string
		want       bool
	}{
		"as AWS writes it":           {`[{"Effect":"Allow",` + root + `,"Action":"kms:*","Resource":"*"}]`, true},
		"one statement, no list":     {`{"Effect":"Allow",` + root + `,"Action":["kms:Describe*","kms:Decr?pt"],"Resource":"*"}`, true},
		"the account's number":       {`[{"Effect":"Allow","Principal":{"AWS":["222222222222"]},"Action":"*","Resource":"*"}]`, true},
		"under a condition":          {`[{"Effect":"Allow",` + root + `,"Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]`, false},
		"another action":             {`[{"Effect":"Allow",` + root + `,"Action":"kms:Describe*","Resource":"*"}]`, false},
		"another account":            {`[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}]`, false},
		"people of the account":      {`[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/admin"},"Action":"kms:*","Resource":"*"}]`, false},
		"everybody, which is no IAM": {`[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]`, false},
		"a denial":                   {`[{"Effect":"Deny",` + root + `,"Action":"kms:*","Resource":"*"}]`, false},
		"all but some actions":       {`[{"Effect":"Allow",` + root + `,"NotAction":"kms:Delete*","Resource":"*"}]`, false},
		"no policy":                  {`7`, false},
	} {
		if got := Delegates([]byte(`{"Statement":`+c.statements+`}`), "aws", "222222222222", "kms:Decrypt"); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Clusters with different names have different roles, whose names AWS takes.
func TestNamesAreUnique(t *testing.T) {
	id := rapid.StringMatching(`[a-z](-?[a-z0-9]){0,31}`)
	rapid.Check(t, func(t *rapid.T) {
		one, other := id.Draw(t, "one"), id.Draw(t, "other")
		a, b := workflow.Cluster{ID: one}, workflow.Cluster{ID: other}
		for _, c := range []workflow.Cluster{a, b} {
			if len(RoleName(c.ID)) > 64 {
				t.Fatalf("%s has %d characters", RoleName(c.ID), len(RoleName(c.ID)))
			}
		}
		if (one == other) != (RoleName(one) == RoleName(other)) {
			t.Fatalf("%s and %s: roles %s and %s", one, other, RoleName(one), RoleName(other))
		}
	})
}
