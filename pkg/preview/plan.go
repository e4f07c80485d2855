package preview

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// peering is what becomes of a peering.
func peering(out workflow.InspectPeeringOutput) mode.Plan {
	p := connection(out.Connection, out.Answer, out.Sides, out.Batches, out.Reason)
	p.Stands = out.Stands
	switch out.Answer {
	case workflow.AnswerAccept:
		p.Adds = append(p.Adds, say("accept the request %s in %s", out.Connection.ID, where(out.Connection.Accepter)))
		if out.Known.Sides != nil {
			p.Adds = append(p.Adds, dns(out.Connection, out.Known.Sides)...)
			connect(&p, out.Connection, out.Known.Sides, out.Known.Batches)
		}
	case workflow.AnswerConnect, workflow.AnswerExtend:
		p.Adds = append(append(dns(out.Connection, out.Sides), p.Adds...), again(out.Answer, out.Waits)...)
	case workflow.AnswerAsk:
		if !out.Told {
			p.Adds = append(p.Adds, say("ask the owner of %s for approval, and say so on the peering", where(out.Connection.Accepter)))
		}
	case workflow.AnswerRefuse, workflow.AnswerConflict:
		p.Adds = append(p.Adds, say("say on %s: %s", out.Connection.ID, out.Reason))
		if out.Answer == workflow.AnswerRefuse && out.Reject.Allowed {
			p.Takes = append(p.Takes, say("reject the request %s", out.Connection.ID))
		}
	}
	return p
}

// transit is what becomes of a pair of VPCs on a gateway.
func transit(out workflow.InspectTransitOutput) mode.Plan {
	p := connection(out.Connection, out.Answer, out.Sides, out.Batches, out.Reason)
	p.Stands, p.Adds = out.Stands, append(p.Adds, again(out.Answer, out.Waits)...)
	return p
}

// again is that an owner is asked again.
func again(answer workflow.Answer, w workflow.Waiting) []mode.Change {
	if answer != workflow.AnswerExtend {
		return nil
	}
	return []mode.Change{say("ask the owner of account %s, about %s: %s", w.Account, w.Thing, w.Said.Accepter)}
}

// connection is what peerings and pairs have in common.
func connection(c workflow.Connection, answer workflow.Answer, sides []workflow.Side, notebooks []workflow.Batch, reason string) mode.Plan {
	p := mode.Plan{}
	switch answer {
	case workflow.AnswerConnect, workflow.AnswerExtend:
		connect(&p, c, sides, notebooks)
	case workflow.AnswerTrim:
		for _, s := range sides {
			if s.Trim != nil {
				p.Takes = append(p.Takes, say("take away %s and the routes to %s from %s, which %s has no use for any more", fit.Count(len(s.Trim.Rules), "rule"), list(s.Trim.Destinations), where(s.VPC), c.ID))
			}
		}
	case workflow.AnswerDisconnect:
		for _, s := range sides {
			p.Takes = append(p.Takes, say("take away what was added for %s from %s: %s", c.ID, where(s.VPC), reason))
		}
		for _, b := range notebooks {
			for _, name := range b.Names {
				p.Takes = append(p.Takes, say("take the host routes of %s out of the script of notebook %s in %s %s", c.ID, name, b.Account, b.Region))
			}
		}
		if len(p.Takes) == 0 { // only what was said of it
			p.Adds = append(p.Adds, say("take the status off %s: %s", c.ID, reason))
		}
	case workflow.AnswerNothing, workflow.AnswerWait:
		return p
	}
	p.Accounts = accounts(c.Requester.Account, c.Accepter.Account)
	for _, s := range sides {
		if s.Owner != "" {
			p.Accounts = append(p.Accounts, s.VPC.Account)
		}
	}
	slices.Sort(p.Accounts)
	p.Accounts = slices.Compact(p.Accounts)
	return p
}

// dns is what AllowDnsResolution does.
func dns(c workflow.Connection, sides []workflow.Side) (all []mode.Change) {
	for _, s := range sides {
		if !s.DNS && s.Owner == "" {
			all = append(all, say("let the peer resolve the DNS names of %s over %s", where(s.VPC), c.ID))
		}
	}
	return all
}

