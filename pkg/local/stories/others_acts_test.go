package stories

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// A doing is something that people do in the world of others; n says which of several. It returns what was done, empty if there was
// nothing to do it to. What people changed by it, theirs says.
type doing func(r *run, n int) string

// doings are all of them, by name: what owners wish, what operators do, what owners take away of Drawbridge's, and what they do to their own.
var doings = [...]map[string]doing{
	{
		"request": (*run).request, "delete": (*run).deletes, "approval": (*run).approve, "manage": (*run).manage, "accept": (*run).accept, "share": (*run).share,
		"attach": (*run).attach, "gateway accept": (*run).gatewayAccept, "data-api": (*run).dataAPI, "consent": (*run).consent, "endpoint": (*run).endpoint,
		"studio": (*run).studio, "studio opt-in": (*run).studioOptIn, "private": (*run).private, "scientist": (*run).scientist, "routes": (*run).routes,
		"kept out": (*run).keptOut,
	},
	{"policy": (*run).changePolicy, "sweep": (*run).sweeps, "upgrade": (*run).upgrade, "mode": (*run).changeMode},
	{
		"route taken": (*run).routeTaken, "route replaced": (*run).routeReplaced, "rule taken": (*run).ruleTaken, "option taken": (*run).optionTaken,
		"endpoint taken": (*run).endpointTaken,
	},
	{
		"own route": (*run).ownRoute, "own rule": (*run).ownRule, "script": (*run).editScript, "own role policy": (*run).ownPolicy, "trust": (*run).editTrust,
	},
}

// do does what a step says.
func (r *run) do(s step) string {
	for _, some := range doings {
		if does, ok := some[s.Does]; ok {
			return does(r, s.N)
		}
	}
	r.t.Fatalf("nobody can %q", s.Does)
	return ""
}

// tag sets a tag of a thing of EC2's as its owner, or takes it away if the value is empty.
func (r *run) tag(account, id, key, value string) string {
	of := id
	if strings.HasPrefix(id, "pcx-") || strings.HasPrefix(id, "tgw-attach-") {
		of = account + "'s " + id
	}
	if value == "" {
		if _, ok := r.theirs["tag "+of+" "+key]; !ok {
			return ""
		}
		must(r.t)(r.full.ec2(account).DeleteTags(r.ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: &key}}}))
	} else {
		must(r.t)(r.full.ec2(account).CreateTags(r.ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: &key, Value: &value}}}))
	}
	return r.tagged(of, key, value)
}

// tagged says that somebody tagged a thing.
func (r *run) tagged(of, key, value string) string {
	if value == "" {
		delete(r.theirs, "tag "+of+" "+key)
		return "no tag " + key + " on " + of
	}
	r.theirs.tag(of, key, value, nil)
	return "the tag " + key + "=" + value + " on " + of
}

// nth returns the n-th of some.
func nth[T any](n int, of ...T) T { return of[n%len(of)] }

