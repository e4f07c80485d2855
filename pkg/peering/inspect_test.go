package peering_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
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

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
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
	left     []string // "route 111", "rule 222": what is left in an account
	gone     []string // accounts whose VPC was deleted
	hidden   []string // accounts that no longer see the peering
	closed   []string // accounts that do not let us in
	books    int      // notebook instances besides Research

	peer      string // what the rule that is left says of its peer
	groupless bool   // the group of the rule that is left went meanwhile
}

// account is the world as one account sees it: a fake of every call that an inspection makes.
type account struct {
	*world
	id, vpc, cidr string
}

func (w *world) enter(_ string, p event.Place) peering.Clients {
	a := account{w, p.Account, "vpc-1", "10.1.0.0/16"}
	if p.Account == "222222222222" {
		a.vpc, a.cidr = "vpc-2", "10.2.0.0/16"
	}
	return peering.Clients{EC2: a, RDS: a, Redshift: a, SageMaker: a}
}

func (a account) called(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, name+" "+a.id[:3])
}

func (a account) DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	a.called("DescribeVpcPeeringConnections")
	if slices.Contains(a.closed, a.id) {
		return nil, fmt.Errorf("signing: %w", &fault.Error{Kind: fault.Refused, Message: "assuming a role in " + a.id + ": access denied", Cause: fault.ErrClosed})
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
	if slices.Contains(a.left, "route "+a.id[:3]) {
		table.Routes = []types.Route{{DestinationCidrBlock: aws.String("10.9.0.0/16"), VpcPeeringConnectionId: aws.String("pcx-0123456789abcdef0"), State: types.RouteStateBlackhole}}
	}
	return &ec2.DescribeRouteTablesOutput{RouteTables: []types.RouteTable{table}}, nil
}

func (a account) DescribeSecurityGroupRules(_ context.Context, in *ec2.DescribeSecurityGroupRulesInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	a.called("DescribeSecurityGroupRules")
	out := &ec2.DescribeSecurityGroupRulesOutput{}
	if slices.Contains(a.left, "rule "+a.id[:3]) {
		out.SecurityGroupRules = []types.SecurityGroupRule{{SecurityGroupRuleId: aws.String("sgr-1"), GroupId: aws.String("sg-db"),
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306), CidrIpv4: aws.String("10.7.0.0/16"),
			Tags: []types.Tag{{Key: aws.String("drawbridge:connection"), Value: aws.String("pcx-0123456789abcdef0")}, {Key: aws.String("drawbridge:peer"), Value: aws.String(a.peer)}}}}
	}
	return out, nil
}

func (a account) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	a.called("DescribeSecurityGroups")
	if a.groupless {
		return &ec2.DescribeSecurityGroupsOutput{}, nil
	}
	return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: []types.SecurityGroup{{GroupId: aws.String("sg-db"), VpcId: &a.vpc}}}, nil
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

func (w *world) inspect(t *testing.T, name, from string, known workflow.Known) (workflow.InspectPeeringOutput, error) {
	t.Helper()
	inspector := peering.Inspector{
		Brake: func(context.Context, string, string) error { return nil },
		Enter: w.enter,
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
			if slices.Contains(w.outside, id) {
				return workflow.AccountFacts{ID: id}, nil
			}
			return workflow.AccountFacts{ID: id, Organization: "o-abc1234567", OUPath: "o-abc1234567/r-ab12/"}, nil
		},
		Policy: func(context.Context, string) (*policy.Set, string, error) {
			return policy.Default(), policy.DefaultText(), nil
		},
		Now: func() time.Time { return now },
	}
	raw := fmt.Sprintf(`{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":%q,"region":"eu-west-1","time":%q,"detail":{"eventName":%q,
		"requestParameters":{"vpcPeeringConnectionId":"pcx-0123456789abcdef0"},
		"responseElements":{"vpcPeeringConnection":{"vpcPeeringConnectionId":"pcx-0123456789abcdef0","accepterVpcInfo":{"ownerId":"222222222222","region":"eu-west-1"}}}}}`,
		from, now.Add(-w.eventAge).Format(time.RFC3339), name)
	return inspector.Inspect(context.Background(), workflow.InspectPeeringInput{Execution: "x", Event: json.RawMessage(raw), Known: known})
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
			"approval needed by policy ask-owner; drawbridge:approval=yes means nothing: write approved or rejected"},
		"an active peering":                    {&world{status: "active"}, workflow.AnswerConnect, "route-both-ways"},
		"a peering on its way":                 {&world{status: "provisioning"}, workflow.AnswerWait, "provisioning"},
		"a requester outside the organization": {&world{status: "pending-acceptance", accept: "auto", outside: []string{"111111111111"}}, workflow.AnswerRefuse, "111111111111 is outside"},
		"both outside the organization":        {&world{status: "pending-acceptance", outside: []string{"111111111111", "222222222222"}}, workflow.AnswerNothing, "outside"},
		"a peering that no longer exists":      {&world{eventAge: time.Hour}, workflow.AnswerNothing, "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.world.inspect(t, create, "111111111111", workflow.Known{})
			if err != nil || out.Answer != c.answer || !strings.Contains(out.Reason, c.reason) {
				t.Errorf("got %s (%s), %v, want %s with %q", out.Answer, out.Reason, err, c.answer, c.reason)
			}
		})
	}
}

func TestARequestThatEC2DoesNotShowYetIsRetried(t *testing.T) {
	w := world{}
	if _, err := w.inspect(t, create, "111111111111", workflow.Known{}); fault.Of(err) != fault.NotYet {
		t.Errorf("error = %v, want NotYet", err)
	}
}

