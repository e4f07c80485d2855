package notebook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/restart"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Inspector] needs of EC2.
type EC2 interface {
	route.NetworkReader
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
}

// APIs are the member-account clients that an inspection uses, for one account and Region.
type APIs struct {
	EC2       EC2
	SageMaker SageMaker
}

// Inspector finds the notebooks that an event concerns and the host routes that the policy lets them have.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) APIs
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Policy returns the policy in force.
	Policy func(context.Context) (*policy.Set, error)
	// Restarts are those that notebooks are owed, and Ended says whether the execution came to its end that claimed one. Their ledger says which
	// connections a VPC has, and who asks for them asks for looks at these.
	Restarts restart.Book
	Ended    restart.Ended
}

// Together is how many notebooks one execution brings in line: of more, or of several with more routes than are carried, each gets its own, so that what
// travels does not grow with them.
const Together = 20

// Inspect reads the event and finds the notebooks it concerns: the one that changed state, or those of the subnets
// whose route table changed. For each it reads the route table of its subnet
// and asks the policy about every network that the table reaches. It changes nothing. Where so many notebooks are new that one look does not come to all, it asks
// for one that follows, and that for the next; the last one sees all. Of a notebook that started where a connection leads nothing yet, it asks
// for a look at that; of one that is deleted, at the connections of its VPC.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectNotebooksInput) (workflow.InspectNotebooksOutput, error) {
	out := workflow.InspectNotebooksOutput{Result: workflow.Nothing, Answer: workflow.AnswerNothing, Routed: []workflow.AddRoutesOutput{}, Notebooks: []workflow.Notebook{}, Phase: workflow.PhaseUntouched}
	nothing := func(format string, args ...any) (workflow.InspectNotebooksOutput, error) {
		out.Reason = fmt.Sprintf(format, args...)
		slog.InfoContext(ctx, "inspected", "answer", out.Answer, "reason", out.Reason)
		return out, nil
	}
	e, err := event.Parse(in.Event)
	if err != nil {
		return out, err
	}
	if e.Kind == event.Unhandled {
		return nothing("%s", e.Why)
	}
	facts, err := i.Account(ctx, e.Account)
	if err != nil {
		return out, err
	}
	if facts.Organization == "" {
		return nothing("account %s is outside the organization", e.Account)
	}
	var debt ledger.Debt
	if e.Kind == event.Restart {
		var why string
		if debt, why, err = i.Restarts.Claim(ctx, e.Place, e.NotebookName, in.Execution, i.Ended); err != nil {
			return out, err
		}
		if why != "" {
			return nothing("%s", why)
		}
	}
	ends, why, err := i.ends(ctx, in.Execution, e)
	if err != nil {
		return out, err
	}
	for _, end := range ends {
		err := (&visit{Inspector: i, end: end, execution: in.Execution, out: &out}).bringInLine(ctx)
		if closed, unreadable := fault.Unreadable(err); unreadable && end.network != end.Place { // nobody can tell what the notebook reaches
			why = fmt.Sprintf("%s belongs to account %s, where its route tables cannot be read: %s", end.vpc, end.network.Account, closed)
			continue
		}
		if errors.Is(err, ErrUnread) {
			out.Reason, err = i.follow(ctx, end, e.Name, err)
			return out, err
		}
		if err != nil {
			return out, fmt.Errorf("in %s, %s: %w", end.Account, end.Region, err)
		}
	}
	if e.Kind == event.Restart && len(out.Notebooks) == 0 {
		if err := i.Restarts.Repay(ctx, e.Place, e.NotebookName, in.Execution); err != nil {
			return out, err
		}
	}
	if len(out.Notebooks) == 0 {
		if why == "" {
			why = fmt.Sprintf("no notebook is concerned by %s", e.Name)
		}
		return nothing("%s", why)
	}
	if n := len(out.Notebooks); n > Together || n > 1 && !workflow.Carried(out) {
		if err := i.oneByOne(ctx, out.Notebooks, e.Name); err != nil {
			return out, err
		}
		out.Routed, out.Notebooks = []workflow.AddRoutesOutput{}, []workflow.Notebook{}
		return nothing("a look at each of %s is asked for after %s", fit.Count(n, "notebook"), e.Name)
	}
	if e.Kind == event.Restart {
		out.Phase = phase(debt, out.Notebooks[0])
	}
	for k := range out.Notebooks {
		out.Notebooks[k].Others = len(out.Notebooks) - 1
	}
	out.Result, out.Answer = workflow.InSync, workflow.AnswerInject
	out.Reason = fmt.Sprintf("%s after %s", fit.Count(len(out.Notebooks), "notebook"), e.Name)
	return out, nil
}

