package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// telling is what stands before a digest while its holder is about to tell people.
const telling = "telling "

// claim returns what stands where it says what people were told, once holder is about to tell them what, and whether it is holder's to tell. They were told
// it, or another holder is about to: then it is not.
func claim(told, what, holder string) (string, bool) {
	own := telling + what + " " + holder
	others := strings.HasPrefix(told, telling+what+" ") && told != own
	if told == what || others {
		return told, false
	}
	return own, true
}

// Digest stands for what there is to tell: it is short, and the same only for the same words.
func Digest(words []string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\n")))
	return hex.EncodeToString(sum[:8])
}

// Once does tell, unless people were told the same of a connection before, or another holder is about to. where is the field of the entry that says
// what they were told, as [Connection.Told]; what is the [Digest] of what there is to tell. A holder that was about to, and comes again,
// tells: so they hear it at least once, and once more only after a failure between the two. A connection that is not managed is
// told of nothing.
func (l Ledger) Once(ctx context.Context, id string, where func(*Connection) *string, what, holder string, tell func() error) (bool, error) {
	return once(what, holder, tell, func(f func(string) string) error {
		c, err := l.Change(ctx, id, func(c *Connection) { told := where(c); *told = f(*told) })
		if err == nil && c.ID == "" {
			f(what) // it is not managed, or not any more: nobody is told
		}
		return err
	})
}

// once tells what, if it is holder's to tell. change changes, by f, where it says what people were told.
func once(what, holder string, tell func() error, change func(f func(string) string) error) (bool, error) {
	mine, own := false, ""
	err := change(func(told string) string {
		own, mine = claim(told, what, holder)
		return own
	})
	if err != nil || !mine {
		return false, err
	}
	if err := tell(); err != nil {
		return false, err
	}
	return true, change(func(told string) string {
		if told == own {
			return what
		}
		return told
	})
}

// News is what people were told of something that has no entry.
type News struct {
	Told string    `json:"told"` // the digest
	By   string    `json:"by"`   // who came to it last, told or not
	At   time.Time `json:"at"`   // when
}

// abandoned is when somebody who was about to tell is not any more: longer than a step is tried again.
const abandoned = time.Hour

// newsRow is where it stands what people were told of something: all of them, or an account's.
func newsRow(of, account string) Key {
	if account == "" {
		return Key{"news#" + of, "told"}
	}
	return Key{"news#" + of, heardBy + account}
}

const heardBy = "told#"

// News returns what people were told of something that has no entry; nothing if they were not.
func (l Ledger) News(ctx context.Context, of string) (News, error) {
	n, _, err := l.news(ctx, newsRow(of, ""))
	return n, err
}

// Heard returns the accounts whose people heard of something by [Ledger.OnceTo], sorted, and did not hear that it is over.
func (l Ledger) Heard(ctx context.Context, of string) ([]string, error) {
	rows, err := l.Store.List(ctx, newsRow(of, "").Part, heardBy)
	var out []string
	for _, r := range rows {
		out = append(out, strings.TrimPrefix(r.Sort, heardBy))
	}
	return out, err
}

func (l Ledger) news(ctx context.Context, row Key) (n News, version int64, err error) {
	rows, err := l.Store.Read(ctx, []Key{row})
	if err != nil || len(rows) == 0 {
		return n, 0, err
	}
	return n, rows[0].Version, decode(rows[0], &n)
}

// OnceOf is [Ledger.Once] of something that has no entry: a row of its own says what people were told of it. An empty what is that all is well: that is told
// if something else was told before, and the row goes. One that nobody comes to is dropped by the table after as long as a lease.
func (l Ledger) OnceOf(ctx context.Context, of, what, holder string, tell func() error) (bool, error) {
	return l.OnceTo(ctx, of, "", what, holder, tell)
}

// OnceTo is [Ledger.OnceOf] of what is told to one account's people.
func (l Ledger) OnceTo(ctx context.Context, of, account, what, holder string, tell func() error) (bool, error) {
	row := newsRow(of, account)
	return once(what, holder, tell, func(f func(string) string) error {
		return retry(ctx, of, func() error {
			was, version, err := l.news(ctx, row)
			if err != nil {
				return err
			}
			if strings.HasPrefix(was.Told, telling) && l.Now().Sub(was.At) > abandoned {
				was.Told = ""
			}
			told := f(was.Told)
			if told == "" {
				return l.unsay(ctx, row, version)
			}
			body, err := encode(News{told, holder, l.now()})
			if err != nil {
				return err
			}
			return l.Store.Write(ctx, []Change{{Key: row, Version: version, Body: body, Expires: l.Now().Add(kept).Unix()}})
		})
	})
}

// Unsaid forgets what people were told of something that has no entry: what there is to tell of it next is news.
func (l Ledger) Unsaid(ctx context.Context, of string) error {
	row := newsRow(of, "")
	return retry(ctx, of, func() error {
		_, version, err := l.news(ctx, row)
		if err != nil {
			return err
		}
		return l.unsay(ctx, row, version)
	})
}

func (l Ledger) unsay(ctx context.Context, row Key, version int64) error {
	if version == 0 {
		return nil
	}
	return l.Store.Write(ctx, []Change{{Key: row, Version: version}})
}
