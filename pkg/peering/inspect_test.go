package peering_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/cover"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/database/databasetest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook/notebooktest"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// world is two accounts with a VPC each and one peering between them.
type world struct {
	mu       sync.Mutex
	calls    []string
	status   string // of the peering; empty: there is none
	accept   string // the accepter VPC's tag drawbridge:accept
	tags     map[string]map[string]string
	outside  []string
	eventAge time.Duration
	expires  bool     // the peering still has an expiration time
	left     []string // "route 111", "rule 222": what the ledger has in an account
	entry    string   // the status that the ledger has of the peering; empty: it is not managed
	said     string   // the reason of that status
	approval ledger.Approval
	book     *ledger.Ledger
	keeps    bool     // the ledger stays from look to look
	gone     []string // accounts whose VPC was deleted
	hidden   []string // accounts that no longer see the peering
	closed   []string // accounts that do not let us in
	// suspended are accounts that are not active now: they let nobody in, either. asked are the removals that the brake was asked about.
	suspended []string
	asked     []brake.Removal
	books     int // notebook instances besides Research
	// slow are accounts whose calls AWS throttles, and tried is how often the Task was tried again.
	slow  []string
	tried int
}

// account is the world as one account sees it: a fake of every call that an inspection makes.
type account struct {
	*world
	databasetest.None
	notebooktest.Nobody
	id, vpc, cidr string
}

func (w *world) enter(_ string, p event.Place) peering.Clients {
	a := account{world: w, id: p.Account, vpc: "vpc-1", cidr: "10.1.0.0/16"}
	if p.Account == "222222222222" {
		a.vpc, a.cidr = "vpc-2", "10.2.0.0/16"
	}
	return peering.Clients{EC2: a, Databases: database.APIs{RDS: a, Redshift: a, Serverless: databasetest.Nothing{}, Tagged: databasetest.Nothing{}}, SageMaker: a, Lambda: a}
}

func (a account) called(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, name+" "+a.id[:3])
}

// door is the error of an account that does not let us in.
func (a account) door() error {
	if slices.Contains(a.slow, a.id) {
		return fault.New(fault.Transient, "throttled in %s", a.id)
	}
	if !slices.Contains(a.closed, a.id) && !slices.Contains(a.suspended, a.id) {
		return nil
	}
	return fmt.Errorf("signing: %w", &fault.Error{Kind: fault.Refused, Message: "assuming a role in " + a.id + ": access denied", Cause: fault.ErrClosed})
}

func (a account) DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	a.called("DescribeVpcPeeringConnections")
	if err := a.door(); err != nil {
		return nil, err
	}
	if a.status == "" || slices.Contains(a.hidden, a.id) {
		return nil, &smithy.GenericAPIError{Code: "InvalidVpcPeeringConnectionID.NotFound"}
	}
	c := types.VpcPeeringConnection{VpcPeeringConnectionId: aws.String("pcx-0123456789abcdef0"),
		Status:           &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCode(a.status)},
		RequesterVpcInfo: &types.VpcPeeringConnectionVpcInfo{OwnerId: aws.String("111111111111"), Region: aws.String("eu-west-1"), VpcId: aws.String("vpc-1")},
		AccepterVpcInfo:  &types.VpcPeeringConnectionVpcInfo{OwnerId: aws.String("222222222222"), Region: aws.String("eu-west-1"), VpcId: aws.String("vpc-2")}}
	if a.expires || a.status == "pending-acceptance" {
		c.ExpirationTime = aws.Time(now.Add(7 * 24 * time.Hour))
	}
	for k, v := range a.tags[a.id] {
		c.Tags = append(c.Tags, types.Tag{Key: &k, Value: &v})
	}
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []types.VpcPeeringConnection{c}}, nil
}

func (a account) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	a.called("DescribeVpcs")
	if err := a.door(); err != nil {
		return nil, err
	}
	if slices.Contains(a.gone, a.id) {
		return nil, &smithy.GenericAPIError{Code: "InvalidVpcID.NotFound"}
	}
	v := types.Vpc{VpcId: &a.vpc, CidrBlock: &a.cidr}
	if a.vpc == "vpc-2" && a.accept != "" {
		v.Tags = []types.Tag{{Key: aws.String("drawbridge:accept"), Value: &a.accept}}
	}
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{v}}, nil
}

