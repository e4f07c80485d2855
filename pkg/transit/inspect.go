package transit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// EC2 is what [Inspector] needs of EC2: in the accounts of the two VPCs, and in that of the gateway.
type EC2 interface {
	survey.EC2
	DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
	DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error)
	DescribeTransitGatewayVpcAttachments(context.Context, *ec2.DescribeTransitGatewayVpcAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error)
	DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error)
	SearchTransitGatewayRoutes(context.Context, *ec2.SearchTransitGatewayRoutesInput, ...func(*ec2.Options)) (*ec2.SearchTransitGatewayRoutesOutput, error)
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	survey.Clients
	EC2    EC2
	Lambda notebook.LambdaAPI
}

// Inspector answers what a pair of VPCs on a gateway needs next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Units says what the units of an account's path are called.
	Units func(ctx context.Context, path string) (string, error)
	// Policy returns the policy whose text is known or, if known is empty, the one in force; and its text.
	Policy func(ctx context.Context, known string) (*policy.Set, string, error)
	// Ledger says which pairs and attachments are managed, and what was added for a pair.
	Ledger ledger.Ledger
}

// pair is the two VPCs as far as a look has read them.
type pair struct {
	place    [2]event.Place
	accounts [2]workflow.AccountFacts
	closed   [2]error // why an account could not be entered
	q        Question
}

// Inspect reads the event, the ledger, the two attachments, and what the gateway does with them, asks the policy, and answers. In the
// members it changes nothing; in the ledger it writes that a pair is managed from now on, or not any more.
//
// A pair is managed once it is to be connected, if one of its attachments is: then somebody asked for one since its account was
// enrolled, or gave it to Drawbridge. Any other pair is found: nothing is done about it, whatever its VPCs' tags say.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectTransitInput) (workflow.InspectTransitOutput, error) {
	l := inspection{Inspector: i, in: in, out: workflow.InspectTransitOutput{Event: in.Event, Looks: in.Looks + 1, Trimmed: in.Trimmed,
		Found: []workflow.Hop{}, Sides: []workflow.Side{}, Notebooks: []workflow.Notebook{}, Tagged: []workflow.Carrier{}, Absent: []workflow.Hop{}}}
	e, err := event.Parse(in.Event)
	if err != nil {
		return l.out, err
	}
	if !e.Time.IsZero() {
		l.out.Since = e.Time.UTC().Format(time.RFC3339)
	}
	if e.Kind != event.Transit {
		return l.end(ctx, Verdict{Answer: workflow.AnswerNothing, Reason: cmp.Or(e.Why, fmt.Sprintf("an event about a %s is not for this machine", e.Kind))})
	}
	v, err := l.inspect(ctx, e)
	if err != nil {
		return l.out, err
	}
	return l.end(ctx, v)
}

// inspection is one look at one pair.
type inspection struct {
	Inspector
	in  workflow.InspectTransitInput
	out workflow.InspectTransitOutput

	*pair
	entry   ledger.Connection
	managed bool
	items   []ledger.Item // that the ledger has of it

	weighed  bool            // approval is what the entry has to say
	approval ledger.Approval // what is approved of it, by the approvals of its attachments
	asks     bool            // something came that its owner has to be asked about
}

// inspect answers what the pair needs next.
func (l *inspection) inspect(ctx context.Context, e event.Event) (Verdict, error) {
	var err error
	if l.pair, err = l.attachments(ctx, l.in, e); err != nil {
		return Verdict{}, err
	}
	q, out := &l.q, &l.out
	a, b := q.Ends[0].VPC, q.Ends[1].VPC
	out.Connection = workflow.Connection{ID: ID(e.GatewayID, a, b), Target: e.GatewayID, Requester: a, Accepter: b}
	if l.entry, l.managed, err = l.Ledger.Connection(ctx, out.Connection.ID); err != nil {
		return Verdict{}, err
	}
	v, settled := Standing(*q)
	if l.managed || v.Answer == workflow.AnswerDisconnect { // of what an execution is late with, there may be items without an entry
		if l.items, err = l.Ledger.Items(ctx, out.Connection.ID); err != nil {
			return v, err
		}
	}
	q.Before = len(l.items) > 0 || connection.Stands(l.entry)
	if settled {
		return v, nil
	}
	if err := cmp.Or(l.closed[0], l.closed[1]); err != nil {
		return v, err
	}
	if v, let := l.letGo(); let {
		return v, nil
	}
	if given, err := l.given(ctx); err != nil || !given {
		return Found(*q), err
	}
	return l.judge(ctx)
}

