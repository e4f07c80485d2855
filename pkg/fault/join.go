package fault

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Join returns one error that says all of errs, nil if there is none: what did not work out of several things of which each was
// tried. Its kind is that of the one that a retry may help, if there is one, else that of the first; each remedy is said once.
func Join(errs ...error) error {
	var messages, remedies []string
	var kind Kind
	for _, err := range errs {
		if err == nil {
			continue
		}
		if of := Of(err); kind == "" || of == Transient || of == NotYet && kind != Transient {
			kind = of
		}
		text := err.Error()
		var known *Error
		if errors.As(err, &known) && known.Remedy != "" {
			text = strings.TrimSuffix(text, "; remedy: "+known.Remedy)
			if !slices.Contains(remedies, known.Remedy) {
				remedies = append(remedies, known.Remedy)
			}
		}
		messages = append(messages, text)
	}
	if len(messages) == 0 {
		return nil
	}
	return &Error{Kind: kind, Message: strings.Join(messages, "; "), Remedy: strings.Join(remedies, "; "), Cause: errors.Join(errs...)}
}

// Passing reports whether err goes away by itself, so that the same call is made again in a moment.
func Passing(err error) bool {
	kind := Of(err)
	return err != nil && (kind == Transient || kind == NotYet)
}

// Once returns a retryer that repeats a call only if AWS says that it did not do it. After an answer that was lost, a repeated call that
// creates something is told that it is there already, and nobody knows any more who made it.
func Once() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
	})
}
