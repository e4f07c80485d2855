package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// MarkReader is what [ReadShown] needs of SageMaker.
type MarkReader interface {
	DomainReader
	ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error)
}

// Readable are the clients of one account and Region, for [ReadShown].
type Readable struct {
	Roles   RoleReader
	Domains MarkReader
}

// Shown is what the accounts show of a warehouse that has a status of Drawbridge's.
type Shown struct {
	Warehouse workflow.Warehouse
	Status    string
	Reason    string
	// Accounts are those that the cluster names, and those of the roles that the readers' role trusts.
	Accounts []string
	readers  *role
	policy   string // of the readers' role
	roles    []shownRole
	domains  []shownDomain
	unread   []string // what cannot be looked at now, and why
}

// shownRole is an execution role that the readers' role trusts, or nil if there is none any more, and its inline policy for the warehouse.
type shownRole struct {
	*role
	account, name, policy string
}

// shownDomain is a domain with Drawbridge's mark in which such a role works.
type shownDomain struct {
	account, region, id, setting string
}

// Warehouse returns a cluster as its tags describe it, and whether it has a status of Drawbridge's.
func Warehouse(at event.Place, id string, tags map[string]string) (w workflow.Warehouse, managed bool) {
	partition := arn.Partition(at.Region)
	groups := strings.Fields(tags[tag.StudioGroups])
	if groups == nil {
		groups = []string{}
	}
	return workflow.Warehouse{Account: at.Account, Region: at.Region, ID: id, ARN: arn.New(partition, "redshift", at.Region, at.Account, "cluster:"+id), Groups: groups,
		Role: arn.IAM(partition, at.Account, "role"+Path+RoleName(at.Region, id)), Named: len(strings.Fields(tags[tag.Studio])) > 0, Manage: tags[tag.Manage]}, tags[tag.StudioStatus] != ""
}

