package template

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// What the Data API machine may write to IAM, keys and secrets, as narrow as IAM can say it.
func TestTheDataAPIWritesOnlyItsOwnRolesAndOnlyCheckedPolicies(t *testing.T) {
	const roles = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/drawbridge/drawbridge-data-api-*"
	boundary := `{"ArnEquals":{"iam:PermissionsBoundary":{"Fn::Sub":"arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/drawbridge/drawbridge-data-api-boundary"}}}`
	conditions := map[string]string{ // of each action that writes; empty: none
		"iam:CreateRole": boundary, "iam:PutRolePolicy": boundary, "iam:DeleteRolePolicy": boundary,
		"iam:UpdateAssumeRolePolicy": "null", "iam:DeleteRole": "null", // IAM knows no boundary for these
		"kms:ListResourceTags": "null", "kms:ListGrants": "null",
		"kms:CreateGrant": `{"ForAllValues:StringEquals":{"kms:GrantOperations":["Decrypt","DescribeKey"]},"StringEquals":{"kms:GrantConstraintType":"EncryptionContextSubset","kms:RetiringPrincipal":{"Fn::Sub":"arn:${AWS::Partition}:iam::${AWS::AccountId}:role/drawbridge-member-retract-data-api"}},"StringLike":{"aws:ResourceTag/drawbridge:data-api":["?*"],"kms:GranteePrincipal":{"Fn::Sub":"arn:${AWS::Partition}:iam::${AWS::AccountId}:role/drawbridge/drawbridge-data-api-*"}}}`,
	}
	allowed, _ := grants(t, read(t, Member))
	seen := map[string]bool{}
	for _, s := range allowed {
		if !slices.Contains([]string{"drawbridge-member-admit-consumers", "drawbridge-member-retract-data-api", "drawbridge-member-inspect-data-api"}, s.role) {
			continue
		}
		condition, _ := json.Marshal(s.condition)
		for _, a := range s.actions {
			service, verb, _ := strings.Cut(a, ":")
			if strings.HasPrefix(verb, "Get") || strings.HasPrefix(verb, "Describe") || service == "rds" {
				continue
			}
			seen[a] = true
			if service == "iam" && (len(s.resources) != 1 || s.resources[0] != roles) {
				t.Errorf("%s: %s on %v", s.role, a, s.resources)
			}
			if want, known := conditions[a]; a != "iam:TagRole" && (!known || string(condition) != want) {
				t.Errorf("%s: %s under the condition %s", s.role, a, condition)
			}
		}
	}
	for a := range conditions {
		if !seen[a] {
			t.Errorf("no role has %s", a)
		}
	}
}

// The boundary is the most that a role for the Data API can come to.
func TestTheBoundaryOfTheDataAPI(t *testing.T) {
	for _, r := range read(t, Member).Resources {
		if r.Type != "AWS::IAM::ManagedPolicy" || r.Properties["ManagedPolicyName"] != "drawbridge-data-api-boundary" {
			continue
		}
		var actions []string
		for _, s := range statements("boundary", r.Properties["PolicyDocument"]) {
			actions = append(actions, s.actions...)
			for _, resource := range s.resources {
				if !strings.Contains(resource, ":${AWS::AccountId}:") {
					t.Errorf("the boundary reaches out of its account: %s", resource)
				}
			}
		}
		slices.Sort(actions)
		want := []string{"kms:Decrypt", "kms:DescribeKey", "rds-data:BatchExecuteStatement", "rds-data:BeginTransaction", "rds-data:CommitTransaction",
			"rds-data:ExecuteStatement", "rds-data:RollbackTransaction", "secretsmanager:GetSecretValue"}
		if !slices.Equal(actions, want) {
			t.Errorf("the boundary allows %v, want %v", actions, want)
		}
		return
	}
	t.Fatal("the member template has no boundary for the Data API")
}
