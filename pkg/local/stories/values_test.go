package stories

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const unclear = "drawbridge:unclear"

// values are the stories about values of tags as people write them.
var values = []tale{
	{
		name:  "values-as-written",
		title: "Values of tags as people and tools write them",
		about: `
As in s1-peering.md, but nobody wrote a value as the documents spell it: beta's VPC has drawbridge:accept=" AUTO", the database
drawbridge:share="111111111111:999999999999 " (RDS takes no commas), and the notebook drawbridge:routes="On".`,
		change: func(s *scenario.Spec) {
			s.Accept, s.Share = " AUTO", s.Consumer.Account+":"+stranger+" "
			s.Notebook.Tags = map[string]string{"drawbridge:routes": "On"}
		},
		acts:      []act{request("Connected")},
		connected: true,
		also:      thrifty,
	},
	{
		name:  "values-approved",
		title: "An approval as people write it",
		about: `
As in approval.md, but beta's VPC says drawbridge:accept=yes, which means nothing: the question to its owner says so. The first
answer means nothing either, and nothing is decided by it. The second has a capital and blanks.`,
		change: func(s *scenario.Spec) { s.Accept = "yes" },
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta tags the peering: drawbridge:approval=ok.", approve("ok"), []string{"Announced", "AwaitingApproval"}},
			{"The owner of beta tags the peering: drawbridge:approval=\" Approved \".", approve(" Approved "), []string{"Announced", "Connected"}},
		},
		connected: true,
	},
	{
		name:  "values-unclear",
		title: "A tag that means nothing",
		about: `
The owner of beta writes a value that means nothing on the VPC. Drawbridge says so on the VPC itself, and tells people: once, though the
event comes again. When the value is corrected, the tag goes.`,
		change: func(s *scenario.Spec) { s.Accept = "" },
		acts: []act{
			{"The owner of beta tags the VPC: drawbridge:accept=yes.", acceptance("yes"), []string{"Nothing"}},
			{"The owner of beta does so once more.", answered("drawbridge:accept=yes means nothing: write auto, ask or never", acceptance("yes")), []string{"Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:accept=Auto.", acceptance("Auto"), []string{"Nothing"}},
		},
		struck: []int{1, 3},
		more:   vpcTags,
		also: func(ctx context.Context, t *testing.T, w *scenario.World, calls []awscall.Call) {
			toldOnce("drawbridge-answer-tags")(ctx, t, w, calls)
			if tags := vpcTags(ctx, t, w); strings.Contains(tags, unclear) {
				t.Errorf("the VPC has the tags %s", tags)
			}
			everyKindIsAnswered(ctx, t, w)
		},
	},
	{
		name:  "values-unclear-shared",
		title: "A database that is shared with nobody knows whom",
		about: `
As in s1-peering.md, but the database has the tag drawbridge:share=yes. The two VPCs are connected, and the verdict says why the database
is not opened.`,
		change: func(s *scenario.Spec) { s.Share = "yes" },
		acts:   []act{request("Connected")},
		also: func(_ context.Context, t *testing.T, _ *scenario.World, _ []awscall.Call) {
			if said := verdictOf(t, "database sales"); !strings.Contains(said, "not opened to ") || !strings.Contains(said, "drawbridge:share=yes means nothing: write account ids") {
				t.Errorf("the verdict says of the database: %q", said)
			}
		},
	},
}

// acceptance sets the tag drawbridge:accept of beta's VPC.
func acceptance(value string) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		mark(ctx, t, w.Producer, w.ProducerNetwork.VPC, "drawbridge:accept", value)
	}
}

// answered holds beta's VPC to an answer, before somebody does something.
func answered(says string, do func(context.Context, *testing.T, *scenario.World)) func(context.Context, *testing.T, *scenario.World) {
	return func(ctx context.Context, t *testing.T, w *scenario.World) {
		if want := unclear + "=" + strings.ReplaceAll(says, ",", ""); !strings.Contains(vpcTags(ctx, t, w), want) {
			t.Errorf("beta's VPC has the tags %s, want %s", vpcTags(ctx, t, w), want)
		}
		do(ctx, t, w)
	}
}

