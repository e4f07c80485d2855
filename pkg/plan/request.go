package plan

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// End is one end of a request that is only described.
type End struct {
	event.Place
	VPC string
}

// described is the id of a peering that nobody requested.
const described = "pcx-00000000000000000"

// Request plans the request of a peering that nobody made yet.
func Request(ctx context.Context, h Hub, from, to End) (Plan, error) {
	r, err := rehearse(h)
	if err != nil {
		return Plan{}, err
	}
	if from.VPC == to.VPC {
		return Plan{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("planning a request: both ends are in %s", from.VPC), Remedy: "no peering is needed there; drawbridge why says what is in the way"}
	}
	p := types.VpcPeeringConnection{VpcPeeringConnectionId: aws.String(described), ExpirationTime: aws.Time(r.now().Add(7 * 24 * time.Hour)),
		Status: &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCodePendingAcceptance}}
	for end, info := range map[End]**types.VpcPeeringConnectionVpcInfo{from: &p.RequesterVpcInfo, to: &p.AccepterVpcInfo} {
		if *info, err = r.vpc(ctx, end); err != nil {
			return Plan{}, err
		}
	}
	r.World.Request(p)
	detail := map[string]any{"eventSource": arn.ServicePrincipal("ec2"), "eventName": "CreateVpcPeeringConnection", "awsRegion": from.Region, "recipientAccountId": from.Account,
		"userIdentity":      map[string]any{"type": "IAMUser", "arn": arn.IAM(arn.Partition(from.Region), from.Account, "user/plan")},
		"requestParameters": map[string]any{},
		"responseElements": map[string]any{"CreateVpcPeeringConnectionResponse": map[string]any{"vpcPeeringConnection": map[string]any{
			"vpcPeeringConnectionId": described,
			"requesterVpcInfo":       map[string]any{"ownerId": from.Account, "region": from.Region, "vpcId": from.VPC},
			"accepterVpcInfo":        map[string]any{"ownerId": to.Account, "region": to.Region, "vpcId": to.VPC}}}}}
	got, err := r.play(ctx, machines[event.ToInspect].name, machines[event.ToInspect].definition, map[string]any{
		"version": "0", "id": execution, "source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "account": from.Account, "region": from.Region,
		"time": r.now().UTC().Format(time.RFC3339), "resources": []any{}, "detail": detail})
	if err != nil {
		return Plan{}, err
	}
	out, err := r.follow(ctx, Plan{About: fmt.Sprintf("a peering from %s in %s to %s in %s, if somebody requested it; here it is called %s", from.VPC, from.Account, to.VPC, to.Account, described)}, nil)
	out.Looks = append([]Look{{Machine: machines[event.ToInspect].name, ID: described, Ends: got.State, Fails: got.Error, Waits: got.Waits, Reason: got.Reason}}, out.Looks...)
	out.Counts.States += got.States
	return out, err
}

// vpc is a VPC as a peering shows it.
func (r *rehearsal) vpc(ctx context.Context, e End) (*types.VpcPeeringConnectionVpcInfo, error) {
	got, err := ec2.NewFromConfig(r.Enter(execution, e.Account, e.Region)).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{e.VPC}})
	if err != nil {
		return nil, deed.Unread(deed.Thing{Kind: tag.VPC, ID: e.VPC, Account: e.Account, Region: e.Region}, err)
	}
	out := &types.VpcPeeringConnectionVpcInfo{OwnerId: &e.Account, Region: &e.Region, VpcId: &e.VPC, CidrBlock: got.Vpcs[0].CidrBlock}
	for _, p := range route.CIDRs(got.Vpcs[0]) {
		if p.Addr().Is4() {
			out.CidrBlockSet = append(out.CidrBlockSet, types.CidrBlock{CidrBlock: aws.String(p.String())})
		} else {
			out.Ipv6CidrBlockSet = append(out.Ipv6CidrBlockSet, types.Ipv6CidrBlock{Ipv6CidrBlock: aws.String(p.String())})
		}
	}
	return out, nil
}
