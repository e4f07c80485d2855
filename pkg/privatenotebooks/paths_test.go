package privatenotebooks_test

import (
	"reflect"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/iampolicy"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// From each role that has the policy leads a path to each notebook of the VPC, and says where it ends.
func TestPaths(t *testing.T) {
	parsed := func(text string) iampolicy.Document {
		t.Helper()
		d, err := iampolicy.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	good, fence := parsed(document("vpce-1", "vpce-2")), parsed(`{"Statement":{"Effect":"Deny","Action":"sagemaker:Create*","Resource":"*"}}`)
	role := func(name string, all ...iampolicy.Document) iampolicy.Identity {
		out := iampolicy.Identity{Kind: "role", Name: name}
		for _, d := range all {
			out.Policies = append(out.Policies, iampolicy.Policy{Name: "p", Document: d})
		}
		return out
	}
	in := func(ok bool) (workflow.VerifyPrivateNotebooksInput, workflow.PlaceEndpointsOutput) {
		p := workflow.PlaceEndpointsOutput{Want: workflow.EndpointWant{VPC: "vpc-1"}, Hops: []workflow.Hop{{Hop: "endpoint api", OK: ok, Detail: "closed"}},
			Endpoints: []workflow.PlacedEndpoint{{ID: "vpce-1"}, {ID: "vpce-2"}}}
		return workflow.VerifyPrivateNotebooksInput{Account: account, Region: region, Placed: []workflow.PlaceEndpointsOutput{p},
			Granted: workflow.GrantNotebookAccessOutput{Endpoints: []string{"vpce-1", "vpce-2"}, Roles: []string{"scientist", "student"}}}, p
	}
	facts := privatenotebooks.Facts{Identities: []iampolicy.Identity{role("scientist", good), role("student", good, fence), role("admin")},
		Notebooks: []privatenotebooks.Instance{{Name: "research", VPC: "vpc-1"}, {Name: "lab", VPC: "vpc-1"}, {Name: "elsewhere", VPC: "vpc-2"}}}
	for name, c := range map[string]struct {
		serves bool
		facts  privatenotebooks.Facts
		want   map[string]string // where each path ends; "" if it is whole
		whole  int
	}{
		"served": {true, facts, map[string]string{"role scientist → lab": "", "role scientist → research": "", "role student → lab": "policy drawbridge-private-notebooks", "role student → research": "policy drawbridge-private-notebooks"}, 2},
		"closed": {false, facts, map[string]string{"role scientist → lab": "endpoint api", "role scientist → research": "endpoint api", "role student → lab": "endpoint api", "role student → research": "endpoint api"}, 0},
		"a VPC without a notebook": {true, privatenotebooks.Facts{Identities: facts.Identities, Notebooks: facts.Notebooks[2:]},
			map[string]string{"role scientist → any notebook": "", "role student → any notebook": "policy drawbridge-private-notebooks"}, 1},
	} {
		all, p := in(c.serves)
		paths := privatenotebooks.Paths(all, p, c.facts)
		got := map[string]string{}
		for _, l := range paths.Lines {
			if l.Client.Network != account || l.Database.Network != "vpc-1" || (l.Answer == "yes") != (l.Hop == "") {
				t.Errorf("%s: %+v", name, l)
			}
			got[l.Client.Name+" → "+l.Database.Name] = l.Hop
		}
		if !reflect.DeepEqual(got, c.want) || paths.Whole != c.whole || paths.All != len(c.want) {
			t.Errorf("%s: %v, %d of %d whole, want %v, %d", name, got, paths.Whole, paths.All, c.want, c.whole)
		}
	}
}
