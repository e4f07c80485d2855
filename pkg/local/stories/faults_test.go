package stories

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// kind is one way in which a call fails.
type kind struct {
	name  string
	when  local.Moment
	fault local.Fault
	// ends are the error names with which a machine may stop; none means that it
	// must go on by itself.
	ends []string
}

// kinds are all ways. A time-out is a connection that closes without an answer,
// or RequestTimeout of AWS: what is left in the accounts is the same as after a
// real one, without the wait.
var kinds = []kind{
	{"throttled", local.Before, local.Fault{Throttle: true}, nil},
	{"server error", local.Before, local.Fault{Status: 500, Code: "InternalFailure", Message: "An internal error has occurred."}, nil},
	{"time-out before the effect", local.Before, local.Fault{Status: 408, Code: "RequestTimeout", Message: "The request timed out."}, nil},
	{"time-out after the effect", local.After, local.Fault{Reset: true}, nil},
	{"access denied", local.Before, local.Fault{Status: 403, Code: "AccessDenied", Message: "User is not authorized to perform this operation."}, []string{"Refused"}},
	{"connection reset", local.Before, local.Fault{Reset: true}, nil},
	{"transaction conflict", local.Before, local.Fault{Conflict: true}, nil},
	{"function killed", local.After, local.Fault{Kill: true}, nil},
}

// call is one AWS call of an act: the n-th of its kind.
type call struct {
	function, service, action string
	n                         int
}

func (c call) String() string {
	return fmt.Sprintf("%s %s:%s #%d", strings.TrimPrefix(c.function, "drawbridge-"), c.service, c.action, c.n)
}

// kinds are the ways in which the call can fail.
func (c call) kinds() []kind {
	writes := c.service == "dynamodb" && !(awscall.Call{Action: c.action}).Reads()
	return slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return k.fault.Conflict && !writes })
}

// numbered gives each call of the steps its number among those of the same name.
func numbered(facts []story.Fact) []call {
	count := map[call]int{}
	var out []call
	for _, f := range facts {
		s, ok := f.(story.Step)
		if !ok {
			continue
		}
		for _, c := range s.Calls {
			one := call{function: c.Function, service: c.Service, action: c.Action}
			count[one]++
			one.n = count[one]
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b call) int { return strings.Compare(a.String(), b.String()) }) // at once is in any order
	return out
}

// once strikes one call, one time.
func once(at call, k kind, struck *atomic.Int32) local.Injector {
	var count atomic.Int32
	return func(c awscall.Call, when local.Moment) *local.Fault {
		if when != k.when || c.Function != at.function || c.Service != at.service || c.Action != at.action || int(count.Add(1)) != at.n {
			return nil
		}
		struck.Add(1)
		f := k.fault
		return &f
	}
}

// faultsPart is the variable that says which part of all faults a process tries; see [partIn].
const faultsPart = "DRAWBRIDGE_FAULTS_PART"

// every says that no sample is enough.
var every = os.Getenv("DRAWBRIDGE_FAULTS") == "all"

// aloneWithFaults says that this process is asked for nothing but what plays on the rough engine, so that it starts no other.
var aloneWithFaults = os.Getenv("DRAWBRIDGE_FAULTS") == "sample"

// rehearsals are played for their faults only. Every other story with an act to strike is one too.
var rehearsals = []tale{
	{
		name: "removed-by-accepter-alone",
		acts: []act{
			request("Connected"),
			{"The owner of beta deletes the peering.", remove(true), []string{"Removed"}},
		},
		struck: []int{2},
	},
}

// rough is the engine that the fault sweep plays on. Each call of it is tried
// once, so that every fault reaches the machine, whose own retries are what is
// tested here.
var rough struct {
	once   sync.Once
	engine *local.Engine
	err    error
}

