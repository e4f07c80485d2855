package dryrun_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/infra/rights"
	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// Nothing that Drawbridge's roles may write is sent, by its name alone.
func TestNoRightToWriteIsSent(t *testing.T) {
	names := mode.Calls()
	for _, line := range rights.Lines {
		for _, calls := range line.Writes {
			names = append(names, calls...)
		}
	}
	if len(names) < 100 {
		t.Fatalf("only %d rights", len(names))
	}
	for _, name := range names {
		if dryrun.Reads(name) {
			t.Errorf("%s is sent", name)
		}
	}
	for _, name := range []string{"dynamodb:TransactWriteItems", "sfn:StartExecution", "sqs:SendMessage", "ec2:RunInstances", "rdsdata:ExecuteStatement", "s3:PutObject", "ec2:Describe"} {
		if dryrun.Reads(name) {
			t.Errorf("%s is sent", name)
		}
	}
}

// wire answers with text to what is sent, and counts it.
type wire struct {
	sent int
	text string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.sent++
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: body{strings.NewReader(w.text)}, Request: r}, nil
}

type body struct{ *strings.Reader }

func (body) Close() error { return nil }

func in(w *dryrun.World, wire *wire) aws.Config {
	return w.In("111111111111", aws.Config{Region: "us-east-1", HTTPClient: &http.Client{Transport: wire}, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
	})})
}

func TestAWriteIsNotedAndAnsweredAndNotSent(t *testing.T) {
	w, out := &dryrun.World{}, &wire{}
	ctx, c := t.Context(), in(w, out)
	_, err := ec2.NewFromConfig(c).CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: aws.String("rtb-1"), DestinationCidrBlock: aws.String("10.2.0.0/16"), VpcPeeringConnectionId: aws.String("pcx-1")})
	if err != nil {
		t.Fatal(err)
	}
	// A call that AWS would refuse for its input is refused.
	var invalid interface{ Error() string }
	if _, err := ec2.NewFromConfig(c).CreateRoute(ctx, &ec2.CreateRouteInput{}); !errors.As(err, &invalid) || fault.Of(err) == "" {
		t.Errorf("without a table: %v", err)
	}
	// One that nobody knows an answer to is an error, and not sent.
	if _, err := iam.NewFromConfig(c).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("eve")}); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "iam:CreateUser") {
		t.Errorf("an unknown call: %v", err)
	}
	writes := w.Writes()
	if len(writes) != 1 || out.sent != 0 {
		t.Fatalf("%d calls were sent, noted are %+v", out.sent, writes)
	}
	want := dryrun.Change{Sign: dryrun.Adds, What: "route 10.2.0.0/16 to pcx-1", Thing: "rtb-1"}
	if got := writes[0]; got.Call != "ec2:CreateRoute" || got.Account != "111111111111" || got.Region != "us-east-1" || len(got.Changes) != 1 || got.Changes[0] != want {
		t.Errorf("%+v", got)
	}
}

const tables = `<DescribeRouteTablesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><routeSet>
<item><destinationCidrBlock>10.1.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state></item>
<item><destinationCidrBlock>10.3.0.0/16</destinationCidrBlock><vpcPeeringConnectionId>pcx-9</vpcPeeringConnectionId><state>blackhole</state></item>
<item><destinationCidrBlock>10.4.0.0/16</destinationCidrBlock><vpcPeeringConnectionId>pcx-9</vpcPeeringConnectionId><state>active</state></item></routeSet></item></routeTableSet></DescribeRouteTablesResponse>`