// living are the peerings that were requested in the run and are not over.
func (r *run) living() []string {
	var out []string
	for id := range r.read() {
		if id, ok := strings.CutPrefix(id, "peering "); ok && slices.Contains(r.asked, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// peering returns a peering of the run, or one that was made by hand; empty if there is none.
func (r *run) peering(n int) string {
	all := r.living()
	for id := range r.theirs {
		if id, ok := strings.CutPrefix(id, "peering "); ok {
			all = append(all, id)
		}
	}
	if slices.Sort(all); len(all) == 0 {
		return ""
	}
	return nth(n, all...)
}

func (r *run) request(n int) string {
	c, p := r.world.ConsumerNetwork.VPC, r.world.ProducerNetwork.VPC
	pair := nth(n, [2]string{c, p}, [2]string{c, p}, [2]string{c, r.full.stock.id}, [2]string{r.full.fresh.id, r.full.stock.id})
	got, err := r.alpha().DescribeVpcPeeringConnections(r.ctx, &ec2.DescribeVpcPeeringConnectionsInput{})
	r.done(err)
	for _, x := range got.VpcPeeringConnections {
		if aws.ToString(x.RequesterVpcInfo.VpcId) == pair[0] && aws.ToString(x.AccepterVpcInfo.VpcId) == pair[1] &&
			(x.Status.Code == ec2types.VpcPeeringConnectionStateReasonCodeActive || x.Status.Code == ec2types.VpcPeeringConnectionStateReasonCodePendingAcceptance) {
			return ""
		}
	}
	made, err := r.alpha().CreateVpcPeeringConnection(r.ctx, &ec2.CreateVpcPeeringConnectionInput{VpcId: &pair[0], PeerVpcId: &pair[1], PeerOwnerId: &r.full.producer})
	r.done(err)
	id := aws.ToString(made.VpcPeeringConnection.VpcPeeringConnectionId)
	r.asked = append(r.asked, id)
	return fmt.Sprintf("%s from %s to %s", id, pair[0], pair[1])
}

func (r *run) deletes(n int) string {
	living := r.living()
	if len(living) == 0 {
		return ""
	}
	id := nth(n, living...)
	by := nth(n/2, r.alpha(), r.beta())
	got, err := by.DescribeVpcPeeringConnections(r.ctx, &ec2.DescribeVpcPeeringConnectionsInput{VpcPeeringConnectionIds: []string{id}})
	r.done(err)
	if got.VpcPeeringConnections[0].Status.Code != ec2types.VpcPeeringConnectionStateReasonCodeActive {
		by = r.alpha()
	}
	must(r.t)(by.DeleteVpcPeeringConnection(r.ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: &id}))
	r.over(id)
	return id
}

func (r *run) approve(n int) string {
	id := r.peering(n)
	if id == "" {
		return ""
	}
	return r.tag(nth(n, r.full.producer, r.full.producer, r.full.consumer), id, "drawbridge:approval", nth(n/2, "approved", "rejected", "approved-all", ""))
}

// manage says of a peering or of alpha's attachment that Drawbridge shall manage it, take back what it added, or leave that to its owner.
func (r *run) manage(n int) string {
	id, value, account := r.peering(n), nth(n/2, "true", "undo", "", "true", "false"), nth(n/3, r.full.producer, r.full.consumer)
	if made := r.attachments(r.full.consumer); n%2 == 1 && len(made) > 0 {
		id, account = made[0], nth(n/3, r.full.network, r.full.consumer)
	}
	if id == "" {
		return ""
	}
	r.released = r.released || value == "false"
	return r.tag(account, id, "drawbridge:manage", value)
}

// attachments are an account's that are there.
func (r *run) attachments(account string) []string {
	got, err := r.full.ec2(account).DescribeTransitGatewayVpcAttachments(r.ctx, &ec2.DescribeTransitGatewayVpcAttachmentsInput{})
	r.done(err)
	var out []string
	for _, a := range got.TransitGatewayVpcAttachments {
		if a.State == ec2types.TransitGatewayAttachmentStateAvailable {
			out = append(out, aws.ToString(a.TransitGatewayAttachmentId))
		}
	}
	slices.Sort(out)
	return out
}

func (r *run) accept(n int) string {
	return r.tag(r.full.producer, nth(n, r.world.ProducerNetwork.VPC, r.full.stock.id), "drawbridge:accept", nth(n/2, "auto", "never", "ask", "auto", ""))
}

func (r *run) share(n int) string {
	db := arn.New(arn.Partition(engine.Region()), "rds", engine.Region(), r.full.producer, "db:"+nth(n, r.world.Database.Name, "books"))
	client, value := rds.NewFromConfig(engine.Config(r.full.producer, engine.Region())), nth(n/2, "", "true", r.full.consumer, "none")
	if value == "" {
		must(r.t)(client.RemoveTagsFromResource(r.ctx, &rds.RemoveTagsFromResourceInput{ResourceName: &db, TagKeys: []string{"drawbridge:share"}}))
	} else {
		must(r.t)(client.AddTagsToResource(r.ctx, &rds.AddTagsToResourceInput{ResourceName: &db, Tags: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: &value}}}))
	}
	return r.tagged(db, "drawbridge:share", value)
}

// keptOut keeps the security group of the notebook or of the database out of every connection, or not any more.
func (r *run) keptOut(n int) string {
	account, group := nth(n, r.full.consumer, r.full.producer), nth(n, r.world.ConsumerNetwork.Group, r.world.ProducerNetwork.Group)
	return r.tag(account, group, "drawbridge:reach", nth(n/2, "none", "none", ""))
}

