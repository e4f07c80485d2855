package fanout

import (
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Plan says what an event concerns:
//
//	thing               what was said of it                         who is concerned
//	VPC                 addresses, subnets                          its connections; endpoints in it
//	                    drawbridge:accept                           its connections
//	                    drawbridge:attach                           its attachments; once set, shares that its account is invited to
//	                    drawbridge:data-api                         its endpoint of the Data API
//	                    drawbridge:private-notebooks                the account's private notebooks
//	route table         given to a subnet                           the connections of its VPC
//	peering, attachment any                                         itself
//	transit gateway     any                                         the attachments that wait for its owner
//	database            share, or it began, changed, ended          all connections of the place
//	Aurora cluster      data-api, secret, or it began, ended        itself as well
//	Redshift cluster    studio, studio-groups, or it began, ended   itself as well
//	workgroup           studio set                                  itself
//	role                private-notebooks                           the account's private notebooks
//	                    studio, or it ended                         the clusters that its account may read
//	notebook            any                                         itself
//
// A record that removes tags and names none may have removed any of them.
func Plan(c event.Changed) Concern {
	var out Concern
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
	switch t.Kind {
	case tag.VPC:
		if t.Act == tag.Changes {
			o.VPCs, o.Networks = append(o.VPCs, t.ID), append(o.Networks, t.ID)
		}
		if t.About(tag.Accept) {
			o.VPCs = append(o.VPCs, t.ID)
		}
		if t.About(tag.Attach) {
			o.look(event.AttachmentInspection{Account: at.Account, Region: at.Region, VPC: t.ID, Reason: reason})
			o.Invited = o.Invited || t.Act == tag.Sets || t.Act == tag.Creates
		}
		if t.About(tag.DataAPI) {
			o.look(endpointOf(at, t.ID, reason))
		}
		if t.About(tag.PrivateNotebooks) {
			o.look(privateOf(at, reason))
		}
	case event.TableKind:
		o.Tables = append(o.Tables, t.ID)
	case tag.Peering:
		o.look(event.Inspection{Account: at.Account, Region: at.Region, PeeringID: t.ID, Reason: reason})
	case tag.Attachment:
		o.look(event.AttachmentInspection{Account: at.Account, Region: at.Region, AttachmentID: t.ID, Reason: reason})
	case tag.Gateway:
		o.look(event.AttachmentInspection{Account: at.Account, Region: at.Region, TransitGatewayID: t.ID, Reason: reason})
	case tag.DBInstance, tag.DBCluster, tag.RedshiftCluster:
		o.Everywhere = o.Everywhere || t.Act == tag.Changes || t.About(tag.Share)
		if t.Kind == tag.DBCluster && t.About(tag.DataAPI, tag.Secret) {
			o.look(event.DataAPIInspection{Account: at.Account, Region: at.Region, Cluster: t.ID, Reason: reason})
		}
		if t.Kind == tag.RedshiftCluster && t.About(tag.Studio, tag.StudioGroups) {
			o.look(event.StudioInspection{Account: at.Account, Region: at.Region, Cluster: event.ClusterID(t.ID), Reason: reason})
		}
	case tag.Workgroup:
		if t.Act == tag.Sets || t.Act == tag.Creates {
			o.look(event.StudioInspection{Account: at.Account, Region: at.Region, Workgroup: t.ID, Reason: reason})
		}
	case tag.Role:
		if t.About(tag.PrivateNotebooks) && t.Act != tag.Deletes {
			o.look(privateOf(at, reason))
		}
		if t.About(tag.Studio) {
			o.look(event.StudioInspection{Account: at.Account, Region: at.Region, Roles: true, Reason: reason})
		}
	case tag.Notebook:
		o.Notebooks = append(o.Notebooks, t.ID)
	}
}

// Tagged returns the things whose tags the event says were set or removed, so that a value that means nothing is answered. A workgroup
// is answered by its own machine: no value of its tag can be served.
func Tagged(c event.Changed) []workflow.TaggedThing {
	out := []workflow.TaggedThing{}
	for _, t := range c.Things {
		if t.Act == tag.Sets || t.Act == tag.Removes || t.Act == tag.Creates && len(t.Keys) > 0 {
			if t.Kind != tag.Workgroup {
				out = append(out, workflow.TaggedThing{Account: c.Account, Region: c.Region, Kind: t.Kind, ID: t.ID})
			}
		}
	}
	return out
}

// look adds a look, once.
func (o *Concern) look(l look.Look) {
	if !slices.Contains(o.Looks, l) {
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
// endpoints that must follow.
func Endpoints(at event.Place, vpc string, tags map[string]string, reason string) []look.Look {
	var looks []look.Look
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
