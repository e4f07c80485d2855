package policy_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func cidrs(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// The world of the tests: an analytics and a data account of one organization, and a stranger.
func analytics() policy.VPC {
	return policy.VPC{
		ID: "vpc-analytics", Region: "us-east-1", CIDRs: cidrs("10.1.0.0/16"),
		Account: policy.Account{ID: "111111111111", Name: "analytics", Organization: "o-a1", OUPath: "o-a1/r-ab12/ou-ab12-work/ou-ab12-science/"},
	}
}

func data(tags ...string) policy.VPC {
	return policy.VPC{
		ID: "vpc-data", Region: "eu-central-1", CIDRs: cidrs("10.2.0.0/16"), Tags: tagged(tags...),
		Account: policy.Account{ID: "222222222222", Name: "data", Organization: "o-a1", OUPath: "o-a1/r-ab12/ou-ab12-data/"},
	}
}

func stranger() policy.VPC {
	return policy.VPC{ID: "vpc-stranger", Region: "us-east-1", CIDRs: cidrs("10.9.0.0/16"), Account: policy.Account{ID: "999999999999"}}
}

func database(tags ...string) policy.Database {
	return policy.Database{ARN: "arn:aws:rds:eu-central-1:222222222222:db:orders", ID: "orders", Engine: "mysql", Port: 3306, Tags: tagged(tags...), VPC: data()}
}

func notebook(tags ...string) policy.Notebook {
	return policy.Notebook{ARN: "arn:aws:sagemaker:us-east-1:111111111111:notebook-instance/lab", Name: "lab", Tags: tagged(tags...), VPC: analytics()}
}

func table(vpc policy.VPC, tags ...string) policy.Table {
	return policy.Table{ID: "rtb-1", Tags: tagged(tags...), VPC: vpc}
}

func in(vpc policy.VPC, tags ...string) policy.VPC {
	vpc.Tags = tagged(tags...)
	return vpc
}

func leaving(target string) policy.Context { return policy.Context{Leaves: target} }

// tagged makes tags of "key=value".
func tagged(tags ...string) map[string]string {
	all := map[string]string{}
	for _, tag := range tags {
		key, value, _ := strings.Cut(tag, "=")
		all[key] = value
	}
	return all
}

func mustParse(t testing.TB, text string) *policy.Set {
	t.Helper()
	set, err := policy.Parse("test.cedar", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestDefaultPolicy(t *testing.T) {
	approved, rejected := policy.Context{Approval: "approved"}, policy.Context{Approval: "rejected"}
	none := policy.Context{}
	set := policy.Default()
	generous := mustParse(t, policy.DefaultText()+`@id("accept-all") permit (principal, action == Drawbridge::Action::"Accept", resource);`)
	for name, c := range map[string]struct {
		got  policy.Decision
		want string // action, allowed, policy
	}{
		"a VPC tagged auto accepts its organization":              {set.Answer(analytics(), data("drawbridge:accept=auto"), none), "Accept true accept-auto"},
		"a VPC tagged never refuses":                              {set.Answer(analytics(), data("drawbridge:accept=never"), none), "Ask false accept-never"},
		"a VPC without the tag asks its owner":                    {set.Answer(analytics(), data(), none), "Ask true ask-owner"},
		"a VPC with another value of the tag asks its owner":      {set.Answer(analytics(), data("drawbridge:accept=Auto"), none), "Ask true ask-owner"},
		"an approved request is accepted":                         {set.Answer(analytics(), data(), approved), "Accept true accept-approved"},
		"a VPC tagged ask asks its owner":                         {set.Answer(analytics(), data("drawbridge:accept=ask"), none), "Ask true ask-owner"},
		"ask beats a policy that accepts":                         {generous.Answer(analytics(), data("drawbridge:accept=ask"), none), "Ask true ask-owner"},
		"and yields to an approval":                               {generous.Answer(analytics(), data("drawbridge:accept=ask"), approved), "Accept true accept-approved"},
		"never beats an approval":                                 {set.Answer(analytics(), data("drawbridge:accept=never"), approved), "Ask false accept-never"},
		"a rejected request is refused":                           {set.Answer(analytics(), data(), rejected), "Ask false rejected-by-owner"},
		"a rejection beats auto":                                  {set.Answer(analytics(), data("drawbridge:accept=auto"), rejected), "Ask false rejected-by-owner"},
		"an approval of another spelling asks again":              {set.Answer(analytics(), data(), policy.Context{Approval: "Approved"}), "Ask true ask-owner"},
		"a stranger's request is refused":                         {set.Answer(stranger(), data("drawbridge:accept=auto"), approved), "Ask false within-organization"},
		"a request to a stranger is refused":                      {set.Answer(analytics(), stranger(), approved), "Ask false within-organization"},
		"strangers are not members of one organization":           {set.Answer(stranger(), otherStranger(), approved), "Ask false within-organization"},
		"a stranger is not even in an organization with itself":   {set.Route(stranger(), stranger(), none), "Route false within-organization"},
		"a rejected request may be rejected at AWS":               {set.Reject(analytics(), data(), rejected), "Reject true reject-as-told"},
		"a refused request is left to expire":                     {set.Reject(analytics(), data("drawbridge:accept=never"), none), "Reject false default-deny"},
		"a stranger's request may be rejected by its owner":       {set.Reject(stranger(), data(), rejected), "Reject true reject-as-told"},
		"nothing leaves a wider route unasked":                    {set.Divert(data(), table(analytics()), leaving("tgw-1")), "Divert false default-deny"},
		"a table's tag names what may be left":                    {set.Divert(data(), table(analytics(), "drawbridge:divert=tgw-1 eni-1"), leaving("tgw-1")), "Divert true divert-as-tagged"},
		"and nothing else":                                        {set.Divert(data(), table(analytics(), "drawbridge:divert=tgw-1"), leaving("tgw-2")), "Divert false default-deny"},
		"its VPC's tag, too":                                      {set.Divert(data(), table(in(analytics(), "drawbridge:divert=tgw-1")), leaving("tgw-1")), "Divert true divert-as-tagged"},
		"but not past the table's own":                            {set.Divert(data(), table(in(analytics(), "drawbridge:divert=tgw-1"), "drawbridge:divert=eni-1"), leaving("tgw-1")), "Divert false default-deny"},
		"true may be all":                                         {set.Divert(data(), table(analytics(), "drawbridge:divert=true"), leaving("tgw-1")), "Divert true divert-as-tagged"},
		"nothing leaves for a stranger":                           {set.Divert(stranger(), table(analytics(), "drawbridge:divert=true"), leaving("tgw-1")), "Divert false within-organization"},
		"routes there":                                            {set.Route(analytics(), data(), none), "Route true route-both-ways"},
		"routes back":                                             {set.Route(data(), analytics(), none), "Route true route-both-ways"},
		"no routes to a stranger":                                 {set.Route(data(), stranger(), none), "Route false within-organization"},
		"a database shared with everybody is opened":              {set.Open(analytics(), database("drawbridge:share=true"), none), "Open true open-shared"},
		"a database shared with the account is opened":            {set.Open(analytics(), database("drawbridge:share=333333333333  111111111111"), none), "Open true open-shared"},
		"a database shared with others is closed":                 {set.Open(analytics(), database("drawbridge:share=333333333333"), none), "Open false default-deny"},
		"an account number inside a longer word is not a name":    {set.Open(analytics(), database("drawbridge:share=1111111111112"), none), "Open false default-deny"},
		"true among other words is not true":                      {set.Open(analytics(), database("drawbridge:share=true 333333333333"), none), "Open false default-deny"},
		"a database that is not shared is closed":                 {set.Open(analytics(), database(), none), "Open false default-deny"},
		"a database that shares with everybody means members":     {set.Open(stranger(), database("drawbridge:share=true"), none), "Open false within-organization"},
		"a stranger's account in the tag is not enough":           {set.Open(stranger(), database("drawbridge:share=999999999999"), none), "Open false within-organization"},
		"a notebook gets routes":                                  {set.Inject(data(), notebook(), none), "Inject true inject-routes"},
		"a notebook with routes off is left out":                  {set.Inject(data(), notebook("drawbridge:routes=off"), none), "Inject false inject-off"},
		"a notebook gets no routes to a stranger":                 {set.Inject(stranger(), notebook(), none), "Inject false within-organization"},
		"a notebook is not restarted unasked":                     {set.Restart(data(), notebook(), none), "Restart false default-deny"},
		"a notebook is restarted where allowed":                   {set.Restart(data(), notebook("drawbridge:restart=allowed"), none), "Restart true restart-allowed"},
		"an empty set allows nothing":                             {(*policy.Set)(nil).Answer(analytics(), data(), none), "Accept false default-deny"},
		"an action that nobody knows is denied":                   {set.Decide("Explode", analytics(), data(), none), "Explode false default-deny"},
		"a VPC without an account is denied":                      {set.Answer(policy.VPC{ID: "vpc-1", Region: "us-east-1", CIDRs: cidrs("10.0.0.0/8")}, data(), none), "Ask false missing-facts"},
		"a VPC without a Region is denied":                        {set.Answer(policy.VPC{ID: "vpc-1", Account: analytics().Account, CIDRs: cidrs("10.0.0.0/8")}, data(), none), "Ask false missing-facts"},
		"a VPC without CIDRs is denied":                           {set.Route(analytics(), policy.VPC{ID: "vpc-1", Region: "us-east-1", Account: analytics().Account}, none), "Route false missing-facts"},
		"a VPC with an invalid CIDR is denied":                    {set.Route(analytics(), policy.VPC{ID: "vpc-1", Region: "us-east-1", Account: analytics().Account, CIDRs: []netip.Prefix{{}}}, none), "Route false missing-facts"},
		"a database without a VPC is denied":                      {set.Open(analytics(), policy.Database{ID: "orders"}, none), "Open false missing-facts"},
		"a notebook without a name is denied":                     {set.Inject(data(), policy.Notebook{VPC: analytics()}, none), "Inject false missing-facts"},
		"a path that is not known does not matter to this policy": {set.Route(withoutPath(analytics()), data(), none), "Route true route-both-ways"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(c.got.Action, " ", c.got.Allowed, " ", c.got.Policy); got != c.want {
				t.Errorf("got %q (%s), want %q", got, c.got.Reason, c.want)
			}
			if c.got.Reason == "" {
				t.Error("the decision has no reason")
			}
		})
	}
}

func otherStranger() policy.VPC {
	v := stranger()
	v.ID, v.Account.ID = "vpc-stranger2", "888888888888"
	return v
}

func withoutPath(v policy.VPC) policy.VPC {
	v.Account.OUPath = ""
	return v
}

func withCIDRs(v policy.VPC, texts ...string) policy.VPC {
	v.CIDRs = cidrs(texts...)
	return v
}

// What a policy author can say: each policy is a whole set, asked about analytics → data.
func TestWhatAPolicyCanSay(t *testing.T) {
	const route = `permit (principal, action == Drawbridge::Action::"Route", resource)`
	for name, c := range map[string]struct {
		policy   string
		from, to policy.VPC
		want     bool
	}{
		"in an account":                           {`principal in Drawbridge::Account::"111111111111"`, analytics(), data(), true},
		"in another account":                      {`principal in Drawbridge::Account::"222222222222"`, analytics(), data(), false},
		"in a unit":                               {`principal in Drawbridge::OU::"ou-ab12-science" && resource in Drawbridge::OU::"ou-ab12-data"`, analytics(), data(), true},
		"in a unit further up":                    {`principal in Drawbridge::OU::"ou-ab12-work"`, analytics(), data(), true},
		"in the root":                             {`principal in Drawbridge::OU::"r-ab12" && resource in Drawbridge::OU::"r-ab12"`, analytics(), data(), true},
		"in another unit":                         {`principal in Drawbridge::OU::"ou-ab12-data"`, analytics(), data(), false},
		"in the organization":                     {`principal in Drawbridge::Organization::"o-a1"`, analytics(), data(), true},
		"an account at the end of a path":         {`principal.ouPath == "o-a1/r-ab12/ou-ab12-data/"`, withPath(analytics(), "o-a1/r-ab12/ou-ab12-data/111111111111"), data(), true},
		"a path by its beginning":                 {`principal.ouPath like "o-a1/r-ab12/ou-ab12-work/*"`, analytics(), data(), true},
		"an unknown path is in no unit":           {`!(principal in Drawbridge::OU::"ou-ab12-work")`, withoutPath(analytics()), data(), false},
		"an unknown path has no beginning":        {`!(principal.ouPath like "*ou-ab12-work*")`, withoutPath(analytics()), data(), false},
		"a stranger's claim of a unit is void":    {`principal in Drawbridge::OU::"ou-ab12-data"`, withPath(stranger(), "o-a1/r-ab12/ou-ab12-data/"), data(), false},
		"the name of an account":                  {`principal.accountName == "analytics"`, analytics(), data(), true},
		"a Region":                                {`principal.region == "us-east-1" && resource.region == "eu-central-1"`, analytics(), data(), true},
		"a tag":                                   {`resource.hasTag("stage") && resource.getTag("stage") == "prod"`, analytics(), data("stage=prod"), true},
		"a tag that is not there":                 {`resource.hasTag("stage") && resource.getTag("stage") == "prod"`, analytics(), data(), false},
		"a CIDR in a range":                       {`principal.cidr.isInRange(ip("10.0.0.0/8"))`, analytics(), data(), true},
		"all CIDRs in a range":                    {`principal.cidr.isInRange(ip("10.0.0.0/8"))`, withCIDRs(analytics(), "10.1.0.0/16", "10.5.0.0/16"), data(), true},
		"a secondary CIDR out of range":           {`principal.cidr.isInRange(ip("10.0.0.0/8"))`, withCIDRs(analytics(), "10.1.0.0/16", "172.20.0.0/16"), data(), false},
		"a secondary CIDR of the other out of it": {`resource.cidr.isInRange(ip("10.0.0.0/8"))`, analytics(), withCIDRs(data(), "10.1.0.0/16", "172.20.0.0/16"), false},
		"IPv6":                              {`principal.cidr.isIpv6() && principal.cidr.isInRange(ip("2600:1f00::/24"))`, withCIDRs(analytics(), "2600:1f18:1234:5600::/56"), data(), true},
		"the set of CIDRs":                  {`principal.cidrs.contains(ip("10.1.0.0/16"))`, analytics(), data(), true},
		"host bits in a CIDR do not matter": {`principal.cidrs.contains(ip("10.1.0.0/16"))`, withCIDRs(analytics(), "10.1.2.3/16"), data(), true},
		"an entity":                         {`principal == Drawbridge::VPC::"vpc-analytics"`, analytics(), data(), true},
		"the group of an action":            {`action in Drawbridge::Action::"Grant"`, analytics(), data(), true},
		"the connection":                    {`context.connection == "pcx-1"`, analytics(), data(), true},
		"a permit that cannot be evaluated is void": {`9223372036854775807 + 1 == 0`, analytics(), data(), false},
	} {
		t.Run(name, func(t *testing.T) {
			set := mustParse(t, `@id("it") `+route+" when { "+c.policy+" };")
			d := set.Route(c.from, c.to, policy.Context{Connection: "pcx-1"})
			if d.Allowed != c.want {
				t.Errorf("got %+v, want allowed %v", d, c.want)
			}
		})
	}
}

func withPath(v policy.VPC, path string) policy.VPC {
	v.Account.OUPath = path
	return v
}

func TestDatabaseAndNotebookLieInTheirVPC(t *testing.T) {
	set := mustParse(t, `
		@id("db") permit (principal, action == Drawbridge::Action::"Open", resource in Drawbridge::VPC::"vpc-data")
		when { resource.port == 3306 && resource.engine == "mysql" && resource.id == "orders" && resource in Drawbridge::OU::"ou-ab12-data" };
		@id("nb") permit (principal, action == Drawbridge::Action::"Inject", resource == Drawbridge::Notebook::"arn:aws:sagemaker:us-east-1:111111111111:notebook-instance/lab")
		when { resource in Drawbridge::Account::"111111111111" && resource.vpc == "vpc-analytics" && resource.name == "lab" };`)
	if d := set.Open(analytics(), database(), policy.Context{}); !d.Allowed || d.Policy != "db" {
		t.Errorf("got %+v", d)
	}
	if d := set.Inject(data(), notebook(), policy.Context{}); !d.Allowed || d.Policy != "nb" {
		t.Errorf("got %+v", d)
	}
	same := database()
	same.VPC = analytics()
	if d := set.Open(analytics(), same, policy.Context{}); d.Allowed {
		t.Errorf("a database in the consumer's own VPC is in vpc-data: %+v", d)
	}
}

func TestWhoDecides(t *testing.T) {
	const permits = `
		@id("second") permit (principal, action in Drawbridge::Action::"Network", resource) when { principal.region == "us-east-1" };
		@id("first") permit (principal, action in Drawbridge::Action::"Network", resource);`
	const forbids = `
		@id("no-10.5") @reason("10.5.0.0/16 is the laboratory") forbid (principal, action in Drawbridge::Action::"Network", resource) when { principal.cidr.isInRange(ip("10.5.0.0/16")) };
		@id("overflow") forbid (principal, action in Drawbridge::Action::"Network", resource) when { principal.cidr.isInRange(ip("10.6.0.0/16")) && 9223372036854775807 + 1 == 0 };`
	for name, c := range map[string]struct {
		text   string
		from   policy.VPC
		allow  bool
		policy string
		reason string
	}{
		"the first permit of the text": {permits, analytics(), true, "second",
			"policy second permits Route for vpc-analytics (10.1.0.0/16) on vpc-data (10.2.0.0/16)"},
		"a forbid of any CIDR": {permits + forbids, withCIDRs(analytics(), "10.1.0.0/16", "10.5.0.0/16"), false, "no-10.5",
			"10.5.0.0/16 is the laboratory"},
		"a forbid that cannot be evaluated": {permits + forbids, withCIDRs(analytics(), "10.6.0.0/16"), false, "overflow", "cannot be evaluated"},
		"nobody": {`@id("x") permit (principal, action in Drawbridge::Action::"Network", resource) when { principal.cidr.isInRange(ip("10.1.0.0/16")) };`,
			withCIDRs(analytics(), "10.1.0.0/16", "10.7.0.0/16"), false, policy.DefaultDeny, "no policy permits Route for vpc-analytics (10.7.0.0/16)"},
		"a forbid, though an earlier CIDR was not permitted": {forbids, withCIDRs(analytics(), "10.1.0.0/16", "10.5.0.0/16"), false, "no-10.5", "laboratory"},
	} {
		t.Run(name, func(t *testing.T) {
			d := mustParse(t, c.text).Route(c.from, data(), policy.Context{})
			if d.Allowed != c.allow || d.Policy != c.policy || !strings.Contains(d.Reason, c.reason) {
				t.Errorf("got %+v, want %v by %s because %s", d, c.allow, c.policy, c.reason)
			}
		})
	}
}

func TestAnswerNamesTheForbidOfAccept(t *testing.T) {
	set := mustParse(t, `
		@id("no-science") forbid (principal in Drawbridge::OU::"ou-ab12-science", action == Drawbridge::Action::"Accept", resource);`)
	d := set.Answer(analytics(), data(), policy.Context{})
	if d.Allowed || d.Policy != "no-science" || d.Action != policy.Accept {
		t.Errorf("got %+v", d)
	}
}

func TestDecisionAsJSON(t *testing.T) {
	d := policy.Default().Accept(analytics(), data("drawbridge:accept=auto"), policy.Context{})
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"action":"Accept","allowed":true,"policy":"accept-auto","reason":"the accepter VPC is tagged drawbridge:accept=auto"}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestDefaultFitsAParameter(t *testing.T) {
	// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
	if n := len(policy.DefaultText()); n > policy.MaxSize {
		t.Errorf("default.cedar has %d bytes; a parameter holds no more than policy.MaxSize", n)
	}
	ids := policy.Default().IDs()
	if len(ids) == 0 || !slices.Contains(ids, "within-organization") {
		t.Errorf("the default policy has the ids %q", ids)
	}
}
