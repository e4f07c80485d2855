package firewall

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/participant"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Open makes one side's security groups let the connection's traffic through: its databases admit the peer's clients, its clients reach the peer's
// databases. by is the execution that it is done for.
//
// The owner of a VPC sees the groups of its participants, too: who they are is noted in the connection's entry, and each opens its own on a side
// of its own.
//
// A group that is full keeps no other from being opened: a hop says so, and the paths through it fail. What another rule serves in place of by now, as one
// of the whole VPC, is noted in the ledger: the next look takes it back.
func Open(ctx context.Context, ec2api client, l ledger.Ledger, by, connection string, side workflow.Side) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	if len(side.AllowedDatabases) == 0 && len(side.Services) == 0 { // all is as the inspection saw it
		if side.Consumer {
			if err := note(ctx, l, connection, side, side.Apart); err != nil {
				return out, err
			}
		}
		return out, noted(ctx, l, connection, side, side.Participants)
	}
	o := opening{Ledger: l, ec2api: ec2api, by: by, connection: connection, side: side, known: map[string]bool{}}
	if err := o.begin(ctx); err != nil {
		return out, err
	}
	for _, db := range side.AllowedDatabases {
		if db.Withheld != nil {
			o.unserved = append(o.unserved, db)
			continue
		}
		hop, err := o.openIngress(ctx, db)
		if err != nil {
			return out, fmt.Errorf("opening %s to %s: %w", db.Database, side.Peer.ID, err)
		}
		out.Hops = append(out.Hops, hop)
	}
	egress, err := o.openEgress(ctx)
	if err != nil {
		return out, fmt.Errorf("letting clients of %s out to %s: %w", side.VPC.ID, side.Peer.ID, err)
	}
	out.Hops = append(out.Hops, egress...)
	if err := fault.Join(o.failed...); err != nil {
		return out, fmt.Errorf("opening %s to %s: %w", side.VPC.ID, side.Peer.ID, err)
	}
	if len(o.overruled) > 0 {
		out.Hops = append(out.Hops, workflow.Hop{Hop: workflow.ReachHop + Of(side), OK: true, Detail: NotKept(o.overruled, side.Overruled)})
	}
	out.Groups, out.At = Left(o.groups, side), o.at
	return out, o.spare(ctx)
}

// begin takes the groups as the inspection saw them, and reads them where it saw none, as of a side with databases.
func (o *opening) begin(ctx context.Context) error {
	if len(o.side.AllowedDatabases) > 0 || len(o.side.Groups) == 0 {
		return o.read(ctx)
	}
	o.groups, o.others, o.at, o.handed = fromJudged(o.side.Groups, o.side), map[string]string{}, o.side.GroupsAt, true
	return o.noted(ctx, o.side.Owners)
}

// read reads the groups.
func (o *opening) read(ctx context.Context) error {
	at := o.Now().UTC()
	groups, err := ReadGroups(ctx, o.ec2api, o.side.VPC.ID)
	if err != nil {
		return err
	}
	o.groups, o.others = apart(groups, o.side.VPC.Account)
	o.overruled = overrule(o.groups, o.side)
	o.at, o.handed = at, false
	return o.noted(ctx, slices.Collect(maps.Values(o.others)))
}

// noted notes who takes part, by the owners of the groups, and which groups their owner keeps out.
func (o *opening) noted(ctx context.Context, owners []string) error {
	seen := within(kept(o.groups), o.side)
	if err := note(ctx, o.Ledger, o.connection, o.side, seen); err != nil {
		return err
	}
	o.side.Noted = seen
	return noted(ctx, o.Ledger, o.connection, o.side, participant.Among(owners, o.side.VPC.Account))
}

