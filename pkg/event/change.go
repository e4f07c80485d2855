package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Changed is what an event says that concerns things of several kinds, or several of one: tags that were set or removed,
// things that began or ended, addresses that changed. Nothing of it is a fact; each thing is read before anything is done.
type Changed struct {
	Place
	Name string // CloudTrail's eventName or the detail-type
	Why  string // why there is nothing in it for Drawbridge
	// Things are all that the event names, each once, in the order in which they are named.
	Things []Thing
	// Values are those of the tags by which owners ask, as the record of the call that set them has them, by key. A tag that was taken away has none.
	Values map[string]string
	// Unread says what stands beside them and cannot be read; empty if there is nothing of that kind.
	Unread string
	// Touched are the resources at which somebody's hand was, who may have undone what Drawbridge did there. Untagged are the carriers of
	// connections that lost a tag by which Drawbridge speaks to people.
	Touched  []Touched
	Untagged []string
	// Lists are prefix lists whose entries changed: routes and rules may name them.
	Lists []string
	// Hand is whose hand it was, and At when; Call is the id of the call's record.
	Hand Hand
	At   time.Time
	Call string
	// Contest is the connection of Drawbridge's own event [ContestToReport], and Failed the execution of its event [FailureToReport], by its ARN.
	Contest, Failed string
}

// Nothing reports whether the event names nothing to look at.
func (c Changed) Nothing() bool {
	return len(c.Things)+len(c.Touched)+len(c.Untagged)+len(c.Lists) == 0 && c.Contest == "" && c.Failed == ""
}

// Thing is one thing that an event names.
type Thing struct {
	Kind tag.Kind
	// ID is what AWS calls it by: its id in EC2; its ARN in RDS, Redshift and, where the event has it, Redshift Serverless;
	// the name of a role. A notebook instance has its name, in lower case where the event names it by ARN.
	ID  string
	Act tag.Act
	// Keys are Drawbridge's tags that were set or removed. None with an act that is about tags: it may be any of them.
	Keys []string
}

// valued bounds what is kept of a tag's value: AWS takes 256 characters.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
const valued = 256

// About reports whether the thing may have got, or lost, one of these tags.
func (t Thing) About(keys ...string) bool {
	switch {
	case t.Act == tag.Changes:
		return false
	case len(t.Keys) == 0:
		return true
	}
	return slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(t.Keys, k) })
}

// tableCalls give a subnet another route table.
var tableCalls = []string{"AssociateRouteTable", "ReplaceRouteTableAssociation"}

// ListCalls change the entries of a prefix list. One that a route or a rule names cannot be deleted.
// https://docs.aws.amazon.com/vpc/latest/userguide/working-with-managed-prefix-lists.html
var ListCalls = []string{"ModifyManagedPrefixList", "RestoreManagedPrefixListVersion"}

var listForm = regexp.MustCompile(`^pl-[0-9a-f]{8,32}$`)

// ReadChanged reads an event for all things that it names and Drawbridge may have to look at. An event that names none is not
// an error but says why, and so is one about no tag of Drawbridge's, whatever it names. It fails with [fault.Invalid] if what is left cannot be
// read, since that may concern Drawbridge.
func ReadChanged(raw []byte) (Changed, error) {
	e, out, err := readEnvelope(raw)
	if err != nil {
		return Changed{}, err
	}
	changed := Changed{Place: out.Place, Name: out.Name}
	switch {
	case e.DetailType == "Tag Change on Resource" && e.Source == "aws.tag":
		err = changed.tagChange(e)
	case e.Source == "aws.rds" && (e.DetailType == "RDS DB Instance Event" || e.DetailType == "RDS DB Cluster Event"):
		err = changed.databaseState(e.Detail)
	case e.DetailType == CallRecorded:
		err = changed.recorded(e, out.Time)
	case e.Source == Source && e.DetailType == ContestToReport:
		err = changed.contest(e.Detail)
	case e.Source == Source && e.DetailType == FailureToReport:
		err = changed.failure(e.Detail)
	default:
		changed.Why = fmt.Sprintf("%q from %s names nothing that Drawbridge looks at for its tags", clip(e.DetailType), clip(e.Source))
	}
	if err == nil && changed.Nothing() && changed.Why == "" {
		changed.Why = changed.Name + " names nothing that Drawbridge looks at"
	}
	return changed, err
}

