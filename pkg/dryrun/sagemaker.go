package dryrun

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// config is a lifecycle configuration as it would be.
type config struct {
	onStart, onCreate []types.NotebookInstanceLifecycleHook
	gone              bool
	at                time.Time
}

// notebook is what was noted of a notebook instance.
type notebook struct {
	config *string // "": none any more
	status types.NotebookInstanceStatus
}

func (p place) of(name string) string { return p.account + "/" + p.region + "/" + name }

func (w *World) config(p place, name string) *config {
	if w.configs == nil {
		w.configs = map[string]*config{}
	}
	if w.configs[p.of(name)] == nil {
		w.configs[p.of(name)] = &config{}
	}
	c := w.configs[p.of(name)]
	c.at = time.Now()
	return c
}

func (w *World) notebook(p place, name string) *notebook {
	if w.notebooks == nil {
		w.notebooks = map[string]*notebook{}
	}
	if w.notebooks[p.of(name)] == nil {
		w.notebooks[p.of(name)] = &notebook{}
	}
	return w.notebooks[p.of(name)]
}

// sage are the writes to notebooks and their lifecycle configurations.
var sage = map[string]func(*World, call) (any, []Change){
	"sagemaker:CreateNotebookInstanceLifecycleConfig": plainly[sagemaker.CreateNotebookInstanceLifecycleConfigInput, sagemaker.CreateNotebookInstanceLifecycleConfigOutput](func(w *World, c call, in *sagemaker.CreateNotebookInstanceLifecycleConfigInput) []Change {
		name := aws.ToString(in.NotebookInstanceLifecycleConfigName)
		*w.config(c.place, name) = config{onStart: in.OnStart, onCreate: in.OnCreate, at: time.Now()}
		return one(Adds, name, "lifecycle configuration with host routes")
	}),
	"sagemaker:UpdateNotebookInstanceLifecycleConfig": plainly[sagemaker.UpdateNotebookInstanceLifecycleConfigInput, sagemaker.UpdateNotebookInstanceLifecycleConfigOutput](func(w *World, c call, in *sagemaker.UpdateNotebookInstanceLifecycleConfigInput) []Change {
		name := aws.ToString(in.NotebookInstanceLifecycleConfigName)
		*w.config(c.place, name) = config{onStart: in.OnStart, onCreate: in.OnCreate, at: time.Now()}
		return one(Changes, name, "host routes in the script, from the next start")
	}),
	"sagemaker:DeleteNotebookInstanceLifecycleConfig": plainly[sagemaker.DeleteNotebookInstanceLifecycleConfigInput, sagemaker.DeleteNotebookInstanceLifecycleConfigOutput](func(w *World, c call, in *sagemaker.DeleteNotebookInstanceLifecycleConfigInput) []Change {
		name := aws.ToString(in.NotebookInstanceLifecycleConfigName)
		w.config(c.place, name).gone = true
		return one(Takes, name, "lifecycle configuration")
	}),
	"sagemaker:UpdateNotebookInstance": plainly[sagemaker.UpdateNotebookInstanceInput, sagemaker.UpdateNotebookInstanceOutput](func(w *World, c call, in *sagemaker.UpdateNotebookInstanceInput) []Change {
		name := aws.ToString(in.NotebookInstanceName)
		if aws.ToBool(in.DisassociateLifecycleConfig) {
			w.notebook(c.place, name).config = aws.String("")
			return one(Takes, name, "lifecycle configuration of the notebook")
		}
		w.notebook(c.place, name).config = in.LifecycleConfigName
		return one(Changes, name, "lifecycle configuration %s for the notebook", aws.ToString(in.LifecycleConfigName))
	}),
	"sagemaker:StopNotebookInstance": plainly[sagemaker.StopNotebookInstanceInput, sagemaker.StopNotebookInstanceOutput](func(w *World, c call, in *sagemaker.StopNotebookInstanceInput) []Change {
		name := aws.ToString(in.NotebookInstanceName)
		w.notebook(c.place, name).status = types.NotebookInstanceStatusStopped
		return one(Changes, name, "stop the notebook, which is started again")
	}),
	"sagemaker:StartNotebookInstance": plainly[sagemaker.StartNotebookInstanceInput, sagemaker.StartNotebookInstanceOutput](func(w *World, c call, in *sagemaker.StartNotebookInstanceInput) []Change {
		name := aws.ToString(in.NotebookInstanceName)
		w.notebook(c.place, name).status = types.NotebookInstanceStatusInService
		return one(Changes, name, "start the notebook")
	}),
	"sagemaker:AddTags": plainly[sagemaker.AddTagsInput, sagemaker.AddTagsOutput](func(w *World, c call, in *sagemaker.AddTagsInput) []Change {
		tags := map[string]string{}
		for _, t := range in.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return w.retag(c.account, aws.ToString(in.ResourceArn), tags)
	}),
	"sagemaker:DeleteTags": plainly[sagemaker.DeleteTagsInput, sagemaker.DeleteTagsOutput](func(w *World, c call, in *sagemaker.DeleteTagsInput) (all []Change) {
		arn := aws.ToString(in.ResourceArn)
		for _, key := range in.TagKeys {
			w.tag(c.account, arn, key, nil)
			all = append(all, untagged(arn, key))
		}
		return all
	}),
}

