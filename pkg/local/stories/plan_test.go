package stories

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/plan"
)

// firsts are the machines that are planned, by the function of their first state.
var firsts = map[string]string{
	"drawbridge-inspect-peering": "drawbridge-peering", "drawbridge-inspect-transit": "drawbridge-transit",
	"drawbridge-inspect-attachment": "drawbridge-attachment", "drawbridge-inspect-notebooks": "drawbridge-notebook", "drawbridge-inspect-share": "drawbridge-share",
	"drawbridge-inspect-data-api": "drawbridge-data-api", "drawbridge-inspect-data-api-endpoint": "drawbridge-data-api-endpoint",
	"drawbridge-inspect-studio": "drawbridge-studio", "drawbridge-inspect-private-notebooks": "drawbridge-private-notebooks",
}

// onlyReads is a transport that notes what is sent but reads.
type onlyReads struct {
	mu    sync.Mutex
	sent  int
	wrong []string
}

// RoundTrip implements [http.RoundTripper].
func (o *onlyReads) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	c := awscall.Parse(r, body)
	o.mu.Lock()
	if o.sent++; !c.Reads() {
		o.wrong = append(o.wrong, c.Name())
	}
	o.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// planner plans each execution of a story in the moment in which its first function begins.
type planner struct {
	*onlyReads
	mu    sync.Mutex
	plans map[string]plan.Outcome
	errs  map[string]error
}

func (p *planner) config(account, region string) aws.Config {
	c := engine.Config(account, region)
	c.HTTPClient = &http.Client{Transport: p.onlyReads}
	return c
}

// before is an [local.Injector] that injects nothing.
func (p *planner) before(ctx context.Context) local.Injector {
	return func(c awscall.Call, when local.Moment) *local.Fault {
		machine := firsts[c.Function]
		if machine == "" || when != local.Before {
			return nil
		}
		c.Execution = engine.Story().ExecutionOf(c)
		p.mu.Lock()
		_, known := p.plans[c.Execution]
		if !known {
			p.plans[c.Execution] = plan.Outcome{}
		}
		p.mu.Unlock()
		if known {
			return nil
		}
		out, err := p.rehearse(ctx, machine, c.Execution)
		for range 100 {
			if err != nil || !out.Waits || len(out.Writes) > 0 {
				break
			}
			time.Sleep(50 * time.Millisecond) // what somebody asked AWS for is under way
			out, err = p.rehearse(ctx, machine, c.Execution)
		}
		p.mu.Lock()
		p.plans[c.Execution], p.errs[c.Execution] = out, err
		p.mu.Unlock()
		return nil
	}
}

func (p *planner) rehearse(ctx context.Context, machine, execution string) (plan.Outcome, error) {
	hub := p.config(local.HubAccount, engine.Region())
	arn := fmt.Sprintf("arn:aws:states:%s:%s:execution:%s:%s", engine.Region(), local.HubAccount, machine, execution)
	got, err := sfn.NewFromConfig(hub).DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return plan.Outcome{}, err
	}
	text, err := ssm.NewFromConfig(hub).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/drawbridge/policy")})
	if err != nil {
		return plan.Outcome{}, err
	}
	return plan.Rehearse(ctx, plan.Hub{Config: hub, Enter: func(at event.Place) (aws.Config, error) { return p.config(at.Account, at.Region), nil },
		Store: book().Store, Policy: aws.ToString(text.Parameter.Value), Limit: brake.Limit{Connections: 1000, Percent: 100}, Patience: 3, Regions: []string{engine.Region(), secondRegion}}, machine, json.RawMessage(aws.ToString(got.Input)))
}

// samples are the stories whose runs are planned: of each road, what is made, refused, asked about, changed, in the way, and taken back. In none does an
// act lead to several executions that meet at one thing, where a later one finds what an earlier one did.
var samples = []string{"s1-peering", "two-regions", "approval", "approval-extended", "refused", "overlap", "conflict", "blackhole", "sweep-drift", "change-unshared",
	"removed-by-accepter", "takeback-rejected", "let-go", "notebook-stopped", "released", "profile-groups", "shared-vpc",
	"transit", "transit-pending", "takeback-gateway", "attach", "attach-approval", "attach-invitation", "gateway-never",
	"studio", "studio-apps", "studio-closed-role", "private-notebooks", "private-owner", "private-paths"}

// dataAPISamples are the same of the Data API, which has a world of its own.
var dataAPISamples = []string{"s3-data-api", "data-api-removed", "data-api-endpoint", "data-api-grant", "data-api-refused-later", "data-api-consumer", "data-api-consumer-removed", "data-api-consumer-own"}

func TestAPlanIsWhatARunDoes(t *testing.T) {
	all := library()
	for _, name := range samples {
		n := slices.IndexFunc(all, func(s tale) bool { return s.name == name })
		if n < 0 {
			t.Fatalf("there is no story %s", name)
		}
		t.Run(name, func(t *testing.T) { planned(t, 5000+n, all[n]) })
	}
	dataAPI := slices.Concat(dataAPITales, callers)
	for _, name := range dataAPISamples {
		n := slices.IndexFunc(dataAPI, func(s dataAPITale) bool { return s.name == name })
		if n < 0 {
			t.Fatalf("there is no story %s", name)
		}
		t.Run(name, func(t *testing.T) { plannedDataAPI(t, 5000+n, dataAPI[n]) })
	}
}

