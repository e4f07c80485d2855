package localstack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// scene is one scenario: a world, and what happens in it.
type scene struct {
	name string
	spec scenario.Spec
	play func(*play, context.Context, *scenario.World) error
}

// scenes are played one after the other, in the same two accounts.
func scenes() []scene {
	ask, never := scenario.S1(), scenario.S1()
	ask.Accept, never.Accept = "", "never"
	return []scene{
		{"S1", scenario.S1(), connectAndRemove},
		{"sweep", scenario.S1(), sweep},
		{"approval", ask, approve},
		{"refusal", never, refuse},
		{"failure", scenario.S1(), failAndMend},
		{"S5", scenario.S5(), shareGateway},
	}
}

// perform builds the worlds while LocalStack deploys, and then plays every scene.
func (p *play) perform(ctx context.Context) error {
	if err := p.hush(ctx); err != nil {
		return err
	}
	all, worlds := scenes(), []*scenario.World{}
	for i := range all {
		s := &all[i].spec // everything has a name of its own in the accounts
		s.Notebook.Name, s.Notebook.LifecycleConfig = fmt.Sprintf("%s-%d", s.Notebook.Name, i), fmt.Sprintf("%s-%d", s.Notebook.LifecycleConfig, i)
		s.Database.Name = fmt.Sprintf("%s-%d", s.Database.Name, i)
	}
	// The first use of an account makes it a member.
	for _, home := range []scenario.Home{all[0].spec.Consumer, all[0].spec.Producer} {
		if _, err := ec2.NewFromConfig(p.engine.Config(home.Account, home.Region)).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{}); err != nil {
			return fmt.Errorf("making %s a member: %w", home.Account, err)
		}
	}
	stacks, err := p.deployments(ctx, local.HubAccount, all[0].spec.Consumer.Account, all[0].spec.Producer.Account)
	if err != nil {
		return err
	}
	built := make(chan error, 1)
	go func() {
		for _, s := range all {
			w, err := s.spec.Build(ctx, p.engine.Config)
			if err != nil {
				built <- fmt.Errorf("building the world of %s: %w", s.name, err)
				return
			}
			worlds = append(worlds, w)
		}
		_, err := p.engine.Settle(ctx, 0)
		built <- err
	}()
	if err := errors.Join(p.deploy(ctx, stacks), <-built); err != nil {
		return err
	}
	var own atomic.Int32 // executions that the engine starts itself
	p.engine.Story().Watch(func(f story.Fact) {
		if _, ok := f.(story.Start); ok {
			own.Add(1)
		}
	})
	p.bridge.start(ctx, p.judge.put)
	// The policy was just made: its event may start a sweep, as it would in AWS.
	if _, err := p.settle(ctx, 0); err != nil {
		return err
	}
	for i, s := range all {
		if err := s.play(p, ctx, worlds[i]); err != nil {
			p.report.Add(p.options.Out, s.name+" is played to its end", false, "%v", err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	copied, _, err := p.bridge.state()
	detail := fmt.Sprintf("%d events", copied)
	if err != nil {
		detail += ", but " + err.Error()
	}
	p.report.Add(p.options.Out, "every event is taken by the bus that it is for", err == nil && copied > 0, "%s", detail)
	p.report.Add(p.options.Out, "every machine was started by LocalStack", own.Load() == 0, "the engine itself started %d", own.Load())
	p.report.NotPlayed = append(p.report.NotPlayed, unplayable...)
	return nil
}

// unplayable is what LocalStack cannot judge.
var unplayable = []Note{
	{"what a role may do", "The community version enforces no IAM: neither the roles of the machines and rules, nor the policies of bus, queue and topic."},
	{"the functions' own environment, memory and time limits", "The engine runs them, from the same template."},
	{"a rule that is switched off", "LocalStack delivers by it all the same; an event is lost on the bridge instead."},
	{"the rule that starts the sweep every day", "Nobody waits for a day; the sweep is started by hand."},
	{"limits of AWS, such as the size of a queue's policy", "LocalStack checks few of them."},
	{"delivery that is tried again, and the dead-letter queue of a rule", "LocalStack calls a target once, and drops what it does not take."},
	{"the machines for Studio, the Data API and private notebooks", "They are deployed, so their definitions are read and accepted, but they are not played, so that a run takes minutes."},
}

// connectAndRemove is the first scenario: a request, and the end of the peering.
func connectAndRemove(p *play, ctx context.Context, w *scenario.World) error {
	before, err := p.ours(ctx, w)
	if err != nil {
		return err
	}
	p.act(ctx, "S1: the request of a peering ends Connected", w.Request, []string{"Connected"}, nil)
	if err := p.verdict(ctx, "S1", w, true); err != nil {
		return err
	}
	p.act(ctx, "S1: the peering is deleted, which ends Removed", func(ctx context.Context) error {
		_, err := ec2.NewFromConfig(p.engine.Config(w.Consumer.Account, w.Consumer.Region)).DeleteVpcPeeringConnection(ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &w.Connection})
		return err
	}, []string{"Removed"}, nil)
	after, err := p.ours(ctx, w)
	if err != nil {
		return err
	}
	p.report.Add(p.options.Out, "S1: nothing of ours is left", before == after, "%s", lines(before, after))
	return nil
}

// sweep is a request whose event is lost, and the sweep that finds it.
func sweep(p *play, ctx context.Context, w *scenario.World) error {
	for _, account := range []string{w.Consumer.Account, w.Producer.Account} {
		p.bridge.lose(account, true)
		defer p.bridge.lose(account, false)
	}
	p.act(ctx, "sweep: a request whose events are lost starts nothing", w.Request, nil, nil)
	for _, account := range []string{w.Consumer.Account, w.Producer.Account} {
		p.bridge.lose(account, false)
	}
	p.act(ctx, "sweep: drawbridge-sweep finds the request, which ends Connected", func(ctx context.Context) error {
		return p.start(ctx, "drawbridge-sweep", workflow.Sweep{Accounts: []string{w.Consumer.Account, w.Producer.Account}, Regions: []string{w.Consumer.Region}})
	}, []string{"Swept", "Connected"}, nil)
	return p.verdict(ctx, "sweep", w, true)
}

// approve is a request that its owner approves.
func approve(p *play, ctx context.Context, w *scenario.World) error {
	p.act(ctx, "approval: the request waits for its owner", w.Request, []string{"AwaitingApproval"}, nil)
	p.published("approval: the owner is told once", 1)
	if err := p.verdict(ctx, "approval, before it is given", w, false); err != nil {
		return err
	}
	p.act(ctx, "approval: the owner's tag ends Connected", func(ctx context.Context) error {
		_, err := ec2.NewFromConfig(p.engine.Config(w.Producer.Account, w.Producer.Region)).CreateTags(ctx, &ec2.CreateTagsInput{
			Resources: []string{w.Connection}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:approval"), Value: aws.String("approved")}}})
		return err
	}, []string{"Announced", "Connected"}, nil)
	return p.verdict(ctx, "approval", w, true)
}

// refuse is a request that the policy refuses.
func refuse(p *play, ctx context.Context, w *scenario.World) error {
	p.act(ctx, "refusal: drawbridge:accept=never ends Refused", w.Request, []string{"Refused"}, nil)
	return p.verdict(ctx, "refusal", w, false)
}

// failAndMend is a request during which AWS denies a call until somebody mends that.
func failAndMend(p *play, ctx context.Context, w *scenario.World) error {
	denied := local.Injector(func(c awscall.Call, when local.Moment) *local.Fault {
		if when != local.Before || c.Action != "CreateRoute" || c.Account != w.Producer.Account {
			return nil
		}
		return &local.Fault{Status: 403, Code: "UnauthorizedOperation", Message: "explicit deny in a service control policy"}
	})
	p.sabotage.now.Store(&denied)
	defer p.sabotage.now.Store(nil)
	ends := p.act(ctx, "failure: a denied call fails the execution", w.Request, []string{"FAILED Refused"}, nil)
	p.published("failure: people are told once", 1)
	if err := p.verdict(ctx, "failure", w, false); err != nil {
		return err
	}
	p.sabotage.now.Store(nil)
	failed := slices.IndexFunc(ends, func(e end) bool { return e.at == "FAILED Refused" })
	if failed < 0 {
		return errors.New("no execution failed that could be played again")
	}
	arn := ends[failed].execution
	client := sfn.NewFromConfig(p.judge.config(local.HubAccount, p.engine.Region()))
	how := "redriven"
	p.act(ctx, "failure: when the cause is mended, it is played again and ends Connected", func(ctx context.Context) error {
		_, err := client.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: &arn})
		if err == nil {
			delete(p.known, arn)
			return nil
		}
		how = "a new execution with the same input"
		var refusal smithy.APIError
		if !errors.As(err, &refusal) {
			return err
		}
		p.report.NotPlayed = append(p.report.NotPlayed, Note{"a redrive", "A new execution with the same input is played instead. LocalStack says: " + refusal.ErrorMessage()})
		old, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err != nil {
			return err
		}
		_, err = client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: old.StateMachineArn, Input: old.Input})
		return err
	}, []string{"Connected"}, nil)
	return p.verdict(ctx, "failure, mended: "+how, w, true)
}

