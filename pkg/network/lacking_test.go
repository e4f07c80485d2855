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
		in, out  []network.Entry
		producer bool
		lacks    []string
	}{
		"the default ACL lets all through": {[]network.Entry{allow}, []network.Entry{allow}, true, nil},
		"an empty ACL denies both ways": {nil, nil, true, []string{
			"network ACL acl-1 lacks an inbound entry: allow TCP 3306 from 10.1.0.0/16",
			"network ACL acl-1 lacks an outbound entry: allow TCP 32768-60999 to 10.1.0.0/16"}},
		"a deny before the allow wins": {[]network.Entry{{Number: 50, CIDR: cidr("10.1.3.0/24"), Ports: network.AllPorts}, allow}, []network.Entry{allow}, true,
			[]string{"network ACL acl-1 lacks an inbound entry before rule 50: allow TCP 3306 from 10.1.3.0/24"}},
		"a deny after the allow does not matter": {[]network.Entry{allow, {Number: 200, CIDR: cidr("10.1.0.0/16"), Ports: network.AllPorts}}, []network.Entry{allow}, true, nil},
		"a deny for somebody else does not":      {[]network.Entry{{Number: 50, CIDR: cidr("10.9.0.0/16"), Ports: network.AllPorts}, allow}, []network.Entry{allow}, true, nil},
		"answers must get back to the consumer": {[]network.Entry{{Number: 100, Allow: true, CIDR: cidr("10.1.0.0/16"), Ports: network.Ports{From: 3306, To: 3306}}}, []network.Entry{allow}, false,
			[]string{"network ACL acl-1 lacks an inbound entry: allow TCP 32768-60999 from 10.1.0.0/16"}},
	} {
		t.Run(name, func(t *testing.T) {
			acls := []network.ACL{{ID: "acl-1", Subnets: []string{"subnet-1"}, Ingress: c.in, Egress: c.out}, {ID: "acl-elsewhere", Subnets: []string{"subnet-9"}}}
			got := network.Lacking(acls, []string{"subnet-1"}, []netip.Prefix{cidr("10.1.0.0/16")}, []int{3306}, c.producer)
			if !reflect.DeepEqual(got, c.lacks) {
				t.Errorf("lacks:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.lacks, "\n"))
			}
		})
	}
}

func ExampleLacking() {
	acls := []network.ACL{{ID: "acl-1", Subnets: []string{"subnet-1"}, Egress: []network.Entry{{Number: 100, Allow: true, CIDR: cidr("0.0.0.0/0"), Ports: network.AllPorts}}}}
	for _, lack := range network.Lacking(acls, []string{"subnet-1"}, []netip.Prefix{cidr("10.1.0.0/16")}, []int{3306}, true) {
		fmt.Println(lack)
	}
	// Output: network ACL acl-1 lacks an inbound entry: allow TCP 3306 from 10.1.0.0/16
}
