package studio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// Redshift is what [Inspector] needs of Redshift.
type Redshift interface {
	DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error)
}

// RoleReader reads roles.
type RoleReader interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
}

// DomainReader reads Studio domains and who works in them.
type DomainReader interface {
	ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error)
	DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error)
	ListUserProfiles(context.Context, *sagemaker.ListUserProfilesInput, ...func(*sagemaker.Options)) (*sagemaker.ListUserProfilesOutput, error)
	DescribeUserProfile(context.Context, *sagemaker.DescribeUserProfileInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error)
}

// Clients are the member-account clients that an inspection uses, for one account and Region.
type Clients struct {
	Redshift Redshift
	Roles    RoleReader
	Domains  DomainReader
}

// Inspector answers what a cluster's readers need next.
type Inspector struct {
	// Enter returns the clients for acting in a place on behalf of an execution.
	Enter func(execution string, place event.Place) Clients
	// Account says what AWS Organizations knows of an account. An account outside the organization has none.
	Account func(ctx context.Context, id string) (workflow.AccountFacts, error)
	// Policy returns the policy in force, or the one whose text is known, and its text.
	Policy func(ctx context.Context, known string) (*policy.Set, string, error)
	// Index is where to look when a role changes, Looks how.
	Index Index
	Looks look.Asker
	// Bus is where a refusal is announced.
	Bus notice.Bus
}

// The answers of InspectStudio.
const (
	AnswerAdmit    = "admit"
	AnswerRetract  = "retract"
	AnswerIdentify = "identify"
	AnswerAnnounce = "announce"
	AnswerRefuse   = "refuse"
	AnswerNothing  = "nothing"
)

// Inspect reads the event and the cluster or domain that it names, each in its own account, asks the policy for each
// execution role that is open to Drawbridge, and answers. It changes nothing but the index of the hub.
//
// An event about roles names no cluster. For each cluster that named the account it asks for a look.
func (i Inspector) Inspect(ctx context.Context, in workflow.InspectStudioInput) (workflow.InspectStudioOutput, error) {
	out := workflow.InspectStudioOutput{Roles: []workflow.ExecutionRole{}, Domains: []workflow.Domain{}, Warehouse: workflow.Warehouse{Groups: []string{}}}
	e, err := event.Parse(in.Event)
	if err != nil {
		return out, err
	}
	switch {
	case e.Cluster != "":
		err = i.warehouse(ctx, in.Execution, e, &out)
	case e.Workgroup != "":
		err = i.workgroup(ctx, e, &out)
	case e.Roles:
		err = i.announce(ctx, e, &out)
	case e.Kind == event.Studio:
		err = i.domain(ctx, in.Execution, e, &out)
	default:
		out.Answer, out.Reason = AnswerNothing, e.Why
		if e.Why == "" {
			out.Reason = fmt.Sprintf("an event about a %s is not for this machine", e.Kind)
		}
	}
	switch out.Answer {
	case AnswerNothing:
		out.Result = workflow.Nothing
	case AnswerRefuse:
		out.Result = workflow.RefusedByPolicy
		if err == nil {
			w := out.Warehouse
			err = i.Bus.Put(ctx, notice.Access(notice.Thing{Execution: in.Execution, Machine: machine, Result: out.Result, Reason: out.Reason,
				Resource: notice.Resource{Account: w.Account, Region: w.Region, ID: w.ARN}}, out.Decision, nil))
		}
	case AnswerAnnounce:
		out.Result = workflow.Announced
	}
	slog.InfoContext(ctx, "inspected", "cluster", out.Warehouse.ARN, "answer", out.Answer, "reason", out.Reason, "roles", len(out.Roles))
	return out, err
}

// announce asks for a look at each cluster that may be concerned when a role of the account is opened or closed, or somebody
// gets another role.
func (i Inspector) announce(ctx context.Context, e event.Event, out *workflow.InspectStudioOutput) error {
	looks, err := i.Index.Looks(ctx, e.Account, fmt.Sprintf("%s in %s", e.Name, e.Account))
	if err != nil {
		return err
	}
	if len(looks) == 0 {
		out.Answer, out.Reason = AnswerNothing, "no Redshift cluster names "+e.Account
		return nil
	}
	out.Answer, out.Reason = AnswerAnnounce, fmt.Sprintf("%s concerns %d Redshift clusters", e.Name, len(looks))
	return look.Ask(ctx, i.Looks, looks...)
}

