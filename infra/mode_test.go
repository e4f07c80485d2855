package main

import (
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// What each call does that changes something in a member is said in package mode, and nothing else is said there.
func TestEveryCallInMembersIsHeldToTheMode(t *testing.T) {
	may := map[string]bool{}
	for state, s := range steps {
		for _, g := range s.member {
			for _, action := range g.actions {
				if mode.Reads(action) {
					continue
				}
				may[action] = true
				if !slices.Contains(mode.Calls(), action) {
					t.Errorf("%s may call %s in members, and pkg/mode/calls.go does not say whether it adds or takes away", state, action)
				}
			}
		}
	}
	for _, action := range mode.Calls() {
		if !may[action] {
			t.Errorf("pkg/mode/calls.go speaks of %s, which no role in members may call", action)
		}
	}
	if len(may) < 20 {
		t.Fatalf("only %d calls change something", len(may))
	}
}

// A step whose every change takes something away says so, and no other does.
func TestStepsThatOnlyTakeAwaySaySo(t *testing.T) {
	n := 0
	for state, s := range steps {
		if s.takes {
			n++
			if len(s.member) == 0 {
				t.Errorf("%s takes away, and enters no member", state)
			}
		}
	}
	if n == 0 {
		t.Fatal("no step takes anything away")
	}
}

// What was held back is started again in whatever machine it was, but for those that visit all accounts: a change of the mode starts the one, people
// the other.
func TestEveryMachineButTheSweepIsResumed(t *testing.T) {
	hub := template(t, synth(t, local), hubStackName)
	var names []string
	for _, r := range hub["Resources"].(map[string]any) {
		properties, _ := r.(map[string]any)["Properties"].(map[string]any)
		if name, ok := properties["StateMachineName"].(string); ok && name != "drawbridge-sweep" && name != "drawbridge-rebuild" {
			names = append(names, name[len("drawbridge-"):])
		}
	}
	slices.Sort(names)
	if got := hold.Machines(); !slices.Equal(got, names) {
		t.Errorf("pkg/hold resumes %v, the hub has %v", got, names)
	}
}
