package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/deadletter/replay"
)

// hub is a queue that hands out one message at a time, a machine and a function.
type hub struct {
	waiting []types.Message
	hidden  []types.Message
	did     []string
	refuses string // the machine that cannot be started
	runs    []string
}

const machine, function = "arn:aws:states:us-east-1:123456789012:stateMachine:drawbridge-peering", "arn:aws:lambda:us-east-1:123456789012:function:drawbridge-tell-people"

func letter(id, target string) types.Message {
	of := func(text string) types.MessageAttributeValue { return types.MessageAttributeValue{StringValue: &text} }
	m := types.Message{MessageId: &id, ReceiptHandle: aws.String("receipt of " + id), Body: aws.String(`{"id":"event-` + id + `","detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"CreateRoute"}}`),
		MessageAttributes: map[string]types.MessageAttributeValue{"ERROR_CODE": of("NO_RESOURCE"), "ERROR_MESSAGE": of("it is gone")}}
	if target != "" {
		m.MessageAttributes["TARGET_ARN"] = of(target)
	}
	return m
}

func (h *hub) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("https://sqs/" + *in.QueueName)}, nil
}

func (h *hub) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{"QueueArn": "arn:aws-cn:sqs:cn-north-1:123456789012:letters"}}, nil
}

func (h *hub) ReceiveMessage(_ context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if in.VisibilityTimeout == 0 || !slices.Contains(in.MessageAttributeNames, "All") {
		return nil, errors.New("a letter needs its attributes, and time")
	}
	if len(h.waiting) == 0 {
		return &sqs.ReceiveMessageOutput{}, nil
	}
	m := h.waiting[0]
	h.waiting, h.hidden = h.waiting[1:], append(h.hidden, m)
	return &sqs.ReceiveMessageOutput{Messages: []types.Message{m}}, nil
}

func (h *hub) take(receipt string) types.Message {
	at := slices.IndexFunc(h.hidden, func(m types.Message) bool { return *m.ReceiptHandle == receipt })
	m := h.hidden[at]
	h.hidden = slices.Delete(h.hidden, at, at+1)
	return m
}

func (h *hub) DeleteMessage(_ context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	h.did = append(h.did, "delete "+*h.take(*in.ReceiptHandle).MessageId)
	return &sqs.DeleteMessageOutput{}, nil
}

func (h *hub) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	h.waiting = append(h.waiting, h.take(*in.ReceiptHandle))
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

func (h *hub) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	if *in.StateMachineArn == h.refuses {
		return nil, &smithy.GenericAPIError{Code: "StateMachineDoesNotExist"}
	}
	if slices.Contains(h.runs, *in.Name) {
		return nil, &smithy.GenericAPIError{Code: "ExecutionAlreadyExists"}
	}
	h.runs = append(h.runs, *in.Name)
	h.did = append(h.did, "start "+(*in.StateMachineArn)[strings.LastIndexByte(*in.StateMachineArn, ':')+1:]+" with "+(*in.Input)[:15])
	return &sfn.StartExecutionOutput{}, nil
}

func (h *hub) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	h.did = append(h.did, fmt.Sprintf("invoke %s %s", *in.FunctionName, in.InvocationType))
	return &lambda.InvokeOutput{}, nil
}

func (h *hub) desk() replay.Desk {
	return replay.Desk{SQS: h, StepFunctions: h, Lambda: h, Queue: "letters"}
}

// play plays every letter again.
func (h *hub) play(machine string) error {
	return h.desk().Read(context.Background(), func(l replay.Letter) (bool, error) {
		err := h.desk().Play(context.Background(), l, machine)
		return err == nil, err
	})
}

func TestALetterIsDeletedOnceItWasHandedOver(t *testing.T) {
	h := &hub{waiting: []types.Message{letter("1", machine), letter("2", function)}}
	if err := h.play(""); err != nil {
		t.Fatal(err)
	}
	want := `[start drawbridge-peering with {"id":"event-1" delete 1 invoke ` + function + ` Event delete 2]`
	if fmt.Sprint(h.did) != want || len(h.waiting)+len(h.hidden) != 0 || fmt.Sprint(h.runs) != "[event-1_1]" {
		t.Errorf("did %v as %v, want %s", h.did, h.runs, want)
	}
}

func TestALetterThatCannotBeHandedOverStays(t *testing.T) {
	h := &hub{waiting: []types.Message{letter("1", machine), letter("2", ""), letter("3", function), letter("4", "arn:aws:sns:us-east-1:1:topic")}, refuses: machine}
	err := h.play("")
	for _, must := range []string{"letter 1: starting " + machine, "letter 2: it is malformed (it is gone)", "letter 4: its target"} {
		if err == nil || !strings.Contains(err.Error(), must) {
			t.Errorf("%v does not say %q", err, must)
		}
	}
	if len(h.waiting) != 3 || len(h.hidden) != 0 || !slices.Contains(h.did, "delete 3") {
		t.Errorf("%d wait, %d are hidden after %v", len(h.waiting), len(h.hidden), h.did)
	}
}

func TestALetterThatWasPlayedBeforeIsOnlyDeleted(t *testing.T) {
	h := &hub{waiting: []types.Message{letter("1", machine)}, runs: []string{"event-1_1"}}
	if err := h.play(""); err != nil || fmt.Sprint(h.did) != "[delete 1]" {
		t.Errorf("did %v, %v", h.did, err)
	}
}

func TestAMalformedEventGoesToTheMachineThatIsNamed(t *testing.T) {
	m := letter("1", "")
	m.Body = aws.String("not JSON at all")
	h := &hub{waiting: []types.Message{m}, refuses: "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:drawbridge-notebook"}
	if err := h.play("drawbridge-notebook"); err == nil || !strings.Contains(err.Error(), "starting "+h.refuses) {
		t.Errorf("error = %v, want one of the machine where the queue is", err)
	}
	if err := h.play("drawbridge-peering"); err != nil || fmt.Sprint(h.runs) != "[1]" {
		t.Errorf("started %v, %v", h.runs, err)
	}
}

func TestReadingChangesNothing(t *testing.T) {
	h := &hub{waiting: []types.Message{letter("1", machine), letter("2", "")}}
	var names []string
	err := h.desk().Read(context.Background(), func(l replay.Letter) (bool, error) {
		names = append(names, l.ID+" "+l.Name+" "+l.Code)
		return false, nil
	})
	if err != nil || fmt.Sprint(names) != "[1 CreateRoute NO_RESOURCE 2 CreateRoute NO_RESOURCE]" || len(h.waiting) != 2 || len(h.did) != 0 {
		t.Errorf("read %v, %v; %d wait after %v", names, err, len(h.waiting), h.did)
	}
}
