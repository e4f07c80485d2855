package policydocument

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

var ours = Statement{
	Sid: "DrawbridgeRead", Effect: "Allow", Action: []string{"kms:Decrypt"},
	Principal: map[string][]string{"AWS": {"arn:aws:iam::111111111111:root"}}, Resource: []string{"*"},
}

const text = `{"Sid":"DrawbridgeRead","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:root"]},"Action":["kms:Decrypt"],"Resource":["*"]}`

func TestMergeAndRemove(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"no document": {"", `{"Version":"2012-10-17","Statement":[` + text + `]}`},
		"one foreign statement": {
			`{"Version":"2012-10-17","Statement":[{"Sid":"root"}]}`,
			`{"Version":"2012-10-17","Statement":[{"Sid":"root"},` + text + `]}`},
		"spaces, line ends and what follows stay": {
			"\t{ \"Statement\" : [ {\"Sid\": \"a\"} ,\r\n {\"Sid\" :\"b\"}\n ]\n, \"Id\":\"x\" }\n",
			"\t{ \"Statement\" : [ {\"Sid\": \"a\"} ,\r\n {\"Sid\" :\"b\"}," + text + "\n ]\n, \"Id\":\"x\" }\n"},
		"an object, not a list": {
			`{"Statement": {"Effect":"Allow"} }`,
			`{"Statement": [{"Effect":"Allow"},` + "\t" + text + `] }`},
		"the word Statement elsewhere, and braces in strings": {
			`{"Id":"\"Statement\":[","x":{"Statement":[1]},"Statement":[{"Sid":"]},{"}]}`,
			`{"Id":"\"Statement\":[","x":{"Statement":[1]},"Statement":[{"Sid":"]},{"},` + text + `]}`},
		"a statement without a Sid, one with a Sid in another case": {
			`{"Statement":[{},{"sid":"DrawbridgeRead"}]}`,
			`{"Statement":[{},{"sid":"DrawbridgeRead"},` + text + `]}`},
	} {
		t.Run(name, func(t *testing.T) {
			after, err := Merge([]byte(c.before), ours)
			if err != nil || string(after) != c.after {
				t.Fatalf("Merge = %q, %v\nwant    %q", after, err, c.after)
			}
			again, err := Merge(after, ours)
			if err != nil || !bytes.Equal(again, after) {
				t.Errorf("merging again changes %q to %q, %v", after, again, err)
			}
			before, err := Remove(after, "DrawbridgeRead")
			if err != nil || string(before) != c.before {
				t.Errorf("Remove = %q, %v\nwant     %q", before, err, c.before)
			}
			none, err := Remove([]byte(c.before), "DrawbridgeRead")
			if err != nil || string(none) != c.before {
				t.Errorf("removing nothing = %q, %v", none, err)
			}
		})
	}
}

func TestReplacing(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"what AWS wrote in its own way is left": {
			`{"Statement":[{"Resource":"*","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:Decrypt","Effect":"Allow","Sid":"DrawbridgeRead"}]}`, ""},
		"an older one of ours is replaced where it stands": {
			`{"Statement":[ {"Sid":"DrawbridgeRead","Effect":"Deny"} , {"Sid":"b"}]}`,
			`{"Statement":[ ` + text + ` , {"Sid":"b"}]}`},
		"a list with nothing in it": {`{"Statement":[ ]}`, `{"Statement":[` + text + ` ]}`},
	} {
		t.Run(name, func(t *testing.T) {
			if c.after == "" {
				c.after = c.before
			}
			after, err := Merge([]byte(c.before), ours)
			if err != nil || string(after) != c.after {
				t.Errorf("Merge = %q, %v\nwant    %q", after, err, c.after)
			}
		})
	}
}

