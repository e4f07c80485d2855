package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/plan"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/why"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

type planCommand struct {
	ID     string            `arg:"" optional:"" help:"A connection or request: its id in the ledger, [ACCOUNT/[REGION/]] and the id of a peering, an attachment or a VPC, or the ARN of a cluster. With --tag or --untag whatever has tags: also a subnet, a route table, a security group, an ARN, or a database as in drawbridge why."`
	Remove bool              `help:"With an ID: as if its owner took it back, by drawbridge:manage=undo, or without the tag that asks for it."`
	Tag    map[string]string `help:"With an ID: as if its owner set this tag; may be given several times." placeholder:"KEY=VALUE"`
	Untag  []string          `help:"With an ID: as if its owner took this tag off; may be given several times." placeholder:"KEY"`
	Policy string            `help:"If this file were the policy: which connections appear, go, widen, narrow." type:"existingfile" placeholder:"FILE" xor:"what"`
	From   string            `help:"If this VPC requested a peering: [ACCOUNT/[REGION/]]vpc-…" placeholder:"VPC" xor:"what" and:"ends"`
	To     string            `help:"The database that it is for, as in drawbridge why." placeholder:"DATABASE" and:"ends"`
	Only   string            `help:"Of a sweep: only these accounts, with commas between; by default all." placeholder:"ACCOUNTS"`

	DetailedExitcode bool `help:"Exit with 0 if nothing would change, with 2 if something would."`
	accountFlags
	hubFlags
	reach
}

// Help is what kong shows below the options.
func (planCommand) Help() string {
	return `It plays the functions' own code in this process, reads AWS with your credentials, and notes each call that would change something instead of making it. It is planned as if the mode were full; the mode is said beside it.

Alone it plans a sweep: what was held back and goes on, what is found, what is not managed and left alone, what each look would do. With an ID it
plans the next look at that; with --tag or --untag what follows if its owner changes the tag, from the record of it on. With --policy each entry of the ledger is looked at under both policies. With --from and --to nobody has to request anything.

Run it with credentials of the hub's account: it reads the ledger, the policy and the organization there, and other accounts by --account or --role; what
the functions read has to be readable (ReadOnlyAccess is enough). What cannot be read is named as not planned.

Exits with 0; with --detailed-exitcode with 2 if something would change; with 1 after an error.

Examples:

  drawbridge plan pcx-0a1b2c3d4e5f60718 --role ReadOnly
  drawbridge plan pcx-0a1b2c3d4e5f60718 --remove --role ReadOnly
  drawbridge plan arn:aws:rds:us-east-1:222222222222:cluster:sales \
    --tag drawbridge:data-api=111111111111 --role ReadOnly
  drawbridge plan 111111111111/vpc-0a1b2c3d \
    --tag drawbridge:private-notebooks=true --role ReadOnly
  drawbridge plan 222222222222/sales --untag drawbridge:share --role ReadOnly
  drawbridge plan --policy new.cedar --role ReadOnly --detailed-exitcode
  drawbridge plan --from 111111111111/vpc-0a1b2c3d --to 222222222222/sales \
    --role ReadOnly
  drawbridge plan --only 222222222222 --role ReadOnly
  drawbridge plan --role ReadOnly -o json | jq .counts`
}

// Run implements the command.
func (c planCommand) Run(ctx context.Context) error {
	p, err := c.planner(ctx)
	if err != nil {
		return err
	}
	d, empty, err := p.plan(ctx)
	if err != nil {
		return err
	}
	if err := c.print(d); err != nil {
		return err
	}
	return yes(empty || !c.DetailedExitcode)
}

// planner has what a plan needs.
type planner struct {
	planCommand
	door   *door
	at     board.Hub
	mode   board.Mode
	hub    plan.Hub
	ledger ledger.Ledger
}

// planner finds the hub, and reads what its functions are told: the policy, the mode, and the stack's parameters.
func (c planCommand) planner(ctx context.Context) (*planner, error) {
	d, err := c.door(ctx, c.accountFlags)
	if err != nil {
		return nil, err
	}
	p := &planner{planCommand: c, door: d}
	if p.at, err = board.Find(ctx, cloudformation.NewFromConfig(d.own), d.home.Account, d.own.Region, c.Table); err != nil {
		return nil, err
	}
	if p.mode, err = board.ReadMode(ctx, ssm.NewFromConfig(d.own)); err != nil {
		talk("%v", err)
	}
	text, err := parameter.New(ssm.NewFromConfig(d.own), plan.PolicyParameter).Text(ctx)
	if err != nil {
		return nil, err
	}
	p.ledger = ledger.Ledger{Store: ledger.Table{API: dynamodb.NewFromConfig(d.own), Name: p.at.Table}}
	p.hub = plan.Hub{Config: d.own, Enter: d.enter, Store: p.ledger.Store, Policy: text}
	settings, err := plan.ReadSettings(ctx, cloudformation.NewFromConfig(d.own), cmp.Or(p.at.Stack, board.Stack))
	if err != nil {
		talk("%v; the limits that cdk.json has at first are supposed", err)
	}
	p.hub.Limit, p.hub.Patience, p.hub.Regions = settings.Limit, settings.Patience, settings.Regions
	if len(p.hub.Regions) == 0 {
		p.hub.Regions = []string{d.own.Region}
	}
	return p, nil
}

