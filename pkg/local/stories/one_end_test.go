package stories

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// The roads by which something of one account reaches something of another.
const (
	overPeering = "peering"
	overGateway = "pair on a shared gateway"
	asAttached  = "attachment to a gateway"
	inOne       = "both sides in one account"
	inShared    = "shared VPC"
	byDataAPI   = "Data API"
	byStudio    = "Studio"
	asPrivate   = "private notebooks"
)

var roads = []string{overPeering, overGateway, asAttached, inOne, inShared, byDataAPI, byStudio, asPrivate}

// A showing is where an act is played over a road: the story, and the act's number in it; or why that cannot be.
type showing struct {
	story  string
	act    int
	cannot string
}

func shown(story string, act int) showing { return showing{story: story, act: act} }
func cannot(why string) showing           { return showing{cannot: why} }

// What an act leaves, over whichever road.
const (
	// leavesNothing: no entry, no item of the ledger, no route, rule or host route, no tag of Drawbridge's on a peering, an attachment or a notebook.
	leavesNothing = "nothing"
	// leavesBare is the connection without a path: as nothing, but its entry stays, and the status of the peering with it.
	leavesBare = "its entry, and nothing for a path"
	// leavesAll is everything as it stood, and nothing of it in the ledger.
	leavesAll = "all as it stood, and the ledger has nothing of it"
)