func (r *run) attach(n int) string {
	if n%2 == 0 {
		return r.tag(r.full.consumer, r.world.ConsumerNetwork.VPC, "drawbridge:attach", nth(n/2, scenario.GatewayName, scenario.GatewayName, ""))
	}
	return r.tag(r.full.producer, r.world.ProducerNetwork.VPC, "drawbridge:attach", nth(n/2, scenario.GatewayName, scenario.GatewayName, ""))
}

func (r *run) gatewayAccept(n int) string {
	return r.tag(r.full.network, r.full.gateway, "drawbridge:accept", nth(n, "auto", "never", "ask", "auto", ""))
}

// dataAPI lets accounts query the cluster, or nobody.
func (r *run) dataAPI(n int) string {
	cluster := r.data.ClusterARN()
	if accounts := nth(n, []string{r.full.consumer}, []string{r.full.consumer, r.full.network}, nil); accounts != nil {
		r.done(r.data.Share(r.ctx, accounts...))
		r.tagged(cluster, "drawbridge:secret", r.data.Secret)
		return r.tagged(cluster, tag.DataAPI, strings.Join(accounts, " "))
	}
	r.done(r.data.Unshare(r.ctx))
	r.tagged(cluster, "drawbridge:secret", "")
	return r.tagged(cluster, tag.DataAPI, "")
}

func (r *run) consent(n int) string {
	clusters := nth(n/2, nil, []string{"sales"}, []string{"payroll", "sales"})
	if n%2 == 0 {
		r.done(r.data.Consent(r.ctx, r.data.SecretARN, clusters...))
		return r.tagged(r.data.SecretARN, tag.DataAPI, strings.Join(clusters, " "))
	}
	r.done(r.data.ConsentKey(r.ctx, clusters...))
	return r.tagged(r.data.Key, tag.DataAPI, strings.Join(clusters, " "))
}

func (r *run) endpoint(n int) string {
	return r.tag(r.full.consumer, r.world.ConsumerNetwork.VPC, tag.DataAPI, nth(n, "true", "true", ""))
}

func (r *run) private(n int) string {
	return r.tag(r.full.consumer, r.world.ConsumerNetwork.VPC, tag.PrivateNotebooks, nth(n, "true", "true", ""))
}

func (r *run) roles() *iam.Client {
	return iam.NewFromConfig(engine.Config(r.full.consumer, engine.Region()))
}

func (r *run) tagRole(role, key string, on bool) string {
	if on {
		must(r.t)(r.roles().TagRole(r.ctx, &iam.TagRoleInput{RoleName: &role, Tags: []iamtypes.Tag{{Key: &key, Value: aws.String("true")}}}))
		return r.tagged("role "+role, key, "true")
	}
	must(r.t)(r.roles().UntagRole(r.ctx, &iam.UntagRoleInput{RoleName: &role, TagKeys: []string{key}}))
	return r.tagged("role "+role, key, "")
}

func (r *run) scientist(n int) string {
	return r.tagRole(nth(n, "scientist", "admin"), tag.PrivateNotebooks, n%3 != 0)
}

func (r *run) studio(n int) string {
	of := "warehouse " + scenario.Warehouse
	if n%3 == 2 {
		r.done(r.world.UnshareWarehouse(r.ctx))
		return r.tagged(of, tag.Studio, "")
	}
	r.done(r.world.ShareWarehouse(r.ctx))
	return r.tagged(of, tag.Studio, r.full.consumer)
}

func (r *run) studioOptIn(n int) string {
	if n%2 == 0 {
		return r.tagRole(scenario.ExecutionRole, tag.Studio, n%4 != 0)
	}
	of, arn := "domain "+scenario.StudioDomain, r.world.DomainARN()
	if n%4 == 1 {
		must(r.t)(r.people().DeleteTags(r.ctx, &sagemaker.DeleteTagsInput{ResourceArn: &arn, TagKeys: []string{tag.Studio}}))
		return r.tagged(of, tag.Studio, "")
	}
	must(r.t)(r.people().AddTags(r.ctx, &sagemaker.AddTagsInput{ResourceArn: &arn, Tags: []sagemakertypes.Tag{{Key: aws.String(tag.Studio), Value: aws.String("true")}}}))
	return r.tagged(of, tag.Studio, "true")
}

