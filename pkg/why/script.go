package why

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

// Script is the on-start script of a notebook with direct internet access: what sets its host routes at each start.
type Script struct {
	Config  string // the lifecycle configuration; empty if the notebook has none
	Running bool   // the notebook runs
	Stale   bool   // it was changed since the notebook started, so that nothing of it counts yet
	// Routes are the host routes that it sets.
	Routes []netip.Prefix
	Unfit  string // why no shell runs it, and so nobody can add to it
	Remedy string // what its owner does about that
	Mended string // the script without that, in base64; empty if only its owner can mend it
}

// judged is the hop of a host route, as the script explains it: one that did not run yet may hold after the next start. With one that no shell runs the
// notebook does not start again, so routes that were set by hand are not enough.
func (s Script) judged(h network.Hop, byHand bool) network.Hop {
	fails := h.Answer == network.No
	switch {
	case s.Unfit != "" && (fails || byHand):
		h.Answer, h.Detail, h.Remedy = network.No, s.Unfit+"; "+h.Detail, s.Remedy
	case s.Stale && fails:
		h = network.Hop{Hop: h.Hop, Detail: "the on-start script was changed since the notebook started, and counts from its next start; until then " + h.Detail, Remedy: "stop and start the notebook"}
	}
	return h
}

// hosted sets the host routes of a notebook, for what its system does not send into its VPC by itself: by its script, if that has them or Drawbridge writes
// them there, else by hand as long as it runs. The router of a subnet has its first address but one.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
func (q Question) hosted(client, db side) []Change {
	own := client.cidrs()
	if q.Client.Host == nil || len(own) == 0 || q.Client.Host.Unread != "" { // a script that sets routes of its own is its owner's
		return nil
	}
	subnet, _ := client.network().Subnet(client.subnets[0])
	router := netip.Addr{}
	for _, c := range subnet.CIDRs {
		if c.Addr().Is4() {
			router = c.Masked().Addr().Next()
		}
	}
	var out []Change
	after := q
	if q.Script.Unfit != "" {
		if q.Script.Mended == "" {
			return nil
		}
		out = append(out, q.saved())
		after = q.with(out)
	}
	if s := after.Script; s.Stale && s.Running && (q.over.handled() || len(lacks(client, s.Routes, db)) == 0) {
		return append(out, after.restarted(lacks(client, after.Client.Host.Routes, db), router))
	}
	if after.Client.Host.Unread != "" {
		return out
	}
	for _, d := range lacks(client, after.Client.Host.Routes, db) {
		out = append(out, Change{Account: client.Account, What: "set a host route until the notebook stops; Drawbridge's on-start script sets it at each start",
			Where: "in a terminal of the notebook", Command: byHand(d, router), make: routed([]netip.Prefix{d}, "")})
	}
	return out
}

// unwritten reports whether Drawbridge has yet to write host routes into the script: it does so once a connection's routes are there, and hops before it
// do not hold.
func (q Question) unwritten(before []Hop) bool {
	client, db := q.ends()
	return q.over.handled() && q.Script.Unfit == "" && len(lacks(client, q.Script.Routes, db)) > 0 && slices.ContainsFunc(before, func(h Hop) bool { return h.Answer != "yes" })
}

// byHand is the command that sets a host route until the notebook stops.
func byHand(to netip.Prefix, router netip.Addr) []string {
	return []string{"sudo", "ip", "route", "add", to.String(), "via", router.String()}
}

// lacks is what a notebook with host routes does not send into its VPC of what is for the database.
func lacks(client side, routes []netip.Prefix, db side) []netip.Prefix {
	var has network.Table
	for _, list := range [][]netip.Prefix{client.network().CIDRs, routes} {
		for _, c := range list {
			has.Routes = append(has.Routes, network.Route{Destination: c, Target: "local"})
		}
	}
	var out []netip.Prefix
	for _, r := range lacking(has, db.cidrs(), "local") {
		out = append(out, r.destination)
	}
	return out
}

// routed makes a change that gives a notebook host routes; unread says why it is not known whether it has others.
func routed(routes []netip.Prefix, unread string) func(state) state {
	return func(s state) state {
		host := network.Host{Unread: unread}
		if s.client.Host != nil {
			host.Routes = append(host.Routes, s.client.Host.Routes...)
		}
		host.Routes = append(host.Routes, routes...)
		s.client.Host, s.script.Stale = &host, false
		return s
	}
}

// later is why it is not known what a script that Drawbridge has yet to write sets.
const later = "Drawbridge writes them there"

// saved saves the script as a shell understands it. What it did not run so far it runs from the next start.
func (q Question) saved() Change {
	s := q.Script
	return Change{Account: q.From.Account, What: fmt.Sprintf("save the on-start script of %s with LF line ends; nothing else of it changes", s.Config),
		Command: []string{"aws", "sagemaker", "update-notebook-instance-lifecycle-config", "--region", q.From.Region, "--notebook-instance-lifecycle-config-name", s.Config, "--on-start", "Content=" + s.Mended},
		make: func(s state) state {
			s.script.Unfit, s.script.Stale = "", s.script.Running
			if q.over.handled() && !s.script.Running {
				return routed(nil, later)(s)
			}
			return s
		}}
}

// restarted stops the notebook and starts it again, so that it runs its script. by are the routes that somebody who cannot stop it now sets by hand.
func (q Question) restarted(by []netip.Prefix, router netip.Addr) Change {
	name, unread := q.From.Name, ""
	call := func(words ...string) []string {
		return append(append([]string{"aws", "sagemaker"}, words...), "--region", q.From.Region, "--notebook-instance-name", name)
	}
	what := "stop it and start it again; what runs on it ends"
	for n, d := range by {
		if n == 0 {
			what += ". Who cannot do that now, in a terminal of the notebook, until it stops:"
		}
		for _, word := range byHand(d, router) {
			what += " " + word
		}
		if n < len(by)-1 {
			what += ";"
		}
	}
	if len(q.Script.Routes) == 0 {
		unread = later
	}
	return Change{Account: q.From.Account, What: what, Command: call("stop-notebook-instance"), Then: [][]string{call("wait", "notebook-instance-stopped"), call("start-notebook-instance")},
		make: routed(q.Script.Routes, unread)}
}
