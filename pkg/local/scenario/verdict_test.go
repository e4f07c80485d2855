package scenario

import (
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

var peer = netip.MustParsePrefix("10.1.0.0/16")

func entry(number int32, egress bool, action ec2types.RuleAction, protocol, cidr string, ports ...int32) ec2types.NetworkAclEntry {
	e := ec2types.NetworkAclEntry{
		RuleNumber: aws.Int32(number), Egress: aws.Bool(egress), RuleAction: action, Protocol: aws.String(protocol), CidrBlock: aws.String(cidr),
	}
	if len(ports) == 2 {
		e.PortRange = &ec2types.PortRange{From: aws.Int32(ports[0]), To: aws.Int32(ports[1])}
	}
	return e
}

func TestPasses(t *testing.T) {
	const allow, deny = ec2types.RuleActionAllow, ec2types.RuleActionDeny
	last := entry(32767, false, deny, "-1", "0.0.0.0/0")
	for _, c := range []struct {
		name    string
		entries []ec2types.NetworkAclEntry
		want    bool
	}{
		{"no entry denies", nil, false},
		{"everything is allowed", []ec2types.NetworkAclEntry{last, entry(100, false, allow, "-1", "0.0.0.0/0")}, true},
		{"only the other way is allowed", []ec2types.NetworkAclEntry{entry(100, true, allow, "-1", "0.0.0.0/0"), last}, false},
		{"the lower number decides", []ec2types.NetworkAclEntry{entry(100, false, allow, "-1", "0.0.0.0/0"), entry(90, false, deny, "6", "10.0.0.0/8", 3306, 3306)}, false},
		{"another port is denied", []ec2types.NetworkAclEntry{entry(90, false, deny, "6", "10.0.0.0/8", 22, 22), entry(100, false, allow, "6", "10.1.0.0/16", 3000, 4000)}, true},
		{"a part of the peer is denied", []ec2types.NetworkAclEntry{entry(90, false, deny, "-1", "10.1.9.0/24"), entry(100, false, allow, "-1", "0.0.0.0/0")}, false},
		{"a part of the peer is allowed", []ec2types.NetworkAclEntry{entry(90, false, allow, "-1", "10.1.9.0/24"), last}, false},
		{"UDP is allowed", []ec2types.NetworkAclEntry{entry(90, false, allow, "17", "0.0.0.0/0", 0, 65535), last}, false},
	} {
		if got := passes(c.entries, false, peer, 3306); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestAdmits(t *testing.T) {
	permission := func(protocol, cidr string, from, to int32) ec2types.IpPermission {
		return ec2types.IpPermission{
			IpProtocol: aws.String(protocol), FromPort: aws.Int32(from), ToPort: aws.Int32(to),
			IpRanges: []ec2types.IpRange{{CidrIp: aws.String(cidr)}},
		}
	}
	group := func(id string) ec2types.IpPermission {
		return ec2types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &id}}}
	}
	for _, c := range []struct {
		name string
		p    ec2types.IpPermission
		want bool
	}{
		{"exactly", permission("tcp", "10.1.0.0/16", 3306, 3306), true},
		{"everything", permission("-1", "0.0.0.0/0", 0, 0), true},
		{"a range of ports", permission("tcp", "10.0.0.0/8", 3000, 4000), true},
		{"another port", permission("tcp", "10.1.0.0/16", 5432, 5432), false},
		{"a part of the peer", permission("tcp", "10.1.0.0/24", 3306, 3306), false},
		{"UDP", permission("udp", "10.1.0.0/16", 3306, 3306), false},
		{"its group", group("sg-1"), true},
		{"another group", group("sg-2"), false},
	} {
		if got := admits([]ec2types.IpPermission{c.p}, peer, "sg-1", 3306); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestCutBlockGivesTheOwnersScriptBack(t *testing.T) {
	const script = "#!/bin/bash\n# >>> drawbridge host routes v1 sha256:0 >>>\nline 10.1.0.0/24 10.2.0.0/16\n# <<< drawbridge host routes <<<\nset -e\n"
	_, owner, found := cutBlock(script)
	if !found || owner != "#!/bin/bash\nset -e\n" {
		t.Errorf("got %q, %v", owner, found)
	}
	if _, owner, found := cutBlock("#!/bin/bash\n"); found || owner != "#!/bin/bash\n" {
		t.Errorf("without a block: %q, %v", owner, found)
	}
}

func TestHolds(t *testing.T) {
	if Holds(nil) {
		t.Error("nothing holds")
	}
	if !Holds([]story.Hop{{OK: true}}) || Holds([]story.Hop{{OK: true}, {}}) {
		t.Error("one broken hop must break the path, and only that")
	}
}