// openIngress opens a database to its callers.
func (o *opening) openIngress(ctx context.Context, db workflow.AllowedDatabase) (workflow.Hop, error) {
	hop := workflow.Hop{Hop: "security group of " + db.Database}
	own, calls := o.own(db.Groups), o.side.Callers
	may := without(own, kept(o.groups))
	switch {
	case len(db.Groups) == 0:
		hop.Detail = "the database has no VPC security group"
		return hop, nil
	case len(own) == 0:
		hop.Detail = fmt.Sprintf("%s belongs to account %s and is only shared with %s: give the database a group of its own account as well",
			db.Groups[0], o.others[db.Groups[0]], o.side.VPC.Account)
		return hop, nil
	case len(may) == 0:
		o.unserved = append(o.unserved, db)
		hop.Detail = KeptOut(own)
		return hop, nil
	case len(calls.CIDRs)+len(calls.Groups) == 0:
		hop.OK, hop.Detail = true, fmt.Sprintf("nothing in %s calls databases so far: nothing has to be opened", o.side.Peer.ID)
		return hop, nil
	case len(calls.CIDRs) > 0 && len(db.Family(calls.CIDRs)) == 0:
		hop.Detail = fmt.Sprintf("the database has IPv4 addresses only, and nothing of %s that comes here has one", o.side.Peer.ID)
		return hop, nil
	}
	db.Groups = own
	group, together := slices.Min(may), map[string][]string{}
	for _, g := range own {
		together[g] = own
	}
	wanted := WantedIngress(db, group, o.side)
	if err := o.look(ctx, wanted, together); err != nil {
		return hop, err
	}
	if err := o.readLists(ctx, wanted, false, together); err != nil {
		return hop, err
	}
	if lacks := Plan(o.connection, wanted, false, o.listed(), together, o.items); len(lacks.Add) > 0 {
		uses, err := o.interfaces(ctx)
		if err != nil {
			return hop, err
		}
		var why string
		if group, why = Choose(db, o.side, o.listed(), uses); group == "" {
			o.unserved = append(o.unserved, db)
			hop.Detail = why
			if o.lets(own, calling(db, o.side)) {
				hop.Detail += "; what lets in all of them stays until then"
			}
			return hop, nil
		}
		wanted = WantedIngress(db, group, o.side)
	} else if there := o.standing(db, may); there != "" {
		group, wanted = there, WantedIngress(db, there, o.side)
	}
	o.wanted = append(o.wanted, wanted...)
	done, err := o.open(ctx, wanted, false, together)
	if err != nil {
		return hop, err
	}
	if hop.OK = len(done.Contested) == 0; !hop.OK {
		hop.Detail = contested(done.Contested)
		return hop, nil
	}
	if why := done.Full[group]; why != nil {
		o.unserved = append(o.unserved, db)
		hop.OK, hop.Detail = false, why.Error()
		return hop, nil
	}
	state := "was open"
	if len(done.Add) > 0 {
		state = "opened"
	}
	hop.Detail = fmt.Sprintf("%s %s: TCP %d from %s", group, state, db.Port, sources(wanted))
	return hop, nil
}

// standing returns the group of a database's own in which alone everything stands that is wanted, and "" if it takes several.
func (o *opening) standing(db workflow.AllowedDatabase, own []string) string {
	for _, g := range slices.Sorted(slices.Values(own)) {
		if lacks := Plan(o.connection, WantedIngress(db, g, o.side), false, o.listed(), map[string][]string{g: {g}}, o.items); len(lacks.Add) == 0 {
			return g
		}
	}
	return ""
}

// interfaces returns what has the groups of this side's databases. It is read once, and only if something is to be opened.
func (o *opening) interfaces(ctx context.Context) ([]Interface, error) {
	if o.uses != nil {
		return *o.uses, nil
	}
	var groups []string
	for _, db := range o.side.AllowedDatabases {
		groups = append(groups, o.own(db.Groups)...)
	}
	uses, err := readInterfaces(ctx, o.ec2api, groups)
	if err == nil {
		o.uses = &uses
	}
	return uses, err
}

