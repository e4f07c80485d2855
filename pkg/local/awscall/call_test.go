package awscall

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
)

func request(method, path, service, body string, header map[string]string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=111111111111/20260102/eu-west-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	return r
}

var form = map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

func dynamo(action string) map[string]string {
	return map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810." + action}
}

func TestWhatAStepTellsTheLedger(t *testing.T) {
	hop := `{"M":{"hop":{"S":"DNS option"},"ok":{"BOOL":true},"detail":{"S":"on"}}}`
	for body, want := range map[string]string{
		`{"TransactItems":[{"Put":{"Item":{"pk":{"S":"connection#pcx-1"},"sk":{"S":"fact#told#AllowDnsResolution#hop#0001"},"of":{"L":[` + hop + `]}}}}]}`: `[{"detail":"on","hop":"DNS option","ok":true}]`,
		`{"TransactItems":[{"Put":{"Item":{"sk":{"S":"fact#told#InjectRoutes#0001#"},"served":{"N":"1"},"hops":{"L":[` + hop + `]}}}}]}`:                   `[{"detail":"on","hop":"DNS option","ok":true}]`,
		`{"TransactItems":[{"Put":{"Item":{"sk":{"S":"fact#before#0001"},"of":{"L":[` + hop + `]}}}}]}`:                                                    "",
		`{"TransactItems":[{"Put":{"Item":{"sk":{"S":"fact#side#0001#told#AddRoutes#table#0001"},"of":{"L":[` + hop + `]}}}}]}`:                            "",
		`{"TransactItems":[{"Delete":{"Key":{"sk":{"S":"fact#told#InjectRoutes#0001#"}}}}]}`:                                                               "",
		`garbage`: "",
	} {
		c := Parse(request("POST", "/", "dynamodb", body, dynamo("TransactWriteItems")), []byte(body))
		if c.Told != want {
			t.Errorf("%s tells %s, want %s", body, c.Told, want)
		}
	}
}

func TestWhatReads(t *testing.T) {
	for action, want := range map[string]bool{"GetItem": true, "Query": true, "TransactGetItems": true, "TransactWriteItems": false, "UpdateItem": false} {
		if got := (Call{Service: "dynamodb", Action: action}).Reads(); got != want {
			t.Errorf("%s reads: %v", action, got)
		}
	}
}

