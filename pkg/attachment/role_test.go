package attachment_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// roles is IAM of the VPC's account: what it answers to a read of the role, and to making it.
type roles struct {
	did          *[]string
	reads, makes error
}

func (r roles) GetRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	*r.did = append(*r.did, "read "+*in.RoleName)
	return &iam.GetRoleOutput{}, r.reads
}

func (r roles) CreateServiceLinkedRole(_ context.Context, in *iam.CreateServiceLinkedRoleInput, _ ...func(*iam.Options)) (*iam.CreateServiceLinkedRoleOutput, error) {
	*r.did = append(*r.did, "make for "+*in.AWSServiceName)
	return &iam.CreateServiceLinkedRoleOutput{}, r.makes
}

func TestAttachAfterAWSFailedIt(t *testing.T) {
	coded := func(code, message string) error {
		return fmt.Errorf("calling IAM: %w", &smithy.GenericAPIError{Code: code, Message: message})
	}
	none := coded("NoSuchEntity", "no such role")
	const read, made, attached = "read AWSServiceRoleForVPCTransitGateway", "make for transitgateway.amazonaws.com", "create"
	for name, c := range map[string]struct {
		reads, makes error
		code         string // of EC2's error
		did          []string
		fails        fault.Kind
		says         []string
	}{
		"the account has the role":         {did: []string{read, attached}},
		"the account lacks it":             {reads: none, did: []string{read, made, attached}},
		"somebody makes it in this moment": {reads: none, makes: coded("InvalidInput", "Service role name X has been taken in this account, please try a different suffix."), did: []string{read, made, attached}},
		"the account lets nobody make it": {reads: none, makes: coded("AccessDenied", "with an explicit deny in a service control policy"), did: []string{read, made}, fails: fault.Refused,
			says: []string{ours, beta, "explicit deny in a service control policy", "remedy: with credentials of account " + beta + ": aws iam create-service-linked-role --aws-service-name transitgateway.amazonaws.com", "redrive"}},
		"another kind of invalid input":   {reads: none, makes: coded("InvalidInput", "no"), did: []string{read, made}, fails: fault.Conflict},
		"IAM is busy":                     {reads: coded("Throttling", "slow"), did: []string{read}, fails: fault.Transient},
		"IAM is busy making it":           {reads: none, makes: coded("ServiceUnavailable", "slow"), did: []string{read, made}, fails: fault.Transient},
		"nobody may read the role":        {reads: coded("AccessDenied", "no"), did: []string{read}, fails: fault.Refused},
		"AWS counts the failed one still": {code: "DuplicateTransitGatewayAttachment", did: []string{read, attached}, fails: fault.Conflict, says: []string{ours, "two hours", "redrive"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := sky()
			s.code = c.code
			_, err := attachment.Attach(t.Context(), fresh(), s, roles{s.did, c.reads, c.makes},
				workflow.AttachVpcInput{Gateway: one(true).Gateway, VPC: one(true).VPC, Attachment: workflow.Attachment{ID: ours, State: "failed", Own: true}, Subnets: []string{"subnet-1"}})
			did := slices.Clone(*s.did)
			for i := range did {
				if strings.HasPrefix(did[i], attached) {
					did[i] = attached
				}
			}
			if fault.Of(err) != c.fails || !slices.Equal(did, c.did) {
				t.Errorf("did %q, %v; want %q, %s", did, err, c.did, c.fails)
			}
			for _, said := range c.says {
				if !strings.Contains(err.Error(), said) {
					t.Errorf("%v does not say %s", err, said)
				}
			}
		})
	}
}
