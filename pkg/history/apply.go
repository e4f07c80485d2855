package history

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// page is how many executions Step Functions lists at a time.
const page = 100

// Read returns those of a machine's newest executions, most of them, that were about an id: it stands in what they began with, or came to. Step
// Functions has no list by input, so each is read. What could not be read is in Looked: the ledger's part is an answer without it.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
func Read(ctx context.Context, api board.Executions, hub board.Hub, kind road.Kind, id string, most int) ([]Execution, Looked) {
	looked := Looked{Machine: kind.Machine()}
	machine := arn.New(arn.Partition(hub.Region), "states", hub.Region, hub.Account, "stateMachine:"+looked.Machine)
	var out []Execution
	in := &sfn.ListExecutionsInput{StateMachineArn: &machine, MaxResults: int32(min(most, page))}
	for looked.Count < most {
		list, err := api.ListExecutions(ctx, in)
		if err != nil {
			looked.Err = fmt.Errorf("listing the executions of %s: %w", looked.Machine, err)
			return out, looked
		}
		for n, e := range list.Executions {
			if looked.Count == most {
				looked.More = n < len(list.Executions)
				return out, looked
			}
			looked.Count++
			got, err := api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: e.ExecutionArn})
			if fault.HasCode(err, "ExecutionDoesNotExist") {
				continue // it was forgotten meanwhile
			}
			if err != nil {
				looked.Err = fmt.Errorf("reading the execution %s: %w", aws.ToString(e.Name), err)
				return out, looked
			}
			if one, ok := about(got, id); ok {
				one.Machine = looked.Machine
				out = append(out, one)
			}
		}
		if list.NextToken == nil {
			return out, looked
		}
		in.NextToken = list.NextToken
	}
	looked.More = true
	return out, looked
}

// about reads an execution, and reports whether it was about an id. A longer id that begins with it is another.
func about(e *sfn.DescribeExecutionOutput, id string) (Execution, bool) {
	if !names(aws.ToString(e.Input), id) && !names(aws.ToString(e.Output), id) {
		return Execution{}, false
	}
	out := Execution{Name: aws.ToString(e.Name), Status: string(e.Status), Began: aws.ToTime(e.StartDate).UTC(), Ended: aws.ToTime(e.StopDate).UTC(), Event: began(aws.ToString(e.Input))}
	var end struct{ Result, Reason string }
	if e.Status == types.ExecutionStatusSucceeded && json.Unmarshal([]byte(aws.ToString(e.Output)), &end) == nil {
		out.Result, out.Reason = end.Result, end.Reason
	}
	if e.Error != nil {
		out.Result, out.Reason = aws.ToString(e.Error), message(aws.ToString(e.Cause))
	}
	return out, true
}

// names reports whether a JSON text has an id in it, as a whole word.
func names(text, id string) bool {
	for at := 0; ; {
		n := strings.Index(text[at:], id)
		if n < 0 {
			return false
		}
		at += n + len(id)
		if at == len(text) || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", rune(text[at])) {
			return true
		}
	}
}

// began is the event by which an execution began: the call that it records, or what it is. A sweep, and what one asked for anew, say why.
func began(input string) string {
	var e struct {
		DetailType string `json:"detail-type"`
		Detail     struct {
			EventName string `json:"eventName"`
			Reason    string `json:"reason"`
		} `json:"detail"`
	}
	if json.Unmarshal([]byte(input), &e) != nil {
		return ""
	}
	switch {
	case e.Detail.EventName != "":
		return e.Detail.EventName
	case e.Detail.Reason != "":
		return e.DetailType + " (" + e.Detail.Reason + ")"
	}
	return e.DetailType
}

// message is that of a function's error, which Lambda writes into the cause as JSON.
func message(cause string) string {
	var function struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &function) == nil && function.Message != "" {
		return function.Message
	}
	return cause
}
