package firewall_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// account is the security groups of an account, each rule with its id.
type account struct {
	groups []string
	owners map[string]string // of groups, where that matters
	names  map[string]string // of groups, where that matters
	asked  map[string]bool   // the groups whose owners ask for them to be opened
	kept   map[string]bool   // those that they keep out
	uses   []types.NetworkInterface
	lists  map[string][]string // the entries of the prefix lists that can be read
	rules  []types.SecurityGroupRule
	calls  []string
	last   int
	before func(call string) error
	fault  func() ledgertest.Fault // asked at each call
	ledger ledger.Ledger
	memory *ledgertest.Memory
}

func newAccount(groups ...string) *account {
	l, memory := ledgertest.New()
	return &account{groups: groups, ledger: l, memory: memory}
}

func (f *account) call(name string, do func() error) error {
	f.calls = append(f.calls, name)
	if f.before != nil {
		if err := f.before(name); err != nil {
			return err
		}
	}
	kind := ledgertest.None
	if f.fault != nil {
		kind = f.fault()
	}
	if kind == ledgertest.Refused {
		return &smithy.GenericAPIError{Code: "InternalError"}
	}
	if err := do(); err != nil {
		return err
	}
	if kind == ledgertest.Lost {
		return &smithy.GenericAPIError{Code: "InternalError"}
	}
	return nil
}

// put adds a rule as its owner would, or Drawbridge.
func (f *account) put(group string, egress bool, port int32, cidr string, tags ...types.Tag) types.SecurityGroupRule {
	f.last++
	r := types.SecurityGroupRule{SecurityGroupRuleId: aws.String(fmt.Sprintf("sgr-%d", f.last)), GroupId: &group, IsEgress: &egress, IpProtocol: aws.String("tcp"),
		FromPort: &port, ToPort: &port, CidrIpv4: &cidr, Tags: tags}
	if strings.HasPrefix(cidr, "sg-") {
		r.CidrIpv4, r.ReferencedGroupInfo = nil, &types.ReferencedSecurityGroup{GroupId: &cidr}
	}
	if strings.HasPrefix(cidr, "pl-") {
		r.CidrIpv4, r.PrefixListId = nil, &cidr
	}
	if port == 0 {
		r.IpProtocol, r.FromPort, r.ToPort = aws.String("-1"), nil, nil
	}
	f.rules = append(f.rules, r)
	return r
}

func (f *account) take(id string) {
	f.rules = slices.DeleteFunc(f.rules, func(r types.SecurityGroupRule) bool { return *r.SecurityGroupRuleId == id })
}

func told(r types.SecurityGroupRule) string {
	return fmt.Sprint(*r.GroupId, " ", *r.IsEgress, " ", *r.IpProtocol, " ", aws.ToInt32(r.FromPort), " ", peerOf(r))
}

// peerOf is the source or destination of a rule.
func peerOf(r types.SecurityGroupRule) string {
	if r.ReferencedGroupInfo != nil {
		return *r.ReferencedGroupInfo.GroupId
	}
	if r.PrefixListId != nil {
		return *r.PrefixListId
	}
	return *r.CidrIpv4
}

// use puts an interface with groups into the account.
func (f *account) use(description string, managed bool, instance string, groups ...string) {
	i := types.NetworkInterface{NetworkInterfaceId: aws.String(fmt.Sprintf("eni-%d", len(f.uses)+1)), Description: &description, RequesterManaged: &managed,
		InterfaceType: types.NetworkInterfaceTypeInterface, Status: types.NetworkInterfaceStatusInUse}
	if instance != "" {
		i.Attachment = &types.NetworkInterfaceAttachment{InstanceId: &instance}
	}
	for _, g := range groups {
		i.Groups = append(i.Groups, types.GroupIdentifier{GroupId: &g})
	}
	f.uses = append(f.uses, i)
}

