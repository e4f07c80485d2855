package tagger_test

import (
	"errors"
	"net/http"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

var errNotSent = errors.New("nothing is sent")

// nobody is a configuration with which nothing is sent: what matters is whether there is a call at all.
var nobody = aws.Config{Region: "eu-west-1", Credentials: aws.AnonymousCredentials{}, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	HTTPClient: smithyhttp.ClientDoFunc(func(*http.Request) (*http.Response, error) { return nil, errNotSent })}

// A service without its client would be found missing only when something of it is tagged.
func TestEveryServiceHasItsClient(t *testing.T) {
	clients := reflect.ValueOf(tagger.In(nobody))
	for n := range clients.NumField() {
		if clients.Field(n).IsNil() {
			t.Errorf("tagger.In makes no client for %s", clients.Type().Field(n).Name)
		}
	}
}

// A thing that can have a wish has calls that read, set and take away its tags; Drawbridge tags no secret and no key.
func TestEveryKindHasItsCalls(t *testing.T) {
	asked, c := map[tag.Kind]bool{}, tagger.In(nobody)
	for _, w := range tag.Wishes {
		if asked[w.On] || w.On == tag.StoredSecret || w.On == tag.KMSKey {
			continue
		}
		asked[w.On] = true
		if err := c.Set(t.Context(), w.On, "x", w.Key, "y"); !errors.Is(err, errNotSent) {
			t.Errorf("Set of a %s: its service needs a case in apply.go: %v", w.On, err)
		}
		if err := c.Remove(t.Context(), w.On, "x", w.Key); !errors.Is(err, errNotSent) {
			t.Errorf("Remove of a %s: its service needs a case in apply.go: %v", w.On, err)
		}
		if _, _, err := c.Read(t.Context(), workflow.TaggedThing{Kind: w.On, ID: "x", Region: "eu-west-1"}); w.On.Service() != "ec2" && !errors.Is(err, errNotSent) {
			t.Errorf("Read of a %s: its service needs a case in apply.go: %v", w.On, err)
		}
	}
	if len(asked) < 10 {
		t.Errorf("only %d kinds were asked", len(asked))
	}
	if err := c.Set(t.Context(), tag.KMSKey, "x", "k", "v"); err == nil || errors.Is(err, errNotSent) {
		t.Errorf("a key is tagged: %v", err)
	}
}