// ReadShown reads what carries Drawbridge's marks for a warehouse: its readers' role, the execution roles that this trusts, each in its own account, and
// the domains of those accounts in the warehouse's Region. in returns the clients of a place. An account that cannot be looked at is said in what is untold.
func ReadShown(ctx context.Context, in func(event.Place) Readable, w workflow.Warehouse, tags map[string]string) (Shown, error) {
	out := Shown{Warehouse: w, Status: tags[tag.StudioStatus], Reason: tags[tag.StudioReason]}
	for _, one := range strings.Fields(tags[tag.Studio]) {
		if event.IsAccount(one) {
			out.Accounts = append(out.Accounts, one)
		}
	}
	api, name := in(event.Place{Account: w.Account, Region: w.Region}).Roles, nameOf(w.Role)
	var err error
	if out.readers, err = readRole(ctx, api, name, w.Account); err != nil || out.readers == nil {
		return out, err
	}
	if out.policy, err = rolePolicy(ctx, api, name, PolicyName); err != nil {
		return out, fmt.Errorf("reading the policy of the role %s in %s: %w", name, w.Account, err)
	}
	trusted, err := Readers(out.readers.trust)
	if err != nil {
		return out, nil // it is not as Drawbridge writes it: [Told] says so
	}
	of := map[string][]string{}
	for _, one := range trusted {
		account := arn.AccountOf(one)
		of[account] = append(of[account], one)
		out.Accounts = append(out.Accounts, account)
	}
	slices.Sort(out.Accounts)
	out.Accounts = slices.Compact(out.Accounts)
	for _, account := range out.Accounts {
		if len(of[account]) == 0 {
			continue
		}
		place := event.Place{Account: account, Region: w.Region}
		err := out.consumer(ctx, in(place), place, of[account])
		if why, unreadable := fault.Unreadable(err); unreadable {
			out.unread, err = append(out.unread, fmt.Sprintf("what the execution roles and domains of %s have for %s: %s", account, w.ID, why)), nil
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// consumer reads what one account shows.
func (s *Shown) consumer(ctx context.Context, api Readable, place event.Place, trusted []string) error {
	for _, one := range trusted {
		have, err := readRole(ctx, api.Roles, nameOf(one), place.Account)
		if err != nil {
			return err
		}
		shown := shownRole{role: have, account: place.Account, name: nameOf(one)}
		if have != nil {
			if shown.policy, err = rolePolicy(ctx, api.Roles, shown.name, PolicyOf(s.Warehouse)); err != nil {
				return fmt.Errorf("reading the policy %s of the role %s in %s: %w", PolicyOf(s.Warehouse), shown.name, place.Account, err)
			}
		}
		s.roles = append(s.roles, shown)
	}
	domains, err := readDomains(ctx, api.Domains, place)
	if fault.Absent(err) {
		return nil // in a Region without SageMaker there is no domain
	}
	if err != nil {
		return err
	}
	for _, d := range domains {
		if !slices.ContainsFunc(d.roles, func(r string) bool { return slices.Contains(trusted, r) }) {
			continue
		}
		tags, err := domainTags(ctx, api.Domains, d.arn)
		if err != nil {
			return fmt.Errorf("the Studio domain %s in %s, %s: %w", d.id, place.Account, place.Region, err)
		}
		if tags[MarkTag] == Mark {
			s.domains = append(s.domains, shownDomain{place.Account, place.Region, d.id, d.identity})
		}
	}
	return nil
}

// Told returns what a ledger that was lost had of a warehouse with a status of Drawbridge's: the entry, and the items. home is the Region under which IAM's
// things are filed.
//
//	the readers' role with Drawbridge's path, boundary and mark, and the policy for exactly this cluster   → its items
//	a role of that name that is not so                                                                     → untold, and nothing more is told
//	an execution role that it trusts, which has the mark: Drawbridge's statement, as Drawbridge writes it  → an item
//	  its inline policy for the warehouse, as Drawbridge writes it                                         → an item
//	  one of the two otherwise                                                                             → untold: somebody changed it
//	an execution role that it trusts without the mark                                                      → nothing: what it has is its owner's
//	a domain with the mark in which such a role works, and with the setting                                → an item; it was off before, or there were no mark
//	  without the setting                                                                                  → untold: somebody turned it off
func Told(s Shown, home string) (entry ledger.Connection, items []ledger.Item, untold []string) {
	w, book := s.Warehouse, Book{Home: home}
	entry = ledger.Connection{ID: w.ARN, Kind: road.Studio, Origin: ledger.Requested, Status: ledger.Status(s.Status), Reason: s.Reason, Sides: sides(w, s.Accounts, home)}
	untold = s.unread
	say := func(format string, args ...any) { untold = append(untold, fmt.Sprintf(format, args...)) }
	tell := func(i ledger.Item) {
		i.Needed = []string{w.ARN}
		items = append(items, i)
	}
	if s.readers == nil {
		return entry, nil, untold
	}
	made, policy := readersItems(book, w)
	trusted, err := Readers(s.readers.trust)
	if err != nil || s.readers.arn != w.Role || s.readers.boundary != boundary(w) || s.readers.tags[MarkTag] != Mark || digest(s.policy) != policy.Left {
		say("%s: it is not as Drawbridge makes a role for %s", s.readers.arn, w.ID)
		return entry, nil, untold
	}
	made.Left = s.readers.id
	tell(made)
	tell(policy)
	trust := readersTrust(book, w)
	trust.Left = digest(s.readers.trust)
	if trust.Left == digest(Trust(trusted)) {
		tell(trust)
	} else {
		say("whom %s trusts: somebody changed it", nameOf(w.Role))
	}
	for _, r := range s.roles {
		if r.role == nil || r.tags[MarkTag] != Mark {
			continue
		}
		s.execution(book, r, tell, say)
	}
	for _, d := range s.domains {
		if d.setting != ByProfile {
			say("the setting %s of the domain %s in %s: somebody turned it off", setting, d.id, d.account)
			continue
		}
		i := settingOf(d.account, d.region, d.id)
		i.Before = Disabled
		tell(i)
	}
	return entry, items, untold
}

// execution tells what one marked execution role has.
func (s Shown) execution(book Book, r shownRole, tell func(ledger.Item), say func(string, ...any)) {
	own, err := policydocument.Find([]byte(r.trust), Sid)
	before, removing := policydocument.Remove([]byte(r.trust), Sid)
	switch {
	case err == nil && own == nil:
	case err == nil && removing == nil && before != nil && digest(string(own)) == statementDigest:
		i := book.role(r.account, r.name, ledger.Statement, trustKey)
		i.Before, i.Left = string(before), statementDigest
		tell(i)
	default:
		say("the statement %s in the trust policy of %s in %s: somebody changed it", Sid, r.name, r.account)
	}
	wanted := PolicyOf(s.Warehouse)
	switch {
	case r.policy == "":
	case sameJSON(r.policy, Assume(s.Warehouse.Role)):
		i := book.role(r.account, r.name, ledger.Document, wanted)
		i.Left = digest(r.policy)
		tell(i)
	default:
		say("the policy %s of the role %s in %s: somebody changed it", wanted, r.name, r.account)
	}
}

// domainTags returns the tags of a domain.
func domainTags(ctx context.Context, api sagemaker.ListTagsAPIClient, domain string) (map[string]string, error) {
	tags := map[string]string{}
	pages := sagemaker.NewListTagsPaginator(api, &sagemaker.ListTagsInput{ResourceArn: &domain})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading its tags: %w", err)
		}
		for _, t := range page.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return tag.Clean(tag.Domain, tags), nil
}
