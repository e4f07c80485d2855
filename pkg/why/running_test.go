package why

import (
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

func TestADatabaseThatDoesNotRun(t *testing.T) {
	for _, c := range []struct {
		about         string
		kind          tag.Kind
		running       Running
		answer, after string
		says, command string
	}{
		{"an instance that is stopped", tag.DBInstance, Running{Status: "stopped"}, "no", "yes", "sales is stopped", "aws rds start-db-instance --db-instance-identifier sales --region us-east-1"},
		{"an instance of a cluster that is stopped", tag.DBInstance, Running{Status: "stopped", Cluster: "orders"}, "no", "yes", "the cluster orders is stopped", "aws rds start-db-cluster --db-cluster-identifier orders --region us-east-1"},
		{"a Redshift cluster that is paused", tag.RedshiftCluster, Running{Status: "paused"}, "no", "yes", "sales is paused", "aws redshift resume-cluster --cluster-identifier sales --region us-east-1"},
		{"a cluster without an instance", tag.DBCluster, Running{Status: "available", Cluster: "sales", Empty: true}, "no", "", "without an instance", ""},
		{"what no command mends", tag.DBInstance, Running{Status: "inaccessible-encryption-credentials"}, "no", "", "sales is inaccessible-encryption-credentials", ""},
		{"what ends by itself", tag.DBInstance, Running{Status: "starting"}, "unknown", "", "sales is starting", ""},
		{"what runs, and is worked on", tag.DBInstance, Running{Status: "backing-up"}, "yes", "", "every hop holds", ""},
		{"a workgroup, in its service's words", tag.Workgroup, Running{Status: "AVAILABLE"}, "yes", "", "every hop holds", ""},
		{"what nobody knows", "", Running{}, "yes", "", "every hop holds", ""},
	} {
		q := s1()
		q.Running, q.Share.Thing.Kind = c.running, c.kind
		a := Judge(q)
		if a.Answer != c.answer || a.After != c.after || !strings.Contains(a.Line, c.says) {
			t.Errorf("%s: %s, then %q: %s", c.about, a.Answer, a.After, a.Line)
		}
		h := a.Hops[0]
		if (h.Code == "database-state") != (c.answer != "yes") {
			t.Errorf("%s: the first hop is %+v", c.about, h)
			continue
		}
		if c.command == "" {
			if len(h.Mends) > 0 || c.answer != "yes" && h.Remedy == "" {
				t.Errorf("%s: %+v", c.about, h)
			}
		} else if len(h.Mends) != 1 || strings.Join(h.Mends[0].Command, " ") != c.command || len(h.Mends[0].Then) != 1 {
			t.Errorf("%s: %+v", c.about, h.Mends)
		}
	}
}

// What else is broken is said after it, and counts for what the answer would be: a database that no command starts stays in the way.
func TestADatabaseThatDoesNotRunBesideSomethingElse(t *testing.T) {
	for kind, want := range map[tag.Kind]string{tag.DBInstance: "yes", tag.DBProxy: "no"} {
		q := s1()
		q.World.VPCs[0].Tables[0].Routes = without(q.World.VPCs[0].Tables[0].Routes, peeringID)
		q.Running, q.Share.Thing.Kind = Running{Status: "stopped"}, kind
		if a := Judge(q); a.Answer != "no" || a.Hops[0].Code != "database-state" || len(code(a, "route-there").Mends) == 0 || a.After != want {
			t.Errorf("%s: then %q: %+v", kind, a.After, a.Hops)
		}
	}
}
