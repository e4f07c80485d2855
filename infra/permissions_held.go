package main

// heldSteps are the states of what is held back: every machine has the first, the Sweep machine the second.
var heldSteps = map[string]step{
	"HoldExecution":    {readsMode: true, keepsLedger: true, announces: true, notifies: true},
	"ResumeExecutions": {readsMode: true, keepsLedger: true, resumes: true},
}
