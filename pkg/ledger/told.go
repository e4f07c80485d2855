package ledger

import (
	"context"
	"strings"
)

// telling is what stands before a digest while its holder is about to tell people.
const telling = "telling "

// Once does tell, unless people were told the same of a connection before, or another holder is about to. where is the field of the entry that says
// what they were told, as [Connection.Told]; what is a digest of what there is to tell. A holder that was about to, and comes again,
// tells: so they hear it at least once, and once more only after a failure between the two. A connection that is not managed is
// told of nothing.
func (l Ledger) Once(ctx context.Context, id string, where func(*Connection) *string, what, holder string, tell func() error) (bool, error) {
	mine, claim := false, telling+what+" "+holder
	c, err := l.Change(ctx, id, func(c *Connection) {
		told := where(c)
		others := strings.HasPrefix(*told, telling+what+" ") && *told != claim
		if mine = *told != what && !others; mine {
			*told = claim
		}
	})
	if err != nil || !mine || c.ID == "" {
		return false, err
	}
	if err := tell(); err != nil {
		return false, err
	}
	_, err = l.Change(ctx, id, func(c *Connection) {
		if told := where(c); *told == claim {
			*told = what
		}
	})
	return true, err
}
