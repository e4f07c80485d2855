package stories

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// asleep are the stories of databases that do not run.
var asleep = []tale{
	{
		name:  "database-stopped",
		title: "The database is stopped when the VPCs are connected",
		about: `
As in s1-peering.md, but beta's owner stopped the database to save money. Everything is made for it, and both sides read that nothing answers: a path to it is a question
mark. Nobody tells Drawbridge when it is started, so what both sides read then is from the next sweep.`,
		prepare: stopDatabase,
		acts: []act{
			request("Connected"),
			{"The owner of beta starts the database. The clock starts drawbridge-sweep.", startDatabase, []string{"Connected", "Swept"}},
		},
		then: map[int]func(context.Context, *testing.T, *scenario.World){
			1: saysStopped(true),
			2: saysStopped(false),
		},
		connected: true,
	},
}

// stopDatabase stops beta's database.
func stopDatabase(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(databases(w).StopDBInstance(ctx, &rds.StopDBInstanceInput{DBInstanceIdentifier: &w.Database.Name}))
}

// startDatabase starts beta's database, and the sweep.
func startDatabase(ctx context.Context, t *testing.T, w *scenario.World) {
	must(t)(databases(w).StartDBInstance(ctx, &rds.StartDBInstanceInput{DBInstanceIdentifier: &w.Database.Name}))
	sweepBeta(ctx, t, w)
}

// saysStopped holds a world to what both sides read on the peering: whether the database is stopped.
func saysStopped(want bool) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		opens(3306)(ctx, t, w)
		for n, tags := range peeringTags(ctx, t, w) {
			says := strings.Contains(tags["drawbridge:reason"], "is stopped so nothing answers")
			if tags["drawbridge:status"] != "Connected" || says != want {
				t.Errorf("on side %d the peering says %v", n, tags)
			}
		}
	}
}
