package fanout_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fanout"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// account has two peerings and two attachments, of vpc-00000001 and vpc-00000002, and one notebook.
type account struct {
	calls []string
	gone  bool // route tables are
}

func (a *account) DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	a.calls = append(a.calls, "peerings")
	out := &ec2.DescribeVpcPeeringConnectionsOutput{}
	for n, vpc := range []string{"vpc-00000001", "vpc-00000002"} {
		out.VpcPeeringConnections = append(out.VpcPeeringConnections, types.VpcPeeringConnection{
			VpcPeeringConnectionId: aws.String([]string{"pcx-00000001", "pcx-00000002"}[n]),
			Status:                 &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCodeActive},
			RequesterVpcInfo:       &types.VpcPeeringConnectionVpcInfo{OwnerId: &here.Account, Region: &here.Region, VpcId: &vpc},
			AccepterVpcInfo:        &types.VpcPeeringConnectionVpcInfo{OwnerId: aws.String("222222222222"), Region: &here.Region, VpcId: aws.String("vpc-0000000f")}})
	}
	return out, nil
}

func (a *account) DescribeTransitGatewayVpcAttachments(_ context.Context, in *ec2.DescribeTransitGatewayVpcAttachmentsInput, _ ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error) {
	a.calls = append(a.calls, "attachments")
	out := &ec2.DescribeTransitGatewayVpcAttachmentsOutput{}
	for _, each := range [][2]string{{"vpc-00000001", here.Account}, {"vpc-00000002", here.Account}, {"vpc-00000003", "222222222222"}} {
		out.TransitGatewayVpcAttachments = append(out.TransitGatewayVpcAttachments, types.TransitGatewayVpcAttachment{
			VpcId: &each[0], VpcOwnerId: &each[1], TransitGatewayId: aws.String("tgw-00000001")})
	}
	return out, nil
}

func (a *account) DescribeRouteTables(_ context.Context, in *ec2.DescribeRouteTablesInput, _ ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	a.calls = append(a.calls, "tables")
	if a.gone {
		return nil, &smithy.GenericAPIError{Code: "InvalidRouteTableID.NotFound"}
	}
	return &ec2.DescribeRouteTablesOutput{RouteTables: []types.RouteTable{{VpcId: aws.String("vpc-00000002")}}}, nil
}

func (a *account) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	a.calls = append(a.calls, "vpcs")
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-00000001"), Tags: []types.Tag{{Key: aws.String("drawbridge:data-api"), Value: aws.String("true")}}}}}, nil
}

func (a *account) ListNotebookInstances(context.Context, *sagemaker.ListNotebookInstancesInput, ...func(*sagemaker.Options)) (*sagemaker.ListNotebookInstancesOutput, error) {
	a.calls = append(a.calls, "notebooks")
	return &sagemaker.ListNotebookInstancesOutput{NotebookInstances: []sagemakertypes.NotebookInstanceSummary{{NotebookInstanceName: aws.String("Analysis")}}}, nil
}

func (a *account) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	a.calls = append(a.calls, "clusters")
	cluster := func(id string, tags ...rdstypes.Tag) rdstypes.DBCluster {
		return rdstypes.DBCluster{DBClusterArn: aws.String("arn:aws:rds:eu-west-1:111111111111:cluster:" + id), TagList: tags}
	}
	return &rds.DescribeDBClustersOutput{DBClusters: []rdstypes.DBCluster{cluster("plain"),
		cluster("sales", rdstypes.Tag{Key: aws.String("drawbridge:data-api"), Value: aws.String("222222222222")}),
		cluster("closed", rdstypes.Tag{Key: aws.String("drawbridge:data-api"), Value: aws.String("none")})}}, nil
}

func (a *account) GetResourceShareInvitations(context.Context, *ram.GetResourceShareInvitationsInput, ...func(*ram.Options)) (*ram.GetResourceShareInvitationsOutput, error) {
	a.calls = append(a.calls, "invitations")
	out := &ram.GetResourceShareInvitationsOutput{}
	for share, status := range map[string]ramtypes.ResourceShareInvitationStatus{"waits": "PENDING", "over": "EXPIRED"} {
		out.ResourceShareInvitations = append(out.ResourceShareInvitations, ramtypes.ResourceShareInvitation{
			ResourceShareArn: &share, ReceiverAccountId: &here.Account, Status: status})
	}
	return out, nil
}