func TestParse(t *testing.T) {
	cborBody := string(cbor.Encode(cbor.Map{"TopicArn": cbor.String("arn:aws:sns:eu-west-1:1:t"), "Count": cbor.Uint(3)}))
	for _, c := range []struct {
		name             string
		request          *http.Request
		action, resource string
	}{
		{"EC2 change names its table", request("POST", "/", "ec2",
			"Action=CreateRoute&Version=2016-11-15&DestinationCidrBlock=10.2.0.0%2F16&RouteTableId=rtb-1&VpcPeeringConnectionId=pcx-1", form),
			"CreateRoute", "rtb-1"},
		{"EC2 filter gives its value", request("POST", "/", "ec2",
			"Action=DescribeRouteTables&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1", form),
			"DescribeRouteTables", "vpc-1"},
		{"EC2 list of ids", request("POST", "/", "ec2", "Action=DescribeVpcs&VpcId.1=vpc-9", form), "DescribeVpcs", "vpc-9"},
		{"EC2 tags name the resource", request("POST", "/", "ec2",
			"Action=CreateTags&ResourceId.1=pcx-7&Tag.1.Key=a&Tag.1.Value=b", form), "CreateTags", "pcx-7"},
		{"query without parameters", request("POST", "/", "rds", "Action=DescribeDBInstances&Version=2014-10-31", form), "DescribeDBInstances", ""},
		{"query RDS filter", request("POST", "/", "rds",
			"Action=DescribeDBInstances&Filters.Filter.1.Name=db-instance-id&Filters.Filter.1.Values.Value.1=sales", form), "DescribeDBInstances", "sales"},
		{"query in the URL", request("GET", "/?Action=GetCallerIdentity", "sts", "", nil), "GetCallerIdentity", ""},
		{"AssumeRole names the role", request("POST", "/", "sts",
			"Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A2%3Arole%2Fr&RoleSessionName=s&ExternalId=x", form), "AssumeRole", "arn:aws:iam::2:role/r"},
		{"JSON target", request("POST", "/", "sagemaker", `{"NotebookInstanceName":"nb","Tags":[{"Key":"k"}]}`,
			map[string]string{"X-Amz-Target": "SageMaker.DescribeNotebookInstance"}), "DescribeNotebookInstance", "nb"},
		{"JSON that is broken still has its action", request("POST", "/", "ssm", `{"Name":`,
			map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter"}), "GetParameter", ""},
		{"REST path of Lambda", request("POST", "/2015-03-31/functions/inspect/invocations", "lambda", "{}", nil), "Invoke", "inspect"},
		{"REST list of Lambda", request("GET", "/2015-03-31/functions", "lambda", "", nil), "ListFunctions", ""},
		{"CBOR", request("POST", "/service/AmazonSimpleNotificationService/operation/Publish", "sns", cborBody,
			map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}), "Publish", "arn:aws:sns:eu-west-1:1:t"},
		{"RAM names its action in the path", request("POST", "/deleteresourceshare", "ram", "", nil), "DeleteResourceShare", ""},
		{"RAM change names the invitation", request("POST", "/acceptresourceshareinvitation", "ram",
			`{"resourceShareInvitationArn":"arn:aws:ram:eu-west-1:2:resource-share-invitation/i"}`, nil),
			"AcceptResourceShareInvitation", "arn:aws:ram:eu-west-1:2:resource-share-invitation/i"},
		{"RAM list", request("POST", "/listprincipals", "ram", `{"resourceOwner":"SELF"}`, nil), "ListPrincipals", ""},
		{"a row that is read", request("POST", "/", "dynamodb", `{"TableName":"t","Key":{"pk":{"S":"connection#pcx-1"},"sk":{"S":"connection"}}}`, dynamo("GetItem")),
			"GetItem", "connection#pcx-1 connection"},
		{"a row that is put", request("POST", "/", "dynamodb", `{"TableName":"t","Item":{"pk":{"S":"lease#a"},"sk":{"S":"lease"},"holder":{"S":"x"}}}`, dynamo("PutItem")),
			"PutItem", "lease#a lease"},
		{"a partition", request("POST", "/", "dynamodb",
			`{"TableName":"t","KeyConditionExpression":"pk = :p AND begins_with(sk, :s)","ExpressionAttributeValues":{":s":{"S":"item#"},":p":{"S":"connection#pcx-1"}}}`, dynamo("Query")),
			"Query", "connection#pcx-1 item#"},
		{"a transaction names its connection", request("POST", "/", "dynamodb",
			`{"TransactItems":[{"Put":{"TableName":"t","Item":{"pk":{"S":"connection#pcx-1"},"sk":{"S":"i"}}}},{"Update":{"TableName":"t","Key":{"pk":{"S":"resource#b"},"sk":{"S":"i"}}}},{"Delete":{"Key":{"pk":{"S":"resource#a"},"sk":{"S":"i"}}}}]}`,
			dynamo("TransactWriteItems")), "TransactWriteItems", "connection#pcx-1 (3 rows)"},
		{"a transaction about several", request("POST", "/", "dynamodb",
			`{"TransactItems":[{"ConditionCheck":{"Key":{"pk":{"S":"b"},"sk":{"S":"i"}}}},{"Delete":{"Key":{"pk":{"S":"a"},"sk":{"S":"i"}}}}]}`,
			dynamo("TransactWriteItems")), "TransactWriteItems", "(2 rows)"},
		{"a transaction of one row", request("POST", "/", "dynamodb", `{"TransactItems":[{"Put":{"Item":{"pk":{"S":"lease#a"},"sk":{"S":"lease"}}}}]}`,
			dynamo("TransactWriteItems")), "TransactWriteItems", "lease#a lease"},
		{"a word, without its time and record", request("POST", "/", "dynamodb", `{"TransactItems":[{"Put":{"Item":{"pk":{"S":"connection#pcx-1"},"sk":{"S":"word#2026-11-29T12:00:00Z#drawbridge:approval#e-1"}}}}]}`,
			dynamo("TransactWriteItems")), "TransactWriteItems", "connection#pcx-1 word#drawbridge:approval"},
		{"a batch", request("POST", "/", "dynamodb", `{"RequestItems":{"t.1":{"Keys":[{"pk":{"S":"a"},"sk":{"S":"i"}},{"pk":{"S":"a"},"sk":{"S":"j"}}],"ConsistentRead":true}}}`,
			dynamo("BatchGetItem")), "BatchGetItem", "a (2 rows)"},
		{"a table", request("POST", "/", "dynamodb", `{"TableName":"t"}`, dynamo("DescribeTable")), "DescribeTable", ""},
		{"unknown path", request("PUT", "/bucket/key", "s3", "x", nil), "PUT /bucket/key", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body bytes.Buffer
			if _, err := body.ReadFrom(c.request.Body); err != nil {
				t.Fatal(err)
			}
			got := Parse(c.request, body.Bytes())
			if got.Action != c.action || got.Resource != c.resource {
				t.Errorf("got %q on %q, want %q on %q", got.Action, got.Resource, c.action, c.resource)
			}
			if got.Key != "111111111111" || got.Region != "eu-west-1" || got.Service == "" {
				t.Errorf("credential scope not read: %+v", got)
			}
		})
	}
}