func TestRemovingAroundOthers(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"somebody added one after ours": {`{"Statement":[{"Sid":"a"},` + text + `, {"Sid":"b"}]}`, `{"Statement":[{"Sid":"a"}, {"Sid":"b"}]}`},
		"somebody put ours first":       {`{"Statement":[ ` + text + ` ,` + "\n" + `{"Sid":"b"}]}`, `{"Statement":[ ` + "\n" + `{"Sid":"b"}]}`},
		"ours alone":                    {`{"Statement":[` + text + `]}`, ""},
		"ours alone, an object":         {`{"Statement":` + text + `}`, ""},
		"ours twice":                    {`{"Statement":[` + text + `,{"Sid":"b"},` + text + `]}`, `{"Statement":[{"Sid":"b"}]}`},
		"another of ours stays, and the list with it": {
			`{"Statement":[{"Sid":"a"},` + "\t" + text + `,{"Sid":"DrawbridgeOther"}]}`,
			`{"Statement":[{"Sid":"a"},` + "\t" + `{"Sid":"DrawbridgeOther"}]}`},
		"nothing": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			after, err := Remove([]byte(c.before), "DrawbridgeRead")
			if err != nil || string(after) != c.after {
				t.Errorf("Remove = %q, %v\nwant     %q", after, err, c.after)
			}
		})
	}
}

func TestRefusing(t *testing.T) {
	for _, document := range []string{
		"x", "[]", `"Statement"`, `{`, `{"Version":"2012-10-17"}`, `{"statement":[]}`, `{"Statement":1}`, `{"Statement":null}`, `{"Statement":[1]}`,
		`{"Statement":[null]}`, `{"Statement":[{"Sid":1}]}`, `{"Statement":[]} x`, `{"Statement":[],"Statement":[]}`, `{"Statement":[{}`, `{"Statement":[{},]}`,
	} {
		if got, err := Merge([]byte(document), ours); fault.Of(err) != fault.Conflict || got != nil {
			t.Errorf("Merge(%s) = %q, %v, want a Conflict", document, got, err)
		}
		if got, err := Remove([]byte(document), ours.Sid); fault.Of(err) != fault.Conflict || got != nil {
			t.Errorf("Remove(%s) = %q, %v, want a Conflict", document, got, err)
		}
	}
	foreign := ours
	foreign.Sid = "root"
	if _, err := Merge(nil, foreign); err == nil {
		t.Error("a statement of somebody else was merged")
	}
	if _, err := Remove([]byte(`{"Statement":[{"Sid":"root"}]}`), "root"); err == nil {
		t.Error("a statement of somebody else was removed")
	}
}

// document draws a policy document of somebody else's, in any style.
func document(t *rapid.T) string {
	space := rapid.SampledFrom([]string{"", " ", "\n", "\r\n  ", "\t\t", "    "})
	s := func() string { return space.Draw(t, "space") }
	value := rapid.SampledFrom([]string{`"Allow"`, `"a\"]},{"`, `["x", "y"]`, `{"AWS" : "*"}`, `1e3`, `null`, `"ü\u00e4"`, `{"Statement":[{}]}`, `{}`})
	one := func() string {
		var fields []string
		for i := range rapid.IntRange(0, 3).Draw(t, "fields") {
			fields = append(fields, fmt.Sprintf(`%s"k%d"%s:%s%s%s`, s(), i, s(), s(), value.Draw(t, "value"), s()))
		}
		if rapid.Bool().Draw(t, "named") {
			fields = append(fields, s()+`"Sid":"`+rapid.SampledFrom([]string{"", "root", "drawbridgeRead", "Statement", "]"}).Draw(t, "sid")+`"`)
		}
		return "{" + strings.Join(fields, ",") + s() + "}"
	}
	statement := one()
	if rapid.Bool().Draw(t, "list") {
		list := []string{s() + statement + s()}
		for range rapid.IntRange(0, 3).Draw(t, "more") {
			list = append(list, s()+one()+s())
		}
		statement = "[" + strings.Join(list, ",") + "]"
	}
	fields := []string{s() + `"Statement"` + s() + ":" + s() + statement + s()}
	for i := range rapid.IntRange(0, 2).Draw(t, "top") {
		field := fmt.Sprintf(`%s"Id%d":%s%s`, s(), i, value.Draw(t, "value"), s())
		fields = slices.Insert(fields, rapid.IntRange(0, len(fields)).Draw(t, "place"), field)
	}
	return s() + "{" + strings.Join(fields, ",") + "}" + s()
}

