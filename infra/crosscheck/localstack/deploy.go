package localstack

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// deployment is a stack of the engine that LocalStack shall have too.
type deployment struct {
	account, region, name, body string
	parameters                  []types.Parameter
}

// deployments reads what the engine deployed in the accounts: the synthesized templates, with their values.
func (p *play) deployments(ctx context.Context, accounts ...string) ([]deployment, error) {
	var out []deployment
	for _, account := range accounts {
		client := cloudformation.NewFromConfig(p.engine.Config(account, p.engine.Region()))
		stacks, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
		if err != nil {
			return nil, fmt.Errorf("reading the stacks of %s: %w", account, err)
		}
		if len(stacks.Stacks) == 0 {
			return nil, fmt.Errorf("reading the stacks of %s: the engine deployed none", account)
		}
		for _, s := range stacks.Stacks {
			got, err := client.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: s.StackName})
			if err != nil {
				return nil, fmt.Errorf("reading the template of %s: %w", aws.ToString(s.StackName), err)
			}
			out = append(out, deployment{account: account, region: p.engine.Region(), name: aws.ToString(s.StackName),
				body: aws.ToString(got.TemplateBody), parameters: s.Parameters})
		}
	}
	return out, nil
}

// deploy makes LocalStack create every stack, all at once, and judges each.
func (p *play) deploy(ctx context.Context, all []deployment) error {
	changes := map[Note]int{}
	var (
		mu    sync.Mutex
		each  sync.WaitGroup
		fails []error
	)
	for _, d := range all {
		each.Go(func() {
			adapted, made, err := adapt(d.body)
			if err == nil {
				err = p.create(ctx, d, adapted, &mu)
			}
			mu.Lock()
			defer mu.Unlock()
			for n, times := range made {
				changes[n] += times
			}
			if err != nil {
				fails = append(fails, fmt.Errorf("deploying %s in %s: %w", d.name, d.account, err))
			}
		})
	}
	each.Wait()
	for _, n := range []Note{withoutDashboard, withoutTable, decimalTolerance, shorterWaits} {
		if changes[n] == 0 {
			fails = append(fails, fmt.Errorf("the change %q applies to nothing any more: take it out", n.What))
		}
		p.report.Changes = append(p.report.Changes, Note{fmt.Sprintf("%s (%d)", n.What, changes[n]), n.Why})
	}
	return errors.Join(fails...)
}

// create makes LocalStack create a stack, and judges what came of it. What the judgement says is that everything was made.
// Long, because each way in which LocalStack may fail a stack has its own words.
func (p *play) create(ctx context.Context, d deployment, t stack, mu *sync.Mutex) error {
	objects, err := t.objects(d.account, d.region)
	if err != nil {
		return err
	}
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	archive, err := emptyArchive()
	if err != nil {
		return err
	}
	home := "drawbridge-templates-" + d.account
	files := map[string][]byte{home + "/" + d.name + ".json": body}
	for _, path := range objects {
		files[path] = archive
	}
	buckets := map[string]bool{}
	for path, content := range files {
		if bucket, _, _ := strings.Cut(path, "/"); !buckets[bucket] {
			buckets[bucket] = true
			if err := p.put(ctx, d, bucket, nil); err != nil {
				return err
			}
		}
		if err := p.put(ctx, d, path, content); err != nil {
			return err
		}
	}
	client := cloudformation.NewFromConfig(p.judge.config(d.account, d.region))
	began := time.Now()
	// By S3, because the templates are larger than CreateStack takes inline.
	if _, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: &d.name, Parameters: d.parameters, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
		TemplateURL: aws.String(p.judge.url + "/" + home + "/" + d.name + ".json"),
	}); err != nil {
		return err
	}
	var status types.StackStatus
	var reason string
	for status == "" || strings.HasSuffix(string(status), "_IN_PROGRESS") {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(500 * time.Millisecond):
		}
		out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &d.name})
		if err != nil {
			return err
		}
		for _, s := range out.Stacks {
			status, reason = s.StackStatus, aws.ToString(s.StackStatusReason)
		}
	}
	made, missing, failed := map[string]int{}, t.resources(), []string{}
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: &d.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.StackResourceSummaries {
			if r.ResourceStatus != types.ResourceStatusCreateComplete || aws.ToString(r.PhysicalResourceId) == "" {
				failed = append(failed, fmt.Sprintf("%s is %s: %s", aws.ToString(r.LogicalResourceId), r.ResourceStatus, aws.ToString(r.ResourceStatusReason)))
				continue
			}
			made[aws.ToString(r.ResourceType)]++
			delete(missing, aws.ToString(r.LogicalResourceId))
		}
	}
	if len(failed) == 0 { // else what comes after it is missing too
		for id, r := range missing {
			if r["Condition"] == nil {
				failed = append(failed, id+" is missing")
			}
		}
	}
	slices.Sort(failed)
	held := status == types.StackStatusCreateComplete && len(made) > 0 && len(failed) == 0
	detail := listed(made)
	if !held {
		detail = fmt.Sprintf("%s %s; %s; made: %s", status, reason, strings.Join(failed, "; "), detail)
	}
	mu.Lock()
	defer mu.Unlock()
	p.report.Add(p.options.Out, fmt.Sprintf("%s in %s reaches CREATE_COMPLETE with everything in it", d.name, d.account), held, "%s; %.0f s", detail, time.Since(began).Seconds())
	if !held {
		return errors.New("nothing can be played without it")
	}
	return nil
}

// put makes a bucket, or with content an object, as `cdk bootstrap` and `cdk deploy` would.
func (p *play) put(ctx context.Context, d deployment, path string, content []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, p.judge.url+"/"+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	config := p.judge.config(d.account, d.region)
	keys, err := config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	const unsigned = "UNSIGNED-PAYLOAD" // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
	r.Header.Set("X-Amz-Content-Sha256", unsigned)
	if err := v4.NewSigner().SignHTTP(ctx, keys, r, unsigned, "s3", d.region, time.Now()); err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("putting %s: %w", path, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("putting %s: %s", path, answer.Status)
	}
	return nil
}

// emptyArchive is the code of every function in LocalStack, which never runs it.
func emptyArchive() ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	if _, err := w.Create("bootstrap"); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
