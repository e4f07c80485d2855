package failure

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/dataapiendpoint"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/gatewaypair"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// requests is the call that requests a peering: from then on it is managed, though nobody came to write that down.
const requests = "CreateVpcPeeringConnection"

// about is what an execution was about, as its event and the input of the state in which it stands say.
type about struct {
	kind road.Kind // of its machine
	// notebooks says that it was about notebook instances, which have no entry.
	notebooks bool
	at        event.Place
	event     event.Event
	// id is that of the entry; empty where it is found by the VPC and the gateway, or where there are several.
	id, vpc, gateway string
	connection       workflow.Connection
	rows             workflow.Rows      // of sides or batches, on which the state worked
	notebook         *workflow.Notebook // on which it worked
}

// find returns what an execution was about. An event that cannot be read is about nothing.
func find(x notice.Ended) about {
	e, err := event.Parse([]byte(x.Input))
	if err != nil {
		return about{}
	}
	out := about{at: e.Place, event: e, vpc: e.VPC, gateway: e.GatewayID, kind: road.Looks(x.Machine)}
	if out.notebooks = x.Machine == "drawbridge-notebook"; out.notebooks {
		out.kind = ""
	}
	var in struct {
		Connection workflow.Connection
		Row        workflow.Rows
		Notebook   *workflow.Notebook
		Attachment struct{ ID string }
		VPC        workflow.VPC
		Gateway    struct{ ID string }
	}
	if json.Unmarshal([]byte(x.StateInput), &in) == nil {
		out.connection, out.rows, out.notebook = in.Connection, in.Row, in.Notebook
		out.vpc, out.gateway = cmp.Or(in.VPC.ID, out.vpc), cmp.Or(in.Gateway.ID, out.gateway)
	}
	switch out.kind {
	case road.Peering:
		out.id = cmp.Or(in.Connection.ID, e.PeeringID)
	case road.Transit:
		if out.id = in.Connection.ID; out.id == "" && e.Kind == event.Transit {
			out.id = gatewaypair.ID(e.GatewayID, workflow.VPC{ID: e.VPCs[0].VPC}, workflow.VPC{ID: e.VPCs[1].VPC})
		}
	case road.Attachment:
		if out.id = cmp.Or(in.Attachment.ID, e.AttachmentID); in.VPC.Account != "" {
			out.at = in.VPC.Place()
		}
	case road.DataAPI:
		out.id = e.ClusterARN
	case road.DataAPIEndpoint:
		if e.VPC != "" {
			out.id = dataapiendpoint.Owner(e.VPC)
		}
	case road.Studio:
		if e.Cluster != "" {
			out.id = arn.New(arn.PartitionOf(x.ARN), "redshift", e.Region, e.Account, "cluster:"+e.Cluster)
		}
	case road.PrivateNotebooks, road.Share: // several, or none that says how it stands
	}
	return out
}

// lease names the lease of what an entry is about; empty if it has none.
func lease(c ledger.Connection) string {
	side := func(n int) ledger.Side {
		if n < len(c.Sides) {
			return c.Sides[n]
		}
		return ledger.Side{}
	}
	switch c.Kind {
	case road.Peering, road.Transit:
		return c.ID
	case road.Attachment:
		return attachment.LeaseOf(side(1).ID, side(0).ID)
	case road.DataAPI:
		return dataapi.LeaseOf(c.ID)
	case road.DataAPIEndpoint:
		return dataapiendpoint.LeaseOf(side(0).ID)
	case road.PrivateNotebooks:
		return privatenotebooks.LeaseOf(side(0).Account)
	case road.Studio:
		at, cluster, _ := arn.Match(c.ID, "redshift", "cluster:")
		return studio.LeaseOf(event.Place{Account: at.AccountID, Region: at.Region}, cluster)
	case road.Share:
	}
	return ""
}

// late is how long the word of an execution counts that has no lease to say that it is the last: events come within seconds, unless EventBridge is in trouble.
const late = 15 * time.Minute

// counts reports whether nobody worked on a thing since the execution ended, or else says why it does not count. holder is who has the thing's lease.
//
//	it has the lease                                               → yes
//	another has it                                                 → no
//	nobody has it, and the execution came further than inspecting  → no: another came and went
//	nobody has it, and it was never given                          → yes, for a while, unless the entry was written since
func counts(x notice.Ended, entry ledger.Connection, holder string, now time.Time) (bool, string) {
	switch {
	case holder == x.Name:
		return true, ""
	case holder != "":
		return false, "execution " + holder + " is at it, and says how it stands"
	case !strings.HasPrefix(x.State, "Inspect") && x.State != "ReceiveEvent", entry.At.After(x.At), now.Sub(x.At) > late:
		return false, "another execution looked at it since"
	}
	return true, ""
}