func (a account) DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	a.called("DescribeRouteTables")
	table := types.RouteTable{RouteTableId: aws.String("rtb-" + a.vpc), Associations: []types.RouteTableAssociation{{Main: aws.Bool(true)}}}
	return &ec2.DescribeRouteTablesOutput{RouteTables: []types.RouteTable{table}}, nil
}

func (account) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	return &ec2.DescribeSecurityGroupsOutput{}, nil
}

func (a account) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	a.called("DescribeSubnets")
	return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{{SubnetId: aws.String("subnet-" + a.vpc), CidrBlock: aws.String(strings.Replace(a.cidr, "/16", "/24", 1))}}}, nil
}

func (a account) DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
	a.called("DescribeDBInstances")
	if a.vpc != "vpc-2" {
		return &rds.DescribeDBInstancesOutput{}, nil
	}
	db := func(name string, port int32, share, vpc string) rdstypes.DBInstance {
		return rdstypes.DBInstance{DBInstanceIdentifier: &name, DBInstanceArn: aws.String("arn:" + name), Engine: aws.String("mysql"), Endpoint: &rdstypes.Endpoint{Port: &port},
			DBSubnetGroup: &rdstypes.DBSubnetGroup{VpcId: &vpc}, TagList: []rdstypes.Tag{{Key: aws.String("drawbridge:share"), Value: &share}},
			VpcSecurityGroups: []rdstypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-db")}}}
	}
	return &rds.DescribeDBInstancesOutput{DBInstances: []rdstypes.DBInstance{db("orders", 3307, "true", "vpc-2"), db("mine", 3308, "111111111111 333333333333", "vpc-2"),
		db("theirs", 3309, "333333333333", "vpc-2"), db("unclear", 3311, "yes", "vpc-2"), db("elsewhere", 3310, "true", "vpc-9"), {DBInstanceIdentifier: aws.String("being-created"), DBSubnetGroup: &rdstypes.DBSubnetGroup{VpcId: aws.String("vpc-2")}}}}, nil
}

func (a account) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	a.called("DescribeDBClusters")
	return &rds.DescribeDBClustersOutput{}, nil
}

func (a account) DescribeDBSubnetGroups(context.Context, *rds.DescribeDBSubnetGroupsInput, ...func(*rds.Options)) (*rds.DescribeDBSubnetGroupsOutput, error) {
	a.called("DescribeDBSubnetGroups")
	return &rds.DescribeDBSubnetGroupsOutput{}, nil
}

func (a account) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	a.called("DescribeClusters")
	return &redshift.DescribeClustersOutput{}, nil
}

func (a account) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	a.called("ListNotebookInstances")
	out := &sagemaker.ListNotebookInstancesOutput{NotebookInstances: []smtypes.NotebookInstanceSummary{{NotebookInstanceName: aws.String("Research")}, {NotebookInstanceName: aws.String("gone")}}}
	for i := range a.books {
		out.NotebookInstances = append(out.NotebookInstances, smtypes.NotebookInstanceSummary{NotebookInstanceName: aws.String(fmt.Sprint("Book-", i))})
	}
	return out, nil
}

func (a account) DescribeNotebookInstance(_ context.Context, in *sagemaker.DescribeNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	a.called("DescribeNotebookInstance")
	if *in.NotebookInstanceName == "gone" {
		return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "RecordNotFound"}
	}
	return &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceName: in.NotebookInstanceName, NotebookInstanceArn: aws.String("arn:nb"), SubnetId: aws.String("subnet-" + a.vpc), NotebookInstanceStatus: smtypes.NotebookInstanceStatusInService}, nil
}

func (a account) ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	a.called("ListTags")
	return &sagemaker.ListTagsOutput{Tags: []smtypes.Tag{{Key: aws.String("drawbridge:restart"), Value: aws.String("allowed")}}}, nil
}

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const pcx = "pcx-0123456789abcdef0"

