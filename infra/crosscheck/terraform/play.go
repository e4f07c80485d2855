package terraform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/drawbridge-cloud/drawbridge/infra/crosscheck/judgement"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// play is a run under way.
type play struct {
	options   Options
	report    *judgement.Report
	engine    *local.Engine
	terraform *cli
	ids       outputs
	applying  sync.RWMutex // held while Terraform applies

	mu       sync.Mutex
	messages []message
}

// patience is how long a command of Terraform's, or what follows from it, may take.
const patience = 5 * time.Minute

// over is what came of an act: what Terraform said, in which state the last look at the connection ended, what stands, and what people were told.
type over struct {
	applied, look string
	stands        []string
	told          []message
	added         map[string]int
	reports       int // executions that told people of what is contested
}

// account returns what the owner of an account was told.
func (o over) account(id string) (out []string) {
	for _, m := range o.told {
		if m.account == id {
			out = append(out, m.body)
		}
	}
	return out
}

func (o over) String() string {
	return fmt.Sprintf("terraform: %s; the last look: %s; there: %s; Drawbridge added by %v; %d messages", o.applied, o.look, strings.Join(o.stands, ", "), o.added, len(o.told))
}

// act does something, waits until everything that it set in motion is over, and looks.
func (p *play) act(ctx context.Context, do func(context.Context) (string, error)) (o over, err error) {
	p.engine.Story().Begin()
	p.told()
	if o.applied, err = do(ctx); err != nil {
		return o, err
	}
	wait, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not over after %s", patience))
	defer cancel()
	ends, err := p.engine.Settle(wait, 0)
	if err != nil {
		return o, errors.Join(err, context.Cause(wait))
	}
	o.look = "none"
	for _, e := range ends {
		switch {
		case e.Status != "SUCCEEDED":
			return o, fmt.Errorf("%s ended %s in %s: %s: %s", e.Machine, e.Status, e.State, e.Error, e.Cause)
		case e.Machine == "drawbridge-peering":
			o.look = e.State
		case e.Machine == "drawbridge-change" && e.State == "Contested":
			o.reports++
		}
	}
	o.told, o.added = p.told(), p.additions()
	if p.ids.Connection == "" {
		if p.ids, err = p.terraform.outputs(ctx); err != nil {
			return o, err
		}
	}
	o.stands, err = p.stands(ctx)
	return o, err
}

// apply applies while Drawbridge waits.
func (p *play) apply(ctx context.Context) (string, error) {
	p.applying.Lock()
	defer p.applying.Unlock()
	return p.terraform.apply(ctx)
}

func (p *play) judge(what string, held bool, format string, args ...any) {
	p.report.Add(p.options.Out, what, held, format, args...)
}

// everything is all that Drawbridge adds. An apply takes away all but the route back; what becomes of the host route follows from the route there.
var everything = []string{routeThere, routeBack, rule, hostRoute}

// perform plays it all, in its order.
func (p *play) perform(ctx context.Context) error {
	if _, err := p.terraform.must(ctx, "init", "-no-color"); err != nil {
		return err
	}
	version, err := p.terraform.version(ctx)
	if err != nil {
		return err
	}
	p.report.Judge = version
	if err := p.connect(ctx); err != nil {
		return err
	}
	told, err := p.quarrel(ctx)
	if err != nil {
		return err
	}
	return p.agree(ctx, told)
}

// connect has Terraform make everything, the request with it, and the owner of beta share a database.
func (p *play) connect(ctx context.Context) error {
	if _, err := p.act(ctx, p.terraform.apply); err != nil { // Drawbridge accepts while Terraform waits for the peering
		return err
	}
	o, err := p.act(ctx, func(ctx context.Context) (string, error) { return "nothing", p.share(ctx) })
	if err != nil {
		return err
	}
	p.judge("what Terraform made is connected", o.look == "Connected" && slices.Equal(o.stands, everything), "%v", o)
	return nil
}

// applies is how often the same code is applied over what Drawbridge added.
const applies = 10