// connect adds what AddRoutes, OpenFirewall and InjectRoutes do.
func connect(p *mode.Plan, c workflow.Connection, sides []workflow.Side, notebooks []workflow.Batch) {
	for _, s := range sides {
		tables := route.InUse(s.Tables, s.Subnets)
		wanted, _ := route.Wanted(s.Tables, s, c.Target)
		changes := route.Plan(c.ID, wanted, tables, nil, s)
		for _, what := range changes.Obstacles() {
			p.Leaves = append(p.Leaves, say("leave what is in the way in %s: %s", where(s.VPC), what))
		}
		for _, asks := range changes.Asks() {
			p.Leaves = append(p.Leaves, say("ask the owner of %s: %s", where(s.VPC), asks))
		}
		for _, d := range changes.Create {
			p.Adds = append(p.Adds, say("add the route %s by %s to %s in %s", d.Destination, d.Target, d.Table, where(s.VPC)))
		}
		for _, d := range changes.Replace {
			p.Adds = append(p.Adds, say("replace the dead route %s in %s by one to %s in %s", d.Destination, d.Table, d.Target, where(s.VPC)))
		}
	}
	for _, s := range sides {
		for _, o := range s.AllowedDatabases {
			if o.Withheld != nil {
				p.Leaves = append(p.Leaves, say("leave %s closed: %s", o.Database, o.Withheld.Detail))
				continue
			}
			p.Perhaps = append(p.Perhaps, say("let the clients in %s in on port %d of %s by a rule in a group of its own of %s, where there is none", where(s.Peer), o.Port, o.Database, strings.Join(o.Groups, ", ")))
		}
		for _, one := range s.Services {
			p.Perhaps = append(p.Perhaps, say("let the clients in %s out to %s on port %d, where they are not", where(s.VPC), list(one.CIDRs), one.Port))
		}
	}
	for _, b := range notebooks {
		for _, name := range b.Names {
			p.Perhaps = append(p.Perhaps, say("write the host routes into the script of notebook %s in %s %s, where they are not and the policy lets it have them", name, b.Account, b.Region))
		}
	}
}

// notebooks is what becomes of the notebooks that an event concerns.
func notebooks(out workflow.InspectNotebooksOutput) mode.Plan {
	p := mode.Plan{}
	if out.Answer == "nothing" {
		return p
	}
	for _, n := range out.Notebooks {
		p.Perhaps = append(p.Perhaps, say("bring the host routes in the script of notebook %s in %s %s in line with its route table", n.Name, n.Account, n.Region))
		p.Accounts = append(p.Accounts, n.Account)
	}
	return p
}

// attachment is what becomes of a VPC on a gateway.
func attachment(out workflow.InspectAttachmentOutput) mode.Plan {
	p, vpc, gateway := mode.Plan{Accounts: accounts(out.VPC.Account, out.Gateway.Account)}, where(out.VPC), out.Gateway.ID
	switch out.Answer {
	case workflow.AnswerAttach:
		p.Adds = []mode.Change{say("attach %s to %s with the subnets %s", vpc, gateway, strings.Join(out.Subnets, ", "))}
	case workflow.AnswerAccept:
		p.Adds = []mode.Change{say("accept the attachment %s of %s to %s", out.Attachment.ID, vpc, gateway)}
	case workflow.AnswerAssociate:
		if out.Associate != "" {
			p.Adds = append(p.Adds, say("associate %s with %s of %s", out.Attachment.ID, out.Associate, gateway))
		}
		for _, table := range out.Propagate {
			p.Adds = append(p.Adds, say("propagate %s to %s of %s", out.Attachment.ID, table, gateway))
		}
	case workflow.AnswerDisassociate:
		p.Takes = []mode.Change{say("take %s out of the route tables of %s that Drawbridge put it into: %s", out.Attachment.ID, gateway, out.Reason)}
	case workflow.AnswerDetach:
		p.Takes = []mode.Change{say("delete the attachment %s of %s to %s: %s", out.Attachment.ID, vpc, gateway, out.Reason)}
	case workflow.AnswerAsk:
		p.Adds = []mode.Change{say("ask the owner of %s for approval, and say so on the attachment", gateway)}
	case workflow.AnswerRefuse:
		p.Adds = []mode.Change{say("say that %s is not attached to %s: %s", vpc, gateway, out.Reason)}
		if out.Reject.Allowed {
			p.Takes = []mode.Change{say("reject the attachment %s of %s", out.Attachment.ID, vpc)}
		}
	default: // wait, verify, removed, released, rejected, announce, nothing
		return mode.Plan{}
	}
	return p
}

// share is what becomes of an invitation to a resource share.
func share(out workflow.InspectShareOutput) mode.Plan {
	if out.Answer != workflow.AnswerAccept {
		return mode.Plan{}
	}
	return mode.Plan{Accounts: accounts(out.Invitation.Account),
		Adds: []mode.Change{say("accept the invitation %s of %s to %s", out.Invitation.ARN, out.Invitation.Account, out.Share)}}
}