func (f *account) DescribeNetworkInterfaces(_ context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	out := &ec2.DescribeNetworkInterfacesOutput{}
	return out, f.call("Interfaces", func() error {
		if len(in.Filters) != 1 || *in.Filters[0].Name != "group-id" {
			return errors.New("it is asked for more than the groups in question")
		}
		for _, i := range f.uses {
			if slices.ContainsFunc(i.Groups, func(g types.GroupIdentifier) bool { return slices.Contains(in.Filters[0].Values, *g.GroupId) }) {
				out.NetworkInterfaces = append(out.NetworkInterfaces, i)
			}
		}
		return nil
	})
}

// String says what is admitted, with the ids of the rules.
func (f *account) String() string {
	var out []string
	for _, r := range f.rules {
		out = append(out, told(r)+" "+*r.SecurityGroupRuleId)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func (f *account) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	out := &ec2.DescribeSecurityGroupsOutput{}
	return out, f.call("Describe", func() error {
		for _, id := range f.groups {
			g := types.SecurityGroup{GroupId: &id, OwnerId: aws.String(f.owners[id]), GroupName: aws.String(f.names[id])}
			if f.asked[id] {
				g.Tags = []types.Tag{{Key: aws.String("drawbridge:open"), Value: aws.String("true")}}
			}
			if f.kept[id] {
				g.Tags = append(g.Tags, types.Tag{Key: aws.String("drawbridge:reach"), Value: aws.String("none")})
			}
			for _, r := range f.rules {
				if *r.GroupId != id {
					continue
				}
				p := types.IpPermission{IpProtocol: r.IpProtocol, FromPort: r.FromPort, ToPort: r.ToPort}
				switch {
				case r.ReferencedGroupInfo != nil:
					p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: r.ReferencedGroupInfo.GroupId}}
				case r.PrefixListId != nil:
					p.PrefixListIds = []types.PrefixListId{{PrefixListId: r.PrefixListId}}
				default:
					p.IpRanges = []types.IpRange{{CidrIp: r.CidrIpv4}}
				}
				if *r.IsEgress {
					g.IpPermissionsEgress = append(g.IpPermissionsEgress, p)
				} else {
					g.IpPermissions = append(g.IpPermissions, p)
				}
			}
			out.SecurityGroups = append(out.SecurityGroups, g)
		}
		return nil
	})
}

// GetManagedPrefixListEntries knows the lists that can be read; any other is denied.
func (f *account) GetManagedPrefixListEntries(_ context.Context, in *ec2.GetManagedPrefixListEntriesInput, _ ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	out := &ec2.GetManagedPrefixListEntriesOutput{}
	return out, f.call("Entries "+*in.PrefixListId, func() error {
		if f.lists[*in.PrefixListId] == nil {
			return &smithy.GenericAPIError{Code: "InvalidPrefixListID.NotFound"}
		}
		for _, e := range f.lists[*in.PrefixListId] {
			out.Entries = append(out.Entries, types.PrefixListEntry{Cidr: &e})
		}
		return nil
	})
}

func (f *account) DescribeSecurityGroupRules(_ context.Context, in *ec2.DescribeSecurityGroupRulesInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	out := &ec2.DescribeSecurityGroupRulesOutput{}
	return out, f.call("Rules", func() error {
		filter := in.Filters[0]
		for _, r := range f.rules {
			tagged := slices.ContainsFunc(r.Tags, func(tag types.Tag) bool {
				match, _ := path.Match(filter.Values[0], *tag.Value)
				return match && "tag:"+*tag.Key == *filter.Name
			})
			if tagged || *filter.Name == "group-id" && slices.Contains(filter.Values, *r.GroupId) {
				out.SecurityGroupRules = append(out.SecurityGroupRules, r)
			}
		}
		return nil
	})
}