// roughen plays the test on the rough engine.
func roughen(t *testing.T) {
	t.Helper()
	rough.once.Do(func() {
		o := options()
		o.WaitScale = 0.001
		o.Environment = map[string]string{"AWS_MAX_ATTEMPTS": "1"}
		if rough.err = o.Check(); rough.err != nil && os.Getenv("CI") != "true" {
			return
		}
		if rough.engine, rough.err = local.Start(context.Background(), o); rough.err == nil {
			rough.err = unhurried(context.Background(), rough.engine)
		}
	})
	if rough.engine == nil || rough.err != nil {
		t.Fatal(rough.err)
	}
	smooth := engine
	engine = rough.engine
	t.Cleanup(func() { engine = smooth })
}

// scene is one act of a story, up to which everything was played and kept.
type scene struct {
	tale
	act
	world *scenario.World
	// start is the world right before the act.
	start   scenario.World
	restore func(context.Context) error
	before  []string
	// what the undisturbed act leads to
	calls []call
	want  []string
}

// prepared plays a story up to an act, and the act undisturbed.
func prepared(ctx context.Context, t *testing.T, n int, s tale, number int) *scene {
	t.Helper()
	unbraked(ctx, t)
	spec := scenario.S1()
	cast(&spec, n)
	if s.change != nil {
		s.change(&spec)
	}
	world, err := spec.Build(ctx, engine.Config)
	done(t, err)
	plant(ctx, t, world)
	if s.prepare != nil {
		s.prepare(ctx, t, world)
	}
	until(ctx, t, 0)
	for _, a := range s.acts[:number-1] {
		engine.Story().Begin()
		a.do(ctx, t, world)
		until(ctx, t, len(a.ends))
	}
	c := &scene{tale: s, act: s.acts[number-1], world: world, start: *world}
	c.before = c.state(ctx, t)
	c.restore, err = engine.Keep(ctx, world.Consumer.Account, world.Producer.Account)
	done(t, err)
	engine.Cool()
	ends := c.play(ctx, t, nil)
	if !slices.Equal(endings(ends), slices.Compact(slices.Sorted(slices.Values(c.act.ends)))) {
		t.Fatalf("the undisturbed act ends with %+v, want %q", ends, c.act.ends)
	}
	c.want, c.calls = c.state(ctx, t), numbered(engine.Story().Facts())
	if len(c.calls) == 0 {
		t.Fatal("the act makes no call")
	}
	return c
}

// state is what both accounts are, and what more the tale says.
func (c *scene) state(ctx context.Context, t *testing.T) []string {
	t.Helper()
	out := state(ctx, t, c.world)
	if c.more != nil {
		for _, l := range strings.Split(c.more(ctx, t, c.world), "\n") {
			out = append(out, "more "+l)
		}
	}
	slices.Sort(out)
	return out
}

// play plays the act from its start, with a fault or none.
func (c *scene) play(ctx context.Context, t *testing.T, fault *local.Injector) []story.End {
	t.Helper()
	engine.Story().Begin()
	injector.Store(fault)
	defer injector.Store(nil)
	c.act.do(ctx, t, c.world)
	return until(ctx, t, min(1, len(c.act.ends)))
}

