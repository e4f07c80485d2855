package event_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

const (
	gateway    = "tgw-0123456789abcdef0"
	attachment = "tgw-attach-0123456789abcdef0"
	vpc        = "vpc-0b1c2d3e4f5a60718"
	share      = "arn:aws:ram:eu-west-1:111111111111:resource-share/0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"
)

var (
	owner    = event.Place{Account: "111111111111", Region: "eu-west-1"}
	attacher = event.Place{Account: "222222222222", Region: "eu-west-1"}
)

// gatewaySamples are what the samples about gateways and shares say.
var gatewaySamples = map[string]event.Event{
	"create-transit-gateway-vpc-attachment": {Kind: event.Attachment, Place: attacher, AttachmentID: attachment},
	"modify-transit-gateway-vpc-attachment": {Kind: event.Attachment, Place: attacher, AttachmentID: attachment},
	"delete-transit-gateway-vpc-attachment": {Kind: event.Attachment, Place: attacher, AttachmentID: attachment},
	"accept-transit-gateway-vpc-attachment": {Kind: event.Attachment, Place: owner, AttachmentID: attachment},
	"disable-transit-gateway-propagation":   {Kind: event.Attachment, Place: owner, AttachmentID: attachment},
	"associate-transit-gateway-route-table": {Kind: event.Attachment, Place: owner, AttachmentID: attachment},
	"create-resource-share":                 {Kind: event.Share, Place: owner, ShareARN: share},
	"accept-resource-share-invitation":      {Kind: event.Share, Place: attacher, ShareARN: share},
	"resource-sharing-state-change":         {Kind: event.Share, Place: attacher, ShareARN: share},
	"share-to-inspect":                      {Kind: event.Share, Place: attacher, ShareARN: share},
	"attachment-to-inspect":                 {Kind: event.Attachment, Place: attacher, GatewayID: gateway, VPC: vpc},
	"transit-to-inspect": {Kind: event.Transit, Place: owner, GatewayID: gateway, VPCs: []event.VPCPlace{
		{Account: "111111111111", Region: "eu-west-1", VPC: "vpc-0a1b2c3d4e5f60718"}, {Account: "222222222222", Region: "eu-west-1", VPC: vpc}}},
}

