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

// databases are the tags of databases, by which people are told.
var databases = map[string]func(*World, call) (any, []Change){
	"rds:AddTagsToResource": plainly[rds.AddTagsToResourceInput, rds.AddTagsToResourceOutput](func(w *World, c call, in *rds.AddTagsToResourceInput) []Change {
		tags := map[string]string{}
		for _, t := range in.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return w.retag(c.account, aws.ToString(in.ResourceName), tags)
	}),
	"rds:RemoveTagsFromResource": plainly[rds.RemoveTagsFromResourceInput, rds.RemoveTagsFromResourceOutput](func(w *World, c call, in *rds.RemoveTagsFromResourceInput) []Change {
		return w.untag(c.account, aws.ToString(in.ResourceName), in.TagKeys)
	}),
	"redshift:CreateTags": plainly[redshift.CreateTagsInput, redshift.CreateTagsOutput](func(w *World, c call, in *redshift.CreateTagsInput) []Change {
		tags := map[string]string{}
		for _, t := range in.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return w.retag(c.account, aws.ToString(in.ResourceName), tags)
	}),
	"redshift:DeleteTags": plainly[redshift.DeleteTagsInput, redshift.DeleteTagsOutput](func(w *World, c call, in *redshift.DeleteTagsInput) []Change {
		return w.untag(c.account, aws.ToString(in.ResourceName), in.TagKeys)
	}),
	"redshift-serverless:TagResource": plainly[redshiftserverless.TagResourceInput, redshiftserverless.TagResourceOutput](func(w *World, c call, in *redshiftserverless.TagResourceInput) []Change {
		tags := map[string]string{}
		for _, t := range in.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return w.retag(c.account, aws.ToString(in.ResourceArn), tags)
	}),
	"redshift-serverless:UntagResource": plainly[redshiftserverless.UntagResourceInput, redshiftserverless.UntagResourceOutput](func(w *World, c call, in *redshiftserverless.UntagResourceInput) []Change {
		return w.untag(c.account, aws.ToString(in.ResourceArn), in.TagKeys)
	}),
}