// recorded reads CloudTrail's record of a call.
func (c *Changed) recorded(e envelope, arrived time.Time) error {
	r, err := readRecord(e.Source, e.Detail)
	if err != nil {
		return err
	}
	var who identity
	if err := json.Unmarshal(e.Detail, &who); err != nil {
		return invalid("detail: %v", err)
	}
	c.Name, c.Hand, c.At, c.Call = clip(r.call), who.hand(), who.when(arrived), plain(who.EventID, 60)
	known, ok := tag.FindRecord(r.service, r.call)
	table, list := r.service == "ec2" && slices.Contains(tableCalls, r.call), r.service == "ec2" && slices.Contains(ListCalls, r.call)
	touch, touches := FindTouch(r.service, r.call)
	switch {
	case !ok && !table && !list && !touches:
		c.Why = fmt.Sprintf("%s of %s says nothing of tags, nor of what begins or ends", c.Name, clip(r.service))
		return nil
	case r.failed != "":
		c.Why = fmt.Sprintf("%s failed with %s, so nothing changed", c.Name, clip(r.failed))
		return nil
	case touches && who.own():
		c.Why = c.Name + " was Drawbridge's own"
		return nil
	}
	if touches {
		if c.Touched, err = touch.touched(c.Place, r); err != nil || !ok {
			return err
		}
	}
	switch {
	case list:
		return c.list(r)
	case table:
		id := r.request.one("routeTableId")
		if !tableForm.MatchString(id) {
			return invalid("%s names no route table: %q is not of the form rtb-0123456789abcdef0", c.Name, clip(id))
		}
		c.Things = []Thing{{Kind: tag.RouteTable, ID: id, Act: tag.Changes}}
		return nil
	}
	if known.Act == tag.Removes && r.service == "ec2" && !who.own() {
		c.Untagged = untagged(r)
	}
	keys, about := wished(known.Act, r.request.tagKeys())
	if known.Names.Kind == tag.RedshiftCluster { // Redshift has no event of its own that a cluster began
		about = true
	}
	if !about {
		if c.Nothing() {
			c.Why = c.Name + " is about no tag of Drawbridge's"
		}
		return nil
	}
	names := r.request.texts(known.Names.Path...)
	if known.Names.Response {
		names = r.response.texts(known.Names.Path...)
		if len(names) == 0 { // some name it in both, and one part may be missing
			names = r.request.texts(known.Names.Path[len(known.Names.Path)-1])
		}
	} else if len(names) == 0 {
		names = r.response.texts(known.Names.Path...)
	}
	if len(names) == 0 && known.Act == tag.Changes && known.Names.Kind == tag.VPC {
		names = r.response.texts("subnet", "vpcId")
	}
	if err := c.addAll(known, names, keys); err != nil {
		return err
	}
	if known.Act == tag.Sets || known.Act == tag.Creates {
		c.Values = r.request.tagValues(keys)
	}
	if len(c.Things) == 0 && known.Names.Kind != "" {
		return invalid("%s names no %s: there is nothing at %s", c.Name, known.Names.Kind, strings.Join(known.Names.Path, "."))
	}
	return nil
}

// list takes the prefix list that a call changed.
func (c *Changed) list(r record) error {
	id := r.request.one("prefixListId")
	if !listForm.MatchString(id) {
		return invalid("%s names no prefix list: %q is not of the form pl-0123456789abcdef0", c.Name, clip(id))
	}
	c.Lists = []string{id}
	return nil
}

// untagged returns the carriers that lost a tag by which Drawbridge speaks: one that was named, or all.
func untagged(r record) []string {
	keys := r.request.tagKeys()
	if len(keys) > 0 && !slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, tag.Prefix) && !slices.Contains(tag.Keys(), k) }) {
		return nil
	}
	var out []string
	for _, id := range r.request.texts("resourcesSet", "resourceId") {
		if peeringForm.MatchString(id) || attachmentForm.MatchString(id) {
			out = append(out, id)
		}
	}
	return out
}

// wished returns Drawbridge's keys among those of a call; about says whether the call can matter for its tags at all. A call
// that removes tags and names none removes all; one that changes or ends a thing matters by itself.
func wished(act tag.Act, keys []string) (wished []string, about bool) {
	for _, key := range keys {
		if slices.Contains(tag.Keys(), key) && !slices.Contains(wished, key) {
			wished = append(wished, key)
		}
	}
	switch act {
	case tag.Sets, tag.Creates:
		return wished, len(wished) > 0
	case tag.Removes:
		return wished, len(wished) > 0 || len(keys) == 0
	}
	return nil, true
}

// addAll adds the things with these names. One that cannot be read never hides the others: it is an error only if there is no other.
func (c *Changed) addAll(r tag.Record, names, keys []string) error {
	var unread error
	for _, name := range names {
		if err := c.add(r, name, keys); err != nil {
			unread = cmp.Or(unread, err)
		}
	}
	if unread != nil && len(c.Things) > 0 {
		c.Unread, unread = unread.Error(), nil
	}
	return unread
}

