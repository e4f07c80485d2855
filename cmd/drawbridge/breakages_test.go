package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/why"
)

// asking is a data scientist with a running engine: asks why, and does what the answer says, word for word.
type asking struct {
	*testing.T
	url, at  string
	world    *scenario.World
	from, to string
}

// aws runs a command of the AWS CLI in an account. What waits for a notebook asks more often than the CLI, which does so each 30 seconds.
func (a asking) aws(account string, words []string) {
	a.Helper()
	if slices.Equal(words[:4], []string{"aws", "sagemaker", "wait", "notebook-instance-stopped"}) {
		a.notebookIs(sagemakertypes.NotebookInstanceStatusStopped)
		return
	}
	cmd := exec.Command(filepath.Join(root, ".venv-docs", "bin", "aws"), append(words[1:len(words):len(words)], "--endpoint-url", a.url)...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
	if out, err := cmd.CombinedOutput(); err != nil {
		a.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

func (a asking) config(account string) aws.Config {
	return local.ClientConfig(a.url, account, "us-east-1")
}

func (a asking) notebookIs(want sagemakertypes.NotebookInstanceStatus) {
	a.Helper()
	for range 240 {
		got, err := sagemaker.NewFromConfig(a.config(scenario.Alpha)).DescribeNotebookInstance(a.Context(), &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &a.world.Notebook.Name})
		if err != nil {
			a.Fatal(err)
		}
		if got.NotebookInstanceStatus == want {
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
	a.Fatalf("the notebook does not come to be %s", want)
}

// ask asks until the first hop that does not hold is the wished one, for at most half a minute: what somebody did Drawbridge looks at first.
func (a asking) ask(code string) why.Answer {
	a.Helper()
	var got why.Answer
	for range 30 {
		got = a.once(a.to)
		if n := slices.IndexFunc(got.Hops, func(h why.Hop) bool { return h.Answer != "yes" }); n >= 0 && got.Hops[n].Code == code {
			return got
		}
		time.Sleep(time.Second)
	}
	a.Fatalf("%s is not the cause; it is %s: %s\n%+v", code, got.Answer, got.Line, got.Hops)
	return got
}

func (a asking) once(to string) why.Answer {
	a.Helper()
	stdout, stderr, exit := ran(a.T, "why", a.from, to, a.at, "-o", "json")
	var got why.Answer
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || exit == 1 {
		a.Fatalf("why %s %s: %s", a.from, to, stderr)
	}
	a.Logf("why: %s", got.Line)
	return got
}

// whole does what the answer says and asks again, until every hop holds.
func (a asking) whole(got why.Answer) {
	a.Helper()
	for range 4 {
		if got.Answer == "yes" {
			return
		}
		a.done(got)
		got = a.once(a.to)
	}
	if got.Answer != "yes" {
		a.Fatalf("it does not become whole: %s\n%+v", got.Line, got.Hops)
	}
}

// done does what an answer says, word for word.
func (a asking) done(got why.Answer) {
	a.Helper()
	acted := false
	for _, h := range got.Hops {
		for _, m := range h.Mends {
			if m.Where != "" {
				a.Fatalf("%s is mended %s: %v", h.Code, m.Where, m.Command)
			}
			for _, words := range append([][]string{m.Command}, m.Then...) {
				a.Logf("%s: %s", h.Code, strings.Join(words, " "))
				a.aws(m.Account, words)
				acted = true
			}
		}
	}
	if !acted {
		a.Fatalf("nothing is to be done: %s\n%+v", got.Line, got.Hops)
	}
	a.settled()
}

// settled waits until the notebook runs, and Drawbridge is at work with the connection no more: a look at it may begin a moment after the call.
func (a asking) settled() {
	a.Helper()
	time.Sleep(2 * time.Second)
	a.notebookIs(sagemakertypes.NotebookInstanceStatusInService)
	for range 60 {
		stdout, stderr, exit := ran(a.T, "status", a.world.Connection, a.at, "-o", "json")
		var e board.Entry
		if err := json.Unmarshal([]byte(stdout), &e); err != nil || exit == 1 {
			a.Fatalf("status: %s", stderr)
		}
		if e.Line.Working == nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	a.Fatalf("Drawbridge is at work with %s after half a minute", a.world.Connection)
}

// Nine ways in which a connection does not work: why names the cause first, and what it says makes the path whole.
func TestNineWaysToBreakAConnectionAreMendedByWhatWhySays(t *testing.T) {
	engineNeeded(t)
	if _, err := os.Stat(filepath.Join(root, ".venv-docs", "bin", "aws")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%v: run `make .venv-docs/ready`", err)
	}
	engine, url := serving(t)
	defer func() { _ = engine.Process.Kill() }()
	a := asking{url: url, at: "--local=" + strings.TrimPrefix(url, "http://"), from: scenario.Alpha + "/research", to: scenario.Beta + "/sales"}
	spec := scenario.S1()
	spec.Share = ""
	var err error
	if a.world, err = spec.Build(t.Context(), func(account, region string) aws.Config { return local.ClientConfig(url, account, region) }); err != nil {
		t.Fatal(err)
	}
	if err := a.world.Request(t.Context()); err != nil {
		t.Fatal(err)
	}
	connected(t, a.world.Connection, a.at)
	alpha, beta := ec2.NewFromConfig(a.config(scenario.Alpha)), ec2.NewFromConfig(a.config(scenario.Beta))
	for _, way := range []struct {
		name, code, says string
		do               func(context.Context, asking) error // by its owner
	}{
		{"no share tag", "share", "no tag drawbridge:share", nil},                      // as it was built
		{"the notebook runs", "host-route", "changed since the notebook started", nil}, // as it did when the database was shared
		{"DNS off", "name-resolution", "DNS support", func(ctx context.Context, a asking) error {
			_, err := alpha.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: &a.world.ConsumerNetwork.VPC, EnableDnsSupport: &ec2types.AttributeBooleanValue{Value: aws.Bool(false)}})
			return err
		}},
		{"a closed ACL", "database-acl", "network ACL", func(ctx context.Context, a asking) error {
			shut(ctx, a.T, beta, a.world.ProducerNetwork.VPC)
			return nil
		}},
		{"egress closed later", "client-group", "lets TCP 3306 out", func(ctx context.Context, a asking) error {
			return a.shutIn(ctx, alpha)
		}},
		{"a script with CRLF", "host-route", "has CRLF line ends", func(ctx context.Context, a asking) error {
			return a.edited(ctx, strings.ReplaceAll(scenario.OwnersScript, "\n", "\r\n"))
		}},
		{"a route is missing", "route-there", "has no route to 10.2.0.0/23", func(ctx context.Context, a asking) error {
			return a.contested(ctx, alpha)
		}},
	} {
		if !t.Run(way.name, func(t *testing.T) {
			a := a
			a.T = t
			if way.do != nil {
				if err := way.do(t.Context(), a); err != nil {
					t.Fatal(err)
				}
			}
			got := a.ask(way.code)
			if !strings.Contains(got.Line, way.says) {
				t.Fatalf("its line does not say %q: %s", way.says, got.Line)
			}
			if way.code == "share" {
				a.done(got)
				return
			}
			a.whole(got)
		}) {
			return
		}
	}
	t.Run("the database is stopped", func(t *testing.T) {
		a.T = t
		if _, err := rds.NewFromConfig(a.config(scenario.Beta)).StopDBInstance(t.Context(), &rds.StopDBInstanceInput{DBInstanceIdentifier: aws.String("sales")}); err != nil {
			t.Fatal(err)
		}
		a.whole(a.ask("database-state"))
	})
	t.Run("the wrong port", func(t *testing.T) {
		a.T = t
		got := a.once(a.to + ":3307")
		if h := got.Hops[0]; got.Answer != "no" || h.Code != "port" || !strings.HasSuffix(got.Line, "sales answers at port 3306, not at 3307") || !strings.Contains(h.Remedy, "connect to port 3306") {
			t.Fatalf("%+v", got)
		}
		if right := a.once(a.to + ":3306"); right.Answer != "yes" {
			t.Errorf("%+v", right)
		}
	})
}

// shutIn revokes all that the notebook's group lets out.
func (a asking) shutIn(ctx context.Context, api *ec2.Client) error {
	group := a.world.ConsumerNetwork.Group
	got, err := api.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{group}}}})
	if err != nil {
		return err
	}
	in := &ec2.RevokeSecurityGroupEgressInput{GroupId: &group}
	for _, r := range got.SecurityGroupRules {
		if aws.ToBool(r.IsEgress) {
			in.SecurityGroupRuleIds = append(in.SecurityGroupRuleIds, aws.ToString(r.SecurityGroupRuleId))
		}
	}
	_, err = api.RevokeSecurityGroupEgress(ctx, in)
	return err
}

