package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// tagging are, for each service, the calls by which somebody sets a tag and takes it away, and who owns what has it, as docs/scp names them.
var tagging = map[string]struct {
	set, remove []string
	owner       string
}{
	"ec2":                 {[]string{"ec2:CreateTags"}, []string{"ec2:DeleteTags"}, "NetworkOwner"},
	"rds":                 {[]string{"rds:AddTagsToResource", "rds:CreateDBInstance", "rds:CreateDBCluster", "rds:RestoreDBInstanceToPointInTime"}, []string{"rds:RemoveTagsFromResource"}, "DataOwner"},
	"redshift":            {[]string{"redshift:CreateTags", "redshift:CreateCluster", "redshift:RestoreFromClusterSnapshot"}, []string{"redshift:DeleteTags"}, "DataOwner"},
	"redshift-serverless": {[]string{"redshift-serverless:TagResource", "redshift-serverless:CreateWorkgroup"}, []string{"redshift-serverless:UntagResource"}, "DataOwner"},
	"iam":                 {[]string{"iam:TagRole", "iam:CreateRole"}, []string{"iam:UntagRole"}, "IdentityOwner"},
	"sagemaker":           {[]string{"sagemaker:AddTags", "sagemaker:CreateNotebookInstance"}, []string{"sagemaker:DeleteTags"}, "NotebookOwner"},
	"secretsmanager":      {[]string{"secretsmanager:TagResource", "secretsmanager:CreateSecret"}, []string{"secretsmanager:UntagResource"}, "DataOwner"},
	"kms":                 {[]string{"kms:TagResource", "kms:CreateKey"}, []string{"kms:UntagResource"}, "DataOwner"},
}

// exemplars are things of each kind that may have a tag.
var exemplars = map[tag.Kind]string{
	tag.VPC: "ec2:us-east-1:111111111111:vpc/vpc-1", tag.Peering: "ec2:us-east-1:111111111111:vpc-peering-connection/pcx-1",
	tag.Gateway: "ec2:us-east-1:111111111111:transit-gateway/tgw-1", tag.Attachment: "ec2:us-east-1:111111111111:transit-gateway-attachment/tgw-attach-1",
	tag.Subnet: "ec2:us-east-1:111111111111:subnet/subnet-1", tag.RouteTable: "ec2:us-east-1:111111111111:route-table/rtb-1", tag.Group: "ec2:us-east-1:111111111111:security-group/sg-1",
	tag.DBProxy: "rds:us-east-1:111111111111:db-proxy:prx-a", tag.DBInstance: "rds:us-east-1:111111111111:db:a", tag.DBCluster: "rds:us-east-1:111111111111:cluster:a",
	tag.RedshiftCluster: "redshift:us-east-1:111111111111:cluster:a", tag.Workgroup: "redshift-serverless:us-east-1:111111111111:workgroup/a",
	tag.Role: "iam::111111111111:role/a", tag.Notebook: "sagemaker:us-east-1:111111111111:notebook-instance/a",
	tag.Domain:       "sagemaker:us-east-1:111111111111:domain/d-a",
	tag.StoredSecret: "secretsmanager:us-east-1:111111111111:secret:a", tag.KMSKey: "kms:us-east-1:111111111111:key/a",
}