// quarrel applies the same code [applies] times more. It returns what each owner was told.
func (p *play) quarrel(ctx context.Context) (told map[string]string, err error) {
	first, err := p.act(ctx, p.apply)
	if err != nil {
		return nil, err
	}
	p.judge("the first apply takes away what Drawbridge added, and it is put back once", first.look == "Connected" && slices.Equal(first.stands, everything) &&
		first.added["CreateRoute"] == 1 && first.added["AuthorizeSecurityGroupIngress"] == 1 && first.added["UpdateNotebookInstanceLifecycleConfig"] > 0, "%v", first)
	counts, err := p.taken(ctx)
	if err != nil {
		return nil, err
	}
	p.judge("the ledger counts each thing as taken once, by Terraform", counts == "confirmed 1 terraform", "%s", counts)
	p.judge("what is put back is told at most once", len(first.account(consumer)) <= 1 && len(first.account(producer)) <= 1, "%d messages", len(first.told))

	second, err := p.act(ctx, p.apply)
	if err != nil {
		return nil, err
	}
	p.judge("the second apply ends Contested, and what it takes away is left", second.look == "Contested" && slices.Equal(second.stands, []string{routeBack}) && len(second.added) == 0, "%v", second)
	if counts, err = p.taken(ctx); err != nil {
		return nil, err
	}
	p.judge("the ledger says that each thing is contested, by Terraform", counts == "contested 2 terraform", "%s", counts)
	alpha, beta := second.account(consumer), second.account(producer)
	p.judge("each owner is told once", len(alpha) == 1 && len(beta) == 1 && len(second.told) == 2 && second.reports == 1, "%d messages to alpha, %d to beta, %d executions that told them", len(alpha), len(beta), second.reports)
	told = map[string]string{"alpha": strings.Join(alpha, "\n"), "beta": strings.Join(beta, "\n")}
	p.names("alpha", told, []string{"with terraform", `"aws_route_table"`, "ignore_changes = [route]", `"aws_route"`, `"aws_sagemaker_notebook_instance_lifecycle_configuration"`,
		"ignore_changes = [on_start]", "ignore_tags", "Key=drawbridge:manage,Value=true"}, []string{p.ids.ProducerGroup, "aws_security_group"})
	p.names("beta", told, []string{"with terraform", `"aws_security_group"`, "ignore_changes = [ingress]", `"aws_vpc_security_group_ingress_rule"`, "ignore_tags", "Key=drawbridge:manage,Value=true"},
		[]string{p.ids.ConsumerTable, "aws_route_table", "on_start"})

	third, err := p.act(ctx, p.apply)
	if err != nil {
		return nil, err
	}
	calm := func(o over) bool {
		return slices.Equal(o.stands, []string{routeBack}) && len(o.added) == 0 && len(o.told) == 0
	}
	p.judge("a further apply changes nothing, and nothing is added or told again", calm(third), "%v", third)
	last, quiet := third, 3
	for quiet < applies && calm(last) {
		if last, err = p.act(ctx, p.apply); err != nil {
			return nil, err
		}
		quiet++
	}
	p.judge(fmt.Sprintf("after %d applies each thing was put back once, and each owner was told once", applies), quiet == applies && calm(last), "%d applies; %v", quiet, last)
	return told, nil
}

// names judges that a notification names what its owner has to write, and nothing of the other side.
func (p *play) names(who string, told map[string]string, must, never []string) {
	var wrong []string
	for _, m := range must {
		if !strings.Contains(told[who], m) {
			wrong = append(wrong, "lacks "+m)
		}
	}
	for _, n := range never {
		if strings.Contains(told[who], n) {
			wrong = append(wrong, "has "+n)
		}
	}
	p.judge("the owner of "+who+" is told what to write, and nothing of the other side", len(wrong) == 0, "%d words that it must have, %d that it must not; wrong: %q", len(must), len(never), wrong)
}

// agree has the owners copy what they were told into their code, apply, and ask anew.
func (p *play) agree(ctx context.Context, told map[string]string) error {
	text, err := follow(configuration, told)
	if err != nil {
		return err
	}
	if err := p.terraform.write(text); err != nil {
		return err
	}
	o, err := p.act(ctx, p.apply)
	if err != nil {
		return err
	}
	p.judge("with the blocks of the notifications in the code, an apply leaves all as it is", o.applied == "0 added, 0 changed, 0 destroyed" && slices.Equal(o.stands, []string{routeBack}) && len(o.told) == 0, "%v", o)
	o, err = p.act(ctx, func(ctx context.Context) (string, error) {
		return "nothing", errors.Join(p.askAnew(ctx, consumer), p.askAnew(ctx, producer))
	})
	if err != nil {
		return err
	}
	p.judge("when both owners ask anew, it ends Connected", o.look == "Connected" && slices.Equal(o.stands, everything), "%v", o)
	p.judge("both hear that it stands again, once", len(o.account(consumer)) == 1 && len(o.account(producer)) == 1, "%d messages", len(o.told))
	// https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
	said, code, err := p.terraform.run(ctx, "plan", "-detailed-exitcode", "-no-color")
	if err != nil {
		return err
	}
	detail := fmt.Sprintf("exit code %d", code)
	if code != 0 {
		detail += ": " + tail(said)
	}
	p.judge("then Terraform's plan is empty", code == 0, "%s", detail)
	return nil
}

// taken says how the route and the rule that the code does not name stand in the ledger, if all stand alike: their state, how often they were taken away, and by which tool.
func (p *play) taken(ctx context.Context) (string, error) {
	book := ledger.Ledger{Store: ledger.Table{API: dynamodb.NewFromConfig(p.engine.Config(local.HubAccount, p.engine.Region())), Name: "drawbridge-ledger"}, Now: time.Now}
	var all []string
	items, want := 0, 2
	for _, of := range []struct {
		account, resource string
		kind              ledger.Kind
	}{{consumer, p.ids.ConsumerTable, ledger.Route}, {producer, p.ids.ProducerGroup, ledger.Rule}} {
		got, err := book.Of(ctx, of.account, p.engine.Region(), of.resource)
		if err != nil {
			return "", err
		}
		for _, i := range got {
			if i.Kind == of.kind {
				items++
				all = append(all, fmt.Sprintf("%s %d %s", i.State, i.Taken, i.TakenBy.Tool))
			}
		}
	}
	if items != want {
		return fmt.Sprintf("%d items instead of %d: %s", items, want, strings.Join(all, ", ")), nil
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", "), nil
}
