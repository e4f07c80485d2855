package parameter

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// None is what the parameter private-access-cidrs says when nobody calls from outside the VPCs; a parameter cannot be empty.
const None = "none"

// Callers returns a reader of the parameter that lists the ranges outside the VPCs from which people call.
func Callers(client api, name string) func(context.Context) ([]netip.Prefix, error) {
	return func(ctx context.Context) ([]netip.Prefix, error) {
		got, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
		if fault.HasCode(err, "ParameterNotFound") {
			return nil, fault.NewConflict("reading the ranges of callers: there is no parameter "+name, "put it there, \""+None+"\" if there are none, then redrive the execution")
		}
		if err != nil {
			return nil, fmt.Errorf("reading the parameter %s: %w", name, err)
		}
		ranges, err := ParseCallers(aws.ToString(got.Parameter.Value))
		if err != nil {
			return nil, fault.NewConflict(fmt.Sprintf("reading the parameter %s: %v", name, err), "correct it: IPv4 ranges such as 192.168.0.0/16, with commas, or \""+None+"\"; then redrive the execution")
		}
		return ranges, nil
	}
}

// ParseCallers reads ranges with commas or spaces between them. A range that is everybody's is refused: an endpoint that
// admits the whole internet is no restriction.
func ParseCallers(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' }) {
		if word == None {
			continue
		}
		prefix, err := netip.ParsePrefix(word)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is not a range", word)
		case !prefix.Addr().Is4():
			return nil, fmt.Errorf("%s is not IPv4", word)
		case prefix.Bits() == 0:
			return nil, fmt.Errorf("%s is everybody", word)
		case prefix.Masked() != prefix:
			return nil, fmt.Errorf("%s has bits behind its mask; %s is meant", word, prefix.Masked())
		}
		out = append(out, prefix)
	}
	return out, nil
}
