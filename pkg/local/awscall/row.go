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
	// transaction, in each of its actions.
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
	partition = regexp.MustCompile(`^(TransactItems\.\d+\.(?:Put|Update|Delete|ConditionCheck|Get)\.)?(?:Key|Item)\.pk\.S$`)
)

// row names what a call of DynamoDB is about in a table whose key is pk and sk: the row, the partition that is queried, or,
// of a transaction, the one connection that it is about and how many rows it has. Nothing that differs from run to run is
// in it but the ids of things.
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
	var partitions []string
	rows := 0
	for _, p := range parameters {
		if m := partition.FindStringSubmatch(p.name); m != nil {
			if m[1] == "" {
				return strings.TrimSpace(p.value + " " + value(strings.TrimSuffix(p.name, "pk.S")+"sk.S"))
			}
			rows++
			partitions = append(partitions, p.value)
		}
	}
	if rows == 0 {
		return ""
	}
	slices.Sort(partitions)
	partitions = slices.Compact(partitions)
	if connections := slices.DeleteFunc(slices.Clone(partitions), func(pk string) bool { return !strings.HasPrefix(pk, "connection#") }); len(connections) > 0 {
		partitions = connections
	}
	if len(partitions) == 1 {
		return fmt.Sprintf("%s (%d rows)", partitions[0], rows)
	}
	return fmt.Sprintf("(%d rows)", rows)
}
