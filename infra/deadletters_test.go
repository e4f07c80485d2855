package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestEveryRuleOfTheHubKeepsWhatItCannotHandOver holds each rule's target to the dead-letter queue, and the queue's policy
// to each rule: one that the policy does not let in loses its events without a word.
func TestEveryRuleOfTheHubKeepsWhatItCannotHandOver(t *testing.T) {
	for _, at := range []place{{"aws", "amazonaws.com", "us-east-1"}, {"aws-cn", "amazonaws.com.cn", "cn-north-1"}} {
		var hub solved
		for _, s := range solve(t, synth(t, local), at) {
			if s.name == hubStackName {
				hub = s
			}
		}
		v := solver{at, hub.template}
		queues := hub.of("AWS::SQS::Queue")
		policies := hub.of("AWS::SQS::QueuePolicy")
		if len(queues) != 1 || len(policies) != 1 {
			t.Fatalf("the hub has %d queues and %d policies of queues", len(queues), len(policies))
		}
		queue, err := v.attribute(queues[0].id, "Arn")
		if err != nil {
			t.Fatal(err)
		}
		var admitted []*regexp.Regexp
		for _, s := range policies[0].properties["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			if s := s.(map[string]any); s["Effect"] == "Allow" {
				if len(admitted) > 0 || s["Resource"] != queue || compact(s["Principal"]) != `{"Service":"events.amazonaws.com"}` ||
					s["Action"] != "sqs:SendMessage" || len(s["Condition"].(map[string]any)) != 1 {
					t.Fatalf("the queue's policy allows more than the rules: %s", compact(s))
				}
				for _, pattern := range s["Condition"].(map[string]any)["ArnLike"].(map[string]any)["aws:SourceArn"].([]any) {
					admitted = append(admitted, regexp.MustCompile("^"+strings.ReplaceAll(regexp.QuoteMeta(pattern.(string)), `\*`, `[^:]*`)+"$"))
				}
			}
		}
		used := make([]int, len(admitted))
		for _, r := range hub.of("AWS::Events::Rule") {
			arn, err := v.attribute(r.id, "Arn")
			if err != nil {
				t.Fatal(err)
			}
			let := false
			for i, pattern := range admitted {
				if pattern.MatchString(arn) {
					let, used[i] = true, used[i]+1
				}
			}
			if !let {
				t.Errorf("the queue's policy does not let %s in", arn)
			}
			targets := r.properties["Targets"].([]any)
			if len(targets) != 1 {
				t.Errorf("%s has %d targets", arn, len(targets))
			}
			target := targets[0].(map[string]any)
			if got := compact(target["DeadLetterConfig"]); got != `{"Arn":"`+queue+`"}` {
				t.Errorf("%s keeps what is left over in %s", arn, got)
			}
			if got := compact(target["RetryPolicy"]); got != `{"MaximumEventAgeInSeconds":86400,"MaximumRetryAttempts":185}` {
				t.Errorf("%s is tried %s", arn, got)
			}
		}
		for i, n := range used {
			if n == 0 {
				t.Errorf("no rule is let in by %v", admitted[i])
			}
		}
		if len(used) == 0 {
			t.Error("the queue's policy lets nobody in")
		}
		for _, stranger := range []string{
			"arn:" + at.partition + ":events:" + at.region + ":210987654321:rule/drawbridge/peering",
			"arn:" + at.partition + ":events:" + at.region + ":" + account + ":rule/another",
			"arn:" + at.partition + ":events:" + at.region + ":" + account + ":rule/another-bus/drawbridge-peering",
		} {
			for _, pattern := range admitted {
				if pattern.MatchString(stranger) {
					t.Errorf("the queue's policy lets %s in", stranger)
				}
			}
		}
	}
}
