package fanout

import (
	"reflect"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Plan says what an event concerns:
//
//	thing               what was said of it                         who is concerned
//	VPC                 addresses, subnets                          its connections; endpoints in it
//	                    drawbridge:accept, drawbridge:reach         its connections
//	                    drawbridge:attach                           its attachments; once set, shares that its account is invited to
//	                    drawbridge:data-api                         its endpoint of the Data API
//	                    drawbridge:private-notebooks                the account's private notebooks
//	                    drawbridge:manage                           both
//	route table         given to a subnet, reach                    the connections of its VPC
//	prefix list         other entries                               all connections of the place
//	peering, attachment any                                         itself
//	transit gateway     any                                         the attachments that wait for its owner, and those that
//	                                                                drawbridge:accept=never takes back, or took back
//	database            share, or it began, changed, ended          all connections of the place
//	Aurora cluster      data-api, secret, manage, or it began, ended  itself as well
//	Redshift cluster    studio, studio-groups, manage, or it began, ended  itself as well
//	workgroup           studio set                                  itself
//	subnet, group       client, reach                               all connections of the place
//	role                private-notebooks                           the account's private notebooks
//	                    studio, or it ended                         the clusters that its account may read
//	Studio domain       studio                                      the clusters that wait for it, or need its setting
//	notebook            any                                         itself
//	secret, key         data-api                                    the Aurora clusters of the place that name readers
//
// A record that removes tags and names none may have removed any of them.
func Plan(c event.Changed) Concern {
	out := Concern{Everywhere: len(c.Lists) > 0}
	for _, t := range c.Things {
		out.thing(c, t)
	}
	for _, list := range []*[]string{&out.VPCs, &out.Networks, &out.Tables, &out.Notebooks} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return out
}

func (o *Concern) thing(c event.Changed, t event.Thing) {
	at, reason := c.Place, c.Name
	if _, database := tag.Find(t.Kind, tag.Share); database {
		o.Everywhere = o.Everywhere || t.Act == tag.Changes || t.About(tag.Share)
	}
	switch t.Kind {
	case tag.VPC:
		if t.Act == tag.Changes {
			o.VPCs, o.Networks = append(o.VPCs, t.ID), append(o.Networks, t.ID)
		}
		if t.About(tag.Accept, tag.Divert, tag.Reach) {
			o.VPCs = append(o.VPCs, t.ID)
		}
		if t.About(tag.Attach) {
			o.look(event.AttachmentInspection{Account: at.Account, Region: at.Region, VPC: t.ID, Reason: reason})
			o.Invited = o.Invited || t.Act == tag.Sets || t.Act == tag.Creates
		}
		if t.About(tag.DataAPI, tag.Manage) {
			o.look(endpointOf(at, t.ID, reason))
		}
		if t.About(tag.PrivateNotebooks, tag.Manage) {
			o.look(privateOf(at, reason))
		}
	case tag.RouteTable:
		o.Tables = append(o.Tables, t.ID)
	case tag.Peering:
		o.look(event.Inspection{Account: at.Account, Region: at.Region, PeeringID: t.ID, Reason: reason})
	case tag.Attachment:
		o.look(event.AttachmentInspection{Account: at.Account, Region: at.Region, AttachmentID: t.ID, Reason: reason})
	case tag.Gateway:
		o.look(event.AttachmentInspection{Account: at.Account, Region: at.Region, TransitGatewayID: t.ID, Reason: reason})
	case tag.DBCluster:
		if t.About(tag.DataAPI, tag.Secret, tag.Manage) {
			o.look(event.DataAPIInspection{Account: at.Account, Region: at.Region, Cluster: t.ID, Reason: reason})
		}
	case tag.RedshiftCluster:
		if t.About(tag.Studio, tag.StudioGroups, tag.Manage) {
			o.look(event.StudioInspection{Account: at.Account, Region: at.Region, Cluster: event.ClusterID(t.ID), Reason: reason})
		}
	case tag.Workgroup:
		if t.About(tag.Studio) && (t.Act == tag.Sets || t.Act == tag.Creates) {
			o.look(event.StudioInspection{Account: at.Account, Region: at.Region, Workgroup: t.ID, Reason: reason})
		}
	case tag.Subnet, tag.Group:
		o.Everywhere = o.Everywhere || t.About(tag.Client, tag.Open, tag.Reach)
	case tag.Role:
		if t.About(tag.PrivateNotebooks) && t.Act != tag.Deletes {
			o.look(privateOf(at, reason))
		}
		if t.About(tag.Studio) {
			o.look(event.StudioInspection{Account: at.Account, Region: at.Region, Roles: true, Reason: reason})
		}
	case tag.Domain:
		if t.About(tag.Studio) {
			o.look(event.StudioInspection{Account: at.Account, Region: at.Region, Domain: t.ID, Reason: reason})
		}
	case tag.Notebook:
		o.Notebooks = append(o.Notebooks, t.ID)
	case tag.StoredSecret, tag.KMSKey:
		o.Clusters = true
	}
}

// Tagged returns the things whose tags the event says were set or removed, so that a value that means nothing is answered. A workgroup's
// drawbridge:studio is answered by its own machine: no value of it can be served. So is the value on a secret or a key, by what the clusters say that name it:
// nothing is ever written to a secret or a key.
func Tagged(c event.Changed) []workflow.TaggedThing {
	out := []workflow.TaggedThing{}
	for _, t := range c.Things {
		if t.Act == tag.Sets || t.Act == tag.Removes || t.Act == tag.Creates && len(t.Keys) > 0 {
			if t.Kind != tag.StoredSecret && t.Kind != tag.KMSKey && (t.Kind != tag.Workgroup || t.About(tag.Share)) {
				out = append(out, workflow.TaggedThing{Account: c.Account, Region: c.Region, Kind: t.Kind, ID: t.ID})
			}
		}
	}
	return out
}

// look adds a look, once.
func (o *Concern) look(l look.Look) {
	if !slices.ContainsFunc(o.Looks, func(each look.Look) bool { return reflect.DeepEqual(each, l) }) {
		o.Looks = append(o.Looks, l)
	}
}

func endpointOf(at event.Place, vpc, reason string) look.Look {
	return event.DataAPIEndpointInspection{Account: at.Account, Region: at.Region, VPC: vpc, Reason: reason}
}

func privateOf(at event.Place, reason string) look.Look {
	return event.PrivateNotebooksInspection{Account: at.Account, Region: at.Region, Reason: reason}
}

// Endpoints returns the looks at the endpoints in a VPC whose addresses or subnets changed: only a VPC that has the tag has
// endpoints that must follow, and that were let go of do not.
func Endpoints(at event.Place, vpc string, tags map[string]string, reason string) []look.Look {
	var looks []look.Look
	if tag.Letting(tags) != "" {
		return nil
	}
	if _, ok := tags[tag.DataAPI]; ok {
		looks = append(looks, endpointOf(at, vpc, reason))
	}
	if _, ok := tags[tag.PrivateNotebooks]; ok {
		looks = append(looks, privateOf(at, reason))
	}
	return looks
}

// Instance returns which of these notebook instances an event names: SageMaker's ARNs have the name in lower case, its calls want it
// as it is.
func Instance(name string, instances []string) (string, bool) {
	i := slices.IndexFunc(instances, func(each string) bool { return strings.EqualFold(each, name) })
	if i < 0 {
		return "", false
	}
	return instances[i], true
}

// touched adds the notebooks that are concerned because a hand was at items, and returns those who need the items, which may be connections. Lines of
// a lifecycle configuration are needed by subnets; the notebooks that have it are looked at. Of a line that was taken away before, the connections that it
// is for are looked at instead, notebooks and all, so that their owners are told if it stays away: connections are those of the place.
func (o *Concern) touched(items []ledger.Item, connections []ledger.Connection) []string {
	var ids []string
	for _, i := range items {
		switch i.Kind {
		case ledger.HostRoute:
			none := true
			for _, entry := range connections {
				if i.Taken > 0 && contest.Serves(i, entry) {
					ids, none = append(ids, entry.ID), false
				}
			}
			if none {
				o.Configurations = append(o.Configurations, i.Resource)
			}
		case ledger.Config:
			o.Notebooks = append(o.Notebooks, i.Resource)
		default:
			ids = append(ids, i.Needed...)
		}
	}
	for _, list := range []*[]string{&o.Configurations, &o.Notebooks} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return ids
}
