package failure

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Report says on everything that an execution was about what became of it: in the ledger, by tags on the things, to their owners once. It may be repeated.
// An execution that goes on, or of whose thing another says how it stands, is not spoken for.
func (r Reporter) Report(ctx context.Context, in workflow.ReportFailureInput) (workflow.ReportFailureOutput, error) {
	nothing := func(format string, args ...any) (workflow.ReportFailureOutput, error) {
		return workflow.ReportFailureOutput{Result: workflow.Nothing, Reason: fmt.Sprintf(format, args...)}, nil
	}
	x, err := notice.Look(ctx, r.Executions, in.Failed)
	if fault.HasCode(err, "ExecutionDoesNotExist") {
		return nothing("Step Functions has forgotten %s", in.Failed)
	}
	if err != nil {
		return workflow.ReportFailureOutput{}, err
	}
	if !x.Over() {
		return nothing("%s was redriven, and is %s", in.Failed, x.Status)
	}
	a := find(x)
	said, why := 0, "it was about nothing that says how it stands"
	if a.notebooks {
		if said, err = r.notebooks(ctx, in, a, x); err != nil {
			return workflow.ReportFailureOutput{}, err
		}
	}
	entries, err := r.entries(ctx, in, a, x)
	if err != nil {
		return workflow.ReportFailureOutput{}, err
	}
	for _, entry := range entries {
		holder, err := r.Ledger.Holder(ctx, lease(entry))
		if err != nil {
			return workflow.ReportFailureOutput{}, err
		}
		if now, not := counts(x, entry, holder, r.Ledger.Now()); !now {
			why = not
			continue
		}
		if x.SaidBy(entry) {
			why = "the step that failed has said so"
			continue
		}
		if err := r.entry(ctx, in, a, x, entry); err != nil {
			return workflow.ReportFailureOutput{}, fmt.Errorf("saying on %s what became of %s: %w", entry.ID, x.Name, err)
		}
		said++
	}
	if said == 0 {
		return nothing("%s: %s", x.What(), why)
	}
	return workflow.ReportFailureOutput{Result: workflow.Reported, On: said, Reason: x.What()}, nil
}

// entries returns the entries of what an execution was about. Of what begins to be managed by this very event, there is none yet: it is begun here.
func (r Reporter) entries(ctx context.Context, in workflow.ReportFailureInput, a about, x notice.Ended) ([]ledger.Connection, error) {
	if a.id != "" {
		entry, managed, err := r.Ledger.Connection(ctx, a.id)
		if err != nil || managed {
			return []ledger.Connection{entry}, err
		}
		entry, begins, err := r.begins(ctx, in, a, x)
		if err != nil || !begins {
			return nil, err
		}
		holder, err := r.Ledger.Holder(ctx, lease(entry))
		if err != nil {
			return nil, err
		}
		if now, _ := counts(x, entry, holder, r.Ledger.Now()); !now {
			return nil, nil
		}
		entry, err = r.Ledger.Begin(ctx, entry)
		return []ledger.Connection{entry}, err
	}
	switch a.kind {
	case road.Attachment: // that of the VPC to the gateway
		entries, err := r.Ledger.Connections(ctx, a.at.Account, a.at.Region)
		return slices.DeleteFunc(entries, func(e ledger.Connection) bool { return lease(e) != attachment.LeaseOf(a.gateway, a.vpc) }), err
	case road.PrivateNotebooks: // those of all VPCs of the account
		var out []ledger.Connection
		for _, region := range r.Regions {
			entries, err := r.Ledger.Connections(ctx, a.at.Account, region)
			if err != nil {
				return nil, err
			}
			out = append(out, slices.DeleteFunc(entries, func(e ledger.Connection) bool { return e.Kind != a.kind })...)
		}
		return out, nil
	case road.Peering, road.Transit, road.DataAPI, road.DataAPIEndpoint, road.Studio, road.Share:
	}
	return nil, nil
}

