package network_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/network"
)

func TestLacking(t *testing.T) {
	allow := network.Entry{Number: 100, Allow: true, CIDR: cidr("0.0.0.0/0"), Ports: network.AllPorts}
	for name, c := range map[string]struct {
		in, out []network.Entry
		replies network.Ports
		lacks   []string
	}{
		"the default ACL lets all through": {[]network.Entry{allow}, []network.Entry{allow}, network.Ephemeral, nil},
		"an empty ACL denies both ways": {nil, nil, network.Ephemeral, []string{
			"network ACL acl-1 lacks an inbound entry: allow TCP 3306 from 10.1.0.0/16",
			"network ACL acl-1 lacks an outbound entry: allow TCP 32768-60999 to 10.1.0.0/16"}},
		"a deny before the allow wins": {[]network.Entry{{Number: 50, CIDR: cidr("10.1.3.0/24"), Ports: network.AllPorts}, allow}, []network.Entry{allow}, network.Ephemeral,
			[]string{"network ACL acl-1 lacks an inbound entry before rule 50: allow TCP 3306 from 10.1.3.0/24"}},
		"a deny after the allow does not matter": {[]network.Entry{allow, {Number: 200, CIDR: cidr("10.1.0.0/16"), Ports: network.AllPorts}}, []network.Entry{allow}, network.Ephemeral, nil},
		"a deny for somebody else does not":      {[]network.Entry{{Number: 50, CIDR: cidr("10.9.0.0/16"), Ports: network.AllPorts}, allow}, []network.Entry{allow}, network.Ephemeral, nil},
		"what Linux takes is not all that a function may take": {[]network.Entry{allow}, []network.Entry{{Number: 100, Allow: true, CIDR: cidr("10.1.0.0/16"), Ports: network.Ephemeral}}, network.EphemeralLambda,
			[]string{"network ACL acl-1 lacks an outbound entry: allow TCP 1024-32767 to 10.1.0.0/16", "network ACL acl-1 lacks an outbound entry: allow TCP 61000-65535 to 10.1.0.0/16"}},
		"and all that Linux takes": {[]network.Entry{allow}, []network.Entry{{Number: 100, Allow: true, CIDR: cidr("10.1.0.0/16"), Ports: network.Ephemeral}}, network.Ephemeral, nil},
	} {
		t.Run(name, func(t *testing.T) {
			acls := []network.ACL{{ID: "acl-1", Subnets: []string{"subnet-1"}, Ingress: c.in, Egress: c.out}, {ID: "acl-elsewhere", Subnets: []string{"subnet-9"}}}
			got := network.Lacking(acls, []string{"subnet-1"}, []netip.Prefix{cidr("10.1.0.0/16")}, 3306, c.replies)
			if !reflect.DeepEqual(got, c.lacks) {
				t.Errorf("lacks:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.lacks, "\n"))
			}
		})
	}
}

func ExampleLacking() {
	acls := []network.ACL{{ID: "acl-1", Subnets: []string{"subnet-1"}, Egress: []network.Entry{{Number: 100, Allow: true, CIDR: cidr("0.0.0.0/0"), Ports: network.AllPorts}}}}
	for _, lack := range network.Lacking(acls, []string{"subnet-1"}, []netip.Prefix{cidr("10.1.0.0/16")}, 3306, network.Ephemeral) {
		fmt.Println(lack)
	}
	// Output: network ACL acl-1 lacks an inbound entry: allow TCP 3306 from 10.1.0.0/16
}