func (f *account) authorize(group string, egress bool, permissions []types.IpPermission, tags []types.TagSpecification) (out []types.SecurityGroupRule, err error) {
	name := map[bool]string{false: "Ingress ", true: "Egress "}[egress] + group
	err = f.call(name, func() error {
		if len(tags) != 1 || *tags[0].Tags[0].Key != firewall.TagConnection {
			return errors.New("the rule is not tagged")
		}
		for _, p := range permissions {
			for _, r := range f.rules {
				if *r.GroupId == group && *r.IsEgress == egress && peerOf(r) == asked(p) && aws.ToInt32(r.FromPort) == *p.FromPort {
					return &smithy.GenericAPIError{Code: "InvalidPermission.Duplicate"}
				}
			}
		}
		for _, p := range permissions {
			if len(p.UserIdGroupPairs) > 0 && aws.ToString(p.UserIdGroupPairs[0].UserId) == "" {
				return &smithy.GenericAPIError{Code: "InvalidGroup.NotFound"} // of another account
			}
			out = append(out, f.put(group, egress, *p.FromPort, asked(p), tags[0].Tags...))
		}
		return nil
	})
	return out, err
}

// asked is the source or destination that a permission asks for.
func asked(p types.IpPermission) string {
	if len(p.UserIdGroupPairs) > 0 {
		return *p.UserIdGroupPairs[0].GroupId
	}
	return *p.IpRanges[0].CidrIp
}

func (f *account) AuthorizeSecurityGroupIngress(_ context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	rules, err := f.authorize(*in.GroupId, false, in.IpPermissions, in.TagSpecifications)
	return &ec2.AuthorizeSecurityGroupIngressOutput{SecurityGroupRules: rules}, err
}

func (f *account) AuthorizeSecurityGroupEgress(_ context.Context, in *ec2.AuthorizeSecurityGroupEgressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	rules, err := f.authorize(*in.GroupId, true, in.IpPermissions, in.TagSpecifications)
	return &ec2.AuthorizeSecurityGroupEgressOutput{SecurityGroupRules: rules}, err
}

func (f *account) revoke(group string, ids []string, egress bool) error {
	return f.call("Revoke "+group, func() error {
		for _, id := range ids {
			if !slices.ContainsFunc(f.rules, func(r types.SecurityGroupRule) bool {
				return *r.SecurityGroupRuleId == id && *r.GroupId == group && *r.IsEgress == egress
			}) {
				return &smithy.GenericAPIError{Code: "InvalidPermission.NotFound"}
			}
		}
		for _, id := range ids {
			f.take(id)
		}
		return nil
	})
}

func (f *account) RevokeSecurityGroupIngress(_ context.Context, in *ec2.RevokeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	return &ec2.RevokeSecurityGroupIngressOutput{}, f.revoke(*in.GroupId, in.SecurityGroupRuleIds, false)
}

func (f *account) RevokeSecurityGroupEgress(_ context.Context, in *ec2.RevokeSecurityGroupEgressInput, _ ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupEgressOutput, error) {
	return &ec2.RevokeSecurityGroupEgressOutput{}, f.revoke(*in.GroupId, in.SecurityGroupRuleIds, true)
}

func (f *account) open(connection string, side workflow.Side, clients ...workflow.Client) (workflow.HopsOutput, error) {
	side.Clients = clients
	return firewall.Open(context.Background(), f, f.ledger, "open-"+connection, connection, side)
}

// surplus is what an inspection finds to have no use any more.
func (f *account) surplus(t *testing.T, connection string, side workflow.Side) []string {
	t.Helper()
	items, err := f.ledger.Items(t.Context(), connection)
	if err != nil {
		t.Fatal(err)
	}
	return firewall.Surplus(firewall.Ours(connection, items), connection, side)
}

func (f *account) close(connection string, side workflow.Side) (workflow.HopsOutput, error) {
	return firewall.Close(context.Background(), f, f.ledger, "close-"+connection, connection, side)
}