// plan makes the plan that is asked for, and says whether nothing would change.
func (p *planner) plan(ctx context.Context) (answer.Document, bool, error) {
	if p.Policy != "" {
		return p.policies(ctx)
	}
	var out plan.Plan
	var err error
	switch {
	case p.From != "":
		out, err = p.request(ctx)
	case p.ID != "":
		out, err = p.thing(ctx)
	default:
		var accounts []string
		if p.Only != "" {
			accounts = strings.Split(p.Only, ",")
		}
		for _, id := range accounts {
			if !event.IsAccount(id) {
				return nil, false, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("planning a sweep of %q: it is no account", id), Remedy: "write ids of 12 digits with commas between"}
			}
		}
		out, err = plan.Sweep(ctx, p.hub, accounts, p.hub.Regions)
	}
	out.Hub, out.Mode = p.at, p.mode
	return out, out.Empty(), err
}

// thing plans the next look at what is meant, or what follows from a change of its tags.
func (p *planner) thing(ctx context.Context) (plan.Plan, error) {
	suppose := plan.Supposed{Remove: p.Remove, Tags: map[string]*string{}}
	for key, value := range p.Tag {
		suppose.Tags[key] = &value
	}
	for _, key := range p.Untag {
		suppose.Tags[key] = nil
	}
	at, id := p.scoped(p.ID)
	c, ok, err := p.ledger.Connection(ctx, id)
	if err != nil {
		return plan.Plan{}, err
	}
	if !ok && id == p.ID { // nobody said where it is, and the ledger may know
		if at, err = p.placed(ctx, id, at); err != nil {
			return plan.Plan{}, err
		}
	}
	t, tagged := deed.Tagged(id, at)
	if !ok && !tagged && len(suppose.Tags) > 0 { // it may be the name of a database
		if _, t, err = p.database(ctx, p.ID, at); err != nil {
			return plan.Plan{}, err
		}
		tagged = t.Kind != ""
	}
	if !ok && tagged {
		if _, err := p.door.tags(ctx, t); err != nil {
			return plan.Plan{}, err
		}
	}
	if !ok && tagged && (len(suppose.Tags) == 0 || p.Remove) {
		c, ok = plan.Of(id, at)
	}
	switch {
	case ok:
		return plan.Connection(ctx, p.hub, c, at.Account, suppose)
	case tagged:
		return plan.Thing(ctx, p.hub, t, suppose)
	}
	return plan.Plan{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("planning %s: the ledger has no entry of it, and AWS has no such id", id), Remedy: "drawbridge status lists all; name a peering as pcx-0123456789abcdef0, an attachment or a VPC likewise, with ACCOUNT/REGION/ before it; a cluster by its ARN"}
}

// placed is where the ledger has a thing as a side of some entry; else home.
func (p *planner) placed(ctx context.Context, id string, home event.Place) (event.Place, error) {
	if !strings.HasPrefix(id, "vpc-") {
		return home, nil
	}
	entries, err := p.entries(ctx)
	for _, c := range entries {
		for _, s := range c.Sides {
			if s.ID == id {
				return event.Place{Account: s.Account, Region: s.Region}, nil
			}
		}
	}
	return home, err
}

// entries reads all that the ledger has.
func (p *planner) entries(ctx context.Context) ([]ledger.Connection, error) {
	var out []ledger.Connection
	err := ledger.Scan(ctx, dynamodb.NewFromConfig(p.door.own), p.at.Table, func(row ledger.Row) error {
		c, ok, err := row.Connection()
		if ok {
			out = append(out, c)
		}
		return err
	})
	return out, err
}

func (p *planner) scoped(text string) (event.Place, string) {
	return scoped(text, event.Place{Account: p.door.home.Account, Region: p.door.own.Region})
}

// scoped splits what may have an account, and a Region, before it; without them it is at home.
func scoped(text string, at event.Place) (event.Place, string) {
	parts := strings.SplitN(text, "/", 3)
	if len(parts) < 2 || !event.IsAccount(parts[0]) {
		return at, text
	}
	if at.Account = parts[0]; len(parts) == 3 {
		at.Region = parts[1]
	}
	return at, parts[len(parts)-1]
}

// database finds a database that somebody named, and its VPC.
func (p *planner) database(ctx context.Context, name string, at event.Place) (workflow.VPC, deed.Thing, error) {
	places, err := p.door.places()
	if err != nil {
		return workflow.VPC{}, deed.Thing{}, err
	}
	return (&why.Finder{Enter: p.door.enter, Home: p.door.home, Places: places}).Database(ctx, name, at)
}

// request plans a request that is only described.
func (p *planner) request(ctx context.Context) (plan.Plan, error) {
	at, vpc := p.scoped(p.From)
	to, _, err := p.database(ctx, p.To, at)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Request(ctx, p.hub, plan.End{Place: at, VPC: vpc}, plan.End{Place: event.Place{Account: to.Account, Region: to.Region}, VPC: to.ID})
}

// policies plans a policy.
func (p *planner) policies(ctx context.Context) (answer.Document, bool, error) {
	text, err := os.ReadFile(p.Policy)
	if err != nil {
		return nil, false, fmt.Errorf("reading the policy: %w", err)
	}
	entries, err := p.entries(ctx)
	if err != nil {
		return nil, false, err
	}
	out, err := plan.Policy(ctx, p.hub, entries, string(text))
	out.Hub, out.Mode, out.File = p.at, p.mode, p.Policy
	return out, out.Empty(), err
}
