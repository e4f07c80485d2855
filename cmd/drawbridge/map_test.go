package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/picture"
)

// drawn looks at its picture: on the engine's own page and by the command.
func (f *firstScenario) drawn(t *testing.T) {
	at, page, world := f.at, f.page, f.world
	drawn := answered[picture.Map](t, 0, "map", at)
	if len(drawn.Connections) != 1 || len(drawn.Accounts) != 2 || len(drawn.Networks) != 2 || len(drawn.Ends) != 2 || drawn.Organization != local.Organization {
		t.Fatalf("the picture has %+v", drawn)
	}
	c := drawn.Connections[0]
	if c.ID != world.Connection || c.Look != picture.Holds || len(c.Paths) != 1 || drawn.Ends[c.Paths[0].Client].Name != "research" || drawn.Ends[c.Paths[0].Database].Name != "sales" ||
		c.Paths[0].Port != 3306 || !strings.Contains(c.Reason, "policy") || len(c.History) < 3 {
		t.Errorf("the connection is %+v", c)
	}
	schema, err := os.ReadFile(filepath.Join(root, "docs", "schema", "map.v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	document, _, _ := ran(t, "map", at, "-o", "json")
	if err := answer.Valid(schema, []byte(document)); err != nil {
		t.Error(err)
	}
	if text, _, exit := ran(t, "map", at, "-o", "text"); exit != 0 || !strings.Contains(text, "research ──✓──▶ sales:3306") {
		t.Errorf("as text, with exit %d:\n%s", exit, text)
	}
	file := filepath.Join(t.TempDir(), "map.html")
	if stdout, stderr, exit := ran(t, "map", at, "--file", file); exit != 0 || stdout != "" || !strings.Contains(stderr, file) {
		t.Errorf("into a file: exit %d, %q, %q", exit, stdout, stderr)
	}
	html, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(html, []byte(world.Connection)) {
		t.Errorf("the file: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v, %v", info.Mode(), err)
	}

	// The engine's page has learned of it.
	time.Sleep(1100 * time.Millisecond)
	var live picture.Map
	if _, body := got(t, page+"map.json"); json.Unmarshal([]byte(body), &live) != nil || len(live.Connections) != 1 || live.Connections[0].Look != picture.Holds {
		t.Errorf("live it is %.400s", body)
	}
	// A page whose name leads here may not read it, and others are not let in at all.
	if resp, body := gotAs(t, page+"map.json", "evil.example:80"); resp.StatusCode != http.StatusMisdirectedRequest || strings.Contains(body, world.Connection) {
		t.Errorf("by another name it answers %s", resp.Status)
	}
	served(t, world.Connection, "status", at, "--serve")
	if _, stderr, exit := ran(t, "status", at, "--serve=0.0.0.0:0"); exit != 1 || !strings.Contains(stderr, "127.0.0.1") {
		t.Errorf("for all to reach: exit %d, %s", exit, stderr)
	}
}

// served runs a command that serves the picture, looks at it, and ends it as Ctrl-C does.
func served(t *testing.T, id string, args ...string) {
	t.Helper()
	cmd := drawbridge(t, args...)
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hangs := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer hangs.Stop()
	line, _ := bufio.NewReader(talk).ReadString('\n')
	if m := regexp.MustCompile(`(http://127\.0\.0\.1:\d+/) `).FindStringSubmatch(line); m == nil {
		t.Errorf("it does not say where it serves: %q", line)
	} else if resp, body := got(t, m[1]); resp.StatusCode != http.StatusOK || !strings.Contains(body, id) || !strings.Contains(body, `data-live="10"`) {
		t.Errorf("it serves %s", resp.Status)
	}
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C it ends with %v", err)
	}
}

func got(t *testing.T, url string) (*http.Response, string) { t.Helper(); return gotAs(t, url, "") }

func gotAs(t *testing.T, url, host string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}