// The service control policies leave each tag by which owners ask to the owners of what has it, to be set and to be taken away, and
// everything else to everybody.
func TestServiceControlPoliciesLeaveTagsToTheirOwners(t *testing.T) {
	const developer, drawbridge = "Developer", "drawbridge-member-answer-tags"
	owners := []string{"NetworkOwner", "DataOwner", "IdentityOwner", "NotebookOwner"}
	var tries []try
	ask := func(want bool, who, action, arn, key, about string) {
		context := map[string]string{"aws:principalarn": "arn:aws:iam::111111111111:role/" + who}
		if key != "" {
			context["aws:tagkeys"] = key
		}
		tries = append(tries, try{"owners-decide", action, "arn:aws:" + arn, context, want, who + " " + about + " " + key})
	}
	seen := map[string]bool{}
	for _, w := range tag.Wishes {
		arn := exemplars[w.On]
		service, _, _ := strings.Cut(arn, ":")
		calls, known := tagging[service]
		if !known {
			t.Fatalf("nobody says who owns %s: %s in the tests' tables", w.On, w.Key)
		}
		seen[service] = true
		for _, action := range append(calls.set, calls.remove...) {
			ask(true, calls.owner, action, arn, w.Key, "owns it")
			ask(false, developer, action, arn, w.Key, "owns nothing")
			ask(true, developer, action, arn, "Name", "sets a tag of their own")
			ask(true, drawbridge, action, arn, tag.Unclear, "answers")
			for _, other := range owners {
				if other != calls.owner {
					ask(false, other, action, arn, w.Key, "owns something else")
				}
			}
		}
		if service == "ec2" {
			ask(false, developer, "ec2:DeleteTags", arn, "", "takes all tags away")
			ask(true, calls.owner, "ec2:DeleteTags", arn, "", "takes all tags away")
		}
	}
	ask(true, developer, "ec2:DeleteTags", "ec2:us-east-1:111111111111:instance/i-1", "", "takes all tags of an instance away")
	ask(true, developer, "ec2:CreateVpcPeeringConnection", "ec2:us-east-1:111111111111:vpc/vpc-1", "", "requests a peering")
	for _, of := range []string{"secretsmanager", "kms"} {
		arn := map[string]string{"secretsmanager": "secretsmanager:us-east-1:111111111111:secret:a", "kms": "kms:us-east-1:111111111111:key/a"}[of]
		for _, action := range append(tagging[of].set, tagging[of].remove...) {
			ask(true, "DataOwner", action, arn, tag.DataAPI, "owns it")
			ask(false, developer, action, arn, tag.DataAPI, "owns nothing")
		}
	}
	if len(seen) < 6 {
		t.Fatalf("only the services %v were tried", seen)
	}
	heldBySCPs(t, tries)
}

// Drawbridge's roles are allowed to change or delete what carries their mark. So nobody else sets it, and nobody changes these roles.
func TestServiceControlPoliciesLeaveMarksToDrawbridge(t *testing.T) {
	var tries []try
	for _, who := range []string{"drawbridge-member-admit-execution-role", "Developer", "IdentityOwner", "NetworkOwner", "DrawbridgeOperator"} {
		ours := strings.HasPrefix(who, "drawbridge-member-")
		for action, arn := range map[string]string{"iam:TagRole": "arn:aws:iam::111111111111:role/a", "ec2:CreateTags": "arn:aws:ec2:us-east-1:111111111111:security-group/sg-1"} {
			for key, marks := range map[string]bool{"drawbridge:connection": true, "drawbridge:studio": false, "Name": false} {
				tries = append(tries, try{"marks-are-drawbridges", action, arn, map[string]string{"aws:principalarn": "arn:aws:iam::111111111111:role/" + who, "aws:tagkeys": key}, ours || !marks, who + " " + key})
			}
		}
	}
	for who, may := range map[string]bool{"Developer": false, "IdentityOwner": false, "drawbridge-member-admit-execution-role": false, "stacksets-exec-0123": true, "DrawbridgeOperator": true} {
		for role, ours := range map[string]bool{"drawbridge-member-add-routes": true, "other": false} {
			tries = append(tries, try{"marks-are-drawbridges", "iam:UpdateAssumeRolePolicy", "arn:aws:iam::111111111111:role/" + role, map[string]string{"aws:principalarn": "arn:aws:iam::111111111111:role/" + who}, may || !ours, who})
		}
	}
	heldBySCPs(t, tries)
}

// hold asks the evaluator each question under a service control policy, as AWS does: beside the one that allows everything.
func heldBySCPs(t *testing.T, tries []try) {
	t.Helper()
	policies, denied := map[string][]any{}, 0
	for _, q := range tries {
		if policies[q.Policy] == nil {
			policies[q.Policy] = []any{serviceControlPolicy(t, q.Policy), document(statement{"Effect": "Allow", "Action": "*", "Resource": "*"})}
		}
	}
	for n, allowed := range evaluate(t, policies, tries) {
		q := tries[n]
		if !allowed {
			denied++
		}
		if allowed != q.allowed {
			t.Errorf("%s: %s on %s (%s): allowed is %v, want %v", q.Policy, q.Action, q.Resource, q.about, allowed, q.allowed)
		}
	}
	if denied == 0 || denied == len(tries) {
		t.Errorf("%d of %d are denied", denied, len(tries))
	}
}

// mostOfAPolicy is how many characters a service control policy may have where AWS has not raised it.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
const mostOfAPolicy = 5120

func serviceControlPolicy(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "scp", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var d map[string]any
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	var tight bytes.Buffer
	if err := json.Compact(&tight, text); err != nil {
		t.Fatal(err)
	}
	if tight.Len() > mostOfAPolicy {
		t.Errorf("docs/scp/%s.json has %d characters, %d is the most", name, tight.Len(), mostOfAPolicy)
	}
	return d
}
