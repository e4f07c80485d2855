package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	rdsdatatypes "github.com/aws/aws-sdk-go-v2/service/rdsdata/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// Ask is one question of somebody's: to a cluster, with a secret.
type Ask struct {
	Account         string // whose analyst asks
	Cluster, Secret string
	SQL             string
}

// Query asks as people do: the analyst of an account assumes the role of the producer and sends a statement with the
// secret. It returns the first value of the answer.
func (w *DataAPIWorld) Query(ctx context.Context, a Ask) (string, error) {
	config := w.clients(a.Account, w.Region)
	for _, role := range []string{arn.IAM(arn.Partition(w.Region), a.Account, "role/analyst"), w.RoleARN()} {
		got, err := sts.NewFromConfig(config).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("ada")})
		if err != nil {
			return "", fmt.Errorf("assuming %s: %w", role, err)
		}
		c := got.Credentials
		config.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken))
	}
	got, err := rdsdata.NewFromConfig(config).ExecuteStatement(ctx, &rdsdata.ExecuteStatementInput{
		ResourceArn: &a.Cluster, SecretArn: &a.Secret, Sql: &a.SQL})
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", a.Cluster, err)
	}
	for _, record := range got.Records {
		for _, field := range record {
			switch f := field.(type) {
			case *rdsdatatypes.FieldMemberLongValue:
				return fmt.Sprint(f.Value), nil
			case *rdsdatatypes.FieldMemberStringValue:
				return f.Value, nil
			}
		}
	}
	return "", nil
}

// Verdict reads back who gets through: the consumer, and nobody else, to this cluster with this secret alone. Each line
// is a call chain that was really made.
func (w *DataAPIWorld) Verdict(ctx context.Context) ([]story.Hop, error) {
	right := Ask{w.Consumer, w.ClusterARN(), w.SecretARN, "SELECT 6 * 7"}
	third, secret, other := right, right, right
	third.Account, secret.Secret, other.Cluster = w.Third, w.OtherSecret, w.arn(otherOne)
	var hops []story.Hop
	for _, c := range []struct {
		hop, says string
		ask       Ask
		denied    bool
	}{
		{"consumer", "alpha's analyst assumes the role and runs " + right.SQL, right, false},
		{"third account", "gamma's analyst does the same", third, true},
		{"another secret", "alpha's analyst, with " + otherSecret, secret, true},
		{"another cluster", "alpha's analyst, on " + otherOne, other, true},
	} {
		answer, err := w.Query(ctx, c.ask)
		var api smithy.APIError
		switch {
		case err == nil:
			hops = append(hops, story.Hop{Hop: c.hop, OK: !c.denied, Detail: c.says + ": " + answer})
		case errors.As(err, &api):
			hops = append(hops, story.Hop{Hop: c.hop, OK: c.denied && strings.HasPrefix(api.ErrorCode(), "AccessDenied"), Detail: fmt.Sprintf("%s: %s", c.says, api.ErrorCode())})
		default:
			return hops, err
		}
	}
	return hops, nil
}