// producer is a side whose database is called from two subnets, without references.
func producer() workflow.Side {
	peer := workflow.VPC{Account: "111111111111", Region: "us-east-1", ID: "vpc-1", CIDRs: []netip.Prefix{cidr("10.1.0.0/16"), cidr("10.11.0.0/16")}}
	return workflow.Side{Role: "accepter", Peer: peer, Callers: workflow.Callers{CIDRs: peer.CIDRs, Groups: []workflow.GroupSet{{Account: peer.Account, Groups: []string{"sg-nb"}}}},
		VPC:              workflow.VPC{Account: "222222222222", Region: "us-east-1", ID: "vpc-2", CIDRs: []netip.Prefix{cidr("10.2.0.0/16")}},
		AllowedDatabases: []workflow.AllowedDatabase{{Database: "orders", Engine: "mysql", Port: 3306, Groups: []string{"sg-db"}}}}
}

// consumer is the side of whoever calls that database.
func consumer() workflow.Side {
	return workflow.Side{Role: "requester", Consumer: true, VPC: producer().Peer, Peer: producer().VPC, Services: []workflow.Service{{Port: 3306, CIDRs: producer().VPC.CIDRs}}}
}

// Whatever the groups admitted before, whatever is opened and closed in which order, whichever call is lost or refused: the rules of
// others stay, and after the last connection has gone the groups are as they were, rule by rule.
func TestGroupsAreAsBeforeOnceAllIsClosed(t *testing.T) {
	connections := []string{"pcx-1", "pcx-2", "tgw-1:vpc-1:vpc-2"}
	rapid.Check(t, func(t *rapid.T) {
		f := newAccount("sg-db", "sg-nb", "sg-x")
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		f.ledger.Now = func() time.Time { return now }
		for range rapid.IntRange(0, 4).Draw(t, "rules of others") {
			group, egress := rapid.SampledFrom(f.groups).Draw(t, "group"), rapid.Bool().Draw(t, "egress")
			port, from := rapid.SampledFrom([]int32{0, 3306, 5432}).Draw(t, "port"), rapid.SampledFrom([]string{"10.1.0.0/16", "10.0.0.0/8", "10.1.5.0/24"}).Draw(t, "cidr")
			if !strings.Contains(f.String(), fmt.Sprint(group, " ", egress, " tcp ", port, " ", from)) {
				f.put(group, egress, port, from)
			}
		}
		before := f.String()
		theirs := slices.Clone(f.rules)
		left, kind := -1, ledgertest.None
		strike := func() ledgertest.Fault {
			if left--; left == 0 {
				return kind
			}
			return ledgertest.None
		}
		f.fault, f.memory.Fault = strike, func(string) ledgertest.Fault { return strike() }
		side := producer()
		side.Services, side.AllowedDatabases = []workflow.Service{{Port: 5432, CIDRs: side.Peer.CIDRs}}, append(side.AllowedDatabases, workflow.AllowedDatabase{Database: "copy", Port: 3306, Groups: []string{"sg-x", "sg-db"}})
		shut := func(connection string) {
			now = now.Add(5 * time.Minute)
			for try := 0; ; try++ {
				_, err := f.close(connection, side)
				if err == nil {
					return
				}
				if try == 3 {
					t.Fatalf("closing %s: %v", connection, err)
				}
			}
		}
		for range rapid.IntRange(1, 8).Draw(t, "acts") {
			connection := rapid.SampledFrom(connections).Draw(t, "connection")
			left, kind = rapid.IntRange(-1, 25).Draw(t, "fault"), rapid.SampledFrom([]ledgertest.Fault{ledgertest.Refused, ledgertest.Lost}).Draw(t, "kind")
			now = now.Add(5 * time.Minute)
			if rapid.Bool().Draw(t, "open") {
				for range rapid.IntRange(1, 3).Draw(t, "attempts") {
					if _, err := f.open(connection, side, workflow.Client{Groups: []string{"sg-nb"}}); err == nil {
						break
					}
				}
			} else {
				shut(connection)
			}
			for _, r := range theirs {
				if !strings.Contains(f.String(), told(r)+" "+*r.SecurityGroupRuleId) {
					t.Fatalf("%s of others is gone", *r.SecurityGroupRuleId)
				}
			}
		}
		left = -1
		for _, connection := range rapid.Permutation(connections).Draw(t, "last") {
			shut(connection)
		}
		if f.String() != before {
			t.Fatalf("left is\n%s\nbefore was\n%s", f, before)
		}
		if rows := f.memory.Rows(); len(rows) > 0 {
			t.Fatalf("the ledger has %v", rows)
		}
	})
}

