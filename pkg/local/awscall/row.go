package awscall

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	placeholder = regexp.MustCompile(`:\w+`)
	// A row's key stands in the item that is put, or as the key of what is read, updated, deleted or checked; in a
	// transaction, in each of its actions; in a batch, in a list.
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
	partition = regexp.MustCompile(`^((TransactItems\.\d+\.(Put|Update|Delete|ConditionCheck|Get)\.)?(Key|Item)|RequestItems\..+\.Keys\.\d+)\.pk\.S$`)
)

// said is the key of a row that keeps an owner's word, with the time and the record of the call around what was said.
var said = regexp.MustCompile(`^word#[^#]+#([^#]+)#.*$`)

// row names what a call of DynamoDB is about in a table whose key is pk and sk: the row, the partition that is queried, or,
// of several rows, the one connection or partition that they are about and how many they are. Nothing that differs from run
// to run is in it but the ids of things.
func row(parameters []parameter) string {
	value := func(name string) string {
		for _, p := range parameters {
			if p.name == name {
				return p.value
			}
		}
		return ""
	}
	if condition := value("KeyConditionExpression"); condition != "" {
		var parts []string
		for _, name := range placeholder.FindAllString(condition, -1) {
			if text := value("ExpressionAttributeValues." + name + ".S"); text != "" {
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, " ")
	}
	type key struct{ pk, sk string }
	var rows []key
	for _, p := range parameters {
		if partition.MatchString(p.name) {
			rows = append(rows, key{p.value, value(strings.TrimSuffix(p.name, "pk.S") + "sk.S")})
		}
	}
	switch len(rows) {
	case 0:
		return ""
	case 1:
		return strings.TrimSpace(rows[0].pk + " " + said.ReplaceAllString(rows[0].sk, "word#$1"))
	}
	var partitions, connections []string
	for _, r := range rows {
		partitions = append(partitions, r.pk)
		if strings.HasPrefix(r.pk, "connection#") {
			connections = append(connections, r.pk)
		}
	}
	if len(connections) > 0 {
		partitions = connections
	}
	slices.Sort(partitions)
	if partitions = slices.Compact(partitions); len(partitions) == 1 {
		return fmt.Sprintf("%s (%d rows)", partitions[0], len(rows))
	}
	return fmt.Sprintf("(%d rows)", len(rows))
}
