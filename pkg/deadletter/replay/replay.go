// Package replay hands events from the dead-letter queue to what did not get them.
//
// It is the operator's, and apart from the package that keeps events there, so that functions do not carry it.
package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Letter is one event in the queue.
type Letter struct {
	ID     string // of the message
	Event  string // as it came
	Name   string // of the event: the API call, or its detail-type
	Target string // ARN of the machine or function that did not get it; empty: a function of ours put it here
	Code   string // why
	Reason string // why, in a sentence

	receipt string
}

// SQS is what [Desk] needs of it.
type SQS interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
}

// StepFunctions is what [Desk] needs of it.
type StepFunctions interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// Lambda is what [Desk] needs of it.
type Lambda interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Desk is where an operator works through the queue.
type Desk struct {
	SQS           SQS
	StepFunctions StepFunctions
	Lambda        Lambda
	Queue         string // its name
}

// hold is for how many seconds a letter that was read is kept from others; whatever is left then is put back at once.
const hold = 300

// Read calls f for each letter that waits, and forgets none: a letter for which f returns false, or fails, waits in the
// queue afterwards as before. Errors of f do not keep it from the next letters; they are joined.
func (d Desk) Read(ctx context.Context, f func(Letter) (done bool, err error)) error {
	url, err := d.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &d.Queue})
	if err != nil {
		return fmt.Errorf("looking for the queue %s: %w", d.Queue, err)
	}
	var kept []Letter
	var all []error
	for seen := map[string]bool{}; ; {
		page, err := d.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, MaxNumberOfMessages: 10,
			VisibilityTimeout: hold, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"}})
		if err != nil {
			all = append(all, fmt.Errorf("reading the queue %s: %w", d.Queue, err))
			break
		}
		fresh := 0
		for _, m := range page.Messages {
			l := letter(m)
			if !seen[l.ID] {
				seen[l.ID] = true
				fresh++
			}
			done, err := f(l)
			if done && err == nil {
				_, err = d.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url.QueueUrl, ReceiptHandle: &l.receipt})
			}
			if !done {
				kept = append(kept, l)
			}
			if err != nil {
				all = append(all, fmt.Errorf("letter %s: %w", l.ID, err))
			}
		}
		if fresh == 0 {
			break
		}
	}
	for _, l := range kept {
		_, err := d.SQS.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url.QueueUrl, ReceiptHandle: &l.receipt, VisibilityTimeout: 0})
		if err != nil {
			all = append(all, fmt.Errorf("putting letter %s back (it comes back by itself in %d s): %w", l.ID, hold, err))
		}
	}
	return errors.Join(all...)
}

func letter(m types.Message) Letter {
	of := func(name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) }
	l := Letter{ID: aws.ToString(m.MessageId), Event: aws.ToString(m.Body), Target: of("TARGET_ARN"), Code: of("ERROR_CODE"), Reason: of("ERROR_MESSAGE"), receipt: aws.ToString(m.ReceiptHandle)}
	var e struct {
		DetailType string `json:"detail-type"`
		Detail     struct {
			EventName string `json:"eventName"`
		} `json:"detail"`
	}
	_ = json.Unmarshal([]byte(l.Event), &e) // what cannot be read has no name
	if l.Name = e.Detail.EventName; l.Name == "" {
		l.Name = e.DetailType
	}
	return l
}

// Play hands a letter to the machine or function that did not get it; machine, the name of one, is for letters without
// a target. The execution is named after the event and the letter, so that a letter which is played twice, because it
// could not be deleted, starts one execution.
func (d Desk) Play(ctx context.Context, l Letter, machine string) error {
	target := l.Target
	if target == "" {
		if machine == "" {
			return fmt.Errorf("it is malformed (%s): correct the event and start an execution with it, or name the machine that should try it again as it is", l.Reason)
		}
		var err error
		if target, err = d.machine(ctx, machine); err != nil {
			return err
		}
	}
	switch {
	case strings.Contains(target, ":stateMachine:"):
		_, err := d.StepFunctions.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &target, Name: aws.String(name(l)), Input: &l.Event})
		// "ExecutionAlreadyExists": it was played before and could not be deleted.
		if err != nil && !fault.HasCode(err, "ExecutionAlreadyExists") {
			return fmt.Errorf("starting %s: %w", target, err)
		}
		return nil
	case strings.Contains(target, ":function:"):
		_, err := d.Lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &target, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(l.Event)})
		if err != nil {
			return fmt.Errorf("invoking %s: %w", target, err)
		}
		return nil
	}
	return fmt.Errorf("its target %s is neither a machine nor a function", target)
}

// machine returns the ARN of a machine that lives where the queue does.
func (d Desk) machine(ctx context.Context, name string) (string, error) {
	url, err := d.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &d.Queue})
	if err != nil {
		return "", fmt.Errorf("looking for the queue %s: %w", d.Queue, err)
	}
	got, err := d.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", fmt.Errorf("looking where the queue %s is: %w", d.Queue, err)
	}
	text := got.Attributes[string(types.QueueAttributeNameQueueArn)]
	queue, err := arn.Parse(text)
	if err != nil {
		return "", fmt.Errorf("the queue %s has the ARN %q", d.Queue, text)
	}
	return arn.New(queue.Partition, "states", queue.Region, queue.AccountID, "stateMachine:"+name), nil
}

// notInName matches what a name of an execution is better without; it has at most 80 characters.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
var notInName = regexp.MustCompile(`[^\w-]+`)

func name(l Letter) string {
	var e struct{ ID string }
	_ = json.Unmarshal([]byte(l.Event), &e) // a malformed event has no id
	all := notInName.ReplaceAllString(e.ID, "-")
	if len(all) > 36 {
		all = all[:36]
	}
	if all != "" {
		all += "_"
	}
	all += notInName.ReplaceAllString(l.ID, "-")
	return all[:min(len(all), 80)]
}
