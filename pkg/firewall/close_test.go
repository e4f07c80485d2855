package firewall_test

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
)

func TestPlanRemoval(t *testing.T) {
	rule := func(id, group string, egress bool, connection string) firewall.Tagged {
		return firewall.Tagged{ID: id, Group: group, Egress: egress, Connection: connection}
	}
	for name, c := range map[string]struct {
		rules []firewall.Tagged
		want  string
	}{
		"a rule of the connection":                  {[]firewall.Tagged{rule("sgr-1", "sg-1", false, "pcx-1")}, "[sg-1 false [sgr-1]]"},
		"a rule of another connection":              {[]firewall.Tagged{rule("sgr-1", "sg-1", false, "pcx-2")}, "[]"},
		"the owner's rule":                          {[]firewall.Tagged{rule("sgr-1", "sg-1", false, "")}, "[]"},
		"nothing":                                   {nil, "[]"},
		"one call for each group and direction":     {[]firewall.Tagged{rule("sgr-4", "sg-2", false, "pcx-1"), rule("sgr-3", "sg-1", true, "pcx-1"), rule("sgr-2", "sg-1", false, "pcx-1"), rule("sgr-1", "sg-1", false, "pcx-1")}, "[sg-1 false [sgr-1 sgr-2] sg-1 true [sgr-3] sg-2 false [sgr-4]]"},
		"a rule that is listed twice is named once": {[]firewall.Tagged{rule("sgr-1", "sg-1", false, "pcx-1"), rule("sgr-1", "sg-1", false, "pcx-1")}, "[sg-1 false [sgr-1]]"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range firewall.PlanRemoval(c.rules, "pcx-1") {
				var ids []string
				for _, rule := range r.Rules {
					ids = append(ids, rule.ID)
				}
				got = append(got, fmt.Sprint(r.Group, " ", r.Egress, " ", ids))
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("revokes %v, want %s", got, c.want)
			}
		})
	}
	if got := firewall.PlanRemoval([]firewall.Tagged{rule("sgr-1", "sg-1", false, "")}, ""); len(got) != 0 {
		t.Errorf("no connection revokes %v", got)
	}
}

func TestEachTaggedReadsWhatTheTagsSay(t *testing.T) {
	const of, with = "drawbridge:connection=pcx-1", "drawbridge:peer="
	held := &rulesOfEC2{rules: []types.SecurityGroupRule{
		heldRule("sgr-1", "sg-1", false, of, with+"111111111111/eu-west-1/vpc-0a000001"),
		heldRule("sgr-2", "sg-1", false, of),
		heldRule("sgr-3", "sg-1", false, of, with+"111111111111/eu-west-1/vpc-0a000001; reboot"),
		heldRule("sgr-4", "sg-1", false, of, with+"1111/eu-west-1/vpc-0a000001"),
		heldRule("sgr-5", "sg-1", false, with+"111111111111/eu-west-1/vpc-0a000001"),
	}}
	got := ""
	err := firewall.EachTagged(t.Context(), held, func(page []firewall.Tagged) error {
		for _, r := range page {
			got += fmt.Sprint(r.ID, r.Connection, r.Peer)
		}
		return nil
	})
	if want := "sgr-1pcx-1{111111111111 eu-west-1 vpc-0a000001}sgr-2pcx-1{  }sgr-3pcx-1{  }sgr-4pcx-1{  }"; err != nil || got != want {
		t.Errorf("read %s, %v, want %s", got, err, want)
	}
	if err := firewall.EachTagged(t.Context(), held, func([]firewall.Tagged) error { return context.Canceled }); err != context.Canceled {
		t.Errorf("an error of what is called became %v", err)
	}
}

// rulesOfEC2 is the rules of an account.
type rulesOfEC2 struct {
	rules  []types.SecurityGroupRule
	calls  []string
	before func(call string)
	err    error
}

func (f *rulesOfEC2) DescribeSecurityGroupRules(_ context.Context, in *ec2.DescribeSecurityGroupRulesInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	f.calls = append(f.calls, "Describe")
	out := &ec2.DescribeSecurityGroupRulesOutput{}
	for _, r := range f.rules {
		for _, tag := range r.Tags {
			if match, err := path.Match(in.Filters[0].Values[0], *tag.Value); err == nil && match && "tag:"+*tag.Key == *in.Filters[0].Name {
				out.SecurityGroupRules = append(out.SecurityGroupRules, r)
			}
		}
	}
	return out, nil
}

