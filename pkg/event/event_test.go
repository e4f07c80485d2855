package event_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("events/ holds %d samples (%v), want at least 7", len(files), err)
	}
	out := map[string][]byte{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = raw
	}
	return out
}

func TestEverySampleIsRead(t *testing.T) {
	others := map[string]bool{}
	for name, raw := range samples(t) {
		t.Run(name, func(t *testing.T) {
			e, err := event.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case e.Kind == event.Unhandled && !e.Failed:
				others[name] = true
			case gatewaySamples[name].Kind != "":
				e.ID, e.Time, e.Name, e.Others = "", time.Time{}, "", nil
				if want := gatewaySamples[name]; !reflect.DeepEqual(e, want) {
					t.Errorf("got %+v, want %+v", e, want)
				}
			case strings.HasPrefix(name, "notebook"):
				want := event.Notebook
				if name == "notebook-to-restart" {
					want = event.Restart
				}
				if e.Kind != want || e.NotebookName != "Analysis" {
					t.Errorf("got %+v, want the notebook Analysis in its own case", e)
				}
			case name == "create-route" || name == "delete-route-by-terraform":
				if e.Kind != event.Routes || e.RouteTableID != "rtb-0a1b2c3d4e5f60001" {
					t.Errorf("got %+v, want the route table", e)
				}
			case name == "data-api-endpoint-to-inspect":
				if e.Kind != event.DataAPI || e.VPC != "vpc-0b1c2d3e4f5a60718" {
					t.Errorf("got %+v, want the VPC", e)
				}
			case name == "data-api-to-inspect":
				if e.Kind != event.DataAPI || e.ClusterARN != "arn:aws:rds:"+e.Region+":"+e.Account+":cluster:sales" {
					t.Errorf("got %+v, want the Aurora cluster", e)
				}
			case name == "create-vpc-endpoint" || name == "delete-vpc-endpoints" || name == "private-notebooks-to-inspect":
				if e.Kind != event.Private || e.Account != "111111111111" {
					t.Errorf("got %+v, want a look at the account", e)
				}
			case name == "studio-to-inspect":
				if e.Kind != event.Studio || e.Cluster != "sales-warehouse" || e.Account != "222222222222" {
					t.Errorf("got %+v, want the cluster where it is", e)
				}
			case name == "create-user-profile":
				if e.Kind != event.Studio || !e.Roles || e.Account != "111111111111" {
					t.Errorf("got %+v, want the roles of the account", e)
				}
			case name == "delete-app":
				if e.Kind != event.Studio || e.DomainID != "d-0a1b2c3d4e5f" {
					t.Errorf("got %+v, want the domain", e)
				}
			case strings.HasSuffix(name, "-failed"):
				if e.Kind != event.Unhandled || !e.Failed {
					t.Errorf("got %+v, want a failed call that nobody handles", e)
				}
			default:
				if e.Kind != event.Peering || e.PeeringID != "pcx-0123456789abcdef0" {
					t.Errorf("got %+v, want the peering", e)
				}
			}
		})
	}
	// What Drawbridge announces, and what only tells people, must never start a machine's work.
	for _, name := range []string{"connection-connected", "connection-refused", "connection-removed", "approval-needed", "attention-needed", "access-granted", "access-pending", "access-refused", "access-removed", "execution-status-change", "alarm-state-change", "parameter-store-change", "tag-unclear", "connection-contested", "change-held"} {
		if !others[name] {
			t.Errorf("%s is taken for something to work on", name)
		}
		delete(others, name)
	}
	for name := range others {
		if c, err := event.ReadChanged(samples(t)[name]); err != nil || c.Nothing() {
			t.Errorf("nobody handles %s: %+v, %v", name, c, err)
		}
	}
}

