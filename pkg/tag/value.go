package tag

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Values says what the value of a tag may be.
type Values struct {
	form    form
	words   []string
	inDoubt string
	digests string
}

type form int

const (
	oneOf form = iota
	name
	names
	accounts
	accountsOrAll
	clusters
	targets
)

// OneOf are values of which there are few.
func OneOf(words ...string) Values { return Values{form: oneOf, words: words} }

// InDoubt returns values of which an unclear one is read as word, because to read it as no tag at all would give more than
// its owner may have meant.
func (v Values) InDoubt(word string) Values {
	v.inDoubt = word
	return v
}

// OrDigest returns values that may also be prefix and a digest: eight characters that Drawbridge names.
func (v Values) OrDigest(prefix string) Values {
	v.digests = prefix
	return v
}

// The other forms of values.
var (
	Name          = Values{form: name}          // one name or id
	Names         = Values{form: names}         // several names
	Accounts      = Values{form: accounts}      // several accounts
	AccountsOrAll = Values{form: accountsOrAll} // several accounts, or true for every one
	Clusters      = Values{form: clusters}      // identifiers of Aurora clusters
)

// Targets are ids of what routes point to, or true for all of it.
var Targets = Values{form: targets}

// Read returns what a value means, in the one spelling that the rest of Drawbridge knows. Blanks around it and the case of
// words never matter:
//
//	one of few words            that word, in lower case; an answer may also name a question by its digest
//	a name                      the name
//	several names               the names, with one blank between
//	clusters                    their identifiers, with one blank between. Only blanks may be between them, and they are in small
//	                            letters: IAM compares the same value, and takes nothing for something else
//	targets of routes           their ids, with one blank between; nothing for none (false, none, an empty value); true for all
//	accounts                    their ids, as they come, each once, with one blank between; nothing for nobody
//	                            (false, none, an empty value); true for every account
//
// Between names and accounts may be whatever people and tools write there: blanks, commas, semicolons, plus signs, brackets
// and quotes; between accounts also colons and slashes, because RDS takes no commas. An account may have the hyphens with
// which the console shows it.
//
// An error says what means nothing, and what to write. What is returned beside it is safe to go by: the accounts that are
// clear, or the word that gives least, or nothing. Among accounts, false and none leave nobody.
func (w Wish) Read(value string) (meaning string, err error) {
	switch w.Values.form {
	case name:
		if meaning = strings.TrimSpace(value); meaning == "" {
			return "", w.nothing(value)
		}
		return meaning, nil
	case names:
		return strings.Join(unique(split(value)), " "), nil
	case clusters:
		ids := slices.DeleteFunc(strings.Split(strings.TrimSpace(value), " "), func(id string) bool { return id == "" })
		if len(ids) == 0 || slices.ContainsFunc(ids, func(id string) bool { return !clusterForm.MatchString(id) }) {
			return "", w.nothing(value)
		}
		return strings.Join(unique(ids), " "), nil
	case oneOf:
		word := strings.TrimSpace(value)
		for _, one := range w.Values.words {
			if strings.EqualFold(word, one) {
				return one, nil
			}
		}
		if lower := strings.ToLower(word); w.Values.digests != "" && digestForm.MatchString(strings.TrimPrefix(lower, w.Values.digests)) && strings.HasPrefix(lower, w.Values.digests) {
			return lower, nil
		}
		return w.Values.inDoubt, w.nothing(value)
	}
	if w.Values.form == targets {
		return w.targets(value)
	}
	return w.accounts(value)
}

// The words that name no account.
const (
	everyone = "true"
	nobody   = "false"
	none     = "none"
)

var (
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
	clusterForm = regexp.MustCompile(`^[a-z](?:-?[a-z0-9]){0,62}$`)
	digestForm  = regexp.MustCompile(`^[0-9a-f]{8}$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	// What a route may point to. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
	targetForm = regexp.MustCompile(`^((pcx|tgw|vgw|eni|i|vpce|lgw)-[0-9a-z]+|arn:\S+)$`)
	// The console shows account ids so.
	hyphenated = regexp.MustCompile(`^[0-9]{4}-[0-9]{4}-[0-9]{4}$`)
	// Between accounts only: an ARN, which names less than an account, stays one word.
	listed = regexp.MustCompile(`^[0-9]+([:/][0-9]+)+$`)
)

func (w Wish) accounts(value string) (meaning string, err error) {
	var ids, unclear []string
	words := split(value)
	if len(words) == 1 && w.Values.form == accountsOrAll && strings.EqualFold(words[0], everyone) {
		return everyone, nil
	}
	if len(words) == 1 && isNobody(words[0]) {
		return "", nil
	}
	for _, word := range words {
		for _, id := range accountsIn(word) {
			if accountForm.MatchString(id) {
				ids = append(ids, id)
			} else {
				unclear = append(unclear, id)
			}
		}
	}
	if len(unclear) == 0 {
		return strings.Join(unique(ids), " "), nil
	}
	if len(ids) == 0 {
		return "", w.nothing(value)
	}
	if slices.ContainsFunc(unclear, isNobody) {
		ids = nil
	}
	return strings.Join(unique(ids), " "), fmt.Errorf("%s in %s means nothing: %s", quoted(strings.Join(unclear, " ")), w.Key, w.Remedy())
}

// targets keeps the ids that are clear. One that is not leaves the others as they are: it names nothing that traffic could leave.
func (w Wish) targets(value string) (meaning string, err error) {
	var ids, unclear []string
	words := split(value)
	if len(words) == 1 && strings.EqualFold(words[0], everyone) {
		return everyone, nil
	}
	if len(words) == 0 || len(words) == 1 && isNobody(words[0]) {
		return "", nil
	}
	for _, word := range words {
		if targetForm.MatchString(word) {
			ids = append(ids, word)
		} else {
			unclear = append(unclear, word)
		}
	}
	if len(unclear) > 0 {
		err = fmt.Errorf("%s in %s means nothing: %s", quoted(strings.Join(unclear, " ")), w.Key, w.Remedy())
	}
	return strings.Join(unique(ids), " "), err
}

func isNobody(word string) bool {
	return strings.EqualFold(word, nobody) || strings.EqualFold(word, none)
}

// unique returns words, each once, as they come.
func unique(words []string) []string {
	var out []string
	for _, word := range words {
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// accountsIn returns the ids that a word may stand for.
func accountsIn(word string) []string {
	if listed.MatchString(word) {
		return strings.FieldsFunc(word, func(r rune) bool { return r == ':' || r == '/' })
	}
	if hyphenated.MatchString(word) {
		word = strings.ReplaceAll(word, "-", "")
	}
	return []string{word}
}

// split takes a list apart as people and tools write one.
func split(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,;+[](){}"'`, r) })
}

