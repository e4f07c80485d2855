package report_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// people hears what is published.
type people struct {
	events   []string
	messages map[string][]string // by account
	broken   error
}

func (p *people) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	p.events = append(p.events, *in.Entries[0].Detail)
	return &eventbridge.PutEventsOutput{}, nil
}

func (p *people) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	if p.broken != nil {
		return nil, p.broken
	}
	account := *in.MessageAttributes["account"].StringValue
	p.messages[account] = append(p.messages[account], *in.Message)
	return &sns.PublishOutput{}, nil
}

const (
	left, right = "111111111111", "222222222222"
	role        = "arn:aws:sts::111111111111:assumed-role/ci/run-1"
)

// world is a connection with a route on the left and a rule on the right.
func world(t *testing.T) (report.Reporter, *people) {
	l, _ := ledgertest.New()
	l.Now = func() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) }
	ctx := context.Background()
	if _, err := l.Begin(ctx, ledger.Connection{ID: "pcx-1", Kind: "peering", Sides: []ledger.Side{{Account: left, Region: "eu-west-1", ID: "vpc-1"}, {Account: right, Region: "eu-west-1", ID: "vpc-2"}}}); err != nil {
		t.Fatal(err)
	}
	items := []ledger.Item{{Account: left, Region: "eu-west-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.2.0.0/16", Left: "pcx-1"},
		{Account: right, Region: "eu-west-1", Resource: "sg-2", Kind: ledger.Rule, Key: "ingress tcp 3306 10.1.0.0/16", Left: "sgr-1"}}
	recorded, err := l.Record(ctx, "pcx-1", items...)
	if err == nil {
		_, err = l.Confirm(ctx, recorded...)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &people{messages: map[string][]string{}}
	return report.Reporter{Contest: contest.Contest{Ledger: l}, Bus: notice.Bus{API: p, Name: "drawbridge"}, Topic: notice.Topic{API: p, ARN: "topic"}}, p
}

func (p *people) told() int {
	n := 0
	for _, m := range p.messages {
		n += len(m)
	}
	return n
}

// Whoever made again what Drawbridge had added hears once that it is theirs, and nobody else hears of it.
func TestItsOwnerHearsOnceThatItIsTheirs(t *testing.T) {
	r, p := world(t)
	ctx := context.Background()
	again := func(resource, who string) {
		t.Helper()
		items, err := r.Ledger.Of(ctx, left, "eu-west-1", resource)
		if err != nil || len(items) != 1 {
			t.Fatalf("%+v, %v", items, err)
		}
		theirs, _, err := r.Yield(ctx, items, []contest.Claim{{Key: items[0].Key, Left: items[0].Left}}, contest.Sight{By: ledger.Hand{Who: who, Tool: event.CLI}, At: r.Ledger.Now()})
		if err != nil || len(theirs) != 1 {
			t.Fatalf("%+v, %v", theirs, err)
		}
	}
	tell := func(execution string, want workflow.Result) {
		t.Helper()
		if out, err := r.Report(ctx, workflow.ReportContestInput{Execution: execution, Connection: "pcx-1"}); err != nil || out.Result != want || out.Reason == "" {
			t.Fatalf("%+v, %v, want %s", out, err, want)
		}
	}
	again("rtb-1", "arn:aws:iam::111111111111:user/eva")
	p.broken = errors.New("throttled")
	if _, err := r.Report(ctx, workflow.ReportContestInput{Execution: "run-1", Connection: "pcx-1"}); !errors.Is(err, p.broken) {
		t.Fatal(err)
	}
	p.broken = nil
	tell("run-1", workflow.Reported)
	tell("run-1", workflow.Nothing)
	tell("run-2", workflow.Nothing)
	if len(p.messages[left]) != 1 || len(p.messages[right]) != 0 {
		t.Fatalf("told %v", p.messages)
	}
	for _, must := range []string{"route 10.2.0.0/16 of rtb-1 in eu-west-1", "user/eva with cli", "it is yours", "nothing to do"} {
		if !strings.Contains(p.messages[left][0], must) {
			t.Errorf("the owner is not told %q:\n%s", must, p.messages[left][0])
		}
	}
	items, err := r.Ledger.Items(ctx, "pcx-1")
	if err != nil || len(items) != 1 || items[0].Kind != ledger.Rule {
		t.Errorf("the ledger has %+v, %v", items, err)
	}
}