// managed returns the ledger of the world.
func (w *world) managed(t *testing.T) ledger.Ledger {
	t.Helper()
	if w.book != nil {
		return *w.book
	}
	if w.keeps && w.book != nil {
		return *w.book
	}
	l, _ := ledgertest.New()
	w.book = &l
	ctx := context.Background()
	if w.entry != "" {
		entry := ledger.Connection{Approval: w.approval, ID: pcx, Kind: road.Peering, Question: w.said, Sides: []ledger.Side{
			{Role: "requester", Account: alpha, Region: "eu-west-1", ID: "vpc-1"}, {Role: "accepter", Account: beta, Region: "eu-west-1", ID: "vpc-2"}}}
		entry.Stand(ledger.Status(w.entry), w.said, "", time.Time{}) // whatever was asked
		if entry, err := l.Begin(ctx, entry); err != nil || entry.ID == "" {
			t.Fatal(err)
		}
	}
	for _, left := range w.left {
		kind, account, _ := strings.Cut(left, " ")
		i := ledger.Item{Account: strings.Repeat(account[:1], 12), Region: "eu-west-1", Resource: "rtb-1", Kind: ledger.Route, Key: "10.9.0.0/16", Left: pcx}
		if kind == "rule" {
			i.Resource, i.Kind, i.Key, i.Left = "sg-db", ledger.Rule, "ingress tcp 3306 10.7.0.0/16", "sgr-1"
		}
		recorded, err := l.Record(ctx, pcx, i)
		if err == nil {
			_, err = l.Confirm(ctx, recorded...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (w *world) inspect(t *testing.T, name, from string, looked workflow.Looked) (workflow.InspectPeeringOutput, error) {
	t.Helper()
	inspector := peering.Inspector{
		Brake: func(_ context.Context, r brake.Removal) error { w.asked = append(w.asked, r); return nil },
		Enter: w.enter,
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
			if slices.Contains(w.suspended, id) {
				return workflow.AccountFacts{ID: id, OUPath: "o-abc1234567/r-ab12/", Suspended: "SUSPENDED"}, nil
			}
			if slices.Contains(w.outside, id) {
				return workflow.AccountFacts{ID: id}, nil
			}
			return workflow.AccountFacts{ID: id, Organization: "o-abc1234567", OUPath: "o-abc1234567/r-ab12/"}, nil
		},
		Units: func(context.Context, string) (string, error) { return "Research", nil },
		Policy: func(context.Context) (*policy.Set, error) {
			return policy.Default(), nil
		},
		Ledger: w.managed(t),
		Now:    func() time.Time { return now },
	}
	raw := fmt.Sprintf(`{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":%q,"region":"eu-west-1","time":%q,"detail":{"eventName":%q,
		"requestParameters":{"vpcPeeringConnectionId":"pcx-0123456789abcdef0"},
		"responseElements":{"vpcPeeringConnection":{"vpcPeeringConnectionId":"pcx-0123456789abcdef0","accepterVpcInfo":{"ownerId":"222222222222","region":"eu-west-1"}}}}}`,
		from, now.Add(-w.eventAge).Format(time.RFC3339), name)
	return inspector.Inspect(context.Background(), workflow.InspectPeeringInput{Execution: "x", Event: json.RawMessage(raw), Looked: looked, Tried: w.tried})
}

const create, accepted = "CreateVpcPeeringConnection", "AcceptVpcPeeringConnection"

func TestInspectAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		world  *world
		answer workflow.Answer
		reason string
	}{
		"a request to a VPC that takes all":             {&world{status: "pending-acceptance", accept: "auto"}, workflow.AnswerAccept, "accept-auto"},
		"a request to a VPC that says nothing":          {&world{status: "pending-acceptance"}, workflow.AnswerAsk, "ask-owner"},
		"a request to a VPC that takes none":            {&world{status: "pending-acceptance", accept: "never"}, workflow.AnswerRefuse, "accept-never"},
		"approved by the accepter's owner":              {&world{status: "pending-acceptance", tags: map[string]map[string]string{"222222222222": {"drawbridge:approval": "approved"}}}, workflow.AnswerAccept, "accept-approved"},
		"rejected by the accepter's owner":              {&world{status: "pending-acceptance", tags: map[string]map[string]string{"222222222222": {"drawbridge:approval": "rejected"}}}, workflow.AnswerRefuse, "rejected-by-owner"},
		"a tag in the requester's account is no matter": {&world{status: "pending-acceptance", tags: map[string]map[string]string{"111111111111": {"drawbridge:approval": "approved"}}}, workflow.AnswerAsk, "ask-owner"},
		"an approval that is neither word":              {&world{status: "pending-acceptance", tags: map[string]map[string]string{"222222222222": {"drawbridge:approval": "yes; rm -rf /"}}}, workflow.AnswerAsk, "ask-owner"},
		"as people write auto":                          {&world{status: "pending-acceptance", accept: " AUTO"}, workflow.AnswerAccept, "accept-auto"},
		"as people write never":                         {&world{status: "pending-acceptance", accept: "Never"}, workflow.AnswerRefuse, "accept-never"},
		"as people write approved":                      {&world{status: "pending-acceptance", tags: map[string]map[string]string{"222222222222": {"drawbridge:approval": " Approved "}}}, workflow.AnswerAccept, "accept-approved"},
		"a tag of the VPC that means nothing": {&world{status: "pending-acceptance", accept: "yes"}, workflow.AnswerAsk,
			"approval needed by policy ask-owner; drawbridge:accept=yes means nothing: write auto, ask or never"},
		"an approval that means nothing": {&world{status: "pending-acceptance", tags: map[string]map[string]string{"222222222222": {"drawbridge:approval": "yes"}}}, workflow.AnswerAsk,
			"approval needed by policy ask-owner; drawbridge:approval=yes means nothing: write approved, approved-all, rejected or the value that the question names"},
		"an active peering":                    {&world{status: "active"}, workflow.AnswerConnect, "route-both-ways"},
		"a peering on its way":                 {&world{status: "provisioning"}, workflow.AnswerWait, "provisioning"},
		"a requester outside the organization": {&world{status: "pending-acceptance", accept: "auto", outside: []string{"111111111111"}}, workflow.AnswerRefuse, "111111111111 is outside"},
		"both outside the organization":        {&world{status: "pending-acceptance", outside: []string{"111111111111", "222222222222"}}, workflow.AnswerNothing, "outside"},
		"a peering that no longer exists":      {&world{eventAge: time.Hour}, workflow.AnswerNothing, "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(t, create, "111111111111", workflow.Looked{})
			if err != nil || out.Answer != c.answer || !strings.Contains(out.Reason, c.reason) {
				t.Errorf("got %s (%s), %v, want %s with %q", out.Answer, out.Reason, err, c.answer, c.reason)
			}
		})
	}
}

