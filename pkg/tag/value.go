package tag

// Values says what the value of a tag may be.
type Values struct {
	form  form
	words []string
}

type form int

const (
	oneOf form = iota
	name
	names
	accounts
)

// OneOf are values of which there are few.
func OneOf(words ...string) Values { return Values{oneOf, words} }

// The other forms of values.
var (
	Name     = Values{form: name}     // one name or id
	Names    = Values{form: names}    // several names
	Accounts = Values{form: accounts} // several accounts, or true for every one
)