// follow asks for the look at a route table that goes on where this one ended, which knows more of the notebooks, and says so.
func (i Inspector) follow(ctx context.Context, at end, after string, unread error) (string, error) {
	look := event.NotebookInspection{Account: at.Account, Region: at.Region, RouteTable: at.table, Reason: unread.Error()}
	slog.InfoContext(ctx, "going on in another look", "table", at.table, "why", look.Reason)
	return fmt.Sprintf("a look that follows goes on after %s: %s", after, look.Reason), i.Restarts.Ask(ctx, look)
}

// oneByOne asks for a look at each of many notebooks.
func (i Inspector) oneByOne(ctx context.Context, all []workflow.Notebook, after string) error {
	looks := make([]look.Look, len(all))
	for k, one := range all {
		looks[k] = event.NotebookInspection{Account: one.Account, Region: one.Region, Notebook: one.Name, Reason: "one of many after " + after}
	}
	return i.Restarts.Ask(ctx, looks...)
}

// phase is how far a restart is: of a notebook that runs again, whoever started it, nothing was begun.
func phase(debt ledger.Debt, n workflow.Notebook) workflow.Phase {
	if debt.Stopped && n.Status != "InService" && n.Status != "Pending" {
		return workflow.PhaseStopped
	}
	return workflow.PhaseOwed
}

// end is where to look for notebooks: in one VPC, either one by name or all in some subnets.
type end struct {
	event.Place
	network  event.Place // where the VPC's owner has its route tables
	vpc      string
	notebook string // only this one
	started  bool   // it started
	table    string // only those of the subnets that use this table
}

// owner returns the account that owns the VPC, if it is another one.
func (e end) owner() string {
	if e.network == e.Place {
		return ""
	}
	return e.network.Account
}

// networkOf returns the place of the owner of a subnet in which an account has a notebook.
func networkOf(at event.Place, subnet ec2types.Subnet) event.Place {
	return event.Place{Account: cmp.Or(aws.ToString(subnet.OwnerId), at.Account), Region: at.Region}
}

func (i Inspector) ends(ctx context.Context, execution string, e event.Event) ([]end, string, error) {
	clients := i.Enter(execution, e.Place)
	switch e.Kind {
	case event.Notebook, event.Restart:
		n, err := described(ctx, clients.SageMaker, e.NotebookName)
		if err != nil {
			return nil, "", fmt.Errorf("in %s, %s: %w", e.Account, e.Region, err)
		}
		if e.Kind == event.Notebook && (n == nil || n.Subnet != "" && n.Status == string(types.NotebookInstanceStatusDeleting)) {
			why, err := i.deleted(ctx, clients.EC2, e, n)
			return nil, why, err
		}
		if n == nil || n.Subnet == "" {
			return nil, fmt.Sprintf("notebook %s is gone or not in a VPC", e.NotebookName), nil
		}
		got, err := clients.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{n.Subnet}})
		if err == nil && len(got.Subnets) == 0 {
			err = fault.New(fault.NotYet, "EC2 does not show it")
		}
		if err != nil {
			return nil, "", fmt.Errorf("reading %s in %s, %s: %w", n.Subnet, e.Account, e.Region, err)
		}
		return []end{{Place: e.Place, network: networkOf(e.Place, got.Subnets[0]), vpc: aws.ToString(got.Subnets[0].VpcId), notebook: n.Name, started: e.Started}}, "", nil
	case event.Routes:
		got, err := clients.EC2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{e.RouteTableID}})
		if fault.HasCode(err, "InvalidRouteTableID.NotFound") || err == nil && len(got.RouteTables) == 0 {
			return nil, e.RouteTableID + " is gone", nil
		}
		if err != nil {
			return nil, "", fmt.Errorf("reading %s in %s, %s: %w", e.RouteTableID, e.Account, e.Region, err)
		}
		return []end{{Place: e.Place, network: e.Place, vpc: aws.ToString(got.RouteTables[0].VpcId), table: e.RouteTableID}}, "", nil
	}
	return nil, e.Stray(), nil
}