func TestARequestThatEC2DoesNotShowYetIsRetried(t *testing.T) {
	w := world{}
	if _, err := w.inspect(t, create, "111111111111", workflow.Looked{}); fault.Of(err) != fault.NotYet {
		t.Errorf("error = %v, want NotYet", err)
	}
}

func TestNoCallEntersAnAccountOutsideTheOrganization(t *testing.T) {
	w := world{status: "pending-acceptance", outside: []string{"111111111111"}}
	if _, err := w.inspect(t, create, "111111111111", workflow.Looked{}); err != nil {
		t.Fatal(err)
	}
	for _, call := range w.calls {
		if strings.HasSuffix(call, "111") {
			t.Errorf("called %s", call)
		}
	}
}

func TestWhatIsKnownIsNotReadAgain(t *testing.T) {
	w := world{status: "pending-acceptance", accept: "auto"}
	first, err := w.inspect(t, create, "111111111111", workflow.Looked{})
	if err != nil {
		t.Fatal(err)
	}
	w.calls, w.status = nil, "active"
	second, err := w.inspect(t, create, "111111111111", first.Looked)
	if err != nil || second.Answer != workflow.AnswerConnect {
		t.Fatalf("%+v, %v", second.Answer, err)
	}
	for _, call := range w.calls {
		if strings.HasPrefix(call, "DescribeVpcs") || strings.HasPrefix(call, "DescribeRouteTables") {
			t.Errorf("read again: %s", call)
		}
	}
}

func TestConnectSurveysBothSides(t *testing.T) {
	w := world{status: "active", entry: "AwaitingApproval"}
	out, err := w.inspect(t, accepted, "222222222222", workflow.Looked{})
	if err != nil || len(out.Sides) != 2 {
		t.Fatalf("%+v, %v", out.Sides, err)
	}
	consumer, producer := out.Sides[0], out.Sides[1]
	if !consumer.Consumer || producer.Consumer || fmt.Sprint(consumer.Ports) != "[3307 3308]" {
		t.Errorf("consumer = %v with ports %v", consumer.Consumer, consumer.Ports)
	}
	var opened []string
	for _, o := range producer.AllowedDatabases {
		opened = append(opened, o.Database)
	}
	if fmt.Sprint(opened) != "[mine orders]" {
		t.Errorf("opened = %v, want those shared with everybody or with this consumer, in this VPC, on their ports", opened)
	}
	closed := workflow.Hop{Hop: "database unclear", Detail: "not opened to 111111111111; drawbridge:share=yes means nothing: write account ids of 12 digits with blanks between or true for every account"}
	if !slices.Equal(out.Found, []workflow.Hop{closed}) {
		t.Errorf("found %+v, want %+v", out.Found, closed)
	}
	if len(out.Notebooks) != 1 || len(out.Batches) != 1 || fmt.Sprint(out.Batches[0].Names) != "[Research]" || out.Batches[0].Here.VPC.Account != "111111111111" || out.Batches[0].There.VPC.Account != "222222222222" {
		t.Errorf("notebooks = %v, %+v", out.Notebooks, out.Batches)
	}
}

