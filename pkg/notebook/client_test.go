package notebook_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook/notebooktest"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// nowhere is the SageMaker of a Region that has none.
type nowhere struct{ notebook.ClientAPI }

func (nowhere) ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error) {
	return nil, fmt.Errorf("no host: %w", fault.ErrAbsent)
}

func clients(t *testing.T, m marks, s notebook.ClientAPI, marked ...string) ([]notebook.Client, error) {
	return find(t, notebook.Memory{}, m, s, marked...)
}

func find(t *testing.T, memory notebook.Memory, m marks, s notebook.ClientAPI, marked ...string) ([]notebook.Client, error) {
	groups, err := firewall.ReadGroups(t.Context(), m, "vpc-1")
	if err != nil {
		t.Fatal(err)
	}
	return notebook.Clients(t.Context(), notebook.ClientAPIs{EC2: m, SageMaker: s, Lambda: notebooktest.Nobody{}}, notebook.Where{VPC: "vpc-1", Marked: marked, Groups: firewall.OfClients(groups), Memory: memory},
		func() ([]notebook.Instance, error) { return nil, nil })
}

// marks is what groups are tagged, by the value of the tag, and the interfaces.
type marks struct {
	groups     map[string]string
	interfaces []ec2types.NetworkInterface
}

func marked(value string) []ec2types.Tag {
	return []ec2types.Tag{{Key: aws.String(tag.Client), Value: &value}}
}

func (m marks) DescribeSecurityGroups(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	out := &ec2.DescribeSecurityGroupsOutput{}
	for id, value := range m.groups {
		out.SecurityGroups = append(out.SecurityGroups, ec2types.SecurityGroup{GroupId: &id, Tags: marked(value)})
	}
	return out, only(in.Filters)
}

func only(filters []ec2types.Filter) error {
	if len(filters) != 1 || *filters[0].Name != "vpc-id" || filters[0].Values[0] != "vpc-1" {
		return fmt.Errorf("it asks for %v", filters)
	}
	return nil
}

func (m marks) DescribeNetworkInterfaces(_ context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	out := &ec2.DescribeNetworkInterfacesOutput{}
	by, ids := *in.Filters[0].Name, in.Filters[0].Values
	for _, i := range m.interfaces {
		has := slices.ContainsFunc(i.Groups, func(g ec2types.GroupIdentifier) bool { return slices.Contains(ids, *g.GroupId) })
		if by == "subnet-id" && slices.Contains(ids, *i.SubnetId) || by == "group-id" && has {
			out.NetworkInterfaces = append(out.NetworkInterfaces, i)
		}
	}
	return out, nil
}

func at(subnet string, managed bool, groups ...string) ec2types.NetworkInterface {
	i := ec2types.NetworkInterface{SubnetId: &subnet, RequesterManaged: &managed}
	for _, g := range groups {
		i.Groups = append(i.Groups, ec2types.GroupIdentifier{GroupId: &g})
	}
	return i
}

func said(clients []notebook.Client) string {
	var out []string
	for _, c := range clients {
		out = append(out, fmt.Sprint(c.Name, c.Groups, c.Subnets))
	}
	return strings.Join(out, "; ")
}

func TestARegionWithoutSageMakerHasNoClientsOfIt(t *testing.T) {
	if got, err := clients(t, marks{}, nowhere{}); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// What works in a marked subnet, or with a marked group, is a client; what AWS keeps in the subnet for a service is none.
func TestMarkedClients(t *testing.T) {
	m := marks{groups: map[string]string{"sg-jobs": "true", "sg-idle": "TRUE", "sg-no": "false"},
		interfaces: []ec2types.NetworkInterface{at("subnet-1", false, "sg-b", "sg-a"), at("subnet-1", false, "sg-a", "sg-b"), at("subnet-1", false, "sg-d"), at("subnet-1", true, "sg-database"), at("subnet-2", false, "sg-c"), at("subnet-5", true, "sg-jobs"), at("subnet-4", false, "sg-jobs", "sg-a")}}
	got, err := clients(t, m, nowhere{}, "subnet-1")
	want := "interfaces in subnet subnet-1[sg-a sg-b] [subnet-1]; interfaces in subnet subnet-1[sg-d] [subnet-1]; security group sg-idle[sg-idle] [subnet-1]; security group sg-jobs[sg-jobs] [subnet-4 subnet-5]; subnet subnet-1[] [subnet-1]"
	if err != nil || said(got) != want {
		t.Errorf("%s, %v\nwant %s", said(got), err, want)
	}
	for _, c := range got {
		if want := map[bool]string{true: "[sg-a]", false: "[]"}[c.Name == "security group sg-jobs"]; fmt.Sprint(c.OtherGroups) != want {
			t.Errorf("%s has %v beside, want %s", c.Name, c.OtherGroups, want)
		}
		if !slices.Equal(c.Replies, notebook.OfAny) {
			t.Errorf("%s receives answers at %v: nobody knows what runs there", c.Name, c.Replies)
		}
	}
}

// lab is a Studio domain with profiles, by name, and their groups.
type lab struct {
	nowhere
	profiles map[string][]string
	spaces   []string
	access   types.AppNetworkAccessType
}

func (lab) ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error) {
	return &sagemaker.ListDomainsOutput{Domains: []types.DomainDetails{{DomainId: aws.String("d-1"), DomainName: aws.String("lab")}}}, nil
}

