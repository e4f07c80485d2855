package who

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/drawbridge-cloud/drawbridge/pkg/dataapi"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/why"
)

// Finder finds a database with the credentials of whoever asks.
type Finder struct {
	// Enter returns the configuration for reading in a place, or why there is none.
	Enter func(event.Place) (aws.Config, error)
	// Places are where a database is looked for whose account was not named.
	Places []event.Place
}

// Find finds what somebody calls a database, NAME, ACCOUNT/NAME or its ARN, with what lets somebody in.
func (f Finder) Find(ctx context.Context, name string) (Facts, error) {
	ref, err := why.ParseTo(name)
	if err != nil {
		return Facts{}, err
	}
	if ref.Kind != "database" {
		return Facts{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("finding the database %s: an address has no owner's tags", name), Remedy: "name the database: NAME, ACCOUNT/NAME or its ARN"}
	}
	places := f.Places
	if ref.Account != "" {
		places = []event.Place{{Account: ref.Account, Region: ref.Region}}
	}
	var all []Facts
	var looked, unread []string
	for _, at := range places {
		if at.Region == "" || ref.Region != "" {
			at.Region = ref.Region
		}
		if at.Region == "" {
			at.Region = f.Places[0].Region
		}
		found, err := f.in(ctx, at, ref, name)
		if err != nil {
			unread = append(unread, fmt.Sprintf("account %s, %s: %v", at.Account, at.Region, err))
			continue
		}
		looked, all = append(looked, at.Account+" "+at.Region), append(all, found...)
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		message := fmt.Sprintf("finding the database %s: it is not in %s", name, strings.Join(append(looked, unread...), "; "))
		return Facts{}, &fault.Error{Kind: fault.Invalid, Message: message, Remedy: "correct the name, or name its account, ACCOUNT/NAME, or its ARN, with credentials for it (--account ACCOUNT=PROFILE, or --role)"}
	}
	var names []string
	for _, one := range all {
		names = append(names, one.Database.ARN)
	}
	return Facts{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("finding the database %s: there are %d: %s", name, len(all), strings.Join(names, ", ")), Remedy: "name it by its ARN"}
}

// in looks in all VPCs of a place.
func (f Finder) in(ctx context.Context, at event.Place, ref why.Ref, name string) ([]Facts, error) {
	cfg, err := f.Enter(at)
	if err != nil {
		return nil, err
	}
	api := ec2.NewFromConfig(cfg)
	var out []Facts
	pages := ec2.NewDescribeSubnetsPaginator(api, &ec2.DescribeSubnetsInput{}) // those of shared VPCs, too
	subnets := map[string][]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the subnets: %w", err)
		}
		for _, s := range page.Subnets {
			subnets[aws.ToString(s.VpcId)] = append(subnets[aws.ToString(s.VpcId)], aws.ToString(s.SubnetId))
		}
	}
	beside := map[string][]Endpoint{} // by the ARN of the warehouse
	var unread error                  // why something of the database that is meant is not known
	for vpc, ids := range subnets {
		read, err := database.Read(ctx, database.In(cfg), vpc, ids)
		if err != nil && !fault.Absent(err) {
			return nil, err
		}
		for _, d := range read.Unread {
			if d.ARN == name || strings.EqualFold(d.ID, ref.Name) {
				unread = fmt.Errorf("%s: %s", d.ID, d.Why)
			}
		}
		for _, d := range slices.Concat(read.Databases, read.Unserved) {
			if cluster, endpoint, ok := strings.Cut(d.ID, "/"); ok && (d.ARN == name || strings.EqualFold(cluster, ref.Name)) {
				beside[d.ARN] = append(beside[d.ARN], Endpoint{Name: endpoint, VPC: vpc, Port: d.Port, Groups: d.Groups})
				continue
			}
			// What is found by its tags alone is anywhere in the Region, and has no groups.
			if d.ARN != name && (strings.HasPrefix(name, "arn:") || !strings.EqualFold(d.ID, ref.Name)) || len(d.Groups) == 0 || slices.ContainsFunc(out, func(o Facts) bool { return o.Database.ARN == d.ARN }) {
				continue
			}
			one := Facts{At: at, Database: d, Kind: database.OfARN(d.ARN).Tag, VPC: vpc}
			out = append(out, one)
		}
	}
	if len(out) == 0 && unread != nil {
		return nil, unread
	}
	for n := range out {
		if unread != nil {
			out[n].Unread = append(out[n].Unread, "something of it, so this may not be all: "+unread.Error())
		}
		out[n].Endpoints = beside[out[n].Database.ARN]
		slices.SortFunc(out[n].Endpoints, func(a, b Endpoint) int { return strings.Compare(a.Name, b.Name) })
		out[n].read(ctx, api, iam.NewFromConfig(cfg))
	}
	// An instance of a cluster is reached as the cluster is, which has the tags of the Data API.
	if n := slices.IndexFunc(out, func(o Facts) bool { return o.Kind == tag.DBCluster }); n >= 0 && len(out) == 2 && !strings.HasPrefix(name, "arn:") {
		return out[n : n+1], nil
	}
	return out, nil
}