// letGo says what becomes of a pair if the owner of one of its VPCs wants Drawbridge to let go of the attachment; it reports whether
// one does.
func (l *inspection) letGo() (Verdict, bool) {
	for _, e := range l.q.Ends {
		switch says := connection.Letting(e.Attachment.Tags); {
		case says == "":
			continue
		case !l.managed:
			return Verdict{Answer: workflow.AnswerNothing, Reason: fmt.Sprintf("%s is tagged %s=%s", e.Attachment.ID, tag.Manage, says)}, true
		default:
			if says == tag.Leave {
				l.out.Result = workflow.Released
			}
			return Verdict{Answer: workflow.AnswerDisconnect, Reason: fmt.Sprintf("%s is tagged %s=%s", e.Attachment.ID, tag.Manage, says)}, true
		}
	}
	return Verdict{}, false
}

// given reports whether the pair is managed, or one of its attachments is.
func (l *inspection) given(ctx context.Context) (bool, error) {
	for _, e := range l.q.Ends {
		if l.managed {
			return true, nil
		}
		_, managed, err := l.Ledger.Connection(ctx, e.Attachment.ID)
		if managed || err != nil {
			return managed, err
		}
	}
	return l.managed, nil
}

// judge reads both VPCs and what the gateway does, as far as it matters, asks the policy, and answers.
func (l *inspection) judge(ctx context.Context) (Verdict, error) {
	q, out := &l.q, &l.out
	set, _, err := l.Policy(ctx, "")
	if err != nil {
		return Verdict{}, err
	}
	s := l.surveyor(l.in.Execution, set, policy.Context{Connection: out.Connection.ID})
	first, second, err := l.networks(ctx, s, l.pair)
	if err != nil {
		return Verdict{}, err
	}
	out.Connection.Requester, out.Connection.Accepter = q.Ends[0].VPC, q.Ends[1].VPC
	if v, settled := Routed(*q); settled {
		return v, nil
	}
	if err := l.explore(ctx, s, l.pair, first, second); err != nil {
		return Verdict{}, err
	}
	if v, settled := Consent(*q); settled {
		return v, nil
	}
	if v, settled, err := Networks(*q); settled || err != nil {
		return v, err
	}
	if err := l.routesOfGateway(ctx, l.in.Execution, l.pair); err != nil {
		return Verdict{}, err
	}
	v, err := Judge(*q)
	if err != nil || v.Answer != workflow.AnswerConnect {
		return v, err
	}
	if err := l.limit(ctx, first, second); err != nil {
		return v, err
	}
	l.weighed = true
	if len(l.items) > 0 && !l.in.Trimmed {
		surveyed := [2]workflow.Side{*first.Side, *second.Side}
		trim, notebooks, err := s.Trims(ctx, surveyed, connection.Surplus(out.Connection, surveyed, l.items))
		if err != nil {
			return v, err
		}
		if len(trim) > 0 {
			out.Sides, out.Notebooks, out.Waits = trim, notebooks, workflow.Waiting{}
			v.Answer, v.Reason, v.Said = workflow.AnswerTrim, survey.Trimmed(trim), workflow.Said{}
			return v, nil
		}
	}
	if out.Notebooks, err = l.connect(ctx, l.in.Execution, s, l.pair, first, second); err != nil {
		return v, err
	}
	out.Sides = []workflow.Side{*first.Side, *second.Side}
	out.Found = append(Hops(*q), q.Closed...)
	if l.asks {
		v.Answer = workflow.AnswerExtend
	}
	return v, nil
}

