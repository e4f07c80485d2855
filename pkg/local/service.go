package local

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// asService makes requests as the AWS service of this name, which the door lets nobody else do.
type asService string

// RoundTrip implements [http.RoundTripper].
func (s asService) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(serviceHeader, string(s))
	return transport.RoundTrip(r)
}

// AsService assumes a role as an AWS service does that runs something with it, such as SageMaker an app of Studio:
// service is its principal, sourceIdentity the session's source identity, empty for none. The answer is the same account
// in the same Region, acting with the role.
func (e *Engine) AsService(ctx context.Context, service string, in aws.Config, role, sourceIdentity string) (aws.Config, error) {
	inner := in.Copy()
	inner.BaseEndpoint = aws.String(e.emulator.url.String())
	inner.HTTPClient = &http.Client{Transport: asService(service)}
	ask := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("service")}
	if sourceIdentity != "" {
		ask.SourceIdentity = &sourceIdentity
	}
	out, err := sts.NewFromConfig(inner).AssumeRole(ctx, ask)
	if err != nil {
		return in, fmt.Errorf("assuming %s as %s: %w", role, service, err)
	}
	acting := in.Copy()
	acting.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	return acting, nil
}