func TestAskSaysWhatWouldBecomeReachable(t *testing.T) {
	w := world{status: "pending-acceptance"}
	out, err := w.inspect(t, create, "111111111111", workflow.Looked{})
	if err != nil || out.Answer != workflow.AnswerAsk || len(out.Sides) != 2 {
		t.Fatalf("%s with %+v, %v", out.Answer, out.Sides, err)
	}
	if requester, accepter := out.Sides[0], out.Sides[1]; len(requester.AllowedDatabases) != 0 || len(accepter.AllowedDatabases) != 2 || accepter.AllowedDatabases[1].Database != "orders" {
		t.Errorf("the requester opens %+v, the accepter %+v", requester.AllowedDatabases, accepter.AllowedDatabases)
	}
	if out.Told || out.Expires != "2026-11-29T09:00:00Z" {
		t.Errorf("told %v, expires %q", out.Told, out.Expires)
	}
	for _, call := range w.calls {
		if strings.HasPrefix(call, "DescribeSubnets") || strings.Contains(call, "Notebook") {
			t.Errorf("%s is of no use before the peering is active", call)
		}
	}
}

// What there is to connect is read before the acceptance, which is the first change; for a refusal it is of no use.
func TestDatabasesAreNotReadForARefusal(t *testing.T) {
	for accept, reads := range map[string]bool{"auto": true, "never": false} {
		w := world{status: "pending-acceptance", accept: accept}
		if _, err := w.inspect(t, create, "111111111111", workflow.Looked{}); err != nil {
			t.Fatal(err)
		}
		if len(w.calls) == 0 || reads != slices.ContainsFunc(w.calls, func(c string) bool { return strings.HasPrefix(c, "DescribeDB") }) {
			t.Errorf("drawbridge:accept=%s: called %v", accept, w.calls)
		}
	}
}

// Notebook instances are read once, before the acceptance, and what travels does not grow with them.
func TestNotebooksAreReadOnceAndDoNotTravel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // as many calls as this are paced
		for _, books := range []int{20, 90} {
			w := world{status: "pending-acceptance", accept: "auto", books: books, keeps: true}
			out, err := w.inspect(t, create, "111111111111", workflow.Looked{})
			if err != nil || out.Answer != workflow.AnswerAccept || len(out.Sides) != 0 || workflow.Instances(out.Known.Batches) != books+1 || len(out.Rows) != 2 {
				t.Errorf("%d more: %s with %d sides, %v", books, out.Answer, len(out.Sides), err)
			}
			w.status, w.calls = "active", nil
			next, err := w.inspect(t, create, "111111111111", out.Looked)
			if err != nil || next.Answer != workflow.AnswerConnect || len(next.Sides) != 2 || len(next.Notebooks) != books/workflow.BatchSize+1 || workflow.Instances(next.Batches) != books+1 || next.Known.Sides != nil {
				t.Errorf("afterwards %s with %d sides, %v", next.Answer, len(next.Sides), err)
			}
			if slices.ContainsFunc(w.calls, func(c string) bool { return strings.HasPrefix(c, "DescribeDB") || strings.Contains(c, "Notebook") }) {
				t.Errorf("afterwards it reads again: %v", w.calls)
			}
		}
	})
}

// What there is to approve in the world.
const (
	addresses = "range 10.1.0.0/16"
	mine      = "database mine, mysql, TCP port 3308"
	orders    = "database orders, mysql, TCP port 3307"
)

var whole = []string{mine, orders, addresses}

// asked is what an entry says after a question.
func asked(shown []string) ledger.Approval {
	a := cover.Ask(ledger.Approval{}, shown)
	if len(shown) > 0 {
		a.Told = cover.Digest(shown)
	}
	return a
}