func (w Wish) nothing(value string) error {
	return fmt.Errorf("%s=%s means nothing: %s", w.Key, quoted(strings.TrimSpace(value)), w.Remedy())
}

// quoted bounds what is repeated of a value: it is for everybody to write.
func quoted(value string) string {
	value = strings.Join(strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }), " ")
	if runes := []rune(value); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return value
}

// Remedy says what to write.
func (w Wish) Remedy() string {
	switch w.Values.form {
	case name:
		return "write a name or an id"
	case names:
		return "write names with blanks between"
	case clusters:
		return "write the identifiers of clusters with blanks between"
	case targets:
		return "write the ids of gateways, peerings or interfaces that routes point to with blanks between or true for all"
	case accounts:
		return "write account ids of 12 digits with blanks between"
	case accountsOrAll:
		return "write account ids of 12 digits with blanks between or true for every account"
	}
	last := len(w.Values.words) - 1
	if w.Values.digests != "" {
		return "write " + strings.Join(w.Values.words, ", ") + " or the value that the question names"
	}
	if last == 0 {
		return "write " + w.Values.words[0]
	}
	return "write " + strings.Join(w.Values.words[:last], ", ") + " or " + w.Values.words[last]
}

// Find returns the wish that a key is on a kind of thing.
func Find(kind Kind, key string) (Wish, bool) {
	at := slices.IndexFunc(Wishes, func(w Wish) bool { return w.On == kind && w.Key == key })
	if at < 0 {
		return Wish{}, false
	}
	return Wishes[at], true
}

// Unclear is the key of the tag by which Drawbridge answers values that mean nothing.
const Unclear = "drawbridge:unclear"

// A Problem is a value that means nothing, or not all of it.
type Problem struct {
	Wish
	Value string // as its owner wrote it
	Says  string // one sentence: what means nothing, and what to write
}

// Problems returns what means nothing among the tags of a thing, sorted by key.
func Problems(kind Kind, tags map[string]string) []Problem {
	var out []Problem
	for key, value := range tags {
		if w, known := Find(kind, key); known {
			if _, err := w.Read(value); err != nil {
				out = append(out, Problem{w, value, err.Error()})
			}
		}
	}
	slices.SortFunc(out, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// doubt begins the keys under which [Clean] keeps what it could not read.
const doubt = Unclear + ":"

// Clean returns the tags of a thing with every wish in the spelling that [Wish.Read] gives it, for whoever decides by them.
// What means nothing is left out, or stands for what is safe; [Why] says so. All other tags are as they were.
func Clean(kind Kind, tags map[string]string) map[string]string {
	out := map[string]string{}
	for key, value := range tags {
		w, known := Find(kind, key)
		if strings.HasPrefix(key, doubt) {
			continue // nobody else says what is unclear
		}
		meaning := value
		if known {
			var err error
			if meaning, err = w.Read(value); err != nil {
				out[doubt+key] = err.Error()
				if meaning == "" {
					continue
				}
			}
		}
		out[key] = meaning
	}
	return out
}

// Says reports whether the tags of a thing, as [Clean] returned them, say something clear by a key. A tag that is not there says nothing, whoever
// took it; nor does one whose value means nothing, or not all of it.
func Says(tags map[string]string, key string) bool {
	_, there := tags[key]
	return there && tags[doubt+key] == ""
}

// Why says which of these wishes could not be read in tags that [Clean] returned, to be appended to the reason of what was
// decided without them; "" if all are clear.
func Why(tags map[string]string, keys ...string) string {
	var out strings.Builder
	for _, key := range keys {
		if says := tags[doubt+key]; says != "" {
			out.WriteString("; " + says)
		}
	}
	return out.String()
}
