// Package lifecycle gives a notebook instance its host routes, by way of its lifecycle configuration.
//
// A notebook with direct internet access has two interfaces. Only the CIDR of its own VPC leaves by the one in the
// customer's subnet; all else, peered networks included, leaves by SageMaker's and is lost. The routes that mend this
// vanish at every stop, so they are set by the on-start script:
// https://docs.aws.amazon.com/sagemaker/latest/dg/appendix-notebook-and-internet-access.html and
// https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-lifecycle-config.html
//
// The script belongs to its owner. Drawbridge keeps one block in it, between markers, and gives the owner's bytes
// back exactly when the last route is gone. lifecycle.go has the words, plan.go thinks, apply.go gives the routes, serve.go is one
// notebook's turn in it, release.go takes them back, edit.go writes configurations; script.sh is what runs on the notebook, and package netproof runs it on a real network.
package lifecycle

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// MaxContent is the number of characters that SageMaker takes for one script, after base64 encoding.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-sagemaker-notebookinstancelifecycleconfig-notebookinstancelifecyclehook.html
const MaxContent = 16384

// Shebang is the first line of an on-start script that is wholly Drawbridge's.
const Shebang = "#!/bin/sh\n"

// A Configuration is a notebook lifecycle configuration.
type Configuration struct {
	Name string
	// OnCreate is the content of the on-create script as SageMaker returned it, never decoded. Empty means none.
	OnCreate string
	// OnStart is the on-start script, decoded. Nil means none.
	OnStart []byte
}

// A Line is the part of a block that serves the notebooks of one subnet.
type Line struct {
	Subnet       netip.Prefix
	Destinations []netip.Prefix // masked, sorted, without doubles; IPv4 ones only for an IPv4 subnet
}

// A Script is an on-start script taken apart.
type Script struct {
	// Owner is everything but our block: the bytes as they would be without Drawbridge. Nil means that there would
	// be no on-start script at all.
	Owner []byte
	// Lines are the lines of our block, sorted by subnet.
	Lines []Line
	// Ours reports that Drawbridge started this script, for an owner who had none.
	Ours bool
}

//go:embed script.sh
var template string

const (
	begin     = "# >>> drawbridge host routes v1 sha256:"
	end       = "# <<< drawbridge host routes <<<"
	startMark = "# >>> drawbridge"
	endMark   = "# <<< drawbridge"
	ours      = " ours"
)

// beginLine has the checksum of the block's body, and whether Drawbridge started the script.
var beginLine = regexp.MustCompile(`^` + regexp.QuoteMeta(begin) + `([0-9a-f]{32})(` + ours + `)? >>>$`)

// Bytes returns the script: the owner's bytes, with our block directly after the shebang, so that a later exit or
// set -e of the owner's cannot skip it. Nil means no script.
func (s Script) Bytes() []byte {
	owner := s.Owner
	if owner == nil && (s.Ours || len(s.Lines) > 0) {
		s.Ours, owner = true, []byte(Shebang)
	}
	if len(s.Lines) == 0 && (!s.Ours || s.Owner != nil) {
		return owner
	}
	head, tail := cutShebang(owner)
	body := s.body(len(head) > 0)
	flag := ""
	if s.Ours {
		flag = ours
	}
	block := begin + checksum(flag+body) + flag + " >>>\n" + body + end
	if len(head) > 0 && head[len(head)-1] != '\n' {
		// A script that is a shebang without a newline: the newline that it lacks is lacking at the end instead.
		return slices.Concat(head, []byte("\n"+block))
	}
	return slices.Concat(head, []byte(block+"\n"), tail)
}

// body is what stands between the markers.
func (s Script) body(shebang bool) string {
	if len(s.Lines) == 0 {
		return "# No routes at present.\n"
	}
	var lines strings.Builder
	for _, l := range s.Lines {
		lines.WriteString("line " + l.Subnet.String())
		for _, d := range l.Destinations {
			lines.WriteString(" " + d.String())
		}
		lines.WriteByte('\n')
	}
	// The shell is told to count the owner's lines as if our block were not there, for its error messages. It counts
	// on from this number at the end marker.
	before := -1
	if shebang {
		before = 0
	}
	return strings.NewReplacer("@lines@\n", lines.String(), "@lineno@", strconv.Itoa(before)).Replace(template)
}

func checksum(body string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(body)))[:32] }

// cutShebang splits a script after its first line if that is a shebang.
func cutShebang(script []byte) (head, tail []byte) {
	if !bytes.HasPrefix(script, []byte("#!")) {
		return nil, script
	}
	if i := bytes.IndexByte(script, '\n'); i >= 0 {
		return script[:i+1], script[i+1:]
	}
	return script, nil
}

