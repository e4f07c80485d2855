package studio

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Redshift is what [Inspector] needs of Redshift.
type Redshift interface {
	DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error)
}

// DomainReader reads Studio domains and who works in them.
type DomainReader interface {
	ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error)
	DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error)
	ListUserProfiles(context.Context, *sagemaker.ListUserProfilesInput, ...func(*sagemaker.Options)) (*sagemaker.ListUserProfilesOutput, error)
	DescribeUserProfile(context.Context, *sagemaker.DescribeUserProfileInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error)
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	Redshift Redshift
	Roles    RoleReader
	Domains  DomainReader
}

// Inspector answers what a cluster's readers need next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Policy returns the policy in force, or the one whose text is known, and its text.
	Policy func(ctx context.Context, known string) (*policy.Set, string, error)
	// Book says what is Drawbridge's, and which clusters named an account: where to look when a role changes. Looks is how.
	Book  Book
	Looks look.Asker
	// Bus is where a refusal is announced.
	Bus notice.Bus
	// Brake is asked before something is taken away.
	Brake brake.Asker
}

// The answers of InspectStudio.
const (
	AnswerAdmit    = "admit"
	AnswerRetract  = "retract"
	AnswerAnnounce = "announce"
	AnswerRefuse   = "refuse"
	AnswerNothing  = "nothing"
)

// Inspect reads the event and the cluster that it names, and the Studio domains of each account that the cluster names, each in its own
// account, asks the policy for each execution role that is open to Drawbridge, and answers. It changes nothing but the ledger's entry of the
// cluster, which begins with the owner's tag.
//
// An event about roles or a domain names no cluster. For each cluster that the ledger has for the account, or for the domain, it asks for a
// look.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectStudioInput) (workflow.InspectStudioOutput, error) {
	out := workflow.InspectStudioOutput{Roles: []workflow.ExecutionRole{}, Leaving: []workflow.ExecutionRole{}, Domains: []workflow.Domain{},
		Unfit: []workflow.Hop{}, Warehouse: workflow.Warehouse{Groups: []string{}}}
	e, err := event.Parse(in.Event)
	if err != nil {
		return out, err
	}
	switch {
	case e.Cluster != "":
		err = i.warehouse(ctx, in.Execution, e, &out)
	case e.Workgroup != "":
		err = i.workgroup(ctx, e, &out)
	case e.Roles:
		err = i.roles(ctx, e, &out)
	case e.Kind == event.Studio:
		err = i.domain(ctx, e, &out)
	default:
		out.Answer, out.Reason = AnswerNothing, e.Why
		if e.Why == "" {
			out.Reason = fmt.Sprintf("an event about a %s is not for this machine", e.Kind)
		}
	}
	switch out.Answer {
	case AnswerNothing:
		out.Result = workflow.Nothing
	case AnswerRefuse:
		out.Result = workflow.RefusedByPolicy
		if err == nil {
			w := out.Warehouse
			err = i.Bus.Put(ctx, notice.Access(notice.Thing{Execution: in.Execution, Machine: machine, Result: out.Result, Reason: out.Reason,
				Resource: notice.Resource{Account: w.Account, Region: w.Region, ID: w.ARN}}, out.Decision, nil))
		}
	case AnswerAnnounce:
		out.Result = workflow.Announced
	}
	slog.InfoContext(ctx, "inspected", "cluster", out.Warehouse.ARN, "answer", out.Answer, "reason", out.Reason, "roles", len(out.Roles), "leaving", len(out.Leaving))
	return out, err
}

