package attachment

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type associater interface {
	AssociateTransitGatewayRouteTable(context.Context, *ec2.AssociateTransitGatewayRouteTableInput, ...func(*ec2.Options)) (*ec2.AssociateTransitGatewayRouteTableOutput, error)
	EnableTransitGatewayRouteTablePropagation(context.Context, *ec2.EnableTransitGatewayRouteTablePropagationInput, ...func(*ec2.Options)) (*ec2.EnableTransitGatewayRouteTablePropagationOutput, error)
}

// once keeps the SDK from repeating a call that creates something: the second answer would be "already exists", and nobody knew by whom.
func once(o *ec2.Options) { o.Retryer = fault.Once() }

// Associate associates an attachment with a route table of the gateway and propagates its VPC's addresses, as the gateway's
// owner. The ledger has each before it is made, with what was there before: nothing. What turns out to be there already, though no attempt of
// Drawbridge's was before, is the gateway owner's: it is left out of the ledger, and is never taken back.
func Associate(ctx context.Context, l ledger.Ledger, api associater, in workflow.AssociateAttachmentInput) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	known, err := l.Of(ctx, in.Gateway.Account, in.Gateway.Region, in.Attachment.ID)
	if err != nil {
		return out, err
	}
	for _, i := range belonging(known) {
		if i.Busy(in.Execution, l.Now()) {
			return out, fault.New(fault.NotYet, "associating %s: another execution is about to", in.Attachment.ID)
		}
	}
	items := belongs(in)
	if _, err := l.Record(ctx, in.Attachment.ID, items...); err != nil {
		return out, err
	}
	for _, item := range items {
		done, err := add(ctx, api, in, item)
		if err != nil {
			return out, err
		}
		if !done && !slices.ContainsFunc(known, item.Same) {
			if err := l.Cancel(ctx, in.Attachment.ID, []ledger.Item{item}); err != nil {
				return out, err
			}
			continue
		}
		if _, err := l.Confirm(ctx, item); err != nil {
			return out, err
		}
		out.Hops = append(out.Hops, workflow.Hop{Hop: string(item.Kind), OK: true, Detail: fmt.Sprintf("%s and %s", in.Attachment.ID, item.Key)})
	}
	return out, nil
}

// add makes an association or a propagation; done is false if there is one already.
func add(ctx context.Context, api associater, in workflow.AssociateAttachmentInput, item ledger.Item) (done bool, err error) {
	id, table := in.Attachment.ID, item.Key
	if item.Kind == ledger.Association {
		slog.InfoContext(ctx, "associating", "attachment", id, "table", table)
		_, err := api.AssociateTransitGatewayRouteTable(ctx, &ec2.AssociateTransitGatewayRouteTableInput{TransitGatewayAttachmentId: &id, TransitGatewayRouteTableId: &table}, once)
		// An attachment belongs to one route table at most, and the next look sees to which.
		if fault.HasCode(err, "Resource.AlreadyAssociated") {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("associating %s with %s in %s: %w", id, table, in.Gateway.Account, err)
		}
		return true, nil
	}
	slog.InfoContext(ctx, "propagating", "attachment", id, "table", table)
	_, err = api.EnableTransitGatewayRouteTablePropagation(ctx, &ec2.EnableTransitGatewayRouteTablePropagationInput{TransitGatewayAttachmentId: &id, TransitGatewayRouteTableId: &table}, once)
	if fault.HasCode(err, "TransitGatewayRouteTablePropagation.Duplicate") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("propagating %s to %s in %s: %w", id, table, in.Gateway.Account, err)
	}
	return true, nil
}

// belongs are the items of an association and of propagations. Nothing was there before any of them: see [associate].
func belongs(in workflow.AssociateAttachmentInput) []ledger.Item {
	item := func(kind ledger.Kind, table string) ledger.Item {
		return ledger.Item{Account: in.Gateway.Account, Region: in.Gateway.Region, Resource: in.Attachment.ID, Kind: kind, Key: table, Left: table, By: in.Execution}
	}
	var out []ledger.Item
	if in.Associate != "" {
		out = append(out, item(ledger.Association, in.Associate))
	}
	for _, table := range in.Propagate {
		out = append(out, item(ledger.Propagation, table))
	}
	return out
}

// Disassociater is what [Disassociate] needs of EC2 in the gateway owner's account.
type Disassociater interface {
	OwnerReader
	GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error)
	DisassociateTransitGatewayRouteTable(context.Context, *ec2.DisassociateTransitGatewayRouteTableInput, ...func(*ec2.Options)) (*ec2.DisassociateTransitGatewayRouteTableOutput, error)
	DisableTransitGatewayRouteTablePropagation(context.Context, *ec2.DisableTransitGatewayRouteTablePropagationInput, ...func(*ec2.Options)) (*ec2.DisableTransitGatewayRouteTablePropagationOutput, error)
}

