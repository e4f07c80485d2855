package rights

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// answersOfDatabases are the lines about the answers to tags of databases that mean nothing: one for each kind that is served, with the calls by which its
// service sets and removes tags.
func answersOfDatabases() []Line {
	var out []Line
	for _, k := range database.Served() {
		var calls []string
		for _, r := range tag.Records {
			if r.Service == k.Service && (r.Act == tag.Sets || r.Act == tag.Removes) {
				calls = append(calls, r.Service+":"+r.Call)
			}
		}
		out = append(out, Line{Writes: map[string][]string{"AnswerTags": calls}, On: k.Service + " " + k.Resource + "*", Whose: "the database's owner",
			OptIn: answer, IAM: tagged(tag.Unclear)})
	}
	return out
}
