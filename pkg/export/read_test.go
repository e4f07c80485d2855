package export

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
)

// answersOf are AWS's answers by action, as it writes them; an action without one is denied.
type answersOf map[string]string

func (a answersOf) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, _ := url.ParseQuery(string(body))
	action := form.Get("Action")
	if _, json, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		action = json
	}
	text, ok := a[action]
	out := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	if !ok {
		text, out.StatusCode = `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>you may not</Message></Error></Errors></Response>`, http.StatusForbidden
	}
	if code, failed := strings.CutPrefix(text, "!"); failed {
		text, out.StatusCode = `<ErrorResponse><Error><Code>`+code+`</Code><Message>no</Message></Error></ErrorResponse>`, http.StatusNotFound
		if strings.HasPrefix(r.URL.Host, "ec2.") {
			text = `<Response><Errors><Error><Code>` + code + `</Code><Message>no</Message></Error></Errors></Response>`
		}
	}
	out.Body = io.NopCloser(strings.NewReader(text))
	return out, nil
}

// reads reads one item from an account that answers so.
func reads(t *testing.T, a answersOf, i ledger.Item) Fact {
	t.Helper()
	i.Account, i.Region = producer, "us-east-1"
	if i.State == "" {
		i.State = ledger.Confirmed
	}
	r := Reader{Enter: func(at event.Place) (aws.Config, error) {
		if at.Account != producer {
			return aws.Config{}, errors.New("no credentials")
		}
		return aws.Config{Region: at.Region, HTTPClient: a, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1}, nil
	}}
	facts, err := r.Read(t.Context(), []ledger.Item{i})
	if err != nil {
		t.Fatal(err)
	}
	return facts.Of(i)
}