// roles asks for a look at each cluster that may be concerned when a role of the account is opened or closed, or somebody
// gets another role: those that the ledger lists for the account.
func (i Inspector) roles(ctx context.Context, e event.Event, out *workflow.InspectStudioOutput) error {
	all, err := i.Book.Connections(ctx, e.Account, i.Book.Home)
	if err != nil {
		return fmt.Errorf("asking the ledger for the clusters that %s may read: %w", e.Account, err)
	}
	var ids []string
	for _, c := range all {
		if c.Kind == Kind && slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.Role == consumerSide && s.Account == e.Account }) {
			ids = append(ids, c.ID)
		}
	}
	out.Answer, out.Reason = AnswerNothing, "no Redshift cluster names "+e.Account
	return i.announce(ctx, e, ids, out)
}

// domain asks for a look at each cluster that waits for a Studio domain: some app of it was deleted, or its owner opened or closed it to
// Drawbridge.
func (i Inspector) domain(ctx context.Context, e event.Event, out *workflow.InspectStudioOutput) error {
	items, err := i.Book.Of(ctx, e.Account, e.Region, e.DomainID)
	if err != nil {
		return fmt.Errorf("asking the ledger about the Studio domain %s in %s: %w", e.DomainID, e.Account, err)
	}
	out.Answer, out.Reason = AnswerNothing, fmt.Sprintf("nobody in %s waits to read a cluster by Drawbridge", e.DomainID)
	var ids []string
	for _, item := range items {
		if e.Name == appDeleted && item.State == ledger.Confirmed {
			continue // nothing waits for its apps
		}
		ids = append(ids, item.Needed...)
		if item.For != "" {
			ids = append(ids, item.For)
		}
	}
	return i.announce(ctx, e, ids, out)
}

// appDeleted is the call after which a domain's setting may follow.
const appDeleted = "DeleteApp"

// announce asks for a look at each of these clusters, if there are any.
func (i Inspector) announce(ctx context.Context, e event.Event, ids []string, out *workflow.InspectStudioOutput) error {
	slices.Sort(ids)
	var looks []look.Look
	for _, id := range slices.Compact(ids) {
		a, name, ok := arn.Match(id, "redshift", "cluster:")
		if !ok {
			return fault.New(fault.Invalid, "the ledger has a connection %q that is no Redshift cluster", id)
		}
		looks = append(looks, event.StudioInspection{Account: a.AccountID, Region: a.Region, Cluster: name, Reason: fmt.Sprintf("%s in %s", e.Name, e.Account)})
	}
	if len(looks) == 0 {
		return nil
	}
	out.Answer, out.Reason = AnswerAnnounce, fmt.Sprintf("%s concerns %d Redshift clusters", e.Name, len(looks))
	return look.Ask(ctx, i.Looks, looks...)
}

// workgroup says what a workgroup of Redshift Serverless cannot do: whoever asks it for credentials becomes the database user
// of the role, so all readers would be one. Nobody may choose a user, as GetClusterCredentials lets them.
// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html
func (i Inspector) workgroup(ctx context.Context, e event.Event, out *workflow.InspectStudioOutput) error {
	owner, err := i.Account(ctx, e.Account)
	if err != nil {
		return err
	}
	if owner.Organization == "" {
		out.Answer, out.Reason = AnswerNothing, fmt.Sprintf("account %s is outside the organization", e.Account)
		return nil
	}
	return fault.NewConflict(fmt.Sprintf("the workgroup %s in %s, %s is Redshift Serverless, where a database user has the name of the role that asks: all readers would be one user",
		e.Workgroup, e.Account, e.Region), "take the tag "+tag.Studio+" from the workgroup, and share a provisioned cluster by it")
}

// The roles of a connection's two sides.
const (
	producerSide = "producer"
	consumerSide = "consumer"
)

// reader is an execution role that can read a cluster now, or has something for it.
type reader struct {
	account, name string
	arn           string // empty if only the ledger knows of it
	// ready says that its trust policy stays as it is because another cluster needs the statement.
	stays bool
}

