package terraform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/infra/crosscheck/judgement"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/export"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// takeover is a team that takes over what Drawbridge added, by the code that it exports.
type takeover struct {
	options Options
	report  *judgement.Report
	engine  *local.Engine
	name    string          // of what is connected
	world   *scenario.World // nil where nothing lets go
}

// TakeOver has Drawbridge connect a peering, a pair on a gateway, and people with the Data API; exports what it added; lets Terraform import that; and has Drawbridge
// let go, where it does. Judged is that Terraform imports everything and changes nothing, that its plan is empty then, and after Drawbridge let go, and that all
// stands as it stood. An error means that not all could be judged; the report then has what was.
func TakeOver(ctx context.Context, o Options) (*judgement.Report, error) {
	r := &judgement.Report{Judge: "Terraform"}
	if err := o.Check(); err != nil {
		return r, err
	}
	for _, play := range []struct {
		name    string
		connect func(*takeover, context.Context) error
	}{{"a peering", (*takeover).peer}, {"a pair on a gateway", (*takeover).attach}, {"the Data API", (*takeover).expose}} {
		err := func() error {
			engine, err := local.Start(ctx, local.Options{Root: o.Root, WaitScale: 0.01, Log: o.Log})
			if err != nil {
				return err
			}
			defer engine.Close()
			t := &takeover{options: o, report: r, engine: engine, name: play.name}
			if err := play.connect(t, ctx); err != nil {
				return err
			}
			return t.perform(ctx)
		}()
		if err != nil {
			return r, fmt.Errorf("taking over %s: %w", play.name, err)
		}
	}
	return r, nil
}

// judge notes a judgement; what there is instead is said of one that does not hold.
func (t *takeover) judge(what string, held bool, instead string, args ...any) {
	if held {
		instead, args = "as it should", nil
	}
	t.report.Add(t.options.Out, t.name+": "+what, held, instead, args...)
}

// settle waits until everything that was set in motion is over.
func (t *takeover) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not over after %s", patience))
	defer cancel()
	ends, err := t.engine.Settle(ctx, 0)
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	for _, e := range ends {
		if e.Status != "SUCCEEDED" {
			return fmt.Errorf("%s ended %s in %s: %s: %s", e.Machine, e.Status, e.State, e.Error, e.Cause)
		}
	}
	return nil
}

// steps does one thing after the other, and waits after each.
func (t *takeover) steps(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		t.engine.Story().Begin()
		if err := step(ctx); err != nil {
			return err
		}
		if err := t.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *takeover) peer(ctx context.Context) (err error) {
	if t.world, err = scenario.S1().Build(ctx, t.engine.Config); err != nil {
		return err
	}
	return t.steps(ctx, t.world.Request)
}

// expose lets people of one account query a cluster of another, whose key takes grants alone, through an endpoint of their own VPC.
func (t *takeover) expose(ctx context.Context) error {
	spec := scenario.S3()
	spec.Network, spec.KeyPolicy = true, scenario.OnlyGrants
	w, err := spec.Build(ctx, t.engine.Config)
	if err != nil {
		return err
	}
	return t.steps(ctx, func(ctx context.Context) error { return w.Share(ctx, spec.Consumer) }, func(ctx context.Context) error { return w.TagNetwork(ctx, true) })
}

// attach makes a gateway in whose route table attachments come by its owner's tag, for which both VPCs ask.
func (t *takeover) attach(ctx context.Context) (err error) {
	if t.world, err = scenario.S5().Build(ctx, t.engine.Config); err != nil {
		return err
	}
	return t.steps(ctx, t.gateway, t.world.Ask, t.world.Lend, t.world.Find)
}

func (t *takeover) gateway(ctx context.Context) error {
	api := t.ec2(t.world.Consumer.Account)
	tag := func(kind ec2types.ResourceType, pairs ...string) []ec2types.TagSpecification {
		out := ec2types.TagSpecification{ResourceType: kind}
		for pair := range slices.Chunk(pairs, 2) {
			out.Tags = append(out.Tags, ec2types.Tag{Key: &pair[0], Value: &pair[1]})
		}
		return []ec2types.TagSpecification{out}
	}
	made, err := api.CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{Options: &ec2types.TransitGatewayRequestOptions{
		AutoAcceptSharedAttachments:  ec2types.AutoAcceptSharedAttachmentsValueEnable,
		DefaultRouteTableAssociation: ec2types.DefaultRouteTableAssociationValueDisable,
		DefaultRouteTablePropagation: ec2types.DefaultRouteTablePropagationValueDisable,
	}, TagSpecifications: tag(ec2types.ResourceTypeTransitGateway, "Name", scenario.GatewayName, "drawbridge:accept", "auto")})
	if err != nil {
		return err
	}
	t.world.Gateway = aws.ToString(made.TransitGateway.TransitGatewayId)
	_, err = api.CreateTransitGatewayRouteTable(ctx, &ec2.CreateTransitGatewayRouteTableInput{TransitGatewayId: &t.world.Gateway,
		TagSpecifications: tag(ec2types.ResourceTypeTransitGatewayRouteTable, "drawbridge:association", "default", "drawbridge:propagation", "default")})
	return err
}