// begins returns the entry of what the event asks for, and whether it asks: a peering by the record of its request, a cluster by its owner's tag.
func (r Reporter) begins(ctx context.Context, in workflow.ReportFailureInput, a about, x notice.Ended) (ledger.Connection, bool, error) {
	switch a.kind {
	case road.Peering:
		if a.event.Name != requests {
			return ledger.Connection{}, false, nil
		}
		return ledger.Connection{ID: a.id, Kind: road.Peering, Origin: ledger.Requested, Asked: peering.Asker([]byte(x.Input)), Sides: []ledger.Side{{Role: "requester", Account: a.at.Account, Region: a.at.Region}}}, true, nil
	case road.DataAPI:
		return dataapi.Asked(ctx, r.Enter(in.Execution, a.at).RDS, a.at, a.id)
	case road.Transit, road.Attachment, road.DataAPIEndpoint, road.Studio, road.PrivateNotebooks, road.Share: // their entries begin once something is decided
	}
	return ledger.Connection{}, false, nil
}

// entry says what became of one thing. Somebody may begin to work on it, or redrive the execution, while that is being said: then a look is asked for, which
// says how it stands after that.
func (r Reporter) entry(ctx context.Context, in workflow.ReportFailureInput, a about, x notice.Ended, entry ledger.Connection) error {
	stood := entry.Stood()
	entry, err := connection.Note(ctx, r.Ledger, entry.ID, connection.Failed, reason(x), func(e *ledger.Connection) { e.Before = stood })
	if err != nil || entry.ID == "" {
		return err
	}
	switch entry.Kind {
	case road.Peering, road.Transit:
		err = r.connection(ctx, in, a, x, entry)
	case road.Attachment:
		err = r.attachment(ctx, in, x, entry)
	case road.DataAPI, road.Studio, road.DataAPIEndpoint, road.PrivateNotebooks:
		err = r.access(ctx, in, x, entry)
	case road.Share:
	}
	if err != nil {
		return err
	}
	holder, err := r.Ledger.Holder(ctx, lease(entry))
	if err != nil {
		return err
	}
	now, err := r.Executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &x.ARN})
	if err != nil {
		return fmt.Errorf("reading the execution %s again: %w", x.ARN, err)
	}
	if string(now.Status) == x.Status && (holder == x.Name || holder == "") {
		return nil
	}
	if again, ok := look.At(entry, a.at, "it was said to have failed, while somebody was at it"); ok {
		return r.Looks.Ask(ctx, again)
	}
	return nil
}

// connection says it on both sides of a connection, on the notebooks that nobody came to, and to the owners.
func (r Reporter) connection(ctx context.Context, in workflow.ReportFailureInput, a about, x notice.Ended, entry ledger.Connection) error {
	f, err := fact.Read(ctx, r.Ledger, entry.ID)
	if err != nil {
		return err
	}
	c, role := between(entry), worked(a, x, f)
	enter := func(v workflow.VPC) connection.Tagger {
		return r.Enter(in.Execution, event.Place{Account: v.Account, Region: v.Region}).EC2
	}
	sides, err := r.sides(ctx, c, entry, f)
	if err != nil {
		return err
	}
	if err := connection.Say(ctx, r.Ledger, enter, c, sides, entry, apart(c, role, func(why bool) string { return says(x, why) })); err != nil {
		return err
	}
	for _, b := range unserved(f) {
		api := r.Enter(in.Execution, event.Place{Account: b.Account, Region: b.Region}).SageMaker
		for _, name := range b.Names {
			if _, err := lifecycle.Say(ctx, api, name, entry.ID+": "+says(x, false), x.At, true); err != nil {
				return err
			}
		}
	}
	return r.Owners.Tell(ctx, owner.News{Execution: x.Name, Connection: c, Kind: notice.AttentionNeeded, Result: connection.Failed,
		Said: apart(c, role, func(why bool) string { return told(x, why) })})
}