// From a peering to a gateway: what lets both through stays for the one that stays.
func TestARuleThatTwoConnectionsNeedStaysForTheOther(t *testing.T) {
	f, side := newAccount("sg-db"), producer()
	for _, c := range []string{"pcx-1", "tgw-1:vpc-1:vpc-2"} {
		if _, err := f.open(c, side); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.rules) != 2 {
		t.Fatalf("rules:\n%s", f)
	}
	out, err := f.close("pcx-1", side)
	if err != nil || len(f.rules) != 2 || !strings.Contains(fmt.Sprint(out.Hops), "stays for tgw-1:vpc-1:vpc-2") {
		t.Errorf("%v, %v; rules:\n%s", out.Hops, err, f)
	}
	if _, err := f.close("tgw-1:vpc-1:vpc-2", side); err != nil || len(f.rules) != 0 || len(f.memory.Rows()) != 0 {
		t.Errorf("%v; rules:\n%s\nledger %v", err, f, f.memory.Rows())
	}
}

func TestARuleThatItsOwnerChangedStays(t *testing.T) {
	f, side := newAccount("sg-db"), producer()
	if _, err := f.open("pcx-1", side); err != nil {
		t.Fatal(err)
	}
	f.rules[0].ToPort = aws.Int32(3310) // ModifySecurityGroupRules keeps the id
	f.take(*f.rules[1].SecurityGroupRuleId)
	theirs := f.put("sg-db", false, 3306, "10.11.0.0/16") // taken away, and added by hand
	out, err := f.close("pcx-1", side)
	if err != nil || len(f.rules) != 2 || *f.rules[1].SecurityGroupRuleId != *theirs.SecurityGroupRuleId || !strings.Contains(fmt.Sprint(out.Hops), "somebody changed it") {
		t.Errorf("%v, %v; rules:\n%s", out.Hops, err, f)
	}
	if rows := f.memory.Rows(); len(rows) != 0 {
		t.Errorf("the ledger has %v", rows)
	}
}

func TestARuleThatWasTakenAwayTwiceIsLeft(t *testing.T) {
	f, side := newAccount("sg-db"), producer()
	side.Callers.CIDRs = side.Callers.CIDRs[:1]
	if _, err := f.open("pcx-1", side); err != nil {
		t.Fatal(err)
	}
	f.take("sgr-1")
	if out, err := f.open("pcx-1", side); err != nil || len(f.rules) != 1 || !out.Hops[0].OK {
		t.Fatalf("it was not put back: %v, %v", out, err)
	}
	f.take("sgr-2")
	items, err := f.ledger.Items(context.Background(), "pcx-1")
	if err != nil || len(items) != 1 || items[0].Left != "sgr-2" {
		t.Fatalf("the ledger has %+v, %v, want the new id", items, err)
	}
	if _, err := f.ledger.Mark(context.Background(), items[0], func(i *ledger.Item) { i.State, i.TakenBy.Who = ledger.Contested, "terraform" }); err != nil {
		t.Fatal(err)
	}
	if out, err := f.open("pcx-1", side); err != nil || len(f.rules) != 0 || out.Hops[0].OK || !strings.Contains(out.Hops[0].Detail, "terraform") {
		t.Errorf("%v, %v; rules:\n%s", out, err, f)
	}
}