func (t *takeover) ec2(account string) *ec2.Client {
	return ec2.NewFromConfig(t.engine.Config(account, t.engine.Region()))
}

// code is what drawbridge export writes for all that the ledger has.
func (t *takeover) code(ctx context.Context, tool string) (export.Export, error) {
	rows, err := t.rows(ctx)
	if err != nil {
		return export.Export{}, err
	}
	q := export.Question{Tool: tool}
	for _, c := range rows.Entries() {
		if len(rows.Items(c.ID)) > 0 {
			q.IDs = append(q.IDs, c.ID)
		}
	}
	slices.Sort(q.IDs)
	items, err := export.Items(rows, q)
	if err != nil {
		return export.Export{}, err
	}
	facts, err := export.Reader{Enter: func(at event.Place) (aws.Config, error) { return t.engine.Config(at.Account, at.Region), nil }}.Read(ctx, items)
	if err != nil {
		return export.Export{}, err
	}
	return export.Of(rows, q, items, facts, time.Now())
}

func (t *takeover) rows(ctx context.Context) (board.Rows, error) {
	return board.Read(ctx, dynamodb.NewFromConfig(t.engine.Config(local.HubAccount, t.engine.Region())), board.Hub{Account: local.HubAccount, Region: t.engine.Region(), Table: "drawbridge-ledger"})
}

// perform takes it all over.
func (t *takeover) perform(ctx context.Context) error {
	code, err := t.code(ctx, export.Terraform)
	if err != nil {
		return err
	}
	t.judge("all that code can own is in it", code.Whole() && len(code.Resources) >= 5, "%d resources, %+v", len(code.Resources), code.Left)
	c, err := newCLI(t.options, code.Files[0].Text)
	if err != nil {
		return err
	}
	defer c.close()
	if err := os.WriteFile(filepath.Join(c.folder, "local_override.tf"), []byte(t.override(code)), 0o600); err != nil {
		return err
	}
	if taken, err := t.imports(ctx, c, len(code.Resources)); err != nil || !taken || t.world == nil {
		return err
	}
	lines := slices.ContainsFunc(code.Left, func(l export.Left) bool { return l.Kind == ledger.HostRoute && strings.Contains(l.Do, routesOn) })
	t.judge("the script's line is named, with what keeps it", lines, "%+v", code.Left)
	return t.letsGo(ctx, c)
}

// imports lets Terraform import what the code has, and reports whether it did and has nothing to do after it.
func (t *takeover) imports(ctx context.Context, c *cli, count int) (taken bool, err error) {
	if _, err := c.must(ctx, "init", "-no-color"); err != nil {
		return false, err
	}
	if t.report.Judge, err = c.version(ctx); err != nil {
		return false, err
	}
	want := fmt.Sprintf("%d to import, 0 to add, 0 to change, 0 to destroy", count)
	said, exit, err := c.run(ctx, "plan", "-detailed-exitcode", "-no-color")
	if err != nil {
		return false, err
	}
	taken = exit == 2 && strings.Contains(said, want)
	t.judge("Terraform would import everything and change nothing", taken, "want %s: %s", want, tail(said))
	if !taken {
		return false, nil // what an apply would do then is not what is judged
	}
	if said, err = c.must(ctx, "apply", "-auto-approve", "-no-color"); err != nil {
		return false, err
	}
	t.judge("Terraform imports it", strings.Contains(said, fmt.Sprintf("Resources: %d imported, 0 added, 0 changed, 0 destroyed", count)), "%s", tail(said))
	return true, t.empty(ctx, c, "the plan is empty")
}

