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

	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// The roads by which something of one account reaches something of another.
const (
	overPeering = "peering"
	overGateway = "pair on a shared gateway"
	asAttached  = "attachment to a gateway"
	inOne       = "both sides in one account"
	inOnePair   = "pair of one account"
	inShared    = "shared VPC"
	byDataAPI   = "Data API"
	byStudio    = "Studio"
	asPrivate   = "private notebooks"
)

var roads = []string{overPeering, overGateway, asAttached, inOne, inOnePair, inShared, byDataAPI, byStudio, asPrivate}

// A showing is where an act is played over a road: the story, and the act's number in it; or why that cannot be. unheard says why nobody hears of its end.
type showing struct {
	story   string
	act     int
	cannot  string
	unheard string
}

func shown(story string, act int) showing { return showing{story: story, act: act} }
func cannot(why string) showing           { return showing{cannot: why} }

// What an act leaves, over whichever road.
const (
	// leavesNothing: no entry, no item of the ledger, no route, rule or host route, no tag of Drawbridge's on a peering, an attachment or a notebook.
	leavesNothing = "nothing"
	// leavesBare is the connection without a path: as nothing, but its entry stays, and the status of the peering with it.
	leavesBare = "its entry, and nothing for a path"
	// leavesStanding is the network as it stands: neither an entry nor an item of the ledger is left, and no tag of Drawbridge's on a peering or an attachment.
	leavesStanding = "the network as it stands, and nothing of it in the ledger"
)

