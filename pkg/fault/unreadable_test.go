package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

func TestUnreadable(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"nobody is let in":           {fmt.Errorf("x: %w", &fault.Error{Kind: fault.Refused, Message: "m", Cause: fault.ErrClosed}), true},
		"a suspended account":        {fmt.Errorf("x: %w", fault.ErrSuspended), true},
		"a Region that is not on":    {&smithy.GenericAPIError{Code: "OptInRequired"}, true},
		"there is no such Region":    {fmt.Errorf("x: %w", fault.ErrNoRegion), true},
		"one call is denied":         {&smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}, false},
		"throttled: it is retried":   {&smithy.GenericAPIError{Code: "Throttling"}, false},
		"gone":                       {&smithy.GenericAPIError{Code: "InvalidVpcID.NotFound"}, false},
		"a conflict":                 {fault.NewConflict("a", "b"), false},
		"anything else":              {errors.New("x"), false},
		"no error":                   {nil, false},
		"joined with something else": {errors.Join(errors.New("x"), fault.ErrClosed), true},
	} {
		if why, got := fault.Unreadable(c.err); got != c.want || got != (why != "") {
			t.Errorf("%s: %v %q, want %v", name, got, why, c.want)
		}
	}
}
