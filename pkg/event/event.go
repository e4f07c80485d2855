// Package event reads what EventBridge delivers.
//
// An event names a thing and nothing more: no fact of it is trusted, because events come late, twice and out of
// order, and CloudTrail's shapes vary. What Drawbridge takes from an event is which peering, in which account and
// Region; the rest is read from AWS. Names are checked strictly before they are used, shapes are read tolerantly,
// and an event that nobody here knows becomes an [Unhandled] one, never a guess.
package event

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Kind says what an event is about.
type Kind string

// The kinds of event.
const (
	Peering   Kind = "peering"   // something happened to a VPC peering connection
	Notebook  Kind = "notebook"  // a notebook instance changed state
	Routes    Kind = "routes"    // somebody changed a route table
	Private   Kind = "private"   // the opt-in to private notebooks, or an endpoint, of an account changed
	Studio    Kind = "studio"    // an app of a Studio domain was deleted, or a warehouse wants a look
	DataAPI   Kind = "data-api"  // an Aurora cluster, or a VPC from which the Data API is called, wants a look
	Unhandled Kind = "unhandled" // well-formed, but nothing of ours
)

// Place is an account and a Region.
type Place struct {
	Account string // 12 digits
	Region  string
}

// Event is one event from a member account.
type Event struct {
	Kind   Kind
	ID     string
	Place  // where it happened
	Time   time.Time
	Name   string // CloudTrail's eventName or the detail-type
	Why    string // for Unhandled: why
	Failed bool   // the API call was denied or failed; nothing changed

	// PeeringID is the peering (Kind Peering).
	PeeringID string
	// Follows is the execution that the look goes on from (Kinds Peering and Transit); empty for a look of its own.
	Follows string
	// Others are places that the event mentions as the peering's ends. They are hints where to look when the
	// place of the event is closed to us; they prove nothing.
	Others []Place

	// NotebookName is the notebook instance (Kind Notebook), in its own case.
	NotebookName string
	// Started says that the notebook was starting, or ran, when the event came about (Kind Notebook). It may have been stopped since.
	Started bool

	// RouteTableID is the route table (Kind Routes).
	RouteTableID string

	// Cluster is the Redshift cluster that wants a look (Kind Studio).
	Cluster string
	// Workgroup is the workgroup of Redshift Serverless that has the tag drawbridge:studio (Kind Studio): its ARN or name.
	Workgroup string
	// Roles says that the roles with which people of the account work in Studio changed (Kind Studio).
	Roles bool
	// DomainID is the Studio domain (Kind Studio, without Cluster, Workgroup and Roles).
	DomainID string

	// VPC is the VPC that wants a look (Kinds Attachment and DataAPI).
	VPC string
	// ClusterARN is the Aurora cluster that wants a look (Kind DataAPI).
	ClusterARN string

	// GatewayID and AttachmentID name a transit gateway and an attachment to one (Kinds Attachment and Transit);
	// either may be empty.
	GatewayID    string
	AttachmentID string
	// ShareARN is the resource share (Kind Share); empty where the event names none.
	ShareARN string
	// VPCs are the two VPCs (Kind Transit).
	VPCs []VPCPlace
}

var (
	accountForm  = regexp.MustCompile(`^[0-9]{12}$`)
	vpcForm      = tag.VPC.Naming().Form
	peeringForm  = tag.Peering.Naming().Form
	tableForm    = tag.RouteTable.Naming().Form
	subnetForm   = tag.Subnet.Naming().Form
	groupForm    = tag.Group.Naming().Form
	notebookForm = tag.Notebook.Naming().Form
)

// maxSize bounds what is read; EventBridge's own limit is 256 KiB.
const maxSize = 256 << 10