// read reads what lets somebody in. What cannot be read is said.
func (f *Facts) read(ctx context.Context, api *ec2.Client, roles *iam.Client) {
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(api, &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: f.groups()}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			f.Unread = append(f.Unread, fmt.Sprintf("the rules of its security groups, so whom its owner lets in is not known: %v", err))
			break
		}
		for _, r := range page.SecurityGroupRules {
			if i, ok := ingress(r, f.portOf(aws.ToString(r.GroupId))); ok {
				f.Rules = append(f.Rules, i)
			}
		}
	}
	slices.SortFunc(f.Rules, func(a, b Ingress) int { return strings.Compare(a.Group+a.ID, b.Group+b.ID) })
	f.Admitted = map[string][]string{}
	for road, role := range map[string]string{DataAPI: dataapi.RoleName(f.Database.ID), Studio: studio.RoleName(f.At.Region, f.Database.ID)} {
		if road == DataAPI && f.Kind != tag.DBCluster || road == Studio && f.Kind != tag.RedshiftCluster {
			continue
		}
		got, err := roles.GetRole(ctx, &iam.GetRoleInput{RoleName: &role})
		switch {
		case fault.HasCode(err, "NoSuchEntity"):
			f.Admitted[road] = []string{}
		case err != nil:
			f.Unread = append(f.Unread, fmt.Sprintf("the role %s, so whom it trusts goes by the tag: %v", role, err))
		default:
			f.Admitted[road] = trusted(aws.ToString(got.Role.AssumeRolePolicyDocument))
		}
	}
}

// portOf is the port at which the end that has a security group answers.
func (f *Facts) portOf(group string) int {
	ends := f.ends()
	n := slices.IndexFunc(ends, func(e Endpoint) bool { return slices.Contains(e.Groups, group) })
	if n < 0 {
		return f.Database.Port
	}
	return ends[n].Port
}

// principals are the ARNs of accounts and roles in a trust policy.
var principals = regexp.MustCompile(`arn:[a-z-]+:iam::\d{12}:[^"*]+`)

// trusted returns the principals that a trust policy names. IAM gives it encoded for a URL.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
func trusted(document string) []string {
	if text, err := url.PathUnescape(document); err == nil {
		document = text
	}
	out := principals.FindAllString(document, -1)
	slices.Sort(out)
	return slices.Compact(append([]string{}, out...))
}

// ingress reads a rule, and reports whether it lets something in on a port. Protocol -1 is all.
func ingress(r types.SecurityGroupRule, port int) (Ingress, bool) {
	i := Ingress{ID: aws.ToString(r.SecurityGroupRuleId), Group: aws.ToString(r.GroupId), From: int(aws.ToInt32(r.FromPort)), To: int(aws.ToInt32(r.ToPort)),
		Other: aws.ToString(r.PrefixListId), Says: aws.ToString(r.Description)}
	switch protocol := aws.ToString(r.IpProtocol); {
	case aws.ToBool(r.IsEgress):
		return i, false
	case protocol == "-1":
		i.From, i.To = 0, 65535
	case protocol != "tcp" && protocol != "6" || port < i.From || port > i.To:
		return i, false
	}
	if g := r.ReferencedGroupInfo; g != nil {
		i.Other, i.Account = aws.ToString(g.GroupId), aws.ToString(g.UserId)
	}
	for _, text := range []*string{r.CidrIpv4, r.CidrIpv6} {
		if p, err := netip.ParsePrefix(aws.ToString(text)); err == nil {
			i.CIDR = p.Masked()
		}
	}
	return i, true
}
