package event_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

func readSample(t *testing.T, name string) event.Changed {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := event.ReadChanged(raw)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

// What the samples say of whose hand it was, by what, and at which resources.
func TestTheHandOfARecord(t *testing.T) {
	const deploy, sso = "arn:aws:sts::111111111111:assumed-role/deploy/aws-go-sdk-1763802000", "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/eva"
	for name, c := range map[string]struct {
		hand     event.Hand
		touched  []event.Touched
		untagged []string
	}{
		"delete-route-by-terraform":        {event.Hand{Who: deploy, Tool: event.Terraform}, []event.Touched{{Resource: "rtb-0a1b2c3d4e5f60001", Keys: []string{"10.2.0.0/16"}, Frees: true}}, nil},
		"revoke-rule-by-cloudformation":    {event.Hand{Who: "arn:aws:sts::222222222222:assumed-role/deploy/AWSCloudFormation", Tool: event.CloudFormation}, []event.Touched{{Resource: "sg-0a1b2c3d4e5f60001", Keys: []string{"ingress"}}}, nil},
		"modify-security-group-rules":      {event.Hand{Who: "arn:aws:sts::222222222222:assumed-role/platform/ben", Tool: event.CLI}, []event.Touched{{Resource: "sg-0a1b2c3d4e5f60001"}}, nil},
		"delete-vpc-endpoints":             {event.Hand{Who: sso, Tool: event.Console}, []event.Touched{{Resource: "vpce-0a1b2c3d4e5f60001"}, {Resource: "vpce-0a1b2c3d4e5f60002"}}, nil},
		"update-notebook-lifecycle-config": {event.Hand{Who: sso, Tool: event.Console}, []event.Touched{{Resource: "research-on-start"}}, nil},
		"update-notebook-instance":         {event.Hand{Who: deploy, Tool: event.Terraform}, []event.Touched{{Resource: "Research"}}, nil},
		"put-role-policy":                  {event.Hand{Who: "arn:aws:iam::222222222222:user/carla", Tool: event.CLI}, []event.Touched{{Resource: "drawbridge-studio-sales", Global: true}}, nil},
		"disable-http-endpoint":            {event.Hand{Who: "arn:aws:iam::222222222222:user/carla", Tool: event.CLI}, []event.Touched{{Resource: "arn:aws:rds:eu-central-1:222222222222:cluster:sales"}}, nil},
		"revoke-grant": {event.Hand{Who: "arn:aws:iam::222222222222:user/carla", Tool: event.CLI},
			[]event.Touched{{Resource: "arn:aws:kms:eu-central-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}, nil},
		"retire-grant": {event.Hand{Who: "arn:aws:iam::222222222222:root", Tool: event.CLI},
			[]event.Touched{{Resource: "arn:aws:kms:eu-central-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}, nil},
		"delete-security-group":            {event.Hand{Who: "arn:aws:sts::222222222222:assumed-role/platform/ben", Tool: event.CLI}, []event.Touched{{Resource: "sg-0a1b2c3d4e5f60001", Gone: true}}, nil},
		"put-role-permissions-boundary":    {event.Hand{Who: "arn:aws:iam::222222222222:user/carla", Tool: event.CLI}, []event.Touched{{Resource: "drawbridge-data-api-sales", Global: true}}, nil},
		"delete-role-permissions-boundary": {event.Hand{Who: "arn:aws:iam::222222222222:user/carla", Tool: event.CLI}, []event.Touched{{Resource: "drawbridge-data-api-sales", Global: true}}, nil},
		"disable-transit-gateway-propagation": {event.Hand{Who: "arn:aws:sts::111111111111:assumed-role/platform/ben", Tool: event.CLI},
			[]event.Touched{{Resource: "tgw-attach-0123456789abcdef0", Looks: true}}, nil},
		"modify-vpc-peering-connection-options": {event.Hand{}, []event.Touched{{Resource: "pcx-0123456789abcdef0", Looks: true, Made: []event.Made{{Key: "accepter", Left: "on"}}}}, nil},
		"authorize-rule": {event.Hand{Who: "arn:aws:sts::222222222222:assumed-role/platform/ben", Tool: event.CLI},
			[]event.Touched{{Resource: "sg-0a1b2c3d4e5f60001", Keys: []string{"ingress"}, Begins: true, Made: []event.Made{{Key: "ingress tcp 3306 10.1.0.0/16", Left: "sgr-0a1b2c3d4e5f60001"}}}}, nil},
		"delete-tags-by-terraform": {event.Hand{Who: deploy, Tool: event.Terraform}, nil, []string{"pcx-0123456789abcdef0"}},
	} {
		got := readSample(t, name)
		if c.hand.Who != "" && got.Hand != c.hand {
			t.Errorf("%s: the hand is %+v, want %+v", name, got.Hand, c.hand)
		}
		if !reflect.DeepEqual(got.Touched, c.touched) || !slices.Equal(got.Untagged, c.untagged) || got.Why != "" || len(got.Things) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
		if got.At != time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) || got.Call == "" {
			t.Errorf("%s: at %v, call %q", name, got.At, got.Call)
		}
	}
	if got := readSample(t, "contest-to-report"); got.Contest != "pcx-0123456789abcdef0" || got.Nothing() {
		t.Errorf("%+v", got)
	}
}

// Each touch is read in both of CloudTrail's shapes: flat, and as XML turned into JSON.
func TestEveryTouchNamesItsResource(t *testing.T) {
	const record = `{"source":"aws.SERVICE","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1","time":"2026-11-22T09:00:00Z","detail":{"eventName":"CALL","userIdentity":{"type":"Root","principalId":111111111111,"arn":"arn:aws:iam::111111111111:root"},"requestParameters":PARAMETERS}}`
	if len(event.Touches) < 15 {
		t.Fatalf("only %d touches", len(event.Touches))
	}
	read := func(touch event.Touch, parameters string) (event.Changed, error) {
		return event.ReadChanged([]byte(strings.NewReplacer("SERVICE", touch.Service, "CALL", touch.Call, "PARAMETERS", parameters).Replace(record)))
	}
	for _, touch := range event.Touches {
		name := touch.Resource[0]
		capital := strings.ToUpper(name[:1]) + name[1:]
		for shape, parameters := range map[string]string{
			"flat": `{"` + name + `":"thing-1"}`, "wrapped": `{"` + touch.Call + `Request":{"` + capital + `":"thing-1"}}`,
			"a numbered list of one": `{"` + touch.Call + `Request":{"` + capital + `":{"tag":1,"content":"thing-1"}}}`,
		} {
			got, err := read(touch, parameters)
			if touch.Call == "DeleteRole" && shape != "flat" {
				continue // of IAM, which is flat: as a thing with a tag it is read strictly
			}
			resource := "thing-1"
			if touch.Service == "kms" { // filed by the ARN, named by either
				resource = "arn:aws:kms:us-east-1:111111111111:key/thing-1"
			}
			if err != nil || len(got.Touched) != 1 || got.Touched[0].Resource != resource || got.Touched[0].Global != (touch.Service == "iam") {
				t.Errorf("%s, %s: %+v, %v", touch.Call, shape, got.Touched, err)
			}
		}
		for _, hostile := range []string{`{}`, `{"` + name + `":"a#b"}`, `{"` + name + `":"a/b"}`, `{"` + name + `":"` + strings.Repeat("x", 400) + `"}`} {
			if got, err := read(touch, hostile); fault.Of(err) != fault.Invalid {
				t.Errorf("%s of %.40s: %+v, %v; want Invalid", touch.Call, hostile, got.Touched, err)
			}
		}
	}
}

// What a call made is told in the words of the ledger, in whichever shape the record has it.
func TestWhatACallMade(t *testing.T) {
	const record = `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1","detail":{"eventName":"CALL","requestParameters":PARAMETERS,"responseElements":ANSWER}}`
	for name, c := range map[string]struct {
		call, parameters, answer string
		want                     []event.Made
	}{
		"a route to a peering": {"CreateRoute", `{"routeTableId":"rtb-01234567","destinationCidrBlock":"10.2.3.4/16","vpcPeeringConnectionId":"pcx-01234567"}`, `{}`, []event.Made{{Key: "10.2.0.0/16", Left: "pcx-01234567"}}},
		"a route of IPv6 to a gateway, led there": {"ReplaceRoute", `{"routeTableId":"rtb-01234567","destinationIpv6CidrBlock":"2001:db8::/56","transitGatewayId":"tgw-01234567"}`, `{}`,
			[]event.Made{{Key: "2001:db8::/56", Left: "tgw-01234567"}}},
		"a route elsewhere": {"CreateRoute", `{"routeTableId":"rtb-01234567","destinationCidrBlock":"10.2.0.0/16","gatewayId":"igw-01234567"}`, `{}`, nil},
		"rules of two kinds": {"AuthorizeSecurityGroupEgress", `{"groupId":"sg-01234567"}`, `{"securityGroupRuleSet":{"items":[
			{"securityGroupRuleId":"sgr-1","isEgress":true,"ipProtocol":"tcp","fromPort":3306,"toPort":3310,"cidrIpv6":"2001:db8::/56"},
			{"securityGroupRuleId":"sgr-2","isEgress":true,"ipProtocol":"tcp","fromPort":5432,"toPort":5432,"referencedGroupInfo":{"groupId":"sg-2","userId":"222222222222"}},
			{"securityGroupRuleId":"sgr-3","isEgress":true,"ipProtocol":"-1","fromPort":-1,"toPort":-1,"cidrIpv4":"0.0.0.0/0"}]}}`,
			[]event.Made{{Key: "egress tcp 3306-3310 2001:db8::/56", Left: "sgr-1"}, {Key: "egress tcp 5432 sg-2", Left: "sgr-2"}}},
		"rules that an old record does not name": {"AuthorizeSecurityGroupIngress", `{"groupId":"sg-01234567"}`, `{"_return":true}`, nil},
		"an option that is turned off":           {"ModifyVpcPeeringConnectionOptions", `{"vpcPeeringConnectionId":"pcx-01234567","requesterPeeringConnectionOptions":{"allowDnsResolutionFromRemoteVpc":false}}`, `{}`, nil},
		"options, as XML has them": {"ModifyVpcPeeringConnectionOptions",
			`{"ModifyVpcPeeringConnectionOptionsRequest":{"VpcPeeringConnectionId":"pcx-01234567","RequesterPeeringConnectionOptions":{"AllowDnsResolutionFromRemoteVpc":true}}}`, `{}`, []event.Made{{Key: "requester", Left: "on"}}},
	} {
		got, err := event.ReadChanged([]byte(strings.NewReplacer("CALL", c.call, "PARAMETERS", c.parameters, "ANSWER", c.answer).Replace(record)))
		if err != nil || len(got.Touched) != 1 || !slices.Equal(got.Touched[0].Made, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got.Touched, err, c.want)
		}
	}
}

func TestWhatIsNoHand(t *testing.T) {
	const record = `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1","detail":{"eventName":"DeleteRoute",EXTRA"requestParameters":{"routeTableId":"rtb-01234567","destinationCidrBlock":"10.2.0.0/16"}}}`
	for name, extra := range map[string]string{
		"a call that failed": `"errorCode":"Client.UnauthorizedOperation",`,
		"Drawbridge's own":   `"userIdentity":{"sessionContext":{"sessionIssuer":{"userName":"drawbridge-member-remove-routes"}}},`,
	} {
		if got, err := event.ReadChanged([]byte(strings.Replace(record, "EXTRA", extra, 1))); err != nil || len(got.Touched) > 0 || got.Why == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for agent, want := range map[string]string{
		"APN/1.0 Pulumi/1.0 PulumiAWS/7.0 terraform-provider-aws/5": "pulumi", "APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io)": event.Terraform,
		"console.amazonaws.com": event.Console, "Boto3/1.40 md/Botocore#1.40": "Boto3/1.40", "x`y\\\"<b>$(z) w": "xyb(z)", "": "",
	} {
		raw := strings.Replace(record, "EXTRA", `"userAgent":"`+strings.ReplaceAll(strings.ReplaceAll(agent, `\`, `\\`), `"`, `\"`)+`",`, 1)
		if got, err := event.ReadChanged([]byte(raw)); err != nil || got.Hand.Tool != want {
			t.Errorf("%q: %+v, %v, want %q", agent, got.Hand, err, want)
		}
	}
}

// An owner's own tag that goes is a wish; a tag by which Drawbridge speaks is only written anew.
func TestUntagged(t *testing.T) {
	const record = `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1","detail":{"eventName":"DeleteTags","requestParameters":{"resourcesSet":{"items":[{"resourceId":"pcx-01234567"},{"resourceId":"vpc-01234567"}]},"tagSet":TAGS}}}`
	for tags, want := range map[string][2]int{ // carriers that lost a tag, things whose wish changed
		`{"items":[{"key":"drawbridge:status"}]}`: {1, 0}, `{"items":[{"key":"` + tag.Approval + `"}]}`: {0, 1}, `{"items":[{"key":"Name"}]}`: {0, 0},
		`{"items":[{"key":"` + tag.Accept + `"},{"key":"drawbridge:reason"}]}`: {1, 1}, `""`: {1, 2},
	} {
		got, err := event.ReadChanged([]byte(strings.Replace(record, "TAGS", tags, 1)))
		if err != nil || len(got.Untagged) != want[0] || len(got.Things) != want[1] || got.Nothing() != (want == [2]int{}) || (got.Why == "") == got.Nothing() {
			t.Errorf("%s: %+v, %v", tags, got, err)
		}
	}
}