func TestFind(t *testing.T) {
	const call = `{"source":"aws.SERVICE","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"eu-west-1","detail":{"eventName":"CALL","requestParameters":PARAMETERS}}`
	tags := func(key string, ids ...string) string {
		return `{"resourcesSet":{"items":[{"resourceId":"` + strings.Join(ids, `"},{"resourceId":"`) + `"}]},"tagSet":{"items":[{"key":"` + key + `"}]}}`
	}
	for name, c := range map[string]struct {
		service, call, parameters string
		gone                      bool
		want, calls               []string
	}{
		"two peerings at once": {"ec2", "CreateTags", tags("drawbridge:approval", "pcx-0000000a", "pcx-0000000b"), false,
			[]string{"Peering To Inspect pcx-0000000a", "Peering To Inspect pcx-0000000b"}, nil},
		"a peering and a VPC at once": {"ec2", "DeleteTags", `{"resourcesSet":{"items":[{"resourceId":"pcx-0000000a"},{"resourceId":"vpc-00000001"}]},"tagSet":{}}`, false,
			[]string{"Attachment To Inspect vpc-00000001", "Attachment To Inspect vpc-00000001 tgw-00000001", "Data API Endpoint To Inspect vpc-00000001",
				"Peering To Inspect pcx-00000001", "Peering To Inspect pcx-0000000a", "Private Notebooks To Inspect"}, []string{"attachments", "peerings"}},
		"a VPC that asks for a gateway": {"ec2", "CreateTags", tags("drawbridge:attach", "vpc-00000001"), false,
			[]string{"Attachment To Inspect vpc-00000001", "Share To Inspect waits"}, []string{"invitations"}},
		"a VPC that asks no more": {"ec2", "DeleteTags", tags("drawbridge:attach", "vpc-00000001"), false,
			[]string{"Attachment To Inspect vpc-00000001"}, nil},
		"both VPCs": {"ec2", "CreateTags", tags("drawbridge:accept", "vpc-00000001", "vpc-00000002"), false,
			[]string{"Attachment To Inspect vpc-00000001 tgw-00000001", "Attachment To Inspect vpc-00000002 tgw-00000001",
				"Peering To Inspect pcx-00000001", "Peering To Inspect pcx-00000002"}, []string{"attachments", "peerings"}},
		"a subnet": {"ec2", "CreateSubnet", `{"vpcId":"vpc-00000001"}`, false,
			[]string{"Attachment To Inspect vpc-00000001 tgw-00000001", "Data API Endpoint To Inspect vpc-00000001", "Peering To Inspect pcx-00000001"}, []string{"attachments", "peerings", "vpcs"}},
		"a table": {"ec2", "AssociateRouteTable", `{"routeTableId":"rtb-00000001"}`, false,
			[]string{"Attachment To Inspect vpc-00000002 tgw-00000001", "Peering To Inspect pcx-00000002"}, []string{"attachments", "peerings", "tables"}},
		"a table that is gone": {"ec2", "AssociateRouteTable", `{"routeTableId":"rtb-00000001"}`, true, nil, []string{"tables"}},
		"a database": {"rds", "ModifyDBInstance", `{"dBInstanceIdentifier":"Sales"}`, false,
			[]string{"Attachment To Inspect vpc-00000001 tgw-00000001", "Attachment To Inspect vpc-00000002 tgw-00000001",
				"Peering To Inspect pcx-00000001", "Peering To Inspect pcx-00000002"}, []string{"attachments", "peerings"}},
		"a notebook by its ARN": {"sagemaker", "AddTags", `{"resourceArn":"arn:aws:sagemaker:eu-west-1:111111111111:notebook-instance/analysis","tags":[{"key":"drawbridge:restart"}]}`, false,
			[]string{"Notebook To Inspect Analysis"}, []string{"notebooks"}},
		"a secret": {"secretsmanager", "UntagResource", `{"secretId":"sales/reader","tagKeys":["drawbridge:data-api"]}`, false,
			[]string{"Data API To Inspect sales"}, []string{"clusters"}},
		"a key": {"kms", "TagResource", `{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab","tags":[{"tagKey":"drawbridge:data-api","tagValue":"sales"}]}`, false,
			[]string{"Data API To Inspect sales"}, []string{"clusters"}},
		"nobody": {"ec2", "CreateTags", tags("Name", "vpc-00000001"), false, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := &account{gone: c.gone}
			var asked []string
			l, _ := ledgertest.New()
			f := fanout.Fanout{Contest: contest.Contest{Ledger: l}, Region: "us-east-1",
				Enter: func(_ string, at event.Place) fanout.Clients {
					if at != here {
						t.Errorf("enters %v", at)
					}
					return fanout.Clients{EC2: a, RAM: a, RDS: a, SageMaker: a}
				},
				Ask: func(_ context.Context, looks ...look.Look) error {
					for _, l := range looks {
						asked = append(asked, strings.Join(strings.Fields(l.DetailType()+" "+about(l)), " "))
					}
					return nil
				}}
			raw := strings.NewReplacer("SERVICE", c.service, "CALL", c.call, "PARAMETERS", c.parameters).Replace(call)
			out, err := f.Find(t.Context(), workflow.FindConnectionsInput{Event: []byte(raw)})
			slices.Sort(asked)
			slices.Sort(a.calls)
			if err != nil || !slices.Equal(asked, c.want) || !slices.Equal(a.calls, c.calls) {
				t.Fatalf("asked for %q by %q, %v; want %q by %q", asked, a.calls, err, c.want, c.calls)
			}
			if (out.Result == workflow.Announced) != (len(c.want) > 0) || out.Announced != len(c.want) || out.Reason == "" {
				t.Errorf("%+v", out)
			}
			if name == "a notebook by its ARN" && (len(out.Tagged) != 1 || out.Tagged[0].ID != "Analysis") {
				t.Errorf("%+v, want the notebook by its own name", out.Tagged)
			}
		})
	}
}