// routes says of the notebook whether it gets host routes, and whether it may be restarted.
func (r *run) routes(n int) string {
	name := r.world.Notebook.Name
	arn := arn.New(arn.Partition(engine.Region()), "sagemaker", engine.Region(), r.full.consumer, "notebook-instance/"+name)
	key, value := "drawbridge:routes", nth(n/2, "off", "on")
	if n%2 == 1 {
		key, value = "drawbridge:restart", nth(n/2, "allowed", "never")
	}
	must(r.t)(r.people().AddTags(r.ctx, &sagemaker.AddTagsInput{ResourceArn: &arn, Tags: []sagemakertypes.Tag{{Key: &key, Value: &value}}}))
	return r.tagged("notebook "+name, key, value)
}

// changePolicy forbids something in these accounts, or nothing any more, and sweeps, as Parameter Store's event does.
func (r *run) changePolicy(n int) string {
	what := nth(n, "", "", "action", `action == Drawbridge::Action::"Open"`, `action == Drawbridge::Action::"Route"`, `action == Drawbridge::Action::"Connect"`,
		`action == Drawbridge::Action::"Inject"`, `action == Drawbridge::Action::"Attach"`, `action == Drawbridge::Action::"Admit"`, `action == Drawbridge::Action::"Identify"`,
		`action == Drawbridge::Action::"Expose"`, `action == Drawbridge::Action::"Adopt"`)
	if what == "" && r.policy == "" {
		return ""
	}
	line := ""
	if what != "" {
		line = fmt.Sprintf("\n@id(\"drawn\")\nforbid (principal, %s, resource) when { [%q, %q, %q].contains(principal.account) };", what, r.full.consumer, r.full.producer, r.full.network)
	}
	edit(r.ctx, r.t, func(text string) string { return strings.ReplaceAll(text, r.policy, "") + line })
	r.policy = line
	r.sweeps(0)
	return "the policy forbids " + what
}

// unforbid gives the policy back as it was, when a run stops.
func (r *run) unforbid() {
	if r.policy != "" {
		edit(context.Background(), r.t, func(text string) string { return strings.ReplaceAll(text, r.policy, "") })
		r.policy = ""
	}
}

func (r *run) sweeps(int) string {
	sweep(r.ctx, r.t, workflow.Sweep{Accounts: r.accounts(), Regions: []string{engine.Region()}})
	return "of all three accounts"
}

// upgrade deploys the members' stacks again, with a template of another version, lets every function start anew, and sweeps.
func (r *run) upgrade(n int) string {
	for _, account := range r.accounts() {
		client, name := cloudformation.NewFromConfig(engine.Config(account, engine.Region())), aws.String("drawbridge-member")
		had, err := client.GetTemplate(r.ctx, &cloudformation.GetTemplateInput{StackName: name})
		r.done(err)
		stack, err := client.DescribeStacks(r.ctx, &cloudformation.DescribeStacksInput{StackName: name})
		r.done(err)
		var parameters []types.Parameter
		for _, p := range stack.Stacks[0].Parameters {
			parameters = append(parameters, types.Parameter{ParameterKey: p.ParameterKey, ParameterValue: p.ParameterValue})
		}
		r.versions++
		body := strings.Replace(aws.ToString(had.TemplateBody), "{", fmt.Sprintf(`{"Metadata": {"Version": "%d"}, `, r.versions), 1)
		if r.versions > len(r.accounts()) { // it says one already
			body = strings.Replace(aws.ToString(had.TemplateBody), `"Version": "`, fmt.Sprintf(`"Version": "%d`, r.versions), 1)
		}
		must(r.t)(client.UpdateStack(r.ctx, &cloudformation.UpdateStackInput{StackName: name, TemplateBody: &body, Parameters: parameters,
			Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}))
	}
	engine.Cool()
	return "and a sweep " + r.sweeps(n)
}

// changeMode says how far Drawbridge goes, and sweeps, as Parameter Store's event does.
func (r *run) changeMode(n int) string {
	to := nth(n, mode.Full, mode.Add, mode.Full, mode.Observe, mode.Stopped)
	if to == r.mode {
		return ""
	}
	setMode(r.ctx, r.t, to)
	r.mode = to
	r.sweeps(0)
	return string(to)
}