func (l lab) DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error) {
	return &sagemaker.DescribeDomainOutput{VpcId: aws.String("vpc-1"), SubnetIds: []string{"subnet-1"}, AppNetworkAccessType: l.access,
		DefaultUserSettings: &types.UserSettings{SecurityGroups: []string{"sg-2", "sg-1"}}, DefaultSpaceSettings: &types.DefaultSpaceSettings{SecurityGroups: l.spaces}}, nil
}

func (l lab) ListUserProfiles(_ context.Context, in *sagemaker.ListUserProfilesInput, _ ...func(*sagemaker.Options)) (*sagemaker.ListUserProfilesOutput, error) {
	if l.access == types.AppNetworkAccessTypePublicInternetOnly {
		return nil, fmt.Errorf("nobody there uses the VPC")
	}
	out := &sagemaker.ListUserProfilesOutput{}
	for name := range l.profiles {
		out.UserProfiles = append(out.UserProfiles, types.UserProfileDetails{UserProfileName: &name})
	}
	return out, nil
}

func (l lab) DescribeUserProfile(_ context.Context, in *sagemaker.DescribeUserProfileInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error) {
	return &sagemaker.DescribeUserProfileOutput{UserSettings: &types.UserSettings{SecurityGroups: l.profiles[*in.UserProfileName]}}, nil
}

// Who has groups of their own in a domain works with these, not with the domain's.
func TestProfilesWithGroupsOfTheirOwn(t *testing.T) {
	l := lab{access: types.AppNetworkAccessTypeVpcOnly, spaces: []string{"sg-shared"}, profiles: map[string][]string{"ana": {"sg-9"}, "bo": nil, "cy": {"sg-1", "sg-2"}}}
	got, err := clients(t, marks{}, l)
	want := "Studio lab[sg-1 sg-2] [subnet-1]; Studio lab profile ana[sg-9] [subnet-1]; Studio lab spaces[sg-shared] [subnet-1]"
	if _, unread := notebook.Unread(0, got); err != nil || said(got) != want || unread != "" {
		t.Errorf("%s, %v\nwant %s", said(got), err, want)
	}
	l.access = types.AppNetworkAccessTypePublicInternetOnly
	if got, err := clients(t, marks{}, l); err != nil || len(got) != 0 {
		t.Errorf("%s, %v", said(got), err)
	}
}

// counted counts how often profiles are described.
type counted struct {
	lab
	described *atomic.Int32
}

func (c counted) DescribeUserProfile(ctx context.Context, in *sagemaker.DescribeUserProfileInput, o ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error) {
	c.described.Add(1)
	return c.lab.DescribeUserProfile(ctx, in, o...)
}

// Profiles are many: each look comes to those that the ones before did not come to, and a profile is described once, until it is changed.
func TestWhoeverIsNotLookedAtIsCountedAndComesNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := counted{lab{access: types.AppNetworkAccessTypeVpcOnly, profiles: map[string][]string{}}, &atomic.Int32{}}
		for n := range 230 {
			l.profiles[fmt.Sprintf("p-%03d", n)] = []string{fmt.Sprintf("sg-%03d", n)}
		}
		book, _ := ledgertest.New()
		memory := notebook.Memory{Ledger: book, At: event.Place{Account: "111111111111", Region: "eu-west-1"}}
		for n, want := range []struct {
			clients, unread, described int
		}{{101, 130, 100}, {201, 30, 200}, {231, 0, 230}, {231, 0, 230}} {
			got, err := find(t, memory, marks{}, l)
			unread, words := notebook.Unread(0, got)
			if err != nil || len(got) != want.clients || unread != want.unread || int(l.described.Load()) != want.described {
				t.Errorf("look %d: %d clients, %d unread (%q), %d described, %v; want %v", n+1, len(got), unread, words, l.described.Load(), err, want)
			}
			if says := words == fmt.Sprintf("; %d user profiles of Studio lab were not looked at yet", want.unread); says != (want.unread > 0) {
				t.Errorf("look %d says %q", n+1, words)
			}
		}
	})
}