// readersOf returns the execution roles that a readers' role trusts, and those on which the ledger has something for the cluster, sorted.
func readersOf(trusted []string, items []ledger.Item, producer, home, readersRole string) []reader {
	all := map[string]reader{}
	for _, one := range trusted {
		r := reader{account: arn.AccountOf(one), name: nameOf(one), arn: one}
		all[r.account+"/"+r.name] = r
	}
	for _, i := range items {
		if i.Region != home || i.Kind != ledger.Document && i.Kind != ledger.Statement || i.Account == producer && i.Resource == readersRole {
			continue
		}
		key := i.Account + "/" + i.Resource
		r, ok := all[key]
		if !ok {
			r = reader{account: i.Account, name: i.Resource}
		}
		r.stays = r.stays || i.Kind == ledger.Statement && len(i.Needed) > 1
		all[key] = r
	}
	var out []reader
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[key])
	}
	return out
}

// warehouse looks at one cluster: who shall read it, who could until now, and in which domains they work.
func (i Inspector) warehouse(ctx context.Context, execution string, e event.Event, out *workflow.InspectStudioOutput) error {
	nothing := func(format string, args ...any) error {
		out.Answer, out.Reason = AnswerNothing, fmt.Sprintf(format, args...)
		return nil
	}
	owner, err := i.Account(ctx, e.Account)
	if err != nil {
		return err
	}
	partition := arn.Partition(e.Region)
	name := RoleName(e.Region, e.Cluster)
	id := arn.New(partition, "redshift", e.Region, e.Account, "cluster:"+e.Cluster)
	if held := brake.Unread(ctx, i.Book.Ledger, id, owner.Unreadable()); held != nil {
		return held
	}
	if owner.Organization == "" {
		return nothing("account %s is outside the organization", e.Account)
	}
	clients := i.Enter(execution, e.Place)
	tags, gone, err := cluster(ctx, clients.Redshift, e)
	if held := brake.Unread(ctx, i.Book.Ledger, id, err); held != nil {
		return held
	}
	if err != nil {
		return err
	}
	named := strings.Fields(tags[tag.Studio])
	out.Warehouse = workflow.Warehouse{Account: e.Account, Region: e.Region, ID: e.Cluster, ARN: id, Groups: strings.Fields(tags[tag.StudioGroups]),
		Role: arn.IAM(partition, e.Account, "role"+Path+name), Named: len(named) > 0}
	if out.Warehouse.Groups == nil {
		out.Warehouse.Groups = []string{}
	}
	inLedger := func(err error) error { return fmt.Errorf("asking the ledger about %s: %w", id, err) }
	entry, managed, err := i.Book.Connection(ctx, id)
	if err != nil {
		return inLedger(err)
	}
	unclear := tag.Why(tags, tag.Studio, tag.StudioGroups)
	if len(named) == 0 && !managed {
		return nothing("cluster %s has no tag %s, and nobody reads it by Drawbridge%s", e.Cluster, tag.Studio, unclear)
	}
	items, err := i.Book.Items(ctx, id)
	if err != nil {
		return inLedger(err)
	}
	made, _ := readersItems(i.Book, out.Warehouse)
	var trusted []string
	have, err := readRole(ctx, clients.Roles, name, e.Account)
	if err != nil {
		return err
	}
	if have != nil && have.ours(find(items, made)) {
		if trusted, err = Readers(have.trust); err != nil {
			return fmt.Errorf("in %s, %s: %w", name, e.Account, err)
		}
	}
	readers := readersOf(trusted, items, e.Account, i.Book.Home, name)
	accounts := slices.Clone(named)
	for _, r := range readers {
		accounts = append(accounts, r.account)
	}
	// Domains, too, may have something of a cluster that nobody of their account reads any more.
	for _, item := range items {
		if item.Kind == ledger.Setting {
			accounts = append(accounts, item.Account)
		}
	}
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	if entry, err = i.keep(ctx, out.Warehouse, entry, managed, accounts); err != nil {
		return inLedger(err)
	}
	set, _, err := i.Policy(ctx, "")
	if err != nil {
		return err
	}
	warehouse := policy.Warehouse{ARN: id, ID: e.Cluster, Region: e.Region, Tags: tags, Account: owner.Entity()}
	var refused []policy.Decision
	var leaving []brake.Why
	shared := sharing{gone: gone, clear: tag.Says(tags, tag.Studio), named: named}
	for _, one := range accounts {
		decisions, why, err := i.consumer(ctx, execution, event.Place{Account: one, Region: e.Region}, set, warehouse, shared, readers, items, out)
		if err != nil {
			return err
		}
		refused, leaving = append(refused, decisions...), append(leaving, why...)
	}
	if err := i.Brake.Ask(ctx, removal(id, fmt.Sprintf("%d execution roles may not read %s any more", len(leaving), e.Cluster), leaving)); err != nil {
		return err
	}
	i.fit(out, trusted)
	if len(refused) > 0 {
		out.Decision = refused[0]
	}
	// What an earlier execution set up, though nobody reads any more, did not come to its end.
	unfinished := len(items) > 0 || slices.Contains([]workflow.Result{workflow.Identified, workflow.AwaitingApps, workflow.Incomplete}, workflow.Result(entry.Status))
	switch {
	case len(out.Roles) > 0:
		out.Answer, out.Reason, out.Decision = AnswerAdmit, fmt.Sprintf("%s is shared with %s", e.Cluster, tags[tag.Studio]), out.Roles[0].Decision
		if len(out.Leaving) > 0 {
			out.Answer = AnswerRetract
		}
	case len(out.Leaving) > 0 || unfinished:
		out.Answer, out.Reason = AnswerRetract, fmt.Sprintf("nobody may read %s any more", e.Cluster)
	case len(out.Unfit) > 0:
		out.Answer, out.Reason = AnswerAdmit, fmt.Sprintf("%s is shared with %s", e.Cluster, tags[tag.Studio])
	case len(named) == 0:
		if err := i.Book.End(ctx, id); err != nil {
			return inLedger(err)
		}
		return nothing("cluster %s has no tag %s any more, and nobody reads it by Drawbridge%s", e.Cluster, tag.Studio, unclear)
	case len(refused) > 0:
		out.Answer, out.Reason = AnswerRefuse, "refused by policy "+refused[0].Policy+": "+refused[0].Reason
		if _, err := i.Book.Change(ctx, id, status(workflow.RefusedByPolicy, out.Reason, refused[0].Policy, i.Book)); err != nil {
			return inLedger(err)
		}
	default:
		return nothing("no execution role of a Studio domain in %s is tagged %s=true%s", strings.Join(accounts, ", "), tag.Studio, unclear)
	}
	out.Reason += unclear
	return nil
}