// workgroup says what a workgroup of Redshift Serverless cannot do: whoever asks it for credentials becomes the database user
// of the role, so all readers would be one. Nobody may choose a user, as GetClusterCredentials lets them.
// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html
func (i Inspector) workgroup(ctx context.Context, e event.Event, out *workflow.InspectStudioOutput) error {
	owner, err := i.Account(ctx, e.Account)
	if err != nil {
		return err
	}
	if owner.Organization == "" {
		out.Answer, out.Reason = AnswerNothing, fmt.Sprintf("account %s is outside the organization", e.Account)
		return nil
	}
	return fault.NewConflict(fmt.Sprintf("the workgroup %s in %s, %s is Redshift Serverless, where a database user has the name of the role that asks: all readers would be one user",
		e.Workgroup, e.Account, e.Region), "take the tag "+tag.Studio+" from the workgroup, and share a provisioned cluster by it")
}

// warehouse looks at one cluster: who shall read it, who could until now, and in which domains they work.
func (i Inspector) warehouse(ctx context.Context, execution string, e event.Event, out *workflow.InspectStudioOutput) error {
	nothing := func(format string, args ...any) error {
		out.Answer, out.Reason = AnswerNothing, fmt.Sprintf(format, args...)
		return nil
	}
	owner, err := i.Account(ctx, e.Account)
	if err != nil {
		return err
	}
	if owner.Organization == "" {
		return nothing("account %s is outside the organization", e.Account)
	}
	clients := i.Enter(execution, e.Place)
	tags, err := cluster(ctx, clients.Redshift, e)
	if err != nil {
		return err
	}
	partition := arn.Partition(e.Region)
	name := RoleName(e.Region, e.Cluster)
	out.Warehouse = workflow.Warehouse{Account: e.Account, Region: e.Region, ID: e.Cluster, Groups: strings.Fields(tags[tag.StudioGroups]),
		ARN:  arn.New(partition, "redshift", e.Region, e.Account, "cluster:"+e.Cluster),
		Role: arn.IAM(partition, e.Account, "role"+Path+name)}
	if out.Warehouse.Groups == nil {
		out.Warehouse.Groups = []string{}
	}
	var readers []string
	if have, err := ourRole(ctx, clients.Roles, name, e.Account); err != nil {
		return err
	} else if have != nil {
		if readers, err = Readers(have.trust); err != nil {
			return fmt.Errorf("in %s, %s: %w", name, e.Account, err)
		}
	}
	named := strings.Fields(tags[tag.Studio])
	accounts := slices.Clone(named)
	for _, reader := range readers {
		accounts = append(accounts, arn.AccountOf(reader))
	}
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	if e.Consumer != "" && !slices.Contains(accounts, e.Consumer) {
		if err := i.Index.Keep(ctx, e.Consumer, e.Place, e.Cluster, false); err != nil {
			return err
		}
	}
	unclear := tag.Why(tags, tag.Studio, tag.StudioGroups)
	// What an earlier execution left on the cluster, though nobody reads it, did not come to its end.
	_, unfinished := tags[StatusTag]
	if len(accounts) == 0 && !unfinished {
		return nothing("cluster %s has no tag %s, and nobody reads it%s", e.Cluster, tag.Studio, unclear)
	}
	set, _, err := i.Policy(ctx, "")
	if err != nil {
		return err
	}
	warehouse := policy.Warehouse{ARN: out.Warehouse.ARN, ID: e.Cluster, Region: e.Region, Tags: tags, Account: owner.Entity()}
	var refused []policy.Decision
	for _, id := range accounts {
		if err := i.Index.Keep(ctx, id, e.Place, e.Cluster, slices.Contains(named, id)); err != nil {
			return err
		}
		decisions, err := i.consumer(ctx, execution, event.Place{Account: id, Region: e.Region}, set, warehouse, readers, out)
		if err != nil {
			return err
		}
		refused = append(refused, decisions...)
	}
	staying := Staying(out.Roles)
	leaving := slices.ContainsFunc(readers, func(arn string) bool {
		return !slices.ContainsFunc(staying, func(r workflow.ExecutionRole) bool { return r.ARN == arn })
	})
	if len(refused) > 0 {
		out.Decision = refused[0]
	}
	switch {
	case len(staying) > 0:
		out.Answer, out.Reason, out.Decision = AnswerAdmit, fmt.Sprintf("%s is shared with %s", e.Cluster, tags[tag.Studio]), staying[0].Decision
		if leaving {
			out.Answer = AnswerRetract
		}
	case leaving || unfinished:
		out.Answer, out.Reason = AnswerRetract, fmt.Sprintf("nobody may read %s any more", e.Cluster)
	case len(refused) > 0:
		out.Answer, out.Reason = AnswerRefuse, "refused by policy "+refused[0].Policy+": "+refused[0].Reason
	default:
		return nothing("no execution role of a Studio domain in %s is tagged %s=true%s", strings.Join(accounts, ", "), tag.Studio, unclear)
	}
	out.Reason += unclear
	return nil
}