// Parse takes an on-start script apart. It is strict about our block: one that was edited, is incomplete or stands
// there twice is a Conflict that names the configuration, because nobody but its editor knows what was meant.
func Parse(configuration string, script []byte) (Script, error) {
	conflict := func(what, remedy string) (Script, error) {
		return Script{}, fault.NewConflict(fmt.Sprintf("the on-start script of lifecycle configuration %s %s", configuration, what), remedy)
	}
	if script == nil {
		return Script{}, nil
	}
	first, last, offset := -1, -1, 0
	var opening, closing []byte
	for line := range bytes.Lines(script) {
		text := bytes.TrimSpace(line)
		isBegin, isEnd := bytes.HasPrefix(text, []byte(startMark)), bytes.HasPrefix(text, []byte(endMark))
		if (isBegin && first >= 0) || (isEnd && last >= 0) {
			return conflict("holds Drawbridge's block twice", removeBlock)
		}
		if isBegin {
			first, opening = offset, line
		}
		if isEnd {
			last, closing = offset, line
		}
		offset += len(line)
	}
	switch {
	case first < 0 && last < 0:
		return Script{Owner: script}, nil
	case last < 0:
		return conflict("holds the beginning of Drawbridge's block without its end", removeBlock)
	case first < 0 || last < first:
		return conflict("holds the end of Drawbridge's block without its beginning", removeBlock)
	}
	match := beginLine.FindSubmatch(bytes.TrimSuffix(opening, []byte("\n")))
	if match == nil || string(bytes.TrimSuffix(closing, []byte("\n"))) != end {
		return conflict("holds a block of Drawbridge's with other markers than this version writes", removeBlock)
	}
	body := string(script[first+len(opening) : last])
	if checksum(string(match[2])+body) != string(match[1]) {
		return conflict("holds Drawbridge's block, edited by hand", removeBlock)
	}
	lines, err := parseLines(body)
	if err != nil {
		return conflict("holds a block of Drawbridge's that this version cannot read ("+err.Error()+")", removeBlock)
	}
	head, tail := script[:first], script[last+len(closing):]
	if !bytes.HasSuffix(closing, []byte("\n")) {
		head = bytes.TrimSuffix(head, []byte("\n")) // see Bytes
	}
	out := Script{Owner: slices.Concat(head, tail), Lines: lines, Ours: len(match[2]) > 0}
	if out.Owner == nil {
		out.Owner = []byte{}
	}
	if out.Ours && string(out.Owner)+"\n" == Shebang || out.Ours && string(out.Owner) == Shebang {
		out.Owner = nil
	}
	return out, nil
}

const removeBlock = "remove everything between and including the lines that start with \"# >>> drawbridge\" and \"# <<< drawbridge\"; Drawbridge looks again when the notebook is stopped or started"

// parseLines reads the lines of a block's body back.
func parseLines(body string) ([]Line, error) {
	var lines []Line
	for text := range strings.Lines(body) {
		fields := strings.Fields(text)
		if len(fields) < 3 || fields[0] != "line" {
			continue
		}
		l := Line{}
		for i, field := range fields[1:] {
			p, err := netip.ParsePrefix(field)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				l.Subnet = p
			} else {
				l.Destinations = append(l.Destinations, p)
			}
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// Usable reports, as a Conflict, a script into which no block of shell can go: one for another interpreter, one with
// CRLF line ends, a binary. A script without a shebang is a shell script, as for every shell that runs it.
func Usable(configuration string, script []byte) error {
	conflict := func(what, remedy string) error {
		return fault.NewConflict(fmt.Sprintf("the on-start script of lifecycle configuration %s %s", configuration, what), remedy)
	}
	if bytes.IndexByte(script, 0) >= 0 {
		return conflict("is not text", "make it a shell script; Drawbridge looks again when the notebook is stopped or started")
	}
	if bytes.Contains(script, []byte("\r\n")) {
		return conflict("has CRLF line ends, which no shell on a notebook understands", "save it with LF line ends; Drawbridge looks again when the notebook is stopped or started")
	}
	head, _ := cutShebang(script)
	if len(head) > 0 && !shell.Match(bytes.TrimRight(head, "\n")) {
		return conflict(fmt.Sprintf("starts with %q, so it is not a shell script", bytes.TrimSpace(head)),
			"make it a script for sh or bash that calls the other one; Drawbridge looks again when the notebook is stopped or started")
	}
	return nil
}

// shell matches the shebangs under which our block runs: a POSIX shell, with options that leave the script a script
// (so not -c, -n, -r, -s or -t).
var shell = regexp.MustCompile(`^#![ \t]*(/usr(/local)?)?/bin/(env([ \t]+-S)?[ \t]+)?(sh|bash|dash)([ \t]+(-[abefhilmpuvxBCEHPT]+|--|--login|--norc|--noprofile|--posix))*[ \t]*$`)