// A rule that was there is put back by one execution, which is held at the call; the next one, which is not, need not wait for it.
func TestWhoIsRefusedKeepsNobodyWaiting(t *testing.T) {
	f, side := newAccount("sg-db"), producer()
	side.Callers.CIDRs = side.Callers.CIDRs[:1]
	if _, err := f.open("pcx-1", side); err != nil {
		t.Fatal(err)
	}
	f.take("sgr-1")
	f.before = func(call string) error {
		if strings.HasPrefix(call, "Ingress") {
			return fault.New(fault.Held, "the mode is observe")
		}
		return nil
	}
	if _, err := firewall.Open(t.Context(), f, f.ledger, "first", "pcx-1", side); fault.Of(err) != fault.Held {
		t.Fatalf("%v, want it held", err)
	}
	f.before = nil
	if _, err := firewall.Open(t.Context(), f, f.ledger, "second", "pcx-1", side); err != nil || len(f.rules) != 1 {
		t.Errorf("the second is kept from it: %v; rules:\n%s", err, f)
	}
}

func TestOneGroupThatIsFullDoesNotKeepTheOthersOut(t *testing.T) {
	f, side := newAccount("sg-db", "sg-b"), producer()
	side.AllowedDatabases = append(side.AllowedDatabases, workflow.AllowedDatabase{Database: "b", Port: 5432, Groups: []string{"sg-b"}}, workflow.AllowedDatabase{Database: "none", Port: 5432})
	f.before = func(call string) error {
		if call == "Ingress sg-db" {
			return &smithy.GenericAPIError{Code: "RulesPerSecurityGroupLimitExceeded"}
		}
		return nil
	}
	out, err := f.open("pcx-1", side)
	if err != nil || len(out.Hops) != 3 || out.Hops[0].OK || !strings.Contains(out.Hops[0].Detail, "sg-db is full") || !strings.Contains(out.Hops[0].Detail, "quota") || !out.Hops[1].OK {
		t.Errorf("%+v, %v, want a hop that names sg-db and the quota, and one that is open", out.Hops, err)
	}
	if len(f.rules) != 2 || *f.rules[0].GroupId != "sg-b" {
		t.Errorf("the other group is not open:\n%s", f)
	}
	items, err := f.ledger.Items(context.Background(), "pcx-1")
	if err != nil || len(items) != 2 {
		t.Errorf("the ledger has %+v, %v", items, err)
	}
}

func TestOurs(t *testing.T) {
	items := []ledger.Item{
		{Resource: "sg-1", Kind: ledger.Rule, Key: "egress tcp 3306 10.2.0.0/16", Left: "sgr-1", Needed: []string{"pcx-1"}},
		{Resource: "sg-1", Kind: ledger.Rule, Key: "ingress tcp 5432 2001:db8::/56", Left: "sgr-2", Needed: []string{"pcx-1", "pcx-2"}},
		{Resource: "sg-1", Kind: ledger.Rule, Key: "ingress tcp 5432 sg-9", Left: "sgr-5", Needed: []string{"pcx-1"}},
		{Resource: "sg-1", Kind: ledger.Rule, Key: "ingress tcp 5432 10.2.0.0/16", Left: "sgr-3", Needed: []string{"pcx-2"}},
		{Resource: "sg-1", Kind: ledger.Rule, Key: "nonsense", Left: "sgr-4", Needed: []string{"pcx-1"}},
		{Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", Needed: []string{"pcx-1"}},
	}
	var got []string
	for _, r := range firewall.Ours("pcx-1", items) {
		got = append(got, cmp.Or(r.ID, "?")+" "+firewall.Key(r.Rule, r.Egress))
	}
	if want := "[sgr-1 egress tcp 3306 10.2.0.0/16 sgr-2 ingress tcp 5432 2001:db8::/56 sgr-5 ingress tcp 5432 sg-9]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}
