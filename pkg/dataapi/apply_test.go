package dataapi

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// vault keeps the policies of one key and one secret.
type vault struct {
	key, secret string
	puts        int
	refuse      string // error code of the next put
	meanwhile   func(*vault)
	reads       int
}

func (v *vault) GetKeyPolicy(context.Context, *kms.GetKeyPolicyInput, ...func(*kms.Options)) (*kms.GetKeyPolicyOutput, error) {
	if v.reads++; v.reads == 2 && v.meanwhile != nil {
		v.meanwhile(v)
	}
	return &kms.GetKeyPolicyOutput{Policy: aws.String(v.key)}, nil
}

func (v *vault) PutKeyPolicy(_ context.Context, in *kms.PutKeyPolicyInput, _ ...func(*kms.Options)) (*kms.PutKeyPolicyOutput, error) {
	v.puts++
	if v.refuse != "" {
		return nil, &smithy.GenericAPIError{Code: v.refuse, Message: "Policy contains a statement with one or more invalid principals."}
	}
	if in.BypassPolicyLockoutSafetyCheck {
		panic("the lockout check is bypassed")
	}
	v.key = aws.ToString(in.Policy)
	return &kms.PutKeyPolicyOutput{}, nil
}

func (v *vault) GetResourcePolicy(context.Context, *secretsmanager.GetResourcePolicyInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetResourcePolicyOutput, error) {
	if v.secret == "" {
		return &secretsmanager.GetResourcePolicyOutput{}, nil
	}
	return &secretsmanager.GetResourcePolicyOutput{ResourcePolicy: aws.String(v.secret)}, nil
}

func (v *vault) PutResourcePolicy(_ context.Context, in *secretsmanager.PutResourcePolicyInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutResourcePolicyOutput, error) {
	if !aws.ToBool(in.BlockPublicPolicy) {
		panic("a public policy is not blocked")
	}
	v.secret = aws.ToString(in.ResourcePolicy)
	return &secretsmanager.PutResourcePolicyOutput{}, nil
}

func (v *vault) DeleteResourcePolicy(context.Context, *secretsmanager.DeleteResourcePolicyInput, ...func(*secretsmanager.Options)) (*secretsmanager.DeleteResourcePolicyOutput, error) {
	v.secret = ""
	return &secretsmanager.DeleteResourcePolicyOutput{}, nil
}

const owners = `{"Statement" : [ {"Sid":"root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"kms:*","Resource":"*"} ]}`

func exposure() workflow.DataAPI {
	return workflow.DataAPI{Cluster: sales(), Secret: workflow.Secret{ARN: secretARN, Key: keyARN}}
}

func TestPoliciesAreTakenBack(t *testing.T) {
	v := &vault{key: owners}
	for _, add := range []bool{true, true, false, false} {
		var err error
		if add {
			_, err = Admitter{Keys: v, Secrets: v}.policies(t.Context(), exposure())
		} else {
			_, err = Retracter{Keys: v, Secrets: v}.policies(t.Context(), exposure())
		}
		if err != nil {
			t.Fatal(err)
		}
		if gone := v.key == owners && v.secret == ""; gone == add {
			t.Errorf("added %v: key %s, secret %s", add, v.key, v.secret)
		}
	}
	if v.puts != 2 {
		t.Errorf("the key's policy was written %d times, want 2", v.puts)
	}
}

func TestPoliciesThatAreNotWritten(t *testing.T) {
	admins := `{"Statement":[{"Sid":"` + KeyStatements(exposure())[0].Sid + `","Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"kms:*","Resource":"*"}]}`
	for name, c := range map[string]struct {
		vault vault
		kind  fault.Kind
		puts  int
	}{
		"the owner's own right bears a Sid of ours": {vault{key: admins}, fault.Conflict, 0},
		"a policy that cannot be read":              {vault{key: "{}"}, fault.Conflict, 0},
		"somebody else writes at the same time":     {vault{key: owners, meanwhile: func(v *vault) { v.key = admins }}, fault.NotYet, 0},
		"KMS does not know the role yet":            {vault{key: owners, refuse: "MalformedPolicyDocumentException"}, fault.NotYet, 1},
		"KMS does not let us":                       {vault{key: owners, refuse: "AccessDeniedException"}, fault.Refused, 1},
	} {
		before := c.vault.key
		_, err := Admitter{Keys: &c.vault, Secrets: &c.vault}.policies(t.Context(), exposure())
		if fault.Of(err) != c.kind || c.vault.puts != c.puts || c.vault.meanwhile == nil && c.vault.key != before {
			t.Errorf("%s: %v after %d puts, want %s after %d", name, err, c.vault.puts, c.kind, c.puts)
		}
	}
}
