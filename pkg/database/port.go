package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// sslOption is the option by which an Oracle instance answers at a port for TLS beside its own.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.Oracle.Options.SSL.html
const sslOption = "SSL"

// beside returns d once more for each port at which an instance answers beside its own: that of the listener of an availability group of SQL Server, and
// Oracle's for TLS. The latter its option groups tell, of which an instance has two while one takes the place of the other. known are groups that were read.
func beside(ctx context.Context, rdsapi RDS, i rdstypes.DBInstance, d Database, known map[string][]int) ([]Database, error) {
	if !d.Answers() {
		return nil, nil
	}
	var out []Database
	add := func(port int, tls bool) {
		if port > 0 && port != d.Port && !slices.ContainsFunc(out, func(o Database) bool { return o.Port == port }) {
			one := d
			one.Port, one.TLS = port, tls
			out = append(out, one)
		}
	}
	if i.ListenerEndpoint != nil {
		add(int(aws.ToInt32(i.ListenerEndpoint.Port)), false)
	}
	for _, m := range i.OptionGroupMemberships {
		name := aws.ToString(m.OptionGroupName)
		if !strings.Contains(d.Engine, "oracle") || name == "" || strings.HasPrefix(name, "default:") { // no option is ever in a default group
			continue
		}
		if _, told := known[name]; !told {
			ports, err := readTLSPorts(ctx, rdsapi, name)
			if err != nil {
				return nil, err
			}
			known[name] = ports
		}
		for _, port := range known[name] {
			add(port, true)
		}
	}
	return out, nil
}

// readTLSPorts returns the ports that an option group opens for TLS.
func readTLSPorts(ctx context.Context, rdsapi RDS, group string) ([]int, error) {
	got, err := rdsapi.DescribeOptionGroups(ctx, &rds.DescribeOptionGroupsInput{OptionGroupName: &group})
	if err != nil {
		return nil, fmt.Errorf("reading the option group %s: %w", group, err)
	}
	var out []int
	for _, g := range got.OptionGroupsList {
		for _, o := range g.Options {
			if aws.ToString(o.OptionName) == sslOption && o.Port != nil {
				out = append(out, int(*o.Port))
			}
		}
	}
	return out, nil
}
