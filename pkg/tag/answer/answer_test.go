package answer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
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
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// A test that fails is found among its own words.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

// shelf is every service of one account, and the hub: things with their tags, by what the services call them by.
type shelf struct {
	tags   map[string]map[string]string
	did    []string
	told   []notice.Unclear
	sent   []string
	closed bool
	broken bool // nothing can be written
	engine string
}

func (s *shelf) of(id, missing string) (map[string]string, error) {
	if s.closed {
		return nil, &fault.Error{Kind: fault.Refused, Message: "assuming a role: access denied", Cause: fault.ErrClosed}
	}
	if s.tags[id] == nil {
		return nil, &smithy.GenericAPIError{Code: missing, Message: "RecordNotFound"}
	}
	return s.tags[id], nil
}

func (s *shelf) write(id, missing, key, value string) error {
	tags, err := s.of(id, missing)
	if err != nil {
		return err
	}
	if s.broken {
		return &smithy.GenericAPIError{Code: "Throttling"}
	}
	if s.did = append(s.did, strings.TrimSpace(id+" "+key+" "+value)); value == "" {
		delete(tags, key)
	} else {
		tags[key] = value
	}
	return nil
}

func (s *shelf) DescribeTags(_ context.Context, in *ec2.DescribeTagsInput, _ ...func(*ec2.Options)) (*ec2.DescribeTagsOutput, error) {
	if s.closed {
		_, err := s.of("", "")
		return nil, err
	}
	out := &ec2.DescribeTagsOutput{}
	if len(in.Filters) != 1 || *in.Filters[0].Name != "resource-id" || len(in.Filters[0].Values) > 200 {
		return nil, &smithy.GenericAPIError{Code: "FilterLimitExceeded"}
	}
	s.did = append(s.did, fmt.Sprintf("read %d", len(in.Filters[0].Values)))
	for _, id := range in.Filters[0].Values {
		for key, value := range s.tags[id] {
			out.Tags = append(out.Tags, ec2types.TagDescription{ResourceId: &id, Key: &key, Value: &value})
		}
	}
	return out, nil
}

func (s *shelf) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	return nil, s.write(in.Resources[0], "InvalidVpcID.NotFound", *in.Tags[0].Key, *in.Tags[0].Value)
}

func (s *shelf) DeleteTags(_ context.Context, in *ec2.DeleteTagsInput, _ ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error) {
	return nil, s.write(in.Resources[0], "InvalidVpcID.NotFound", *in.Tags[0].Key, "")
}

type ofRDS struct{ *shelf }

func (s ofRDS) ListTagsForResource(_ context.Context, in *rds.ListTagsForResourceInput, _ ...func(*rds.Options)) (*rds.ListTagsForResourceOutput, error) {
	tags, err := s.of(*in.ResourceName, "DBInstanceNotFound")
	out := &rds.ListTagsForResourceOutput{}
	for key, value := range tags {
		out.TagList = append(out.TagList, rdstypes.Tag{Key: &key, Value: &value})
	}
	return out, err
}

func (s ofRDS) DescribeDBInstances(_ context.Context, in *rds.DescribeDBInstancesInput, _ ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
	return &rds.DescribeDBInstancesOutput{DBInstances: []rdstypes.DBInstance{{Engine: &s.engine}}}, nil
}

func (s ofRDS) DescribeDBClusters(_ context.Context, in *rds.DescribeDBClustersInput, _ ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	return &rds.DescribeDBClustersOutput{DBClusters: []rdstypes.DBCluster{{Engine: &s.engine}}}, nil
}

func (s ofRDS) AddTagsToResource(_ context.Context, in *rds.AddTagsToResourceInput, _ ...func(*rds.Options)) (*rds.AddTagsToResourceOutput, error) {
	return nil, s.write(*in.ResourceName, "DBInstanceNotFound", *in.Tags[0].Key, *in.Tags[0].Value)
}

