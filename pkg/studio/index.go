package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Parameters is what [Index] needs of Systems Manager Parameter Store.
type Parameters interface {
	GetParametersByPath(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	DeleteParameter(context.Context, *ssm.DeleteParameterInput, ...func(*ssm.Options)) (*ssm.DeleteParameterOutput, error)
}

// Index says which clusters named an account when they were last looked at: where to look when a role of the account is
// opened or closed. It grants nothing, and nothing is believed of it: the cluster's tag is read again. An entry is one
// parameter of the hub, its name <path>/<consumer>/<producer>/<Region>/<cluster>, so that two executions write apart.
type Index struct {
	API  Parameters
	Path string // such as /drawbridge/studio
}

func (x Index) name(consumer string, at event.Place, cluster string) string {
	return strings.Join([]string{x.Path, consumer, at.Account, at.Region, cluster}, "/")
}

// Keep puts a cluster into the index of an account, or takes it out. Both may have been done before. What is no account has
// no index.
func (x Index) Keep(ctx context.Context, consumer string, at event.Place, cluster string, named bool) error {
	if !event.IsAccount(consumer) {
		return nil
	}
	name := x.name(consumer, at, cluster)
	var err error
	if named {
		_, err = x.API.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Type: ssmtypes.ParameterTypeString, Value: aws.String(tag.Studio),
			Description: aws.String("Drawbridge: this Redshift cluster names this account. Only a hint where to look.")})
	} else {
		_, err = x.API.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &name})
	}
	if err != nil && !fault.HasCode(err, "ParameterAlreadyExists", "ParameterNotFound") {
		return fmt.Errorf("keeping the index of clusters, %s: %w", name, err)
	}
	return nil
}

// Looks returns a look for each cluster that named the account.
func (x Index) Looks(ctx context.Context, consumer, reason string) ([]event.StudioInspection, error) {
	var out []event.StudioInspection
	under := x.Path + "/" + consumer
	pages := ssm.NewGetParametersByPathPaginator(x.API, &ssm.GetParametersByPathInput{Path: &under, Recursive: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the index of clusters, %s: %w", under, err)
		}
		for _, p := range page.Parameters {
			if parts := strings.Split(strings.TrimPrefix(aws.ToString(p.Name), under+"/"), "/"); len(parts) == 3 {
				out = append(out, event.StudioInspection{Account: parts[0], Region: parts[1], Cluster: parts[2], Consumer: consumer, Reason: reason})
			}
		}
	}
	slices.SortFunc(out, func(a, b event.StudioInspection) int {
		return strings.Compare(x.name(consumer, event.Place{Account: a.Account, Region: a.Region}, a.Cluster), x.name(consumer, event.Place{Account: b.Account, Region: b.Region}, b.Cluster))
	})
	return out, nil
}