// end gives the answer. What is managed from now on is written in the ledger before anything is done for it; a pair that is refused
// and of which there is nothing needs no entry.
func (l *inspection) end(ctx context.Context, v Verdict) (workflow.InspectTransitOutput, error) {
	out := &l.out
	var err error
	switch v.Answer {
	case workflow.AnswerDisconnect:
		if !l.managed && len(l.items) == 0 {
			v.Answer, out.Result = workflow.AnswerNothing, workflow.Nothing
			break
		}
		if err = l.leftovers(ctx); err == nil && l.entry.Status == ledger.Status(workflow.Removed) && len(out.Sides) == 0 && !out.Ended {
			v.Answer, out.Result = workflow.AnswerNothing, workflow.Nothing
			v.Reason += "; what is left of it is out of reach for now"
		}
	case workflow.AnswerNothing:
		out.Result = workflow.Nothing
	case workflow.AnswerRefuse:
		if out.Result = workflow.RefusedByPolicy; l.managed {
			err = l.Ledger.LetGo(ctx, out.Connection.ID)
		}
	case workflow.AnswerConnect, workflow.AnswerExtend, workflow.AnswerTrim:
		if _, err = connection.Manage(ctx, l.Ledger, out.Connection, connection.Transit, ledger.Requested, l.entry, l.managed); err == nil {
			err = l.keep(ctx)
		}
	case workflow.AnswerWait:
		if l.in.Looks >= Patience {
			err = fault.NewConflict(v.Reason, "see in the console of the transit gateway why that does not pass, then redrive the execution")
		}
	}
	if err != nil {
		return *out, err
	}
	out.Answer, out.Reason, out.Said, out.Decision = v.Answer, v.Reason, v.Said, v.Decision
	slog.InfoContext(ctx, "inspected", "transit", out.Connection.ID, "answer", v.Answer, "reason", v.Reason, "policy", v.Decision.Policy)
	return *out, nil
}

// attachments reads the attachment of each VPC in its own account, and the gateway where it is shown.
func (i Inspector) attachments(ctx context.Context, in workflow.InspectTransitInput, e event.Event) (*pair, error) {
	vpcs := slices.Clone(e.VPCs)
	slices.SortFunc(vpcs, func(a, b event.VPCPlace) int { return strings.Compare(a.VPC, b.VPC) })
	p := &pair{q: Question{Gateway: Gateway{ID: e.GatewayID}, Looks: in.Looks}}
	for n, v := range vpcs {
		var err error
		if p.accounts[n], err = i.Account(ctx, v.Account); err != nil {
			return nil, err
		}
		p.place[n] = v.Place()
		p.q.Ends[n] = End{VPC: workflow.VPC{Account: v.Account, Region: v.Region, ID: v.VPC}, Member: p.accounts[n].Organization != ""}
	}
	look := func(n int) error {
		end := &p.q.Ends[n]
		if !end.Member {
			return nil
		}
		var err error
		end.Attachment, err = attachment(ctx, i.Enter(in.Execution, p.place[n]).EC2, e.GatewayID, end.VPC.ID)
		if errors.Is(err, fault.ErrClosed) {
			p.closed[n], end.Closed, err = err, true, nil
		}
		return err
	}
	if err := survey.Both(func() error { return look(0) }, func() error { return look(1) }); err != nil {
		return nil, err
	}
	return p, nil
}

