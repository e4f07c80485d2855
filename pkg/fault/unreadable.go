package fault

import "errors"

// ErrSuspended is the cause of a [Refused] error about an account that AWS Organizations shows as not active: it may be again tomorrow.
var ErrSuspended = errors.New("the account is suspended")

// Unreadable says why what an error is about cannot be read now, if so: nobody is let into the account, the account is not active, or the Region is out of
// reach. Nothing is known of it then, least of all that it is gone: nothing is taken away for it.
//
// A call that took too long, or that AWS could not answer, is of the kind [Transient]. It is tried again first; if it fails still, the machine
// treats it in the same way.
func Unreadable(err error) (why string, ok bool) {
	if errors.Is(err, ErrClosed) || errors.Is(err, ErrSuspended) {
		return err.Error(), true
	}
	if why, ok := Barred(err); ok {
		return why, true
	}
	return "", false
}

// Unread is [Unreadable] for a Task that was tried again so often: what AWS did not answer at the last try cannot be read now either.
func Unread(err error, tried int) (why string, ok bool) {
	if Of(err) == Transient && Last(err, tried) {
		return err.Error(), true
	}
	return Unreadable(err)
}

// Single reports whether an error of reading one thing among many is that thing's alone, and keeps none of the others from being read: AWS refuses it, or
// does not have it, and no retry mends that. An account that lets nobody in is no single thing.
func Single(err error) bool {
	kind := Of(err)
	return (kind == Refused || kind == Conflict) && !errors.Is(err, ErrClosed)
}
