package local

import (
	"context"
	"errors"
	"testing"
)

func TestARoleIsAssumedOnceForEachFunction(t *testing.T) {
	asked, refuse := 0, true
	assume := once(func(_ context.Context, role, session string) (map[string]string, error) {
		if asked++; refuse {
			return nil, errors.New("not yet")
		}
		return map[string]string{"AWS_ACCESS_KEY_ID": role + session}, nil
	})
	if _, err := assume(t.Context(), "role", "one"); err == nil {
		t.Error("a refusal is no error")
	}
	refuse = false
	for _, session := range []string{"one", "one", "two"} {
		got, err := assume(t.Context(), "role", session)
		if err != nil || got["AWS_ACCESS_KEY_ID"] != "role"+session || len(got) != 1 {
			t.Errorf("%s: %v, %v", session, got, err)
		}
		got["AWS_ENDPOINT_URL"] = "of one process" // is no other one's
	}
	if asked != 3 {
		t.Errorf("asked %d times, want the refusal, one and two", asked)
	}
}