// letsGo has Drawbridge let go, and looks whether anything changed.
func (t *takeover) letsGo(ctx context.Context, c *cli) error {
	before, err := t.world.Reach(ctx)
	if err != nil {
		return err
	}
	if err := t.steps(ctx, t.keepLines, t.release, t.restart); err != nil {
		return err
	}
	rows, err := t.rows(ctx)
	if err != nil {
		return err
	}
	left := []string{}
	for _, e := range rows.Entries() {
		if len(rows.Items(e.ID)) > 0 {
			left = append(left, e.ID)
		}
	}
	t.judge("Drawbridge lets go of everything", len(left) == 0, "left: %v", left)
	if err := t.empty(ctx, c, "the plan is empty once Drawbridge let go"); err != nil {
		return err
	}
	after, err := t.world.Reach(ctx)
	if err != nil {
		return err
	}
	t.judge("everything stands as it stood", before == after, "%s", scenario.Difference(before, after))
	return nil
}

// empty judges that a plan changes nothing.
func (t *takeover) empty(ctx context.Context, c *cli, what string) error {
	said, exit, err := c.run(ctx, "plan", "-detailed-exitcode", "-no-color")
	t.judge(what, err == nil && exit == 0, "exit %d: %s", exit, tail(said))
	return err
}

// override has the providers of an exported code ask the engine, as whose account they are: it is the one thing that is not as on AWS.
// https://developer.hashicorp.com/terraform/language/files/override
func (t *takeover) override(code export.Export) string {
	var out strings.Builder
	seen := map[string]bool{}
	for _, r := range code.Resources {
		alias := "in_" + r.Account + "_" + strings.ReplaceAll(r.Region, "-", "_")
		if seen[alias] {
			continue
		}
		seen[alias] = true
		fmt.Fprintf(&out, "provider \"aws\" {\n  alias      = %q\n  access_key = %q\n  secret_key = \"local\"\n\n  skip_metadata_api_check = true\n  endpoints {\n", alias, r.Account)
		for _, service := range []string{"ec2", "sts", "iam", "kms"} {
			fmt.Fprintf(&out, "    %s = %q\n", service, t.engine.URL())
		}
		out.WriteString("  }\n}\n")
	}
	return out.String()
}

// routesOn is the tag by which a notebook's owner keeps its host routes, as the code says.
const routesOn = "drawbridge:routes=on"

func (t *takeover) sagemaker() *sagemaker.Client {
	return sagemaker.NewFromConfig(t.engine.Config(t.world.Consumer.Account, t.engine.Region()))
}

// keepLines tags the notebook, as the code says.
func (t *takeover) keepLines(ctx context.Context) error {
	got, err := t.sagemaker().DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &t.world.Notebook.Name})
	if err != nil {
		return err
	}
	key, value, _ := strings.Cut(routesOn, "=")
	_, err = t.sagemaker().AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: got.NotebookInstanceArn, Tags: []sagemakertypes.Tag{{Key: &key, Value: &value}}})
	return err
}

// restart stops the notebook and starts it again: Drawbridge looks at it then.
func (t *takeover) restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the notebook does not start within %s", patience))
	defer cancel()
	name := &t.world.Notebook.Name
	is := func(want sagemakertypes.NotebookInstanceStatus) error {
		for {
			got, err := t.sagemaker().DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: name})
			if err != nil || got.NotebookInstanceStatus == want {
				return err
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	if _, err := t.sagemaker().StopNotebookInstance(ctx, &sagemaker.StopNotebookInstanceInput{NotebookInstanceName: name}); err != nil {
		return err
	}
	if err := is(sagemakertypes.NotebookInstanceStatusStopped); err != nil {
		return err
	}
	if _, err := t.sagemaker().StartNotebookInstance(ctx, &sagemaker.StartNotebookInstanceInput{NotebookInstanceName: name}); err != nil {
		return err
	}
	return is(sagemakertypes.NotebookInstanceStatusInService)
}

// release lets Drawbridge let go, as the head of the code says: of a peering, or of all attachments.
func (t *takeover) release(ctx context.Context) error {
	things := []string{t.world.Connection}
	if t.world.Gateway != "" {
		things = []string{t.world.ProducerNetwork.Attachment, t.world.ConsumerNetwork.Attachment}
	}
	for n, thing := range things {
		account := []string{t.world.Producer.Account, t.world.Consumer.Account}[n]
		if _, err := t.ec2(account).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{thing}, Tags: []ec2types.Tag{{Key: aws.String("drawbridge:manage"), Value: aws.String("false")}}}); err != nil {
			return err
		}
	}
	return nil
}