// oneEnd says of each act with what it ends and what it leaves, and over each road which story shows that. Every story that is named is held to the same
// by [hasOneEnd], once the act was played: so what an act leaves, and who hears of it, cannot differ from road to road.
//
// Who hears is the same for every act: both owners, of each thing that ended or changed once, and who takes part in a shared VPC hears with its owner. Of the roads
// in [eventsOnly] programs alone are told, by an event on the hub's bus.
var oneEnd = map[string]struct {
	ends   []string           // one of these; the others of the act are of executions that found nothing to do, or say what was announced
	leaves string             // but for what exceptions say
	roads  map[string]showing // all
	bare   []string           // roads that the owners made themselves, and that stay without a path
}{
	"the owner of the other side rejects a request by a call": {ends: []string{"Rejected"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("rejected", 2), asAttached: shown("attach-rejected", 3),
		overGateway: cannot(noRequest), inOnePair: cannot(noRequest), inOne: shown("one-account-life", 4), inShared: cannot(notYetIn), byDataAPI: cannot(noRequest), byStudio: cannot(noRequest), asPrivate: cannot(noOther),
	}},
	"the owner of the other side rejects a request by a tag": {ends: []string{"Rejected"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("approval-rejected", 2), asAttached: shown("attach-refused", 3),
		overGateway: cannot(noRequest), inOnePair: cannot(noRequest), inOne: shown("one-account-life", 2), inShared: cannot(notYetIn), byDataAPI: cannot(noRequest), byStudio: cannot(noRequest), asPrivate: cannot(noOther),
	}},
	"the requester takes a request back": {ends: []string{"Withdrawn", "Removed"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("withdrawn", 2), asAttached: shown("attach", 3),
		overGateway: cannot(noRequest), inOnePair: cannot(noRequest), inOne: shown("one-account-life", 6), inShared: cannot(notYetIn), byDataAPI: cannot(noRequest), byStudio: cannot(noRequest), asPrivate: cannot(noOther),
	}},
	"nobody answers a request": {ends: []string{"Expired"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("sweep-stuck", 4), asAttached: {story: "share-expired", act: 2, unheard: "it is RAM's invitation that expired, before an attachment began: the execution names it"},
		overGateway: cannot(noRequest), inOnePair: cannot(noRequest), inOne: cannot("a request that nobody answers is one of one account as of two: AWS ends it"), inShared: cannot(notYetIn), byDataAPI: cannot(noRequest), byStudio: cannot(noRequest), asPrivate: cannot(noOther),
	}},
	"an owner deletes what carries it": {ends: []string{"Removed"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("removed-by-requester", 2), overGateway: shown("transit", 3), asAttached: shown("attach", 3), inOnePair: shown("one-account-gateway", 8), inOne: shown("one-account", 2), inShared: shown("shared-vpc", 4),
		byDataAPI: cannot(noCarrier), byStudio: cannot(noCarrier), asPrivate: cannot("its endpoints are Drawbridge's: a hand that deletes one is contested, story contested-endpoint"),
	}},
	"what is shared is shared no more": {ends: []string{"Connected", "Removed", "Retracted"}, leaves: leavesNothing, bare: []string{overPeering, inOne, inShared}, roads: map[string]showing{
		overPeering: shown("change-unshared", 2), overGateway: shown("gateway-change-share", 2), byDataAPI: shown("data-api-removed", 2), byStudio: shown("studio", 3), asPrivate: shown("private-notebooks", 5),
		asAttached: cannot("it shares no database"), inOnePair: shown("one-account-gateway", 2), inOne: shown("one-account-life", 9), inShared: shown("shared-vpc-life", 9),
	}},
	"what is shared is deleted": {ends: []string{"Connected", "Removed", "Retracted"}, leaves: leavesNothing, bare: []string{overPeering, inShared}, roads: map[string]showing{
		overPeering: shown("change-deleted", 2), overGateway: shown("gateway-change-deleted", 2), byDataAPI: shown("data-api-deleted", 2), byStudio: shown("studio-deleted-cluster", 2),
		asAttached: cannot("it shares no database"), inOnePair: cannot(asPair), inOne: cannot("one database of one account: as it is shared no more, the act before"), inShared: shown("shared-vpc-life", 13), asPrivate: cannot("a VPC with notebooks cannot be deleted"),
	}},
	"the owner of what is shared takes an approval back": {ends: []string{"Removed"}, leaves: leavesNothing, bare: []string{overPeering, inOne, inShared}, roads: map[string]showing{
		overPeering: shown("takeback-rejected", 2), overGateway: shown("takeback-attachment", 2),
		asAttached: cannot("its pairs go with it: the story of the road before; the attachment stays, out of the table, as its owner says"), inOnePair: cannot(asPair), inOne: shown("one-account-life", 11), inShared: shown("shared-vpc-life", 2),
		byDataAPI: cannot(noApproval), byStudio: cannot(noApproval), asPrivate: cannot(noOther),
	}},
	"the owner of a VPC takes nobody any more": {ends: []string{"Removed"}, leaves: leavesNothing, bare: []string{overPeering, inOne, inShared}, roads: map[string]showing{
		overPeering: shown("takeback-never", 2), overGateway: shown("takeback-gateway", 2),
		asAttached: cannot("its pairs go, and it stays at AWS, out of the table, as the gateway's owner says: stories takeback-gateway-never and takeback-attachment"), inOnePair: shown("one-account-gateway", 6), inOne: shown("one-account-life", 13), inShared: shown("shared-vpc-life", 4),
		byDataAPI: cannot(noApproval), byStudio: cannot(noApproval), asPrivate: cannot(noOther),
	}},
	"the policy is narrowed": {ends: []string{"Removed"}, leaves: leavesNothing, bare: []string{overPeering, inOne, inShared, byStudio}, roads: map[string]showing{
		overPeering: shown("policy-withdrawn", 2), overGateway: shown("brake-pair", 3), inOnePair: shown("one-account-gateway", 4), inOne: shown("one-account-life", 15), inShared: shown("shared-vpc-life", 6), byStudio: shown("studio-narrowed", 2),
		asAttached: cannot("the policy of an attachment is its gateway's owner's tag: the act before"),
		byDataAPI:  cannot("who is not let in any more leaves the role, which stays for the others: story data-api-refused-later"), asPrivate: shown("private-narrowed", 2),
	}},
	"an account leaves the unit that the policy speaks of": {ends: []string{"Removed"}, leaves: leavesNothing, bare: []string{overPeering}, roads: map[string]showing{
		overPeering: shown("unit-lost", 2), overGateway: shown("unit-lost-gateway", 2),
		asAttached: cannot(asNarrowed), inOnePair: cannot(asPair), inOne: cannot(asNarrowed), inShared: cannot(asNarrowed), byDataAPI: cannot(asNarrowed), byStudio: cannot(asNarrowed), asPrivate: cannot(asNarrowed),
	}},
	"an owner lets go of it, and has taken back what was added": {ends: []string{"Removed", "Retracted"}, leaves: leavesNothing, roads: map[string]showing{
		overPeering: shown("undo-peering", 2), overGateway: shown("undo-attachment", 2), asAttached: shown("quarantine", 7), inOnePair: cannot(asPair), inOne: shown("one-account-life", 17), inShared: shown("shared-vpc-life", 11),
		byDataAPI: shown("release-data-api", 6), byStudio: cannot("what stood when it was taken up is its owner's: story release-studio, act 7"), asPrivate: cannot("the same: story release-private-notebooks, act 6"),
	}},
	"an owner lets go of it, as it stands": {ends: []string{"Released"}, leaves: leavesStanding, roads: map[string]showing{
		overPeering: shown("release-peering", 2), overGateway: shown("release-attachment", 2), asAttached: shown("release-attachment", 2), inOnePair: cannot(asPair), inOne: shown("one-account-life", 19), inShared: shown("shared-vpc-life", 15),
		byDataAPI: shown("release-data-api", 2), byStudio: shown("release-studio", 2), asPrivate: shown("release-private-notebooks", 2),
	}},
}

