package deed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Done is the answer of a command that did a deed, or had nothing to do.
type Done struct {
	answer.Head
	Title string   `json:"title"`
	Says  []string `json:"says" jsonschema:"what comes of it, or why there was nothing to do"`
	Calls []Call   `json:"calls" jsonschema:"the calls that were made, in their order; of a dry run those that would be"`
	Done  bool     `json:"done" jsonschema:"whether they were made"`
	// Already is no failure: whoever says a thing twice has what they want.
	Already bool     `json:"already,omitempty" jsonschema:"it is so already, and nothing was done"`
	Said    []string `json:"said,omitempty" jsonschema:"what AWS answered, in words"`
}

// Of is the answer of a deed that is not done yet.
func Of(d Deed) Done {
	return Done{Head: answer.HeadOf("Deed"), Title: d.Title, Says: append([]string{}, d.Says...), Calls: append([]Call{}, d.Calls...), Already: d.Already}
}

// Text implements [answer.Document].
func (d Done) Text(p *answer.Page) {
	p.Title(d.Title)
	for _, s := range d.Says {
		p.Say("  ", "%s", s)
	}
	for _, c := range d.Calls {
		p.Say("  ", "in account %s, %s:", c.Account, c.Region)
		p.Command("    ", c.Command)
	}
	for _, s := range d.Said {
		p.Say("  ", "%s", s)
	}
	if d.Done {
		p.Say("  ", "%s", p.Paint(answer.Good, "done"))
	}
}

// Confirmed asks a person whether to do it, and reports whether they said yes. Whatever is not y or yes is no, and so is the end of what there is to
// read. It returns when the context ends, and nothing was done.
func Confirmed(ctx context.Context, in io.Reader, out io.Writer) (bool, error) {
	fmt.Fprint(out, "Do it? [y/N] ")
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(in).ReadString('\n')
		line <- text
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(out)
		return false, ctx.Err()
	case text := <-line:
		text = strings.ToLower(strings.TrimSpace(text))
		return text == "y" || text == "yes", nil
	}
}

// Do makes the calls of a deed, one after the other, with the configuration that enter gives for the place of each. It stops at the first that fails,
// and before the next one when the context ends: what the error says was done is done.
func Do(ctx context.Context, d Deed, enter func(event.Place) (aws.Config, error)) (Done, error) {
	out := Of(d)
	for n, c := range d.Calls {
		err := ctx.Err()
		var cfg aws.Config
		if err == nil {
			cfg, err = enter(event.Place{Account: c.Account, Region: c.Region})
		}
		var said string
		if err == nil {
			said, err = c.do(ctx, cfg)
		}
		if err != nil {
			return out, failed(d, n, err)
		}
		if said != "" {
			out.Said = append(out.Said, said)
		}
	}
	out.Done = true
	return out, nil
}

// failed says which call failed, what was done before, and whom to ask if it was not allowed.
func failed(d Deed, n int, err error) error {
	c := d.Calls[n]
	before := "nothing was done"
	if n > 0 {
		before = fmt.Sprintf("of %d calls %d were made", len(d.Calls), n)
	}
	message := fmt.Sprintf("%s: %s of account %s: %v (%s)", strings.ToLower(d.Title[:1])+d.Title[1:], strings.Join(c.Command[1:3], " "), c.Account, err, before)
	var known *fault.Error
	if errors.As(err, &known) {
		return fmt.Errorf("%s: %w", before, err)
	}
	if fault.HasCode(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation") {
		return &fault.Error{Kind: fault.Refused, Message: message, Remedy: "use credentials of account " + c.Account + " that may make this call (docs/people.md), or have its owner do it", Cause: err}
	}
	var api smithy.APIError
	if errors.As(err, &api) && strings.HasSuffix(api.ErrorCode(), ".NotFound") {
		return &fault.Error{Kind: fault.Refused, Message: fmt.Sprintf("%s: account %s has none in %s (%s)", strings.ToLower(d.Title[:1])+d.Title[1:], c.Account, c.Region, before),
			Remedy: "correct the id, use credentials of the account that has it, or name its Region; drawbridge status lists what is managed", Cause: err}
	}
	return fmt.Errorf("%s", message)
}
