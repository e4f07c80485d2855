package why

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// A rule in a group that another database has opens that one too: the mend takes another group, or says so.
func TestAMendSaysWhatElseItOpens(t *testing.T) {
	q := s1()
	q.World.VPCs[1].Groups[0].Ingress = nil
	q.Alternates = map[string][]string{databaseGroup: {"hr"}}
	mend := code(Judge(q), "database-group").Mends[0]
	if !strings.Contains(mend.What, "opens hr too") || !strings.Contains(mend.What, "give sales one of its own") {
		t.Errorf("it says %q", mend.What)
	}

	own := q.World.VPCs[1].Groups[0]
	own.ID = "sg-0c0cc0cc0cc0cc0cc"
	q.World.VPCs[1].Groups = append(q.World.VPCs[1].Groups, own)
	q.Database.Groups = append(q.Database.Groups, own.ID)
	mend = code(Judge(q), "database-group").Mends[0]
	if strings.Contains(mend.What, "hr") || !slices.Contains(mend.Command, own.ID) {
		t.Errorf("it says %q: %v", mend.What, mend.Command)
	}
}

func TestWhatARuleOpensBesides(t *testing.T) {
	one := func(id, share, member string, port int, groups ...string) database.Database {
		d := database.Database{ID: id, ARN: "arn:aws:rds:us-east-1:222222222222:db:" + id, Port: port, Groups: groups, Member: member, Tags: map[string]string{}}
		if share != "" {
			d.Tags[tag.Share] = share
		}
		return d
	}
	sales := one("sales", "true", "", 3306, "sg-1", "sg-2")
	cluster := one("orders", "", "", 3306, "sg-3")
	cluster.ARN = "arn:aws:rds:us-east-1:222222222222:cluster:orders"
	others := []database.Database{sales, one("hr", "", "", 3306, "sg-1"), one("shared", "111111111111", "", 3306, "sg-1"), one("theirs", "333333333333", "", 3306, "sg-2"),
		one("port", "", "", 5432, "sg-1"), one("apart", "", "", 3306, "sg-9"), cluster, one("orders-1", "", "orders", 3306, "sg-3")}
	got := beside(sales, 3306, others, "111111111111")
	if len(got) != 2 || !slices.Equal(got["sg-1"], []string{"hr"}) || !slices.Equal(got["sg-2"], []string{"theirs"}) {
		t.Errorf("%v", got)
	}
	if got := beside(cluster, 3306, others, "111111111111"); len(got) != 0 {
		t.Errorf("a cluster's own instance: %v", got)
	}
}
