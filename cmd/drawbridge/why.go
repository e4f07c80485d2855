package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/why"
)

type whyCommand struct {
	From string `arg:"" help:"What connects: a notebook, function, Studio domain, network interface or address."`
	To   string `arg:"" help:"What answers: a database, its endpoint, or an address and port."`
	accountFlags
	HubProfile string `help:"Profile of the hub's account, to say what the ledger has of the connection." placeholder:"NAME"`
	hubFlags
	reach
}

// accountFlags say how to enter accounts that are not one's own.
type accountFlags struct {
	Account map[accountID]string `help:"Profile for reading another account; may be given several times." placeholder:"ACCOUNT=PROFILE"`
	Role    string               `help:"Role to assume in accounts that have no profile here; reading is enough." placeholder:"NAME"`
}

// Help is what kong shows below the options.
func (whyCommand) Help() string {
	return `Says hop by hop what lets a packet through and what does not, whose it is, and the command that mends it; docs/hops has a page for each hop. It works for
connections that Drawbridge never saw, too. It reads with your own credentials and changes nothing. What it may not read is a question mark: the
owner of the notebook alone sees their side, and the database's by its endpoint or address.

FROM is NAME, notebook/NAME, function/NAME, d-… of a Studio domain, eni-…, an address or an ARN. TO is NAME, an endpoint or ADDRESS, each
perhaps with :PORT, or an ARN. Before a name there may be ACCOUNT/ or ACCOUNT/REGION/.

Exits with 0 if every hop holds, with 2 if one does not or nobody can say, with 1 after an error.

Examples:

  drawbridge why research sales --profile science --account 222222222222=data
  drawbridge why research "$ENDPOINT:3306"
  drawbridge why 111111111111/function/load 10.2.0.15:5432 --role ReadOnly
  drawbridge why research sales -o json | jq '.hops[] | select(.answer=="no")'
  drawbridge why 111111111111/research sales --local`
}

// Run implements the command.
func (c whyCommand) Run(ctx context.Context) error {
	d, err := c.door(ctx, c.accountFlags)
	if err != nil {
		return err
	}
	places, err := d.places()
	if err != nil {
		return err
	}
	finder := why.Finder{Enter: d.enter, Home: d.home, Places: places}
	q, unread, err := finder.Find(ctx, c.From, c.To)
	if err != nil {
		return err
	}
	a := why.Judge(q)
	if entry, ok := c.managed(ctx, q, a.Over); ok {
		a = why.Judge(q.Heeding(entry)).With(entry)
	}
	a.Unread = unread
	if err := c.print(a); err != nil {
		return err
	}
	return yes(a.Answer == "yes")
}

// managed returns what the hub's ledger says of a connection, if it can be read from here.
func (c whyCommand) managed(ctx context.Context, q why.Question, over string) (board.Entry, bool) {
	if c.Local == "" && c.HubProfile == "" {
		return board.Entry{}, false
	}
	entry, ok, err := func() (board.Entry, bool, error) {
		base, err := c.base(ctx, local.HubAccount)
		if err == nil && c.Local == "" {
			base, err = c.profile(ctx, c.HubProfile)
		}
		if err != nil {
			return board.Entry{}, false, err
		}
		h, err := c.in(ctx, base)
		if err != nil {
			return board.Entry{}, false, err
		}
		l := ledger.Ledger{Store: ledger.Table{API: dynamodb.NewFromConfig(h.Config), Name: h.at.Table}, Now: time.Now}
		return board.Between(ctx, l, event.Place{Account: q.From.Account, Region: q.From.Region}, over, q.From.VPC, q.To.VPC)
	}()
	if err != nil {
		talk("reading the ledger: %v", err)
	}
	return entry, ok && err == nil
}

// door enters accounts with the credentials of whoever asks.
type door struct {
	reach
	accountFlags
	ctx  context.Context
	own  aws.Config
	home event.Place

	mu   sync.Mutex // a plan enters several at the same time
	open map[event.Place]aws.Config
}

func (r reach) door(ctx context.Context, flags accountFlags) (*door, error) {
	own, err := r.base(ctx, local.HubAccount)
	if err != nil {
		return nil, err
	}
	account, err := whose(ctx, own)
	if err != nil {
		return nil, err
	}
	return &door{reach: r, accountFlags: flags, ctx: ctx, own: own, home: event.Place{Account: account, Region: own.Region}, open: map[event.Place]aws.Config{}}, nil
}

// places are where a thing may be whose account was not named: at home first, then in the accounts that have a profile here; in the engine in every account.
func (d *door) places() ([]event.Place, error) {
	out := []event.Place{d.home}
	add := func(account string) {
		if p := (event.Place{Account: account, Region: d.home.Region}); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	for _, account := range slices.Sorted(maps.Keys(d.Account)) {
		add(string(account))
	}
	if d.Local == "" {
		return out, nil
	}
	pages := organizations.NewListAccountsPaginator(organizations.NewFromConfig(d.own), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(d.ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the engine's accounts: %w", err)
		}
		for _, a := range page.Accounts {
			add(aws.ToString(a.Id))
		}
	}
	slices.SortFunc(out[1:], func(a, b event.Place) int { return strings.Compare(a.Account, b.Account) })
	return out, nil
}

// enter returns the configuration for a place: in the engine as anybody; else as oneself at home, by the profile that is named for the account, or by
// the role.
func (d *door) enter(at event.Place) (aws.Config, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.open[at]
	if ok {
		return c, nil
	}
	switch profile := d.Account[accountID(at.Account)]; {
	case d.Local != "":
		c = working.count(local.ClientConfig(d.Local.url(), at.Account, at.Region))
	case profile != "":
		var err error
		if c, err = d.profile(d.ctx, profile); err != nil {
			return c, err
		}
		if is, err := whose(d.ctx, c); err != nil || is != at.Account {
			if err == nil {
				err = fmt.Errorf("the profile %s is of account %s, not of %s: correct --account", profile, is, at.Account)
			}
			return c, err
		}
	case at.Account == d.home.Account:
		c = d.own.Copy()
	case d.Role != "":
		c = d.own.Copy()
		role := arn.IAM(arn.Partition(d.own.Region), at.Account, "role/"+d.Role)
		c.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(d.own), role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "drawbridge-why" }))
	default:
		return c, &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: fmt.Sprintf("there are no credentials for account %s", at.Account),
			Remedy: fmt.Sprintf("name a profile with --account %s=PROFILE, or a role with --role", at.Account)}
	}
	c.Region = at.Region
	d.open[at] = c
	return c, nil
}

// tags are those of a thing; nil if they may not be read here. It is an error that there is no such thing.
func (d *door) tags(ctx context.Context, t deed.Thing) (map[string]string, error) {
	c, err := d.enter(event.Place{Account: t.Account, Region: t.Region})
	var tags map[string]string
	if err == nil {
		tags, err = deed.Read(ctx, c, t)
	}
	var none *fault.Error
	if errors.As(err, &none) && none.Kind == fault.Invalid {
		return nil, err
	}
	return tags, ctx.Err()
}
