package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Supposed is what a plan supposes of what it is about.
type Supposed struct {
	// Remove: its owner takes it back, by drawbridge:manage=undo or, where owners ask by a tag of the thing, without that tag.
	Remove bool
	// Tags are those that its owner sets; nil is one that the owner takes off.
	Tags map[string]*string
}

// words say what is supposed.
func (s Supposed) words() string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		if value := s.Tags[key]; value != nil {
			out = append(out, fmt.Sprintf("tagged %s=%s", key, *value))
		} else {
			out = append(out, "no longer tagged "+key)
		}
	}
	return strings.Join(out, " and ")
}

// Connection plans the next look at a connection or request; or, with tags that are supposed, what their record leads to. They are those of the side of the account by; if
// that has none, of the side that accepts.
func Connection(ctx context.Context, h Hub, c ledger.Connection, by string, suppose Supposed) (Plan, error) {
	r, err := rehearse(h)
	if err != nil {
		return Plan{}, err
	}
	of, ok := look.At(c, event.Place{}, reasonOf)
	if !ok {
		return Plan{}, fmt.Errorf("planning %s: there is no look at what is of the kind %s", c.ID, c.Kind)
	}
	suppose.Tags = maps.Clone(suppose.Tags)
	if suppose.Remove {
		if suppose.Tags == nil {
			suppose.Tags = map[string]*string{}
		}
		suppose.Tags[tag.Manage] = aws.String(tag.Undo)
	}
	var all []deed.Thing
	if len(suppose.Tags) > 0 {
		if all, err = r.carriers(ctx, c, by, suppose.Remove); err != nil {
			return Plan{}, err
		}
	}
	if len(all) == 0 {
		return r.follow(ctx, Plan{About: "the next look at " + c.ID}, []asked{told(of.DetailType(), detailOf(of))})
	}
	return r.suppose(ctx, c.ID, all, suppose)
}

// Thing plans what follows if tags of a thing change that is no connection, such as a database.
func Thing(ctx context.Context, h Hub, t deed.Thing, suppose Supposed) (Plan, error) {
	r, err := rehearse(h)
	if err != nil {
		return Plan{}, err
	}
	if len(suppose.Tags) == 0 {
		return Plan{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("planning %s: there is no look at what is a %s", t.ID, t.Kind), Remedy: "say which tag its owner sets or takes off, by --tag or --untag"}
	}
	return r.suppose(ctx, t.ID, []deed.Thing{t}, suppose)
}

// suppose plans what follows if tags change: the record of each thing's change, and the looks that it asks for.
func (r *rehearsal) suppose(ctx context.Context, id string, all []deed.Thing, s Supposed) (Plan, error) {
	var todo []asked
	where := ""
	for _, t := range all {
		if !strings.HasPrefix(t.ID, "arn:") { // each side has tags of its own
			where = " in account " + t.Account
		}
		for key, value := range s.Tags {
			if _, is := tag.Find(t.Kind, key); !is {
				return Plan{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("planning %s: %s on a %s says nothing to Drawbridge", id, key, t.Kind), Remedy: "its tags are " + strings.Join(tag.Keys(t.Kind), ", ") + " (docs/tags.md)"}
			}
			r.World.Tag(t.Account, t.Kind, t.ID, key, value)
		}
		todo = append(todo, changed(t, s.Tags))
	}
	return r.follow(ctx, Plan{About: fmt.Sprintf("what follows if %s is %s%s", id, s.words(), where)}, todo)
}

// arnOf is the ARN of a thing; "" of nothing.
func arnOf(t deed.Thing) string {
	switch {
	case t.Kind == "" || strings.HasPrefix(t.ID, "arn:"):
		return t.ID
	case t.Kind == tag.Role:
		return arn.IAM(arn.Partition(t.Region), t.Account, t.Kind.Resource()+t.ID)
	}
	return arn.New(arn.Partition(t.Region), t.Kind.Service(), t.Region, t.Account, t.Kind.Resource()+t.ID)
}

// carriers are what the owner of one side tags for a connection; to take it back, what carries it.
func (r *rehearsal) carriers(ctx context.Context, c ledger.Connection, by string, back bool) ([]deed.Thing, error) {
	var side ledger.Side
	for _, s := range c.Sides {
		if side.Account != by || side.Account == "" {
			side = s
		}
	}
	at, id := event.Place{Account: side.Account, Region: side.Region}, side.ID
	switch c.Kind {
	case road.Peering, road.Attachment:
		id = c.ID
	case road.Transit:
		if back {
			return r.attached(ctx, c, side)
		}
	case road.DataAPI, road.DataAPIEndpoint, road.Studio, road.PrivateNotebooks, road.Share:
	}
	if t, ok := deed.Tagged(id, at); ok {
		return []deed.Thing{t}, nil
	}
	return nil, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("planning a tag of %s: nobody tags what is of the kind %s", c.ID, c.Kind), Remedy: "plan what drawbridge status lists, or name the thing that is tagged"}
}

// attached are the attachments by which a side of a pair is on its gateway.
func (r *rehearsal) attached(ctx context.Context, c ledger.Connection, side ledger.Side) ([]deed.Thing, error) {
	gateway, _, _ := strings.Cut(c.ID, ":")
	got, err := ec2.NewFromConfig(r.Enter(execution, side.Account, side.Region)).DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{Filters: []types.Filter{
		{Name: aws.String("transit-gateway-id"), Values: []string{gateway}}, {Name: aws.String("vpc-id"), Values: []string{side.ID}}}})
	if err != nil {
		return nil, fmt.Errorf("reading the attachment of %s to %s: %w", side.ID, gateway, err)
	}
	var out []deed.Thing
	for _, a := range got.TransitGatewayVpcAttachments {
		out = append(out, deed.Thing{Kind: tag.Attachment, ID: aws.ToString(a.TransitGatewayAttachmentId), Account: side.Account, Region: side.Region})
	}
	return out, nil
}

// Of returns the connection that is meant by an id that the ledger does not have, at a place: a peering, an attachment, a VPC that wants private notebooks; or that is
// meant by the ARN of a cluster that wants the Data API, or readers.
func Of(id string, at event.Place) (ledger.Connection, bool) {
	c := ledger.Connection{ID: id, Sides: []ledger.Side{{Account: at.Account, Region: at.Region, ID: id}}}
	switch c.Kind = road.Of(id); c.Kind {
	case road.Peering, road.Attachment:
		return c, true
	case road.DataAPI:
		return clustered(c, "rds")
	case road.Studio:
		return clustered(c, "redshift")
	case road.Transit, road.DataAPIEndpoint, road.PrivateNotebooks, road.Share: // by their VPCs, or not at all
	}
	c.Kind = road.PrivateNotebooks
	return c, strings.HasPrefix(id, "vpc-")
}

// clustered is the connection that the ARN of a service's cluster means, in the cluster's own place.
func clustered(c ledger.Connection, service string) (ledger.Connection, bool) {
	of, _, ok := arn.Match(c.ID, service, "cluster:")
	if ok {
		c.Sides[0].Account, c.Sides[0].Region = of.AccountID, of.Region
	}
	return c, ok
}