// oneEnd says of each act with what it ends and what it leaves, and over each road which story shows that. Every story that is named is held to the same
// by [hasOneEnd], once the act was played: so what an act leaves cannot differ from road to road.
var oneEnd = map[string]struct {
	ends   []string           // one of these; the others of the act are of executions that found nothing to do, or say what was announced
	leaves string             // but for what exceptions say
	roads  map[string]showing // all
	bare   []string           // roads that the owners made themselves, and that stay without a path
}{
	"the owner of the other side rejects a request by a call": {ends: []string{"Rejected"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("rejected", 2), asAttached: shown("attach-rejected", 3),
		overGateway: cannot(noRequest), inOne: cannot(sameMachine), inShared: cannot(ownersAlone), byDataAPI: cannot(noRequest), byStudio: cannot(noRequest), asPrivate: cannot(noOther),
	}},
	"the owner of the other side rejects a request by a tag": {ends: []string{"Rejected"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("approval-rejected", 2), asAttached: shown("attach-refused", 3),
		overGateway: cannot(noRequest), inOne: cannot(sameMachine), inShared: cannot(ownersAlone), byDataAPI: cannot(noRequest), byStudio: cannot(noRequest), asPrivate: cannot(noOther),
	}},
	"the requester takes a request back": {ends: []string{"Withdrawn", "Removed"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("withdrawn", 2), asAttached: shown("attach", 3),
		overGateway: cannot(noRequest), inOne: cannot(sameMachine), inShared: cannot(ownersAlone), byDataAPI: cannot(noRequest), byStudio: cannot(noRequest), asPrivate: cannot(noOther),
	}},
	"nobody answers a request": {ends: []string{"Expired"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("sweep-stuck", 4), asAttached: shown("share-expired", 2),
		overGateway: cannot(noRequest), inOne: cannot(sameMachine), inShared: cannot(ownersAlone), byDataAPI: cannot(noRequest), byStudio: cannot(noRequest), asPrivate: cannot(noOther),
	}},
	"an owner deletes what carries it": {ends: []string{"Removed"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("removed-by-requester", 2), overGateway: shown("transit", 3), asAttached: shown("attach", 3), inOne: shown("one-account", 2), inShared: shown("shared-vpc", 4),
		byDataAPI: cannot(noCarrier), byStudio: cannot(noCarrier), asPrivate: cannot("its endpoints are Drawbridge's: a hand that deletes one is contested, story contested-endpoint"),
	}},
	"what is shared is shared no more": {ends: []string{"Connected", "Removed", "Retracted"}, leaves: leavesNothing, bare: []string{overPeering}, roads: map[string]showing{
		overPeering: shown("change-unshared", 2), overGateway: shown("gateway-change-share", 2), byDataAPI: shown("data-api-removed", 2), byStudio: shown("studio", 3), asPrivate: shown("private-notebooks", 5),
		asAttached: cannot("it shares no database"), inOne: cannot(sameMachine), inShared: cannot("beta's own database stays shared beside it: story shared-vpc, act 2, holds the rules of the one"),
	}},
	"what is shared is deleted": {ends: []string{"Connected", "Removed", "Retracted"}, leaves: leavesNothing, bare: []string{overPeering}, roads: map[string]showing{
		overPeering: shown("change-deleted", 2), overGateway: shown("gateway-change-deleted", 2), byDataAPI: shown("data-api-deleted", 2), byStudio: shown("studio-deleted-cluster", 2),
		asAttached: cannot("it shares no database"), inOne: cannot(sameMachine), inShared: cannot("a participant's database is read as the owner's is: package survey's tests"), asPrivate: cannot("a VPC with notebooks cannot be deleted"),
	}},
	"the owner of what is shared takes an approval back": {ends: []string{"Removed"}, leaves: leavesNothing, bare: []string{overPeering}, roads: map[string]showing{
		overPeering: shown("takeback-rejected", 2), overGateway: shown("takeback-attachment", 2),
		asAttached: cannot("its pairs go with it: the story of the road before; the attachment stays, out of the table, as its owner says"), inOne: cannot(sameMachine), inShared: cannot(ownersAlone),
		byDataAPI: cannot(noApproval), byStudio: cannot(noApproval), asPrivate: cannot(noOther),
	}},
	"the owner of a VPC takes nobody any more": {ends: []string{"Removed"}, leaves: leavesNothing, bare: []string{overPeering}, roads: map[string]showing{
		overPeering: shown("takeback-never", 2), overGateway: shown("takeback-gateway", 2),
		asAttached: cannot("its pairs go, and it stays at AWS, out of the table, as the gateway's owner says: stories takeback-gateway-never and takeback-attachment"), inOne: cannot(sameMachine), inShared: cannot(ownersAlone), byDataAPI: cannot(noApproval), byStudio: cannot(noApproval), asPrivate: cannot(noOther),
	}},
	"an owner has Drawbridge let go of it": {ends: []string{"Released"}, leaves: leavesAll, roads: map[string]showing{
		overPeering: shown("release-peering", 2), overGateway: shown("release-attachment", 2), asAttached: shown("release-attachment", 2), byDataAPI: shown("release-data-api", 2), byStudio: shown("release-studio", 2),
		asPrivate: shown("release-private-notebooks", 2), inOne: cannot(sameMachine), inShared: cannot(ownersAlone),
	}},
	"the policy is narrowed": {ends: []string{"Removed"}, leaves: leavesNothing, bare: []string{overPeering}, roads: map[string]showing{
		overPeering: shown("policy-withdrawn", 2), overGateway: shown("brake-pair", 3), byStudio: shown("brake-studio", 4),
		asAttached: cannot("the policy of an attachment is its gateway's owner's tag: the act before"), inOne: cannot(sameMachine), inShared: cannot(ownersAlone),
		byDataAPI: cannot("who is not let in any more leaves the role, which stays for the others: story data-api-refused-later"), asPrivate: cannot("it ends Refused before anything is there: story private-refused"),
	}},
}

// Why an act is played over no road of a kind.
const (
	noRequest   = "nobody asks: what is shared and who may use it say so"
	noOther     = "there is no other side"
	noCarrier   = "nothing of the network carries it"
	noApproval  = "it is asked of nobody: the tag on what is shared is the owner's word"
	sameMachine = "what the machine does it does a side at a time, be that one account's: story one-account shows that neither overwrites the other's"
	ownersAlone = "it is the VPC's owner's to do, as without participants: these have no part in it, and story shared-vpc shows that theirs goes, too"
)

