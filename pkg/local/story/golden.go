package story

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// Golden is the story as text that is the same in every run: no times, ids
// replaced by names, and what happens at once in a fixed order. names gives ids
// that a reader knows; other ids are numbered in the order of their appearance.
func Golden(facts []Fact, names map[string]string) string {
	var b strings.Builder
	forwarded := map[string]bool{}
	for _, f := range facts {
		if d, ok := f.(Delivery); ok {
			forwarded[d.EventID] = true
		}
	}
	told, started := map[string]bool{}, map[string]bool{}
	var unheard []string
	for _, f := range facts {
		e, ok := f.(Event)
		if !ok || told[e.ID] {
			continue
		}
		told[e.ID] = true
		if !forwarded[e.ID] {
			unheard = append(unheard, e.text())
			continue
		}
		fmt.Fprintln(&b, e.text())
		for _, d := range facts {
			if d, ok := d.(Delivery); ok && d.EventID == e.ID {
				fmt.Fprintln(&b, "  "+d.text())
			}
		}
		for _, s := range facts {
			if s, ok := s.(Step); ok && s.Event == e.ID {
				b.WriteString(s.golden(names))
			}
		}
		for _, s := range facts {
			if s, ok := s.(Start); ok && strings.HasPrefix(s.Execution, e.ID) {
				started[s.Execution] = true
				b.WriteByte('\n')
				b.WriteString(tell(facts, s, names))
			}
		}
		b.WriteByte('\n')
	}
	for _, s := range facts {
		if s, ok := s.(Start); ok && !started[s.Execution] {
			started[s.Execution] = true
			b.WriteString(tell(facts, s, names))
			b.WriteByte('\n')
		}
	}
	if len(unheard) > 0 {
		for i, e := range unheard {
			unheard[i] = named(e, names)
		}
		rank := ranks(named(b.String(), names))
		slices.SortFunc(unheard, func(a, b string) int { return strings.Compare(rank(a), rank(b)) })
		fmt.Fprintln(&b, "events that no rule took, such as those of Drawbridge's own calls")
		for _, e := range slices.Compact(unheard) {
			fmt.Fprintln(&b, "  "+e)
		}
	}
	if reads := remembered(facts, names); len(reads) > 0 {
		fmt.Fprintln(&b, "\nread in the hub by processes that did not remember it")
		for _, r := range reads {
			fmt.Fprintln(&b, "  "+r)
		}
	}
	return normalise(strings.TrimRight(b.String(), "\n")+"\n", names)
}

// ranks returns how a line is sorted that may have ids without a name, which are others in every run: they count by where
// they come first in the text before it.
func ranks(text string) func(line string) string {
	first := map[string]string{}
	for _, id := range anyID.FindAllString(text, -1) {
		if first[id] == "" {
			first[id] = fmt.Sprintf("%06d", len(first))
		}
	}
	return func(line string) string {
		return anyID.ReplaceAllStringFunc(line, func(id string) string { return first[id] })
	}
}

// fromMemory reports whether a function makes the call only when its process
// does not remember the answer: what the hub knows of policy and organization.
// Which execution pays for it is not the same in every run.
func fromMemory(c awscall.Call) bool {
	return c.Reads() && (c.Service == "ssm" || c.Service == "organizations")
}

// ledgerNoise reports whether a call to the ledger's table is told to nobody: what is read is read again in every step, a write that
// another execution forestalled is done once more, and every execution takes and gives back the lease of its connection, for which a look
// asks whether who has it is over.
func ledgerNoise(c awscall.Call) bool {
	if c.Name() == "states:DescribeExecution" && strings.HasPrefix(c.Function, "drawbridge-inspect-") {
		return true
	}
	return c.Service == "dynamodb" && (c.Reads() || c.Status >= 400 || ofConnection.MatchString(c.Resource))
}

// ofConnection are the leases of connections. A lease of a document, which is held for the time of one call, is told.
var ofConnection = regexp.MustCompile(`^lease#((pcx|tgw)-[^ ]*|(data-api|data-api-endpoint|private-notebooks|studio) [^ ]*) lease$`)

// remembered lists those calls once.
func remembered(facts []Fact, names map[string]string) []string {
	var out []string
	for _, f := range facts {
		if s, ok := f.(Step); ok {
			for _, c := range s.Calls {
				if fromMemory(c) {
					out = append(out, named(callText(c), names))
				}
			}
		}
	}
	byText(out, names)
	return slices.Compact(out)
}