func TestBothOwnersHearOnceWithTheRemedyOfTheTool(t *testing.T) {
	r, p := world(t)
	ctx := context.Background()
	tell := func(execution string, want workflow.Result) {
		t.Helper()
		out, err := r.Report(ctx, workflow.ReportContestInput{Execution: execution, Connection: "pcx-1"})
		if err != nil || out.Result != want || out.Reason == "" {
			t.Fatalf("%+v, %v, want %s", out, err, want)
		}
	}
	contested := func(account, resource string, by ledger.Hand) {
		t.Helper()
		items, err := r.Ledger.Of(ctx, account, "eu-west-1", resource)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Ledger.MarkAll(ctx, items, func(i *ledger.Item) { i.State, i.Taken, i.TakenBy = ledger.Contested, 2, by }); err != nil {
			t.Fatal(err)
		}
	}
	tell("run-1", workflow.Nothing)
	contested(left, "rtb-1", ledger.Hand{Who: role, Tool: event.Terraform})
	p.broken = errors.New("throttled")
	if _, err := r.Report(ctx, workflow.ReportContestInput{Execution: "run-2", Connection: "pcx-1"}); !errors.Is(err, p.broken) {
		t.Fatal(err)
	}
	p.broken = nil
	tell("run-2", workflow.Contested)
	tell("run-2", workflow.Nothing)
	tell("run-3", workflow.Nothing)
	if len(p.messages[left]) != 1 || len(p.messages[right]) != 1 {
		t.Fatalf("told %v", p.messages)
	}
	ours, theirs := p.messages[left][0], p.messages[right][0]
	for _, must := range []string{"rtb-1", "10.2.0.0/16", role, "lifecycle {", "ignore_changes = [route]", `"aws_route"`, "ignore_changes = [on_start]", `"drawbridge:manage", "drawbridge:pairs",`, `"drawbridge:status"`, "aws ec2 create-tags --region eu-west-1 --resources pcx-1 --tags Key=drawbridge:manage,Value=true"} {
		if !strings.Contains(ours, must) {
			t.Errorf("the owner is not told %q:\n%s", must, ours)
		}
	}
	if strings.Contains(ours, "key_prefixes") || strings.Contains(ours, tag.Share) {
		t.Errorf("the owner is told to ignore tags by which they ask:\n%s", ours)
	}
	for _, never := range []string{"rtb-1", "10.2.0.0/16", role, "lifecycle"} {
		if strings.Contains(theirs, never) {
			t.Errorf("the other side is told %q:\n%s", never, theirs)
		}
	}
	if strings.Contains(ours, "CloudFormation") {
		t.Errorf("Terraform's hand is told of CloudFormation:\n%s", ours)
	}

	// Another hand is news, another thing of the same hand is none.
	contested(right, "sg-2", ledger.Hand{Who: "arn:aws:sts::222222222222:assumed-role/stack/x", Tool: event.CloudFormation})
	tell("run-4", workflow.Contested)
	if n := p.told(); n != 4 {
		t.Fatalf("told %d times", n)
	}
	if theirs := p.messages[right][1]; !strings.Contains(theirs, "AWS::EC2::SecurityGroupIngress") || !strings.Contains(theirs, "REVERT_DRIFT") {
		t.Errorf("%s", theirs)
	}

	// Its owner asks anew: what comes after is told again.
	for _, account := range []string{left, right} {
		if settled, err := r.Settle(ctx, account, []string{"pcx-1"}); err != nil || !slices.Equal(settled, []string{"pcx-1"}) {
			t.Fatal(settled, err)
		}
	}
	tell("run-5", workflow.Nothing)
	contested(left, "rtb-1", ledger.Hand{Who: role, Tool: event.Terraform})
	tell("run-6", workflow.Contested)
}

