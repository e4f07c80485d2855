package peering_test

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// latency is how long AWS takes for one call.
const latency = 60 * time.Millisecond

// rate is a token bucket of AWS's: so many calls at once, then so many a second.
type rate struct{ size, refill float64 }

// rates are by service; of EC2, RDS and SageMaker each action has a bucket of its own, Lambda has one for all but GetFunction and GetPolicy. What
// AWS does not say of a service is taken to be the least that it says of another.
// https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
var rates = map[string]rate{"EC2": {100, 20}, "Lambda": {15, 15}}

var least = rate{10, 10}

// modelled is AWS as a clock sees it: each call takes its time and a token, and one that finds none is throttled. The clients are the real ones, with
// their retries; only what goes over the wire does not.
type modelled struct {
	mu        sync.Mutex
	buckets   map[string]*bucket
	calls     map[string]int // by action, of all accounts
	throttled int
	// answer is what AWS says to a call in an account, of an input to its output.
	answer func(account string, in any) (any, error)
}

type bucket struct {
	tokens float64
	since  time.Time
}

// take takes a token, if there is one.
func (b *bucket) take(r rate, now time.Time) bool {
	b.tokens = min(r.size, b.tokens+now.Sub(b.since).Seconds()*r.refill)
	if b.since = now; b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

type inputKey struct{}

// config is how clients act in an account.
func (m *modelled) config(account, region string) aws.Config {
	return aws.Config{Region: region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: account, SecretAccessKey: "any"}, nil
		}),
		APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			keep := middleware.InitializeMiddlewareFunc("Keep", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, in.Parameters), in)
			})
			answer := middleware.DeserializeMiddlewareFunc("Answer", func(ctx context.Context, _ middleware.DeserializeInput, _ middleware.DeserializeHandler) (out middleware.DeserializeOutput, _ middleware.Metadata, err error) {
				out.Result, err = m.call(ctx, account, region)
				return out, middleware.Metadata{}, err
			})
			if err := s.Initialize.Add(keep, middleware.After); err != nil {
				return err
			}
			return s.Deserialize.Add(answer, middleware.Before)
		}}}
}

func (m *modelled) call(ctx context.Context, account, region string) (any, error) {
	time.Sleep(latency)
	service, action := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
	r, known := rates[service]
	if !known {
		r = least
	}
	of := account + region + service
	if service != "Lambda" {
		of += action
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[action]++
	if m.buckets[of] == nil {
		m.buckets[of] = &bucket{r.size, time.Now()}
	}
	if !m.buckets[of].take(r, time.Now()) {
		m.throttled++
		return nil, &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}
	}
	return m.answer(account, middleware.GetStackValue(ctx, inputKey{}))
}

// page returns one page of n things, and puts the token of the next one where a client finds it.
func page[T any](n, size int, token *string, next **string, one func(int) T) []T {
	from := 0
	if token != nil {
		from, _ = strconv.Atoi(*token)
	}
	var out []T
	for k := from; k < min(n, from+size); k++ {
		out = append(out, one(k))
	}
	if from+size < n {
		*next = aws.String(strconv.Itoa(from + size))
	}
	return out
}

// unknown is the answer to a call that the world does not expect.
func unknown(in any) error { return fmt.Errorf("nobody expects %s", reflect.TypeOf(in)) }