// contested deletes the route of the notebook's table until Drawbridge does not put it back any more.
func (a asking) contested(ctx context.Context, api *ec2.Client) error {
	table, route := a.world.ConsumerNetwork.Tables[0], "10.2.0.0/23"
	for n := range 120 {
		got, err := api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{table}})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(got.RouteTables[0].Routes, func(r ec2types.Route) bool { return aws.ToString(r.DestinationCidrBlock) == route }) {
			if _, err := api.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: &table, DestinationCidrBlock: &route}); err != nil {
				return err
			}
		} else if stdout, _, _ := ran(a.T, "status", a.world.Connection, a.at, "-o", "json"); n > 0 && strings.Contains(stdout, `"state": "Contested"`) {
			return nil
		}
		time.Sleep(500 * time.Millisecond)
	}
	return errors.New("the route is not contested after a minute")
}

// edited has the owner save another on-start script.
func (a asking) edited(ctx context.Context, script string) error {
	_, err := sagemaker.NewFromConfig(a.config(scenario.Alpha)).UpdateNotebookInstanceLifecycleConfig(ctx, &sagemaker.UpdateNotebookInstanceLifecycleConfigInput{
		NotebookInstanceLifecycleConfigName: &a.world.Notebook.LifecycleConfig,
		OnStart:                             []sagemakertypes.NotebookInstanceLifecycleHook{{Content: aws.String(base64.StdEncoding.EncodeToString([]byte(script)))}}})
	return err
}