func init() {
	noted["sagemaker:DescribeNotebookInstanceLifecycleConfig"] = func(w *World, c call) func() (any, error) {
		name := aws.ToString(c.in.(*sagemaker.DescribeNotebookInstanceLifecycleConfigInput).NotebookInstanceLifecycleConfigName)
		known := w.configs[c.of(name)]
		switch {
		case known == nil:
			return nil
		case known.gone:
			return func() (any, error) { return nil, refused("ValidationException", "RecordNotFound") }
		}
		return func() (any, error) {
			return &sagemaker.DescribeNotebookInstanceLifecycleConfigOutput{NotebookInstanceLifecycleConfigName: &name, OnStart: known.onStart, OnCreate: known.onCreate,
				CreationTime: &known.at, LastModifiedTime: &known.at}, nil
		}
	}
	shown["sagemaker:DescribeNotebookInstance"] = func(w *World, c call, out any) {
		got := out.(*sagemaker.DescribeNotebookInstanceOutput)
		known := w.notebooks[c.of(aws.ToString(got.NotebookInstanceName))]
		if known == nil {
			return
		}
		if known.config != nil {
			if got.NotebookInstanceLifecycleConfigName = known.config; *known.config == "" {
				got.NotebookInstanceLifecycleConfigName = nil
			}
		}
		if known.status != "" {
			got.NotebookInstanceStatus = known.status
		}
	}
	shown["sagemaker:ListNotebookInstances"] = func(w *World, c call, out any) {
		in, got := c.in.(*sagemaker.ListNotebookInstancesInput), out.(*sagemaker.ListNotebookInstancesOutput)
		for n := range got.NotebookInstances {
			one := &got.NotebookInstances[n]
			known := w.notebooks[c.of(aws.ToString(one.NotebookInstanceName))]
			if known == nil {
				continue
			}
			// A configuration that is taken off is listed until the update ends, which no plan waits for.
			if known.config != nil && *known.config != "" {
				one.NotebookInstanceLifecycleConfigName = known.config
			}
			if known.status != "" {
				one.NotebookInstanceStatus = known.status
			}
		}
		if of := aws.ToString(in.NotebookInstanceLifecycleConfigNameContains); of != "" {
			got.NotebookInstances = slices.DeleteFunc(slices.Clone(got.NotebookInstances), func(n types.NotebookInstanceSummary) bool {
				return !strings.Contains(aws.ToString(n.NotebookInstanceLifecycleConfigName), of)
			})
		}
	}
	shown["sagemaker:ListTags"] = func(w *World, c call, out any) {
		got, arn, read := out.(*sagemaker.ListTagsOutput), aws.ToString(c.in.(*sagemaker.ListTagsInput).ResourceArn), map[string]string{}
		for _, t := range got.Tags {
			read[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		w.saw(c.account, arn, read)
		own := w.tags[c.account+" "+arn]
		got.Tags = slices.DeleteFunc(slices.Clone(got.Tags), func(t types.Tag) bool { _, noted := own[aws.ToString(t.Key)]; return noted })
		for key, value := range own {
			if value != nil {
				got.Tags = append(got.Tags, types.Tag{Key: &key, Value: value})
			}
		}
	}
}
