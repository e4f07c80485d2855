// Package contest wires the step that tells of what is contested. It enters no member.
package contest

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest/report"
	"github.com/drawbridge-cloud/drawbridge/pkg/steps"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// ReportContest is the step of the state of that name.
func ReportContest(s steps.Stage) workflow.Step[workflow.ReportContestInput, workflow.ReportContestOutput] {
	return report.Reporter{Contest: contest.Contest{Ledger: s.Ledger}, Bus: s.Bus, Topic: s.Topic}.Report
}