// lets reports whether the groups of a database let traffic in as they are, by whosever rules.
func (o *opening) lets(own []string, t network.Traffic) bool {
	var rules []Rule
	for _, g := range o.listed() {
		if slices.Contains(own, g.ID) {
			rules = append(rules, g.Ingress...)
		}
	}
	return admit(rules, t)
}

// openEgress lets this side's clients out to the peer's databases.
func (o *opening) openEgress(ctx context.Context) ([]workflow.Hop, error) {
	side := o.side
	if len(side.Services) == 0 {
		return nil, nil
	}
	wanted, together, count := o.egress()
	if o.handed { // the plan may rest on what was read earlier as long as it changes nothing
		if err := o.look(ctx, wanted, together); err != nil {
			return nil, err
		}
		if err := o.readLists(ctx, wanted, true, together); err != nil {
			return nil, err
		}
		if len(Plan(o.connection, wanted, true, o.listed(), together, o.items).Add) > 0 {
			if err := o.read(ctx); err != nil {
				return nil, err
			}
			wanted, together, count = o.egress()
		}
	}
	o.wanted = append(o.wanted, wanted...)
	done, err := o.open(ctx, wanted, true, together)
	if err != nil {
		return nil, err
	}
	hop := workflow.Hop{Hop: "egress " + Of(side), OK: len(done.Contested) == 0, Detail: fmt.Sprintf("%s, TCP %s, %s added", fit.Count(count, "client"), join(side.Ports), fit.Count(len(done.Add), "rule")) + side.Overlooked}
	if !hop.OK {
		hop.Detail += "; " + contested(done.Contested)
	}
	hops := []workflow.Hop{hop}
	for _, group := range slices.Sorted(maps.Keys(done.Full)) {
		hops = append(hops, workflow.Hop{Hop: "egress " + group, Detail: done.Full[group].Error()})
	}
	return hops, nil
}

// egress returns what this side's clients that are served need of their groups, see [WantedEgress], and how many clients these are.
func (o *opening) egress() (wanted []Wanted, together map[string][]string, count int) {
	side := o.side
	side.Clients = slices.DeleteFunc(slices.Clone(side.Clients), func(c workflow.Client) bool { return c.Withheld != nil })
	for n, c := range side.Clients {
		side.Clients[n].Groups = o.own(c.Groups)
		count += c.Count
	}
	wanted, together = WantedEgress(side, o.groups)
	return wanted, together, count
}

// spare notes which of this side's rules another serves in place of: once all that is wanted is there.
func (o *opening) spare(ctx context.Context) error {
	if o.contested || o.full {
		return nil
	}
	var groups []string // in any other, a rule serves nothing
	for _, c := range o.side.Clients {
		groups = append(groups, o.own(c.Groups)...)
	}
	for _, db := range o.side.AllowedDatabases {
		groups = append(groups, o.own(db.Groups)...)
	}
	if err := o.lookAt(ctx, groups); err != nil {
		return err
	}
	spare, needed := Spares(o.connection, o.side, o.wanted, o.unserved, o.items)
	without := func(ids []string) []string {
		return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == o.connection })
	}
	if _, err := o.MarkAll(ctx, spare, func(i *ledger.Item) { i.Spare = append(without(i.Spare), o.connection) }); err != nil {
		return err
	}
	_, err := o.MarkAll(ctx, needed, func(i *ledger.Item) { i.Spare = without(i.Spare) })
	return err
}

// contested says of which rules others take care.
func contested(items []ledger.Item) string {
	i := items[0]
	return fmt.Sprintf("%s of %s %s", i.Key, i.Resource, contest.How(i))
}

// sources says from where rules let in.
func sources(wanted []Wanted) string {
	var out []string
	for _, w := range wanted {
		from := w.Rule.peer()
		if w.Account != "" {
			from += " of " + w.Account
		}
		out = append(out, from)
	}
	return few(out)
}

func join(ports []int) string {
	var out []string
	for _, p := range ports {
		out = append(out, fmt.Sprint(p))
	}
	return strings.Join(out, ", ")
}