// attachment returns the attachment of a VPC to a gateway, if there is one; one that lives before one that is over.
func attachment(ctx context.Context, api EC2, gateway, vpc string) (*Attachment, error) {
	var found []types.TransitGatewayVpcAttachment
	pages := ec2.NewDescribeTransitGatewayVpcAttachmentsPaginator(api, &ec2.DescribeTransitGatewayVpcAttachmentsInput{Filters: []types.Filter{
		{Name: aws.String("transit-gateway-id"), Values: []string{gateway}}, {Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the attachment of %s to %s: %w", vpc, gateway, err)
		}
		found = append(found, page.TransitGatewayVpcAttachments...)
	}
	if len(found) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(found, func(a, b types.TransitGatewayVpcAttachment) int {
		return cmp.Or(slices.Index(over, string(a.State))-slices.Index(over, string(b.State)), aws.ToTime(b.CreationTime).Compare(aws.ToTime(a.CreationTime)))
	})
	a := found[0]
	out := &Attachment{ID: aws.ToString(a.TransitGatewayAttachmentId), State: string(a.State), Subnets: a.SubnetIds}
	if a.Options != nil {
		out.DNS, out.IPv6 = a.Options.DnsSupport == types.DnsSupportValueEnable, a.Options.Ipv6Support == types.Ipv6SupportValueEnable
	}
	tags := map[string]string{}
	for _, t := range a.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	out.Tags = tag.Clean(tag.Attachment, tags)
	return out, nil
}

func (i Inspector) surveyor(execution string, set *policy.Set, about policy.Context) survey.Surveyor {
	return survey.Surveyor{Set: set, About: about, Enter: func(at event.Place) survey.Clients {
		c := i.Enter(execution, at)
		c.Clients.EC2 = c.EC2
		return c.Clients
	}}
}

// networks reads both VPCs, and asks the policy about routes between them.
func (i Inspector) networks(ctx context.Context, s survey.Surveyor, p *pair) (first, second *survey.Ground, err error) {
	q := &p.q
	vpc := func(n int) func(context.Context) (*workflow.Facts, error) {
		return func(ctx context.Context) (*workflow.Facts, error) {
			return s.VPC(ctx, p.place[n], q.Ends[n].VPC.ID, p.accounts[n])
		}
	}
	f, g, err := s.Pair(ctx, q.Gateway.ID, vpc(0), vpc(1))
	if err != nil {
		return nil, nil, err
	}
	q.Ends[0].VPC, q.Ends[1].VPC = f.VPC, g.VPC
	first = &survey.Ground{Here: f, There: g, Side: &workflow.Side{Role: Requester, VPC: f.VPC, Peer: g.VPC, Carrier: q.Ends[0].Attachment.ID, Tables: f.Tables, Carried: f.Carried}}
	second = &survey.Ground{Here: g, There: f, Side: &workflow.Side{Role: Accepter, VPC: g.VPC, Peer: f.VPC, Carrier: q.Ends[1].Attachment.ID, Tables: g.Tables, Carried: g.Carried}}
	first.Side.Peer.CIDRs, second.Side.Peer.CIDRs = Crossing(*q, 0), Crossing(*q, 1)
	q.Routes = [2]policy.Decision{s.Set.Route(f.Entity(), g.Entity(), s.About), s.Set.Route(g.Entity(), f.Entity(), s.About)}
	return first, second, nil
}

// explore finds the databases of both VPCs, and asks the policy about the pair.
func (i Inspector) explore(ctx context.Context, s survey.Surveyor, p *pair, first, second *survey.Ground) error {
	q := &p.q
	if err := s.Produce(ctx, first, second); err != nil {
		return err
	}
	q.Closed = survey.Closed(first, second)
	grounds := [2]*survey.Ground{first, second}
	for n, here := range grounds {
		there := grounds[1-n]
		about := s.About
		about.Databases = len(there.Side.Openings)
		q.Connects[n] = s.Set.Connect(here.Here.Entity(), there.Here.Entity(), about)
	}
	for n, here := range grounds {
		q.Never[n] = here.Here.Tags[tag.Accept] == "never"
		if !direction(*q, 1-n).Allowed { // the other may not consume what is here
			here.Side.Openings = nil
		}
	}
	survey.Appoint(first.Side, second.Side)
	for n, g := range grounds {
		for _, id := range q.Ends[n].Attachment.Subnets {
			if z := zone(g.Subnets, id); z != "" {
				q.Ends[n].Zones = append(q.Ends[n].Zones, z)
			}
		}
		slices.Sort(q.Ends[n].Zones)
	}
	return nil
}

func zone(subnets []route.Subnet, id string) string {
	at := slices.IndexFunc(subnets, func(s route.Subnet) bool { return s.ID == id })
	if at < 0 {
		return ""
	}
	return subnets[at].Zone
}

// routesOfGateway reads, as the gateway's owner, which route table each attachment is associated with, and where that
// leads.
func (i Inspector) routesOfGateway(ctx context.Context, execution string, p *pair) error {
	q := &p.q
	if err := i.gateway(ctx, execution, p); err != nil {
		return err
	}
	at := event.Place{Account: q.Gateway.Owner, Region: p.place[0].Region}
	api := i.Enter(execution, at).EC2
	ids := []string{q.Ends[0].Attachment.ID, q.Ends[1].Attachment.ID}
	got, err := api.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{TransitGatewayAttachmentIds: ids})
	if err != nil {
		return fmt.Errorf("reading the attachments %s in %s, %s: %w", strings.Join(ids, " and "), at.Account, at.Region, err)
	}
	for n := range q.Ends {
		end := &q.Ends[n]
		for _, a := range got.TransitGatewayAttachments {
			if aws.ToString(a.TransitGatewayAttachmentId) == end.Attachment.ID && a.Association != nil && a.Association.State == types.TransitGatewayAssociationStateAssociated {
				end.Table = aws.ToString(a.Association.TransitGatewayRouteTableId)
			}
		}
	}
	for n := range q.Ends {
		end := &q.Ends[n]
		if end.Table == "" {
			continue
		}
		if n == 1 && end.Table == q.Ends[0].Table && q.Ends[0].Entries != nil {
			end.Entries = q.Ends[0].Entries
			continue
		}
		cidrs := slices.Concat(q.Ends[0].VPC.CIDRs, q.Ends[1].VPC.CIDRs)
		if end.Entries, err = entries(ctx, api, end.Table, cidrs); err != nil {
			return fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
	}
	return nil
}

// gateway reads the gateway in one of the accounts that it is shown in.
func (i Inspector) gateway(ctx context.Context, execution string, p *pair) error {
	g := &p.q.Gateway
	for _, at := range p.place {
		got, err := i.Enter(execution, at).EC2.DescribeTransitGateways(ctx, &ec2.DescribeTransitGatewaysInput{TransitGatewayIds: []string{g.ID}})
		if fault.HasCode(err, "InvalidTransitGatewayID.NotFound") || err == nil && len(got.TransitGateways) == 0 {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading %s in %s, %s: %w", g.ID, at.Account, at.Region, err)
		}
		gateway := got.TransitGateways[0]
		g.Owner = aws.ToString(gateway.OwnerId)
		g.DNS = gateway.Options != nil && gateway.Options.DnsSupport == types.DnsSupportValueEnable
		return nil
	}
	return fault.NewConflict(fmt.Sprintf("%s is shown in neither %s nor %s", g.ID, p.place[0].Account, p.place[1].Account),
		"share the gateway with the accounts of both VPCs, or delete their attachments, then redrive the execution")
}

// entries returns the routes of a gateway's route table that touch cidrs.
func entries(ctx context.Context, api EC2, table string, cidrs []netip.Prefix) ([]Entry, error) {
	got, err := search(ctx, api, table)
	if err != nil {
		return nil, err
	}
	routes := got.Routes
	if aws.ToBool(got.AdditionalRoutesAvailable) { // there are no further pages: ask for less
		routes = nil
		for _, cidr := range cidrs {
			for _, match := range []string{"route-search.supernet-of-match", "route-search.subnet-of-match"} {
				got, err := search(ctx, api, table, types.Filter{Name: &match, Values: []string{cidr.String()}})
				if err != nil {
					return nil, err
				}
				routes = append(routes, got.Routes...)
			}
		}
	}
	out := []Entry{}
	for _, r := range routes {
		destination, err := netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock))
		if err != nil || !slices.ContainsFunc(cidrs, destination.Overlaps) {
			continue
		}
		e := Entry{Destination: destination.Masked(), Blackhole: r.State == types.TransitGatewayRouteStateBlackhole}
		for _, a := range r.TransitGatewayAttachments { // several only where a VPN or Connect attachment shares the load
			e.Attachment = aws.ToString(a.TransitGatewayAttachmentId)
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(a.Destination.Compare(b.Destination), strings.Compare(a.Attachment, b.Attachment))
	})
	return slices.Compact(out), nil
}