// tell is one execution, told in the order of its history.
func tell(facts []Fact, start Start, names map[string]string) string {
	var b strings.Builder
	again := ""
	if start.Redriven {
		again = ", redriven"
	}
	fmt.Fprintf(&b, "machine %s%s\n", start.Machine, again)
	var entered []Entered
	steps := map[string][]Step{}
	var end *End
	for _, f := range facts {
		switch f := f.(type) {
		case Entered:
			if f.Execution == start.Execution {
				entered = append(entered, f)
			}
		case Step:
			if f.Execution == start.Execution {
				steps[f.State] = append(steps[f.State], f)
			}
		case End:
			if f.Execution == start.Execution {
				end = &f
			}
		}
	}
	entered = together(entered)
	for len(entered) > 0 {
		now := entered[0]
		n := 1
		for n < len(entered) && entered[n].State == now.State && now.Type == "Task" {
			n++
		}
		entered = entered[n:]
		switch now.Type {
		case "Wait":
			fmt.Fprintf(&b, "  %s: %s\n", now.State, seconds(now.Seconds))
		case "Task":
			var ran []Step
			ran, steps[now.State] = take(steps[now.State], n)
			var texts []string
			for _, s := range ran {
				texts = append(texts, s.golden(names))
			}
			if n > 1 { // branches of a Map run at once
				byText(texts, names)
			}
			for _, t := range texts {
				b.WriteString(t)
			}
		}
	}
	if end != nil {
		for _, l := range Wrap("  end "+end.text(), 110, 6) {
			fmt.Fprintln(&b, l)
		}
	}
	return b.String()
}

// together brings the entries of each state together among those of tasks that
// follow one another: branches of a Map with several states run at once, and
// which of them is ahead is chance.
func together(entered []Entered) []Entered {
	var out []Entered
	for i := 0; i < len(entered); {
		j := i
		order := map[string]int{}
		for ; j < len(entered) && entered[j].Type == "Task"; j++ {
			if _, seen := order[entered[j].State]; !seen {
				order[entered[j].State] = len(order)
			}
		}
		tasks := slices.Clone(entered[i:j])
		slices.SortStableFunc(tasks, func(a, b Entered) int { return order[a.State] - order[b.State] })
		out = append(out, tasks...)
		if j < len(entered) {
			out = append(out, entered[j])
		}
		i = j + 1
	}
	return out
}

// take splits off the steps that belong to n entries of a state: n successes,
// and the failed attempts between them.
func take(steps []Step, n int) (mine, rest []Step) {
	for i, s := range steps {
		if !s.Failed {
			n--
		}
		if n == 0 {
			return steps[:i+1], steps[i+1:]
		}
	}
	return steps, nil
}

func (s Step) golden(names map[string]string) string {
	var b strings.Builder
	head := "  " + s.State
	if s.Account != "" {
		head += " for " + s.Account
	}
	if o := s.Outcome(); o != "" {
		head += " → " + o
	}
	for _, l := range Wrap(head, 110, 6) {
		fmt.Fprintln(&b, l)
	}
	calls := slices.DeleteFunc(slices.Clone(s.Calls), func(c awscall.Call) bool { return fromMemory(c) || ledgerNoise(c) })
	for _, g := range groups(calls) {
		fmt.Fprintf(&b, "    %s %s", g.account, g.region)
		if g.role != "" {
			fmt.Fprintf(&b, " as %s", g.role)
		}
		b.WriteByte('\n')
		for _, c := range inOrder(g.calls, names) {
			fmt.Fprintln(&b, "      "+c)
		}
	}
	for _, h := range sortHops(s.Hops(), names) {
		for _, l := range Wrap("    "+h.Mark()+" "+h.Hop+": "+inLists(inParts(h.Detail, names), names), 110, 8) {
			fmt.Fprintln(&b, l)
		}
	}
	return named(b.String(), names)
}

