package dryrun

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// endpoints are what was noted of VPC endpoints and their security groups, and what was read of them and is needed for that.
type endpoints struct {
	made     map[string]*vpcEndpoint // that are only noted, by id
	extended map[string]*ec2.ModifyVpcEndpointInput
	gone     map[string]bool // endpoints and groups
	groups   []group
	subnets  map[string]int // in how many an endpoint is that was read
}

type vpcEndpoint struct {
	place
	types.VpcEndpoint
}

type group struct {
	place
	types.SecurityGroup
}

func (e *endpoints) begin() *endpoints {
	if e.made == nil {
		*e = endpoints{made: map[string]*vpcEndpoint{}, extended: map[string]*ec2.ModifyVpcEndpointInput{}, gone: map[string]bool{}, subnets: map[string]int{}}
	}
	return e
}

// tagsIn are the tags that a call gives what it makes.
func tagsIn(of []types.TagSpecification) (out []types.Tag) {
	for _, t := range of {
		out = append(out, t.Tags...)
	}
	return out
}

// placing are the writes to VPC endpoints and to the security groups of their own.
var placing = map[string]func(*World, call) (any, []Change){
	"ec2:CreateSecurityGroup": answer(func(w *World, c call, in *ec2.CreateSecurityGroupInput) (*ec2.CreateSecurityGroupOutput, []Change) {
		id, e := w.newID("sg"), w.endpoints.begin()
		e.groups = append(e.groups, group{c.place, types.SecurityGroup{GroupId: &id, GroupName: in.GroupName, VpcId: in.VpcId, OwnerId: aws.String(c.account), Description: in.Description, Tags: tagsIn(in.TagSpecifications)}})
		return &ec2.CreateSecurityGroupOutput{GroupId: &id}, one(Adds, aws.ToString(in.VpcId), "security group %s", aws.ToString(in.GroupName))
	}),
	"ec2:DeleteSecurityGroup": plainly[ec2.DeleteSecurityGroupInput, ec2.DeleteSecurityGroupOutput](func(w *World, _ call, in *ec2.DeleteSecurityGroupInput) []Change {
		w.endpoints.begin().gone[aws.ToString(in.GroupId)] = true
		return one(Takes, aws.ToString(in.GroupId), "security group")
	}),
	"ec2:CreateVpcEndpoint": answer(func(w *World, c call, in *ec2.CreateVpcEndpointInput) (*ec2.CreateVpcEndpointOutput, []Change) {
		id := w.newID("vpce")
		made := types.VpcEndpoint{VpcEndpointId: &id, VpcEndpointType: in.VpcEndpointType, VpcId: in.VpcId, ServiceName: in.ServiceName, SubnetIds: in.SubnetIds,
			OwnerId: aws.String(c.account), PrivateDnsEnabled: in.PrivateDnsEnabled, State: types.StateAvailable, Tags: tagsIn(in.TagSpecifications)}
		for _, g := range in.SecurityGroupIds {
			made.Groups = append(made.Groups, types.SecurityGroupIdentifier{GroupId: aws.String(g)})
		}
		w.endpoints.begin().made[id] = &vpcEndpoint{c.place, made}
		answer := made
		answer.State = types.StatePending
		return &ec2.CreateVpcEndpointOutput{VpcEndpoint: &answer}, []Change{{Sign: Adds, Thing: aws.ToString(in.VpcId), Interfaces: len(in.SubnetIds),
			What: "endpoint of " + aws.ToString(in.ServiceName) + " in " + strings.Join(in.SubnetIds, ", ")}}
	}),
	"ec2:ModifyVpcEndpoint": plainly[ec2.ModifyVpcEndpointInput, ec2.ModifyVpcEndpointOutput](func(w *World, _ call, in *ec2.ModifyVpcEndpointInput) []Change {
		e, id := w.endpoints.begin(), aws.ToString(in.VpcEndpointId)
		so := ec2.ModifyVpcEndpointInput{}
		if e.extended[id] != nil {
			so = *e.extended[id]
		}
		so.AddSubnetIds, so.AddSecurityGroupIds = append(slices.Clip(so.AddSubnetIds), in.AddSubnetIds...), append(slices.Clip(so.AddSecurityGroupIds), in.AddSecurityGroupIds...)
		e.extended[id] = &so
		return []Change{{Sign: Changes, Thing: id, Interfaces: len(in.AddSubnetIds), What: "with " + strings.Join(append(slices.Clone(in.AddSubnetIds), in.AddSecurityGroupIds...), ", ") + ", too"}}
	}),
	"ec2:DeleteVpcEndpoints": plainly[ec2.DeleteVpcEndpointsInput, ec2.DeleteVpcEndpointsOutput](func(w *World, _ call, in *ec2.DeleteVpcEndpointsInput) (all []Change) {
		e := w.endpoints.begin()
		for _, id := range in.VpcEndpointIds {
			e.gone[id] = true
			all = append(all, Change{Sign: Takes, Thing: id, What: "endpoint", Interfaces: e.subnets[id]})
		}
		return all
	}),
}