func search(ctx context.Context, api EC2, table string, narrower ...types.Filter) (*ec2.SearchTransitGatewayRoutesOutput, error) {
	filters := append([]types.Filter{{Name: aws.String("state"), Values: []string{"active", "blackhole"}}}, narrower...)
	got, err := api.SearchTransitGatewayRoutes(ctx, &ec2.SearchTransitGatewayRoutesInput{TransitGatewayRouteTableId: &table, Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("searching the routes of %s: %w", table, err)
	}
	return got, nil
}

// connect fills in what the steps need that connect the pair.
func (i Inspector) connect(ctx context.Context, execution string, s survey.Surveyor, p *pair, grounds ...*survey.Ground) ([]workflow.Notebook, error) {
	notebooks, err := s.Notebooks(ctx, grounds...)
	if err != nil {
		return nil, err
	}
	for n, g := range grounds {
		end, api := &p.q.Ends[n], i.Enter(execution, p.place[n])
		if g.Side.Beside, err = beside(ctx, api.EC2, g); err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", g.Side.VPC.Account, g.Side.VPC.Region, err)
		}
		for _, o := range g.Side.Openings {
			end.Seats = append(end.Seats, seat(o.Database, g.Subnets, o.Subnets...))
		}
		if !g.Side.Consumer {
			continue
		}
		for _, b := range notebooks {
			if b.VPC == g.Side.VPC.ID {
				end.Seats = append(end.Seats, seat("notebook "+b.Name, g.Subnets, b.Subnet))
			}
		}
		functions, err := notebook.Functions(ctx, api.Lambda, g.Side.VPC.ID, g.Side.Subnets)
		if err != nil {
			return nil, fmt.Errorf("in %s, %s: %w", g.Side.VPC.Account, g.Side.VPC.Region, err)
		}
		for _, f := range functions {
			end.Seats = append(end.Seats, seat(f.Name, g.Subnets, f.Subnets...))
		}
	}
	return notebooks, nil
}