func (s ofRDS) RemoveTagsFromResource(_ context.Context, in *rds.RemoveTagsFromResourceInput, _ ...func(*rds.Options)) (*rds.RemoveTagsFromResourceOutput, error) {
	return nil, s.write(*in.ResourceName, "DBInstanceNotFound", in.TagKeys[0], "")
}

type ofRedshift struct{ *shelf }

func (s ofRedshift) DescribeTags(_ context.Context, in *redshift.DescribeTagsInput, _ ...func(*redshift.Options)) (*redshift.DescribeTagsOutput, error) {
	tags, err := s.of(*in.ResourceName, "ResourceNotFoundFault")
	out := &redshift.DescribeTagsOutput{}
	for key, value := range tags {
		out.TaggedResources = append(out.TaggedResources, redshifttypes.TaggedResource{Tag: &redshifttypes.Tag{Key: &key, Value: &value}})
	}
	return out, err
}

func (s ofRedshift) CreateTags(_ context.Context, in *redshift.CreateTagsInput, _ ...func(*redshift.Options)) (*redshift.CreateTagsOutput, error) {
	return nil, s.write(*in.ResourceName, "ResourceNotFoundFault", *in.Tags[0].Key, *in.Tags[0].Value)
}

func (s ofRedshift) DeleteTags(_ context.Context, in *redshift.DeleteTagsInput, _ ...func(*redshift.Options)) (*redshift.DeleteTagsOutput, error) {
	return nil, s.write(*in.ResourceName, "ResourceNotFoundFault", in.TagKeys[0], "")
}

type ofServerless struct{ *shelf }

func (s ofServerless) GetWorkgroup(_ context.Context, in *redshiftserverless.GetWorkgroupInput, _ ...func(*redshiftserverless.Options)) (*redshiftserverless.GetWorkgroupOutput, error) {
	arn := "arn:" + *in.WorkgroupName
	_, err := s.of(arn, "ResourceNotFoundException")
	return &redshiftserverless.GetWorkgroupOutput{Workgroup: &serverlesstypes.Workgroup{WorkgroupArn: &arn}}, err
}

func (s ofServerless) ListTagsForResource(_ context.Context, in *redshiftserverless.ListTagsForResourceInput, _ ...func(*redshiftserverless.Options)) (*redshiftserverless.ListTagsForResourceOutput, error) {
	tags, err := s.of(*in.ResourceArn, "ResourceNotFoundException")
	out := &redshiftserverless.ListTagsForResourceOutput{}
	for key, value := range tags {
		out.Tags = append(out.Tags, serverlesstypes.Tag{Key: &key, Value: &value})
	}
	return out, err
}

func (s ofServerless) TagResource(_ context.Context, in *redshiftserverless.TagResourceInput, _ ...func(*redshiftserverless.Options)) (*redshiftserverless.TagResourceOutput, error) {
	return nil, s.write(*in.ResourceArn, "ResourceNotFoundException", *in.Tags[0].Key, *in.Tags[0].Value)
}

func (s ofServerless) UntagResource(_ context.Context, in *redshiftserverless.UntagResourceInput, _ ...func(*redshiftserverless.Options)) (*redshiftserverless.UntagResourceOutput, error) {
	return nil, s.write(*in.ResourceArn, "ResourceNotFoundException", in.TagKeys[0], "")
}

type ofIAM struct{ *shelf }

func (s ofIAM) ListRoleTags(_ context.Context, in *iam.ListRoleTagsInput, _ ...func(*iam.Options)) (*iam.ListRoleTagsOutput, error) {
	tags, err := s.of(*in.RoleName, "NoSuchEntity")
	out := &iam.ListRoleTagsOutput{}
	for key, value := range tags {
		out.Tags = append(out.Tags, iamtypes.Tag{Key: &key, Value: &value})
	}
	return out, err
}

