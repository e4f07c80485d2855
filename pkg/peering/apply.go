package peering

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type accepter interface {
	AcceptVpcPeeringConnection(context.Context, *ec2.AcceptVpcPeeringConnectionInput, ...func(*ec2.Options)) (*ec2.AcceptVpcPeeringConnectionOutput, error)
}

// Accept accepts the request, as the accepter, in the accepter's Region (AWS takes it nowhere else).
func Accept(ctx context.Context, ec2api accepter, c workflow.Connection) (workflow.AcceptPeeringOutput, error) {
	slog.InfoContext(ctx, "accepting", "peering", c.ID, "requester", c.Requester.Account, "accepter", c.Accepter.Account)
	got, err := ec2api.AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: &c.ID})
	// "InvalidStateTransition": accepted, rejected or expired meanwhile. The machine looks at the peering again
	// anyway, and goes on from what it finds.
	if fault.HasCode(err, "InvalidStateTransition", "IncorrectState") {
		return workflow.AcceptPeeringOutput{Status: "changed meanwhile"}, nil
	}
	if fault.HasCode(err, "VpcPeeringConnectionAlreadyExists") {
		return workflow.AcceptPeeringOutput{}, fault.NewConflict(
			fmt.Sprintf("accepting %s: %s and %s are already peered", c.ID, c.Requester.ID, c.Accepter.ID),
			"reject "+c.ID+" and use the existing peering, or delete the existing one and redrive the execution")
	}
	if err != nil {
		return workflow.AcceptPeeringOutput{}, fmt.Errorf("accepting %s in %s: %w", c.ID, c.Accepter.Account, err)
	}
	out := workflow.AcceptPeeringOutput{}
	if got.VpcPeeringConnection != nil && got.VpcPeeringConnection.Status != nil {
		out.Status = string(got.VpcPeeringConnection.Status.Code)
	}
	return out, nil
}

// Refuser is what [Refuse] needs of EC2.
type Refuser interface {
	connection.Tagger
	RejectVpcPeeringConnection(context.Context, *ec2.RejectVpcPeeringConnectionInput, ...func(*ec2.Options)) (*ec2.RejectVpcPeeringConnectionOutput, error)
}

// Refuse leaves on the peering what each side may know of the reason: the request stays pending, its cause may go away, or it expires after seven days. If the
// policy allows that too, it rejects the request at AWS instead, and asks for a look: what follows is what follows the accepter's own call.
func Refuse(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) Refuser, bus notice.Bus, looks look.Asker, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
	out := workflow.ConcludeOutput{Result: workflow.RefusedByPolicy, Reason: in.Reason, Decision: in.Decision}
	rejects := in.Rejects()
	if !rejects {
		if err := SetStatus(ctx, l, asTagger(enter), Status{Connection: in.Connection, Members: in.Members, Result: out.Result, Reason: out.Reason, Said: in.Said}); err != nil {
			return out, err
		}
	}
	refused := notice.Refuse(in.Execution, in.Connection, in.Said, in.Decision)
	refused.Rejected = rejects
	if err := bus.Put(ctx, refused); err != nil {
		return out, err
	}
	if rejects { // last, because a request that is rejected already is none to refuse
		if err := reject(ctx, enter(in.Connection.Accepter), in.Connection); err != nil {
			return out, err
		}
		at := Shown(in) // Drawbridge's own call starts nothing
		if err := look.Ask(ctx, looks, event.Inspection{Account: at.Account, Region: at.Region, PeeringID: in.Connection.ID, Reason: out.Reason}); err != nil {
			return out, err
		}
	}
	workflow.Measure(ctx, workflow.Refusals, 1)
	return out, nil
}

// reject rejects the request, as the accepter. A request that is no longer pending is left as it is.
func reject(ctx context.Context, ec2api Refuser, c workflow.Connection) error {
	slog.InfoContext(ctx, "rejecting", "peering", c.ID)
	_, err := ec2api.RejectVpcPeeringConnection(ctx, &ec2.RejectVpcPeeringConnectionInput{VpcPeeringConnectionId: &c.ID})
	if err != nil && !fault.HasCode(err, "InvalidStateTransition", "IncorrectState") {
		return fmt.Errorf("rejecting %s in %s: %w", c.ID, c.Accepter.Account, err)
	}
	return nil
}

// Status is how a peering stands from now on, and what is said of it to people.
type Status struct {
	Connection workflow.Connection
	Members    []string // the sides that are members: people are told there
	Result     workflow.Result
	Reason     string
	Said       workflow.Said
	Also       func(*ledger.Connection) // what else its entry is to say; nil for nothing
}

// SetStatus writes a status in the ledger, and leaves on the peering what is said of it to people, on each side that is a member. A peering has
// tags of its own in each account, and each side a text of its own.
func SetStatus(ctx context.Context, l ledger.Ledger, enter func(workflow.VPC) connection.Tagger, st Status) error {
	c := st.Connection
	entry, err := connection.Note(ctx, l, c.ID, st.Result, st.Reason, func(e *ledger.Connection) {
		if st.Also != nil {
			st.Also(e)
		}
	})
	if err != nil {
		return err
	}
	for _, s := range []workflow.Side{{Role: Requester, VPC: c.Requester, StatusResource: c.ID}, {Role: Accepter, VPC: c.Accepter, StatusResource: c.ID}} {
		if !slices.Contains(st.Members, s.Role) {
			continue
		}
		if err := connection.Tell(ctx, enter(s.VPC), s.VPC, s.StatusResource, connection.Tags(entry, st.Said.To(s.Role))); err != nil {
			return err
		}
	}
	return nil
}

// StillThere returns a [fault.Over] if the connection is a peering that is over, as its requester sees it.
func StillThere(ctx context.Context, enter func(workflow.VPC) Describer, c workflow.Connection) error {
	switch road.CarrierOf(c.ID) {
	case road.ByGateway, road.ByNothing:
		return nil
	case road.ByPeering:
	}
	p, found, err := read(ctx, enter(c.Requester), c.ID)
	if err != nil {
		return fmt.Errorf("in %s, %s: %w", c.Requester.Account, c.Requester.Region, err)
	}
	if Over(p, found) {
		return fault.New(fault.Over, "connecting %s: it was deleted meanwhile", c.ID)
	}
	return nil
}

// asTagger narrows what enter returns to what leaving a status needs.
func asTagger[T connection.Tagger](enter func(workflow.VPC) T) func(workflow.VPC) connection.Tagger {
	return func(v workflow.VPC) connection.Tagger { return enter(v) }
}
