package lifecycle

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
)

// Reader is what [Lines] needs of SageMaker.
type Reader interface {
	DescribeNotebookInstanceLifecycleConfig(context.Context, *sagemaker.DescribeNotebookInstanceLifecycleConfigInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceLifecycleConfigOutput, error)
}

// Lines returns the lines of Drawbridge's block in a configuration; none of one that does not exist.
func Lines(ctx context.Context, api Reader, configuration string) ([]Line, error) {
	script, err := Saved(ctx, api, configuration)
	return script.Lines, err
}

// Saved returns the on-start script of a configuration; the zero Script of one that does not exist.
func Saved(ctx context.Context, api Reader, configuration string) (Script, error) {
	current, err := read(ctx, api, configuration)
	if errors.Is(err, errGone) {
		return Script{}, nil
	}
	if err != nil {
		return Script{}, err
	}
	return Parse(configuration, current.OnStart)
}

// Holds reports whether lines give the notebooks of a subnet exactly these destinations.
func Holds(lines []Line, subnet netip.Prefix, destinations []netip.Prefix) bool {
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Subnet == subnet })
	if i < 0 {
		return len(destinations) == 0
	}
	return slices.Equal(lines[i].Destinations, destinations)
}
