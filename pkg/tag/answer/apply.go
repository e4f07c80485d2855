package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	serverlesstypes "github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// gone are the codes for a thing that is not there any more.
var gone = []string{"InvalidID", "InvalidVpcID.NotFound", "InvalidVpcPeeringConnectionID.NotFound", "InvalidTransitGatewayID.NotFound",
	"InvalidTransitGatewayAttachmentID.NotFound", "InvalidSubnetID.NotFound", "InvalidGroup.NotFound", "DBInstanceNotFound", "DBInstanceNotFoundFault",
	"DBClusterNotFoundFault", "DBProxyNotFoundFault", "ResourceNotFoundException",
	"ResourceNotFoundFault", "ResourceNotFound", "NoSuchEntity"}

// batch is how many values EC2 takes in one filter.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#Filtering_Resources_CLI
const batch = 200

// Answer reads the tags of each thing, in its own account, and says what is unclear on it. Who was told of exactly this
// before is not told again. The tag comes last, because it says that they were told: an interrupted Answer rather tells twice
// than not at all. A thing that is gone, or is of an account that lets nobody in, gets no answer.
func (a Answerer) Answer(ctx context.Context, in workflow.AnswerTagsInput) (workflow.AnswerTagsOutput, error) {
	var out workflow.AnswerTagsOutput
	var says []string
	for _, things := range byPlace(in.Things) {
		at := event.Place{Account: things[0].Account, Region: things[0].Region}
		clients := a.Enter(in.Execution, at)
		found, err := read(ctx, clients, things)
		if errors.Is(err, fault.ErrClosed) {
			slog.WarnContext(ctx, "an account lets nobody in; its tags are not answered", "account", at.Account)
			says = append(says, fmt.Sprintf("account %s lets nobody in", at.Account))
			continue
		}
		if err != nil {
			return out, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
		for _, t := range found {
			change := Plan(t.Kind, t.tags, t.kind)
			switch {
			case change.Set != "":
				if err := a.tell(ctx, told(in.Execution, t, change.Problems)); err != nil {
					return out, err
				}
				err = set(ctx, clients, t, change.Set)
				out.Told++
				says = append(says, fmt.Sprintf("%s: %s", t.ID, change.Set))
			case change.Clear:
				err = remove(ctx, clients, t)
				out.Cleared++
				says = append(says, t.ID+" is clear again")
			}
			if err != nil && !fault.HasCode(err, gone...) && !fault.NoRecord(err) {
				return out, fmt.Errorf("answering the tags of %s in %s, %s: %w", t.ID, at.Account, at.Region, err)
			}
		}
	}
	out.Reason = reason(says)
	slog.InfoContext(ctx, "answered", "told", out.Told, "cleared", out.Cleared, "reason", out.Reason)
	return out, nil
}

// reason is what the execution's output says; of many answers, the first.
func reason(says []string) string {
	const few = 3
	if len(says) == 0 {
		return "nothing is to be said about the tags"
	}
	out := strings.Join(says[:min(few, len(says))], "; ")
	if more := len(says) - few; more > 0 {
		out += fmt.Sprintf("; and %d more", more)
	}
	return out
}

// byPlace sorts things by account, Region, kind and id, each once.
func byPlace(things []workflow.TaggedThing) [][]workflow.TaggedThing {
	things = slices.Clone(things)
	slices.SortFunc(things, func(a, b workflow.TaggedThing) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.ID, b.ID))
	})
	var out [][]workflow.TaggedThing
	for n, t := range slices.Compact(things) {
		if n == 0 || t.Account != out[len(out)-1][0].Account || t.Region != out[len(out)-1][0].Region {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

func (a Answerer) tell(ctx context.Context, u notice.Unclear) error {
	if err := a.Bus.Put(ctx, u); err != nil {
		return err
	}
	if err := a.Topic.Publish(ctx, notice.UnclearMessage(u)); err != nil {
		return fmt.Errorf("telling of the tags of %s: %w", u.ID, err)
	}
	return nil
}

// read returns the things of one place that are there, with their tags.
func read(ctx context.Context, clients Clients, things []workflow.TaggedThing) ([]thing, error) {
	var out []thing
	var ids []string
	for _, t := range things {
		if t.Kind.Service() == "ec2" {
			ids = append(ids, t.ID)
		}
	}
	tags, err := readEC2(ctx, clients.EC2, ids)
	if err != nil {
		return nil, err
	}
	for _, t := range things {
		one := thing{TaggedThing: t, name: t.ID, tags: tags[t.ID]}
		if t.Kind.Service() != "ec2" {
			err := one.read(ctx, clients)
			if fault.HasCode(err, gone...) || fault.NoRecord(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("reading the tags of %s: %w", t.ID, err)
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// readEC2 returns the tags of things by their ids: one call for 200 things and 1,000 tags.
func readEC2(ctx context.Context, api EC2, ids []string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for some := range slices.Chunk(ids, batch) {
		pages := ec2.NewDescribeTagsPaginator(api, &ec2.DescribeTagsInput{Filters: []ec2types.Filter{{Name: aws.String("resource-id"), Values: some}}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the tags of %s: %w", strings.Join(some, ", "), err)
			}
			for _, t := range page.Tags {
				id := aws.ToString(t.ResourceId)
				if out[id] == nil {
					out[id] = map[string]string{}
				}
				out[id][aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
		}
	}
	return out, nil
}

// read reads the tags of a thing that is not EC2's.
func (t *thing) read(ctx context.Context, clients Clients) error {
	t.tags = map[string]string{}
	switch t.Kind.Service() {
	case "rds":
		got, err := clients.RDS.ListTagsForResource(ctx, &rds.ListTagsForResourceInput{ResourceName: &t.name})
		if err != nil {
			return err
		}
		for _, one := range got.TagList {
			t.tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
		}
		return t.readEngine(ctx, clients.RDS)
	case "redshift":
		// All tags of one resource come at once: MaxRecords and Marker do not go with an ARN.
		// https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeTags.html
		got, err := clients.Redshift.DescribeTags(ctx, &redshift.DescribeTagsInput{ResourceName: &t.name})
		if err != nil {
			return err
		}
		for _, one := range got.TaggedResources {
			if one.Tag != nil {
				t.tags[aws.ToString(one.Tag.Key)] = aws.ToString(one.Tag.Value)
			}
		}
	case "redshift-serverless":
		return t.readServerless(ctx, clients.Serverless)
	case "iam":
		pages := iam.NewListRoleTagsPaginator(clients.IAM, &iam.ListRoleTagsInput{RoleName: &t.name})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, one := range page.Tags {
				t.tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
			}
		}
	case "sagemaker":
		if t.Kind == tag.Domain {
			t.name = arn.New(arn.Partition(t.Region), "sagemaker", t.Region, t.Account, "domain/"+t.ID)
			return t.readSageMaker(ctx, clients.SageMaker)
		}
		got, err := clients.SageMaker.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &t.ID})
		if err != nil {
			return err
		}
		t.name = aws.ToString(got.NotebookInstanceArn)
		return t.readSageMaker(ctx, clients.SageMaker)
	}
	return nil
}

// readEngine tells whether a database that is shared is of an engine that is not served: RDS describes others' databases as its own.
func (t *thing) readEngine(ctx context.Context, api RDS) error {
	if t.Kind != tag.DBInstance && t.Kind != tag.DBCluster || tag.Clean(t.Kind, t.tags)[tag.Share] == "" {
		return nil
	}
	id, engine := t.name[strings.LastIndexByte(t.name, ':')+1:], ""
	if t.Kind == tag.DBCluster {
		got, err := api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &id})
		if err != nil {
			return err
		}
		for _, c := range got.DBClusters {
			engine = aws.ToString(c.Engine)
		}
	} else {
		got, err := api.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
		if err != nil {
			return err
		}
		for _, i := range got.DBInstances {
			engine = aws.ToString(i.Engine)
		}
	}
	t.kind, _ = database.OfEngine(engine)
	return nil
}

// readServerless reads the tags of a workgroup, which its creation names by its name alone.
func (t *thing) readServerless(ctx context.Context, api Serverless) error {
	if !strings.HasPrefix(t.name, "arn:") {
		got, err := api.GetWorkgroup(ctx, &redshiftserverless.GetWorkgroupInput{WorkgroupName: &t.name})
		if err != nil {
			return err
		}
		t.name = aws.ToString(got.Workgroup.WorkgroupArn)
	}
	got, err := api.ListTagsForResource(ctx, &redshiftserverless.ListTagsForResourceInput{ResourceArn: &t.name})
	if err != nil {
		return err
	}
	for _, one := range got.Tags {
		t.tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
	}
	return nil
}

// readSageMaker reads the tags of a thing of SageMaker by its ARN.
func (t *thing) readSageMaker(ctx context.Context, api SageMaker) error {
	pages := sagemaker.NewListTagsPaginator(api, &sagemaker.ListTagsInput{ResourceArn: &t.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, one := range page.Tags {
			t.tags[aws.ToString(one.Key)] = aws.ToString(one.Value)
		}
	}
	return nil
}

// set sets the tag drawbridge:unclear.
func set(ctx context.Context, clients Clients, t thing, value string) (err error) {
	slog.InfoContext(ctx, "tagging", "thing", t.ID, "tag", tag.Unclear, "value", value)
	key := aws.String(tag.Unclear)
	switch t.Kind.Service() {
	case "rds":
		_, err = clients.RDS.AddTagsToResource(ctx, &rds.AddTagsToResourceInput{ResourceName: &t.name, Tags: []rdstypes.Tag{{Key: key, Value: &value}}})
	case "redshift":
		_, err = clients.Redshift.CreateTags(ctx, &redshift.CreateTagsInput{ResourceName: &t.name, Tags: []redshifttypes.Tag{{Key: key, Value: &value}}})
	case "redshift-serverless":
		_, err = clients.Serverless.TagResource(ctx, &redshiftserverless.TagResourceInput{ResourceArn: &t.name, Tags: []serverlesstypes.Tag{{Key: key, Value: &value}}})
	case "iam":
		_, err = clients.IAM.TagRole(ctx, &iam.TagRoleInput{RoleName: &t.name, Tags: []iamtypes.Tag{{Key: key, Value: &value}}})
	case "sagemaker":
		_, err = clients.SageMaker.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: &t.name, Tags: []smtypes.Tag{{Key: key, Value: &value}}})
	default:
		_, err = clients.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{t.name}, Tags: []ec2types.Tag{{Key: key, Value: &value}}})
	}
	return err
}

// remove takes the tag drawbridge:unclear away.
func remove(ctx context.Context, clients Clients, t thing) (err error) {
	slog.InfoContext(ctx, "untagging", "thing", t.ID, "tag", tag.Unclear)
	keys := []string{tag.Unclear}
	switch t.Kind.Service() {
	case "rds":
		_, err = clients.RDS.RemoveTagsFromResource(ctx, &rds.RemoveTagsFromResourceInput{ResourceName: &t.name, TagKeys: keys})
	case "redshift":
		_, err = clients.Redshift.DeleteTags(ctx, &redshift.DeleteTagsInput{ResourceName: &t.name, TagKeys: keys})
	case "redshift-serverless":
		_, err = clients.Serverless.UntagResource(ctx, &redshiftserverless.UntagResourceInput{ResourceArn: &t.name, TagKeys: keys})
	case "iam":
		_, err = clients.IAM.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &t.name, TagKeys: keys})
	case "sagemaker":
		_, err = clients.SageMaker.DeleteTags(ctx, &sagemaker.DeleteTagsInput{ResourceArn: &t.name, TagKeys: keys})
	default:
		_, err = clients.EC2.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{t.name}, Tags: []ec2types.Tag{{Key: &keys[0]}}})
	}
	return err
}