// Disassociate takes back, as the gateway's owner, the associations and propagations of an attachment that the ledger says Drawbridge added,
// and nothing else: one with another route table by now is its owner's, and is forgotten.
//
// IAM lets Drawbridge at no route table whose owner does not, or not any more, offer it by its tag. What has to stay for that is not
// forgotten; the rest goes, each pair of the VPC is looked at, and then the step fails with what to do.
func Disassociate(ctx context.Context, l ledger.Ledger, api Disassociater, looks look.Asker, in workflow.AttachmentInput) (workflow.HopsOutput, error) {
	out := workflow.HopsOutput{Hops: []workflow.Hop{}}
	all, err := l.Items(ctx, in.Attachment.ID)
	if err != nil {
		return out, err
	}
	items := belonging(all)
	for _, i := range items {
		if i.Busy(in.Execution, l.Now()) {
			return out, fault.New(fault.NotYet, "taking %s of %s back: another execution is about to add it", i.Kind, in.Attachment.ID)
		}
	}
	leaving, err := l.Release(ctx, in.Attachment.ID, items)
	if err != nil || len(leaving) == 0 {
		return out, err
	}
	associated, reached, err := where(ctx, api, in)
	if err != nil {
		return out, err
	}
	var done []ledger.Item
	var denied, failed error
	var left []string
	for _, item := range leaving {
		there, ok := associated, associated != ""
		if item.Kind == ledger.Propagation {
			there, ok = item.Key, slices.Contains(reached, item.Key)
		}
		stands := ledger.Stands(item, there, ok)
		if stands == ledger.AsLeft {
			switch err := takeOut(ctx, api, in, item); {
			case fault.Of(err) == fault.Refused:
				denied, left = err, append(left, fmt.Sprintf("%s %s", item.Kind, item.Key))
				continue
			case err != nil:
				failed = cmp.Or(failed, err)
				continue
			}
		}
		done = append(done, item)
		out.Hops = append(out.Hops, workflow.Hop{Hop: string(item.Kind), OK: true, Detail: fmt.Sprintf("%s and %s: %s", in.Attachment.ID, item.Key, stands)})
	}
	if err := cmp.Or(l.Forget(ctx, in.Attachment.ID, done), failed); err != nil {
		return out, err
	}
	if denied == nil {
		return out, nil
	}
	if _, err := announce(ctx, l, looks, in.Gateway, in.VPC, nil, in.Reason); err != nil {
		return out, err
	}
	return out, &fault.Error{Kind: fault.Refused, Cause: denied,
		Message: fmt.Sprintf("taking back what was added for %s: AWS does not let Drawbridge at %s of account %s: %v", in.Attachment.ID, strings.Join(left, ", "), in.Gateway.Account, denied),
		Remedy: fmt.Sprintf("as the owner of account %s, take it out of them yourself, or tag the tables %s=default and %s=default again; then redrive the execution",
			in.Gateway.Account, TagAssociation, TagPropagation)}
}

// where reads which route table an attachment is associated with, and which it is propagated to.
func where(ctx context.Context, api Disassociater, in workflow.AttachmentInput) (associated string, reached []string, err error) {
	seen, err := attachments(ctx, api, filter("transit-gateway-attachment-id", in.Attachment.ID))
	if err != nil {
		return "", nil, fmt.Errorf("in %s, %s: %w", in.Gateway.Account, in.Gateway.Region, err)
	}
	if len(seen) == 0 { // and its association and propagation with it
		return "", nil, nil
	}
	if a := seen[0].Association; a != nil && a.State == types.TransitGatewayAssociationStateAssociating {
		return "", nil, fault.New(fault.NotYet, "taking %s out of %s: it is %s", in.Attachment.ID, aws.ToString(a.TransitGatewayRouteTableId), a.State)
	} else if a != nil && a.State == types.TransitGatewayAssociationStateAssociated {
		associated = aws.ToString(a.TransitGatewayRouteTableId)
	}
	reached, err = propagated(ctx, api, in.Attachment.ID)
	return associated, reached, err
}

// takeOut takes an association or a propagation away. That somebody did so meanwhile is as good.
func takeOut(ctx context.Context, api Disassociater, in workflow.AttachmentInput, item ledger.Item) error {
	id, table := in.Attachment.ID, item.Key
	if item.Kind == ledger.Association {
		slog.InfoContext(ctx, "disassociating", "attachment", id, "table", table)
		_, err := api.DisassociateTransitGatewayRouteTable(ctx, &ec2.DisassociateTransitGatewayRouteTableInput{TransitGatewayAttachmentId: &id, TransitGatewayRouteTableId: &table})
		if err != nil && !fault.HasCode(err, "InvalidAssociation.NotFound") {
			return fmt.Errorf("disassociating %s from %s in %s: %w", id, table, in.Gateway.Account, err)
		}
		return nil
	}
	slog.InfoContext(ctx, "ending the propagation", "attachment", id, "table", table)
	_, err := api.DisableTransitGatewayRouteTablePropagation(ctx, &ec2.DisableTransitGatewayRouteTablePropagationInput{TransitGatewayAttachmentId: &id, TransitGatewayRouteTableId: &table})
	if err != nil && !fault.HasCode(err, "TransitGatewayRouteTablePropagation.NotFound") {
		return fmt.Errorf("ending the propagation of %s to %s in %s: %w", id, table, in.Gateway.Account, err)
	}
	return nil
}
