package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// DomainWriter is what [Identify] needs of SageMaker.
type DomainWriter interface {
	DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error)
	ListApps(context.Context, *sagemaker.ListAppsInput, ...func(*sagemaker.Options)) (*sagemaker.ListAppsOutput, error)
	ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error)
	AddTags(context.Context, *sagemaker.AddTagsInput, ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error)
	DeleteTags(context.Context, *sagemaker.DeleteTagsInput, ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error)
	UpdateDomain(context.Context, *sagemaker.UpdateDomainInput, ...func(*sagemaker.Options)) (*sagemaker.UpdateDomainOutput, error)
}

// settingOf is the setting of a domain, as the ledger calls it.
func settingOf(account, region, domain string) ledger.Item {
	return ledger.Item{Account: account, Region: region, Resource: domain, Kind: ledger.Setting, Key: setting, Left: ByProfile}
}

// studioDomain is a domain whose setting is decided about for a warehouse.
type studioDomain struct {
	api       DomainWriter
	book      Book
	brake     brake.Asker
	in        workflow.Domain
	id        string // of the connection
	execution string
	out       *workflow.IdentifyUsersOutput
}

func (d studioDomain) say(ok bool, format string, args ...any) {
	d.out.Hops = append(d.out.Hops, workflow.Hop{Hop: fmt.Sprintf("domain %s in %s", d.in.ID, d.in.Account), OK: ok, Detail: fmt.Sprintf(format, args...)})
}

// Identify makes the user profile's name the source identity of a domain's apps, as soon as no app is there, if the domain's owner opened it to
// Drawbridge. With the last warehouse that needs it the setting becomes what it was before, unless its owner changed it meanwhile. It
// never stops an app: that is for people, who are told.
//
// The brake is asked before a domain that only lost its tag gets its old setting back.
func Identify(ctx context.Context, api DomainWriter, book Book, ask brake.Asker, in workflow.IdentifyUsersInput) (workflow.IdentifyUsersOutput, error) {
	out := workflow.IdentifyUsersOutput{Hops: []workflow.Hop{}, Needing: []string{}}
	d := studioDomain{api: api, book: book, brake: ask, in: in.Domain, id: in.Warehouse.ARN, execution: in.Execution, out: &out}
	for _, a := range in.Admitted {
		if !a.Ready && slices.Contains(d.in.Roles, a.Role) && !slices.Contains(d.in.Unready, a.Role) {
			d.in.Unready = append(d.in.Unready, a.Role)
		}
	}
	err := book.While(ctx, "domain "+d.in.Account+"/"+d.in.Region+"/"+d.in.ID, in.Execution, func() error { return d.identify(ctx) })
	if err != nil && forAPerson(err) {
		// One domain keeps nobody of another one out.
		d.say(false, "%s", err)
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("the Studio domain %s in %s, %s: %w", d.in.ID, d.in.Account, d.in.Region, err)
	}
	return out, err
}

func (d studioDomain) identify(ctx context.Context) error {
	item := settingOf(d.in.Account, d.in.Region, d.in.ID)
	items, err := d.book.Of(ctx, item.Account, item.Region, item.Resource)
	if err != nil {
		return err
	}
	have := find(items, item)
	now, there, err := d.now(ctx)
	if err != nil {
		return err
	}
	if !there {
		d.say(true, "it does not exist any more")
		return d.book.Cancel(ctx, d.id, of(items, d.id))
	}
	tags, err := domainTags(ctx, d.api, d.in.ARN)
	if err != nil {
		return err
	}
	running, going, err := apps(ctx, d.api, d.in.ID)
	if err != nil {
		return fmt.Errorf("listing its apps: %w", err)
	}
	s := Setting{Wanted: len(d.in.Roles) > 0, Opened: tags[tag.Studio] == "true", Unready: len(d.in.Unready) > 0, Now: now, Apps: len(running) + going, Item: have}
	if have != nil && have.State == ledger.Contested && !s.Opened {
		// Its owner closed it: what was contested is settled, for when it is opened again.
		if len(have.Needed) == 1 {
			if err := d.unmark(ctx, tags); err != nil {
				return err
			}
		}
		if err := d.book.Cancel(ctx, d.id, of(items, d.id)); err != nil {
			return err
		}
		have, s.Item = nil, nil
	}
	if err := d.brake.Ask(ctx, closing(d.in.ARN, s, tag.Says(tags, tag.Studio))); err != nil {
		return err
	}
	if !wanted(s) && have != nil && len(of(items, d.id)) > 0 {
		if !made(have.State) {
			return d.release(ctx, *have, tags)
		}
		leaving, err := d.book.Release(ctx, d.id, []ledger.Item{*have})
		if err != nil {
			return err
		}
		s.Last = len(leaving) > 0
	}
	move := Identity(s)
	if move == Wait && len(running) == 0 {
		return fault.New(fault.NotYet, "%d of its apps are still being deleted", going)
	}
	if err := d.do(ctx, s, move, item, tags, running); err != nil {
		return err
	}
	if s.Wanted {
		if len(d.in.Unready) > 0 && now == ByProfile && move != Restore {
			d.say(false, "apps with %s cannot start: with source identities its trust policy has to let %s call sts:SetSourceIdentity", strings.Join(d.in.Unready, ", "), service)
		}
		for _, p := range d.in.Unnamed {
			d.say(false, "the user profile %s cannot be a database user: its name must begin with a small letter and have only small letters, digits and _+.@-", p)
		}
	}
	return nil
}