func init() {
	shown["ec2:DescribeVpcEndpoints"] = func(w *World, c call, out any) {
		in, got, e := c.in.(*ec2.DescribeVpcEndpointsInput), out.(*ec2.DescribeVpcEndpointsOutput), w.endpoints.begin()
		got.VpcEndpoints = slices.DeleteFunc(slices.Clone(got.VpcEndpoints), func(o types.VpcEndpoint) bool { return e.gone[aws.ToString(o.VpcEndpointId)] })
		for n := range got.VpcEndpoints {
			o := &got.VpcEndpoints[n]
			e.subnets[aws.ToString(o.VpcEndpointId)] = len(o.SubnetIds)
			e.extend(o)
		}
		if aws.ToString(in.NextToken) != "" {
			return
		}
		for _, o := range e.made {
			if id := aws.ToString(o.VpcEndpointId); o.place == c.place && !e.gone[id] && (len(in.VpcEndpointIds) == 0 || slices.Contains(in.VpcEndpointIds, id)) &&
				matches(in.Filters, map[string]string{"vpc-id": aws.ToString(o.VpcId), "service-name": aws.ToString(o.ServiceName), "vpc-endpoint-id": id, "vpc-endpoint-type": string(o.VpcEndpointType), "vpc-endpoint-state": "available"}, o.Tags) {
				shows := o.VpcEndpoint
				e.extend(&shows)
				got.VpcEndpoints = append(got.VpcEndpoints, shows)
			}
		}
		slices.SortFunc(got.VpcEndpoints, func(a, b types.VpcEndpoint) int {
			return strings.Compare(aws.ToString(a.VpcEndpointId), aws.ToString(b.VpcEndpointId))
		})
	}
}

// extend shows what was added to an endpoint.
func (e *endpoints) extend(o *types.VpcEndpoint) {
	more := e.extended[aws.ToString(o.VpcEndpointId)]
	if more == nil {
		return
	}
	for _, s := range more.AddSubnetIds {
		if !slices.Contains(o.SubnetIds, s) {
			o.SubnetIds = append(slices.Clip(o.SubnetIds), s)
		}
	}
	for _, g := range more.AddSecurityGroupIds {
		if !slices.ContainsFunc(o.Groups, func(i types.SecurityGroupIdentifier) bool { return aws.ToString(i.GroupId) == g }) {
			o.Groups = append(slices.Clip(o.Groups), types.SecurityGroupIdentifier{GroupId: aws.String(g)})
		}
	}
}

// showOwnGroups shows groups that are only noted, and no others that would be gone.
func (e *endpoints) showOwnGroups(c call, in *ec2.DescribeSecurityGroupsInput, got *ec2.DescribeSecurityGroupsOutput) {
	got.SecurityGroups = slices.DeleteFunc(slices.Clone(got.SecurityGroups), func(g types.SecurityGroup) bool { return e.gone[aws.ToString(g.GroupId)] })
	if aws.ToString(in.NextToken) != "" {
		return
	}
	for _, g := range e.groups {
		if id := aws.ToString(g.GroupId); g.place == c.place && !e.gone[id] && (len(in.GroupIds) == 0 || slices.Contains(in.GroupIds, id)) &&
			matches(in.Filters, map[string]string{"vpc-id": aws.ToString(g.VpcId), "group-name": aws.ToString(g.GroupName), "group-id": id}, g.Tags) {
			got.SecurityGroups = append(got.SecurityGroups, g.SecurityGroup)
		}
	}
}