// keep keeps the cluster's entry in the ledger: it begins with the owner's tag, and lists the accounts that are concerned. An account is listed in the
// Region of IAM's things, so that it is found when a role of it changes. What is no account is listed nowhere.
func (i Inspector) keep(ctx context.Context, w workflow.Warehouse, entry ledger.Connection, managed bool, accounts []string) (ledger.Connection, error) {
	sides := []ledger.Side{{Role: producerSide, Account: w.Account, Region: w.Region, ID: w.ARN}}
	for _, one := range accounts {
		if event.IsAccount(one) {
			sides = append(sides, ledger.Side{Role: consumerSide, Account: one, Region: i.Book.Home, ID: one})
		}
	}
	if !managed {
		return i.Book.Begin(ctx, ledger.Connection{ID: w.ARN, Kind: Kind, Origin: ledger.Requested, Sides: sides})
	}
	if slices.EqualFunc(entry.Sides, sides, func(a, b ledger.Side) bool {
		return a.Account == b.Account && a.Region == b.Region && a.Role == b.Role && a.ID == b.ID
	}) {
		return entry, nil
	}
	return i.Book.Change(ctx, w.ARN, func(c *ledger.Connection) { c.Sides = sides })
}

// fit leaves out the execution roles that the trust policy of the readers' role has no room for, and says so. Who reads already stays.
func (i Inspector) fit(out *workflow.InspectStudioOutput, trusted []string) {
	var all []string
	for _, r := range out.Roles {
		all = append(all, r.ARN)
	}
	_, full := Fit(all, trusted)
	out.Roles = slices.DeleteFunc(out.Roles, func(r workflow.ExecutionRole) bool { return slices.Contains(full, r.ARN) })
	for n := range out.Domains {
		out.Domains[n].Roles = slices.DeleteFunc(out.Domains[n].Roles, func(r string) bool { return slices.Contains(full, r) })
	}
	for _, r := range full {
		out.Unfit = append(out.Unfit, workflow.Hop{Hop: fmt.Sprintf("execution role %s in %s", nameOf(r), arn.AccountOf(r)), OK: false,
			Detail: fmt.Sprintf("is not served: the trust policy of %s has no room for it, as IAM takes %d characters; let profiles share a role", nameOf(out.Warehouse.Role), maxTrust)})
	}
}