// shareGateway is the fifth scenario: two VPCs that ask for a gateway, its share, and the end of it.
func shareGateway(p *play, ctx context.Context, w *scenario.World) error {
	p.act(ctx, "S5: two VPCs ask for a gateway that nobody shares yet, which attaches nothing", w.Ask, nil, []string{"Announced", "Nothing"})
	p.act(ctx, "S5: the gateway is made, which attaches nothing", w.Offer, nil, []string{"Announced", "Nothing"})
	before, err := w.Reach(ctx)
	if err != nil {
		return err
	}
	p.act(ctx, "S5: the gateway is shared, which ends Attached and Connected", w.Lend, []string{"Attached", "Connected"}, []string{"Announced", "Nothing"})
	if err := w.Find(ctx); err != nil {
		return err
	}
	if err := p.verdict(ctx, "S5", w, true); err != nil {
		return err
	}
	p.act(ctx, "S5: the tag goes, which ends Removed", w.Leave, []string{"Removed"}, []string{"Announced", "Nothing"})
	gone, err := w.Gone(ctx, before)
	if err != nil {
		return err
	}
	var how []string
	for _, h := range gone {
		how = append(how, h.Detail)
	}
	p.report.Add(p.options.Out, "S5: nothing of ours is left", scenario.Holds(gone), "%s", strings.Join(how, "; "))
	return nil
}