func TestTagsThatAreTakenAwayAreToldOnce(t *testing.T) {
	r, p := world(t)
	ctx := context.Background()
	by := ledger.Hand{Who: role, Tool: event.Terraform}
	for n, want := range []struct{ anew, again bool }{{true, false}, {true, false}, {false, true}, {false, true}} {
		call := []string{"e-1", "e-1", "e-2", "e-3"}[n]
		if anew, again, err := r.Untagged(ctx, "pcx-1", left, by, call); err != nil || anew != want.anew || again != want.again {
			t.Errorf("%s: anew %v, again %v, %v", call, anew, again, err)
		}
	}
	if _, again, err := r.Untagged(ctx, "pcx-2", left, by, "e-4"); err != nil || again {
		t.Errorf("what is not managed: %v, %v", again, err)
	}
	for range 2 {
		if _, err := r.Report(ctx, workflow.ReportContestInput{Execution: "run", Connection: "pcx-1"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.messages[left]) != 1 || !strings.Contains(p.messages[left][0], "ignore_tags") {
		t.Errorf("%v", p.messages)
	}
}

// Every kind of item has a remedy in every tool's words, with the resource that its owner edits.
func TestEveryKindHasARemedy(t *testing.T) {
	for _, kind := range []ledger.Kind{ledger.Route, ledger.Rule, ledger.DNSOption, ledger.HostRoute, ledger.Attachment, ledger.Association, ledger.Propagation,
		ledger.Endpoint, ledger.Group, ledger.Setting, ledger.Role, ledger.Statement, ledger.Document, ledger.Grant, ledger.Share, ledger.Config, ledger.Interface, ledger.Managed} {
		made := kind == ledger.Grant // it is Drawbridge's own
		for tool, words := range map[string][]string{event.Terraform: {"ignore_changes", "ignore_tags"}, event.CloudFormation: {"drift"}, event.Console: {"took the"}, "": {"ignore_changes", "drift"}} {
			got := report.Remedy(ledger.Item{Kind: kind, Resource: "thing-1", Key: "ingress tcp 3306 10.1.0.0/16", TakenBy: ledger.Hand{Who: role, Tool: tool}})
			if made {
				words = map[string][]string{event.Terraform: {"destroy = false"}, event.CloudFormation: {"Retain"}, event.Console: words, "": {"destroy = false", "Retain"}}[tool]
			}
			for _, w := range append(words, "thing-1") {
				if !strings.Contains(got, w) {
					t.Errorf("%s by %q lacks %q:\n%s", kind, tool, w, got)
				}
			}
		}
	}
}

// For each kind of item the remedy names the resource and the words of both tools.
func TestEachKindHasItsRemedy(t *testing.T) {
	for _, c := range []struct {
		kind          ledger.Kind
		resource, key string
		must          []string
	}{
		{ledger.Route, "rtb-1", "10.2.0.0/16", []string{`"aws_route_table"`, "ignore_changes = [route]", `"aws_route"`, "AWS::EC2::Route"}},
		{ledger.Rule, "sg-1", "egress tcp 3306 10.2.0.0/16", []string{`"aws_security_group"`, "ignore_changes = [egress]", `"aws_vpc_security_group_egress_rule"`, "AWS::EC2::SecurityGroupEgress"}},
		{ledger.DNSOption, "pcx-1", "requester", []string{"ignore_changes = [requester, accepter]", `"aws_vpc_peering_connection_options"`, "AWS::EC2::VPCPeeringConnection"}},
		{ledger.HostRoute, "setup", "10.1.0.0/24 10.2.0.0/16", []string{`"aws_sagemaker_notebook_instance_lifecycle_configuration"`, "ignore_changes = [on_start]", "OnStart", "AWS::SageMaker::NotebookInstanceLifecycleConfig"}},
		{ledger.Config, "lab", "drawbridge-subnet-1", []string{`"aws_sagemaker_notebook_instance"`, "ignore_changes = [lifecycle_config_name]", "LifecycleConfigName"}},
		{ledger.Association, "tgw-attach-1", "tgw-rtb-1", []string{"ignore_changes = [transit_gateway_default_route_table_association]", "AWS::EC2::TransitGatewayRouteTableAssociation"}},
		{ledger.Propagation, "tgw-attach-1", "tgw-rtb-1", []string{"ignore_changes = [transit_gateway_default_route_table_propagation]", "AWS::EC2::TransitGatewayRouteTablePropagation"}},
		{ledger.Endpoint, "vpc-1", "com.amazonaws.eu-west-1.rds-data", []string{`"aws_vpc_endpoint"`, "private_dns_enabled", "AWS::EC2::VPCEndpoint"}},
		{ledger.Document, "readers", "drawbridge", []string{`"aws_iam_role"`, "ignore_changes = [inline_policy]", "AWS::IAM::RolePolicy"}},
		{ledger.Statement, "readers", "trust", []string{"ignore_changes = [assume_role_policy]", "AssumeRolePolicyDocument"}},
		{ledger.Setting, "arn:aws:rds:eu-west-1:222222222222:cluster:sales", "HttpEndpoint", []string{`"aws_rds_cluster"`, "ignore_changes = [enable_http_endpoint]", "EnableHttpEndpoint: true"}},
		{ledger.Setting, "d-1", "ExecutionRoleIdentityConfig", []string{`"aws_sagemaker_domain"`, "ignore_changes = [domain_settings]", "AWS::SageMaker::Domain"}},
		{ledger.Role, "drawbridge-data-api-sales", "readers", []string{"destroy = false", "DeletionPolicy: Retain"}},
		{ledger.Document, "drawbridge-data-api-sales", "data-api", []string{"destroy = false", "DeletionPolicy: Retain"}},
		{ledger.Statement, "drawbridge-studio-eu-west-1-sales", "trust", []string{"destroy = false", "DeletionPolicy: Retain"}},
		{ledger.Document, "arn:aws:iam::111111111111:policy/drawbridge/drawbridge-private-notebooks", "drawbridge-private-notebooks", []string{"destroy = false", "DeletionPolicy: Retain"}},
		{ledger.Grant, "arn:aws:kms:eu-west-1:222222222222:key/1", "drawbridge-data-api-sales secret", []string{"destroy = false", "DeletionPolicy: Retain"}},
		{ledger.Interface, "vpc-1", "com.amazonaws.eu-west-1.rds-data eu-west-1a", []string{`"aws_vpc_endpoint"`, "ignore_changes = [subnet_ids, security_group_ids]", "SubnetIds"}},
		{ledger.Managed, "scientist", "drawbridge-private-notebooks", []string{`"aws_iam_role"`, "ignore_changes = [managed_policy_arns]", "ManagedPolicyArns"}},
	} {
		got := report.Remedy(ledger.Item{Kind: c.kind, Resource: c.resource, Key: c.key})
		for _, must := range append(c.must, c.resource) {
			if !strings.Contains(got, must) {
				t.Errorf("%s %s: %q is missing in\n%s", c.kind, c.resource, must, got)
			}
		}
		if strings.Contains(got, "%!") {
			t.Errorf("%s: %s", c.kind, got)
		}
	}
}

// Each owner gets the command by which they ask for their own thing anew.
func TestHowToAskAnew(t *testing.T) {
	const cluster, warehouse = "arn:aws:rds:eu-west-1:222222222222:cluster:sales", "arn:aws:redshift:eu-west-1:222222222222:cluster:sales"
	for want, c := range map[string]struct {
		connection ledger.Connection
		item       ledger.Item
	}{
		"aws rds add-tags-to-resource --region eu-west-1 --resource-name " + cluster + " --tags Key=drawbridge:data-api,": {
			ledger.Connection{ID: cluster, Kind: "data-api", Sides: []ledger.Side{{Account: right, Region: "eu-west-1", ID: cluster}}}, ledger.Item{Account: right, Region: "us-east-1", Kind: ledger.Role}},
		"aws redshift create-tags --region eu-west-1 --resource-name " + warehouse + " --tags Key=drawbridge:studio,": {
			ledger.Connection{ID: warehouse, Kind: "studio", Sides: []ledger.Side{{Account: right, Region: "eu-west-1", ID: warehouse}}}, ledger.Item{Account: right, Region: "us-east-1", Kind: ledger.Role}},
		"aws iam tag-role --role-name scientist --tags Key=drawbridge:studio,Value=true": {
			ledger.Connection{ID: warehouse, Kind: "studio"}, ledger.Item{Account: left, Region: "us-east-1", Kind: ledger.Document, Resource: "scientist"}},
		"aws sagemaker add-tags --region eu-west-1 --resource-arn arn:aws:sagemaker:eu-west-1:111111111111:domain/d-1 --tags Key=drawbridge:studio,Value=true": {
			ledger.Connection{ID: warehouse, Kind: "studio"}, ledger.Item{Account: left, Region: "eu-west-1", Kind: ledger.Setting, Resource: "d-1"}},
		"aws ec2 create-tags --region eu-west-1 --resources vpc-1 --tags Key=drawbridge:data-api,Value=true": {
			ledger.Connection{ID: "data-api-endpoint-vpc-1", Kind: "data-api-endpoint", Sides: []ledger.Side{{Account: left, Region: "eu-west-1", ID: "vpc-1"}}}, ledger.Item{Account: left}},
		"aws ec2 create-tags --region eu-west-1 --resources vpc-1 --tags Key=drawbridge:private-notebooks,Value=true": {
			ledger.Connection{ID: "private-notebooks-vpc-1", Kind: "private-notebooks", Sides: []ledger.Side{{Account: left, Region: "eu-west-1", ID: "vpc-1"}}}, ledger.Item{Account: left, Resource: "scientist", Kind: ledger.Managed}},
	} {
		if got := report.Anew(c.connection, c.item); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
