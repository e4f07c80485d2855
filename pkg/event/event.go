// Package event reads what EventBridge delivers.
//
// An event names a thing and nothing more: no fact of it is trusted, because events come late, twice and out of
// order, and CloudTrail's shapes vary. What Drawbridge takes from an event is which peering, in which account and
// Region; the rest is read from AWS. Names are checked strictly before they are used, shapes are read tolerantly,
// and an event that nobody here knows becomes an [Unhandled] one, never a guess.
package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
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
	Change    Kind = "change"    // a VPC or a database changed in a way that its connections may have to follow
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
	// Others are places that the event mentions as the peering's ends. They are hints where to look when the
	// place of the event is closed to us; they prove nothing.
	Others []Place

	// NotebookName is the notebook instance (Kind Notebook), in its own case.
	NotebookName string

	// RouteTableID is the route table (Kind Routes).
	RouteTableID string

	// Cluster is the Redshift cluster that a call of Redshift names, in the place of the event; empty if it names none.
	Cluster string

	// Workgroup is the workgroup of Redshift Serverless that was made with the tag drawbridge:studio, or got it (Kind Studio):
	// its ARN or, when it was made, its name.
	Workgroup string

	// Consumer is the account for whose sake a look at Cluster was asked for; empty if it was for nobody's.
	Consumer string
	// Roles says that a tag of a role of the account changed (Kind Private), or the roles with which people work in Studio
	// (Kind Studio).
	Roles bool

	// DomainID is the Studio domain (Kind Studio, without Cluster and Roles).
	DomainID string

	// VPC is the VPC that changed (Kind Change); empty where the event names only a database. With Kind Attachment, the
	// VPC that wants a look. With Kind Private, the VPC whose tags changed, if the event names one.
	VPC string
	// Network says that the VPC's addresses or subnets changed, not its tags (Kind Change).
	Network bool
	// ClusterARN is the Aurora cluster that was made or whose tags changed (Kind Change); empty where the event names none.
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
	regionForm   = regexp.MustCompile(`^` + arn.RegionForm + `$`)
	vpcForm      = regexp.MustCompile(`^vpc-[0-9a-f]{8,32}$`)
	peeringForm  = regexp.MustCompile(`^pcx-[0-9a-f]{8,32}$`)
	tableForm    = regexp.MustCompile(`^rtb-[0-9a-f]{8,32}$`)
	notebookForm = regexp.MustCompile(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`)
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

// Parse reads one EventBridge event. It fails with [fault.Invalid] when the event is of a kind we handle and does
// not name its thing properly; the message names the field.
func Parse(raw []byte) (Event, error) {
	if len(raw) > maxSize {
		return Event{}, invalid("the event has %d bytes, more than EventBridge's 256 KiB", len(raw))
	}
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return Event{}, invalid("not an EventBridge event: %v", err)
	}
	if e.Source == "" || e.DetailType == "" {
		return Event{}, invalid("not an EventBridge event: source or detail-type is missing")
	}
	out := Event{Kind: Unhandled, ID: e.ID, Name: e.DetailType}
	out.Time, _ = time.Parse(time.RFC3339, e.Time)
	var err error
	if out.Place, err = place(string(e.Account), e.Region); err != nil {
		return Event{}, err
	}
	switch {
	case e.DetailType == "AWS API Call via CloudTrail" && e.Source == "aws.ec2":
		return ec2Call(out, e.Detail)
	case e.Source == Source && Own(e.DetailType):
		return own[e.DetailType](out, e.Detail)
	case e.DetailType == ShareChanged && e.Source == "aws.ram":
		return sharing(out, e.Resources), nil
	case e.DetailType == "Tag Change on Resource" && e.Source == "aws.tag":
		out.VPC = taggedVPC(out.Place, e.Resources)
		return optIn(out, e.Detail)
	case e.DetailType == "AWS API Call via CloudTrail" && e.Source == "aws.iam":
		return optIn(out, e.Detail)
	case e.DetailType == "AWS API Call via CloudTrail" && e.Source == "aws.ram":
		return shareCall(out, e.Detail)
	case e.Source == "aws.rds" && (e.DetailType == "RDS DB Instance Event" || e.DetailType == "RDS DB Cluster Event"):
		out.Kind = Change
		out.ClusterARN, err = source(out.Place, e.Detail)
		return out, err
	case e.DetailType == "AWS API Call via CloudTrail" && (e.Source == "aws.rds" || e.Source == "aws.redshift"):
		return databaseCall(out, e.Detail)
	case e.DetailType == "AWS API Call via CloudTrail" && e.Source == "aws.redshift-serverless":
		return workgroupCall(out, e.Detail)
	case e.DetailType == "SageMaker Notebook Instance State Change" && e.Source == "aws.sagemaker":
		return notebookChange(out, e.Detail)
	case e.DetailType == "AWS API Call via CloudTrail" && e.Source == "aws.sagemaker":
		return studioCall(out, e.Detail)
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
	out.Kind, out.Place, out.PeeringID = Peering, where, d.PeeringID
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

// vpcCalls are the API calls that change which addresses a VPC has, or which of its route tables are in use.
var vpcCalls = map[string]bool{
	"AssociateVpcCidrBlock":    true,
	"DisassociateVpcCidrBlock": true,
	"CreateSubnet":             true,
}

// databaseCalls are the API calls about databases that can change who reaches them, of RDS and of Redshift.
var databaseCalls = map[string]bool{
	"AddTagsToResource":      true,
	"RemoveTagsFromResource": true,
	"ModifyDBInstance":       true,
	"ModifyDBCluster":        true,
	"CreateCluster":          true,
	"ModifyCluster":          true,
	"DeleteCluster":          true,
	"CreateTags":             true,
	"DeleteTags":             true,
}

// databaseCall reads a CloudTrail record of RDS or Redshift. It says that databases changed, not which: the calls name
// them in too many ways, and their VPCs in none.
func databaseCall(out Event, detail json.RawMessage) (Event, error) {
	var c call
	if err := json.Unmarshal(detail, &c); err != nil {
		return Event{}, invalid("detail: %v", err)
	}
	out.Name = clip(c.EventName)
	switch {
	case !databaseCalls[c.EventName]:
		out.Why = fmt.Sprintf("%s does not change who reaches a database", out.Name)
	case c.ErrorCode != "":
		out.Failed = true
		out.Why = fmt.Sprintf("%s failed with %s, so nothing changed", out.Name, clip(c.ErrorCode))
	default:
		out.Kind = Change
		out.Cluster = namedCluster(c.Parameters)
		var err error
		if out.ClusterARN, err = cluster(out.Place, c.Parameters); err != nil {
			return Event{}, err
		}
	}
	return out, nil
}

// peeringCalls are the API calls about a peering that start the Peering machine.
var peeringCalls = map[string]bool{
	"CreateVpcPeeringConnection":        true,
	"AcceptVpcPeeringConnection":        true,
	"RejectVpcPeeringConnection":        true,
	"DeleteVpcPeeringConnection":        true,
	"ModifyVpcPeeringConnectionOptions": true,
	"CreateTags":                        true,
	"DeleteTags":                        true,
}

// routeCalls are the API calls that change which routes a subnet has; they start the Notebook machine.
var routeCalls = map[string]bool{
	"CreateRoute":                  true,
	"ReplaceRoute":                 true,
	"DeleteRoute":                  true,
	"AssociateRouteTable":          true,
	"ReplaceRouteTableAssociation": true,
}

type vpcInfo struct {
	OwnerID text   `json:"ownerId"`
	Region  string `json:"region"`
}

type call struct {
	EventName  string          `json:"eventName"`
	ErrorCode  string          `json:"errorCode"`
	Parameters json.RawMessage `json:"requestParameters"`
	Response   json.RawMessage `json:"responseElements"`
}

type parameters struct {
	PeeringID  string         `json:"vpcPeeringConnectionId"`
	PeerOwner  text           `json:"peerOwnerId"`
	PeerRegion string         `json:"peerRegion"`
	TableID    string         `json:"routeTableId"`
	Resources  list[resource] `json:"resourcesSet"`
	VPC        string         `json:"vpcId"`
	// The newer calls of EC2 wrap their parameters.
	Associate struct {
		VPC string `json:"VpcId"`
	} `json:"AssociateVpcCidrBlockRequest"`
}

type resource struct {
	ID string `json:"resourceId"`
}

type response struct {
	Associate struct {
		VPC string `json:"vpcId"`
	} `json:"AssociateVpcCidrBlockResponse"`
	Subnet struct {
		VPC string `json:"vpcId"`
	} `json:"subnet"`
	Disassociate struct {
		VPC string `json:"vpcId"`
	} `json:"DisassociateVpcCidrBlockResponse"`
	Peering struct {
		ID        string  `json:"vpcPeeringConnectionId"`
		Requester vpcInfo `json:"requesterVpcInfo"`
		Accepter  vpcInfo `json:"accepterVpcInfo"`
	} `json:"vpcPeeringConnection"`
}

// ec2Call reads a CloudTrail record of EC2. Shapes: Create names the peering only in its response, the others
// in their parameters; tag calls list resources.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func ec2Call(out Event, detail json.RawMessage) (Event, error) {
	var c call
	if err := json.Unmarshal(detail, &c); err != nil {
		return Event{}, invalid("detail: %v", err)
	}
	if endpointCalls[c.EventName] {
		return optIn(out, detail)
	}
	if gatewayCalls[c.EventName] {
		return gatewayCall(out, c)
	}
	out.Name = clip(c.EventName)
	if !peeringCalls[c.EventName] && !routeCalls[c.EventName] && !vpcCalls[c.EventName] {
		out.Why = fmt.Sprintf("%s is not about a peering or a route table", out.Name)
		return out, nil
	}
	if c.ErrorCode != "" {
		out.Failed = true
		out.Why = fmt.Sprintf("%s failed with %s, so nothing changed", out.Name, clip(c.ErrorCode))
		return out, nil
	}
	var p parameters
	if err := object(c.Parameters, &p); err != nil {
		return Event{}, invalid("detail.requestParameters: %v", err)
	}
	if routeCalls[c.EventName] {
		if !tableForm.MatchString(p.TableID) {
			return Event{}, invalid("%s names no route table: %q is not of the form rtb-0123456789abcdef0", out.Name, clip(p.TableID))
		}
		out.Kind, out.RouteTableID = Routes, p.TableID
		return out, nil
	}
	var r response
	if err := object(c.Response, &r); err != nil {
		return Event{}, invalid("detail.responseElements: %v", err)
	}
	if vpcCalls[c.EventName] {
		out.Network = true
		return changed(out, p.Associate.VPC, r.Associate.VPC, r.Disassociate.VPC, r.Subnet.VPC, p.VPC)
	}
	id := p.PeeringID
	if c.EventName == "CreateVpcPeeringConnection" {
		id = r.Peering.ID
	}
	if c.EventName == "CreateTags" || c.EventName == "DeleteTags" {
		id = first("pcx-", p.Resources)
		if about, ok := tagged(out, p); ok && id == "" {
			return about, nil
		}
		if vpc := first("vpc-", p.Resources); id == "" && vpc != "" {
			return changed(out, vpc)
		}
		if id == "" {
			out.Why = fmt.Sprintf("%s is not about a peering", out.Name)
			return out, nil
		}
	}
	if !peeringForm.MatchString(id) {
		return Event{}, invalid("%s names no peering: %q is not of the form pcx-0123456789abcdef0", out.Name, clip(id))
	}
	out.Kind, out.PeeringID = Peering, id
	for _, hint := range []struct{ account, region string }{
		{string(r.Peering.Requester.OwnerID), r.Peering.Requester.Region},
		{string(r.Peering.Accepter.OwnerID), r.Peering.Accepter.Region},
		{string(p.PeerOwner), p.PeerRegion},
	} {
		if hint.region == "" {
			hint.region = out.Region
		}
		other, err := place(hint.account, hint.region)
		if err == nil && other != out.Place {
			out.Others = append(out.Others, other)
		}
	}
	return out, nil
}

// changed returns the event that a VPC changed: the first one that is named.
func changed(out Event, vpcs ...string) (Event, error) {
	for _, vpc := range vpcs {
		if vpc == "" {
			continue
		}
		if !vpcForm.MatchString(vpc) {
			return Event{}, invalid("%s names no VPC: %q is not of the form vpc-0123456789abcdef0", out.Name, clip(vpc))
		}
		out.Kind, out.VPC = Change, vpc
		return out, nil
	}
	return Event{}, invalid("%s names no VPC", out.Name)
}

func first(prefix string, resources []resource) string {
	for _, r := range resources {
		if strings.HasPrefix(r.ID, prefix) {
			return r.ID
		}
	}
	return ""
}

// notebookChange reads SageMaker's own event. Only the name is taken; the API must be called with the name in its
// own case, which the lower-case ARN in "resources" loses.
// https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
func notebookChange(out Event, detail json.RawMessage) (Event, error) {
	var d struct {
		Name string `json:"NotebookInstanceName"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return Event{}, invalid("detail: %v", err)
	}
	if !notebookForm.MatchString(d.Name) {
		return Event{}, invalid("detail.NotebookInstanceName %q is not a notebook's name", clip(d.Name))
	}
	out.Kind, out.NotebookName = Notebook, d.Name
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
	if !regionForm.MatchString(region) {
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

// list reads CloudTrail's forms of a list: {"items":[…]}, {"item":[…]}, {"item":{…}}, […], one object, "" and null.
type list[T any] []T

// UnmarshalJSON implements [json.Unmarshaler].
func (l *list[T]) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) || bytes.Equal(raw, []byte(`""`)) {
		return nil
	}
	if raw[0] == '[' {
		return json.Unmarshal(raw, (*[]T)(l))
	}
	var wrapped struct {
		Items json.RawMessage `json:"items"`
		Item  json.RawMessage `json:"item"`
	}
	if err := json.Unmarshal(raw, &wrapped); err != nil {
		return err
	}
	for _, inner := range []json.RawMessage{wrapped.Items, wrapped.Item} {
		if len(inner) > 0 {
			return l.UnmarshalJSON(inner)
		}
	}
	if bytes.Equal(raw, []byte("{}")) {
		return nil
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}