func TestWhatStands(t *testing.T) {
	table := answersOf{"DescribeRouteTables": `<R><routeTableSet><item><routeTableId>rtb-1</routeTableId><routeSet><item><destinationCidrBlock>10.1.0.0/24</destinationCidrBlock>
		<vpcPeeringConnectionId>pcx-1</vpcPeeringConnectionId></item><item><destinationIpv6CidrBlock>fd00::/56</destinationIpv6CidrBlock><transitGatewayId>tgw-1</transitGatewayId></item></routeSet></item></routeTableSet></R>`}
	rules := answersOf{"DescribeSecurityGroupRules": `<R><securityGroupRuleSet><item><securityGroupRuleId>sgr-1</securityGroupRuleId><groupId>sg-1</groupId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>
		<fromPort>1</fromPort><toPort>2</toPort><referencedGroupInfo><groupId>sg-9</groupId><userId>111111111111</userId></referencedGroupInfo><description>d</description>
		<tagSet><item><key>k</key><value>v</value></item></tagSet></item></securityGroupRuleSet></R>`}
	role := answersOf{"GetRole": `<R><GetRoleResult><Role><RoleName>r</RoleName><RoleId>AROA1</RoleId><Path>/p/</Path><AssumeRolePolicyDocument>%7B%22a%22%3A1%7D</AssumeRolePolicyDocument><MaxSessionDuration>3600</MaxSessionDuration>
		<PermissionsBoundary><PermissionsBoundaryArn>arn:b</PermissionsBoundaryArn></PermissionsBoundary></Role></GetRoleResult></R>`}
	policies := answersOf{"GetPolicy": `<R><GetPolicyResult><Policy><PolicyName>p</PolicyName><Path>/x/</Path><DefaultVersionId>v2</DefaultVersionId></Policy></GetPolicyResult></R>`,
		"GetPolicyVersion":         `<R><GetPolicyVersionResult><PolicyVersion><Document>%7B%7D</Document></PolicyVersion></GetPolicyVersionResult></R>`,
		"ListAttachedRolePolicies": `<R><ListAttachedRolePoliciesResult><AttachedPolicies><member><PolicyArn>arn:aws:iam::1:policy/p</PolicyArn></member></AttachedPolicies></ListAttachedRolePoliciesResult></R>`}
	grants := answersOf{"ListGrants": `{"Grants":[{"GrantId":"g0"},{"GrantId":"g1","Name":"n","GranteePrincipal":"arn:g","Operations":["DescribeKey","Decrypt"],"Constraints":{"EncryptionContextSubset":{"a":"b"}}}]}`}
	peerings := answersOf{"DescribeVpcPeeringConnections": `<R><vpcPeeringConnectionSet><item><requesterVpcInfo><peeringOptions><allowDnsResolutionFromRemoteVpc>true</allowDnsResolutionFromRemoteVpc></peeringOptions></requesterVpcInfo>
		<accepterVpcInfo/></item></vpcPeeringConnectionSet></R>`}
	gone := Fact{Gone: true}
	for name, c := range map[string]struct {
		answers answersOf
		item    ledger.Item
		want    Fact
	}{
		"a route":                      {table, ledger.Item{Resource: "rtb-1", Kind: ledger.Route, Key: "10.1.0.0/24", Left: "pcx-1"}, Fact{}},
		"a route of IPv6":              {table, ledger.Item{Resource: "rtb-1", Kind: ledger.Route, Key: "fd00::/56", Left: "tgw-1"}, Fact{}},
		"a route that leads on":        {table, ledger.Item{Resource: "rtb-1", Kind: ledger.Route, Key: "10.1.0.0/24", Left: "pcx-2"}, gone},
		"a route that is not there":    {table, ledger.Item{Resource: "rtb-1", Kind: ledger.Route, Key: "10.3.0.0/24", Left: "pcx-1"}, gone},
		"a table that is not there":    {answersOf{"DescribeRouteTables": "!InvalidRouteTableID.NotFound"}, ledger.Item{Resource: "rtb-1", Kind: ledger.Route, Key: "10.3.0.0/24", Left: "pcx-1"}, gone},
		"a rule":                       {rules, ledger.Item{Resource: "sg-1", Kind: ledger.Rule, Left: "sgr-1"}, Fact{Rule: &Rule{ID: "sgr-1", Group: "sg-1", Protocol: "tcp", From: 1, To: 2, Other: "sg-9", OtherOwner: consumer, Description: "d", Tags: map[string]string{"k": "v"}}}},
		"another rule":                 {rules, ledger.Item{Resource: "sg-1", Kind: ledger.Rule, Left: "sgr-2"}, gone},
		"an option that is on":         {peerings, ledger.Item{Resource: "pcx-1", Kind: ledger.DNSOption, Key: "requester"}, Fact{}},
		"an option that is off":        {peerings, ledger.Item{Resource: "pcx-1", Kind: ledger.DNSOption, Key: "accepter"}, gone},
		"a role":                       {role, ledger.Item{Resource: "r", Kind: ledger.Role, Left: "AROA1"}, Fact{Role: &Role{Name: "r", Path: "/p/", Boundary: "arn:b", Trust: `{"a":1}`, Session: 3600, Tags: map[string]string{}}}},
		"another role of that name":    {role, ledger.Item{Resource: "r", Kind: ledger.Role, Left: "AROA2"}, gone},
		"a managed policy":             {policies, ledger.Item{Resource: "arn:aws:iam::1:policy/p", Kind: ledger.Document}, Fact{Policy: &Policy{ARN: "arn:aws:iam::1:policy/p", Name: "p", Path: "/x/", Text: "{}", Tags: map[string]string{}}}},
		"an inline policy that is not": {answersOf{"GetRolePolicy": "!NoSuchEntity"}, ledger.Item{Resource: "r", Kind: ledger.Document, Key: "p"}, gone},
		"a policy of a role":           {policies, ledger.Item{Resource: "r", Kind: ledger.Managed, Left: "arn:aws:iam::1:policy/p"}, Fact{}},
		"a policy that was taken":      {policies, ledger.Item{Resource: "r", Kind: ledger.Managed, Left: "arn:aws:iam::1:policy/q"}, gone},
		"a grant":                      {grants, ledger.Item{Resource: key, Kind: ledger.Grant, Left: "g1 g2"}, Fact{Grants: []Grant{{ID: "g1", Name: "n", Grantee: "arn:g", Operations: []string{"Decrypt", "DescribeKey"}, Subset: map[string]string{"a": "b"}}}}},
		"a grant that was retired":     {grants, ledger.Item{Resource: key, Kind: ledger.Grant, Left: "g2"}, gone},
		"what is only wanted":          {nil, ledger.Item{Resource: "rtb-1", Kind: ledger.Route, State: ledger.Wanted}, Fact{}},
		"a line":                       {nil, ledger.Item{Resource: "x", Kind: ledger.HostRoute}, Fact{}},
	} {
		if got := reads(t, c.answers, c.item); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := reads(t, answersOf{}, ledger.Item{Resource: "rtb-1", Kind: ledger.Route}); !strings.Contains(got.Unread, "rtb-1") || !strings.Contains(got.Unread, "you may not") || strings.Contains(got.Unread, "\n") {
		t.Errorf("what may not be read: %+v", got)
	}
	facts, err := Reader{Enter: func(event.Place) (aws.Config, error) { return aws.Config{}, errors.New("no\ncredentials") }}.Read(t.Context(), []ledger.Item{{Account: consumer, Kind: ledger.Route, State: ledger.Confirmed}})
	if got := facts.Of(ledger.Item{Account: consumer, Kind: ledger.Route}); err != nil || got.Unread != "no credentials" {
		t.Errorf("an account that nobody enters: %+v, %v", got, err)
	}
}

// Whether an attachment is in the tables that its gateway has for all is seen by the gateway's owner alone; Terraform takes it to be so elsewhere.
func TestTheTablesOfAGateway(t *testing.T) {
	attachments := `<R><transitGatewayVpcAttachments><item><transitGatewayAttachmentId>tgw-attach-1</transitGatewayAttachmentId><transitGatewayId>tgw-1</transitGatewayId><state>available</state></item></transitGatewayVpcAttachments></R>`
	gateway := func(owner string) string {
		return `<R><transitGatewaySet><item><ownerId>` + owner + `</ownerId><options><associationDefaultRouteTableId>tgw-rtb-1</associationDefaultRouteTableId><propagationDefaultRouteTableId>tgw-rtb-1</propagationDefaultRouteTableId></options></item></transitGatewaySet></R>`
	}
	item := ledger.Item{Resource: "vpc-1", Kind: ledger.Attachment, Key: "tgw-1", Left: "tgw-attach-1"}
	answers := answersOf{"DescribeTransitGatewayVpcAttachments": attachments, "DescribeTransitGateways": gateway(consumer)}
	if got := reads(t, answers, item).Attachment; got == nil || !got.Associated || !got.Propagated {
		t.Errorf("of a gateway of another: %+v", got)
	}
	answers["DescribeTransitGateways"] = gateway(producer)
	answers["GetTransitGatewayRouteTableAssociations"] = `<R><associations><item><transitGatewayAttachmentId>tgw-attach-1</transitGatewayAttachmentId><state>associated</state></item></associations></R>`
	answers["GetTransitGatewayRouteTablePropagations"] = `<R><transitGatewayRouteTablePropagations/></R>`
	if got := reads(t, answers, item).Attachment; got == nil || !got.Associated || got.Propagated {
		t.Errorf("of an own gateway: %+v", got)
	}
	for kind, want := range map[ledger.Kind]Fact{ledger.Association: {}, ledger.Propagation: {Gone: true}} {
		if got := reads(t, answers, ledger.Item{Resource: "tgw-attach-1", Kind: kind, Key: "tgw-rtb-1"}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", kind, got)
		}
	}
	answers["DescribeTransitGatewayVpcAttachments"] = strings.Replace(attachments, "available", "deleting", 1)
	if got := reads(t, answers, item); !got.Gone {
		t.Errorf("one that is being deleted: %+v", got)
	}
}
