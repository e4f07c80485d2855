package survey_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook/notebooktest"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// lab is an account with functions and a notebook instance, by name, in subnets, with groups.
type lab struct {
	survey.EC2
	notebooktest.Nobody
	functions map[string][2][]string
	subnet    string   // of the notebooks, which have direct internet access
	notebooks int      // how many more there are than one
	kept      []string // security groups that their owner keeps out
	mu        sync.Mutex
	reads     []string
}

func (l *lab) read(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads = append(l.reads, what)
}

func (l *lab) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	l.read("groups")
	out := &ec2.DescribeSecurityGroupsOutput{}
	for _, id := range l.kept {
		out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: &id, OwnerId: aws.String(alpha), Tags: []types.Tag{{Key: aws.String("drawbridge:reach"), Value: aws.String("none")}}})
	}
	return out, nil
}

func (l *lab) DescribeNetworkInterfaces(_ context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	out := &ec2.DescribeNetworkInterfacesOutput{}
	for _, id := range in.Filters[0].Values {
		out.NetworkInterfaces = append(out.NetworkInterfaces, types.NetworkInterface{SubnetId: &id, Groups: []types.GroupIdentifier{{GroupId: aws.String("sg-jobs")}}})
	}
	return out, nil
}

func (l *lab) ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error) {
	out := &lambda.ListFunctionsOutput{}
	for name, f := range l.functions {
		out.Functions = append(out.Functions, lambdatypes.FunctionConfiguration{FunctionName: &name, VpcConfig: &lambdatypes.VpcConfigResponse{VpcId: aws.String("vpc-1"), SubnetIds: f[0], SecurityGroupIds: f[1]}})
	}
	return out, nil
}

func (l *lab) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	l.read("notebooks")
	out := &sagemaker.ListNotebookInstancesOutput{NotebookInstances: []sagemakertypes.NotebookInstanceSummary{{NotebookInstanceName: aws.String("nb")}}}
	for n := range l.notebooks {
		out.NotebookInstances = append(out.NotebookInstances, sagemakertypes.NotebookInstanceSummary{NotebookInstanceName: aws.String(fmt.Sprintf("nb-%d", n))})
	}
	return out, nil
}

func (l *lab) DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	return &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: aws.String("nb"), SubnetId: &l.subnet, SecurityGroups: []string{"sg-1"}}, nil
}

func (l *lab) ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	return &sagemaker.ListTagsOutput{}, nil
}

// Clients are read once; those whose packets meet the same are one; what its owner keeps apart is none. The other side is told who calls.
func TestWhoCallsIsReadOnce(t *testing.T) {
	l := &lab{subnet: "subnet-a", functions: map[string][2][]string{
		"one": {{"subnet-a"}, {"sg-1"}}, "two": {{"subnet-a"}, {"sg-1"}}, "other": {{"subnet-a", "subnet-b"}, {"sg-1"}}, "half": {{"subnet-a", "subnet-x"}, {"sg-2"}}, "apart": {{"subnet-x"}, {"sg-1"}}}}
	a, b := sides()
	a.Consumer = true
	b.AllowedDatabases = []workflow.AllowedDatabase{{Database: "db", Port: 3306, Subnets: []string{"subnet-d"}, CIDRs: prefixes("10.2.0.0/24")}}
	facts := func(v workflow.VPC) *workflow.Facts { return &workflow.Facts{VPC: v} }
	subnet := func(id, cidr string) route.Subnet { return route.Subnet{ID: id, V4: prefixes(cidr)[0]} }
	subnets := []route.Subnet{subnet("subnet-a", "10.1.0.0/24"), subnet("subnet-b", "10.1.1.0/24"), subnet("subnet-x", "10.1.2.0/24"), subnet("subnet-m", "10.1.3.0/24")}
	subnets[2].Apart, subnets[3].Client = true, true
	sides := []*survey.SideFacts{{Side: &a, Here: facts(a.VPC), There: facts(b.VPC), Subnets: subnets}, {Side: &b, Here: facts(b.VPC), There: facts(a.VPC)}}
	s := survey.Surveyor{Set: policy.Default(), Enter: func(event.Place) survey.Clients { return survey.Clients{EC2: l, SageMaker: l, Lambda: l} }}
	survey.Appoint(&a, &b)
	notebooks, err := s.Consume(t.Context(), sides...)
	if err != nil || len(notebooks) != 1 {
		t.Fatal(notebooks, err)
	}
	var got []string
	for _, c := range a.Clients {
		got = append(got, fmt.Sprint(c.Names, c.Count, c.Account == alpha, c.Host, c.Subnets, c.CIDRs, c.Groups, c.Replies))
	}
	want := []string{
		"[function half] 1 true false [subnet-a] [10.1.0.0/24] [sg-2] [1024-65535]",
		"[function one function two] 2 true false [subnet-a] [10.1.0.0/24] [sg-1] [1024-65535]",
		"[function other] 1 true false [subnet-a subnet-b] [10.1.0.0/23] [sg-1] [1024-65535]",
		"[interfaces in subnet subnet-m] 1 true false [subnet-m] [10.1.3.0/24] [sg-jobs] [32768-60999 49152-65535]",
		"[notebook nb] 1 true true [subnet-a] [10.1.0.0/24] [sg-1] []",
		"[subnet subnet-m] 1 true false [subnet-m] [10.1.3.0/24] [] [32768-60999 49152-65535]"}
	if !slices.Equal(got, want) {
		t.Errorf("the clients are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if text := fmt.Sprint(b.Callers.CIDRs, b.Callers.Groups); len(b.Clients) > 0 || text != "[10.1.0.0/23 10.1.3.0/24] [{111111111111 [sg-1]} {111111111111 [sg-2]} {111111111111 [sg-jobs]}]" {
		t.Errorf("who is called knows %s", text)
	}
	var seats []string
	for _, s := range a.EndSubnets {
		seats = append(seats, fmt.Sprint(s.ID, s.CIDRs))
	}
	if text := strings.Join(seats, " "); text != "subnet-a[10.1.0.0/24] subnet-b[10.1.1.0/24] subnet-m[10.1.3.0/24]" {
		t.Errorf("the subnets in which somebody is are %s", text)
	}
	if slices.Sort(l.reads); !slices.Equal(l.reads, []string{"groups", "notebooks"}) {
		t.Errorf("read %v", l.reads)
	}
	b.AllowedDatabases = nil // the policy shuts it
	if survey.Appoint(&a, &b); len(b.Callers.CIDRs) > 0 {
		t.Errorf("nothing is open, and it knows %v", b.Callers)
	}
}