// sides are the sides of a connection, with what carries its status on each: the peering, or the attachment of its VPC, as the last look found it, or else the ledger
// has it.
func (r Reporter) sides(ctx context.Context, c workflow.Connection, entry ledger.Connection, f workflow.Findings) ([]workflow.Side, error) {
	var out []workflow.Side
	for _, s := range entry.Sides {
		side := workflow.Side{Role: s.Role, VPC: workflow.VPC{Account: s.Account, Region: s.Region, ID: s.ID}, StatusResource: c.ID}
		if !c.OwnsTarget() {
			entries, err := r.Ledger.Connections(ctx, s.Account, s.Region)
			if err != nil {
				return nil, err
			}
			side.StatusResource = carrier(s, c.Target, f, entries)
		}
		out = append(out, side)
	}
	return out, nil
}

// attachment says it on an attachment, in the VPC's account and the gateway owner's, and to both.
func (r Reporter) attachment(ctx context.Context, in workflow.ReportFailureInput, x notice.Ended, entry ledger.Connection) error {
	c := between(entry)
	said := apart(c, "", func(why bool) string { return says(x, why) })
	for n, s := range entry.Sides {
		if n > 0 && s.Account == entry.Sides[0].Account {
			continue
		}
		vpc := workflow.VPC{Account: s.Account, Region: s.Region, ID: s.ID}
		err := connection.Tell(ctx, r.Enter(in.Execution, event.Place{Account: s.Account, Region: s.Region}).EC2, vpc, entry.ID, connection.Tags(entry, said.To(s.Role)))
		if err := connection.LetIn(ctx, s.Account, err); err != nil {
			return err
		}
	}
	return r.Owners.Tell(ctx, owner.News{Execution: x.Name, Connection: c, Kind: notice.AttentionNeeded, Result: connection.Failed,
		Said: apart(c, "", func(why bool) string { return told(x, why) })})
}

// access says it on a cluster, as far as it is one that says how it stands, and to programs, whose rule tells the owners.
func (r Reporter) access(ctx context.Context, in workflow.ReportFailureInput, x notice.Ended, entry ledger.Connection) error {
	if len(entry.Sides) == 0 {
		return nil
	}
	s := entry.Sides[0]
	thing := notice.Thing{Execution: x.Name, Machine: x.Machine, Result: notice.Failed, Reason: entry.Reason, Resource: notice.Resource{Account: s.Account, Region: s.Region, ID: s.ID}}
	var err error
	switch entry.Kind {
	case road.DataAPI:
		err = dataapi.Say(ctx, r.Enter(in.Execution, event.Place{Account: s.Account, Region: s.Region}).RDS, entry)
	case road.Studio:
		at, cluster, _ := arn.Match(entry.ID, "redshift", "cluster:")
		w := workflow.Warehouse{Account: at.AccountID, Region: at.Region, ID: cluster, ARN: entry.ID}
		err = studio.Say(ctx, r.Enter(in.Execution, event.Place{Account: w.Account, Region: w.Region}).Redshift, w, entry)
		for _, o := range entry.Sides[1:] {
			thing.For = append(thing.For, o.Account)
		}
	case road.PrivateNotebooks:
		thing.Resource, thing.For = notice.Resource{Account: s.Account}, []string{s.ID}
	case road.Peering, road.Transit, road.Attachment, road.DataAPIEndpoint, road.Share:
	}
	if err := connection.LetIn(ctx, s.Account, err); err != nil && !fault.HasCode(err, "DBClusterNotFoundFault") {
		return err
	}
	return r.Bus.Put(ctx, notice.Access(thing, policy.Decision{}, nil))
}

// notebooks says it on the notebook that an execution of drawbridge-notebook was about. Its machine has no lease: what the notebook says since then counts.
func (r Reporter) notebooks(ctx context.Context, in workflow.ReportFailureInput, a about, x notice.Ended) (int, error) {
	name, at := a.event.NotebookName, a.at
	if a.notebook != nil {
		name, at = a.notebook.Name, event.Place{Account: a.notebook.Account, Region: a.notebook.Region}
	}
	if name == "" || r.Ledger.Now().Sub(x.At) > late {
		return 0, nil
	}
	said, err := lifecycle.Say(ctx, r.Enter(in.Execution, at).SageMaker, name, says(x, true), x.At, a.notebook != nil)
	if _, unreadable := fault.Unreadable(err); unreadable {
		return 0, nil
	}
	if err != nil || !said {
		return 0, err
	}
	return 1, nil
}