func (f *rulesOfEC2) revoke(group string, ids []string, egress bool) error {
	f.calls = append(f.calls, "Revoke "+group)
	if f.before != nil {
		f.before(group)
	}
	if f.err != nil {
		return f.err
	}
	is := func(r types.SecurityGroupRule, id string) bool {
		return *r.SecurityGroupRuleId == id && *r.GroupId == group && *r.IsEgress == egress
	}
	for _, id := range ids {
		if !slices.ContainsFunc(f.rules, func(r types.SecurityGroupRule) bool { return is(r, id) }) {
			return &smithy.GenericAPIError{Code: "InvalidPermission.NotFound"}
		}
	}
	for _, id := range ids {
		f.rules = slices.DeleteFunc(f.rules, func(r types.SecurityGroupRule) bool { return is(r, id) })
	}
	return nil
}

func (f *rulesOfEC2) RevokeSecurityGroupIngress(_ context.Context, in *ec2.RevokeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	return &ec2.RevokeSecurityGroupIngressOutput{}, f.revoke(*in.GroupId, in.SecurityGroupRuleIds, false)
}

func (f *rulesOfEC2) RevokeSecurityGroupEgress(_ context.Context, in *ec2.RevokeSecurityGroupEgressInput, _ ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupEgressOutput, error) {
	return &ec2.RevokeSecurityGroupEgressOutput{}, f.revoke(*in.GroupId, in.SecurityGroupRuleIds, true)
}

func heldRule(id, group string, egress bool, tags ...string) types.SecurityGroupRule {
	r := types.SecurityGroupRule{SecurityGroupRuleId: &id, GroupId: &group, IsEgress: &egress, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306), CidrIpv4: aws.String("10.1.0.0/16")}
	for _, tag := range tags {
		key, value, _ := strings.Cut(tag, "=")
		r.Tags = append(r.Tags, types.Tag{Key: &key, Value: &value})
	}
	return r
}

func ruleWorld() *rulesOfEC2 {
	return &rulesOfEC2{rules: []types.SecurityGroupRule{
		heldRule("sgr-1", "sg-db", false, firewall.TagConnection+"=pcx-1"),
		heldRule("sgr-2", "sg-nb", true, "team=x", firewall.TagConnection+"=pcx-1"),
		heldRule("sgr-3", "sg-db", false, firewall.TagConnection+"=pcx-2"),
		heldRule("sgr-4", "sg-db", false), // the owner's, for the same traffic
	}}
}

func (f *rulesOfEC2) left() string {
	var ids []string
	for _, r := range f.rules {
		ids = append(ids, *r.SecurityGroupRuleId)
	}
	return strings.Join(ids, " ")
}

func TestCloseRevokesTheConnectionsRulesAndNoOthers(t *testing.T) {
	fake := ruleWorld()
	out, err := firewall.Close(context.Background(), fake, "pcx-1", producer())
	if err != nil || fake.left() != "sgr-3 sgr-4" {
		t.Fatalf("left %s, %v", fake.left(), err)
	}
	if len(out.Hops) != 2 || out.Hops[0].Detail != "TCP 3306 from 10.1.0.0/16 revoked" || out.Hops[1].Detail != "TCP 3306 to 10.1.0.0/16 revoked" {
		t.Errorf("hops %+v", out.Hops)
	}
	fake.calls = nil
	if _, err := firewall.Close(context.Background(), fake, "pcx-1", producer()); err != nil || strings.Join(fake.calls, " ") != "Describe" {
		t.Errorf("the second time: %v, %v, want one look", fake.calls, err)
	}
}

func TestCloseBesideAnotherExecution(t *testing.T) {
	fake := ruleWorld()
	fake.rules = append(fake.rules, heldRule("sgr-5", "sg-db", false, firewall.TagConnection+"=pcx-1"))
	fake.before = func(string) { // it revokes one of the two just before, so that AWS revokes none
		fake.rules = slices.DeleteFunc(fake.rules, func(r types.SecurityGroupRule) bool { return *r.SecurityGroupRuleId == "sgr-1" })
	}
	if _, err := firewall.Close(context.Background(), fake, "pcx-1", producer()); err != nil || fake.left() != "sgr-3 sgr-4" {
		t.Errorf("left %s, %v", fake.left(), err)
	}
}

func TestARevocationThatFailsIsOfItsKind(t *testing.T) {
	for code, want := range map[string]fault.Kind{"RequestLimitExceeded": fault.Transient, "UnauthorizedOperation": fault.Refused} {
		fake := ruleWorld()
		fake.err = &smithy.GenericAPIError{Code: code}
		if _, err := firewall.Close(context.Background(), fake, "pcx-1", producer()); fault.Of(err) != want || !strings.Contains(err.Error(), "sg-db") {
			t.Errorf("%s: %v, want %s that names sg-db", code, err, want)
		}
	}
}
