package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
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

// ShareInspection is the detail of Drawbridge's own event [ShareToInspect]. Account is one of those that the share
// concerns, its owner or one that it is shared with.
type ShareInspection struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Share   string `json:"resourceShareArn"`
	Reason  string `json:"reason"`
}

// AttachmentInspection is the detail of Drawbridge's own event [AttachmentToInspect]: one VPC, in its own account and
// Region, on one gateway; or on each that it asks for or is attached to, if none is named.
type AttachmentInspection struct {
	Account          string `json:"account"`
	Region           string `json:"region"`
	TransitGatewayID string `json:"transitGatewayId,omitempty"`
	VPC              string `json:"vpcId"`
	Reason           string `json:"reason"`
}

var (
	gatewayForm    = regexp.MustCompile(`^tgw-[0-9a-f]{8,32}$`)
	attachmentForm = regexp.MustCompile(`^tgw-attach-[0-9a-f]{8,32}$`)
	shareForm      = regexp.MustCompile(`^arn:aws[a-z-]*:ram:([a-z0-9-]+):([0-9]{12}):resource-share/[0-9a-f-]{36}$`)
)

// shareCalls are the API calls of RAM that change what is shared with whom.
var shareCalls = map[string]bool{
	"CreateResourceShare":           true,
	"AssociateResourceShare":        true,
	"DisassociateResourceShare":     true,
	"DeleteResourceShare":           true,
	"AcceptResourceShareInvitation": true,
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

// wrapped is what a newer call of EC2 wraps its parameters in: the name of the call and "Request". Its values may be
// plain or {"tag": 1, "content": value}.
type wrapped struct {
	Attachment content `json:"TransitGatewayAttachmentId"`
	Gateway    content `json:"TransitGatewayId"`
	VPC        content `json:"VpcId"`
}

// answered is what a newer call of EC2 wraps its answer in: the name of the call and "Response".
type answered struct {
	Attachment struct {
		ID      content `json:"transitGatewayAttachmentId"`
		Gateway content `json:"transitGatewayId"`
		VPC     content `json:"vpcId"`
		Owner   text    `json:"vpcOwnerId"`
	} `json:"transitGatewayVpcAttachment"`
}

// content is a value of a wrapped call. CloudTrail turns EC2's XML into JSON, so it may be plain, a number, or an
// object with the value as "content".
type content string

// UnmarshalJSON implements [json.Unmarshaler].
func (c *content) UnmarshalJSON(raw []byte) error {
	var inner struct {
		Content text `json:"content"`
	}
	if trimmed := bytes.TrimSpace(raw); len(trimmed) > 0 && trimmed[0] == '{' {
		err := json.Unmarshal(trimmed, &inner)
		*c = content(inner.Content)
		return err
	}
	var plain text
	err := plain.UnmarshalJSON(raw)
	*c = content(plain)
	return err
}

// gatewayCall reads a CloudTrail record of EC2 about an attachment.
func gatewayCall(out Event, c call) (Event, error) {
	out.Name = clip(c.EventName)
	if c.ErrorCode != "" {
		out.Failed = true
		out.Why = fmt.Sprintf("%s failed with %s, so nothing changed", out.Name, clip(c.ErrorCode))
		return out, nil
	}
	var requests, responses map[string]json.RawMessage
	if err := object(c.Parameters, &requests); err != nil {
		return Event{}, invalid("detail.requestParameters: %v", err)
	}
	if err := object(c.Response, &responses); err != nil {
		return Event{}, invalid("detail.responseElements: %v", err)
	}
	var asked wrapped
	var got answered
	if err := object(requests[c.EventName+"Request"], &asked); err != nil {
		return Event{}, invalid("detail.requestParameters: %v", err)
	}
	if err := object(responses[c.EventName+"Response"], &got); err != nil {
		return Event{}, invalid("detail.responseElements: %v", err)
	}
	// Records of other tools and of AWS's future may not be wrapped.
	if err := object(c.Parameters, &plainParameters{&asked}); err != nil {
		return Event{}, invalid("detail.requestParameters: %v", err)
	}
	id := either(got.Attachment.ID, asked.Attachment)
	if !attachmentForm.MatchString(id) {
		return Event{}, invalid("%s names no attachment: %q is not of the form tgw-attach-0123456789abcdef0", out.Name, clip(id))
	}
	out.Kind, out.AttachmentID = Attachment, id
	if owner, err := place(string(got.Attachment.Owner), out.Region); err == nil && owner != out.Place {
		out.Others = append(out.Others, owner)
	}
	return out, nil
}

// plainParameters fills in what a call that is not wrapped says.
type plainParameters struct{ into *wrapped }

// UnmarshalJSON implements [json.Unmarshaler].
func (p *plainParameters) UnmarshalJSON(raw []byte) error {
	var flat struct {
		Attachment content `json:"transitGatewayAttachmentId"`
	}
	if err := json.Unmarshal(raw, &flat); err != nil {
		return err
	}
	if p.into.Attachment == "" {
		p.into.Attachment = flat.Attachment
	}
	return nil
}

func either(a, b content) string {
	if a != "" {
		return string(a)
	}
	return string(b)
}

// tagged reads a call that tags, or takes tags off, an attachment or a gateway; ok reports whether it does.
func tagged(out Event, p parameters) (about Event, ok bool) {
	if id := first("tgw-attach-", p.Resources); attachmentForm.MatchString(id) {
		out.Kind, out.AttachmentID = Attachment, id
		return out, true
	}
	if id := first("tgw-", p.Resources); gatewayForm.MatchString(id) {
		out.Kind, out.GatewayID = Attachment, id
		return out, true
	}
	return out, false
}

// sharing reads RAM's own event. Only its kind and its place are documented; a share's ARN is taken if there is one
// among the resources.
// https://docs.aws.amazon.com/ram/latest/userguide/using-eventbridge.html
func sharing(out Event, resources json.RawMessage) Event {
	out.Kind, out.ShareARN = Share, shareARN.FindString(string(resources))
	return out
}

// shareARN finds the ARN of a resource share among what RAM says, wherever it stands.
var shareARN = regexp.MustCompile(`arn:aws[a-z-]*:ram:[a-z0-9-]+:[0-9]{12}:resource-share/[0-9a-f-]{36}`)

// shareCall reads a CloudTrail record of RAM. Its calls name the share as resourceShareArn, in the parameters or in the
// answer, at different depths.
func shareCall(out Event, detail json.RawMessage) (Event, error) {
	var c call
	if err := json.Unmarshal(detail, &c); err != nil {
		return Event{}, invalid("detail: %v", err)
	}
	out.Name = clip(c.EventName)
	switch {
	case !shareCalls[c.EventName]:
		out.Why = fmt.Sprintf("%s does not change what is shared with whom", out.Name)
		return out, nil
	case c.ErrorCode != "":
		out.Failed = true
		out.Why = fmt.Sprintf("%s failed with %s, so nothing changed", out.Name, clip(c.ErrorCode))
		return out, nil
	}
	out.Kind = Share
	for _, part := range []json.RawMessage{c.Response, c.Parameters} {
		if out.ShareARN == "" {
			out.ShareARN = shareARN.FindString(string(part))
		}
	}
	return out, nil
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
	if !shareForm.MatchString(d.Share) {
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
	if !vpcForm.MatchString(d.VPC) {
		return Event{}, invalid("detail.vpcId %q is not of the form vpc-0123456789abcdef0", clip(d.VPC))
	}
	out.Kind, out.Place, out.GatewayID, out.VPC = Attachment, where, d.TransitGatewayID, d.VPC
	return out, nil
}

// ShareOwner returns the account and Region in which a resource share is, by its ARN; ok reports whether it is one.
func ShareOwner(arn string) (owner Place, ok bool) {
	m := shareForm.FindStringSubmatch(strings.TrimSpace(arn))
	if m == nil {
		return Place{}, false
	}
	return Place{Account: m[2], Region: m[1]}, true
}
