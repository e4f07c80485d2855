package picture

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser starts Debian's chromium, which pkg/picture/install.sh installs. On a machine without it the test is skipped; on CI that is a failure.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it opens the page in a browser")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no chromium to try the page in: run pkg/picture/install.sh as root")
		}
		t.Skip("there is no chromium to try the page in: run pkg/picture/install.sh as root")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(2 * time.Minute)}
	all, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, done := chromedp.NewContext(all)
	t.Cleanup(done)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return ctx
}

var errHangs = errors.New("the browser hangs")

// patience is how long one step in the browser may take, or what it sets in motion. A busy machine makes the test longer; a browser that hangs ends it.
const patience = 3 * time.Minute

// tab is one page of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// listens keeps what goes wrong in a page, and what its policy refuses.
const listens = `window.wrong = []; addEventListener("error", e => wrong.push(e.message)); addEventListener("unhandledrejection", e => wrong.push(String(e.reason)));
document.addEventListener("securitypolicyviolation", e => wrong.push("refused " + e.violatedDirective + " " + e.blockedURI));`

func open(t *testing.T, browser context.Context, address string, width, height int64, dark bool) *tab {
	t.Helper()
	ctx, done := chromedp.NewContext(browser)
	t.Cleanup(done)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first step
		t.Fatal(err)
	}
	p := &tab{t: t, ctx: ctx}
	p.do(chromedp.EmulateViewport(width, height))
	scheme := map[bool]string{false: "light", true: "dark"}[dark]
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: listens}); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.Navigate(address))
	if address != "about:blank" {
		p.do(chromedp.WaitReady("body[data-ready]"))
	}
	return p
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, done := context.WithTimeoutCause(p.ctx, patience, errHangs)
	defer done()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%v: %v", err, context.Cause(ctx))
	}
}

// run runs an expression in the page.
func run(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](expression, chromedp.EvalAwaitPromise)
}

