package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// The kinds of event about transit gateways that accounts share.
const (
	Share      Kind = "share"      // a resource share of RAM changed
	Attachment Kind = "attachment" // a VPC's attachment to a transit gateway changed, or what decides about it
)

// The detail-types of Drawbridge's own events that a resource share, or a VPC on a transit gateway, wants a look.
const (
	ShareToInspect      = "Share To Inspect"
	AttachmentToInspect = "Attachment To Inspect"
)

// ShareChanged is the detail-type of RAM's own event, which comes to the accounts on both sides of a share.
const ShareChanged = "Resource Sharing State Change"

// InvitationAccepted is the call of RAM by which an account accepts what is shared with it; its record comes from that account.
const InvitationAccepted = "AcceptResourceShareInvitation"

// ShareInspection is the detail of Drawbridge's own event [ShareToInspect]. Account is one of those that the share
// concerns, its owner or one that it is shared with.
type ShareInspection struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Share   string `json:"resourceShareArn"`
	Reason  string `json:"reason"`
}

// AttachmentInspection is the detail of Drawbridge's own event [AttachmentToInspect]: one VPC, in its own account and
// Region, on one gateway; or on each that it asks for or is attached to, if none is named. Where no VPC is named, it is what one
// attachment attaches, or every one that waits for the owner of the gateway, or that the gateway's tags take back.
type AttachmentInspection struct {
	Account          string `json:"account"`
	Region           string `json:"region"`
	TransitGatewayID string `json:"transitGatewayId,omitempty"`
	AttachmentID     string `json:"transitGatewayAttachmentId,omitempty"`
	VPC              string `json:"vpcId,omitempty"`
	Reason           string `json:"reason"`
}

var (
	gatewayForm    = tag.Gateway.Naming().Form
	attachmentForm = tag.Attachment.Naming().Form
	shareID        = regexp.MustCompile(`^[0-9a-f-]{36}$`)
)

// shareCalls are the API calls of RAM that change what is shared with whom.
var shareCalls = map[string]bool{
	"CreateResourceShare":       true,
	"AssociateResourceShare":    true,
	"DisassociateResourceShare": true,
	"DeleteResourceShare":       true,
	InvitationAccepted:          true,
}

// gatewayCalls are the API calls of EC2 about attachments to a transit gateway.
var gatewayCalls = map[string]bool{
	"CreateTransitGatewayVpcAttachment":          true,
	"AcceptTransitGatewayVpcAttachment":          true,
	"RejectTransitGatewayVpcAttachment":          true,
	"DeleteTransitGatewayVpcAttachment":          true,
	"ModifyTransitGatewayVpcAttachment":          true,
	"AssociateTransitGatewayRouteTable":          true,
	"DisassociateTransitGatewayRouteTable":       true,
	"EnableTransitGatewayRouteTablePropagation":  true,
	"DisableTransitGatewayRouteTablePropagation": true,
}

// gatewayCall reads a record of EC2 about an attachment.
func gatewayCall(out Event, r record) (Event, error) {
	got := func(name string) string { return r.response.one("transitGatewayVpcAttachment", name) }
	id := cmp.Or(got("transitGatewayAttachmentId"), r.request.one("transitGatewayAttachmentId"))
	if !attachmentForm.MatchString(id) {
		return Event{}, invalid("%s names no attachment: %q is not of the form tgw-attach-0123456789abcdef0", out.Name, clip(id))
	}
	out.Kind, out.AttachmentID = Attachment, id
	if owner, err := place(got("vpcOwnerId"), out.Region); err == nil && owner != out.Place {
		out.Others = append(out.Others, owner)
	}
	return out, nil
}

// sharing reads RAM's own event. Only its kind and its place are documented; a share's ARN is taken if it names just one, else
// all shares of the place are looked at.
// https://docs.aws.amazon.com/ram/latest/userguide/using-eventbridge.html
func sharing(out Event, resources json.RawMessage) Event {
	out.Kind = Share
	if v, err := readValue(resources); err == nil {
		if shares := v.shares(); len(shares) == 1 {
			out.ShareARN = shares[0]
		}
	}
	return out
}

// shareCall reads a record of RAM. Its calls name the share as resourceShareArn, in the parameters or in the answer, at different depths.
func shareCall(out Event, r record) (Event, error) {
	if !shareCalls[r.call] {
		out.Why = fmt.Sprintf("%s does not change what is shared with whom", out.Name)
		return out, nil
	}
	out.Kind = Share
	if shares := (value{list: []value{r.response, r.request}}).shares(); len(shares) == 1 {
		out.ShareARN = shares[0]
	}
	return out, nil
}

// shares returns the ARNs of resource shares that stand anywhere in a value, sorted, each once.
func (v value) shares() []string {
	var found []string
	if _, ok := ShareOwner(v.text); ok {
		found = append(found, v.text)
	}
	for _, each := range append(slices.Collect(maps.Values(v.fields)), v.list...) {
		found = append(found, each.shares()...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// shareToInspect and attachmentToInspect read Drawbridge's own events, strictly: only Drawbridge sends them.
func shareToInspect(out Event, detail json.RawMessage) (Event, error) {
	var d ShareInspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	where, err := place(d.Account, d.Region)
	if err != nil {
		return Event{}, err
	}
	if _, ok := ShareOwner(d.Share); !ok {
		return Event{}, invalid("detail.resourceShareArn %q is not the ARN of a resource share", clip(d.Share))
	}
	out.Kind, out.Place, out.ShareARN = Share, where, d.Share
	return out, nil
}

func attachmentToInspect(out Event, detail json.RawMessage) (Event, error) {
	var d AttachmentInspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	where, err := place(d.Account, d.Region)
	if err != nil {
		return Event{}, err
	}
	if d.TransitGatewayID != "" && !gatewayForm.MatchString(d.TransitGatewayID) {
		return Event{}, invalid("detail.transitGatewayId %q is not of the form tgw-0123456789abcdef0", clip(d.TransitGatewayID))
	}
	if d.AttachmentID != "" && !attachmentForm.MatchString(d.AttachmentID) {
		return Event{}, invalid("detail.transitGatewayAttachmentId %q is not of the form tgw-attach-0123456789abcdef0", clip(d.AttachmentID))
	}
	if d.VPC == "" && (d.TransitGatewayID == "") == (d.AttachmentID == "") || d.VPC != "" && !vpcForm.MatchString(d.VPC) {
		return Event{}, invalid("detail.vpcId %q is not of the form vpc-0123456789abcdef0, and detail names neither an attachment nor a gateway alone", clip(d.VPC))
	}
	out.AttachmentID = d.AttachmentID
	out.Kind, out.Place, out.GatewayID, out.VPC = Attachment, where, d.TransitGatewayID, d.VPC
	return out, nil
}

// ShareOwner returns the account and Region in which a resource share is, by its ARN; ok reports whether it is one.
func ShareOwner(name string) (owner Place, ok bool) {
	where, id, ok := arn.Match(strings.TrimSpace(name), "ram", "resource-share/")
	if !ok || !shareID.MatchString(id) {
		return Place{}, false
	}
	return Place{Account: where.AccountID, Region: where.Region}, true
}
