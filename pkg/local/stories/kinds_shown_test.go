package stories

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// kindsShown says of each kind of client and of database, over each road of the network, which story plays it to a verdict by path, or which test of a package
// judges it ("pkg/…: Test…"), or why that cannot be ("no: …"). What is alike over two roads is read, chosen and judged by one function: the story of the other
// road shows that, with a kind of its own.
var kindsShown = map[string]map[string]string{
	"notebook that runs":                    {overPeering: "notebook-running", overGateway: "s5-gateway", inShared: "shared-vpc-notebook"},
	"notebook that is stopped":              {overPeering: "notebook-stopped", overGateway: "transit", inShared: "shared-vpc"},
	"Studio domain, its profiles":           {overPeering: "profile-groups", overGateway: "reach-gateway", inShared: "pkg/survey: TestAParticipantIsASideOfItsOwn"},
	"function":                              {overPeering: "acl-clients", overGateway: "s5-gateway", inShared: "pkg/survey: TestAParticipantIsASideOfItsOwn"},
	"subnet that is marked":                 {overPeering: "clients-marked", overGateway: "reach-gateway", inShared: "no: a subnet is marked by the VPC's owner alone, as a table is"},
	"group that is marked":                  {overPeering: "clients-marked", overGateway: "pkg/connection: TestReachableIsWhatWasAndWhatIsAllowed", inShared: "pkg/survey: TestAParticipantIsASideOfItsOwn"},
	"RDS instance":                          {overPeering: "s1-peering", overGateway: "transit", inShared: "shared-vpc"},
	"Aurora or Multi-AZ cluster":            {overPeering: "kind-cluster", overGateway: "pkg/survey: TestTheInstancesOfAClusterAreNotBesideIt", inShared: "pkg/database: TestClustersWithoutAnyInstance"},
	"proxy, and its endpoints":              {overPeering: "kind-proxy", overGateway: "pkg/database: TestEndpointsOfProxies", inShared: "pkg/database: TestEndpointsOfProxies"},
	"Redshift cluster":                      {overPeering: "change-warehouse", overGateway: "pkg/database: TestManagedEndpointsOfRedshift", inShared: "pkg/database: TestManagedEndpointsOfRedshift"},
	"Redshift-managed endpoint":             {overPeering: "kind-endpoint", overGateway: "pkg/database: TestManagedEndpointsOfRedshift", inShared: "pkg/database: TestManagedEndpointsOfRedshift"},
	"workgroup":                             {overPeering: "kind-workgroup", overGateway: "pkg/database: TestWorkgroups", inShared: "pkg/database: TestWorkgroups"},
	"Oracle's TLS port":                     {overPeering: "kind-ports", overGateway: "pkg/database: TestEveryPortOfAnInstance", inShared: "pkg/database: TestEveryPortOfAnInstance"},
	"what is tagged and not served":         {overPeering: "kind-not-served", overGateway: "pkg/survey: TestBesideAreThoseWithTheGroupAndThePort", inShared: "pkg/survey: TestBesideAreThoseWithTheGroupAndThePort"},
	"subnet with IPv6":                      {overPeering: "pkg/network: TestIPv6", overGateway: "pkg/network: TestIPv6", inShared: "pkg/network: TestIPv6"},
	"subnet in a Local Zone, on an Outpost": {overPeering: "pkg/network: TestJudge", overGateway: "pkg/network: TestJudge", inShared: "pkg/network: TestJudge"},
}

// Every kind is shown over every road of the network, by a story or a test that exists.
func TestEveryKindIsShownOverEveryRoad(t *testing.T) {
	var stories []string
	for _, s := range library() {
		stories = append(stories, s.name)
	}
	for kind, over := range kindsShown {
		for _, road := range []string{overPeering, overGateway, inShared} {
			by := over[road]
			pkg, name, test := strings.Cut(by, ": ")
			switch {
			case by == "":
				t.Errorf("%s, over %s: nothing shows it", kind, road)
			case test && pkg == "no":
			case test && !declared(t, pkg, name):
				t.Errorf("%s, over %s: %s has no %s", kind, road, pkg, name)
			case !test && !slices.Contains(stories, by):
				t.Errorf("%s, over %s: there is no story %s", kind, road, by)
			}
		}
	}
}

// declared reports whether a package of this module has a test.
func declared(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", pkg, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no tests: %v", pkg, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