// sortHops sorts neighbours that differ only in the thing they are about, such
// as the routes of several tables: a function has them in the order of ids.
func sortHops(hops []Hop, names map[string]string) []Hop {
	kind := func(h Hop) string { return anyID.ReplaceAllString(h.Hop, "") }
	for i := 0; i < len(hops); {
		j := i + 1
		for j < len(hops) && kind(hops[j]) == kind(hops[i]) {
			j++
		}
		slices.SortStableFunc(hops[i:j], func(a, b Hop) int {
			// What has no name is sorted without its id, which is another one in every run.
			text := func(h Hop) string { return masked(named(h.Hop+" "+inParts(h.Detail, names), names)) }
			return strings.Compare(text(a), text(b))
		})
		i = j
	}
	return hops
}

// listed are security groups that a text lists, sorted by their ids.
var listed = regexp.MustCompile(`sg-[0-9a-f]{8,17}(?: of \d{12})?(?:, sg-[0-9a-f]{8,17}(?: of \d{12})?)+`)

// inLists sorts what a text lists by its names.
func inLists(text string, names map[string]string) string {
	return listed.ReplaceAllStringFunc(text, func(list string) string {
		all := strings.Split(list, ", ")
		byText(all, names)
		return strings.Join(all, ", ")
	})
}

// inParts sorts neighbouring parts of a detail that differ only in the thing they are about, such as the subnets of one VPC: the judge has them in
// the order of ids.
func inParts(detail string, names map[string]string) string {
	parts := strings.Split(detail, "; ")
	for i := 0; i < len(parts); {
		j := i + 1
		for j < len(parts) && masked(parts[j]) == masked(parts[i]) {
			j++
		}
		byText(parts[i:j], names)
		i = j
	}
	return strings.Join(parts, "; ")
}

// first is a call about several things as one about that which comes first by its name: their ids are others in every run.
func first(c awscall.Call, names map[string]string) awscall.Call {
	rank := func(id string) string { // what has no name is last
		return cmp.Or(masked(named(id, names)), "~")
	}
	for _, id := range strings.Fields(c.Others) {
		if rank(id) < rank(c.Resource) {
			c.Resource = id
		}
	}
	return c
}

// inOrder lists what was read, sorted, then what was written, sorted too: a
// function may do either with several calls at once.
func inOrder(calls []awscall.Call, names map[string]string) []string {
	var reads, writes []string
	for _, c := range calls {
		if t := named(callText(first(c, names)), names); c.Reads() {
			reads = append(reads, t)
		} else {
			writes = append(writes, t)
		}
	}
	byText(reads, names)
	byText(writes, names)
	return append(reads, writes...)
}

// byText sorts lines without the ids that have no name, which are others in every run.
func byText(lines []string, names map[string]string) {
	slices.SortStableFunc(lines, func(a, b string) int {
		return strings.Compare(masked(named(a, names)), masked(named(b, names)))
	})
}

// masked is a text without ids.
func masked(text string) string { return anyKey.ReplaceAllString(anyID.ReplaceAllString(text, ""), "") }

var (
	anyID = regexp.MustCompile(`\b(pcx|vpc|pl|subnet|rtb|dopt|vpce|sgr|sg|acl|eni|igw|vgw|nat|rslvr-in|tgw-attach|tgw)-[0-9a-f]{8,17}\b`)
	// requestID is what the SDK says of a failed call; it may stand at the end of a line that was wrapped.
	requestID = regexp.MustCompile(`RequestID:(\s+)[\w-]+`)
	anyKey    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// named replaces the ids that have a name.
func named(text string, names map[string]string) string {
	return anyID.ReplaceAllStringFunc(text, func(id string) string {
		if n, ok := names[id]; ok {
			return n
		}
		return id
	})
}

// normalise replaces every id.
func normalise(text string, names map[string]string) string {
	seen := map[string]string{}
	count := map[string]int{}
	text = anyID.ReplaceAllStringFunc(named(text, names), func(id string) string {
		if seen[id] == "" {
			kind := id[:strings.LastIndexByte(id, '-')]
			count[kind]++
			seen[id] = fmt.Sprintf("%s-%d", kind, count[kind])
		}
		return seen[id]
	})
	return requestID.ReplaceAllString(anyKey.ReplaceAllString(text, "…"), "RequestID:$1…")
}

// Table is a verdict as a Markdown table, with the ids replaced as in [Golden].
func Table(hops []Hop, names map[string]string) string {
	var b strings.Builder
	b.WriteString("| | hop | |\n|---|---|---|\n")
	for _, h := range hops {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", h.Mark(), h.Hop, h.Detail)
	}
	return normalise(b.String(), names)
}