type envelope struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Account    text            `json:"account"`
	Region     string          `json:"region"`
	Time       string          `json:"time"`
	Resources  json.RawMessage `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// readEnvelope reads what every event of EventBridge has.
func readEnvelope(raw []byte) (envelope, Event, error) {
	var e envelope
	if len(raw) > maxSize {
		return e, Event{}, invalid("the event has %d bytes, more than EventBridge's 256 KiB", len(raw))
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, Event{}, invalid("not an EventBridge event: %v", err)
	}
	if e.Source == "" || e.DetailType == "" {
		return e, Event{}, invalid("not an EventBridge event: source or detail-type is missing")
	}
	out := Event{Kind: Unhandled, ID: e.ID, Name: e.DetailType}
	out.Time, _ = time.Parse(time.RFC3339, e.Time)
	var err error
	out.Place, err = place(string(e.Account), e.Region)
	return e, out, err
}

// CallRecorded is the detail-type of CloudTrail's records.
const CallRecorded = "AWS API Call via CloudTrail"

// Stray says why an event is nothing for a machine about another kind of thing.
func (e Event) Stray() string {
	return cmp.Or(e.Why, fmt.Sprintf("an event about a %s is not for this machine", e.Kind))
}

// Parse reads one EventBridge event about one thing. It fails with [fault.Invalid] when the event is of a kind we handle and does
// not name its thing properly; the message names the field. What may name several things is read by [ReadChanged].
func Parse(raw []byte) (Event, error) {
	e, out, err := readEnvelope(raw)
	if err != nil {
		return Event{}, err
	}
	switch {
	case e.Source == Source && Own(e.DetailType):
		return own[e.DetailType](out, e.Detail)
	case e.DetailType == ShareChanged && e.Source == "aws.ram":
		return sharing(out, e.Resources), nil
	case e.DetailType == "SageMaker Notebook Instance State Change" && e.Source == "aws.sagemaker":
		return notebookChange(out, e.Detail)
	case e.DetailType == CallRecorded && recorded[e.Source] != nil:
		r, err := readRecord(e.Source, e.Detail)
		if err != nil {
			return Event{}, err
		}
		out.Name = clip(r.call)
		if r.failed != "" {
			out.Failed = true
			out.Why = fmt.Sprintf("%s failed with %s, so nothing changed", out.Name, clip(r.failed))
			return out, nil
		}
		return recorded[e.Source](out, r)
	}
	out.Why = fmt.Sprintf("no machine handles %q from %s", clip(e.DetailType), clip(e.Source))
	return out, nil
}

// Source and ToInspect are the source and the detail-type of Drawbridge's own event that a peering wants a look. What it
// tells other programs has another source, and starts nothing.
const (
	Source    = "drawbridge.internal"
	ToInspect = "Peering To Inspect"
)

// Inspection is the detail of Drawbridge's own event [ToInspect]. The event comes from the hub, so where the peering is
// to be read stands in the detail.
type Inspection struct {
	Account   string `json:"account"`
	Region    string `json:"region"`
	PeeringID string `json:"vpcPeeringConnectionId"`
	Reason    string `json:"reason"`
	// Follows is the execution whose look did not come to all, and that this one goes on from; empty for a look of its own.
	Follows string `json:"follows,omitempty"`
}

// toInspect reads Drawbridge's own event, strictly: only Drawbridge sends it.
func toInspect(out Event, detail json.RawMessage) (Event, error) {
	var d Inspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	where, err := place(d.Account, d.Region)
	if err != nil {
		return Event{}, err
	}
	if !peeringForm.MatchString(d.PeeringID) {
		return Event{}, invalid("detail.vpcPeeringConnectionId %q is not of the form pcx-0123456789abcdef0", clip(d.PeeringID))
	}
	out.Kind, out.Place, out.PeeringID, out.Follows = Peering, where, d.PeeringID, d.Follows
	return out, nil
}

// strictly decodes the detail of one of Drawbridge's own events.
func strictly(detail json.RawMessage, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(detail))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return invalid("detail: %v", err)
	}
	return nil
}

// recorded are what reads CloudTrail's records of calls that name one thing, by the source of the event.
var recorded = map[string]func(Event, record) (Event, error){
	"aws.ec2": ec2Call, "aws.ram": shareCall, "aws.sagemaker": studioCall,
}

// peeringCalls are the API calls about a peering that start the Peering machine.
var peeringCalls = map[string]bool{
	"CreateVpcPeeringConnection":        true,
	"AcceptVpcPeeringConnection":        true,
	"RejectVpcPeeringConnection":        true,
	"DeleteVpcPeeringConnection":        true,
	"ModifyVpcPeeringConnectionOptions": true,
}

// routeCalls are the API calls that change which routes a subnet has; they start the Notebook machine.
var routeCalls = map[string]bool{
	"CreateRoute":                  true,
	"ReplaceRoute":                 true,
	"DeleteRoute":                  true,
	"AssociateRouteTable":          true,
	"ReplaceRouteTableAssociation": true,
}

// ec2Call reads a record of EC2. Shapes: Create names the peering only in its response, the others in their parameters.
func ec2Call(out Event, r record) (Event, error) {
	switch {
	case endpointCalls[r.call]:
		out.Kind = Private
		return out, nil
	case gatewayCalls[r.call]:
		return gatewayCall(out, r)
	case routeCalls[r.call]:
		id := r.request.one("routeTableId")
		if !tableForm.MatchString(id) {
			return Event{}, invalid("%s names no route table: %q is not of the form rtb-0123456789abcdef0", out.Name, clip(id))
		}
		out.Kind, out.RouteTableID = Routes, id
		return out, nil
	case !peeringCalls[r.call]:
		out.Why = fmt.Sprintf("%s is not about a peering or a route table", out.Name)
		return out, nil
	}
	id := r.request.one("vpcPeeringConnectionId")
	if r.call == "CreateVpcPeeringConnection" {
		id = r.response.one("vpcPeeringConnection", "vpcPeeringConnectionId")
	}
	if !peeringForm.MatchString(id) {
		return Event{}, invalid("%s names no peering: %q is not of the form pcx-0123456789abcdef0", out.Name, clip(id))
	}
	out.Kind, out.PeeringID = Peering, id
	end := func(side, name string) string { return r.response.one("vpcPeeringConnection", side, name) }
	for _, hint := range []struct{ account, region string }{
		{end("requesterVpcInfo", "ownerId"), end("requesterVpcInfo", "region")},
		{end("accepterVpcInfo", "ownerId"), end("accepterVpcInfo", "region")},
		{r.request.one("peerOwnerId"), r.request.one("peerRegion")},
	} {
		other, err := place(hint.account, cmp.Or(hint.region, out.Region))
		if err == nil && other != out.Place {
			out.Others = append(out.Others, other)
		}
	}
	return out, nil
}

// notebookChange reads SageMaker's own event. Only the name is taken, and whether the notebook started; the API must be called with the name in its
// own case, which the lower-case ARN in "resources" loses.
// https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
func notebookChange(out Event, detail json.RawMessage) (Event, error) {
	var d struct {
		Name   string `json:"NotebookInstanceName"`
		Status string `json:"NotebookInstanceStatus"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return Event{}, invalid("detail: %v", err)
	}
	if !notebookForm.MatchString(d.Name) {
		return Event{}, invalid("detail.NotebookInstanceName %q is not a notebook's name", clip(d.Name))
	}
	out.Kind, out.NotebookName, out.Started = Notebook, d.Name, d.Status == "Pending" || d.Status == "InService"
	return out, nil
}