// endings are the end states, or errors, each once, sorted.
func endings(ends []story.End) []string {
	var out []string
	for _, e := range ends {
		if e.Status == "SUCCEEDED" {
			out = append(out, e.State)
		} else {
			out = append(out, e.Error)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestFaults strikes the calls of every story that says which, one at a time.
func TestFaults(t *testing.T) {
	which := "a sample; make faults tries all"
	if every {
		which = "every kind at every call"
	}
	own, given := partIn(t, faultsPart)
	if every && !given {
		shared(t, which)
		return
	}
	ctx := limited(t, 6*time.Hour)
	roughen(t)
	var tried, survived, lost, scenes int
	for n, s := range slices.Concat(library(), rehearsals, accessRehearsals) {
		if !every && !slices.Contains(sampled, s.name) {
			continue
		}
		for _, number := range s.struck {
			scenes++
			t.Run(fmt.Sprintf("%s/%d", s.name, number), func(t *testing.T) {
				c := prepared(ctx, t, 5000+10*n+number, s, number)
				t.Logf("%d calls", len(c.calls))
				for i, one := range c.calls {
					ways := one.kinds()
					for j, k := range ways {
						if !picked(c.calls, i, j, scenes, len(ways), own) {
							continue
						}
						var skipped bool
						passed := t.Run(one.String()+", "+k.name, func(t *testing.T) {
							defer func() { skipped = t.Skipped() }()
							lost += c.strike(ctx, t, one, k, (i+j)%3 == 0)
						})
						if skipped {
							continue // it never struck
						}
						if tried++; passed {
							survived++
						}
					}
				}
			})
		}
	}
	fmt.Printf("%d faults, %d survived, %d foreign changes (%s)\n", tried, survived, lost, which)
	if scenes == 0 || tried == 0 || survived != tried || lost != 0 {
		t.Errorf("%d of %d faults survived with %d foreign changes in %d acts", survived, tried, lost, scenes)
	}
}

// sampled are the stories of the sample. The others take part where every fault is tried: which of their calls a sample
// would strike depends on the order in which executions meet.
var sampled = []string{"s1-peering", "approval", "removed-by-requester"}

// picked chooses the part of this process, or the sample: two calls of each
// act, spread over it, with another kind each.
func picked(calls []call, i, j, scene, ways int, own part) bool {
	if every {
		return own.has(i)
	}
	step := max(1, len(calls)/2)
	return i%step == step/2 && (i/step+2*scene)%ways == j
}

// shared plays the whole sweep in several processes, each with an engine of its own, and adds up what they found.
func shared(t *testing.T, which string) {
	parts := runtime.NumCPU() + 1
	var sum [3]int
	told := map[int]bool{}
	inProcesses(t, "TestFaults", faultsPart, 0, parts, func(part int, l string) {
		one := [3]int{}
		if n, _ := fmt.Sscanf(l, "%d faults, %d survived, %d foreign changes", &one[0], &one[1], &one[2]); n == len(one) {
			told[part] = true
			for i := range sum {
				sum[i] += one[i]
			}
		} else if !strings.HasPrefix(l, "=== ") && !strings.Contains(l, "--- PASS") {
			fmt.Println(l)
		}
	}, "-test.v")()
	fmt.Printf("%d faults, %d survived, %d foreign changes (%s)\n", sum[0], sum[1], sum[2], which)
	if len(told) != parts || sum[0] == 0 || sum[0] != sum[1] || sum[2] != 0 {
		t.Errorf("%d of %d faults survived with %d foreign changes, in %d of %d parts", sum[1], sum[0], sum[2], len(told), parts)
	}
}

// strike plays the act with one fault and returns how many things of others it
// changed. What stopped is resumed: redriven, or with the same input anew.
func (c *scene) strike(ctx context.Context, t *testing.T, at call, k kind, anew bool) int {
	var struck atomic.Int32
	var ends []story.End
	for _, cold := range []bool{at.action == "AssumeRole", true} {
		*c.world = c.start
		done(t, c.restore(ctx))
		if cold { // a process that is warm knows some answers
			engine.Cool()
		}
		fault := once(at, k, &struck)
		if ends = c.play(ctx, t, &fault); struck.Load() > 0 {
			break
		}
	}
	// How often a role is assumed depends on how many processes of a function there are at once.
	if struck.Load() == 0 && (c.unruly || at.action == "AssumeRole" && at.n > 1) {
		t.Skip("executions met in another order, and this call was not made")
	}
	if struck.Load() != 1 {
		t.Errorf("the fault struck %d times, want once", struck.Load())
	}
	middle := c.state(ctx, t)
	lost := c.taken(t, middle)
	right := len(lacking(c.want, middle))+len(lacking(middle, c.want)) == 0
	var stopped []story.End
	for _, e := range ends {
		switch {
		case e.Status != "SUCCEEDED":
			stopped = append(stopped, e)
			if !slices.Contains(k.ends, e.Error) {
				t.Errorf("%s stops with %s, want %q or the end by retries: %s", e.Machine, e.Error, k.ends, e.Cause)
			}
			if !named(c.world, e) {
				t.Errorf("the message names nothing: %s", e.Cause)
			}
		case !right && k.ends != nil && (closed(c.world, e) || e.State == string(workflow.Incomplete)):
			stopped = append(stopped, e) // it went on without what it could not do, and says so
		}
	}
	if right && len(stopped) == 0 {
		return lost
	}
	if len(stopped) == 0 {
		t.Errorf("nothing failed, and yet the end is not the undisturbed one: %q\n%s", endings(ends), changed(c.want, middle))
		return lost
	}
	engine.Story().Begin()
	for _, e := range stopped {
		resume(ctx, t, e, anew && !c.owing || e.Status == "SUCCEEDED")
	}
	for _, e := range until(ctx, t, len(stopped)) {
		if e.Status != "SUCCEEDED" {
			t.Errorf("with the fault gone %s ends with %s: %s", e.Machine, e.Error, e.Cause)
		}
	}
	after := c.state(ctx, t)
	if d := changed(c.want, after); d != "" {
		t.Errorf("with the fault gone the end is not the undisturbed one:\n%s", d)
	}
	return lost + c.taken(t, after)
}

// taken counts what others have, before and after the undisturbed act, and do not have now.
func (c *scene) taken(t *testing.T, now []string) int {
	t.Helper()
	foreign := slices.DeleteFunc(slices.Clone(c.before), func(l string) bool {
		_, what, _ := strings.Cut(l, " ")
		return strings.HasPrefix(what, "notebook") && !strings.Contains(what, " tag ") || strings.HasPrefix(what, "peering") ||
			strings.Contains(what, "drawbridge:") || strings.Contains(what, "pcx-one")
	})
	foreign = lacking(foreign, lacking(foreign, c.want)) // what the undisturbed act leaves
	if len(foreign) == 0 {
		t.Error("there is nothing of others that could be changed")
	}
	gone := lacking(foreign, now)
	for _, l := range gone {
		t.Errorf("somebody else's: %s", l)
	}
	return len(gone)
}

// resume redrives an execution, or starts a new one with the same input.
func resume(ctx context.Context, t *testing.T, old story.End, anew bool) {
	t.Helper()
	client := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	arn := aws.String("arn:aws:states:" + engine.Region() + ":" + local.HubAccount + ":execution:" + old.Machine + ":" + old.Execution)
	if !anew {
		_, err := client.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: arn})
		done(t, err)
		return
	}
	run, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: arn})
	done(t, err)
	_, err = client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: run.StateMachineArn, Input: run.Input})
	done(t, err)
}

