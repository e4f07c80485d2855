package deed

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

var errNotSent = errors.New("nothing is sent")

// An owner's tag is set by a call of the service that the thing is of: each kind of database has its case.
func TestEveryKindOfDatabaseIsTaggedByItsOwnService(t *testing.T) {
	kinds := []tag.Kind{tag.VPC, tag.Peering, tag.Gateway, tag.Attachment}
	for _, k := range database.Served() {
		kinds = append(kinds, k.Tag)
	}
	// Nothing is sent: what matters is whether there is a call at all.
	nobody := aws.Config{Region: "eu-west-1", Credentials: aws.AnonymousCredentials{}, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		HTTPClient: smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) { return nil, errNotSent })}
	for _, kind := range kinds {
		call := Tag(Thing{Kind: kind, ID: "x"}, tag.Share, "none")
		if call.Command[1] != kind.Service() || call.Command[2] == "" {
			t.Errorf("a %s is tagged by the words %q: commands in pkg/tag/kind.go needs a line for its service", kind, call.Command)
		}
		if _, err := call.do(t.Context(), nobody); !errors.Is(err, errNotSent) {
			t.Errorf("a %s is tagged by no call: Set in pkg/tag/tagger/apply.go needs a case for its service: %v", kind, err)
		}
	}
}