// value evaluates an expression in the page.
func value[T any](p *tab, expression string) T {
	p.t.Helper()
	return result(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

func result[T any](p *tab, a chromedp.Action[T]) T {
	p.t.Helper()
	ctx, done := context.WithTimeoutCause(p.ctx, patience, errHangs)
	defer done()
	out, err := chromedp.Run(ctx, a)
	if err != nil {
		p.t.Fatalf("%v: %v", err, context.Cause(ctx))
	}
	return out
}

// becomes waits until an expression has a value, and returns what it has at last.
func becomes[T any](p *tab, expression string, is func(T) bool) T {
	p.t.Helper()
	for end := time.Now().Add(patience); ; p.do(chromedp.Sleep(50 * time.Millisecond)) {
		if got := value[T](p, expression); is(got) || time.Now().After(end) {
			return got
		}
	}
}

// quiet fails if the page said that something went wrong.
func (p *tab) quiet() {
	p.t.Helper()
	for _, s := range value[[]string](p, "wrong") {
		p.t.Errorf("the page says: %s", s)
	}
}

// shot keeps what is seen, in the folder that DRAWBRIDGE_SCREENSHOTS names: for people to look at.
func (p *tab) shot(name string) {
	p.t.Helper()
	dir := os.Getenv("DRAWBRIDGE_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), result(p, chromedp.FullScreenshot(100)), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// axe holds the page to axe-core's rules.
func (p *tab) axe(of string) {
	p.t.Helper()
	source, err := os.ReadFile("../../node_modules/axe-core/axe.min.js")
	if err != nil {
		if os.Getenv("CI") == "true" {
			p.t.Fatal(err)
		}
		p.t.Skip("axe-core is not there to judge the page: run make node_modules/ready")
	}
	p.do(run(string(source) + ";0"))
	type findings struct {
		Passes     int
		Violations []struct {
			ID, Help string
			Nodes    []struct{ HTML, FailureSummary string }
		}
	}
	found := value[findings](p, `axe.run().then(r => ({passes: r.passes.length, violations: r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map(n => ({html: n.html, failureSummary: n.failureSummary}))}))}))`)
	if found.Passes < 15 {
		p.t.Errorf("%s: axe judged by %d rules only", of, found.Passes)
	}
	for _, v := range found.Violations {
		p.t.Errorf("%s: axe finds %s: %s: %+v", of, v.ID, v.Help, v.Nodes)
	}
}

// file writes the page of a document and returns its address.
func file(t *testing.T, m Map) string {
	t.Helper()
	text, err := Page(m, Live{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "map.html")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

func TestInABrowser(t *testing.T) {
	b := browser(t)
	t.Run("Keys", func(t *testing.T) { keys(t, b) })
	t.Run("Filters", func(t *testing.T) { filters(t, b) })
	t.Run("Rules", func(t *testing.T) { rules(t, b) })
	t.Run("Hostile", func(t *testing.T) { hostileNames(t, b) })
	t.Run("Print", func(t *testing.T) { prints(t, b) })
	t.Run("Live", func(t *testing.T) { live(t, b) })
	t.Run("Report", func(t *testing.T) { report(t, b) })
	t.Run("Large", func(t *testing.T) { largeOne(t, b) })
}

const focused = `(e => e ? e.id + "|" + (e.dataset.c || "") + "|" + e.tagName : "")(document.activeElement)`

// Tab comes to a connection, Enter opens it, Esc closes it and comes back; a click opens as well.
func keys(t *testing.T, b context.Context) {
	m := mixed(t)
	p := open(t, b, file(t, m), 1280, 900, false)
	if n := value[int](p, `performance.getEntriesByType("resource").length`); n != 0 {
		t.Errorf("the page fetched %d things", n)
	}
	at := ""
	for range 30 {
		p.do(chromedp.KeyEvent(kb.Tab))
		if at = value[string](p, focused); strings.HasSuffix(at, "|g") {
			break
		}
	}
	if !strings.HasSuffix(at, "|g") {
		t.Fatalf("Tab comes to no connection, but to %s", at)
	}
	for range m.Connections { // the arrow keys go on to the next
		if value[string](p, `document.activeElement.getAttribute("aria-label")`) == "peering PartlyConnected, broken: pcx-0part" {
			break
		}
		p.do(chromedp.KeyEvent(kb.ArrowRight))
	}
	at = value[string](p, focused)
	p.do(chromedp.KeyEvent(kb.Enter))
	if got := value[string](p, focused); !strings.HasPrefix(got, "detail-title") {
		t.Errorf("after Enter the focus is on %s", got)
	}
	text := value[string](p, `document.getElementById("detail").innerText`)
	for _, want := range []string{"pcx-0part", "breaks at database group", "Remedy: let TCP 5432 in", "accept-auto", "assumed-role/Research/ada", "user/bob", "(exec-1)", "drawbridge why 100000000001/us-east-1/research",
		"1 of 3 paths whole", "Taken away"} {
		if !strings.Contains(text, want) {
			t.Errorf("the details say nothing of %q:\n%s", want, text)
		}
	}
	p.shot("detail")
	p.do(chromedp.KeyEvent(kb.Escape))
	if got := value[string](p, focused); got != at || !value[bool](p, `document.getElementById("detail").hidden`) {
		t.Errorf("after Esc the focus is on %s, not on %s", got, at)
	}
	where := value[[]float64](p, `(e => { const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(document.querySelector('#drawing .broken .mark'))`)
	p.do(chromedp.MouseClickXY(where[0], where[1]))
	if title := value[string](p, `document.getElementById("detail-title").innerText`); title != "✗ peering pcx-0part" {
		t.Errorf("a click on what is broken opens %q", title)
	}
	p.quiet()
}

func filters(t *testing.T, b context.Context) {
	p := open(t, b, file(t, mixed(t)), 1280, 900, false)
	set := func(id, v string) string {
		return fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event(e.tagName === "SELECT" ? "change" : "input")); })(document.getElementById(%q))`, v, id)
	}
	for _, one := range []struct {
		id, value string
		want      int
	}{{"q", "", 7}, {"q", "wells", 1}, {"q", "SALES peering", 2}, {"q", "10.0.4.0", 3}, {"q", "nothing like it", 0}, {"account", account(1), 3}, {"unit", "ou-b", 6}, {"unit", "ou-a", 7}, {"unit", "ou-c", 4},
		{"state", "look:broken", 1}, {"state", "Connected", 2}, {"kind", "data-api", 1}} {
		p.do(run(set(one.id, one.value)), run(fmt.Sprintf(painted, 30)))
		rows := becomes(p, `document.querySelectorAll("#rows tr").length`, func(n int) bool { return n == one.want })
		drawn := value[int](p, `new Set([...document.querySelectorAll("#drawing [data-c]:not(.gone)")].map(e => e.dataset.c)).size`)
		if rows != one.want || drawn != one.want {
			t.Errorf("%s %q leaves %d rows and %d drawn, want %d", one.id, one.value, rows, drawn, one.want)
		}
		p.do(run(set(one.id, "")))
	}
	p.do(run(set("q", "wells")))
	if said := becomes(p, `document.getElementById("found").innerText`, func(s string) bool { return strings.HasPrefix(s, "1 ") }); said != "1 of 7 connections" {
		t.Errorf("it says %q", said)
	}
	p.do(chromedp.Click(`button[type=reset]`))
	if rows := becomes(p, `document.querySelectorAll("#rows tr").length`, func(n int) bool { return n == 7 }); rows != 7 {
		t.Errorf("after Clear there are %d rows", rows)
	}
	p.quiet()
}

// axe-core finds nothing, in light and dark, on a wide and on a narrow screen; nothing makes the page wider than the screen.
func rules(t *testing.T, b context.Context) {
	for _, m := range map[string]Map{"mixed": mixed(t), "demo": demo(t), "empty": drawn(entries(t), Organization{})} {
		address := file(t, m)
		for _, width := range []int64{1280, 400} {
			for _, dark := range []bool{false, true} {
				p := open(t, b, address, width, 900, dark)
				name := fmt.Sprintf("%s-%d-%s", strings.ReplaceAll(m.Organization, "o-", ""), width, map[bool]string{false: "light", true: "dark"}[dark])
				p.shot(name)
				if len(m.Connections) > 0 {
					p.do(chromedp.Click("#rows button"))
				}
				p.shot(name + "-open")
				p.axe(name)
				if over := value[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s is %d pixels wider than the screen", name, over)
				}
				p.quiet()
			}
		}
	}
}

// report is the page of drawbridge report, as its golden file has it: nothing of a line is out of sight, on whatever screen.
func report(t *testing.T, b context.Context) {
	path, err := filepath.Abs("../report/testdata/report.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{1280, 400} {
		for _, dark := range []bool{false, true} {
			p := open(t, b, "about:blank", width, 900, dark)
			p.do(chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String()))
			name := fmt.Sprintf("report-%d-%s", width, map[bool]string{false: "light", true: "dark"}[dark])
			p.shot(name)
			if cells := value[int](p, `document.querySelectorAll("td").length`); cells == 0 {
				t.Errorf("%s has no cells", name)
			}
			if out := value[int](p, `[...document.querySelectorAll("tbody div")].filter(e => e.getBoundingClientRect().right > innerWidth).length`); out > 0 {
				t.Errorf("%s: %d parts of lines are out of sight", name, out)
			}
			p.axe(name)
		}
	}
}

func hostileNames(t *testing.T, b context.Context) {
	p := open(t, b, file(t, hostile(t)), 1280, 900, false)
	p.do(chromedp.Click("#rows button"), run(fmt.Sprintf(painted, 100)))
	if title := value[string](p, "document.title"); title != "What connects – Drawbridge" {
		t.Errorf("a name ran as a script: the title is %q", title)
	}
	if n := value[int](p, `document.querySelectorAll("img").length + document.querySelectorAll("script").length`); n != 2 {
		t.Errorf("the page has %d scripts and images", n)
	}
	if text := value[string](p, `document.getElementById("detail").innerText`); !strings.Contains(text, "</script><script>") {
		t.Errorf("what others wrote is not shown as it is: %s", text)
	}
	p.quiet()
}

var pages = regexp.MustCompile(`/Type\s*/Page[^s]`)

func prints(t *testing.T, b context.Context) {
	for name, m := range map[string]Map{"mixed": mixed(t), "demo": demo(t), "large": large(t, 200, 600)} {
		p := open(t, b, file(t, m), 1280, 900, true)
		pdf := result(p, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
		if n := len(pages.FindAll(pdf, -1)); n != 1 {
			t.Errorf("%s prints to %d sheets", name, n)
		}
		if dir := os.Getenv("DRAWBRIDGE_SCREENSHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "print-"+name+".pdf"), pdf, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What changes in the ledger comes to the page by itself, which keeps what is open and says what became of it.
func live(t *testing.T, b context.Context) {
	var mu sync.Mutex
	m := drawn(entries(t, peering("pcx-1", 1, 2, "")), Organization{})
	s := &Server{Every: time.Second, Read: func(context.Context) (Map, error) {
		mu.Lock()
		defer mu.Unlock()
		return m, nil
	}}
	ctx, stop := context.WithCancel(t.Context())
	serve, address, err := s.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve() }()
	p := open(t, b, address, 1280, 900, false)
	p.do(chromedp.Click("#rows button"), chromedp.Sleep(1500*time.Millisecond))
	mu.Lock()
	m = drawn(entries(t, peering("pcx-1", 1, 2, "Connected", way("research", "sales", 1, 2, "yes", ""))), Organization{})
	mu.Unlock()
	title := becomes(p, `document.getElementById("detail-title").innerText`, func(s string) bool { return strings.HasPrefix(s, "✓") })
	said, drawnNow := value[string](p, `document.getElementById("status").innerText`), value[int](p, `document.querySelectorAll("#drawing .chip").length`)
	if title != "✓ peering pcx-1" || said != "pcx-1 is Connected now: in order" || drawnNow != 2 {
		t.Errorf("the page has %q open, says %q and draws %d ends", title, said, drawnNow)
	}
	p.quiet()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if said = becomes(p, `document.getElementById("status").innerText`, func(s string) bool { return strings.HasPrefix(s, "?") }); !strings.HasPrefix(said, "?") {
		t.Errorf("when nobody answers any more it says %q", said)
	}
}

// spent is how long the page has worked so far, by the clock of its thread: other programs on the machine do not count.
func (p *tab) spent() time.Duration {
	p.t.Helper()
	got, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, m := range got.Metrics {
		if m.Name == "TaskDuration" {
			return time.Duration(m.Value * float64(time.Second))
		}
	}
	p.t.Fatal("the browser does not say how long it worked")
	return 0
}

// painted waits until what was changed is to be seen.
const painted = `new Promise(r => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(r)), %d))`

// A large organization stays usable; docs/architecture.md has the numbers.
func largeOne(t *testing.T, b context.Context) {
	address := file(t, large(t, 1000, 5000))
	p := open(t, b, "about:blank", 1280, 900, false)
	if _, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		t.Fatal(err)
	}
	before, began := p.spent(), time.Now()
	p.do(chromedp.Navigate(address), chromedp.WaitReady("body[data-ready]"), run(fmt.Sprintf(painted, 0)))
	loaded := p.spent() - before
	t.Logf("1,000 accounts and 5,000 connections: loaded and drawn with %v of work, in %v", loaded.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	p.shot("large")
	slowest := time.Duration(0)
	for _, one := range [][2]string{{"account", account(7)}, {"unit", "ou-03"}, {"state", "look:broken"}, {"kind", "peering"}, {"q", "team-0042"}} {
		kind := map[bool]string{true: "input", false: "change"}[one[0] == "q"]
		before, began := p.spent(), time.Now()
		p.do(run(fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event(%q)); })(document.getElementById(%q))`, one[1], kind, one[0])), run(fmt.Sprintf(painted, 150)))
		took := p.spent() - before
		slowest = max(slowest, took)
		t.Logf("filtered by %s with %v of work, in %v", one[0], took.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
		p.shot("large-" + one[0])
		p.do(run(fmt.Sprintf(`document.getElementById(%q).value = ""`, one[0])))
	}
	if loaded > 5*time.Second || slowest > 2*time.Second {
		t.Errorf("loading took %v of work, the slowest filter %v: that is too much", loaded, slowest)
	}
	p.quiet()
}
