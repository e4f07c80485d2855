package stories

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// What owners take away of what Drawbridge added, and what they do to what is their own beside it.

// item returns an item of a kind that Drawbridge made; ok is false if there is none.
func (r *run) item(n int, kind ledger.Kind) (item ledger.Item, ok bool) {
	_, items := written(r.ctx, r.t, r.accounts()...)
	items = slices.DeleteFunc(items, func(i ledger.Item) bool { return i.Kind != kind || i.State != ledger.Confirmed })
	slices.SortFunc(items, func(a, b ledger.Item) int { return strings.Compare(a.Resource+a.Key, b.Resource+b.Key) })
	if len(items) == 0 {
		return item, false
	}
	return nth(n, items...), true
}

func (r *run) routeTaken(n int) string {
	i, ok := r.item(n, ledger.Route)
	if !ok {
		return ""
	}
	must(r.t)(r.full.ec2(i.Account).DeleteRoute(r.ctx, &ec2.DeleteRouteInput{RouteTableId: &i.Resource, DestinationCidrBlock: &i.Key}))
	return i.Resource + " " + i.Key
}

// routeReplaced leads one of Drawbridge's routes into the owner's VPN: from then on it is the owner's.
func (r *run) routeReplaced(n int) string {
	i, ok := r.item(n, ledger.Route)
	if !ok {
		return ""
	}
	var vpn *string
	for _, side := range []scenario.Network{r.world.ConsumerNetwork, r.world.ProducerNetwork} {
		if slices.Contains(side.Tables, i.Resource) {
			vpn = r.vpn(r.ctx, r.t, r.full.ec2(i.Account), side.Tables[0])
		}
	}
	if vpn == nil {
		return ""
	}
	must(r.t)(r.full.ec2(i.Account).ReplaceRoute(r.ctx, &ec2.ReplaceRouteInput{RouteTableId: &i.Resource, DestinationCidrBlock: &i.Key, GatewayId: vpn}))
	r.theirs["route "+i.Resource+" "+i.Key] = thing{value: *vpn}
	return i.Resource + " " + i.Key + " to " + *vpn
}

func (r *run) ruleTaken(n int) string {
	i, ok := r.item(n, ledger.Rule)
	if !ok || !strings.HasPrefix(i.Left, "sgr-") {
		return ""
	}
	client := r.full.ec2(i.Account)
	got, err := client.DescribeSecurityGroupRules(r.ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: []string{i.Resource}}}})
	r.done(err)
	for _, rule := range got.SecurityGroupRules {
		if aws.ToString(rule.SecurityGroupRuleId) != i.Left {
			continue
		}
		if aws.ToBool(rule.IsEgress) {
			must(r.t)(client.RevokeSecurityGroupEgress(r.ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &i.Resource, SecurityGroupRuleIds: []string{i.Left}}))
		} else {
			must(r.t)(client.RevokeSecurityGroupIngress(r.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &i.Resource, SecurityGroupRuleIds: []string{i.Left}}))
		}
		return i.Resource + " " + i.Key
	}
	return ""
}

// optionTaken turns the DNS option of one side off that Drawbridge turned on.
func (r *run) optionTaken(n int) string {
	i, ok := r.item(n, ledger.DNSOption)
	if !ok {
		return ""
	}
	in, off := &ec2.ModifyVpcPeeringConnectionOptionsInput{VpcPeeringConnectionId: &i.Resource}, &ec2types.PeeringConnectionOptionsRequest{AllowDnsResolutionFromRemoteVpc: aws.Bool(false)}
	if i.Key == "requester" {
		in.RequesterPeeringConnectionOptions = off
	} else {
		in.AccepterPeeringConnectionOptions = off
	}
	must(r.t)(r.full.ec2(i.Account).ModifyVpcPeeringConnectionOptions(r.ctx, in))
	return i.Resource + " " + i.Key
}

func (r *run) endpointTaken(n int) string {
	i, ok := r.item(n, ledger.Endpoint)
	if !ok || !strings.HasPrefix(i.Left, "vpce-") {
		return ""
	}
	must(r.t)(r.full.ec2(i.Account).DeleteVpcEndpoints(r.ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{i.Left}}))
	return i.Left + " " + i.Key
}

