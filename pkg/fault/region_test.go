package fault_test

import (
	"fmt"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

func TestBarred(t *testing.T) {
	const denied = "User: arn:aws:sts::111111111111:assumed-role/a/b is not authorized to perform: ec2:DescribeVpcs "
	for name, c := range map[string]struct {
		code, text string
		want       bool
	}{
		"EC2, not enabled":         {"AuthFailure", "AWS was not able to validate the provided access credentials", true},
		"opt-in":                   {"OptInRequired", "You are not subscribed to this service", true},
		"SageMaker, not enabled":   {"UnrecognizedClientException", "The security token included in the request is invalid", true},
		"RDS, not enabled":         {"InvalidClientTokenId", "The security token included in the request is invalid", true},
		"STS, not enabled":         {"RegionDisabledException", "STS is not activated in this region", true},
		"EC2, policy":              {"UnauthorizedOperation", denied + "with an explicit deny in a service control policy", true},
		"RDS, policy":              {"AccessDenied", denied + "with an explicit deny in a service control policy: arn", true},
		"SageMaker, policy":        {"AccessDeniedException", denied + "with an explicit deny in a service control policy", true},
		"its own policy":           {"AccessDenied", denied + "because no identity-based policy allows it", false},
		"another kind, such words": {"ValidationException", "with an explicit deny in a service control policy", false},
		"throttled":                {"Throttling", "Rate exceeded", false},
	} {
		why, got := fault.Barred(fmt.Errorf("reading: %w", &smithy.GenericAPIError{Code: c.code, Message: c.text}))
		if got != c.want || got != (why != "") {
			t.Errorf("%s: %v %q", name, got, why)
		}
	}
	if why, ok := fault.Barred(fmt.Errorf("reading: %w", fault.ErrNoRegion)); !ok || why == "" {
		t.Error("a Region that does not exist is not barred")
	}
	if _, ok := fault.Barred(nil); ok {
		t.Error("no error is barred")
	}
}
