package faultsweep

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// engine is shared: every run has accounts of its own.
var engine *local.Engine

// injector is the fault of the current run.
var injector atomic.Pointer[local.Injector]

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		o := local.Options{
			Root: "../../..", WaitScale: 0.001,
			// One attempt of the SDK: every fault reaches the machine, whose own
			// retries are what is tested here.
			Environment: map[string]string{"AWS_MAX_ATTEMPTS": "1"},
			Fault: func(c awscall.Call, when local.Moment) *local.Fault {
				if f := injector.Load(); f != nil {
					return (*f)(c, when)
				}
				return nil
			},
		}
		if err := o.Check(); err != nil {
			if os.Getenv("CI") == "true" {
				fmt.Fprintln(os.Stderr, "FAIL:", err)
				return 1
			}
			fmt.Println("skipped, no fault was tried:", err)
			return 0
		}
		var err error
		if engine, err = local.Start(context.Background(), o); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			return 1
		}
		defer engine.Close()
		return m.Run()
	}())
}

// worlds counts the worlds built so far.
var worlds int

// world builds S1 in fresh accounts, with things of others in it.
func world(ctx context.Context, t *testing.T, change func(*scenario.Spec)) *scenario.World {
	t.Helper()
	worlds++
	spec := scenario.S1()
	spec.Consumer.Account = fmt.Sprintf("11111111%04d", worlds)
	spec.Producer.Account = fmt.Sprintf("22222222%04d", worlds)
	if change != nil {
		change(&spec)
	}
	w, err := spec.Build(ctx, engine.Config)
	must(t, err)
	plant(ctx, t, w)
	return w
}

// foreign is where the owners' own routes and rules lead.
var foreign = netip.MustParsePrefix("192.168.77.0/24")

// plant gives both sides a route, a rule and tags that are nobody's business.
func plant(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	for _, side := range []struct {
		home scenario.Home
		net  scenario.Network
	}{{w.Consumer, w.ConsumerNetwork}, {w.Producer, w.ProducerNetwork}} {
		client := ec2.NewFromConfig(engine.Config(side.home.Account, side.home.Region))
		gateway, err := client.CreateVpnGateway(ctx, &ec2.CreateVpnGatewayInput{Type: ec2types.GatewayTypeIpsec1})
		must(t, err)
		_, err = client.AttachVpnGateway(ctx, &ec2.AttachVpnGatewayInput{VpcId: &side.net.VPC, VpnGatewayId: gateway.VpnGateway.VpnGatewayId})
		must(t, err)
		_, err = client.CreateRoute(ctx, &ec2.CreateRouteInput{
			RouteTableId: &side.net.Tables[0], DestinationCidrBlock: aws.String(foreign.String()), GatewayId: gateway.VpnGateway.VpnGatewayId,
		})
		must(t, err)
		_, err = client.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &side.net.Group, IpPermissions: []ec2types.IpPermission{{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306),
				IpRanges: []ec2types.IpRange{{CidrIp: aws.String(foreign.String()), Description: aws.String("the owner's own")}},
			}},
		})
		must(t, err)
		_, err = client.CreateTags(ctx, &ec2.CreateTagsInput{
			Resources: []string{side.net.Tables[0], side.net.Group, side.net.VPC}, Tags: []ec2types.Tag{{Key: aws.String("team"), Value: aws.String("research")}},
		})
		must(t, err)
	}
}

// settle waits for n ends.
func settle(ctx context.Context, t *testing.T, n int) []story.End {
	t.Helper()
	ends, err := engine.Settle(ctx, n)
	if err != nil {
		t.Fatalf("waiting for %d executions to end, %d did: %v", n, len(ends), err)
	}
	return ends
}

// again starts a new execution with the input of one that ended.
func again(ctx context.Context, t *testing.T, old story.End) {
	t.Helper()
	client := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	arn := "arn:aws:states:" + engine.Region() + ":" + local.HubAccount + ":"
	run, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{
		ExecutionArn: aws.String(arn + "execution:" + old.Machine + ":" + old.Execution),
	})
	must(t, err)
	_, err = client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: run.StateMachineArn, Input: run.Input})
	must(t, err)
}

func limited(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, fmt.Errorf("%v are over", d))
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// difference lists the lines that only one of two snapshots has.
func difference(want, got []string) string {
	var b strings.Builder
	for _, l := range lacking(want, got) {
		b.WriteString("- " + l + "\n")
	}
	for _, l := range lacking(got, want) {
		b.WriteString("+ " + l + "\n")
	}
	return b.String()
}

// lacking returns the lines of a that b lacks, counting repeated ones.
func lacking(a, b []string) []string {
	count := map[string]int{}
	for _, l := range b {
		count[l]++
	}
	var out []string
	for _, l := range a {
		if count[l]--; count[l] < 0 {
			out = append(out, l)
		}
	}
	return out
}