// ownRoute adds a route of alpha's or beta's own: into the VPN, or through a peering to an address that Drawbridge does not lead to.
func (r *run) ownRoute(n int) string {
	side, client := r.world.ConsumerNetwork, r.alpha()
	if n%2 == 1 {
		side, client = r.world.ProducerNetwork, r.beta()
	}
	table, to := nth(n/2, side.Tables...), fmt.Sprintf("172.20.%d.0/24", n)
	key := "route " + table + " " + to
	if _, ok := r.theirs[key]; ok {
		return ""
	}
	in := &ec2.CreateRouteInput{RouteTableId: &table, DestinationCidrBlock: &to}
	value := ""
	if id := r.between(side.VPC); n%3 != 0 && id != "" {
		in.VpcPeeringConnectionId, value = &id, id
	} else {
		in.GatewayId = r.vpn(r.ctx, r.t, client, side.Tables[0])
		value = *in.GatewayId
	}
	must(r.t)(client.CreateRoute(r.ctx, in))
	r.theirs[key] = thing{value: value}
	return key + " to " + value
}

// between is an active peering of a VPC.
func (r *run) between(vpc string) string {
	got, err := r.alpha().DescribeVpcPeeringConnections(r.ctx, &ec2.DescribeVpcPeeringConnectionsInput{})
	r.done(err)
	for _, x := range got.VpcPeeringConnections {
		if x.Status.Code == ec2types.VpcPeeringConnectionStateReasonCodeActive && (aws.ToString(x.RequesterVpcInfo.VpcId) == vpc || aws.ToString(x.AccepterVpcInfo.VpcId) == vpc) {
			return aws.ToString(x.VpcPeeringConnectionId)
		}
	}
	return ""
}

func (r *run) ownRule(n int) string {
	client, group, from := nth(n, r.alpha(), r.beta()), nth(n, r.world.ConsumerNetwork.Group, r.world.ProducerNetwork.Group), fmt.Sprintf("192.168.%d.0/24", n)
	if r.rules[group+from] {
		return ""
	}
	made, err := client.AuthorizeSecurityGroupIngress(r.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3306), ToPort: aws.Int32(3306), IpRanges: []ec2types.IpRange{{CidrIp: &from, Description: aws.String("mine")}}}}})
	r.done(err)
	r.rules[group+from] = true
	for _, rule := range made.SecurityGroupRules {
		rule.Tags = nil
		r.theirs["rule "+aws.ToString(rule.SecurityGroupRuleId)] = thing{value: text(rule)}
	}
	return group + " from " + from
}

// editScript adds a line of the owner's to the notebook's script.
func (r *run) editScript(n int) string {
	name := r.world.Notebook.LifecycleConfig
	if name == "" {
		return ""
	}
	id, line := "script "+name+" on start 0", fmt.Sprintf("echo %d\n", n)
	now := r.read()[id].value
	if !strings.HasSuffix(now, "\n") {
		line = "\n" + line
	}
	script := now + line
	must(r.t)(r.people().UpdateNotebookInstanceLifecycleConfig(r.ctx, &sagemaker.UpdateNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &name,
		OnStart: []sagemakertypes.NotebookInstanceLifecycleHook{{Content: aws.String(base64.StdEncoding.EncodeToString([]byte(script)))}}}))
	for _, key := range []string{id, id + ", its owner's lines"} {
		had := r.theirs[key]
		had.value += line
		r.theirs[key] = had
	}
	return name
}

func (r *run) ownPolicy(n int) string {
	role, name := nth(n, scenario.ExecutionRole, "scientist", "analyst"), fmt.Sprintf("own-%d", n%5)
	document := fmt.Sprintf(`{ "Version":"2012-10-17", "Statement": [{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::%d/*"}]}`, n)
	must(r.t)(r.roles().PutRolePolicy(r.ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: &name, PolicyDocument: &document}))
	r.theirs["policy "+role+" "+name] = thing{value: document}
	return role + " " + name
}

// editTrust gives the execution role one statement more, as its owner, who keeps what stands there.
func (r *run) editTrust(n int) string {
	key := "trust " + scenario.ExecutionRole
	now := r.read()[key].value
	at := strings.LastIndex(now, "]")
	if _, ok := r.theirs[key]; !ok || at < 0 {
		return "" // edited already, or its statement stands alone
	}
	document := now[:at] + fmt.Sprintf(`,{"Sid":"Own%d","Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}`, n) + now[at:]
	must(r.t)(r.roles().UpdateAssumeRolePolicy(r.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(scenario.ExecutionRole), PolicyDocument: &document}))
	r.theirs[key+", its owner's statements"] = thing{value: ownersStatements(r.t, document)}
	delete(r.theirs, key) // where Drawbridge's statement stood in it, only its statements can be held against it
	return scenario.ExecutionRole
}
