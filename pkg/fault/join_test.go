package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

func TestJoinSaysAll(t *testing.T) {
	full := func(table string) error {
		return fmt.Errorf("adding routes: %w", fault.NewConflict(table+" is full", "raise the quota"))
	}
	err := fault.Join(full("rtb-1"), nil, full("rtb-2"))
	if fault.Of(err) != fault.Conflict || err.Error() != "adding routes: rtb-1 is full; adding routes: rtb-2 is full; remedy: raise the quota" {
		t.Errorf("%v: %v", fault.Of(err), err)
	}
	if err := fault.Join(nil, nil); err != nil {
		t.Errorf("nothing is %v", err)
	}
	if err := fault.Join(full("rtb-1"), &smithy.GenericAPIError{Code: "RequestLimitExceeded"}); fault.Of(err) != fault.Transient {
		t.Errorf("with something that a retry helps: %v", fault.Of(err))
	}
}

func TestOnceRepeatsOnlyWhatWasNotDone(t *testing.T) {
	for code, want := range map[string]bool{"RequestLimitExceeded": true, "Throttling": true, "InternalError": false, "RequestTimeout": false} {
		if got := fault.Once().IsErrorRetryable(&smithy.GenericAPIError{Code: code}); got != want {
			t.Errorf("%s is repeated: %v, want %v", code, got, want)
		}
	}
	if fault.Once().IsErrorRetryable(errors.New("connection reset by peer")) {
		t.Error("a broken connection is repeated")
	}
}