// An approval opens what its question showed. What came later is asked about, and not opened.
func TestAnApprovalCoversWhatItShowed(t *testing.T) {
	said := func(value string) map[string]map[string]string {
		return map[string]map[string]string{beta: {"drawbridge:approval": value}}
	}
	covered := func(lines ...string) ledger.Approval {
		a := asked(cover.Lines(lines...))
		a.Covered = a.First
		return a
	}
	again := func(a ledger.Approval, lines ...string) ledger.Approval {
		a.Shown = cover.Lines(lines...)
		a.Told = cover.Digest(a.Shown)
		return a
	}
	for name, c := range map[string]struct {
		accept   string
		tags     map[string]map[string]string
		approval ledger.Approval
		answer   workflow.Answer
		opened   []string
		from     int // how many ranges may come in
		waits    string
		covered  []string
	}{
		"nothing came":                       {"", said("approved"), covered(whole...), workflow.AnswerConnect, []string{"mine", "orders"}, 1, "", whole},
		"approved now":                       {"", said("approved"), asked(whole), workflow.AnswerConnect, []string{"mine", "orders"}, 1, "", whole},
		"accepted by hand, as it was asked":  {"", nil, asked([]string{orders, addresses}), workflow.AnswerExtend, []string{"orders"}, 1, "mine on TCP port 3308", []string{orders, addresses}},
		"accepted by hand, and nobody asked": {"", nil, ledger.Approval{}, workflow.AnswerConnect, []string{"mine", "orders"}, 1, "", whole},
		"a database came":                    {"", said("approved"), covered(orders, addresses), workflow.AnswerExtend, []string{"orders"}, 1, "mine on TCP port 3308", []string{orders, addresses}},
		"a database came and was asked about": {"", said("approved"), again(covered(orders, addresses), mine), workflow.AnswerConnect, []string{"orders"}, 1, "mine on TCP port 3308",
			[]string{orders, addresses}},
		"and approved": {"", said("approved-" + cover.Digest([]string{mine})), again(covered(orders, addresses), mine), workflow.AnswerConnect, []string{"mine", "orders"}, 1, "", whole},
		"and an old answer stands there": {"", said("approved-00000000"), again(covered(orders, addresses), mine), workflow.AnswerConnect, []string{"orders"}, 1, "approved-00000000 answers an earlier question",
			[]string{orders, addresses}},
		"the requester approves":      {"", map[string]map[string]string{alpha: {"drawbridge:approval": "approved-all"}}, covered(orders, addresses), workflow.AnswerExtend, []string{"orders"}, 1, "mine", []string{orders, addresses}},
		"a range came":                {"", said("approved"), covered(mine, orders), workflow.AnswerExtend, nil, 0, "10.1.0.0/16", []string{mine, orders}},
		"all was approved":            {"", said("approved-all"), covered(orders), workflow.AnswerConnect, []string{"mine", "orders"}, 1, "", whole},
		"nobody has to approve":       {"auto", said("approved"), covered(orders), workflow.AnswerConnect, []string{"mine", "orders"}, 1, "", nil},
		"a database that went is not": {"", said("approved"), covered(append(whole, "another")...), workflow.AnswerConnect, []string{"mine", "orders"}, 1, "", cover.Lines(append(whole, "another")...)},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{status: "active", entry: "Connected", accept: c.accept, tags: c.tags, approval: c.approval}
			out, err := w.inspect(t, accepted, beta, workflow.Looked{})
			if err != nil || out.Answer != c.answer {
				t.Fatalf("%s (%s), %v, want %s", out.Answer, out.Reason, err, c.answer)
			}
			var opened []string
			for _, o := range out.Sides[1].AllowedDatabases {
				opened = append(opened, o.Database)
			}
			slices.Sort(opened)
			if !slices.Equal(opened, c.opened) || len(out.Sides[1].Peer.CIDRs) != c.from || len(out.Sides[0].Ports) != len(c.opened) {
				t.Errorf("opened %v to %v and ports %v, want %v to %d ranges", opened, out.Sides[1].Peer.CIDRs, out.Sides[0].Ports, c.opened, c.from)
			}
			if waits := out.Waits.Said.Accepter; (c.waits == "") != (waits == "") || !strings.Contains(waits, c.waits) {
				t.Errorf("waits %q, want %q", waits, c.waits)
			}
			var shut []string
			for _, h := range out.Found {
				if strings.HasPrefix(h.Hop, "database ") && !h.OK && strings.Contains(h.Detail, "all ranges of vpc-1 by which it would be reached wait") {
					shut = append(shut, h.Hop)
				}
			}
			if nothing := strings.Contains(out.Reason, "all ranges of vpc-1 wait"); nothing != (c.from == 0) || nothing != slices.Equal(shut, []string{"database mine", "database orders"}) {
				t.Errorf("says %q, and of what is shut %v", out.Reason, shut)
			}
			if theirs := out.Waits.Said.Requester; strings.Contains(theirs, "mine") || (theirs == "") != (c.waits == "") {
				t.Errorf("the requester is told %q", theirs)
			}
			if asks := len(out.Waits.Reachable)+len(out.Waits.Ranges) > 0; asks != (c.answer == workflow.AnswerExtend) {
				t.Errorf("waits %+v", out.Waits)
			}
			entry, _, err := w.managed(t).Connection(context.Background(), pcx)
			if err != nil || !slices.Equal(entry.Approval.Covered, c.covered) {
				t.Errorf("covered %v, %v, want %v", entry.Approval.Covered, err, c.covered)
			}
		})
	}
}