func (s ofIAM) TagRole(_ context.Context, in *iam.TagRoleInput, _ ...func(*iam.Options)) (*iam.TagRoleOutput, error) {
	return nil, s.write(*in.RoleName, "NoSuchEntity", *in.Tags[0].Key, *in.Tags[0].Value)
}

func (s ofIAM) UntagRole(_ context.Context, in *iam.UntagRoleInput, _ ...func(*iam.Options)) (*iam.UntagRoleOutput, error) {
	return nil, s.write(*in.RoleName, "NoSuchEntity", in.TagKeys[0], "")
}

type ofSageMaker struct{ *shelf }

func (s ofSageMaker) DescribeNotebookInstance(_ context.Context, in *sagemaker.DescribeNotebookInstanceInput, _ ...func(*sagemaker.Options)) (*sagemaker.DescribeNotebookInstanceOutput, error) {
	arn := "arn:" + strings.ToLower(*in.NotebookInstanceName) // as SageMaker has it
	_, err := s.of(arn, "ValidationException")
	return &sagemaker.DescribeNotebookInstanceOutput{NotebookInstanceArn: &arn}, err
}

func (s ofSageMaker) ListTags(_ context.Context, in *sagemaker.ListTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	tags, err := s.of(*in.ResourceArn, "ValidationException")
	out := &sagemaker.ListTagsOutput{}
	for key, value := range tags {
		out.Tags = append(out.Tags, smtypes.Tag{Key: &key, Value: &value})
	}
	return out, err
}

func (s ofSageMaker) AddTags(_ context.Context, in *sagemaker.AddTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error) {
	return nil, s.write(*in.ResourceArn, "ValidationException", *in.Tags[0].Key, *in.Tags[0].Value)
}

func (s ofSageMaker) DeleteTags(_ context.Context, in *sagemaker.DeleteTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error) {
	return nil, s.write(*in.ResourceArn, "ValidationException", in.TagKeys[0], "")
}

func (s *shelf) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	var u notice.Unclear
	if err := json.Unmarshal([]byte(*in.Entries[0].Detail), &u); err != nil {
		return nil, err
	}
	s.told = append(s.told, u)
	return &eventbridge.PutEventsOutput{}, nil
}

func (s *shelf) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	s.sent = append(s.sent, *in.Message)
	return nil, nil
}

func (s *shelf) answer(things ...workflow.TaggedThing) (workflow.AnswerTagsOutput, error) {
	a := answer.Answerer{Bus: notice.Bus{API: s, Name: "drawbridge"}, Topic: notice.Topic{API: s, ARN: "topic"},
		Enter: func(string, event.Place) answer.Clients {
			return answer.Clients{Engines: ofRDS{s},
				Clients: tagger.Clients{EC2: s, RDS: ofRDS{s}, Redshift: ofRedshift{s}, Serverless: ofServerless{s}, IAM: ofIAM{s}, SageMaker: ofSageMaker{s}}}
		}}
	return a.Answer(context.Background(), workflow.AnswerTagsInput{Execution: "x", Things: things})
}

func one(kind tag.Kind, id string) workflow.TaggedThing {
	return workflow.TaggedThing{Account: "222222222222", Region: "eu-west-1", Kind: kind, ID: id}
}

const share = "write account ids of 12 digits with blanks between or true for every account"