// planned plays a story and plans each of its executions, too.
func planned(t *testing.T, n int, s tale) {
	ctx := timeout(t)
	unbraked(ctx, t)
	spec := scenario.S1()
	cast(&spec, n)
	if s.change != nil {
		s.change(&spec)
	}
	world, err := spec.Build(ctx, engine.Config)
	if err != nil {
		t.Fatal(err)
	}
	if s.prepare != nil {
		s.prepare(ctx, t, world)
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		t.Fatal(err)
	}
	planActs(ctx, t, len(s.acts), func(number int, p *planner) (compared int) {
		a := s.acts[number]
		a.do(ctx, t, world)
		ends := until(ctx, t, len(a.ends))
		if then := s.then[number+1]; then != nil {
			then(ctx, t, world)
		}
		for _, e := range ends {
			compared += p.compare(t, a.says, e)
		}
		return compared
	})
}

// plannedDataAPI is [planned] for a story of the Data API.
func plannedDataAPI(t *testing.T, n int, s dataAPITale) {
	ctx := timeout(t)
	unbraked(ctx, t)
	world, _ := s.build(ctx, t, n)
	planActs(ctx, t, len(s.acts), func(number int, p *planner) (compared int) {
		a := s.acts[number]
		if err := a.do(ctx, world); err != nil {
			t.Fatal(err)
		}
		for _, e := range until(ctx, t, len(a.ends)) {
			compared += p.compare(t, a.says, e)
		}
		return compared
	})
}

// planActs plays acts, plans each execution that they lead to, and says what planning did.
func planActs(ctx context.Context, t *testing.T, acts int, play func(int, *planner) int) {
	p := &planner{onlyReads: &onlyReads{}, plans: map[string]plan.Outcome{}, errs: map[string]error{}}
	injected := p.before(ctx)
	injector.Store(&injected)
	t.Cleanup(func() { injector.Store(nil) })
	compared := 0
	for number := range acts {
		engine.Cool()
		engine.Story().Begin()
		compared += play(number, p)
	}
	t.Logf("%d executions were planned, by %d calls", compared, p.sent)
	if compared == 0 || p.sent == 0 {
		t.Error("nothing was planned")
	}
	if len(p.wrong) > 0 {
		t.Errorf("planning makes calls that do not only read: %q", p.wrong)
	}
}

// compare holds an execution's plan to what it did, and returns 1 if there is one.
func (p *planner) compare(t *testing.T, act string, e story.End) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, ok := p.plans[e.Execution]
	if !ok || met(e) {
		return 0
	}
	if out.Error == "NotYet" && e.Error == "" {
		return 0 // it was planned while AWS was still at something that the execution waited for
	}
	if err := p.errs[e.Execution]; err != nil {
		t.Errorf("%s Planning %s: %v", act, e.Machine, err)
		return 1
	}
	var want, got []string
	for _, c := range engine.Story().Calls() {
		if c.Execution == e.Execution && !c.Reads() && c.Account != local.HubAccount && c.Service != "sts" && c.Status < 300 {
			want = append(want, unmade(fmt.Sprintf("%s %s %s %s", c.Account, c.Region, c.Name(), c.Resource)))
		}
	}
	for _, c := range out.Writes {
		got = append(got, unmade(fmt.Sprintf("%s %s %s %s", c.Account, c.Region, c.Call, about(c.Input))))
	}
	if slices.ContainsFunc(got, func(text string) bool { return strings.Contains(text, "ec2:CreateSecurityGroup ") }) {
		want, got = onlyKinds(want), onlyKinds(got)
	}
	slices.Sort(want)
	slices.Sort(got)
	end, planned := e.State+" "+e.Error, out.State+" "+out.Error
	if e.Error != "" {
		end, planned = e.Error, out.Error // of a Map, the history tells its own name
	}
	if !slices.Equal(want, got) || end != planned {
		t.Errorf("%s %s\nends   %s: %s\nplanned %s: %s\nwrites\n%s\nplanned\n%s", act, e.Machine, end, e.Cause, planned, out.Reason, strings.Join(want, "\n"), lines(out.Writes))
	}
	return 1
}

// newID matches ids of what a run makes, which a plan cannot know.
var newID = regexp.MustCompile(`\b(tgw-attach|vpce)-\w+`)

func unmade(text string) string { return newID.ReplaceAllString(text, "$1-…") }

// ownGroup matches ids of security groups: of one that a run makes, a plan cannot know it.
var ownGroup = regexp.MustCompile(`\bsg-\w+`)

func onlyKinds(calls []string) (out []string) {
	for _, c := range calls {
		out = append(out, ownGroup.ReplaceAllString(c, "sg-…"))
	}
	return out
}

// about is what an input of the SDK's is about, as package awscall tells it.
func about(in any) string {
	if e, ok := in.(*ec2.CreateVpcEndpointInput); ok {
		return e.SubnetIds[0]
	}
	fields := reflect.ValueOf(in).Elem()
	if some := fields.FieldByName("Resources"); some.IsValid() && some.Len() > 0 {
		return some.Index(0).String()
	}
	for _, name := range []string{"RouteTableId", "GroupId", "VpcPeeringConnectionId", "ResourceShareInvitationArn", "NotebookInstanceName", "NotebookInstanceLifecycleConfigName", "DomainId", "KeyId",
		"ResourceArn", "ResourceName", "VpcId", "TransitGatewayAttachmentId", "VpcEndpointId", "VpcEndpointIds", "PolicyArn", "PolicyName", "RoleName"} {
		f := fields.FieldByName(name)
		switch {
		case !f.IsValid() || f.IsNil() || f.Kind() == reflect.Slice && f.Len() == 0:
		case f.Kind() == reflect.Slice:
			return f.Index(0).String()
		default:
			return f.Elem().String()
		}
	}
	return ""
}

func lines(writes []dryrun.Write) string {
	var out []string
	for _, w := range writes {
		for _, c := range w.Changes {
			out = append(out, fmt.Sprintf("%s %s %s %s %s %s", w.Account, w.Region, w.Call, c.Sign, c.Thing, c.What))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
