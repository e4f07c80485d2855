package stories

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// A part is the share of a long test that one process plays, with an engine of its own.
type part struct{ n, of int }

// partIn reads the part that an environment variable gives to this process; without it, all is this process's.
func partIn(t *testing.T, variable string) (p part, given bool) {
	t.Helper()
	p.of = 1
	text := os.Getenv(variable)
	if text == "" {
		return p, false
	}
	if _, err := fmt.Sscanf(text, "%d/%d", &p.n, &p.of); err != nil {
		t.Fatalf("%s is %q, want such as 0/2", variable, text)
	}
	return p, true
}

// has says whether the i-th is of this part.
func (p part) has(i int) bool { return i%p.of == p.n }

// inProcesses plays the parts from first on of a test in processes of their own, and calls line for what they print, one
// line at a time. What it returns waits for them.
func inProcesses(t *testing.T, test, variable string, first, parts int, line func(part int, text string), flags ...string) (wait func()) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for n := first; n < parts; n++ {
		all.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run", "^" + test + "$", "-test.timeout", "360m"}, flags...)...)
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d/%d", variable, n, parts))
			out, err := cmd.StdoutPipe()
			if err == nil {
				cmd.Stderr = os.Stderr
				err = cmd.Start()
			}
			if err != nil {
				t.Error(err)
				return
			}
			lines := bufio.NewScanner(out)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				mu.Lock()
				line(n, lines.Text())
				mu.Unlock()
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("part %d of %d of %s: %v", n+1, parts, test, err)
			}
		})
	}
	return all.Wait
}
