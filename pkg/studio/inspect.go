package studio

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

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
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
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
	// Policy returns the policy in force.
	Policy func(context.Context) (*policy.Set, error)
	// Book says what is Drawbridge's, and which clusters named an account: where to look when a role changes. Looks is how.
	Book  Book
	Looks look.Asker
	// Bus is where a refusal is announced.
	Bus notice.Bus
	// Brake is asked before something is taken away.
	Brake brake.Asker
}

// Inspect reads the event and the cluster that it names, and the Studio domains of each account that the cluster names, each in its own
// account, asks the policy for each execution role that is open to Drawbridge, and answers. It changes nothing but the ledger's entry of the
// cluster, which begins with the owner's tag.
//
// An event about roles or a domain names no cluster. For each cluster that the ledger has for the account, or for the domain, it asks for a
// look.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectStudioInput) (workflow.InspectStudioOutput, error) {
	out := begun()
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
		out.Answer, out.Reason = workflow.AnswerNothing, e.Stray()
	}
	switch out.Answer {
	case workflow.AnswerNothing:
		out.Result = workflow.Nothing
	case workflow.AnswerRefuse:
		out.Result = workflow.RefusedByPolicy
		if err == nil {
			w := out.Warehouse
			err = i.Bus.Put(ctx, notice.Access(notice.Thing{Execution: in.Execution, Machine: machine, Result: out.Result, Reason: out.Reason,
				Resource: notice.Resource{Account: w.Account, Region: w.Region, ID: w.ARN}}, out.Decision, nil))
		}
	case workflow.AnswerAnnounce:
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
		if c.Kind == road.Studio && slices.ContainsFunc(c.Sides, func(s ledger.Side) bool { return s.Role == consumerSide && s.Account == e.Account }) {
			ids = append(ids, c.ID)
		}
	}
	out.Answer, out.Reason = workflow.AnswerNothing, "no Redshift cluster names "+e.Account
	return i.announce(ctx, e, ids, out)
}