func about(l look.Look) string {
	switch l := l.(type) {
	case event.Inspection:
		return l.PeeringID
	case event.AttachmentInspection:
		return l.VPC + " " + l.TransitGatewayID
	case event.DataAPIInspection:
		return event.ClusterID(l.Cluster)
	case event.DataAPIEndpointInspection:
		return l.VPC
	case event.ShareInspection:
		return l.Share
	case event.NotebookInspection:
		return l.Notebook
	}
	return ""
}

// A database of a participant concerns the connections of the VPC in which it takes part; they are looked at where their own sides are.
func TestADatabaseOfAParticipantConcernsTheVPCsConnections(t *testing.T) {
	const owner = "222222222222"
	l, _ := ledgertest.New()
	for id, participants := range map[string][]string{"pcx-0000000a": {here.Account}, "pcx-0000000b": {"333333333333"}} {
		if _, err := l.Begin(t.Context(), ledger.Connection{ID: id, Kind: "peering", Sides: []ledger.Side{
			{Role: "requester", Account: owner, Region: here.Region, ID: "vpc-0000000a", Participants: participants}, {Role: "accepter", Account: "444444444444", Region: here.Region, ID: "vpc-0000000b"}}}); err != nil {
			t.Fatal(err)
		}
	}
	var asked []look.Look
	a := &account{}
	f := fanout.Fanout{Contest: contest.Contest{Ledger: l}, Region: "us-east-1",
		Enter: func(string, event.Place) fanout.Clients { return fanout.Clients{EC2: a, RAM: a, RDS: a, SageMaker: a} },
		Ask: func(_ context.Context, looks ...look.Look) error {
			asked = append(asked, looks...)
			return nil
		}}
	raw := `{"source":"aws.rds","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"eu-west-1","detail":{"eventName":"ModifyDBInstance","requestParameters":{"dBInstanceIdentifier":"books"}}}`
	out, err := f.Find(t.Context(), workflow.FindConnectionsInput{Event: []byte(raw)})
	want := event.Inspection{Account: owner, Region: here.Region, PeeringID: "pcx-0000000a", Reason: "ModifyDBInstance"}
	if err != nil || !slices.Contains(asked, look.Look(want)) || out.Announced != len(asked) || slices.ContainsFunc(asked, func(l look.Look) bool { return about(l) == "pcx-0000000b" }) {
		t.Errorf("%+v, %v; asked for %+v", out, err, asked)
	}
}