// cluster returns the tags of a cluster; none if it is gone, or goes.
func cluster(ctx context.Context, api Redshift, e event.Event) (map[string]string, error) {
	tags := map[string]string{}
	got, err := api.DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &e.Cluster})
	if fault.HasCode(err, "ClusterNotFound", "ClusterNotFoundFault") || err == nil && len(got.Clusters) == 0 {
		return tags, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the Redshift cluster %s in %s, %s: %w", e.Cluster, e.Account, e.Region, err)
	}
	// https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
	if status := aws.ToString(got.Clusters[0].ClusterStatus); status == "deleting" || status == "final-snapshot" {
		return tags, nil
	}
	for _, t := range got.Clusters[0].Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tag.Clean(tag.RedshiftCluster, tags), nil
}

// role is what IAM says about a role.
type role struct {
	arn, trust string
	tags       map[string]string
}

func ours(r *role) bool { return r.tags[MarkTag] == Mark }

// readRole returns a role, or nil if there is none of that name.
func readRole(ctx context.Context, api interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
}, name, account string) (*role, error) {
	got, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	var none *iamtypes.NoSuchEntityException
	if errors.As(err, &none) || fault.HasCode(err, "NoSuchEntity") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the role %s in %s: %w", name, account, err)
	}
	r := &role{arn: aws.ToString(got.Role.Arn)}
	// IAM hands documents over URL-encoded.
	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
	if r.trust, err = url.PathUnescape(aws.ToString(got.Role.AssumeRolePolicyDocument)); err != nil {
		return nil, fmt.Errorf("reading the trust policy of %s in %s: %w", name, account, err)
	}
	tags := map[string]string{}
	for _, t := range got.Role.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	r.tags = tag.Clean(tag.Role, tags)
	return r, nil
}

