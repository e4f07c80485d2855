package sweep_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
)

const networkAccount, guestAccount = "111111111111", "333333333333"

// sharedSubnet is a subnet of one account's VPC in which another has the notebook study, without a configuration.
type sharedSubnet struct {
	account string
	closed  bool // the owner lets nobody in
	asked   map[string]bool
}

func (s sharedSubnet) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{Subnets: []ec2types.Subnet{{SubnetId: aws.String("subnet-1"), VpcId: aws.String("vpc-1"), CidrBlock: aws.String("10.1.0.0/24"), OwnerId: aws.String(networkAccount)}}}, nil
}

func (s sharedSubnet) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	s.asked[s.account] = true
	if s.closed {
		return nil, &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "access denied"}
	}
	return &ec2.DescribeRouteTablesOutput{RouteTables: []ec2types.RouteTable{{RouteTableId: aws.String("rtb-1"), Associations: []ec2types.RouteTableAssociation{{SubnetId: aws.String("subnet-1")}},
		Routes: []ec2types.Route{{DestinationCidrBlock: aws.String("10.2.0.0/16"), VpcPeeringConnectionId: aws.String("pcx-1"), State: ec2types.RouteStateActive}}}}}, nil
}

func (s sharedSubnet) GetManagedPrefixListEntries(context.Context, *ec2.GetManagedPrefixListEntriesInput, ...func(*ec2.Options)) (*ec2.GetManagedPrefixListEntriesOutput, error) {
	return &ec2.GetManagedPrefixListEntriesOutput{}, nil
}

func (s sharedSubnet) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	return &sagemaker.ListNotebookInstancesOutput{NotebookInstances: []types.NotebookInstanceSummary{{NotebookInstanceName: aws.String("study")}}}, nil
}

func (s sharedSubnet) DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	return &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: aws.String("study"), SubnetId: aws.String("subnet-1"), NotebookInstanceStatus: types.NotebookInstanceStatusStopped}, nil
}

func (s sharedSubnet) ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	return &sagemaker.ListTagsOutput{}, nil
}

func (s sharedSubnet) DescribeNotebookInstanceLifecycleConfig(context.Context, *sagemaker.DescribeNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceLifecycleConfigOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "RecordNotFound"}
}

// A notebook in a shared subnet is held against the owner's route table and the owner's connections. An owner that lets nobody in is no error.
func TestNotebooksInSharedSubnets(t *testing.T) {
	for name, c := range map[string]struct {
		managed, closed, found bool
	}{"managed": {true, false, true}, "not managed": {false, false, false}, "the owner is closed": {true, true, false}} {
		t.Run(name, func(t *testing.T) {
			l, _ := ledgertest.New()
			l.Now = time.Now
			if c.managed {
				if _, err := l.Begin(t.Context(), ledger.Connection{ID: "pcx-1", Kind: "peering", Sides: []ledger.Side{
					{Role: "requester", Account: networkAccount, Region: "eu-west-1", ID: "vpc-1", CIDRs: []string{"10.1.0.0/16"}},
					{Role: "accepter", Account: "222222222222", Region: "eu-west-1", ID: "vpc-2", CIDRs: []string{"10.2.0.0/16"}}}}); err != nil {
					t.Fatal(err)
				}
			}
			asked, looks := map[string]bool{}, 0
			n := sweep.Notebooks{Ledger: l, Enter: func(_ string, p event.Place) sweep.NotebookAPIs {
				s := sharedSubnet{account: p.Account, closed: c.closed, asked: asked}
				return sweep.NotebookAPIs{EC2: s, SageMaker: s}
			}}
			seen, err := n.Find(t.Context(), "x", event.Place{Account: guestAccount, Region: "eu-west-1"}, func(_ context.Context, all ...look.Look) error {
				looks += len(all)
				return nil
			})
			if err != nil || seen != 1 || (looks == 1) != c.found || !asked[networkAccount] || asked[guestAccount] {
				t.Errorf("%d seen, %d looks, route tables read in %v; %v", seen, looks, asked, err)
			}
		})
	}
}

// A restart that is owed is asked for, whoever claimed it before: whether that one came to its end, the next execution finds out.
func TestASweepAsksForRestartsThatAreOwed(t *testing.T) {
	l, _ := ledgertest.New()
	l.Now = time.Now
	at := event.Place{Account: guestAccount, Region: "eu-west-1"}
	for _, d := range []ledger.Debt{{Notebook: "claimed", By: "old", Stopped: true}, {Notebook: "owed"}} {
		d.Account, d.Region = at.Account, at.Region
		if err := l.Owe(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	n := sweep.Notebooks{Ledger: l, Enter: func(_ string, p event.Place) sweep.NotebookAPIs {
		s := sharedSubnet{account: p.Account, asked: map[string]bool{}}
		return sweep.NotebookAPIs{EC2: s, SageMaker: s}
	}}
	var asked []string
	_, err := n.Find(t.Context(), "x", at, func(_ context.Context, all ...look.Look) error {
		for _, one := range all {
			if r, ok := one.(event.NotebookRestart); ok {
				asked = append(asked, r.Account+" "+r.Notebook)
			}
		}
		return nil
	})
	slices.Sort(asked)
	if want := []string{guestAccount + " claimed", guestAccount + " owed"}; err != nil || !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v; %v", asked, want, err)
	}
}