// place checks an account and a Region. CloudTrail sometimes gives an account as a number, without its leading zeros.
func place(account, region string) (Place, error) {
	if account != "" && len(account) < 12 && strings.Trim(account, "0123456789") == "" {
		account = strings.Repeat("0", 12-len(account)) + account
	}
	if !accountForm.MatchString(account) {
		return Place{}, invalid("account %q is not 12 digits", clip(account))
	}
	if !arn.IsRegion(region) {
		return Place{}, invalid("region %q is not a Region", clip(region))
	}
	return Place{account, region}, nil
}

func invalid(format string, args ...any) error {
	return &fault.Error{Kind: fault.Invalid, Message: "reading the event: " + fmt.Sprintf(format, args...),
		Remedy: "compare it with the samples in events/; the raw event is the execution's input"}
}

// clip keeps what strangers wrote out of logs beyond 80 characters.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// object decodes a JSON object; null, absent and "" are an empty one.
func object(raw json.RawMessage, into any) error {
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null")) || bytes.Equal(trimmed, []byte(`""`)) {
		return nil
	}
	return json.Unmarshal(raw, into)
}

// text is a string that CloudTrail sometimes writes as a number.
type text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return fmt.Errorf("%s is neither a string nor a number", clip(string(raw)))
	}
	*t = text(n.String())
	return nil
}