func TestWhatWasNotedIsReadBack(t *testing.T) {
	w, out := &dryrun.World{}, &wire{text: tables}
	ctx := t.Context()
	api := ec2.NewFromConfig(in(w, out))
	table := aws.String("rtb-1")
	for _, err := range []error{
		func() error {
			_, err := api.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("10.2.0.0/16"), VpcPeeringConnectionId: aws.String("pcx-1")})
			return err
		}(),
		func() error {
			_, err := api.ReplaceRoute(ctx, &ec2.ReplaceRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("10.3.0.0/16"), VpcPeeringConnectionId: aws.String("pcx-1")})
			return err
		}(),
		func() error {
			_, err := api.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: table, DestinationCidrBlock: aws.String("10.4.0.0/16")})
			return err
		}(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	if err != nil || out.sent != 1 {
		t.Fatalf("%v, %d calls sent", err, out.sent)
	}
	routes := map[string]string{}
	for _, r := range got.RouteTables[0].Routes {
		routes[aws.ToString(r.DestinationCidrBlock)] = aws.ToString(r.VpcPeeringConnectionId) + " " + string(r.State)
	}
	if len(routes) != 3 || routes["10.1.0.0/16"] != " active" || routes["10.2.0.0/16"] != "pcx-1 active" || routes["10.3.0.0/16"] != "pcx-1 active" {
		t.Errorf("%v", routes)
	}
}

// Two worlds that share answers send a read once, and neither sees what was noted in the other.
func TestSharedAnswersAreOfAWSAlone(t *testing.T) {
	shared, out, ctx := &dryrun.Answers{}, &wire{text: tables}, t.Context()
	for n := range 2 {
		w := &dryrun.World{}
		w.Remember(shared)
		api := ec2.NewFromConfig(in(w, out))
		if n == 0 {
			if _, err := api.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: aws.String("rtb-1"), DestinationCidrBlock: aws.String("10.1.0.0/16")}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
		if err != nil || len(got.RouteTables) != 1 || len(got.RouteTables[0].Routes) != 2+n || got.RouteTables[0].Routes[1].State == "" {
			t.Errorf("in world %d: %+v, %v", n, got, err)
		}
	}
	if out.sent != 1 {
		t.Errorf("%d calls sent", out.sent)
	}
}

// A peering that is not active, or not there, refuses what AWS refuses of it.
func TestRefusals(t *testing.T) {
	w, out, ctx := &dryrun.World{}, &wire{text: `<DescribeVpcPeeringConnectionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><vpcPeeringConnectionSet><item>
<vpcPeeringConnectionId>pcx-1</vpcPeeringConnectionId><status><code>deleted</code></status></item></vpcPeeringConnectionSet></DescribeVpcPeeringConnectionsResponse>`}, t.Context()
	api := ec2.NewFromConfig(in(w, out))
	if _, err := api.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{}); err != nil {
		t.Fatal(err)
	}
	for id, code := range map[string]string{"pcx-1": "OperationNotPermitted", "pcx-2": "InvalidVpcPeeringConnectionID.NotFound"} {
		_, err := api.ModifyVpcPeeringConnectionOptions(ctx, &ec2.ModifyVpcPeeringConnectionOptionsInput{VpcPeeringConnectionId: &id,
			RequesterPeeringConnectionOptions: &types.PeeringConnectionOptionsRequest{AllowDnsResolutionFromRemoteVpc: aws.Bool(true)}})
		if !fault.HasCode(err, code) {
			t.Errorf("%s: %v, want %s", id, err, code)
		}
	}
	if len(w.Writes()) != 0 {
		t.Errorf("%+v", w.Writes())
	}
}

func TestConfigurationsAreReadBack(t *testing.T) {
	w, out, ctx := &dryrun.World{}, &wire{}, t.Context()
	api, name := sagemaker.NewFromConfig(in(w, out)), aws.String("drawbridge-subnet-1")
	if _, err := api.CreateNotebookInstanceLifecycleConfig(ctx, &sagemaker.CreateNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: name}); err != nil {
		t.Fatal(err)
	}
	if got, err := api.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: name}); err != nil || got.LastModifiedTime == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := api.DeleteNotebookInstanceLifecycleConfig(ctx, &sagemaker.DeleteNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: name}); !fault.NoRecord(err) {
		t.Errorf("deleted: %v", err)
	}
	if out.sent != 0 {
		t.Errorf("%d calls sent", out.sent)
	}
}