// verdict reads back from the accounts whether a packet would arrive, and judges that.
func (p *play) verdict(ctx context.Context, name string, w *scenario.World, connected bool) error {
	hops, err := w.Verdict(ctx)
	if err != nil {
		return err
	}
	what := name + ": a packet arrives"
	if !connected {
		what = name + ": no packet arrives"
	}
	var missing []string
	for _, h := range hops {
		if !h.OK {
			missing = append(missing, h.Hop)
		}
	}
	detail := fmt.Sprintf("%d hops, all hold", len(hops))
	if len(missing) > 0 {
		detail = fmt.Sprintf("%d hops, without %s", len(hops), strings.Join(slices.Compact(missing), ", "))
	}
	p.report.Add(p.options.Out, what, scenario.Holds(hops) == connected, "%s", detail)
	return nil
}

// published judges how often people were told in the last act.
func (p *play) published(what string, want int) {
	told := 0
	for _, c := range p.engine.Story().Calls() {
		if c.Action == "Publish" && c.Error == "" {
			told++
		}
	}
	p.report.Add(p.options.Out, what, told == want, "%d messages on the topic", told)
}

// ours is everything in both accounts that lets a packet through, and every tag of Drawbridge's.
func (p *play) ours(ctx context.Context, w *scenario.World) (string, error) {
	reach, err := w.Reach(ctx)
	if err != nil {
		return "", err
	}
	out := strings.Split(reach, "\n")
	for _, home := range []scenario.Home{w.Consumer, w.Producer} {
		pages := ec2.NewDescribeTagsPaginator(ec2.NewFromConfig(p.engine.Config(home.Account, home.Region)), &ec2.DescribeTagsInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "", err
			}
			for _, t := range page.Tags {
				// The engine keeps the tags of a rule that was revoked; Reach lists the rules that there are.
				if strings.HasPrefix(aws.ToString(t.Key), "drawbridge:") && t.ResourceType != ec2types.ResourceTypeSecurityGroupRule {
					out = append(out, fmt.Sprintf("%s %s=%s", aws.ToString(t.ResourceId), aws.ToString(t.Key), aws.ToString(t.Value)))
				}
			}
		}
	}
	return strings.Join(out, "\n"), nil
}

// lines says what differs between two texts, or how much is the same.
func lines(before, after string) string {
	if differ := scenario.Difference(before, after); differ != "" {
		return differ
	}
	return fmt.Sprintf("%d lines of routes, rules, scripts and tags are as before", strings.Count(after, "\n")+1)
}
