package notebook_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
)

// fleet is an account with notebook instances, by name the time at which each was made, all in one subnet but those that are moved.
type fleet struct {
	made  map[string]time.Time
	moved map[string]string
}

func (f fleet) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	out := &sagemaker.ListNotebookInstancesOutput{}
	for name, at := range f.made {
		out.NotebookInstances = append(out.NotebookInstances, types.NotebookInstanceSummary{NotebookInstanceName: &name, CreationTime: &at})
	}
	return out, nil
}

func (f fleet) DescribeNotebookInstance(_ context.Context, in *sagemaker.DescribeNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	subnet := "subnet-1"
	if to, ok := f.moved[*in.NotebookInstanceName]; ok {
		subnet = to
	}
	return &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: in.NotebookInstanceName, SubnetId: aws.String(subnet)}, nil
}

// What is known of a notebook instance is known of the one that was made then: another of the same name is described anew.
func TestANotebookOfTheSameNameIsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fleet{map[string]time.Time{}, map[string]string{}}
		for n := range 150 {
			f.made[fmt.Sprintf("nb-%03d", n)] = time.Now()
		}
		book, _ := ledgertest.New()
		memory := notebook.Memory{Ledger: book, At: event.Place{Account: "111111111111", Region: "eu-west-1"}}
		look := func(here, unread int) {
			t.Helper()
			found, left, err := notebook.Placed(t.Context(), f, memory, []string{"subnet-1"})
			if err != nil || len(found) != here || left != unread {
				t.Fatalf("%d notebooks are here, %d are not known, %v; want %d and %d", len(found), left, err, here, unread)
			}
		}
		look(100, 50)
		look(150, 0)
		f.moved["nb-007"] = "subnet-2"
		look(150, 0) // AWS moves none: so it is not asked
		f.made["nb-007"] = time.Now().Add(time.Hour)
		look(149, 0)
	})
}
