package doctor

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
)

// What cannot be read is said without the way of the call, and, if it is a right that lacks, with what to do.
func TestWhatCannotBeReadIsSaid(t *testing.T) {
	for _, c := range []struct {
		err            error
		detail, remedy string
	}{
		{&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}, "api error AccessDeniedException: no", "ReadOnlyAccess is enough"},
		{&awshttp.ResponseError{RequestID: "r", ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 400}}, Err: errors.New("it is not there")}}, "it is not there", ""},
	} {
		err := &smithy.OperationError{ServiceID: "Lambda", OperationName: "GetAccountSettings", Err: c.err}
		f := Check{Remedy: "raise it", look: func(context.Context, seat) (string, string, error) { return "", "", err }}.find(t.Context(), Patient{}, seat{at: event.Place{Account: "1"}})
		if f.Answer != Unknown || !strings.HasSuffix(f.Detail, "GetAccountSettings, "+c.detail) || strings.Contains(f.Detail, "StatusCode") || !strings.HasSuffix(f.Remedy, c.remedy) || c.remedy == "" && f.Remedy != "" {
			t.Errorf("%+v", f)
		}
	}
}
