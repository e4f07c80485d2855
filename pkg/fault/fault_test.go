package fault_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

func api(code string, side smithy.ErrorFault) error {
	return fmt.Errorf("adding routes to rtb-1: %w", &smithy.OperationError{ServiceID: "EC2", OperationName: "CreateRoute",
		Err: &smithy.GenericAPIError{Code: code, Message: "no", Fault: side}})
}

func TestOf(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"no error has no kind":                          {nil, ""},
		"our own kind wins through wrapping":            {fmt.Errorf("x: %w", fault.NewConflict("a", "b")), fault.Conflict},
		"throttling by EC2 is transient":                {api("RequestLimitExceeded", smithy.FaultClient), fault.Transient},
		"throttling by Lambda is transient":             {api("TooManyRequestsException", smithy.FaultClient), fault.Transient},
		"access denied is refused":                      {api("UnauthorizedOperation", smithy.FaultClient), fault.Refused},
		"a full table is a conflict":                    {api("RouteLimitExceeded", smithy.FaultClient), fault.Conflict},
		"a peering not yet visible is not yet":          {api("InvalidVpcPeeringConnectionID.NotFound", smithy.FaultClient), fault.NotYet},
		"an unknown server fault is transient":          {api("Whatever", smithy.FaultServer), fault.Transient},
		"an unknown client fault needs a person":        {api("Whatever", smithy.FaultClient), fault.Conflict},
		"a deadline is transient":                       {fmt.Errorf("x: %w", context.DeadlineExceeded), fault.Transient},
		"a broken connection is transient":              {&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, fault.Transient},
		"an error of nobody's is a defect in the input": {errors.New("x"), fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fault.Of(c.err); got != c.want {
				t.Errorf("Of(%v) = %q, want %q", c.err, got, c.want)
			}
		})
	}
}

func TestWhatTheSDKCallsThrottlingIsTransient(t *testing.T) {
	if len(retry.DefaultThrottleErrorCodes) == 0 {
		t.Fatal("the SDK knows no throttling error")
	}
	for code := range retry.DefaultThrottleErrorCodes {
		if got := fault.Of(api(code, smithy.FaultClient)); got != fault.Transient {
			t.Errorf("%s is %q, want %q", code, got, fault.Transient)
		}
	}
}

func TestACancelledTransactionIsWhatItsReasonsAre(t *testing.T) {
	for reasons, want := range map[string]fault.Kind{
		"[None, TransactionConflict]":                         fault.Transient,
		"[ThrottlingError]":                                   fault.Transient,
		"[ProvisionedThroughputExceeded, None]":               fault.Transient,
		"[None, ConditionalCheckFailed]":                      fault.Conflict,
		"[TransactionConflict, ConditionalCheckFailed, None]": fault.Conflict,
		"[ValidationError]":                                   fault.Conflict,
		"":                                                    fault.Conflict,
	} {
		err := &smithy.GenericAPIError{Code: "TransactionCanceledException", Fault: smithy.FaultClient,
			Message: "Transaction cancelled, please refer cancellation reasons for specific reasons " + reasons}
		if got := fault.Of(fmt.Errorf("recording: %w", err)); got != want {
			t.Errorf("%s is %q, want %q", reasons, got, want)
		}
	}
}

func TestHasCodeIgnoresCase(t *testing.T) {
	if !fault.HasCode(api("InvalidVpcPeeringConnectionId.NotFound", smithy.FaultClient), "InvalidVpcPeeringConnectionID.NotFound") {
		t.Error("a code that differs in case only was not recognised")
	}
	if fault.HasCode(errors.New("x"), "x") {
		t.Error("an error that is not AWS's has no code")
	}
}

func ExampleNewConflict() {
	err := fault.NewConflict("route 10.2.0.0/16 in rtb-1 points to nat-1", "remove that route, then redrive the execution")
	fmt.Println(fault.Of(err), "-", err)
	// Output: Conflict - route 10.2.0.0/16 in rtb-1 points to nat-1; remedy: remove that route, then redrive the execution
}
