package sweep_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
)

// crowded is an account with many notebook instances, whose SageMaker takes ten descriptions a second, each in 60 ms.
type crowded struct {
	sharedSubnet
	books, described int
	mu               sync.Mutex
	tokens           float64
	at               time.Time
	throttled        int
}

func (c *crowded) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	out := &sagemaker.ListNotebookInstancesOutput{}
	for n := range c.books {
		out.NotebookInstances = append(out.NotebookInstances, types.NotebookInstanceSummary{NotebookInstanceName: aws.String(fmt.Sprintf("n%04d", n)), CreationTime: aws.Time(time.Unix(int64(n), 0))})
	}
	return out, nil
}

func (c *crowded) DescribeNotebookInstance(_ context.Context, in *sagemaker.DescribeNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	c.mu.Lock()
	c.tokens = min(10, c.tokens+10*time.Since(c.at).Seconds())
	c.at = time.Now()
	if c.tokens < 1 {
		c.throttled++
		c.mu.Unlock()
		return nil, &smithy.GenericAPIError{Code: "ThrottlingException"}
	}
	c.tokens--
	c.described++
	c.mu.Unlock()
	time.Sleep(60 * time.Millisecond)
	return &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: in.NotebookInstanceName}, nil // in no VPC
}

// A sweep reads the notebook instances of an account as a look does: no faster than SageMaker lets it, and each once. Of more than its function has the time
// for, a try remembers what it came to, and the next one goes on.
func TestASweepDescribesEachNotebookOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := ledgertest.New()
		l.Now = time.Now
		c := &crowded{sharedSubnet: sharedSubnet{account: guestAccount, asked: map[string]bool{}}, books: 500, tokens: 10, at: time.Now()}
		n := sweep.Notebooks{Ledger: l, Enter: func(string, event.Place) sweep.NotebookAPIs {
			return sweep.NotebookAPIs{EC2: c.sharedSubnet, SageMaker: c}
		}}
		for try, want := range []struct {
			kind            fault.Kind
			seen, described int
		}{{fault.NotYet, 0, 300}, {"", 500, 500}, {"", 500, 500}} {
			began := time.Now()
			seen, err := n.Find(t.Context(), "x", event.Place{Account: guestAccount, Region: "eu-west-1"}, func(context.Context, ...look.Look) error { return nil })
			if fault.Of(err) != want.kind || seen != want.seen || c.described != want.described || c.throttled > 0 || time.Since(began) > 50*time.Second {
				t.Errorf("try %d: %d seen, %d described, %d throttled, in %v: %v", try+1, seen, c.described, c.throttled, time.Since(began), err)
			}
			time.Sleep(time.Second) // the machine waits before it tries again
		}
	})
}