func TestNoCallEntersAnAccountOutsideTheOrganization(t *testing.T) {
	w := world{status: "pending-acceptance", outside: []string{"111111111111"}}
	if _, err := w.inspect(t, create, "111111111111", workflow.Known{}); err != nil {
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
	first, err := w.inspect(t, create, "111111111111", workflow.Known{})
	if err != nil {
		t.Fatal(err)
	}
	w.calls, w.status = nil, "active"
	second, err := w.inspect(t, create, "111111111111", first.Known)
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
	w := world{status: "active"}
	out, err := w.inspect(t, accepted, "222222222222", workflow.Known{})
	if err != nil || len(out.Sides) != 2 {
		t.Fatalf("%+v, %v", out.Sides, err)
	}
	consumer, producer := out.Sides[0], out.Sides[1]
	if !consumer.Consumer || producer.Consumer || fmt.Sprint(consumer.Ports) != "[3307 3308]" {
		t.Errorf("consumer = %v with ports %v", consumer.Consumer, consumer.Ports)
	}
	var opened []string
	for _, o := range producer.Openings {
		opened = append(opened, o.Database)
	}
	if fmt.Sprint(opened) != "[mine orders]" {
		t.Errorf("opened = %v, want those shared with everybody or with this consumer, in this VPC, on their ports", opened)
	}
	closed := workflow.Hop{Hop: "database unclear", Detail: "not opened to 111111111111; drawbridge:share=yes means nothing: write account ids of 12 digits with blanks between or true for every account"}
	if !slices.Contains(out.Found, closed) || len(out.Found) != 2 {
		t.Errorf("found %+v, want that the peering is active, and %+v", out.Found, closed)
	}
	if len(out.Notebooks) != 1 || out.Notebooks[0].Name != "Research" || !out.Notebooks[0].Inject.Allowed || !out.Notebooks[0].Restart.Allowed {
		t.Errorf("notebooks = %+v", out.Notebooks)
	}
}

func TestAskSaysWhatWouldBecomeReachable(t *testing.T) {
	w := world{status: "pending-acceptance"}
	out, err := w.inspect(t, create, "111111111111", workflow.Known{})
	if err != nil || out.Answer != workflow.AnswerAsk || len(out.Sides) != 2 {
		t.Fatalf("%s with %+v, %v", out.Answer, out.Sides, err)
	}
	if requester, accepter := out.Sides[0], out.Sides[1]; len(requester.Openings) != 0 || len(accepter.Openings) != 2 || accepter.Openings[1].Database != "orders" {
		t.Errorf("the requester opens %+v, the accepter %+v", requester.Openings, accepter.Openings)
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
		if _, err := w.inspect(t, create, "111111111111", workflow.Known{}); err != nil {
			t.Fatal(err)
		}
		if len(w.calls) == 0 || reads != slices.ContainsFunc(w.calls, func(c string) bool { return strings.HasPrefix(c, "DescribeDB") }) {
			t.Errorf("drawbridge:accept=%s: called %v", accept, w.calls)
		}
	}
}

// More notebook instances than one execution can carry: said while the request still waits, not once it is accepted.
func TestWhatIsTooLargeIsNotAccepted(t *testing.T) {
	for books, fits := range map[int]bool{20: true, 500: false} {
		w := world{status: "pending-acceptance", accept: "auto", books: books}
		out, err := w.inspect(t, create, "111111111111", workflow.Known{})
		if fits {
			if err != nil || out.Answer != workflow.AnswerAccept || len(out.Sides)+len(out.Notebooks) != 0 || len(out.Known.Notebooks) != books+1 {
				t.Errorf("%d more: %s with %d sides, %v", books, out.Answer, len(out.Sides), err)
			}
			w.status, w.calls = "active", nil
			next, err := w.inspect(t, create, "111111111111", out.Known)
			if err != nil || next.Answer != workflow.AnswerConnect || len(next.Sides) != 2 || len(next.Notebooks) != books+1 || next.Known.Sides != nil {
				t.Errorf("afterwards %s with %d sides, %v", next.Answer, len(next.Sides), err)
			}
			if slices.ContainsFunc(w.calls, func(c string) bool { return strings.HasPrefix(c, "DescribeDB") || strings.Contains(c, "Notebook") }) {
				t.Errorf("afterwards it reads again: %v", w.calls)
			}
		}
		if !fits && (fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "501 notebook instances")) {
			t.Errorf("%d more: %v", books, err)
		}
	}
}

func TestWhoWasToldIsNotToldAgain(t *testing.T) {
	said := func(status, reason string) map[string]string {
		return map[string]string{"drawbridge:status": status, "drawbridge:reason": reason}
	}
	for name, c := range map[string]struct {
		account string
		tags    map[string]string
		told    bool
	}{
		"told, for this reason":            {"222222222222", said("AwaitingApproval", "approval needed by policy ask-owner"), true},
		"told, for another reason":         {"222222222222", said("AwaitingApproval", "approval needed by policy ask-security"), false},
		"told and reminded":                {"222222222222", said("AwaitingApproval", "approval needed by policy ask-owner - people were reminded"), true},
		"refused before":                   {"222222222222", said("Refused", "approval needed by policy ask-owner"), false},
		"the requester's tags do not tell": {"111111111111", said("AwaitingApproval", "approval needed by policy ask-owner"), false},
		"nobody was told":                  {"222222222222", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{status: "pending-acceptance", tags: map[string]map[string]string{c.account: c.tags}}
			out, err := w.inspect(t, create, "111111111111", workflow.Known{})
			if err != nil || out.Answer != workflow.AnswerAsk || out.Told != c.told || out.Reminded != (name == "told and reminded") {
				t.Errorf("%s, told %v, %v, want %v", out.Answer, out.Told, err, c.told)
			}
		})
	}
}
