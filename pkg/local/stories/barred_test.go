package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The organization of the story below, beside alpha and beta.
const (
	newcomer = "333333333333" // has not enabled optional
	confined = "444444444444" // is in a unit whose policy denies denied
	optional = "me-south-1"
	denied   = "eu-south-1"
)

// barred answers as AWS does in a Region that an account has not enabled, and in one that a service control policy denies.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
func barred(c awscall.Call, when local.Moment) *local.Fault {
	refuse := func(code, text string) *local.Fault { return &local.Fault{Status: 403, Code: code, Message: text} }
	switch {
	case when != local.Before || c.Service == "iam" || c.Service == "sts":
	case c.Account == newcomer && c.Region == optional:
		switch c.Service {
		case "ec2":
			return refuse("AuthFailure", "AWS was not able to validate the provided access credentials")
		case "rds", "redshift":
			return refuse("InvalidClientTokenId", "The security token included in the request is invalid")
		}
		return refuse("UnrecognizedClientException", "The security token included in the request is invalid")
	case c.Account == confined && c.Region == denied:
		code := "AccessDeniedException"
		if c.Service == "ec2" {
			code = "UnauthorizedOperation"
		}
		return refuse(code, "User: somebody is not authorized to perform: "+c.Name()+" with an explicit deny in a service control policy")
	}
	return nil
}

// A sweep over an organization in a Region that nobody has heard of and that has neither SageMaker nor Redshift, where an
// account has not enabled a second Region and a policy denies another one a third: the result names these two, and all else
// is looked at.
func TestASweepWhereNotEverythingIs(t *testing.T) {
	const home = "ap-southeast-42"
	atRegion(t, home, func(o *local.Options) { o.Absent = []string{"SageMaker", "Redshift"} })
	swept := func(ctx context.Context, t *testing.T, w *scenario.World) {
		sweep(ctx, t, workflow.Sweep{Regions: []string{home, optional, denied}, Accounts: []string{newcomer, confined, w.Consumer.Account, w.Producer.Account}})
	}
	play(t, 1, tale{
		name: "sweep-barred", unruly: true,
		change: func(s *scenario.Spec) {
			s.Consumer.Region, s.Producer.Region, s.Notebook = home, home, scenario.Notebook{}
		},
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			deafen(ctx, t, w)
			wholeVPCs(ctx, t, w) // nothing that is known calls from there
		},
		fault: func(*scenario.World) local.Injector { return barred },
		acts: []act{
			request(),
			{"The clock starts drawbridge-sweep.", swept, []string{"PartlySwept", "Connected"}},
			{"The owner of beta shares the database no more.", opened(unshare), []string{"Announced", "Connected"}},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
			tallies(ctx, t)
			// Databases of Redshift would be unseen, but this group is of one that is seen.
			if n := openings(ctx, t, w); n != 0 {
				t.Errorf("%d rules are left in the group of a database that is not shared any more", n)
			}
			listed := map[string]int{}
			for _, c := range calls {
				if c.Service == "sagemaker" || c.Service == "redshift" {
					t.Errorf("%s was called in %s, where it has no host", c.Name(), c.Region)
				}
				if c.Function == "drawbridge-sweep-account" && c.Status == 200 {
					listed[c.Account+" "+c.Region]++
				}
			}
			for _, account := range []string{newcomer, confined, w.Consumer.Account, w.Producer.Account} {
				for _, region := range []string{home, optional, denied} {
					shut := account == newcomer && region == optional || account == confined && region == denied
					if n := listed[account+" "+region]; shut != (n == 0) {
						t.Errorf("%d calls listed what is in %s, %s", n, account, region)
					}
				}
			}
		},
	})
}

// opened is an act that finds a rule of Drawbridge's in the database's group.
func opened(do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		if n := openings(ctx, t, w); n != 1 {
			t.Errorf("%d rules are in the group of the database", n)
		}
		do(ctx, t, w)
	}
}

// openings counts Drawbridge's rules in the database's group.
func openings(ctx context.Context, t *testing.T, w *scenario.World) int {
	t.Helper()
	client := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region))
	got, err := client.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{
		{Name: aws.String("group-id"), Values: []string{w.ProducerNetwork.Group}}, {Name: aws.String("tag:drawbridge:connection"), Values: []string{w.Connection}}}})
	succeeds(t, err)
	return len(got.SecurityGroupRules)
}

// tallies holds what the sweep said to what is barred.
func tallies(ctx context.Context, t *testing.T) {
	t.Helper()
	client := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	machine := arn.New(arn.Partition(engine.Region()), "states", engine.Region(), local.HubAccount, "stateMachine:drawbridge-sweep")
	runs, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &machine})
	succeeds(t, err)
	if len(runs.Executions) != 1 {
		t.Fatalf("%d sweeps", len(runs.Executions))
	}
	for _, x := range runs.Executions {
		got, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: x.ExecutionArn})
		succeeds(t, err)
		var out workflow.TallySweepOutput
		succeeds(t, json.Unmarshal([]byte(aws.ToString(got.Output)), &out))
		if out.Tally.Accounts != 4 || len(out.Tally.Closed)+len(out.Tally.Failed) > 0 || len(out.Tally.Barred) != 2 {
			t.Fatalf("the sweep says %+v", out.Tally)
		}
		said := fmt.Sprint(out.Tally.Barred)
		for _, must := range []string{
			newcomer + " [" + optional + "] the account has not enabled the Region: AuthFailure",
			confined + " [" + denied + "] a policy of the organization denies it: UnauthorizedOperation",
		} {
			if !strings.Contains(said, must) {
				t.Errorf("the sweep names %s, not %s", said, must)
			}
		}
	}
}