// consumer looks at one account: the execution roles of its Studio domains in the cluster's Region. It adds to out those
// that may read, and those that could and no longer may, with their domains; it returns the policy's refusals.
func (i Inspector) consumer(ctx context.Context, execution string, place event.Place, set *policy.Set, warehouse policy.Warehouse, readers []string, out *workflow.InspectStudioOutput) ([]policy.Decision, error) {
	facts, err := i.Account(ctx, place.Account)
	if err != nil {
		return nil, err
	}
	leaving := map[string]bool{}
	for _, reader := range readers {
		leaving[reader] = arn.AccountOf(reader) == place.Account
	}
	if facts.Organization == "" {
		d := set.Identify(policy.Role{ARN: "any role", Region: place.Region, Account: facts.Entity()}, warehouse, policy.Context{})
		return []policy.Decision{d}, nil
	}
	clients := i.Enter(execution, place)
	domains, err := readDomains(ctx, clients.Domains, place)
	// In a Region without SageMaker there is no domain. Roles of the account that can read now were of one.
	if err != nil && (!fault.Absent(err) || slices.Contains(slices.Collect(maps.Values(leaving)), true)) {
		return nil, err
	}
	var refused []policy.Decision
	found := map[string]*role{}
	admitted := map[string]bool{}
	for _, arn := range sortedRoles(domains, leaving) {
		r, err := readRole(ctx, clients.Roles, nameOf(arn), place.Account)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue // somebody deleted it; the domain's next app says so
		}
		found[arn] = r
		in := slices.ContainsFunc(domains, func(d domain) bool { return slices.Contains(d.roles, arn) })
		d := set.Identify(policy.Role{ARN: arn, Name: nameOf(arn), Region: place.Region, Tags: r.tags, Account: facts.Entity()}, warehouse, policy.Context{})
		switch {
		case d.Allowed && in:
			admitted[arn] = true
			out.Roles = append(out.Roles, workflow.ExecutionRole{Account: place.Account, ARN: arn, Admit: true, Decision: d})
		case leaving[arn]:
			out.Roles = append(out.Roles, workflow.ExecutionRole{Account: place.Account, ARN: arn, Decision: d})
		case r.tags[tag.Studio] != "" || tag.Why(r.tags, tag.Studio) != "":
			d.Reason += tag.Why(r.tags, tag.Studio)
			refused = append(refused, d)
		}
	}
	for _, d := range domains {
		if !slices.ContainsFunc(d.roles, func(arn string) bool { return admitted[arn] || leaving[arn] }) {
			continue
		}
		identify := slices.ContainsFunc(d.roles, func(arn string) bool { return admitted[arn] })
		if !identify {
			// Somebody else's warehouse may still be read from here.
			if identify, err = i.elsewhere(ctx, clients.Roles, d, place.Account, out.Warehouse.Role); err != nil {
				return nil, err
			}
		}
		out.Domains = append(out.Domains, d.workflow(place, identify, func(arn string) bool { return admitted[arn] || found[arn] != nil && Ready(found[arn].trust) }))
	}
	return refused, nil
}

// elsewhere reports whether an execution role of a domain may read another warehouse than the one of this role.
func (i Inspector) elsewhere(ctx context.Context, api RoleReader, d domain, account, but string) (bool, error) {
	for _, arn := range d.roles {
		have, err := assumed(ctx, api, nameOf(arn), account)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(have, func(r string) bool { return r != but }) {
			return true, nil
		}
	}
	return false, nil
}

// domain looks at one Studio domain, some app of which was deleted: perhaps its setting waits for that.
func (i Inspector) domain(ctx context.Context, execution string, e event.Event, out *workflow.InspectStudioOutput) error {
	facts, err := i.Account(ctx, e.Account)
	if err != nil {
		return err
	}
	out.Answer = AnswerNothing
	if facts.Organization == "" {
		out.Reason = fmt.Sprintf("account %s is outside the organization", e.Account)
		return nil
	}
	clients := i.Enter(execution, e.Place)
	d, err := describe(ctx, clients.Domains, e.DomainID)
	if err != nil {
		return fmt.Errorf("in %s, %s: %w", e.Account, e.Region, err)
	}
	if d == nil || !d.vpcOnly {
		out.Reason = fmt.Sprintf("%s is no domain in VPC only mode", e.DomainID)
		return nil
	}
	var reads bool
	ready := map[string]bool{}
	for _, arn := range d.roles {
		have, err := assumed(ctx, clients.Roles, nameOf(arn), e.Account)
		if err != nil {
			return err
		}
		reads = reads || len(have) > 0
		r, err := readRole(ctx, clients.Roles, nameOf(arn), e.Account)
		if err != nil {
			return err
		}
		ready[arn] = r != nil && Ready(r.trust)
	}
	out.Answer, out.Reason = AnswerIdentify, fmt.Sprintf("an app of %s was deleted", e.DomainID)
	if !reads && d.identity != ByProfile {
		out.Answer, out.Reason = AnswerNothing, fmt.Sprintf("nobody in %s reads a warehouse by Drawbridge", e.DomainID)
		return nil
	}
	out.Domains = append(out.Domains, d.workflow(e.Place, reads, func(arn string) bool { return ready[arn] }))
	return nil
}

