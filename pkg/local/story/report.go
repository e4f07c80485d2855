package story

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// Report is a story in numbers, for programs.
type Report struct {
	// Result is the end state; a failed execution has its error here.
	Result string `json:"result"`
	// Verdict was read back from the accounts.
	Verdict []Hop `json:"verdict"`
	// Calls are all AWS calls that Drawbridge made.
	Calls       []awscall.Call `json:"calls"`
	Transitions int            `json:"transitions"`
	Invocations int            `json:"invocations"`
	ColdStarts  int            `json:"coldStarts"`
	// WallMS is the time from the call that began it to the end, waits as they
	// were played.
	WallMS int64 `json:"wallMs"`
}

// Report sums up what was recorded.
func (r *Recorder) Report(end End, verdict []Hop, wall time.Duration) Report {
	c := r.Counts()
	out := Report{
		Result: end.State, Verdict: verdict, Calls: r.Calls(),
		Transitions: c.Transitions, Invocations: c.Invocations, ColdStarts: c.ColdStarts, WallMS: wall.Milliseconds(),
	}
	if end.Status != "SUCCEEDED" {
		out.Result = end.Status + " in " + end.State + ": " + end.Error
	}
	return out
}

// Write writes the report as JSON; it makes the folder.
func (r Report) Write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// Work counts the calls that do the job: without those that open an account,
// without the mode, which every state reads in the hub, and without polls, which
// are the looks at a peering that was looked at before.
func Work(calls []awscall.Call) int {
	n := 0
	seen := map[string]bool{}
	for _, c := range calls {
		if c.Action == "AssumeRole" || c.Service == "ssm" && strings.HasSuffix(c.Resource, "/mode") {
			continue
		}
		if c.Action == "DescribeVpcPeeringConnections" {
			key := c.Account + c.Execution + c.Resource
			if seen[key] {
				continue
			}
			seen[key] = true
		}
		n++
	}
	return n
}
