// Package fit makes text fit where AWS has little room or takes few characters: the value of a tag, the description of a
// security group rule, the subject of a notification, a message. What people are told is cut, with an ellipsis, and never
// the reason why a step fails.
//
// [Count] makes a word fit its number.
//
// It is for sentences. An id, an ARN or a list that is read back must not be cut: whoever writes one checks its length.
package fit

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// TagRoom is how many characters the value of a tag has room for.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
const TagRoom = 256

// Tag makes text fit into the value of a tag of any service: at most [TagRoom] letters, numbers, blanks and _.:/=+-@.
// EC2 takes other characters too, "other AWS services are more restrictive", and a tag may be copied to them.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
func Tag(text string) string {
	return squeezed(text, TagRoom, func(r rune) bool { return unicode.In(r, unicode.L, unicode.N) || strings.ContainsRune("_.:/=+-@", r) })
}

// Description makes text fit into the description of a security group or of one of its rules: at most 255 of
// a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
func Description(text string) string {
	return squeezed(text, 255, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:/()#,@[]+=&;{}!$*", r)
	})
}

// Subject makes text fit into the subject of a notification: at most 99 printable characters of ASCII, the first of
// which is not a blank.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func Subject(text string) string {
	return squeezed(text, 99, func(r rune) bool { return r > ' ' && r <= '~' })
}

// squeezed replaces what is not taken by blanks, makes one blank of many, and cuts.
func squeezed(text string, room int, taken func(rune) bool) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !taken(r) {
			return ' '
		}
		return r
	}, text)
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > room {
		return strings.TrimRight(string(runes[:room-len(dots)]), " ") + dots
	}
	return string(runes)
}

// dots is an ellipsis of characters that are taken everywhere.
const dots = "..."

// Bytes cuts text to at most room bytes of UTF-8, between two characters, with an ellipsis if there is room for one.
func Bytes(text string, room int) string {
	if len(text) <= room {
		return text
	}
	end := ""
	if room >= len("…") {
		end = "…"
	}
	cut := max(0, room-len(end))
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + end
}

// Count says how many there are of something, whose plural ends with an s: 1 notebook, 2 notebooks, 2 policies.
func Count(n int, one string) string {
	if stem, ok := strings.CutSuffix(one, "cy"); ok && n != 1 {
		one = stem + "cies"
	} else if n != 1 {
		one += "s"
	}
	return fmt.Sprintf("%d %s", n, one)
}
