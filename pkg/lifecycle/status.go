package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// The statuses of a notebook.
const (
	// Written is the status of a notebook whose owner's configuration sets the routes.
	Written = "routes-set"
	// Attached is the status of a notebook to which Drawbridge attached a configuration.
	Attached = "routes-attached"
	// AtNextStart is the status of a running notebook to which no configuration can be attached.
	AtNextStart = "routes-at-next-start"
	// LeftOut is the status of a notebook that the policy gives no routes.
	LeftOut = "routes-left-out"
	// Failed is the status of a notebook whose routes could not be set; the reason says why.
	Failed = "routes-failed"
	// None is the status of a notebook that had another one, and whose route table leads to nothing that Drawbridge manages any more.
	None = "routes-none"
)

// statuses are all of them: what else a tag says is somebody else's.
var statuses = []string{Written, Attached, AtNextStart, LeftOut, Failed, None}

// saysSomething reports whether a notebook says something of Drawbridge's.
func saysSomething(nb workflow.Notebook) bool { return slices.Contains(statuses, nb.Tag) }

// inConfiguration is what a notebook says of routes that a configuration sets. It names no route: of several connections each would say another.
func inConfiguration(nb workflow.Notebook, name string) (status, reason string) {
	if name == NameFor(nb.Subnet) {
		return Attached, "the host routes are in the lifecycle configuration " + name + " that Drawbridge attached, and work from the next start"
	}
	return Written, "the host routes are in the lifecycle configuration " + name + " and work from the next start"
}

// atNextStart is why a running notebook without a configuration has no routes.
func atNextStart(nb workflow.Notebook) string {
	return fmt.Sprintf("the host routes need a lifecycle configuration, which SageMaker attaches to a stopped notebook only: stop it, or allow it with the tag %s=allowed%s", tag.Restart, nb.Unclear)
}

// teller is what tell needs of SageMaker.
type teller interface {
	AddTags(context.Context, *sagemaker.AddTagsInput, ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error)
}

// tell leaves a status on a notebook, with why and since when, if it does not say so already: where nothing changed, nothing is called.
func tell(ctx context.Context, api teller, nb workflow.Notebook, status, reason string, now time.Time) error {
	if status == "" || nb.Tag == status && nb.Said == fit.Tag(reason) {
		return nil
	}
	in := &sagemaker.AddTagsInput{ResourceArn: &nb.ARN}
	for _, t := range tag.Standing(status, reason, now) {
		in.Tags = append(in.Tags, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	if _, err := api.AddTags(ctx, in); err != nil {
		return fmt.Errorf("tagging %s: %w", nb.ARN, err)
	}
	return nil
}

// Speaker is what [Say] needs of SageMaker.
type Speaker interface {
	teller
	DescribeNotebookInstance(context.Context, *sagemaker.DescribeNotebookInstanceInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error)
	ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error)
}

// Say leaves on a notebook why its host routes could not be set, as of a time, and reports whether it says so now:
//
//	it is gone, or all its traffic leaves by its VPC     → no
//	it says something since then                         → no: that is newer
//	the policy leaves it out                             → no
//	it says nothing, and nobody chose it for host routes → no: it may be nobody's who asked
//	else                                                 → yes
func Say(ctx context.Context, api Speaker, name, why string, at time.Time, chosen bool) (bool, error) {
	shown, err := api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &name})
	if fault.NoRecord(err) || err == nil && shown.DirectInternetAccess == types.DirectInternetAccessDisabled {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading notebook %s: %w", name, err)
	}
	nb := workflow.Notebook{Name: name, ARN: aws.ToString(shown.NotebookInstanceArn)}
	got, err := api.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: &nb.ARN})
	if err != nil {
		return false, fmt.Errorf("reading the tags of %s: %w", nb.ARN, err)
	}
	since := time.Time{}
	for _, t := range got.Tags {
		switch aws.ToString(t.Key) {
		case tag.Status:
			nb.Tag = aws.ToString(t.Value)
		case tag.Reason:
			nb.Said = aws.ToString(t.Value)
		case tag.Since:
			since, _ = time.Parse(time.RFC3339, aws.ToString(t.Value))
		}
	}
	if since.After(at) || nb.Tag == LeftOut || !chosen && !saysSomething(nb) {
		return false, nil
	}
	return true, tell(ctx, api, nb, Failed, why, at)
}