// add adds the thing with a name to what the event is about, once, if it is one that Drawbridge looks at.
func (c *Changed) add(r tag.Record, name string, keys []string) error {
	thing := Thing{Kind: r.Names.Kind, ID: name, Act: r.Act, Keys: keys}
	var err error
	if thing.Kind == "" {
		if thing.Kind, thing.ID, err = named(c.Place, r.Service, name); err != nil || thing.Kind == "" {
			return err
		}
	} else if thing.ID, err = ofKind(c.Place, thing.Kind, name); err != nil {
		return err
	}
	for _, key := range tag.Keys(thing.Kind) {
		if len(keys) == 0 || slices.Contains(keys, key) {
			if !slices.ContainsFunc(c.Things, func(t Thing) bool { return t.Kind == thing.Kind && t.ID == thing.ID }) {
				c.Things = append(c.Things, thing)
			}
			return nil
		}
	}
	return nil
}

// ids say what the ids of EC2 begin with. Other things of transit gateways begin like the gateways themselves.
var ids = []struct {
	prefix string
	kind   tag.Kind
}{{"vpc-", tag.VPC}, {"subnet-", tag.Subnet}, {"rtb-", tag.RouteTable}, {"sg-", tag.Group}, {"pcx-", tag.Peering}, {"tgw-attach-", tag.Attachment}, {"tgw-rtb-", ""}, {"tgw-mcast-", ""}, {"tgw-ptb-", ""}, {"tgw-connect-", ""}, {"tgw-", tag.Gateway}}

// named tells the kind of thing that an id or ARN of a service names, "" if it is none of those that Drawbridge looks at, and
// how it is called. A thing of another account or Region than the call's is a lie: tags are set where the thing is.
func named(at Place, service, name string) (tag.Kind, string, error) {
	if !strings.HasPrefix(name, "arn:") {
		for _, each := range ids {
			if service == "ec2" && strings.HasPrefix(name, each.prefix) {
				if each.kind != "" && !each.kind.Naming().Form.MatchString(name) {
					return "", "", invalid("%q is no %s", clip(name), each.kind)
				}
				return each.kind, name, nil
			}
		}
		return "", "", nil
	}
	for _, kind := range tag.KindsOf(service) {
		where, id, ok := arn.Match(name, kind.Service(), kind.Resource())
		if !ok {
			continue
		}
		if where.AccountID != at.Account || where.Region != "" && where.Region != at.Region {
			return "", "", invalid("%q is no %s of %s, %s", clip(name), kind, at.Account, at.Region)
		}
		of := kind.Naming()
		if kind == tag.Role { // with its path
			id = id[strings.LastIndexByte(id, '/')+1:]
		}
		if form := cmp.Or(of.InARN, of.Form); !form.MatchString(id) {
			return "", "", invalid("%q is no %s", clip(name), kind)
		}
		if of.ByARN {
			id = name
		}
		return kind, id, nil
	}
	return "", "", nil
}

// ofKind returns how the thing of a kind with a name is called. Some are named by their ARNs or by their names, whatever the caller said.
func ofKind(at Place, kind tag.Kind, name string) (string, error) {
	of := kind.Naming()
	if strings.HasPrefix(name, "arn:") && of.ByARN {
		is, id, err := named(at, of.Service, name)
		if err == nil && is != kind {
			err = invalid("%q is not the ARN of a %s", clip(name), kind)
		}
		return id, err
	}
	if of.Folded {
		name = strings.ToLower(name)
	}
	if !of.Form.MatchString(name) {
		return "", invalid("%q is not the name of a %s", clip(name), kind)
	}
	if of.Made {
		return arn.New(arn.Partition(at.Region), of.Service, at.Region, at.Account, of.Resource+name), nil
	}
	return name, nil
}

// tagChange reads the event that a service sends itself when tags of a thing change. It says which keys, and which
// tags there are now.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tag-changes.html
func (c *Changed) tagChange(e envelope) error {
	var d struct {
		Keys []string       `json:"changed-tag-keys"`
		Tags map[string]any `json:"tags"` // as they are now
	}
	if err := json.Unmarshal(e.Detail, &d); err != nil {
		return invalid("detail: %v", err)
	}
	var resources []string
	if err := object(e.Resources, &resources); err != nil {
		return invalid("resources: %v", err)
	}
	keys, about := wished(tag.Sets, d.Keys)
	if !about {
		c.Why = "the tags that changed are not Drawbridge's"
		return nil
	}
	act := tag.Sets
	if !slices.ContainsFunc(keys, func(key string) bool { _, there := d.Tags[key]; return there }) {
		act = tag.Removes
	}
	return c.addAll(tag.Record{Service: "tagging", Act: act}, resources, keys)
}

// databaseState reads an event of RDS's own: a database was created, restored, restarted or deleted.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
func (c *Changed) databaseState(detail json.RawMessage) error {
	var d struct {
		ARN     string `json:"SourceArn"`
		EventID string `json:"EventID"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return invalid("detail: %v", err)
	}
	act := tag.Creates
	if d.EventID == "RDS-EVENT-0003" || d.EventID == "RDS-EVENT-0171" {
		act = tag.Deletes
	}
	return c.add(tag.Record{Service: "rds", Act: act}, d.ARN, nil)
}