// cluster returns the tags of a cluster; none if it is gone, or goes.
func cluster(ctx context.Context, api Redshift, e event.Event) (tags map[string]string, gone bool, err error) {
	tags = map[string]string{}
	got, err := api.DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &e.Cluster})
	if fault.HasCode(err, "ClusterNotFound", "ClusterNotFoundFault") || err == nil && len(got.Clusters) == 0 {
		return tags, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the Redshift cluster %s in %s, %s: %w", e.Cluster, e.Account, e.Region, err)
	}
	// https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
	if status := aws.ToString(got.Clusters[0].ClusterStatus); status == "deleting" || status == "final-snapshot" {
		return tags, true, nil
	}
	for _, t := range got.Clusters[0].Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tag.Clean(tag.RedshiftCluster, tags), false, nil
}

// consumer looks at one account: the execution roles of its Studio domains in the cluster's Region. It adds to out those
// that may read, and those that could and no longer may, with their domains; it returns the policy's refusals, and who wants those that leave to leave. An
// account that cannot be looked at keeps nobody else out, and what its roles have stays.
func (i Inspector) consumer(ctx context.Context, execution string, place event.Place, set *policy.Set, warehouse policy.Warehouse, shared sharing, readers []reader, items []ledger.Item, out *workflow.InspectStudioOutput) (refused []policy.Decision, why []brake.Why, err error) {
	facts, err := i.Account(ctx, place.Account)
	if err != nil {
		return nil, nil, err
	}
	here := slices.DeleteFunc(slices.Clone(readers), func(r reader) bool { return r.account != place.Account })
	for n, r := range here {
		if r.arn == "" {
			here[n].arn = arn.IAM(arn.Partition(place.Region), r.account, "role/"+r.name)
		}
	}
	if err := facts.Unreadable(); err != nil && len(here) > 0 {
		keep(out, here, place.Account, err)
		return nil, nil, nil
	}
	if facts.Organization == "" {
		for _, r := range here {
			out.Leaving, why = append(out.Leaving, workflow.ExecutionRole{Account: r.account, ARN: r.arn, Outside: true}), append(why, shared.why(place.Account, nil, policy.Decision{}, true, false))
		}
		d := set.Identify(policy.Role{ARN: "any role", Region: place.Region, Account: facts.Entity()}, warehouse, policy.Context{})
		return []policy.Decision{d}, why, nil
	}
	clients := i.Enter(execution, place)
	found, err := i.look(ctx, clients, place, here)
	if fault.Absent(err) && len(here) == 0 {
		return nil, nil, nil // in a Region without SageMaker there is no domain
	}
	if err != nil && (fault.Absent(err) || fault.Of(err) == fault.Refused) {
		keep(out, here, place.Account, err)
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	admitted, leaving := map[string]bool{}, map[string]bool{}
	for _, one := range found.sorted() {
		r := found.roles[one]
		d := set.Identify(policy.Role{ARN: one, Name: nameOf(one), Region: place.Region, Tags: r.tags, Account: facts.Entity()}, warehouse, policy.Context{})
		reads := slices.ContainsFunc(here, func(h reader) bool { return h.name == nameOf(one) })
		switch {
		case d.Allowed && found.in(one):
			admitted[one] = true
			out.Roles = append(out.Roles, workflow.ExecutionRole{Account: place.Account, ARN: one, Decision: d})
		case reads:
			leaving[one] = true
			out.Leaving, why = append(out.Leaving, workflow.ExecutionRole{Account: place.Account, ARN: one, Decision: d}), append(why, shared.why(place.Account, r, d, false, found.in(one)))
		case r.tags[tag.Studio] != "" || tag.Why(r.tags, tag.Studio) != "":
			d.Reason += tag.Why(r.tags, tag.Studio)
			refused = append(refused, d)
		}
	}
	for _, h := range here {
		if found.roles[h.arn] == nil && !slices.ContainsFunc(found.sorted(), func(one string) bool { return nameOf(one) == h.name }) {
			// Somebody deleted it: the ledger forgets what was on it.
			out.Leaving, why = append(out.Leaving, workflow.ExecutionRole{Account: h.account, ARN: h.arn}), append(why, brake.Ended)
		}
	}
	for _, d := range found.domains {
		w := d.workflow(place)
		for _, one := range d.roles {
			r := found.roles[one]
			stays := slices.ContainsFunc(here, func(h reader) bool { return h.name == nameOf(one) && h.stays })
			switch {
			case admitted[one]:
				w.Roles = append(w.Roles, one)
				continue
			case leaving[one]:
				w.Leaving = append(w.Leaving, one)
			}
			if r == nil || !Ready(r.trust) || leaving[one] && !stays && !ReadyWithout(r.trust) {
				w.Unready = append(w.Unready, one)
			}
		}
		has := slices.ContainsFunc(items, func(i ledger.Item) bool {
			return i.Same(settingOf(place.Account, place.Region, d.id))
		})
		if len(w.Roles)+len(w.Leaving) > 0 || has {
			out.Domains = append(out.Domains, w)
		}
	}
	// Domains that are deleted, or do not run in VPC only mode any more.
	for _, item := range items {
		known := slices.ContainsFunc(found.domains, func(d domain) bool { return d.id == item.Resource })
		if item.Kind == ledger.Setting && item.Account == place.Account && item.Region == place.Region && !known {
			d := domain{id: item.Resource, arn: arn.New(arn.Partition(place.Region), "sagemaker", place.Region, place.Account, "domain/"+item.Resource)}
			out.Domains = append(out.Domains, d.workflow(place))
		}
	}
	return refused, why, nil
}

// keep keeps what the roles of an account have that cannot be looked at now: what cannot be read is not gone.
func keep(out *workflow.InspectStudioOutput, here []reader, account string, err error) {
	for _, r := range here {
		out.Roles = append(out.Roles, workflow.ExecutionRole{Account: r.account, ARN: r.arn, Kept: "its account cannot be looked at now: " + err.Error()})
	}
	if len(here) == 0 {
		out.Unfit = append(out.Unfit, workflow.Hop{Hop: "account " + account, OK: false, Detail: "cannot be looked at now, so that nobody of it is let in: " + err.Error()})
	}
}

// seen is what there is in an account: its domains in VPC only mode, and the roles of their people and of those who read already.
type seen struct {
	domains []domain
	roles   map[string]*role // by ARN
}

// in reports whether a role is one of the domains'.
func (s seen) in(role string) bool {
	return slices.ContainsFunc(s.domains, func(d domain) bool { return slices.Contains(d.roles, role) })
}

func (s seen) sorted() []string { return slices.Sorted(maps.Keys(s.roles)) }

// look reads what there is in an account.
func (i Inspector) look(ctx context.Context, clients Clients, place event.Place, here []reader) (seen, error) {
	out := seen{roles: map[string]*role{}}
	var err error
	if out.domains, err = readDomains(ctx, clients.Domains, place); err != nil {
		return out, err
	}
	names := map[string]bool{}
	for _, d := range out.domains {
		for _, one := range d.roles {
			names[nameOf(one)] = true
		}
	}
	for _, h := range here {
		names[h.name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		r, err := readRole(ctx, clients.Roles, name, place.Account)
		if err != nil {
			return out, err
		}
		if r != nil { // else somebody deleted it; the domain's next app says so
			out.roles[r.arn] = r
		}
	}
	return out, nil
}

// domain is what SageMaker says about a Studio domain.
type domain struct {
	id, arn, name string
	vpcOnly       bool
	roles         []string // its execution roles, sorted
	profiles      []string
}

func (d domain) workflow(place event.Place) workflow.Domain {
	w := workflow.Domain{Account: place.Account, Region: place.Region, ID: d.id, ARN: d.arn, Name: d.name,
		Roles: []string{}, Leaving: []string{}, Unready: []string{}, Unnamed: []string{}}
	for _, p := range d.profiles {
		if !CanBeUser(p) {
			w.Unnamed = append(w.Unnamed, p)
		}
	}
	return w
}

// readDomains returns the domains of a place that run in VPC only mode: the others do not reach the warehouse.
func readDomains(ctx context.Context, api DomainReader, place event.Place) ([]domain, error) {
	var out []domain
	pages := sagemaker.NewListDomainsPaginator(api, &sagemaker.ListDomainsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the Studio domains in %s, %s: %w", place.Account, place.Region, err)
		}
		for _, one := range page.Domains {
			d, err := describe(ctx, api, aws.ToString(one.DomainId))
			if err != nil {
				return nil, fmt.Errorf("in %s, %s: %w", place.Account, place.Region, err)
			}
			if d != nil && d.vpcOnly {
				out = append(out, *d)
			}
		}
	}
	return out, nil
}

// describe returns a domain with its execution roles, or nil if there is none of that id.
func describe(ctx context.Context, api DomainReader, id string) (*domain, error) {
	got, err := api.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: &id})
	if fault.HasCode(err, "ResourceNotFound") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describing the Studio domain %s: %w", id, err)
	}
	d := &domain{id: id, arn: aws.ToString(got.DomainArn), name: aws.ToString(got.DomainName), vpcOnly: got.AppNetworkAccessType == "VpcOnly"}
	roles := map[string]bool{}
	if got.DefaultUserSettings != nil {
		roles[aws.ToString(got.DefaultUserSettings.ExecutionRole)] = true
	}
	if got.DefaultSpaceSettings != nil {
		roles[aws.ToString(got.DefaultSpaceSettings.ExecutionRole)] = true
	}
	pages := sagemaker.NewListUserProfilesPaginator(api, &sagemaker.ListUserProfilesInput{DomainIdEquals: &id})
	for d.vpcOnly && pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the user profiles of %s: %w", id, err)
		}
		for _, p := range page.UserProfiles {
			d.profiles = append(d.profiles, aws.ToString(p.UserProfileName))
			profile, err := api.DescribeUserProfile(ctx, &sagemaker.DescribeUserProfileInput{DomainId: &id, UserProfileName: p.UserProfileName})
			if err != nil {
				return nil, fmt.Errorf("describing the user profile %s of %s: %w", aws.ToString(p.UserProfileName), id, err)
			}
			if profile.UserSettings != nil {
				roles[aws.ToString(profile.UserSettings.ExecutionRole)] = true
			}
		}
	}
	delete(roles, "")
	d.roles = slices.Sorted(maps.Keys(roles))
	slices.Sort(d.profiles)
	return d, nil
}

// nameOf returns the name in a role's ARN, which may have a path before it.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
