package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Open returns the ledger of the hub: the table that the environment names as LEDGER_TABLE.
func Open(hub aws.Config) Ledger {
	return Ledger{Store: Table{API: dynamodb.NewFromConfig(hub), Name: os.Getenv("LEDGER_TABLE")}, Now: time.Now, Patience: 15 * time.Second}
}

// DynamoDB is what [Table] needs of DynamoDB.
type DynamoDB interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Table is a [Store] in a table of DynamoDB with the keys pk and sk. A row's body stands in attributes of the same names, so that it can be
// read in the console; its version is the attribute version.
type Table struct {
	API  DynamoDB
	Name string
}

// The attributes that are not the body's.
const (
	partKey, sortKey, versionKey, expiresKey = "pk", "sk", "version", "expires"
)

// Read implements [Store]. It reads consistently: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
func (t Table) Read(ctx context.Context, keys []Key) ([]Row, error) {
	var out []Row
	var asked []map[string]types.AttributeValue
	for _, k := range keys {
		asked = append(asked, k.attributes())
	}
	for round := 0; len(asked) > 0; round++ {
		if round == tries {
			return nil, fault.New(fault.Transient, "reading the ledger: DynamoDB left %d of %d rows out %d times", len(asked), len(keys), tries)
		}
		got, err := t.API.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{t.Name: {Keys: asked, ConsistentRead: aws.Bool(true)}}})
		if err != nil {
			return nil, fmt.Errorf("reading the ledger, table %s: %w", t.Name, err)
		}
		for _, item := range got.Responses[t.Name] {
			row, err := rowFrom(item)
			if err != nil {
				return nil, err
			}
			out = append(out, row)
		}
		asked = got.UnprocessedKeys[t.Name].Keys
	}
	return out, nil
}

// List implements [Store].
func (t Table) List(ctx context.Context, part, prefix string) ([]Row, error) {
	in := &dynamodb.QueryInput{TableName: &t.Name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#part = :part"),
		ExpressionAttributeNames:  map[string]string{"#part": partKey},
		ExpressionAttributeValues: map[string]types.AttributeValue{":part": text(part)}}
	if prefix != "" {
		in.KeyConditionExpression = aws.String("#part = :part AND begins_with(#sort, :prefix)")
		in.ExpressionAttributeNames["#sort"] = sortKey
		in.ExpressionAttributeValues[":prefix"] = text(prefix)
	}
	var out []Row
	pages := dynamodb.NewQueryPaginator(t.API, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the ledger, table %s: %w", t.Name, err)
		}
		for _, item := range page.Items {
			row, err := rowFrom(item)
			if err != nil {
				return nil, err
			}
			out = append(out, row)
		}
	}
	return out, nil
}

// Write implements [Store].
func (t Table) Write(ctx context.Context, changes []Change) error {
	if len(changes) > most {
		return fault.New(fault.Invalid, "writing the ledger: %d rows at once are more than %d", len(changes), most)
	}
	in := &dynamodb.TransactWriteItemsInput{}
	for _, c := range changes {
		write, err := t.write(c)
		if err != nil {
			return err
		}
		in.TransactItems = append(in.TransactItems, write)
	}
	_, err := t.API.TransactWriteItems(ctx, in)
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		// One reason for each change; "None" for those that are not to blame. A conflict is another write that is under way.
		for _, r := range canceled.CancellationReasons {
			if slices.Contains([]string{"ConditionalCheckFailed", "TransactionConflict"}, aws.ToString(r.Code)) {
				return fmt.Errorf("writing the ledger, table %s: %w", t.Name, ErrChanged)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("writing the ledger, table %s: %w", t.Name, err)
	}
	return nil
}

// write is one change with its condition: the row is at its version.
func (t Table) write(c Change) (types.TransactWriteItem, error) {
	condition, names, values := aws.String("attribute_not_exists(#part)"), map[string]string{"#part": partKey}, map[string]types.AttributeValue(nil)
	if c.Version > 0 {
		condition, names, values = aws.String("#version = :version"), map[string]string{"#version": versionKey}, map[string]types.AttributeValue{":version": number(c.Version)}
	}
	if c.Body == nil {
		return types.TransactWriteItem{Delete: &types.Delete{TableName: &t.Name, Key: c.Key.attributes(),
			ConditionExpression: condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values}}, nil
	}
	var body map[string]any
	if err := json.Unmarshal(c.Body, &body); err != nil {
		return types.TransactWriteItem{}, fmt.Errorf("writing the ledger's row %s %s: %w", c.Part, c.Sort, err)
	}
	item, err := attributevalue.MarshalMap(body)
	if err != nil {
		return types.TransactWriteItem{}, fmt.Errorf("writing the ledger's row %s %s: %w", c.Part, c.Sort, err)
	}
	for name, value := range c.Key.attributes() {
		item[name] = value
	}
	item[versionKey] = number(c.Version + 1)
	if c.Expires > 0 {
		item[expiresKey] = number(c.Expires)
	}
	return types.TransactWriteItem{Put: &types.Put{TableName: &t.Name, Item: item,
		ConditionExpression: condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values}}, nil
}

func (k Key) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{partKey: text(k.Part), sortKey: text(k.Sort)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func rowFrom(item map[string]types.AttributeValue) (Row, error) {
	var row Row
	var all map[string]any
	if err := attributevalue.UnmarshalMap(item, &all); err != nil {
		return row, fmt.Errorf("reading a row of the ledger: %w", err)
	}
	row.Part, _ = all[partKey].(string)
	row.Sort, _ = all[sortKey].(string)
	version, _ := all[versionKey].(float64)
	expires, _ := all[expiresKey].(float64)
	row.Version, row.Expires = int64(version), int64(expires)
	for _, name := range []string{partKey, sortKey, versionKey, expiresKey} {
		delete(all, name)
	}
	body, err := json.Marshal(all)
	row.Body = body
	return row, err
}
