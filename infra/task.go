package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	tasks "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctionstasks"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// retries returns the retry list of every Task, in order. What is not in it (Refused, Conflict, Invalid) fails the Task at
// once, so that a person finds the execution standing exactly where it can be redriven from.
//
// The CDK's own list lacks Lambda.TooManyRequestsException, so it is written out here, with the names under which a
// function comes back that was killed (out of memory: Runtime.ExitError) or ran out of time (Sandbox.Timedout), and those
// that Invoke answers while a function is being deployed or was idle for long (ResourceConflict, ResourceNotReady); see
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors and
// https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
func retries() []*sfn.RetryProps {
	return []*sfn.RetryProps{
		{
			Errors: jsii.Strings(string(fault.Transient),
				"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
				"Lambda.ClientExecutionTimeoutException", "Lambda.TooManyRequestsException",
				"Lambda.EC2ThrottledException", "Lambda.ResourceNotReadyException", "Lambda.ResourceConflictException", "Lambda.Unknown",
				"Runtime.ExitError", "Sandbox.Timedout", "States.Timeout"),
			Interval:       awscdk.Duration_Seconds(jsii.Number(2)),
			BackoffRate:    jsii.Number(2),
			MaxAttempts:    jsii.Number(fault.TransientTries),
			MaxDelay:       awscdk.Duration_Seconds(jsii.Number(60)),
			JitterStrategy: sfn.JitterType_FULL,
		},
		{
			Errors:         jsii.Strings(string(fault.NotYet)),
			Interval:       awscdk.Duration_Seconds(jsii.Number(5)),
			BackoffRate:    jsii.Number(1.5),
			MaxAttempts:    jsii.Number(fault.NotYetTries),
			MaxDelay:       awscdk.Duration_Seconds(jsii.Number(60)),
			JitterStrategy: sfn.JitterType_FULL,
		},
	}
}

// result says what of a Task's answer goes where in the machine's data; see the fields of the same names at
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html
type result struct {
	selector data   // ResultSelector
	path     string // ResultPath; "-" forgets the answer
	output   string // OutputPath
}

// data is a JSON object of the machine; values made by at() are read from the machine's own data.
type data map[string]any

// at returns the value at a JSONPath of the machine's data.
func at(path string) *string { return sfn.JsonPath_StringAt(jsii.String(path)) }

// tried adds to a payload how often the Task was tried again already, for a step that says what becomes of it when it is tried no more.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
func tried(payload data) data {
	payload["tried"] = at("$$.State.RetryCount")
	return payload
}

// task returns the Task of a state: the function of that name invoked with exactly the payload, which always carries
// the name of the execution, and retried by the one list above.
func (h *hub) task(scope constructs.Construct, state string, payload data, r result) tasks.LambdaInvoke {
	payload["execution"] = at("$$.Execution.Name")
	props := &tasks.LambdaInvokeProps{
		LambdaFunction:           h.function(state),
		Payload:                  sfn.TaskInput_FromObject((*map[string]any)(&payload)),
		RetryOnServiceExceptions: jsii.Bool(false),
	}
	if r.selector != nil {
		props.ResultSelector = (*map[string]any)(&r.selector)
	}
	if r.output != "" {
		props.OutputPath = jsii.String(r.output)
	}
	switch r.path {
	case "":
	case "-":
		props.ResultPath = sfn.JsonPath_DISCARD()
	default:
		props.ResultPath = jsii.String(r.path)
	}
	invoke := tasks.NewLambdaInvoke(scope, jsii.String(state), props)
	for _, retry := range retries() {
		invoke.AddRetry(retry)
	}
	return invoke
}