// The newer calls of EC2 are XML turned into JSON; each of its shapes says the same.
func TestAWrappedCallIsReadInEveryShape(t *testing.T) {
	raw := string(samples(t)["accept-transit-gateway-vpc-attachment"])
	for name, change := range map[string][2]string{
		"as recorded": {"", ""},
		"a plain request value": {`{
          "tag": 1,
          "content": "` + attachment + `"
        }`, `"` + attachment + `"`},
		"only the request names it": {`"transitGatewayAttachmentId": "` + attachment + `",`, ""},
		"the owner is text":         {`"vpcOwnerId": 222222222222`, `"vpcOwnerId": "222222222222"`},
		"an unwrapped request":      {`"AcceptTransitGatewayVpcAttachmentRequest"`, `"transitGatewayAttachmentId": "` + attachment + `", "other"`},
		"no request":                {`"AcceptTransitGatewayVpcAttachmentRequest"`, `"Another"`},
	} {
		changed := strings.Replace(raw, change[0], change[1], 1)
		if change[0] != "" && changed == raw {
			t.Fatalf("%s: the sample does not have %s", name, change[0])
		}
		e, err := event.Parse([]byte(changed))
		if err != nil || e.Kind != event.Attachment || e.AttachmentID != attachment {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if len(e.Others) != 1 || e.Others[0] != attacher {
			t.Errorf("%s: the VPC's owner is %v, want %v", name, e.Others, attacher)
		}
	}
}

func TestAnOwnerWithLeadingZerosIsReadFromANumber(t *testing.T) {
	raw := strings.Replace(string(samples(t)["accept-transit-gateway-vpc-attachment"]), `"vpcOwnerId": 222222222222`, `"vpcOwnerId": 2222222222`, 1)
	e, err := event.Parse([]byte(raw))
	if err != nil || len(e.Others) != 1 || e.Others[0].Account != "002222222222" {
		t.Errorf("%+v, %v", e.Others, err)
	}
}

func TestACallThatNamesNoAttachmentIsInvalid(t *testing.T) {
	raw := strings.ReplaceAll(string(samples(t)["delete-transit-gateway-vpc-attachment"]), attachment, "tgw-attach-../../x")
	if _, err := event.Parse([]byte(raw)); fault.Of(err) != fault.Invalid {
		t.Errorf("%v, want Invalid", err)
	}
}

func TestAFailedCallChangesNothing(t *testing.T) {
	for _, name := range []string{"delete-transit-gateway-vpc-attachment", "create-resource-share"} {
		raw := strings.Replace(string(samples(t)[name]), `"eventName":`, `"errorCode": "UnauthorizedOperation", "eventName":`, 1)
		e, err := event.Parse([]byte(raw))
		if err != nil || e.Kind != event.Unhandled || !e.Failed {
			t.Errorf("%s: %+v, %v, want a failed call that nobody handles", name, e, err)
		}
	}
}

func TestACallOfRAMThatSharesNothingIsUnhandled(t *testing.T) {
	raw := strings.Replace(string(samples(t)["create-resource-share"]), `"CreateResourceShare"`, `"TagResource"`, 1)
	if e, err := event.Parse([]byte(raw)); err != nil || e.Kind != event.Unhandled {
		t.Errorf("%+v, %v, want an unhandled event", e, err)
	}
}

// RAM documents neither the resources of its event nor their form: without them the place is what there is.
func TestRAMsEventNeedNotNameTheShare(t *testing.T) {
	raw := string(samples(t)["resource-sharing-state-change"])
	for _, resources := range []string{`[]`, `null`, `"x"`, `[{"a": 1}]`} {
		changed := strings.Replace(raw, `[
    "`+share+`"
  ]`, resources, 1)
		if changed == raw {
			t.Fatal("the sample names no share")
		}
		e, err := event.Parse([]byte(changed))
		if err != nil || e.Kind != event.Share || e.ShareARN != "" || e.Place != attacher {
			t.Errorf("%s: %+v, %v", resources, e, err)
		}
	}
}

func TestOwnEventsAboutGatewaysAreReadStrictly(t *testing.T) {
	tried := 0
	for name, changes := range map[string][][2]string{
		"share-to-inspect":      {{`"reason"`, `"reasons"`}, {`"222222222222"`, `"x"`}, {":resource-share/", ":resource/"}},
		"attachment-to-inspect": {{`"reason"`, `"reasons"`}, {`"222222222222"`, `"x"`}, {gateway, "tgw-1"}, {vpc, "vpc-1"}},
		"transit-to-inspect":    {{`"reason"`, `"reasons"`}, {`"222222222222"`, `"x"`}, {gateway, "tgw-1"}, {vpc, "vpc-1"}, {"eu-west-1", "eu west"}},
	} {
		for _, change := range changes {
			tried++
			raw := strings.ReplaceAll(string(samples(t)[name]), change[0], change[1])
			if _, err := event.Parse([]byte(raw)); fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %s instead of %s: %v, want Invalid", name, change[1], change[0], err)
			}
		}
	}
	if tried == 0 {
		t.Fatal("nothing was tried")
	}
	same := strings.Replace(string(samples(t)["transit-to-inspect"]), "vpc-0a1b2c3d4e5f60718", vpc, 1)
	same = strings.Replace(same, "111111111111", "222222222222", 1)
	if _, err := event.Parse([]byte(same)); fault.Of(err) != fault.Invalid {
		t.Errorf("a VPC with itself: %v, want Invalid", err)
	}
}

func TestTheOwnerOfAShareIsInItsARN(t *testing.T) {
	if got, ok := event.ShareOwner(share); !ok || got != owner {
		t.Errorf("ShareOwner = %v, %v", got, ok)
	}
	if _, ok := event.ShareOwner(share + "/x"); ok {
		t.Error("something follows the ARN")
	}
}
