package workflow

import "encoding/json"

// HoldExecutionInput is what is kept of an execution that was held back: what it was started with, and the error of the step that may
// not go on.
type HoldExecutionInput struct {
	Execution string          `json:"execution"`
	Machine   string          `json:"machine"` // drawbridge-peering
	Input     json.RawMessage `json:"input"`
	Held      Failure         `json:"held"`
}

// Failure is an error as a Catch hands it on.
type Failure struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// HoldExecutionOutput is the output of the execution.
type HoldExecutionOutput struct {
	Answer string `json:"answer"` // the name of its end state
	Result Result `json:"result"` // the same
	Reason string `json:"reason"`
	// Changes are what it would have changed, the first of them.
	Changes []string `json:"changes"`
	Mode    string   `json:"mode"`
	// Kept says that the event is looked at again when the mode changes, or when a person lets it through.
	Kept bool `json:"kept"`
}

// ResumeExecutionsInput asks for what was held back to be started again.
type ResumeExecutionsInput struct {
	Execution string `json:"execution"`
	Machine   string `json:"machine"` // the ARN of the Sweep machine
	Sweep     Sweep  `json:"sweep"`
}

// ResumeExecutionsOutput says what was started.
type ResumeExecutionsOutput struct {
	Answer  Answer `json:"answer"`  // more or done
	Resumed int    `json:"resumed"` // executions that were started
}