// do makes a move.
func (d studioDomain) do(ctx context.Context, s Setting, move Move, item ledger.Item, tags map[string]string, running []string) error {
	switch move {
	case Leave:
		if s.Item != nil && s.Wanted && s.Item.State == ledger.Contested { // its owner set it
			return d.release(ctx, *s.Item, tags)
		}
		if s.Item != nil && s.Wanted && s.Item.State == ledger.Confirmed {
			if _, err := d.book.Record(ctx, d.id, item); err != nil {
				return err
			}
		}
		if s.Wanted {
			d.say(true, "the source identity of its apps is the user profile's name")
		} else {
			d.say(true, "its setting %s is its owner's", setting)
		}
		return nil
	case Adopt:
		if _, err := d.book.Record(ctx, d.id, item); err != nil {
			return err
		}
		d.say(true, "the source identity of its apps is the user profile's name")
		_, err := d.book.Confirm(ctx, item)
		return err
	case Other:
		d.say(true, "another cluster still needs its setting %s", setting)
		return nil
	case Dispute:
		return d.dispute()
	case Closed:
		d.say(false, "its owner did not open it to Drawbridge: tag the domain %s=true, or set its %s to %s", tag.Studio, setting, ByProfile)
		return d.wish(ctx, item)
	case Block:
		d.say(false, "the trust policy of %s lacks sts:SetSourceIdentity for %s: with source identities its apps could not start; tag the role %s=true, or add that", strings.Join(d.in.Unready, ", "), service, tag.Studio)
		return d.wish(ctx, item)
	case Wait:
		d.out.Waiting = true
		d.say(false, "waits until its apps are deleted: %s; delete them in Studio when it suits, the setting follows by itself", strings.Join(running, ", "))
		if wanted(s) {
			return d.wish(ctx, item)
		}
		d.out.Needing = append(d.out.Needing, d.in.Leaving...)
		return nil
	case Set:
		return d.set(ctx, s, item, tags)
	case Restore:
		return d.restore(ctx, s, item, tags)
	case Forget:
		d.say(true, "its setting %s is its owner's", setting)
		// The mark goes first: without the item nobody would look for it.
		if err := d.unmark(ctx, tags); err != nil {
			return err
		}
		return d.book.Forget(ctx, d.id, []ledger.Item{item})
	}
	panic("no such move: " + string(move))
}

// dispute says that the setting is its owner's.
func (d studioDomain) dispute() error {
	d.say(false, "somebody turned its setting %s off, and it is left to its owner: to let its people in, set it to %s, or tag the domain %s=true anew",
		setting, ByProfile, tag.Studio)
	return nil
}

// wish writes that the warehouse needs the setting, so that somebody looks again when it can follow.
func (d studioDomain) wish(ctx context.Context, item ledger.Item) error {
	item.State = ledger.Wanted
	_, err := d.book.Record(ctx, d.id, item)
	return err
}

// release writes that the warehouse does not need what was only wished, or is contested.
func (d studioDomain) release(ctx context.Context, have ledger.Item, tags map[string]string) error {
	d.say(true, "its setting %s is its owner's", setting)
	if len(have.Needed) == 1 {
		if err := d.unmark(ctx, tags); err != nil {
			return err
		}
	}
	return d.book.Cancel(ctx, d.id, []ledger.Item{have})
}