// Every act has its end over every road, or a reason why it cannot be played; and the story that shows it has the end.
func TestEveryActHasOneEndOverEveryRoad(t *testing.T) {
	type played struct{ ends []string }
	acts := map[string][]played{}
	for _, s := range library() {
		for _, a := range s.acts {
			acts[s.name] = append(acts[s.name], played{a.ends})
		}
	}
	for _, s := range slices.Concat(dataAPITales, callers, sweptClusters, brakedDataAPI, contestedCallers, contestedClusters, rebuiltCallers, releasesDataAPI) {
		for _, a := range s.acts {
			acts[s.name] = append(acts[s.name], played{a.ends})
		}
	}
	for act, one := range oneEnd {
		count := 0
		for _, road := range roads {
			e, there := one.roads[road]
			switch {
			case !there:
				t.Errorf("%s, over %s: nothing says how it ends", act, road)
			case e.cannot != "":
			case len(acts[e.story]) < e.act:
				t.Errorf("%s, over %s: story %s has %d acts, not %d", act, road, e.story, len(acts[e.story]), e.act)
			case !slices.ContainsFunc(acts[e.story][e.act-1].ends, func(end string) bool { return slices.Contains(one.ends, end) }):
				t.Errorf("%s, over %s: story %s ends with %v, none of %v", act, road, e.story, acts[e.story][e.act-1].ends, one.ends)
			default:
				count++
			}
		}
		if count < 2 || len(one.roads) != len(roads) {
			t.Errorf("%s is shown over %d roads, and named for %d", act, count, len(one.roads))
		}
	}
}

// hasOneEnd holds what an act of a story left to what [oneEnd] says of it. Of the Data API there is no world of two VPCs: its stories hold themselves to
// everything of the owners' being as before.
func hasOneEnd(ctx context.Context, t *testing.T, w *scenario.World, story string, act int) {
	t.Helper()
	for name, one := range oneEnd {
		for _, road := range roads {
			if e := one.roads[road]; e.cannot != "" || e.story != story || e.act != act {
				continue
			}
			leaves := one.leaves
			if slices.Contains(one.bare, road) {
				leaves = leavesBare
			}
			if got := leftovers(ctx, t, w, road, leaves); len(got) > 0 {
				t.Errorf("%s, over %s, leaves %s:\n%s", name, road, leaves, strings.Join(got, "\n"))
			}
		}
	}
}

// leftovers is what there is of Drawbridge's beside what may be left.
func leftovers(ctx context.Context, t *testing.T, w *scenario.World, road, leaves string) []string {
	t.Helper()
	if leaves == leavesAll {
		return entriesOf(ctx, t, w)
	}
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for account, ports := range rulesOfOurs(ctx, t, w) {
		add("rules for %v in %s", ports, account)
	}
	entries := 0
	for _, home := range []scenario.Home{w.Consumer, w.Producer} {
		all, err := book().Connections(ctx, home.Account, home.Region)
		succeeds(t, err)
		for _, e := range all {
			if e.Kind == connection.Attachment && road != asAttached {
				continue
			}
			items, err := book().Items(ctx, e.ID)
			succeeds(t, err)
			if entries++; leaves == leavesNothing && (e.Kind != connection.Attachment || e.Status == "AwaitingApproval") {
				add("the entry of %s: %s", e.ID, e.Status)
			}
			for _, i := range items {
				if i.Kind == "route" || i.Kind == "rule" {
					add("item %s %s %s of %s", i.Kind, i.Resource, i.Key, e.ID)
				}
			}
		}
		out = append(out, onRoutes(ctx, t, w, home)...)
		out = append(out, onNotebooks(ctx, t, home)...)
	}
	if leaves == leavesBare && entries == 0 {
		add("no entry: the owners' connection is theirs to end")
	}
	if leaves == leavesNothing {
		out = append(out, statuses(ctx, t, w, road)...)
	}
	return out
}

// entriesOf are the entries that the ledger has of the story's accounts.
func entriesOf(ctx context.Context, t *testing.T, w *scenario.World) (out []string) {
	t.Helper()
	for _, home := range []scenario.Home{w.Consumer, w.Producer} {
		all, err := book().Connections(ctx, home.Account, home.Region)
		succeeds(t, err)
		for _, e := range all {
			if e.Kind != "share" { // that a share was accepted is not what was let go of
				out = append(out, fmt.Sprintf("the entry of %s: %s", e.ID, e.Status))
			}
		}
	}
	return out
}