func TestPlan(t *testing.T) {
	says := "drawbridge:accept=yes means nothing: write auto ask or never"
	for name, c := range map[string]struct {
		tags  map[string]string
		set   string
		clear bool
	}{
		"no tags":                     {nil, "", false},
		"a clear tag":                 {map[string]string{tag.Accept: " AUTO"}, "", false},
		"an unclear tag":              {map[string]string{tag.Accept: "yes"}, says, false},
		"one that was told":           {map[string]string{tag.Accept: "yes", tag.Unclear: says}, "", false},
		"one that was told otherwise": {map[string]string{tag.Accept: "yes", tag.Unclear: "something else"}, says, false},
		"clear again":                 {map[string]string{tag.Accept: "auto", tag.Unclear: says}, "", true},
		"the tag alone":               {map[string]string{tag.Unclear: says}, "", true},
		"two":                         {map[string]string{tag.Accept: "yes", tag.DataAPI: "?"}, says + ". drawbridge:data-api= means nothing: write true or false", false},
		"longer than a tag": {map[string]string{tag.Accept: strings.Repeat("yes ", 60), tag.DataAPI: strings.Repeat("no ", 60), tag.PrivateNotebooks: "no"},
			("drawbridge:accept=" + strings.Repeat("yes ", 15) + "means nothing: write auto ask or never. drawbridge:data-api=" + strings.Repeat("no ", 20) +
				"means nothing: write true or false. drawbridge:private-notebooks=no means nothing")[:253] + "...", false},
	} {
		got := answer.Plan(tag.VPC, c.tags, database.Kind{})
		if got.Set != c.set || got.Clear != c.clear || (got.Set != "") != (len(got.Problems) > 0) || len([]rune(got.Set)) > 256 {
			t.Errorf("%s: Plan = %+v\nwant %q, clear %v", name, got, c.set, c.clear)
		}
	}
}

