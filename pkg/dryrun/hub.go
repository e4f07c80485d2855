package dryrun

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// hub are the calls by which something is told: they change nothing, and become notices.
var hub = map[string]func(*World, call) (any, []Change){
	"eventbridge:PutEvents": answer(func(w *World, c call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, []Change) {
		out := &eventbridge.PutEventsOutput{}
		for _, e := range in.Entries {
			w.notices = append(w.notices, Notice{"events:PutEvents", aws.ToString(e.DetailType), aws.ToString(e.Detail)})
			out.Entries = append(out.Entries, ebtypes.PutEventsResultEntry{EventId: aws.String(w.newID("event"))})
		}
		return out, nil
	}),
	"sns:Publish": answer(func(w *World, _ call, in *sns.PublishInput) (*sns.PublishOutput, []Change) {
		w.notices = append(w.notices, Notice{Call: "sns:Publish", Kind: aws.ToString(in.Subject)})
		return &sns.PublishOutput{MessageId: aws.String(w.newID("message"))}, nil
	}),
}

// databases are the tags of databases, which people read.
var databases = map[string]func(*World, call) (any, []Change){
	"rds:AddTagsToResource": plainly[rds.AddTagsToResourceInput, rds.AddTagsToResourceOutput](func(_ *World, _ call, in *rds.AddTagsToResourceInput) (all []Change) {
		for _, t := range in.Tags {
			all = append(all, tagged(aws.ToString(in.ResourceName), aws.ToString(t.Key), aws.ToString(t.Value)))
		}
		return all
	}),
	"rds:RemoveTagsFromResource": plainly[rds.RemoveTagsFromResourceInput, rds.RemoveTagsFromResourceOutput](func(_ *World, _ call, in *rds.RemoveTagsFromResourceInput) (all []Change) {
		for _, key := range in.TagKeys {
			all = append(all, untagged(aws.ToString(in.ResourceName), key))
		}
		return all
	}),
	"redshift:CreateTags": plainly[redshift.CreateTagsInput, redshift.CreateTagsOutput](func(_ *World, _ call, in *redshift.CreateTagsInput) (all []Change) {
		for _, t := range in.Tags {
			all = append(all, tagged(aws.ToString(in.ResourceName), aws.ToString(t.Key), aws.ToString(t.Value)))
		}
		return all
	}),
	"redshift:DeleteTags": plainly[redshift.DeleteTagsInput, redshift.DeleteTagsOutput](func(_ *World, _ call, in *redshift.DeleteTagsInput) (all []Change) {
		for _, key := range in.TagKeys {
			all = append(all, untagged(aws.ToString(in.ResourceName), key))
		}
		return all
	}),
	"redshift-serverless:TagResource": plainly[redshiftserverless.TagResourceInput, redshiftserverless.TagResourceOutput](func(_ *World, _ call, in *redshiftserverless.TagResourceInput) (all []Change) {
		for _, t := range in.Tags {
			all = append(all, tagged(aws.ToString(in.ResourceArn), aws.ToString(t.Key), aws.ToString(t.Value)))
		}
		return all
	}),
	"redshift-serverless:UntagResource": plainly[redshiftserverless.UntagResourceInput, redshiftserverless.UntagResourceOutput](func(_ *World, _ call, in *redshiftserverless.UntagResourceInput) (all []Change) {
		for _, key := range in.TagKeys {
			all = append(all, untagged(aws.ToString(in.ResourceArn), key))
		}
		return all
	}),
}
