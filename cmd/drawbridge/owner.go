package main

import (
	"context"

	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/who"
)

type approveCommand struct {
	ID     string `arg:"" help:"The peering, pcx-…, or attachment, tgw-attach-…."`
	All    bool   `help:"Approve what comes later, too." xor:"what"`
	Answer string `help:"The value that the question names, approved-1a2b3c4d." xor:"what" placeholder:"VALUE"`
	ownerFlags
}

// Help is what kong shows below the options.
func (approveCommand) Help() string {
	return `Approves a request that waits, or what came to a connection later, as the owner who is asked: sets drawbridge:approval on it, in the account that is asked, with
your own credentials there (ec2:CreateTags). With --hub-profile it shows first what the question shows, and answers that one. It asks before it acts.

Exits with 0 if it was done, or is so already; with 2 if nothing waits, or you said no; with 1 after an error. Ctrl-C at the question leaves all as it was.

Examples:

  drawbridge approve pcx-0a1b2c3d4e5f60718 --profile owner --hub-profile hub
  drawbridge approve pcx-0a1b2c3d4e5f60718 --answer approved-1a2b3c4d --yes
  drawbridge approve tgw-attach-0a1b2c3d4e5f60718 --all --dry-run
  drawbridge approve pcx-0a1b2c3d4e5f60718 --local`
}

// Run implements the command.
func (c approveCommand) Run(ctx context.Context) error {
	answer := c.Answer
	if c.All {
		answer = tag.ApprovedAll
	}
	return c.say(ctx, c.ID, asked, func(s side) deed.Deed { return deed.Approve(s.thing, answer, s.entry) })
}

type rejectCommand struct {
	ID string `arg:"" help:"The peering, pcx-…, or attachment, tgw-attach-…."`
	ownerFlags
}

// Help is what kong shows below the options.
func (rejectCommand) Help() string {
	return `Says no to a request that waits, or takes back what stands: what Drawbridge added goes on both sides. Either owner of one that stands may. Sets
drawbridge:approval=rejected in your account (ec2:CreateTags). It asks before it acts.

Exits with 0 if it was done, or is so already; with 2 if you said no; with 1 after an error.

Examples:

  drawbridge reject pcx-0a1b2c3d4e5f60718 --profile owner
  drawbridge reject pcx-0a1b2c3d4e5f60718 --in 222222222222 --local --yes`
}

// Run implements the command.
func (c rejectCommand) Run(ctx context.Context) error {
	return c.say(ctx, c.ID, asked, func(s side) deed.Deed { return deed.Reject(s.thing, s.entry) })
}

type manageCommand struct {
	ID string `arg:"" help:"The peering, pcx-…, or attachment, tgw-attach-…; or an entry of the Data API, Studio or private notebooks, as drawbridge status has it."`
	ownerFlags
}

// Help is what kong shows below the options.
func (manageCommand) Help() string {
	return `Gives a connection, or access by the Data API, Studio or private notebooks, that was there before Drawbridge, or that it let go of, into its hands; it also
asks anew for what the ledger has as contested (--hub-profile). Sets drawbridge:manage=true in your account: on the peering or attachment (ec2:CreateTags); for the Data API and Studio on the
cluster (rds:AddTagsToResource, redshift:CreateTags); for private notebooks, and endpoints of the Data API, on the VPC. What is there stays its owners'. It asks
before it acts.

Exits with 0 if it was done, or is so already; with 2 if you said no; with 1 after an error.

Examples:

  drawbridge manage pcx-0a1b2c3d4e5f60718 --profile owner
  drawbridge manage pcx-0a1b2c3d4e5f60718 --in 222222222222 --local --yes
  drawbridge manage arn:aws:rds:us-east-1:222222222222:cluster:sales \
    --profile data`
}

// Run implements the command.
func (c manageCommand) Run(ctx context.Context) error {
	return c.say(ctx, c.ID, managed, func(s side) deed.Deed { return deed.Manage(s.thing, s.entry) })
}

type releaseCommand struct {
	ID   string `arg:"" help:"The peering, pcx-…, or attachment, tgw-attach-…; or an entry of the Data API, Studio or private notebooks, as drawbridge status has it."`
	Undo bool   `help:"Take back first what Drawbridge added, on both sides."`
	ownerFlags
}

// Help is what kong shows below the options.
func (releaseCommand) Help() string {
	return `Takes a connection, or access by the Data API, Studio or private notebooks, out of Drawbridge's hands and leaves everything as it stands; with --undo, what
Drawbridge added goes before. Sets drawbridge:manage=false or undo in your account, on the thing that "drawbridge manage" names. While the tag is there, the thing
is not taken up again. It asks before it acts.

Exits with 0 if it was done, or is so already; with 2 if you said no; with 1 after an error.

Examples:

  drawbridge release pcx-0a1b2c3d4e5f60718 --profile owner
  drawbridge release pcx-0a1b2c3d4e5f60718 --undo --yes
  drawbridge release arn:aws:rds:us-east-1:222222222222:cluster:sales \
    --profile data
  drawbridge release private-notebooks-vpc-0a1b2c3d --undo \
    --in 111111111111 --local`
}

// Run implements the command.
func (c releaseCommand) Run(ctx context.Context) error {
	return c.say(ctx, c.ID, managed, func(s side) deed.Deed { return deed.Release(s.thing, s.entry, c.Undo) })
}

type revokeCommand struct {
	Database string    `arg:"" help:"The database: NAME, ACCOUNT/NAME or its ARN."`
	From     accountID `required:"" help:"The account that shall not reach it any more." placeholder:"ACCOUNT"`
	accountFlags
	deedFlags
}

// Help is what kong shows below the options.
func (revokeCommand) Help() string {
	return `Takes an account out of the tags by which a database's owner shares it: drawbridge:share, drawbridge:data-api and drawbridge:studio. Reads the database and sets
the tags with your own credentials (rds:AddTagsToResource, redshift:CreateTags or redshift-serverless:TagResource). It asks before it acts.

Exits with 0 if it was done; with 2 if no tag names the account, or you said no; with 1 after an error.

Examples:

  drawbridge revoke sales --from 111111111111 --profile data
  drawbridge revoke sales --from 111111111111 --profile data --dry-run
  drawbridge revoke 222222222222/sales --from 111111111111 --local --yes`
}

// Run implements the command.
func (c revokeCommand) Run(ctx context.Context) error {
	d, err := c.door(ctx, c.accountFlags)
	if err != nil {
		return err
	}
	places, err := d.places()
	if err != nil {
		return err
	}
	facts, err := who.Finder{Enter: d.enter, Places: places}.Find(ctx, c.Database)
	if err != nil {
		return err
	}
	t := deed.Thing{Kind: facts.Kind, ID: facts.Database.ARN, Account: facts.At.Account, Region: facts.At.Region}
	return c.perform(ctx, deed.RevokeAccount(t, facts.Database.ID, string(c.From), facts.Database.Tags), d.enter)
}