func TestOwnEventIsReadStrictlyAndNamesAnotherPlace(t *testing.T) {
	raw := string(samples(t)["peering-to-inspect"])
	e, err := event.Parse([]byte(raw))
	if err != nil || e.Place != (event.Place{Account: "222222222222", Region: "eu-west-1"}) {
		t.Errorf("Parse = %+v, %v, want the place of the peering, not the hub", e, err)
	}
	for _, change := range [][2]string{
		{`"reason"`, `"reasons"`}, {`"222222222222"`, `"the hub"`}, {`"eu-west-1"`, `"eu west"`}, {`"pcx-0123456789abcdef0"`, `"vpc-1"`},
	} {
		if _, err := event.Parse([]byte(strings.ReplaceAll(raw, change[0], change[1]))); fault.Of(err) != fault.Invalid {
			t.Errorf("%s instead of %s: %v, want Invalid", change[1], change[0], err)
		}
	}
}

func TestOwnEventsOfTheSweepAreReadStrictly(t *testing.T) {
	tried := 0
	for name, changes := range map[string][][2]string{
		"data-api-to-inspect":          {{`"reason"`, `"reasons"`}, {`"222222222222",`, `"x",`}, {`"eu-west-1",`, `"us-east-2",`}, {":cluster:sales", ":db:sales"}},
		"data-api-endpoint-to-inspect": {{`"reason"`, `"reasons"`}, {`"111111111111"`, `"x"`}, {"vpc-0b1c2d3e4f5a60718", "vpc-1"}},
		"private-notebooks-to-inspect": {{`"reason"`, `"reasons"`}, {`"111111111111"`, `"x"`}},
		"notebook-to-inspect":          {{`"reason"`, `"reasons"`}, {`"222222222222"`, `"x"`}, {`"notebookInstanceName"`, `"routeTableId"`}, {`"reason"`, `"routeTableId": "rtb-0a1b2c3d4e5f60001", "reason"`}},
		"notebook-to-restart":          {{`"reason"`, `"reasons"`}, {`"222222222222"`, `"x"`}},
		"studio-to-inspect":            {{`"reason"`, `"reasons"`}, {`"222222222222"`, `"x"`}, {"sales-warehouse", "Sales"}},
	} {
		for _, change := range changes {
			raw := string(samples(t)[name])
			bad := strings.ReplaceAll(raw, change[0], change[1])
			if bad == raw {
				continue
			}
			tried++
			if _, err := event.Parse([]byte(bad)); fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %s instead of %s: %v, want Invalid", name, change[1], change[0], err)
			}
		}
	}
	if tried < 14 {
		t.Errorf("only %d were tried", tried)
	}
	every := strings.Replace(string(samples(t)["attachment-to-inspect"]), `"transitGatewayId": "tgw-0123456789abcdef0",`, "", 1)
	if e, err := event.Parse([]byte(every)); err != nil || e.Kind != event.Attachment || e.VPC == "" || e.GatewayID != "" {
		t.Errorf("a VPC on all its gateways: %+v, %v", e, err)
	}
}

func TestCreateHintsAtTheOtherSide(t *testing.T) {
	e, err := event.Parse(samples(t)["create-vpc-peering-connection"])
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Others) == 0 || e.Others[0] != (event.Place{Account: "222222222222", Region: "eu-west-1"}) {
		t.Errorf("Others = %v, want 222222222222 in eu-west-1", e.Others)
	}
}