func seat(name string, subnets []route.Subnet, ids ...string) Seat {
	out := Seat{Name: name}
	for _, id := range ids {
		if z := zone(subnets, id); z != "" {
			out.Zones = append(out.Zones, z)
		}
	}
	return out
}

// beside returns the active peerings with the peer that some table of this side has a live route through.
func beside(ctx context.Context, api EC2, g *survey.Ground) ([]string, error) {
	var ids, out []string
	for _, t := range g.Here.Tables {
		for _, r := range t.Routes {
			if strings.HasPrefix(r.Target, "pcx-") && !r.Blackhole {
				ids = append(ids, r.Target)
			}
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil, nil
	}
	got, err := api.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: ids})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", strings.Join(ids, ", "), err)
	}
	is := func(info *types.VpcPeeringConnectionVpcInfo, v workflow.VPC) bool {
		return info != nil && aws.ToString(info.VpcId) == v.ID && aws.ToString(info.OwnerId) == v.Account
	}
	for _, c := range got.VpcPeeringConnections {
		between := is(c.RequesterVpcInfo, g.Side.VPC) && is(c.AccepterVpcInfo, g.Side.Peer) || is(c.AccepterVpcInfo, g.Side.VPC) && is(c.RequesterVpcInfo, g.Side.Peer)
		if between && c.Status != nil && c.Status.Code == types.VpcPeeringConnectionStateReasonCodeActive {
			out = append(out, aws.ToString(c.VpcPeeringConnectionId))
		}
	}
	slices.Sort(out)
	return out, nil
}