func TestParseTellsWhoCalls(t *testing.T) {
	r := request("POST", "/", "ec2", "Action=DescribeVpcs", form)
	r.Header.Set("User-Agent", "aws-sdk-go-v2/1.47.7 ua/2.1 os/linux lang/go#1.26 api/ec2#1.344.1 app/drawbridge-inspect-peering m/E")
	r.Header.Set("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	got := Parse(r, nil)
	if got.Function != "drawbridge-inspect-peering" || got.TraceID != "1-5759e988-bd862e3fe1be46a994272793" {
		t.Errorf("got %+v", got)
	}
}

func TestParsePresigned(t *testing.T) {
	r := httptest.NewRequest("GET", "/?Action=GetCallerIdentity&X-Amz-Credential=222222222222%2F20260102%2Fus-east-1%2Fsts%2Faws4_request", nil)
	got := Parse(r, nil)
	if got.Key != "222222222222" || got.Service != "sts" || got.Action != "GetCallerIdentity" {
		t.Errorf("got %+v", got)
	}
}

func TestErrorCode(t *testing.T) {
	header := http.Header{"X-Amzn-Errortype": {"ResourceNotFoundException:http://internal/"}}
	for _, c := range []struct {
		name, body, want string
		header           http.Header
	}{
		{"EC2", "<Response><Errors><Error><Code>RouteAlreadyExists</Code></Error></Errors></Response>", "RouteAlreadyExists", nil},
		{"query", "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>", "AccessDenied", nil},
		{"JSON", `{"__type":"com.amazonaws.sagemaker#ValidationException"}`, "ValidationException", nil},
		{"header", `{}`, "ResourceNotFoundException", header},
		{"neither", `<html>`, "", nil},
	} {
		if got := ErrorCode(c.header, []byte(c.body)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRefuseIsReadBack(t *testing.T) {
	for _, r := range []*http.Request{
		request("POST", "/", "ec2", "Action=CreateRoute", form),
		request("POST", "/", "rds", "Action=DescribeDBInstances", form),
		request("POST", "/", "sagemaker", "{}", map[string]string{"X-Amz-Target": "SageMaker.ListDomains"}),
		request("POST", "/getresourceshares", "ram", "{}", map[string]string{"Content-Type": "application/json"}),
	} {
		w := httptest.NewRecorder()
		Refuse(w, r, Parse(r, []byte("Action=X")), 503, "Unavailable", "the <service> is down")
		if got := ErrorCode(w.Header(), w.Body.Bytes()); got != "Unavailable" || w.Code != 503 {
			t.Errorf("got %d %q from %s", w.Code, got, w.Body)
		}
		if json, xml := w.Body.Bytes()[0] == '{', w.Body.Bytes()[0] == '<'; json != (r.URL.Path != "/" || r.Header.Get("X-Amz-Target") != "") || json == xml {
			t.Errorf("%s answers with %s", r.URL.Path, w.Body)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Action=CreateRoute&RouteTableId=rtb-1", "application/x-www-form-urlencoded", "")
	f.Add(`{"Name":"x"}`, "application/x-amz-json-1.1", "AmazonSSM.GetParameter")
	f.Add("\xbf", "application/cbor", "")
	f.Fuzz(func(t *testing.T, body, contentType, target string) {
		r := httptest.NewRequest("POST", "/service/X/operation/Y", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("X-Amz-Target", target)
		Parse(r, []byte(body))
	})
}