func TestBadInput(t *testing.T) {
	good := string(samples(t)["accept-vpc-peering-connection"])
	for name, c := range map[string]struct{ old, new, names string }{
		"a hostile CIDR in place of the id": {`"pcx-0123456789abcdef0"`, `"10.0.0.0/8; rm -rf /"`, "pcx-"},
		"an id with a newline":              {`"pcx-0123456789abcdef0"`, `"pcx-0123456789abcdef0\n"`, "pcx-"},
		"an account with letters":           {`"account": "222222222222"`, `"account": "22222222222x"`, "account"},
		"no account":                        {`"account": "222222222222"`, `"acount": "222222222222"`, "account"},
		"a Region that is a host name":      {`"region": "eu-west-1",`, `"region": "eu-west-1.evil.example",`, "region"},
		"no source":                         {`"source": "aws.ec2"`, `"sauce": "aws.ec2"`, "source"},
		"parameters of the wrong type":      {`"vpcPeeringConnectionId": "pcx-0123456789abcdef0"`, `"vpcPeeringConnectionId": ["pcx"]`, "names no peering"},
		"cut in the middle":                 {`"detail": {`, `"detail": `, "not an EventBridge event"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(good, c.old, c.new, 1)
			if name == "a hostile CIDR in place of the id" || name == "an id with a newline" {
				bad = strings.ReplaceAll(good, c.old, c.new)
			}
			if bad == good {
				t.Fatal("the sample does not hold what this case breaks")
			}
			_, err := event.Parse([]byte(bad))
			var typed *fault.Error
			if !errors.As(err, &typed) || typed.Kind != fault.Invalid {
				t.Fatalf("error = %v, want Invalid", err)
			}
			if !strings.Contains(err.Error(), c.names) || !strings.Contains(err.Error(), "remedy") {
				t.Errorf("error %q names neither %q nor a remedy", err, c.names)
			}
		})
	}
}

func TestTolerance(t *testing.T) {
	for name, raw := range map[string]string{
		"an owner that is a number":     `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":22222222222,"region":"us-gov-west-1","detail":{"eventName":"DeleteVpcPeeringConnection","requestParameters":{"vpcPeeringConnectionId":"pcx-01234567"}}}`,
		"options as a wrapped call":     `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"022222222222","region":"cn-north-1","detail":{"eventName":"ModifyVpcPeeringConnectionOptions","requestParameters":{"ModifyVpcPeeringConnectionOptionsRequest":{"VpcPeeringConnectionId":"pcx-01234567","AccepterPeeringConnectionOptions":{"AllowDnsResolutionFromRemoteVpc":true}}},"responseElements":""}}`,
		"a wrapped value with a number": `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"022222222222","region":"eusc-de-east-1","detail":{"eventName":"DeleteVpcPeeringConnection","requestParameters":{"DeleteVpcPeeringConnectionRequest":{"VpcPeeringConnectionId":{"tag":1,"content":"pcx-01234567"}}},"responseElements":null}}`,
		"a creation as a wrapped call":  `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"022222222222","region":"us-east-1","detail":{"eventName":"CreateVpcPeeringConnection","requestParameters":{"CreateVpcPeeringConnectionRequest":{"VpcId":"vpc-1"}},"responseElements":{"CreateVpcPeeringConnectionResponse":{"vpcPeeringConnection":{"vpcPeeringConnectionId":"pcx-01234567","tagSet":""}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			e, err := event.Parse([]byte(raw))
			if err != nil || e.PeeringID != "pcx-01234567" || e.Account != "022222222222" {
				t.Errorf("got %+v, %v", e, err)
			}
		})
	}
}

func TestStrangersAreNoOps(t *testing.T) {
	e, err := event.Parse([]byte(`{"source":"aws.s3","detail-type":"Object Created","account":"111111111111","region":"us-east-1","detail":{}}`))
	if err != nil || e.Kind != event.Unhandled || e.Why == "" {
		t.Errorf("got %+v, %v, want a named no-op", e, err)
	}
}

func TestStudioIsANamedNoOp(t *testing.T) {
	e, err := event.Parse([]byte(`{"source":"aws.sagemaker","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1","detail":{"eventName":"CreateApp"}}`))
	if err != nil || e.Kind != event.Unhandled || !strings.Contains(e.Why, "Studio, which needs no host routes") {
		t.Errorf("got %+v, %v, want a no-op that names Studio", e, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range samples(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := event.Parse(raw)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("error %v is not Invalid", err)
			}
			return
		}
		if e.Kind == event.Peering && strings.Trim(e.PeeringID, "pcx-0123456789abcdef") != "" {
			t.Errorf("the peering id %q has characters that no id has", e.PeeringID)
		}
		if len(e.Account) != 12 {
			t.Errorf("the account %q does not have 12 digits", e.Account)
		}
	})
}