func TestWhoWasToldIsNotToldAgain(t *testing.T) {
	for name, c := range map[string]struct {
		status, reason string
		shown          []string
		reminded, told bool
	}{
		"told, for this reason":          {"AwaitingApproval", "approval needed by policy ask-owner", whole, false, true},
		"told, for another reason":       {"AwaitingApproval", "approval needed by policy ask-security", whole, false, false},
		"told and reminded":              {"AwaitingApproval", "approval needed by policy ask-owner", whole, true, true},
		"told, and a database came":      {"AwaitingApproval", "approval needed by policy ask-owner", []string{addresses, orders}, false, false},
		"told, and a range came":         {"AwaitingApproval", "approval needed by policy ask-owner", []string{mine, orders}, false, false},
		"told, and a database went":      {"AwaitingApproval", "approval needed by policy ask-owner", cover.Lines(append(whole, "another")...), false, true},
		"told before approvals had sums": {"AwaitingApproval", "approval needed by policy ask-owner", nil, false, false},
		"an execution failed since":      {"Failed", "approval needed by policy ask-owner", whole, false, true},
		"it could not be read since":     {"Unreadable", "approval needed by policy ask-owner", whole, false, true},
		"refused before":                 {"Refused", "approval needed by policy ask-owner", whole, false, false},
		"nobody was told":                {"", "", nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{status: "pending-acceptance", entry: c.status, said: c.reason, approval: asked(c.shown)}
			if c.reminded {
				if _, err := w.managed(t).Change(context.Background(), pcx, func(e *ledger.Connection) { e.Facts = map[string]string{"reminded": c.reason} }); err != nil {
					t.Fatal(err)
				}
			}
			out, err := w.inspect(t, create, "111111111111", workflow.Looked{})
			if err != nil || out.Answer != workflow.AnswerAsk || out.Told != c.told || out.Reminded != c.reminded {
				t.Errorf("%s, told %v, reminded %v, %v, want %v", out.Answer, out.Told, out.Reminded, err, c.told)
			}
		})
	}
}