// Whatever somebody else's document looks like, ours come and go in any order and leave every byte as it was.
func TestWhatIsAddedGoesWithoutATrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := document(t)
		names := []string{"DrawbridgeA", "DrawbridgeB", "DrawbridgeC"}
		now := []byte(before)
		add := func(sid string) {
			one := ours
			one.Sid = sid
			next, err := Merge(now, one)
			if err != nil {
				t.Fatalf("merging %s into %s: %v", sid, now, err)
			}
			if !json.Valid(next) {
				t.Fatalf("%s is not JSON", next)
			}
			now = next
		}
		for _, sid := range rapid.Permutation(names).Draw(t, "added") {
			add(sid)
		}
		add(rapid.SampledFrom(names).Draw(t, "again"))
		for _, sid := range rapid.Permutation(names).Draw(t, "removed") {
			next, err := Remove(now, sid)
			if err != nil || !json.Valid(next) {
				t.Fatalf("removing %s from %s: %s, %v", sid, now, next, err)
			}
			now = next
		}
		if string(now) != before {
			t.Fatalf("before %q\nafter  %q", before, now)
		}
	})
}

// Two who add at different times end with the same bytes, and adding twice is adding once.
func TestAddingIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		second := ours
		second.Sid = "DrawbridgeTwo"
		before := []byte(document(t))
		together, err := Merge(before, ours, second)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Merge(together, second, ours, second)
		if err != nil || !bytes.Equal(together, again) {
			t.Fatalf("%q became %q, %v", together, again, err)
		}
		if got, err := Ours(together, Prefix); err != nil || !slices.Equal(got, []string{"DrawbridgeRead", "DrawbridgeTwo"}) {
			t.Fatalf("Ours(%s) = %v, %v", together, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Sid":"root"}]}`)
	f.Add(`{"Statement":{}}`)
	f.Fuzz(func(t *testing.T, document string) {
		after, err := Merge([]byte(document), ours)
		if err != nil {
			return
		}
		if !json.Valid(after) {
			t.Fatalf("%q became %q", document, after)
		}
		if _, err := Remove(after, ours.Sid); err != nil {
			t.Fatalf("%q cannot be taken from %q: %v", ours.Sid, after, err)
		}
	})
}

func ExampleMerge() {
	document := []byte(`{"Version": "2012-10-17", "Statement": [{"Sid": "owner", "Effect": "Allow"}]}`)
	with, err := Merge(document, Statement{Sid: "DrawbridgeRead", Effect: "Allow", Action: []string{"kms:Decrypt"}})
	fmt.Println(string(with), err)
	without, err := Remove(with, "DrawbridgeRead")
	fmt.Println(string(without), err)
	// Output:
	// {"Version": "2012-10-17", "Statement": [{"Sid": "owner", "Effect": "Allow"},{"Sid":"DrawbridgeRead","Effect":"Allow","Action":["kms:Decrypt"]}]} <nil>
	// {"Version": "2012-10-17", "Statement": [{"Sid": "owner", "Effect": "Allow"}]} <nil>
}

func TestFindAndDigest(t *testing.T) {
	document := []byte(`{"Statement": [{"Sid":"a"}, ` + text + ` ]}`)
	found, err := Find(document, ours.Sid)
	if err != nil || string(found) != text {
		t.Errorf("Find = %s, %v", found, err)
	}
	for _, none := range []string{"", `{"Statement":{"Sid":"a"}}`} {
		if found, err := Find([]byte(none), ours.Sid); err != nil || found != nil {
			t.Errorf("Find in %s = %s, %v", none, found, err)
		}
	}
	if _, err := Find([]byte("x"), ours.Sid); fault.Of(err) != fault.Conflict {
		t.Error(err)
	}
	if Digest([]byte(`{"Action":["a"],"B":1}`)) != Digest([]byte(` {"B":1, "Action":"a"}`)) || Digest([]byte(`{"Action":"a"}`)) == Digest([]byte(`{"Action":"b"}`)) || Digest([]byte("x")) == Digest([]byte("y")) {
		t.Error("a digest stands for what a statement says")
	}
}