// named reports whether the message of a failure names a thing in the world, or one by an id of EC2's.
func named(w *scenario.World, end story.End) bool {
	things := []string{w.Connection, w.Consumer.Account, w.Producer.Account, w.Notebook.Name, w.Database.Name, "/drawbridge/policy", "/drawbridge/private-access-cidrs", "drawbridge-ledger"}
	for id := range w.Names() {
		things = append(things, id)
	}
	return resource.MatchString(end.Cause) || slices.ContainsFunc(things, func(s string) bool { return s != "" && strings.Contains(end.Cause, s) })
}

var resource = regexp.MustCompile(`\b[a-z]+(-[a-z]+)*-[0-9a-f]{17}\b`)

// closed reports whether an execution went on without an account of the world, and says which.
func closed(w *scenario.World, end story.End) bool {
	text := string(end.Output)
	return (strings.Contains(text, "access denied") || end.State == "PartlySwept") && (strings.Contains(text, w.Consumer.Account) || strings.Contains(text, w.Producer.Account))
}

var random = regexp.MustCompile(`\b(vgw|acl|sg|rtb)-[0-9a-f]{8,}`)

// state is the snapshot of both sides and the peering, a line each, with names in place of ids, sorted.
func state(ctx context.Context, t *testing.T, w *scenario.World) []string {
	t.Helper()
	var pairs, lines []string
	for id, name := range w.Names() {
		pairs = append(pairs, id, name)
	}
	if w.Connection != "" {
		pairs = append(pairs, w.Connection, "pcx-one")
	}
	names := strings.NewReplacer(pairs...)
	for _, h := range []scenario.Home{w.Consumer, w.Producer} {
		text := snapshot(ctx, t, w, h)
		if strings.HasPrefix(w.Connection, "pcx-") {
			peerings, err := ec2.NewFromConfig(engine.Config(h.Account, h.Region)).DescribeVpcPeeringConnections(ctx,
				&ec2.DescribeVpcPeeringConnectionsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-peering-connection-id"), Values: []string{w.Connection}}}})
			done(t, err)
			for _, p := range peerings.VpcPeeringConnections {
				text += fmt.Sprintf("\npeering %s", p.Status.Code)
				for _, o := range []*ec2types.VpcPeeringConnectionOptionsDescription{p.RequesterVpcInfo.PeeringOptions, p.AccepterVpcInfo.PeeringOptions} {
					text += fmt.Sprintf(" DNS %v", o != nil && aws.ToBool(o.AllowDnsResolutionFromRemoteVpc))
				}
			}
		}
		text += gatewayState(ctx, t, h)
		for _, l := range strings.Split(names.Replace(text), "\n") {
			lines = append(lines, h.Name+" "+clock.ReplaceAllString(random.ReplaceAllString(l, "$1-some"), "some time"))
		}
	}
	slices.Sort(lines)
	return lines
}

// clock is the time that a status says.
var clock = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// gatewayState is a line for each attachment that an account has to a transit gateway, and one for each of its tags.
func gatewayState(ctx context.Context, t *testing.T, h scenario.Home) string {
	t.Helper()
	got, err := ec2.NewFromConfig(engine.Config(h.Account, h.Region)).DescribeTransitGatewayVpcAttachments(ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{})
	done(t, err)
	text := ""
	for _, a := range got.TransitGatewayVpcAttachments {
		text += fmt.Sprintf("\nattachment of %s %s with %d subnets", aws.ToString(a.VpcId), a.State, len(a.SubnetIds))
		for _, tag := range a.Tags {
			value := ""
			if aws.ToString(tag.Key) == "drawbridge:status" { // others hold ids
				value = aws.ToString(tag.Value)
			}
			text += fmt.Sprintf("\nattachment of %s tag %s %s", aws.ToString(a.VpcId), aws.ToString(tag.Key), value)
		}
	}
	return text
}

// changed lists the lines that only one of two states has.
func changed(want, got []string) string {
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
		done(t, err)
		_, err = client.AttachVpnGateway(ctx, &ec2.AttachVpnGatewayInput{VpcId: &side.net.VPC, VpnGatewayId: gateway.VpnGateway.VpnGatewayId})
		done(t, err)
		_, err = client.CreateRoute(ctx, &ec2.CreateRouteInput{
			RouteTableId: &side.net.Tables[0], DestinationCidrBlock: aws.String(foreign.String()), GatewayId: gateway.VpnGateway.VpnGatewayId,
		})
		done(t, err)
		_, err = client.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &side.net.Group, IpPermissions: []ec2types.IpPermission{{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306),
				IpRanges: []ec2types.IpRange{{CidrIp: aws.String(foreign.String()), Description: aws.String("put there by its owner")}},
			}},
		})
		done(t, err)
		_, err = client.CreateTags(ctx, &ec2.CreateTagsInput{
			Resources: []string{side.net.Tables[0], side.net.Group, side.net.VPC}, Tags: []ec2types.Tag{{Key: aws.String("team"), Value: aws.String("research")}},
		})
		done(t, err)
	}
}

// limited is a context of the test that ends after d.
func limited(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, errors.New(d.String()+" are over"))
	t.Cleanup(cancel)
	return ctx
}