// Every kind of thing is told of once, however often its event comes, and is clear again when its owner has corrected it.
func TestEveryKindIsAnsweredOnceAndCleared(t *testing.T) {
	arn, told := "arn:aws:rds:eu-west-1:222222222222:", map[tag.Kind]bool{}
	type row struct {
		kind              tag.Kind
		id, is, key, good string
		command           string
	}
	rows := []row{
		{tag.VPC, "vpc-1", "vpc-1", tag.Accept, "Auto", "aws ec2 create-tags --region eu-west-1 --resources vpc-1"},
		{tag.Peering, "pcx-1", "pcx-1", tag.Approval, "APPROVED", "aws ec2 create-tags --region eu-west-1 --resources pcx-1"},
		{tag.Gateway, "tgw-1", "tgw-1", tag.Accept, "never", "aws ec2 create-tags --region eu-west-1 --resources tgw-1"},
		{tag.Attachment, "tgw-attach-1", "tgw-attach-1", tag.Approval, "rejected", "aws ec2 create-tags --region eu-west-1 --resources tgw-attach-1"},
		{tag.DBInstance, arn + "db:orders", arn + "db:orders", tag.Share, "True", "aws rds add-tags-to-resource --region eu-west-1 --resource-name " + arn + "db:orders"},
		{tag.DBCluster, arn + "cluster:sales", arn + "cluster:sales", tag.DataAPI, "111111111111", "aws rds add-tags-to-resource --region eu-west-1 --resource-name " + arn + "cluster:sales"},
		{tag.RedshiftCluster, "arn:redshift", "arn:redshift", tag.Studio, "111111111111", "aws redshift create-tags --region eu-west-1 --resource-name arn:redshift"},
		{tag.Workgroup, "sales", "arn:sales", tag.Share, "True", "aws redshift-serverless tag-resource --region eu-west-1 --resource-arn arn:sales"},
		{tag.Subnet, "subnet-1", "subnet-1", tag.Client, "TRUE", "aws ec2 create-tags --region eu-west-1 --resources subnet-1"},
		{tag.Group, "sg-1", "sg-1", tag.Client, "TRUE", "aws ec2 create-tags --region eu-west-1 --resources sg-1"},
		{tag.RouteTable, "rtb-1", "rtb-1", tag.Reach, "None", "aws ec2 create-tags --region eu-west-1 --resources rtb-1"},
		{tag.Domain, "d-1", "arn:aws:sagemaker:eu-west-1:222222222222:domain/d-1", tag.Studio, "TRUE",
			"aws sagemaker add-tags --region eu-west-1 --resource-arn arn:aws:sagemaker:eu-west-1:222222222222:domain/d-1"},
		{tag.Role, "Analyst", "Analyst", tag.Studio, "true ", "aws iam tag-role --role-name Analyst"},
		{tag.Notebook, "Lab", "arn:lab", tag.Routes, "OFF", "aws sagemaker add-tags --region eu-west-1 --resource-arn arn:lab"},
	}
	for _, k := range database.Served() { // those without a row above are like each other
		if !slices.ContainsFunc(rows, func(r row) bool { return r.kind == k.Tag }) {
			id := "arn:aws:" + k.Service + ":eu-west-1:222222222222:" + k.Resource + k.Tag.Naming().Example
			rows = append(rows, row{k.Tag, id, id, tag.Share, "True", strings.TrimSuffix(strings.Join(tag.Command(k.Tag, "eu-west-1", id, "", ""), " "), " --tags Key=,Value=")})
		}
	}
	for _, c := range rows {
		if told[c.kind] = true; !strings.HasPrefix(c.command, "aws "+c.kind.Service()+" ") {
			t.Errorf("a %s is corrected by %s", c.kind, c.command)
		}
		t.Run(string(c.kind), func(t *testing.T) {
			s := &shelf{tags: map[string]map[string]string{c.is: {c.key: "maybe", "Name": "x"}}}
			for range 2 {
				if _, err := s.answer(one(c.kind, c.id), one(c.kind, c.id)); err != nil {
					t.Fatal(err)
				}
			}
			if len(s.told) != 1 || len(s.sent) != 1 {
				t.Fatalf("told %d times, sent %d", len(s.told), len(s.sent))
			}
			said := s.tags[c.is][tag.Unclear]
			if !strings.HasPrefix(said, c.key+"=maybe means nothing: write ") || len(s.tags[c.is]) != 3 {
				t.Errorf("the thing has the tags %v", s.tags[c.is])
			}
			u := s.told[0]
			if u.Account != "222222222222" || u.Region != "eu-west-1" || u.Kind != c.kind || u.ID != c.id || u.Execution != "x" || len(u.Problems) != 1 {
				t.Fatalf("told %+v", u)
			}
			p := u.Problems[0]
			if p.Key != c.key || p.Value != "maybe" || !strings.EqualFold(p.Command, c.command+" --tags 'Key="+c.key+",Value=VALUE'") || !strings.HasSuffix(p.Why, p.Remedy) {
				t.Errorf("told %+v", p)
			}
			for _, must := range []string{p.Why, p.Command, c.id, u.Runbook} {
				if !strings.Contains(s.sent[0], must) {
					t.Errorf("the notification lacks %q:\n%s", must, s.sent[0])
				}
			}
			s.tags[c.is][c.key] = c.good
			out, err := s.answer(one(c.kind, c.id))
			if err != nil || out.Cleared != 1 || out.Told != 0 || len(s.told) != 1 {
				t.Errorf("after the correction: %+v, %v, told %d times", out, err, len(s.told))
			}
			if want := map[string]string{c.key: c.good, "Name": "x"}; !maps.Equal(s.tags[c.is], want) {
				t.Errorf("after the correction it has the tags %v", s.tags[c.is])
			}
		})
	}
	for _, w := range tag.Wishes {
		// Nothing is written to a secret or a key.
		if w.On != tag.StoredSecret && w.On != tag.KMSKey && !told[w.On] {
			t.Errorf("nobody tells a %s that its tag means nothing: it needs its cases in apply.go, and a row here", w.On)
		}
	}
}