// eventsOnly are the roads of which owners hear no notification: whoever opted in reads the status on the thing, and programs the events Access Granted and Access Removed.
var eventsOnly = []string{byDataAPI, byStudio, asPrivate}

// Why an act is played over no road of a kind.
const (
	noRequest  = "nobody asks: what is shared and who may use it say so"
	noOther    = "there is no other side"
	noCarrier  = "nothing of the network carries it"
	noApproval = "it is asked of nobody: the tag on what is shared is the owner's word"
	notYetIn   = "participants come in when it is connected: a request knows none of them"
	asNarrowed = "the policy is asked the same question: a unit is where its principals and resources are, and the act before shows how an answer that changed ends"
	asPair     = "as between two accounts: story one-account-gateway shows that what takes a pair away tells its two sides in one account apart"
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

// hasOneEnd holds what an act of a story left, and who heard of it, to what [oneEnd] says of it. Of the Data API there is no world of two VPCs: its stories hold
// themselves to everything of the owners' being as before.
func hasOneEnd(ctx context.Context, t *testing.T, w *scenario.World, story string, act int, heard []letter) {
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
			if one.roads[road].unheard != "" {
				continue
			}
			for _, wrong := range misheard(w, road, heard) {
				t.Errorf("%s, over %s: %s", name, road, wrong)
			}
		}
	}
}

// isPlayed reports whether a story plays an act of [oneEnd].
func isPlayed(story string) bool {
	for _, one := range oneEnd {
		for _, e := range one.roads {
			if e.story == story {
				return true
			}
		}
	}
	return false
}

// misheard says who did not hear of the end of an act, or heard of one thing twice.
func misheard(w *scenario.World, road string, heard []letter) []string {
	if slices.Contains(eventsOnly, road) {
		return nil
	}
	var out []string
	count, ended := map[string]int{}, false
	for _, l := range heard {
		if !strings.HasPrefix(l.kind, "Connection ") {
			continue
		}
		ended = ended || l.kind == "Connection Removed"
		about, _, _ := strings.Cut(strings.TrimPrefix(l.subject, "Drawbridge: "), " ")
		count[l.account]++
		if key := l.account + " " + about; count[key] > 0 {
			out = append(out, l.account+" heard of "+about+" again: "+l.subject)
		} else {
			count[key]++
		}
	}
	accounts := []string{w.Consumer.Account, w.Producer.Account}
	if road == inShared && ended { // what 444444444444 has is deleted before the last act
		accounts = append(accounts, takesPart("3", w))
	}
	for _, account := range accounts {
		if count[account] == 0 {
			out = append(out, account+" heard of nothing")
		}
	}
	return out
}

