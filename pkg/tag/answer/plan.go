package answer

import (
	"fmt"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Plan returns what is to be said about a thing with these tags. unserved is the kind of database that it is of, if it is shared and that is not served:
//
//	a value means nothing, and the tag drawbridge:unclear says just that   → nothing: it was told
//	it is shared and not served                                            → as a value that means nothing
//	a value means nothing                                                  → tell, and set the tag
//	all is clear, and the tag is there                                     → it goes
//	all is clear                                                           → nothing
func Plan(kind tag.Kind, tags map[string]string, unserved database.Kind) Change {
	problems := tag.Problems(kind, tags)
	if wish, known := tag.Find(kind, tag.Share); known && unserved.Name != "" {
		problems = append(problems, tag.Problem{Wish: wish, Value: tags[tag.Share], Says: unserved.Why()})
	}
	said, there := tags[tag.Unclear]
	if len(problems) == 0 {
		return Change{Clear: there}
	}
	var says []string
	for _, p := range problems {
		says = append(says, p.Says)
	}
	value := fit.Tag(strings.Join(says, ". "))
	if value == said {
		return Change{}
	}
	return Change{Set: value, Problems: problems}
}

// command returns the command by which the owner of a thing corrects a tag.
func command(t thing, key string) string {
	words := tag.Command(t.Kind, t.Region, t.name, key, "VALUE")
	last := len(words) - 1
	words[last] = "'" + words[last] + "'"
	return strings.Join(words, " ")
}

// told is what people and programs are told about a thing.
func told(execution string, t thing, problems []tag.Problem) notice.Unclear {
	out := notice.Unclear{Execution: execution, Account: t.Account, Region: t.Region, Kind: t.Kind, ID: t.ID, Runbook: notice.UnclearRunbook}
	for _, p := range problems {
		out.Problems = append(out.Problems, notice.UnclearValue{Key: p.Key, Value: p.Value, Why: p.Says, Remedy: p.Remedy(), Command: command(t, p.Key)})
		if t.kind.Name != "" && p.Says == t.kind.Why() {
			last := &out.Problems[len(out.Problems)-1]
			last.Remedy, last.Command = t.kind.Remedy, fmt.Sprintf("aws rds remove-tags-from-resource --region %s --resource-name %s --tag-keys %s", t.Region, t.name, p.Key)
		}
	}
	return out
}