// onRoutes are the routes of an account that the ledger has.
func onRoutes(ctx context.Context, t *testing.T, w *scenario.World, home scenario.Home) (out []string) {
	got, err := ec2.NewFromConfig(engine.Config(home.Account, home.Region)).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	succeeds(t, err)
	for _, table := range got.RouteTables {
		items, err := book().Of(ctx, home.Account, home.Region, aws.ToString(table.RouteTableId))
		succeeds(t, err)
		for _, i := range items {
			out = append(out, fmt.Sprintf("route %s of %s, %s", i.Key, i.Resource, i.State))
		}
		for _, r := range table.Routes {
			if p := aws.ToString(r.VpcPeeringConnectionId); p != "" && p == w.Connection {
				out = append(out, fmt.Sprintf("route %s of %s through %s", aws.ToString(r.DestinationCidrBlock), aws.ToString(table.RouteTableId), p))
			}
		}
	}
	return out
}

// onNotebooks are the host routes in an account's scripts, and what its notebooks say.
func onNotebooks(ctx context.Context, t *testing.T, home scenario.Home) (out []string) {
	api := sagemaker.NewFromConfig(engine.Config(home.Account, home.Region))
	configurations, err := api.ListNotebookInstanceLifecycleConfigs(ctx, &sagemaker.ListNotebookInstanceLifecycleConfigsInput{})
	succeeds(t, err)
	for _, c := range configurations.NotebookInstanceLifecycleConfigs {
		one, err := api.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: c.NotebookInstanceLifecycleConfigName})
		succeeds(t, err)
		for _, hook := range one.OnStart {
			script, err := base64.StdEncoding.DecodeString(aws.ToString(hook.Content))
			succeeds(t, err)
			if parsed, err := lifecycle.Parse(aws.ToString(c.NotebookInstanceLifecycleConfigName), script); err != nil || len(parsed.Lines) > 0 {
				out = append(out, fmt.Sprintf("host routes %v in %s, %v", parsed.Lines, aws.ToString(c.NotebookInstanceLifecycleConfigName), err))
			}
		}
	}
	instances, err := api.ListNotebookInstances(ctx, &sagemaker.ListNotebookInstancesInput{})
	succeeds(t, err)
	for _, n := range instances.NotebookInstances {
		tags, err := api.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: n.NotebookInstanceArn})
		succeeds(t, err)
		for _, tag := range tags.Tags {
			if slices.Contains([]string{lifecycle.TagStatus, lifecycle.TagReason, lifecycle.TagSince}, aws.ToString(tag.Key)) && aws.ToString(tag.Value) != lifecycle.None {
				out = append(out, fmt.Sprintf("notebook %s says %s=%s", aws.ToString(n.NotebookInstanceName), aws.ToString(tag.Key), aws.ToString(tag.Value)))
			}
		}
	}
	return out
}

// statuses are what peerings say, and of attachments what they say of pairs, or of themselves where the attachment is what ended.
func statuses(ctx context.Context, t *testing.T, w *scenario.World, road string) (out []string) {
	keys := []string{connection.TagPairs}
	if road == asAttached || road == overPeering || road == inOne || road == inShared {
		keys = append(keys, connection.TagStatus, connection.TagReason, connection.TagSince)
	}
	for _, client := range []*ec2.Client{consumer(w), producer(w)} {
		peerings, err := client.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{})
		succeeds(t, err)
		attachments, err := client.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{})
		succeeds(t, err)
		say := func(id string, tags []string) {
			for _, tag := range tags {
				if key, _, _ := strings.Cut(tag, "="); slices.Contains(keys, key) {
					out = append(out, id+" says "+tag)
				}
			}
		}
		for _, p := range peerings.VpcPeeringConnections {
			say(aws.ToString(p.VpcPeeringConnectionId), tagTexts(p.Tags))
		}
		for _, a := range attachments.TransitGatewayAttachments {
			if aws.ToString(a.ResourceId) == w.ProducerNetwork.VPC && road != overPeering && road != inOne {
				say(aws.ToString(a.TransitGatewayAttachmentId), tagTexts(a.Tags))
			}
		}
	}
	return out
}
