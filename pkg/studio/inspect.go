package studio

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

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
