package privatenotebooks_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/iampolicy"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const account, region = "111111111111", "eu-west-1"

func document(ids ...string) string { return privatenotebooks.PolicyDocument(account, region, ids) }

func TestPlanGrant(t *testing.T) {
	pair := []string{"vpce-2", "vpce-1"}
	for name, c := range map[string]struct {
		have privatenotebooks.Grant
		want privatenotebooks.GrantChanges
	}{
		"nothing is, nothing shall be": {},
		"the first VPC":                {privatenotebooks.Grant{Endpoints: pair, Tagged: []string{"b", "a"}}, privatenotebooks.GrantChanges{Create: document(pair...), Attach: []string{"a", "b"}}},
		"all is well":                  {privatenotebooks.Grant{Endpoints: pair, Own: true, Document: " " + document("vpce-1", "vpce-2"), Tagged: []string{"a"}, Attached: []string{"a"}}, privatenotebooks.GrantChanges{}},
		"a second VPC":                 {privatenotebooks.Grant{Endpoints: []string{"vpce-1", "vpce-2", "vpce-3", "vpce-4"}, Own: true, Document: document(pair...)}, privatenotebooks.GrantChanges{Replace: document("vpce-1", "vpce-2", "vpce-3", "vpce-4")}},
		"somebody edited it":           {privatenotebooks.Grant{Endpoints: pair, Own: true, Edited: true, Document: `{"Statement":[]}`, Versions: []string{"v1"}}, privatenotebooks.GrantChanges{Replace: document(pair...)}},
		"no room for a version":        {privatenotebooks.Grant{Endpoints: pair, Own: true, Document: `{}`, Versions: []string{"v1", "v2", "v3", "v4"}}, privatenotebooks.GrantChanges{Replace: document(pair...), Drop: []string{"v1"}}},
		"a role lost its tag":          {privatenotebooks.Grant{Endpoints: pair, Own: true, Document: document(pair...), Tagged: []string{"a"}, Attached: []string{"a", "b"}, Given: []string{"a", "b"}}, privatenotebooks.GrantChanges{Detach: []string{"b"}}},
		"somebody gave it to a role":   {privatenotebooks.Grant{Endpoints: pair, Own: true, Document: document(pair...), Attached: []string{"b"}}, privatenotebooks.GrantChanges{}},
		"the last VPC went":            {privatenotebooks.Grant{Own: true, Document: document(pair...), Versions: []string{"v1"}, Tagged: []string{"a"}, Attached: []string{"a", "b"}, Given: []string{"a"}}, privatenotebooks.GrantChanges{Detach: []string{"a"}, Drop: []string{"v1"}, Delete: true}},
		"it was edited, the last went": {privatenotebooks.Grant{Own: true, Edited: true, Document: `{}`, Attached: []string{"a"}, Given: []string{"a"}}, privatenotebooks.GrantChanges{Detach: []string{"a"}}},
		"it is somebody else's":        {privatenotebooks.Grant{Endpoints: pair, Document: document(pair...), Tagged: []string{"a"}, Attached: []string{"b"}}, privatenotebooks.GrantChanges{}},
		"theirs, without a VPC":        {privatenotebooks.Grant{Document: document(pair...), Attached: []string{"b"}}, privatenotebooks.GrantChanges{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := privatenotebooks.PlanGrant(c.have, account, region)
			if len(got.Drop) == 0 {
				got.Drop = nil
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("PlanGrant\n= %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// What a VPC that was let go of has of the policy stays in it, whatever becomes of the others.
func TestTheEndpointsOfAVPCThatWasLetGoOfStayInThePolicy(t *testing.T) {
	for name, c := range map[string]struct {
		now, ids, released []string
		stays              bool
		want               privatenotebooks.GrantChanges
	}{
		"beside one that stays":            {[]string{"vpce-1", "vpce-2"}, []string{"vpce-1"}, []string{"vpce-2"}, false, privatenotebooks.GrantChanges{}},
		"beside one that comes":            {[]string{"vpce-2"}, []string{"vpce-1"}, []string{"vpce-2"}, false, privatenotebooks.GrantChanges{Replace: document("vpce-1", "vpce-2")}},
		"beside one that goes":             {[]string{"vpce-1", "vpce-2"}, nil, []string{"vpce-2"}, true, privatenotebooks.GrantChanges{}},
		"the policy never named its own":   {[]string{"vpce-1"}, []string{"vpce-1"}, []string{"vpce-2"}, false, privatenotebooks.GrantChanges{}},
		"that never named its own, alone":  {[]string{"vpce-1"}, nil, []string{"vpce-2"}, false, privatenotebooks.GrantChanges{Delete: true}},
		"its endpoints are there no more":  {[]string{"vpce-1", "vpce-2"}, []string{"vpce-1"}, nil, false, privatenotebooks.GrantChanges{Replace: document("vpce-1")}},
		"it was the only one":              {[]string{"vpce-2"}, nil, []string{"vpce-2"}, true, privatenotebooks.GrantChanges{}},
		"it was the only one, and another": {[]string{"vpce-2"}, nil, []string{"vpce-2", "vpce-3"}, true, privatenotebooks.GrantChanges{}},
	} {
		g := privatenotebooks.Grant{Own: true, Document: document(c.now...)}
		g.Name(c.ids, c.released, account, region)
		got := privatenotebooks.PlanGrant(g, account, region)
		if got.Drop = nil; g.Released != c.stays || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: stays as it is %v, %+v, want %v, %+v", name, g.Released, got, c.stays, c.want)
		}
	}
}

func TestWritten(t *testing.T) {
	one := strings.Replace(document("vpce-1"), `["vpce-1"]`, `"vpce-1"`, 1)
	for text, want := range map[string][]string{
		document("vpce-2", "vpce-1"): {"vpce-1", "vpce-2"},
		"  " + document("vpce-1"):    {"vpce-1"},
		one:                          nil, // IAM keeps a list of one as it was given
		"":                           nil,
		`{"Statement":[]}`:           nil,
		strings.Replace(document("vpce-1"), privatenotebooks.Describe, "sagemaker:*", 1): nil,
		strings.Replace(document("vpce-1"), account, "222222222222", 1):                  nil,
	} {
		got, ok := privatenotebooks.Written(text, account, region)
		if ok != (want != nil) || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("Written(%s) = %v, %t, want %v", text, got, ok, want)
		}
	}
}

// The policy is tested by what it lets people do.
func TestThePolicyAllowsTheEndpointsAndNothingElse(t *testing.T) {
	parsed, err := iampolicy.Parse(document("vpce-1", "vpce-2", "vpce-3", "vpce-4"))
	if err != nil {
		t.Fatal(err)
	}
	who := iampolicy.Identity{Policies: []iampolicy.Policy{{Name: privatenotebooks.PolicyName, Document: parsed}}}
	notebook := "arn:aws:sagemaker:" + region + ":" + account + ":notebook-instance/lab"
	for name, c := range map[string]struct {
		action, resource, through string
		want                      bool
	}{
		"the first endpoint":           {privatenotebooks.Presign, notebook, "vpce-1", true},
		"the last endpoint":            {privatenotebooks.Describe, notebook, "vpce-4", true},
		"another Region's notebook":    {privatenotebooks.Presign, strings.Replace(notebook, region, "us-east-1", 1), "vpce-1", true},
		"an endpoint of somebody else": {privatenotebooks.Presign, notebook, "vpce-9", false},
		"the internet":                 {privatenotebooks.Presign, notebook, "", false},
		"another account's notebook":   {privatenotebooks.Presign, strings.Replace(notebook, account, "222222222222", 1), "vpce-1", false},
		"stopping a notebook":          {"sagemaker:StopNotebookInstance", notebook, "vpce-1", false},
		"a Studio domain's URL":        {"sagemaker:CreatePresignedDomainUrl", notebook, "vpce-1", false},
	} {
		r := iampolicy.Request{Action: c.action, Resource: c.resource, Keys: map[string][]string{}}
		if c.through != "" {
			r.Keys["aws:sourcevpce"] = []string{c.through}
		}
		if _, got := who.Allowed(r); got != c.want {
			t.Errorf("%s: allowed %t, want %t", name, got, c.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	vpc := workflow.PrivateVPC{Account: account, Region: region, ID: "vpc-1", Primary: netip.MustParsePrefix("10.60.0.0/16")}
	good, err := iampolicy.Parse(document("vpce-1", "vpce-2"))
	if err != nil {
		t.Fatal(err)
	}
	full, err := iampolicy.Parse(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	if err != nil {
		t.Fatal(err)
	}
	fence, err := iampolicy.Parse(`{"Statement":{"Effect":"Deny","Action":"sagemaker:Create*","Resource":"*"}}`)
	if err != nil {
		t.Fatal(err)
	}
	role := func(name string, documents ...iampolicy.Document) iampolicy.Identity {
		out := iampolicy.Identity{Kind: "role", Name: name}
		for i, d := range documents {
			out.Policies = append(out.Policies, iampolicy.Policy{Name: fmt.Sprint("p", i+1), Document: d})
		}
		return out
	}
	base := func() workflow.VerifyPrivateNotebooksInput {
		return workflow.VerifyPrivateNotebooksInput{Account: account, Region: region, VPCs: []workflow.PrivateVPC{vpc},
			Placed: []workflow.PlaceEndpointsOutput{{Want: workflow.EndpointWant{VPC: "vpc-1", Callers: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}},
				Hops: []workflow.Hop{{Hop: "endpoint x", OK: true}}, Endpoints: []workflow.PlacedEndpoint{{ID: "vpce-1"}, {ID: "vpce-2"}}}},
			Granted: workflow.GrantNotebookAccessOutput{Endpoints: []string{"vpce-1", "vpce-2"}, Roles: []string{"scientist"}}}
	}
	resolver := []privatenotebooks.Resolver53{{ID: "rslvr-in-1", VPC: "vpc-1", OK: true}}
	for name, c := range map[string]struct {
		facts  privatenotebooks.Facts
		change func(*workflow.VerifyPrivateNotebooksInput)
		hop    string
		ok     bool
		says   string
	}{
		"EC2 in the VPC":                             {facts: privatenotebooks.Facts{Identities: []iampolicy.Identity{role("scientist", good)}}, hop: "EC2 in vpc-1", ok: true, says: "vpce-1 and vpce-2"},
		"EC2, but something denies it":               {facts: privatenotebooks.Facts{Identities: []iampolicy.Identity{role("scientist", good, fence)}}, hop: "EC2 in vpc-1", says: "denies it to role scientist"},
		"EC2, but the endpoint is closed":            {change: func(in *workflow.VerifyPrivateNotebooksInput) { in.Placed[0].Hops[0].OK = false }, hop: "EC2 in vpc-1", says: "endpoint x"},
		"no Client VPN":                              {hop: "Client VPN into vpc-1", ok: true, says: "10.60.0.2"},
		"Client VPN with the VPC's resolver":         {facts: privatenotebooks.Facts{VPNs: []privatenotebooks.VPN{{ID: "cvpn-1", VPC: "vpc-1", DNS: []string{"10.60.0.2"}}}}, hop: "Client VPN into vpc-1", ok: true, says: "cvpn-1"},
		"Client VPN with another resolver":           {facts: privatenotebooks.Facts{VPNs: []privatenotebooks.VPN{{ID: "cvpn-1", VPC: "vpc-1", DNS: []string{"1.1.1.1"}}}}, hop: "Client VPN into vpc-1", says: "make it their DNS server"},
		"Client VPN without a resolver":              {facts: privatenotebooks.Facts{VPNs: []privatenotebooks.VPN{{ID: "cvpn-1", VPC: "vpc-1"}}}, hop: "Client VPN into vpc-1", says: "10.60.0.2"},
		"on premises with an inbound resolver":       {facts: privatenotebooks.Facts{Resolvers: resolver}, hop: "Direct Connect or site VPN into vpc-1", ok: true, says: "rslvr-in-1"},
		"on premises without an inbound resolver":    {hop: "Direct Connect or site VPN into vpc-1", says: "no inbound endpoint"},
		"on premises, and no range":                  {change: func(in *workflow.VerifyPrivateNotebooksInput) { in.Placed[0].Want.Callers = nil }, hop: "Direct Connect or site VPN into vpc-1", ok: true, says: "private-access-cidrs"},
		"the internet gives nothing":                 {facts: privatenotebooks.Facts{Identities: []iampolicy.Identity{role("scientist", good)}}, hop: "the internet", ok: true, says: "nobody"},
		"a tagged role has more":                     {facts: privatenotebooks.Facts{Identities: []iampolicy.Identity{role("scientist", good, full)}}, hop: "the internet", says: "role scientist by p2"},
		"the console of a tagged role that has more": {facts: privatenotebooks.Facts{Identities: []iampolicy.Identity{role("scientist", full)}}, hop: "the AWS console", says: "internet"},
		"somebody has full rights":                   {facts: privatenotebooks.Facts{Identities: []iampolicy.Identity{role("scientist", good), role("admin", full)}}, hop: "roles with full rights", says: "role admin by p1"},
		"nobody has full rights":                     {facts: privatenotebooks.Facts{Identities: []iampolicy.Identity{role("scientist", good)}}, hop: "roles with full rights", ok: true, says: "nobody"},
		"full rights behind a deny":                  {facts: privatenotebooks.Facts{Identities: []iampolicy.Identity{role("admin", full, fence)}}, hop: "roles with full rights", ok: true, says: "nobody"},
		"a notebook with its own way out":            {facts: privatenotebooks.Facts{Notebooks: []privatenotebooks.Instance{{Name: "lab", DirectInternet: true}}}, hop: "notebooks", ok: true, says: "lab"},
	} {
		t.Run(name, func(t *testing.T) {
			in := base()
			if c.change != nil {
				c.change(&in)
			}
			for _, h := range privatenotebooks.Verdict(in, c.facts) {
				if h.Hop == c.hop {
					if h.OK != c.ok || !strings.Contains(h.Detail, c.says) {
						t.Errorf("%s: %t %q, want %t and %q", h.Hop, h.OK, h.Detail, c.ok, c.says)
					}
					return
				}
			}
			t.Errorf("the verdict has no line %s", c.hop)
		})
	}
}