// leftovers is what there is of Drawbridge's beside what may be left.
func leftovers(ctx context.Context, t *testing.T, w *scenario.World, over, leaves string) []string {
	t.Helper()
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	homes := []scenario.Home{w.Consumer, w.Producer}
	if over == inShared {
		for _, digit := range []string{"3", "4"} {
			homes = append(homes, scenario.Home{Name: "participant", Account: takesPart(digit, w), Region: w.Producer.Region})
		}
	}
	entries := 0
	for _, home := range homes {
		all, err := book().Connections(ctx, home.Account, home.Region)
		succeeds(t, err)
		for _, e := range all {
			if e.Kind == road.Attachment && over != asAttached {
				continue
			}
			items, err := book().Items(ctx, e.ID)
			succeeds(t, err)
			if entries++; leaves != leavesBare && (e.Kind != road.Attachment || e.Status == "AwaitingApproval") {
				add("the entry of %s: %s", e.ID, e.Status)
			}
			for _, i := range items {
				if i.Kind == "route" || i.Kind == "rule" {
					add("item %s %s %s of %s", i.Kind, i.Resource, i.Key, e.ID)
				}
			}
		}
		out = append(out, onRoutes(ctx, t, w, home, leaves)...)
		if leaves != leavesStanding {
			out = append(append(out, onRules(ctx, t, home)...), onNotebooks(ctx, t, home)...)
		}
	}
	if leaves == leavesBare && entries == 0 {
		add("no entry: the owners' connection is theirs to end")
	}
	if leaves != leavesBare {
		out = append(out, statuses(ctx, t, w, over)...)
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
			if e.Kind != road.Share { // that a share was accepted is not what was let go of
				out = append(out, fmt.Sprintf("the entry of %s: %s", e.ID, e.Status))
			}
		}
	}
	return out
}

// onRules are the rules of an account that carry Drawbridge's mark.
func onRules(ctx context.Context, t *testing.T, home scenario.Home) (out []string) {
	got, err := ec2.NewFromConfig(engine.Config(home.Account, home.Region)).DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{})
	succeeds(t, err)
	if len(got.SecurityGroupRules) == 0 {
		t.Fatalf("%s has no rules at all", home.Account)
	}
	for _, r := range got.SecurityGroupRules {
		if slices.ContainsFunc(tagTexts(r.Tags), func(tag string) bool { return strings.HasPrefix(tag, "drawbridge:connection=") }) {
			out = append(out, fmt.Sprintf("rule %s of %s in %s, port %d", aws.ToString(r.SecurityGroupRuleId), aws.ToString(r.GroupId), home.Account, aws.ToInt32(r.FromPort)))
		}
	}
	return out
}

// onRoutes are the routes of an account that the ledger has, and, unless the network is left standing, those through the peering.
func onRoutes(ctx context.Context, t *testing.T, w *scenario.World, home scenario.Home, leaves string) (out []string) {
	got, err := ec2.NewFromConfig(engine.Config(home.Account, home.Region)).DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	succeeds(t, err)
	for _, table := range got.RouteTables {
		items, err := book().Of(ctx, home.Account, home.Region, aws.ToString(table.RouteTableId))
		succeeds(t, err)
		for _, i := range items {
			out = append(out, fmt.Sprintf("route %s of %s, %s", i.Key, i.Resource, i.State))
		}
		for _, r := range table.Routes {
			if p := aws.ToString(r.VpcPeeringConnectionId); p != "" && p == w.Connection && leaves != leavesStanding {
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
		for _, one := range tags.Tags {
			if slices.Contains(tag.StatusKeys(), aws.ToString(one.Key)) && aws.ToString(one.Value) != lifecycle.None {
				out = append(out, fmt.Sprintf("notebook %s says %s=%s", aws.ToString(n.NotebookInstanceName), aws.ToString(one.Key), aws.ToString(one.Value)))
			}
		}
	}
	return out
}

// statuses are what peerings say, and of attachments what they say of pairs, or of themselves where the attachment is what ended.
func statuses(ctx context.Context, t *testing.T, w *scenario.World, road string) (out []string) {
	keys := []string{tag.Pairs}
	if road == asAttached || road == overPeering || road == inOne || road == inShared {
		keys = append(keys, tag.Status, tag.Reason, tag.Since)
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