// RDS describes other services' databases as its own: one that is shared says that it is not served, until it is shared no more.
func TestADatabaseThatIsNotServedSaysSo(t *testing.T) {
	for kind, id := range map[tag.Kind]string{tag.DBInstance: "arn:aws:rds:eu-west-1:222222222222:db:documents", tag.DBCluster: "arn:aws:rds:eu-west-1:222222222222:cluster:graph"} {
		s := &shelf{tags: map[string]map[string]string{id: {tag.Share: "true"}}, engine: "docdb"}
		for range 2 {
			if _, err := s.answer(one(kind, id)); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.told) != 1 || !strings.HasPrefix(s.tags[id][tag.Unclear], "DocumentDB is not served: its owner opens its security group") {
			t.Fatalf("told %+v, tags %v", s.told, s.tags[id])
		}
		if p := s.told[0].Problems[0]; p.Command != "aws rds remove-tags-from-resource --region eu-west-1 --resource-name "+id+" --tag-keys drawbridge:share" || strings.Contains(p.Remedy, "account ids") {
			t.Errorf("told %+v", p)
		}
		delete(s.tags[id], tag.Share)
		if out, err := s.answer(one(kind, id)); err != nil || out.Cleared != 1 {
			t.Errorf("%+v, %v", out, err)
		}
		s.engine, s.tags[id][tag.Share] = "mysql", "true"
		if out, err := s.answer(one(kind, id)); err != nil || out.Told+out.Cleared != 0 {
			t.Errorf("one that is served: %+v, %v", out, err)
		}
	}
}

func TestWhatIsNotThereGetsNoAnswer(t *testing.T) {
	s := &shelf{tags: map[string]map[string]string{"arn:db": {tag.Share: "yes"}}}
	out, err := s.answer(one(tag.VPC, "vpc-gone"), one(tag.DBInstance, "arn:gone"), one(tag.RedshiftCluster, "arn:gone"), one(tag.Role, "gone"),
		one(tag.Notebook, "gone"), one(tag.Workgroup, "arn:workgroup"), one(tag.DBInstance, "arn:db"))
	if err != nil || out.Told != 1 || s.told[0].ID != "arn:db" || out.Reason != "arn:db: drawbridge:share=yes means nothing: "+share {
		t.Errorf("%+v, %v", out, err)
	}
	s = &shelf{closed: true}
	for _, kind := range []tag.Kind{tag.VPC, tag.Role} {
		if out, err := s.answer(one(kind, "x")); err != nil || !strings.Contains(out.Reason, "222222222222 lets nobody in") {
			t.Errorf("an account that is closed: %+v, %v", out, err)
		}
	}
}

func TestAnInterruptedAnswerTellsAgain(t *testing.T) {
	s := &shelf{tags: map[string]map[string]string{"vpc-1": {tag.Accept: "yes"}}, broken: true}
	if _, err := s.answer(one(tag.VPC, "vpc-1")); fault.Of(err) != fault.Transient || len(s.told) != 1 {
		t.Fatalf("%v, told %d times", err, len(s.told))
	}
	s.broken = false
	if out, err := s.answer(one(tag.VPC, "vpc-1")); err != nil || out.Told != 1 || len(s.told) != 2 {
		t.Errorf("%+v, %v, told %d times", out, err, len(s.told))
	}
}

func TestManyThingsAreReadInFewCalls(t *testing.T) {
	s := &shelf{tags: map[string]map[string]string{}}
	var things []workflow.TaggedThing
	for n := range 250 {
		things = append(things, one(tag.VPC, fmt.Sprintf("vpc-%03d", n)))
		s.tags[things[n].ID] = map[string]string{tag.Accept: "auto"}
	}
	for n := range 5 {
		s.tags[things[n].ID][tag.Accept] = "?"
	}
	slices.Reverse(things)
	out, err := s.answer(things...)
	if err != nil || !slices.Equal(s.did[:2], []string{"read 200", "read 50"}) || out.Told != 5 || !strings.HasSuffix(out.Reason, "; and 2 more") {
		t.Errorf("%+v, %v after %v", out, err, s.did)
	}
	if !strings.HasPrefix(out.Reason, "vpc-000: ") {
		t.Errorf("not sorted: %s", out.Reason)
	}
}