// domain is what SageMaker says about a Studio domain.
type domain struct {
	id, arn, name, identity string
	vpcOnly                 bool
	roles                   []string // its execution roles, sorted
	profiles                []string
}

func (d domain) workflow(place event.Place, identify bool, ready func(arn string) bool) workflow.Domain {
	w := workflow.Domain{Account: place.Account, Region: place.Region, ID: d.id, ARN: d.arn, Name: d.name, Identify: identify, Unready: []string{}, Unnamed: []string{}}
	for _, arn := range d.roles {
		if !ready(arn) {
			w.Unready = append(w.Unready, arn)
		}
	}
	for _, p := range d.profiles {
		if !CanBeUser(p) {
			w.Unnamed = append(w.Unnamed, p)
		}
	}
	return w
}

// readDomains returns the domains of a place that run in VPC only mode: the others do not reach the warehouse.
func readDomains(ctx context.Context, api DomainReader, place event.Place) ([]domain, error) {
	var out []domain
	pages := sagemaker.NewListDomainsPaginator(api, &sagemaker.ListDomainsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the Studio domains in %s, %s: %w", place.Account, place.Region, err)
		}
		for _, one := range page.Domains {
			d, err := describe(ctx, api, aws.ToString(one.DomainId))
			if err != nil {
				return nil, fmt.Errorf("in %s, %s: %w", place.Account, place.Region, err)
			}
			if d != nil && d.vpcOnly {
				out = append(out, *d)
			}
		}
	}
	return out, nil
}

// describe returns a domain with its execution roles, or nil if there is none of that id.
func describe(ctx context.Context, api DomainReader, id string) (*domain, error) {
	got, err := api.DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: &id})
	if fault.HasCode(err, "ResourceNotFound") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describing the Studio domain %s: %w", id, err)
	}
	d := &domain{id: id, arn: aws.ToString(got.DomainArn), name: aws.ToString(got.DomainName), identity: Disabled, vpcOnly: got.AppNetworkAccessType == "VpcOnly"}
	if got.DomainSettings != nil && got.DomainSettings.ExecutionRoleIdentityConfig != "" {
		d.identity = string(got.DomainSettings.ExecutionRoleIdentityConfig)
	}
	roles := map[string]bool{}
	if got.DefaultUserSettings != nil {
		roles[aws.ToString(got.DefaultUserSettings.ExecutionRole)] = true
	}
	if got.DefaultSpaceSettings != nil {
		roles[aws.ToString(got.DefaultSpaceSettings.ExecutionRole)] = true
	}
	pages := sagemaker.NewListUserProfilesPaginator(api, &sagemaker.ListUserProfilesInput{DomainIdEquals: &id})
	for d.vpcOnly && pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the user profiles of %s: %w", id, err)
		}
		for _, p := range page.UserProfiles {
			d.profiles = append(d.profiles, aws.ToString(p.UserProfileName))
			profile, err := api.DescribeUserProfile(ctx, &sagemaker.DescribeUserProfileInput{DomainId: &id, UserProfileName: p.UserProfileName})
			if err != nil {
				return nil, fmt.Errorf("describing the user profile %s of %s: %w", aws.ToString(p.UserProfileName), id, err)
			}
			if profile.UserSettings != nil {
				roles[aws.ToString(profile.UserSettings.ExecutionRole)] = true
			}
		}
	}
	delete(roles, "")
	d.roles = slices.Sorted(maps.Keys(roles))
	slices.Sort(d.profiles)
	return d, nil
}

// sortedRoles returns the execution roles of domains and those that leave, each once.
func sortedRoles(domains []domain, leaving map[string]bool) []string {
	all := map[string]bool{}
	for _, d := range domains {
		for _, arn := range d.roles {
			all[arn] = true
		}
	}
	for arn, here := range leaving {
		if here {
			all[arn] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// nameOf returns the name in a role's ARN, which may have a path before it.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
