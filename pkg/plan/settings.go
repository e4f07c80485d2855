package plan

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
)

// PolicyParameter is the name of the hub's policy in Parameter Store.
const PolicyParameter = "/drawbridge/policy"

// CallersParameter is the name of the parameter of the hub that lists the ranges from which people call private notebooks.
const CallersParameter = "/drawbridge/private-access-cidrs"

// Settings are what the hub's functions get by their environment.
type Settings struct {
	Limit    brake.Limit
	Patience int // days
	Regions  []string
}

// ReadSettings reads the parameters of the hub's stack. With an error it returns what cdk.json has at first, and no Regions.
func ReadSettings(ctx context.Context, api board.Stacks, stack string) (Settings, error) {
	out := Settings{Limit: brake.Limit{Connections: 5, Percent: 5}, Patience: 3}
	got, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		return out, fmt.Errorf("reading the parameters of %s: %w", stack, err)
	}
	for _, s := range got.Stacks {
		for _, p := range s.Parameters {
			value := aws.ToString(p.ParameterValue)
			number, _ := strconv.Atoi(value)
			switch aws.ToString(p.ParameterKey) {
			case "BrakeConnections":
				out.Limit.Connections = number
			case "BrakePercent":
				out.Limit.Percent = number
			case "ApprovalPatience":
				out.Patience = number
			case "Regions":
				out.Regions = strings.Split(value, ",")
			}
		}
	}
	return out, nil
}