// redrive is the command by which an execution goes on.
func redrive(x notice.Ended) string {
	return "drawbridge redrive " + strings.TrimPrefix(x.Machine, "drawbridge-") + "/" + x.Name
}

// reason is what the ledger says of a thing: what ended how, why, what to do, and how it goes on.
func reason(x notice.Ended) string {
	kind, why, remedy := x.Why()
	out := fmt.Sprintf("%s: %s: %s", x.What(), kind, why)
	if remedy != "" {
		out += "; remedy: " + remedy
	}
	return out + "; then " + redrive(x)
}

// says is what people read on a thing, where little has room: how it goes on stands first.
func says(x notice.Ended, why bool) string {
	kind, what, remedy := x.Why()
	out := fmt.Sprintf("%s: %s. Once that is mended: %s", x.What(), kind, redrive(x))
	if !why {
		return out + ". Who operates Drawbridge is told why"
	}
	if remedy != "" {
		what += ". Remedy: " + remedy
	}
	return out + ". Why: " + what
}

// told is what owners hear. It does not name the execution: that the same happens to another is no news.
func told(x notice.Ended, why bool) string {
	kind, what, remedy := x.Why()
	out := fmt.Sprintf("%s (%s). What was done until then stands, and is not verified. Whoever operates Drawbridge is told why, and has the execution go on with drawbridge redrive.", x.What(), kind)
	if !why {
		return out
	}
	if remedy != "" {
		what += "; remedy: " + remedy
	}
	return out + "\nWhy: " + what
}

// worked is the role of the side on which the state worked that failed; empty if it worked on both, or nobody knows. What it says may be that side's alone.
func worked(a about, x notice.Ended, f workflow.Findings) string {
	if x.Status != "FAILED" || len(a.rows) == 0 {
		return ""
	}
	role := ""
	for _, n := range a.rows {
		of := ""
		switch x.State {
		case "AddRoutes", "OpenFirewall", "CloseFirewall", "RemoveRoutes":
			if n >= 1 && n <= len(f.Sides) {
				of = f.Sides[n-1].Role
			}
		case "InjectRoutes", "WithdrawRoutes":
			if n >= 1 && n <= len(f.Batches) && f.Batches[n-1].Side >= 1 && f.Batches[n-1].Side <= len(f.Sides) {
				of = f.Sides[f.Batches[n-1].Side-1].Role
			}
		}
		if of == "" || role != "" && of != role {
			return ""
		}
		role = of
	}
	return role
}

// apart says to each side its text: why to the one on whose side the state worked, or to an account that has both.
func apart(c workflow.Connection, role string, text func(why bool) string) workflow.Said {
	one := c.Requester.Account == c.Accepter.Account
	return workflow.Said{Requester: text(one || role == "requester"), Accepter: text(one || role == "accepter")}
}

// between is the connection of an entry.
func between(entry ledger.Connection) workflow.Connection {
	out := workflow.Connection{ID: entry.ID, Target: workflow.TargetOf(entry.ID)}
	for _, s := range entry.Sides {
		vpc := workflow.VPC{Account: s.Account, Region: s.Region, ID: s.ID}
		switch s.Role {
		case "requester":
			out.Requester = vpc
		case "accepter":
			out.Accepter = vpc
		}
	}
	return out
}

// unserved are the batches of notebooks that get no host routes by this execution: those of a connection that was to be set up, and that no step served.
func unserved(f workflow.Findings) []workflow.Batch {
	var out []workflow.Batch
	if f.Answer != workflow.AnswerConnect && f.Answer != workflow.AnswerExtend {
		return nil
	}
	for n, b := range f.Batches {
		if n < len(f.Injected) && f.Injected[n].Notebooks == 0 && !b.Stands {
			out = append(out, b)
		}
	}
	return out
}

// carrier is the attachment of a side's VPC to a gateway; empty if nobody knows it.
func carrier(of ledger.Side, gateway string, f workflow.Findings, entries []ledger.Connection) string {
	for _, s := range f.Sides {
		if s.Role == of.Role && s.Owner == "" && s.StatusResource != "" {
			return s.StatusResource
		}
	}
	for _, e := range entries {
		if lease(e) == attachment.LeaseOf(gateway, of.ID) {
			return e.ID
		}
	}
	return ""
}
