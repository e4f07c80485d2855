package stories

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/pkg/dryrun"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/plan"
)

// firsts are the machines that are planned, by the function of their first state.
var firsts = map[string]string{
	"drawbridge-inspect-peering": "drawbridge-peering", "drawbridge-inspect-transit": "drawbridge-transit",
	"drawbridge-inspect-attachment": "drawbridge-attachment", "drawbridge-inspect-notebooks": "drawbridge-notebook", "drawbridge-inspect-share": "drawbridge-share",
	"drawbridge-inspect-data-api": "drawbridge-data-api", "drawbridge-inspect-data-api-endpoint": "drawbridge-data-api-endpoint",
	"drawbridge-inspect-studio": "drawbridge-studio", "drawbridge-inspect-private-notebooks": "drawbridge-private-notebooks",
	"drawbridge-find-connections": "drawbridge-change",
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
	met   int // the acts in which executions met
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
			if err != nil || !unready(out) {
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

// unready reports whether a plan ends because AWS is at something that somebody asked it for.
func unready(out plan.Outcome) bool {
	return out.Waits && len(out.Writes) == 0 || out.Error == "NotYet"
}

func (p *planner) rehearse(ctx context.Context, machine, execution string) (plan.Outcome, error) {
	hub := p.config(local.HubAccount, engine.Region())
	arn := fmt.Sprintf("arn:aws:states:%s:%s:execution:%s:%s", engine.Region(), local.HubAccount, machine, execution)
	got, err := sfn.NewFromConfig(hub).DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return plan.Outcome{}, err
	}
	h, err := p.hub(ctx)
	if err != nil {
		return plan.Outcome{}, err
	}
	return plan.Rehearse(ctx, h, machine, json.RawMessage(aws.ToString(got.Input)))
}

// hub is what a plan has to know of the hub.
func (p *planner) hub(ctx context.Context) (plan.Hub, error) {
	hub := p.config(local.HubAccount, engine.Region())
	text, err := ssm.NewFromConfig(hub).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/drawbridge/policy")})
	if err != nil {
		return plan.Hub{}, err
	}
	settings, err := plan.ReadSettings(ctx, cloudformation.NewFromConfig(hub), "drawbridge-hub")
	if err != nil {
		return plan.Hub{}, err
	}
	return plan.Hub{Config: hub, Enter: func(at event.Place) (aws.Config, error) { return p.config(at.Account, at.Region), nil },
		Store: book().Store, Policy: aws.ToString(text.Parameter.Value), Limit: settings.Limit, Patience: settings.Patience, Regions: []string{engine.Region(), secondRegion}}, nil
}

// compare holds the plans of an act's executions to what these did, and returns how many it compared.
//
// Each execution does what its own plan says, call by call, and ends as it says. Where that is not so, and others were at work beside it, one may have done
// what the other was planned to do: then, between the two quiet points that an act has before and behind it, all that was done was in a plan, all that was in a
// plan was done, and each ended as one of its machine was planned to, or found nothing left to do.
func (p *planner) compare(t *testing.T, act string, ends []story.End) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var wants, gots, together []string
	var differ []string
	for _, e := range ends {
		out, is := p.plans[e.Execution]
		if !is && (!slices.Contains(slices.Collect(maps.Values(firsts)), e.Machine) || len(wrote(e.Execution)) == 0) {
			continue // it only asks for looks, or ended before its first call
		}
		if err := p.errs[e.Execution]; err != nil {
			t.Errorf("%s Planning %s: %v", act, e.Machine, err)
			return 0
		}
		want, got := wrote(e.Execution), would(out)
		wants, gots, together = append(wants, want...), append(gots, got...), append(together, e.Execution)
		if want, got := alike(want, got); !slices.Equal(want, got) || endedAs(e) != foreseen(out) {
			differ = append(differ, fmt.Sprintf("%s\nends   %s: %s\nplanned %s: %s\nwrites\n%s\nplanned\n%s", e.Machine, endedAs(e), e.Cause, foreseen(out), out.Reason, strings.Join(want, "\n"), lines(out.Writes)))
		}
	}
	if len(differ) == 0 {
		return len(together)
	}
	var open []string
	if wants, gots = alike(wants, gots); !slices.Equal(slices.Compact(wants), slices.Compact(gots)) {
		open = append(open, "between two quiet points other things were done than planned")
	}
	for _, e := range ends {
		if slices.Contains(together, e.Execution) && e.State != "Nothing" && !slices.ContainsFunc(ends, func(o story.End) bool { return o.Machine == e.Machine && foreseen(p.plans[o.Execution]) == endedAs(e) }) {
			open = append(open, fmt.Sprintf("%s ends %s, and no plan said so", e.Machine, endedAs(e)))
		}
	}
	if len(together) == 1 || len(open) > 0 {
		t.Errorf("%s %s\n%s", act, strings.Join(open, "; "), strings.Join(differ, "\n"))
	}
	p.met++
	return len(together)
}

// endedAs is how an execution ended, in a word; of a Map the history tells its own name.
func endedAs(e story.End) string { return cmp.Or(e.Error, e.State) }

// foreseen is how a plan ends, as [endedAs].
func foreseen(out plan.Outcome) string { return cmp.Or(out.Error, out.State) }

// wrote are the calls of an execution that changed something in members.
func wrote(execution string) (out []string) {
	for _, c := range engine.Story().Calls() {
		own := c.Account == local.HubAccount && slices.Contains([]string{"dynamodb", "events", "sns", "sqs", "states"}, c.Service)
		if c.Execution == execution && !c.Reads() && !own && c.Service != "sts" && c.Status < 300 {
			out = append(out, unmade(fmt.Sprintf("%s %s %s %s", c.Account, c.Region, c.Name(), c.Resource)))
		}
	}
	return out
}

// would are the calls of a plan that would.
func would(p plan.Outcome) (out []string) {
	for _, c := range p.Writes {
		out = append(out, unmade(fmt.Sprintf("%s %s %s %s", c.Account, c.Region, c.Call, about(c.Input))))
	}
	return out
}

// alike returns both sorted, with ids that a plan cannot know made one.
func alike(want, got []string) ([]string, []string) {
	if slices.ContainsFunc(got, func(text string) bool { return strings.Contains(text, "ec2:CreateSecurityGroup ") }) {
		want, got = onlyKinds(want), onlyKinds(got)
	}
	return slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
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
	switch e := in.(type) {
	case *ec2.CreateVpcEndpointInput:
		return e.SubnetIds[0]
	case *ec2.ModifyVpcEndpointInput:
		if added := slices.Concat(e.AddSubnetIds, e.AddSecurityGroupIds); len(added) > 0 {
			return added[0]
		}
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