func (d studioDomain) set(ctx context.Context, s Setting, item ledger.Item, tags map[string]string) error {
	if s.Item != nil && s.Item.State == ledger.Confirmed {
		_, left, err := d.book.contest().Missing(ctx, d.id, d.execution, []ledger.Item{*s.Item})
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return d.dispute()
		}
	}
	item.Before = s.Now
	if _, err := d.book.Record(ctx, d.id, item); err != nil {
		return err
	}
	// The mark comes before what it lets Drawbridge take back.
	if tags[MarkTag] != Mark {
		if _, err := d.api.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &d.in.ARN, Tags: []types.Tag{{Key: aws.String(MarkTag), Value: aws.String(Mark)}}}); err != nil {
			return closed(err, "marking it")
		}
	}
	if err := d.update(ctx, ByProfile); err != nil {
		return err
	}
	d.say(true, "from now on the source identity of its apps is the user profile's name")
	_, err := d.book.Confirm(ctx, item)
	return err
}

func (d studioDomain) restore(ctx context.Context, s Setting, item ledger.Item, tags map[string]string) error {
	if err := d.update(ctx, s.Item.Before); err != nil {
		d.out.Needing = append(d.out.Needing, d.in.Leaving...)
		return err
	}
	if err := d.unmark(ctx, tags); err != nil {
		return err
	}
	if err := d.book.Forget(ctx, d.id, []ledger.Item{item}); err != nil {
		return err
	}
	d.say(true, "its setting %s is %s again", setting, s.Item.Before)
	if s.Wanted {
		d.say(false, "its owner closed it to Drawbridge: the people in it are not identified any more; tag the domain %s=true to let them in", tag.Studio)
		return d.wish(ctx, item)
	}
	return nil
}

// update changes the setting and reads it back.
func (d studioDomain) update(ctx context.Context, to string) error {
	_, err := d.api.UpdateDomain(ctx, &sagemaker.UpdateDomainInput{DomainId: &d.in.ID,
		DomainSettingsForUpdate: &types.DomainSettingsForUpdate{ExecutionRoleIdentityConfig: types.ExecutionRoleIdentityConfig(to)}})
	if err != nil {
		return closed(err, "setting its "+setting+" to "+to)
	}
	now, there, err := d.now(ctx)
	if err == nil && there && now != to {
		err = fault.New(fault.NotYet, "its setting %s is not yet %s", setting, to)
	}
	return err
}

// closed says of a denied write what allows it.
func closed(err error, doing string) error {
	if fault.Of(err) == fault.Refused {
		return &fault.Error{Kind: fault.Refused, Cause: err, Message: doing + ": " + err.Error(),
			Remedy: "tag the domain " + tag.Studio + "=true, or do it by hand; the next look goes on"}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// unmark takes the mark off, once nothing of ours is left.
func (d studioDomain) unmark(ctx context.Context, tags map[string]string) error {
	if tags[MarkTag] != Mark {
		return nil
	}
	if _, err := d.api.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: &d.in.ARN, TagKeys: []string{MarkTag}}); err != nil {
		return fmt.Errorf("taking the tag %s from it: %w", MarkTag, err)
	}
	return nil
}

// now returns the setting as it is, and whether the domain is there.
func (d studioDomain) now(ctx context.Context) (now string, there bool, err error) {
	got, err := d.api.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: &d.in.ID})
	if fault.HasCode(err, "ResourceNotFound") {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("reading it: %w", err)
	}
	return identityOf(got), true, nil
}

// identityOf is the setting of a domain as SageMaker describes it.
func identityOf(got *sagemaker.DescribeDomainOutput) string {
	if got.DomainSettings == nil || got.DomainSettings.ExecutionRoleIdentityConfig == "" {
		return Disabled
	}
	return string(got.DomainSettings.ExecutionRoleIdentityConfig)
}

// apps returns the apps that are there, as people know them, and how many are being deleted.
func apps(ctx context.Context, api DomainWriter, id string) (there []string, going int, err error) {
	pages := sagemaker.NewListAppsPaginator(api, &sagemaker.ListAppsInput{DomainIdEquals: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, 0, err
		}
		for _, a := range page.Apps {
			switch a.Status {
			case types.AppStatusDeleted, types.AppStatusFailed:
			case types.AppStatusDeleting:
				going++
			default:
				owner := aws.ToString(a.UserProfileName)
				if owner == "" {
					owner = aws.ToString(a.SpaceName)
				}
				there = append(there, fmt.Sprintf("%s of %s", a.AppType, owner))
			}
		}
	}
	slices.Sort(there)
	return there, going, nil
}
