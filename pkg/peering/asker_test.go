package peering_test

import (
	"os"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

func TestTheApproverReadsWhoAsksAndWhatElseBecomesReachable(t *testing.T) {
	record, err := os.ReadFile("../../events/create-vpc-peering-connection.json")
	if err != nil {
		t.Fatal(err)
	}
	by := peering.Asker(record)
	if by != "arn:aws:sts::111111111111:assumed-role/research/ana" {
		t.Errorf("the record is of %q", by)
	}
	for _, garbage := range []string{"", "{", `{"detail":{"userIdentity":"root"}}`, `{"detail":{}}`} {
		if got := peering.Asker([]byte(garbage)); got != "" {
			t.Errorf("%q is of %q", garbage, got)
		}
	}
	own := map[string]string{"drawbridge:reason": "weekly sales report"}
	why := peering.Reason(own)
	if own["drawbridge:status"] = "AwaitingApproval"; why != "weekly sales report" || peering.Reason(own) != "" {
		t.Errorf("why they ask is %q, and once Drawbridge answered %q", why, peering.Reason(own))
	}
	c := workflow.Connection{ID: "pcx-1", Requester: workflow.VPC{Account: "111111111111", Region: "eu-west-1", ID: "vpc-1"}, Accepter: workflow.VPC{Account: "222222222222", Region: "cn-north-1", ID: "vpc-2"}}
	_, body := peering.Message(workflow.ConcludeInput{Connection: c, Request: workflow.Request{By: by, Why: why},
		Sides: []workflow.Side{{VPC: c.Accepter, Peer: c.Requester, AllowedDatabases: []workflow.AllowedDatabase{{Database: "sales", Engine: "mysql", Port: 3306, Also: []string{"archive"}}}}}})
	for _, said := range []string{by, why, "sales  mysql, TCP port 3306", "archive, which nobody shared", "https://cn-north-1.console.amazonaws.cn/vpcconsole/home?region=cn-north-1#PeeringConnectionDetails:VpcPeeringConnectionId=pcx-1"} {
		if !strings.Contains(body, said) {
			t.Errorf("the request for approval does not say %q:\n%s", said, body)
		}
	}
}