// vpcTags are the tags of beta's VPC.
func vpcTags(ctx context.Context, t *testing.T, w *scenario.World) string {
	t.Helper()
	got, err := ec2.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{w.ProducerNetwork.VPC}})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, one := range got.Vpcs[0].Tags {
		out = append(out, aws.ToString(one.Key)+"="+aws.ToString(one.Value))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// verdictOf is what the verdict of the last execution says about a hop.
func verdictOf(t *testing.T, hop string) string {
	t.Helper()
	said := ""
	for _, f := range engine.Story().Facts() {
		end, ok := f.(story.End)
		if !ok {
			continue
		}
		var out workflow.VerifyConnectionOutput
		if err := json.Unmarshal(end.Output, &out); err != nil {
			t.Fatal(err)
		}
		for _, p := range out.Verdict {
			for _, h := range append(p.Hops, p.Hop) {
				if h.Hop == hop && !h.OK {
					said = h.Detail
				}
			}
		}
	}
	return said
}

// tagged is a thing with a tag, as its owner sets it and reads it back.
type tagged struct {
	workflow.TaggedThing
	key, good string
	set       func(key, value string) error
	read      func() (map[string]string, error)
}

// everyKindIsAnswered tags things of other services than EC2 with what means nothing: each gets the tag drawbridge:unclear, once, and
// loses it when its value is corrected.
func everyKindIsAnswered(ctx context.Context, t *testing.T, w *scenario.World) {
	done(t, w.MakeWarehouse(ctx))
	for _, one := range elsewhereTagged(ctx, t, w) {
		for n, value := range []string{"maybe", "maybe", one.good} {
			engine.Story().Begin()
			done(t, one.set(one.key, value))
			until(ctx, t, 1)
			told := 0
			for _, f := range engine.Story().Facts() {
				if e, ok := f.(story.Event); ok && e.Name == "Tag Unclear" {
					told++
				}
			}
			if (told == 1) != (n == 0) || told > 1 {
				t.Errorf("%s, the time %d: it was told %d times", one.Kind, n+1, told)
			}
			tags, err := one.read()
			done(t, err)
			if said := tags[unclear]; strings.HasPrefix(said, one.key+"=maybe means nothing: write ") != (n < 2) || n == 2 && said != "" {
				t.Errorf("%s, the time %d: the tag says %q", one.Kind, n+1, said)
			}
		}
	}
}

func elsewhereTagged(ctx context.Context, t *testing.T, w *scenario.World) []tagged {
	alpha, beta := engine.Config(w.Consumer.Account, w.Consumer.Region), engine.Config(w.Producer.Account, w.Producer.Region)
	roles, books, databases, warehouses := iam.NewFromConfig(beta), sagemaker.NewFromConfig(alpha), rds.NewFromConfig(beta), redshift.NewFromConfig(beta)
	must(t)(roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("clerk"), AssumeRolePolicyDocument: aws.String(scenario.ExecutionTrust)}))
	book, err := books.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &w.Notebook.Name})
	done(t, err)
	db := fmt.Sprintf("arn:aws:rds:%s:%s:db:%s", w.Producer.Region, w.Producer.Account, w.Database.Name)
	cluster := fmt.Sprintf("arn:aws:redshift:%s:%s:cluster:%s", w.Producer.Region, w.Producer.Account, scenario.Warehouse)
	at := func(h scenario.Home, kind tag.Kind, id string) workflow.TaggedThing {
		return workflow.TaggedThing{Account: h.Account, Region: h.Region, Kind: kind, ID: id}
	}
	return []tagged{
		{at(w.Producer, tag.Role, "clerk"), "drawbridge:studio", "True", func(key, value string) error {
			_, err := roles.TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String("clerk"), Tags: []iamtypes.Tag{{Key: &key, Value: &value}}})
			return err
		}, func() (map[string]string, error) {
			got, err := roles.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: aws.String("clerk")})
			out := map[string]string{}
			for _, one := range got.Tags {
				out[aws.ToString(one.Key)] = aws.ToString(one.Value)
			}
			return out, err
		}},
		{at(w.Consumer, tag.Notebook, w.Notebook.Name), "drawbridge:routes", "OFF", func(key, value string) error {
			_, err := books.AddTags(ctx, &sagemaker.AddTagsInput{ResourceArn: book.NotebookInstanceArn, Tags: []sagemakertypes.Tag{{Key: &key, Value: &value}}})
			return err
		}, func() (map[string]string, error) {
			got, err := books.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: book.NotebookInstanceArn})
			out := map[string]string{}
			for _, one := range got.Tags {
				out[aws.ToString(one.Key)] = aws.ToString(one.Value)
			}
			return out, err
		}},
		{at(w.Producer, tag.DBInstance, db), "drawbridge:share", "none", func(key, value string) error {
			_, err := databases.AddTagsToResource(ctx, &rds.AddTagsToResourceInput{ResourceName: &db, Tags: []rdstypes.Tag{{Key: &key, Value: &value}}})
			return err
		}, func() (map[string]string, error) {
			got, err := databases.ListTagsForResource(ctx, &rds.ListTagsForResourceInput{ResourceName: &db})
			out := map[string]string{}
			for _, one := range got.TagList {
				out[aws.ToString(one.Key)] = aws.ToString(one.Value)
			}
			return out, err
		}},
		{at(w.Producer, tag.RedshiftCluster, cluster), "drawbridge:share", "none", func(key, value string) error {
			_, err := warehouses.CreateTags(ctx, &redshift.CreateTagsInput{ResourceName: &cluster, Tags: []redshifttypes.Tag{{Key: &key, Value: &value}}})
			return err
		}, func() (map[string]string, error) {
			got, err := warehouses.DescribeTags(ctx, &redshift.DescribeTagsInput{ResourceName: &cluster})
			out := map[string]string{}
			for _, one := range got.TaggedResources {
				out[aws.ToString(one.Tag.Key)] = aws.ToString(one.Tag.Value)
			}
			return out, err
		}},
	}
}