// domain asks for a look at each cluster that waits for a Studio domain: some app of it was deleted, or its owner opened or closed it to
// Drawbridge.
func (i Inspector) domain(ctx context.Context, e event.Event, out *workflow.InspectStudioOutput) error {
	items, err := i.Book.Of(ctx, e.Account, e.Region, e.DomainID)
	if err != nil {
		return fmt.Errorf("asking the ledger about the Studio domain %s in %s: %w", e.DomainID, e.Account, err)
	}
	out.Answer, out.Reason = workflow.AnswerNothing, fmt.Sprintf("nobody in %s waits to read a cluster by Drawbridge", e.DomainID)
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
	out.Answer, out.Reason = workflow.AnswerAnnounce, fmt.Sprintf("%s concerns %d Redshift clusters", e.Name, len(looks))
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
		out.Answer, out.Reason = workflow.AnswerNothing, fmt.Sprintf("account %s is outside the organization", e.Account)
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
// Long, because it reads in the order in which what was read so far says whether more has to be read.
func (i Inspector) warehouse(ctx context.Context, execution string, e event.Event, out *workflow.InspectStudioOutput) error {
	nothing := func(format string, args ...any) error {
		out.Answer, out.Reason = workflow.AnswerNothing, fmt.Sprintf(format, args...)
		return nil
	}
	id := arn.New(arn.Partition(e.Region), "redshift", e.Region, e.Account, "cluster:"+e.Cluster)
	owner, outside, err := brake.Member(ctx, i.Account, i.Book.Ledger, e.Account, id)
	if err != nil {
		return err
	}
	if outside != "" {
		return nothing("%s", outside)
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
	out.Warehouse, _ = Warehouse(e.Place, e.Cluster, tags)
	inLedger := func(err error) error { return fmt.Errorf("asking the ledger about %s: %w", id, err) }
	entry, managed, err := i.Book.Connection(ctx, id)
	if err != nil {
		return inLedger(err)
	}
	out.Stands = slices.Contains([]ledger.Status{ledger.Status(workflow.Identified), ledger.Status(workflow.AwaitingApps)}, entry.Status)
	letting, unclear := tag.Letting(tags), tag.Why(tags, tag.Studio, tag.StudioGroups)
	switch says := fmt.Sprintf("%s is tagged %s=%s", e.Cluster, tag.Manage, letting); {
	case letting == "":
	case !managed:
		return nothing("%s", says)
	case letting == tag.Leave:
		out.Answer, out.Reason = workflow.AnswerReleased, says
		return nil
	default: // all that was added goes
		named, out.Warehouse.Named = nil, false
	}
	if len(named) == 0 && !managed {
		return nothing("cluster %s has no tag %s, and nobody reads it by Drawbridge%s", e.Cluster, tag.Studio, unclear)
	}
	items, err := i.Book.Items(ctx, id)
	if err != nil {
		return inLedger(err)
	}
	made, _ := readersItems(i.Book, out.Warehouse)
	var trusted []string
	have, err := readRole(ctx, clients.Roles, nameOf(out.Warehouse.Role), e.Account)
	if err != nil {
		return err
	}
	if have != nil && have.ours(find(items, made)) {
		if trusted, err = Readers(have.trust); err != nil {
			return fmt.Errorf("in %s, %s: %w", nameOf(out.Warehouse.Role), e.Account, err)
		}
	}
	readers := readersOf(trusted, items, e.Account, i.Book.Home, nameOf(out.Warehouse.Role))
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
	set, err := i.Policy(ctx)
	if err != nil {
		return err
	}
	warehouse := policy.Warehouse{ARN: id, ID: e.Cluster, Region: e.Region, Tags: tags, Account: owner.Entity()}
	var refused []policy.Decision
	var leaving []brake.Why
	var leave []string
	shared := sharing{gone: gone, clear: letting != "" || tag.Says(tags, tag.Studio), named: named, ended: letting != "", leave: &leave}
	for _, one := range accounts {
		decisions, why, err := i.consumer(ctx, execution, event.Place{Account: one, Region: e.Region}, set, warehouse, shared, readers, items, out)
		if err != nil {
			return err
		}
		refused, leaving = append(refused, decisions...), append(leaving, why...)
	}
	slices.Sort(leave)
	if leave = slices.Compact(leave); !slices.Equal(leave, entry.Leave) {
		if entry, err = i.Book.Change(ctx, id, func(c *ledger.Connection) { c.Leave = leave }); err != nil {
			return inLedger(err)
		}
	}
	if err := i.Brake.Ask(ctx, removal(id, fmt.Sprintf("%d execution roles may not read %s any more", len(leaving), e.Cluster), leaving)); err != nil {
		return err
	}
	i.fit(out, trusted)
	if len(refused) > 0 {
		out.Decision = refused[0]
	}
	// What an earlier execution set up, though nobody reads any more, did not come to its end.
	unfinished := len(items) > 0 || slices.Contains([]workflow.Result{workflow.Identified, workflow.AwaitingApps, workflow.Incomplete, workflow.Contested}, workflow.Result(entry.Status))
	switch {
	case len(out.Roles) > 0:
		out.Answer, out.Reason, out.Decision = workflow.AnswerAdmit, fmt.Sprintf("%s is shared with %s", e.Cluster, tags[tag.Studio]), out.Roles[0].Decision
		if len(out.Leaving) > 0 {
			out.Answer = workflow.AnswerRetract
		}
	case len(out.Leaving) > 0 || unfinished:
		out.Answer, out.Reason = workflow.AnswerRetract, fmt.Sprintf("nobody may read %s any more", e.Cluster)
	case len(out.Unfit) > 0:
		out.Answer, out.Reason = workflow.AnswerAdmit, fmt.Sprintf("%s is shared with %s", e.Cluster, tags[tag.Studio])
	case len(named) == 0:
		if err := i.Book.End(ctx, id); err != nil {
			return inLedger(err)
		}
		return nothing("cluster %s has no tag %s any more, and nobody reads it by Drawbridge%s", e.Cluster, tag.Studio, unclear)
	case len(refused) > 0:
		out.Answer, out.Reason = workflow.AnswerRefuse, "refused by policy "+refused[0].Policy+": "+refused[0].Reason
		if _, err := i.Book.Change(ctx, id, status(workflow.RefusedByPolicy, out.Reason, refused[0].Policy, i.Book)); err != nil {
			return inLedger(err)
		}
	default:
		return nothing("no execution role of a Studio domain in %s is tagged %s=true%s", strings.Join(accounts, ", "), tag.Studio, unclear)
	}
	out.Reason += unclear
	return nil
}

// sides lists the accounts that are concerned by a warehouse. A consumer is listed in the Region of IAM's things, so that it is found when a role of it
// changes. What is no account is listed nowhere.
func sides(w workflow.Warehouse, accounts []string, home string) []ledger.Side {
	out := []ledger.Side{{Role: producerSide, Account: w.Account, Region: w.Region, ID: w.ARN}}
	for _, one := range accounts {
		if event.IsAccount(one) {
			out = append(out, ledger.Side{Role: consumerSide, Account: one, Region: home, ID: one})
		}
	}
	return out
}

// keep keeps the cluster's entry in the ledger: it begins with the owner's tag, and lists the accounts that are concerned.
func (i Inspector) keep(ctx context.Context, w workflow.Warehouse, entry ledger.Connection, managed bool, accounts []string) (ledger.Connection, error) {
	sides := sides(w, accounts, i.Book.Home)
	if !managed {
		return i.Book.Begin(ctx, ledger.Connection{ID: w.ARN, Kind: road.Studio, Origin: ledger.Requested, Sides: sides})
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
