package why

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/verdict"
)

// Running is what a database's service says of whether it runs.
type Running struct {
	Status string // AWS's word; empty if it is not known
	// Cluster is the cluster of RDS that the database is, or is an instance of: it is stopped and started as a whole.
	Cluster string
	// Empty says that it is a cluster without an instance.
	Empty bool
}

// running returns the hop that says that the database does not run; nil if it does, or if nobody knows. What may be is none of the network's, and is asked first.
func (q Question) running() *Hop {
	r := q.Running
	status := strings.ToLower(r.Status)
	h := &Hop{Code: "database-state", Answer: "no", Whose: q.To.Account}
	at := func(words ...string) []string { return append(words, "--region", q.To.Region) }
	start := func(what string, commands ...[]string) {
		h.Mends = []Change{{Account: q.To.Account, What: what + "; it takes minutes, and costs again", Command: commands[0], Then: commands[1:], make: func(s state) state { return s }}}
	}
	switch {
	case r.Empty:
		h.Detail, h.Remedy = verdict.Silence(q.To.Name, "a cluster without an instance"), "create an instance in it"
	case status == "stopped" && r.Cluster != "":
		h.Detail = verdict.Silence("the cluster "+r.Cluster, status)
		start("start it", at("aws", "rds", "start-db-cluster", "--db-cluster-identifier", r.Cluster), at("aws", "rds", "wait", "db-cluster-available", "--db-cluster-identifier", r.Cluster))
	case status == "stopped" && q.Share.Thing.Kind == tag.DBInstance:
		h.Detail = verdict.Silence(q.To.Name, status)
		start("start it", at("aws", "rds", "start-db-instance", "--db-instance-identifier", q.To.Name), at("aws", "rds", "wait", "db-instance-available", "--db-instance-identifier", q.To.Name))
	case status == "paused" && q.Share.Thing.Kind == tag.RedshiftCluster:
		h.Detail = verdict.Silence(q.To.Name, status)
		start("resume it", at("aws", "redshift", "resume-cluster", "--cluster-identifier", q.To.Name), at("aws", "redshift", "wait", "cluster-available", "--cluster-identifier", q.To.Name))
	case database.Down(status):
		h.Detail, h.Remedy = verdict.Silence(q.To.Name, status), "look at its events in the console: they say why, and what to do"
	case database.Passing(status):
		h.Answer, h.Detail, h.Remedy = "unknown", fmt.Sprintf("%s is %s, and may not answer until that is over", q.To.Name, status), "ask again in some minutes"
	default:
		return nil
	}
	return h
}

// first puts the hop that says that the database does not run before all others, and what the answer would be once all is done in the light of it.
func (h Hop) first(a Answer) Answer {
	rest := a.After
	if rest == "" {
		rest = "yes"
		for _, one := range a.Hops {
			switch {
			case one.Answer == "no":
				rest = "no"
			case one.Answer == "unknown" && rest == "yes":
				rest = "unknown"
			}
		}
	}
	a.Hops = slices.Insert(a.Hops, 0, h)
	switch {
	case len(h.Mends) > 0:
		a.After = rest
	case a.After != "":
		a.After = h.Answer
	}
	return a
}