// A peering is managed from the record of its request, or from the first look at it while it is pending; or if one of its owners asks. Of
// any other nothing is read but the peering itself.
func TestWhatIsManaged(t *testing.T) {
	tagged := func(account, key, value string) map[string]map[string]string {
		return map[string]map[string]string{account: {key: value}}
	}
	both := map[string]map[string]string{alpha: {"drawbridge:manage": "true"}, beta: {"drawbridge:manage": "true"}}
	for name, c := range map[string]struct {
		world       *world
		event, from string
		answer      workflow.Answer
		managed     bool
		reason      string
	}{
		"its request was seen, and it was accepted by hand": {&world{status: "active"}, create, alpha, workflow.AnswerConnect, true, ""},
		"a record of its request in another account":        {&world{status: "active"}, create, beta, workflow.AnswerNothing, false, "was not given to Drawbridge"},
		"pending, whatever the event":                       {&world{status: "pending-acceptance"}, accepted, beta, workflow.AnswerAsk, true, ""},
		"pending, and refused":                              {&world{status: "pending-acceptance", accept: "never"}, accepted, beta, workflow.AnswerRefuse, true, ""},
		"made by hand before":                               {&world{status: "active"}, accepted, beta, workflow.AnswerNothing, false, "drawbridge:manage=true"},
		"made by hand before, on its way":                   {&world{status: "provisioning"}, accepted, beta, workflow.AnswerNothing, false, "was not given to Drawbridge"},
		"with Drawbridge's own tags, set by hand":           {&world{status: "active", tags: tagged(beta, "drawbridge:status", "Connected")}, accepted, beta, workflow.AnswerNothing, false, "was not given to Drawbridge"},
		"its requester asks":                                {&world{status: "active", tags: tagged(alpha, "drawbridge:manage", " True")}, accepted, beta, workflow.AnswerConnect, true, ""},
		"its accepter asks":                                 {&world{status: "active", tags: tagged(beta, "drawbridge:manage", "true")}, accepted, alpha, workflow.AnswerConnect, true, ""},
		"its requester asks an accepter who wants to be":    {&world{status: "active", accept: "ask", tags: tagged(alpha, "drawbridge:manage", "true")}, accepted, alpha, workflow.AnswerNothing, false, "refused by policy accept-ask"},
		"both ask":                           {&world{status: "active", accept: "ask", tags: both}, accepted, alpha, workflow.AnswerConnect, true, ""},
		"the other VPC is never connected":   {&world{status: "active", accept: "never", tags: tagged(alpha, "drawbridge:manage", "true")}, accepted, alpha, workflow.AnswerNothing, false, "refused by policy accept-never"},
		"its owner wants it left alone":      {&world{status: "pending-acceptance", tags: tagged(alpha, "drawbridge:manage", "false")}, create, alpha, workflow.AnswerNothing, false, "drawbridge:manage=false"},
		"over, and never managed":            {&world{status: "deleted", tags: tagged(alpha, "drawbridge:status", "Connected")}, deleted, alpha, workflow.AnswerNothing, false, "Drawbridge has nothing of it"},
		"asked for, with an account outside": {&world{status: "active", outside: []string{beta}, tags: tagged(alpha, "drawbridge:manage", "true")}, accepted, alpha, workflow.AnswerNothing, false, "was not given"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(t, c.event, c.from, workflow.Looked{})
			if err != nil || out.Answer != c.answer || !strings.Contains(out.Reason, c.reason) {
				t.Fatalf("got %s (%s), %v, want %s with %q", out.Answer, out.Reason, err, c.answer, c.reason)
			}
			entry, managed, err := c.world.book.Connection(context.Background(), pcx)
			if err != nil || managed != c.managed || managed && len(entry.Sides) != 2 {
				t.Errorf("managed %v: %+v, %v", managed, entry, err)
			}
			if c.answer == workflow.AnswerNothing && len(c.reason) > 0 && !strings.Contains(c.reason, "policy") &&
				slices.ContainsFunc(c.world.calls, func(call string) bool { return !strings.HasPrefix(call, "DescribeVpcPeeringConnections") }) {
				t.Errorf("called %v", c.world.calls)
			}
		})
	}
}

// An owner who takes a connection out of Drawbridge's hands says whether what was added stays.
func TestLettingGo(t *testing.T) {
	for value, want := range map[string]string{"false": "disconnect Released true []", "undo": "disconnect Removed true [requester accepter]"} {
		w := &world{status: "active", entry: "Connected", left: []string{"route 111", "rule 222"}, tags: map[string]map[string]string{beta: {"drawbridge:manage": value}}}
		out, err := w.inspect(t, accepted, alpha, workflow.Looked{})
		roles := []string{}
		for _, s := range out.Sides {
			roles = append(roles, s.Role)
		}
		if got := fmt.Sprint(out.Answer, " ", out.Result, " ", out.Ended, " ", roles); err != nil || got != want || len(out.Tagged) != 2 {
			t.Errorf("%s: %s, %d tagged, %v, want %s", value, got, len(out.Tagged), err, want)
		}
	}
}

func (a account) DescribeClusterSubnetGroups(context.Context, *redshift.DescribeClusterSubnetGroupsInput, ...func(*redshift.Options)) (*redshift.DescribeClusterSubnetGroupsOutput, error) {
	return &redshift.DescribeClusterSubnetGroupsOutput{}, nil
}