// dataAPI is what becomes of an Aurora cluster.
func dataAPI(out workflow.InspectDataAPIOutput) mode.Plan {
	c := out.DataAPI.Cluster
	p := mode.Plan{Accounts: accounts(c.Account), Stands: out.Stands}
	switch out.Answer {
	case workflow.AnswerExpose:
		turn := say("turn the HTTP endpoint of %s in %s %s on", c.ID, c.Account, c.Region)
		admit := say("let %s query %s in %s %s through the Data API, as its tag and the policy say", fit.Count(len(out.DataAPI.Consumers), "account"), c.ID, c.Account, c.Region)
		switch { // of what is off, somebody else may have turned it off, and then it stays so
		case out.Off && out.First:
			p.Adds = append(p.Adds, turn)
		case out.Off:
			p.Perhaps = append(p.Perhaps, turn+", unless it is left to who turned it off")
		}
		if out.Unmade && out.First {
			p.Adds = append(p.Adds, admit)
		} else {
			p.Perhaps = append(p.Perhaps, admit+", where they may not")
		}
	case workflow.AnswerRetract:
		p.Takes = []mode.Change{say("take the Data API of %s in %s %s back: %s", c.ID, c.Account, c.Region, out.Reason)}
	default:
		return mode.Plan{}
	}
	return p
}

// dataAPIEndpoint is what becomes of a VPC from which the Data API is called.
func dataAPIEndpoint(out workflow.InspectDataAPIEndpointOutput) mode.Plan {
	switch out.Answer {
	case workflow.AnswerPlace:
		p := endpoints([]workflow.EndpointWant{out.Want}, nil)
		p.Stands = out.Stands
		return p
	case workflow.AnswerRemove:
		return endpoints(nil, []workflow.EndpointWant{out.Want})
	}
	return mode.Plan{}
}

// privateNotebooks is what becomes of an account's private notebooks.
func privateNotebooks(out workflow.InspectPrivateNotebooksOutput) mode.Plan {
	if out.Answer != "arrange" || len(out.Wants)+len(out.Leaving) == 0 { // what is let go of stays as it is
		return mode.Plan{}
	}
	p := endpoints(out.Wants, out.Leaving)
	p.Stands = out.Stands
	p.Perhaps = append(p.Perhaps, say("let the roles of %s that opted in issue the URL of a notebook through these endpoints only", out.Account))
	p.Accounts = accounts(append(p.Accounts, out.Account)...)
	return p
}

func endpoints(wanted, leaving []workflow.EndpointWant) (p mode.Plan) {
	for _, w := range wanted {
		p.Perhaps = append(p.Perhaps, say("place the endpoints of %s in %s in %s %s, where they are not", strings.Join(w.Services, ", "), w.VPC, w.Account, w.Region))
		p.Accounts = append(p.Accounts, w.Account)
	}
	for _, w := range leaving {
		p.Takes = append(p.Takes, say("remove Drawbridge's endpoints from %s in %s %s", w.VPC, w.Account, w.Region))
		p.Accounts = append(p.Accounts, w.Account)
	}
	return p
}

// studio is what becomes of the readers of a Redshift cluster.
func studio(out workflow.InspectStudioOutput) mode.Plan {
	p := mode.Plan{Accounts: accounts(out.Warehouse.Account), Stands: out.Stands}
	switch out.Answer {
	case "admit", "retract", "identify":
	default:
		return mode.Plan{}
	}
	for _, r := range out.Roles {
		if r.Kept == "" {
			p.Accounts = append(p.Accounts, r.Account)
			p.Perhaps = append(p.Perhaps, say("let %s read %s, where it may not", r.ARN, out.Warehouse.ARN))
		}
	}
	for _, r := range out.Leaving {
		p.Accounts = append(p.Accounts, r.Account)
		p.Takes = append(p.Takes, say("let %s read %s no more", r.ARN, out.Warehouse.ARN))
	}
	for _, d := range out.Domains {
		p.Accounts = append(p.Accounts, d.Account)
		if len(d.Roles) > 0 {
			p.Perhaps = append(p.Perhaps, say("let the people of Studio domain %s be themselves, where they are not", d.ARN))
		} else {
			p.Takes = append(p.Takes, say("take Drawbridge's setting of Studio domain %s back", d.ARN))
		}
	}
	p.Accounts = accounts(p.Accounts...)
	return p
}

func say(format string, args ...any) mode.Change { return fmt.Sprintf(format, args...) }

func where(v workflow.VPC) string { return fmt.Sprintf("%s in %s %s", v.ID, v.Account, v.Region) }

func list[T any](all []T) string {
	var words []string
	for _, one := range all {
		words = append(words, fmt.Sprint(one))
	}
	return strings.Join(words, ", ")
}

// accounts returns the accounts that are named, each once, in order.
func accounts(all ...string) []string {
	all = slices.DeleteFunc(slices.Clone(all), func(a string) bool { return a == "" })
	slices.Sort(all)
	return slices.Compact(all)
}
