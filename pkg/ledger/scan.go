package ledger

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Scanner is what [Scan] needs of DynamoDB. No function has the right: people who look at the whole ledger have it of their own.
type Scanner interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// Scan gives every row of a table to each, page by page, in no order. Rows that are written meanwhile may be among them or not; each is as it was
// written last when its page was read. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
func Scan(ctx context.Context, api Scanner, table string, each func(Row) error) error {
	pages := dynamodb.NewScanPaginator(api, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the ledger, table %s: %w", table, err)
		}
		for _, item := range page.Items {
			row, err := rowFrom(item)
			if err != nil {
				return err
			}
			if err := each(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// Connection returns the connection whose entry a row is, and whether it is one's.
func (r Row) Connection() (c Connection, ok bool, err error) {
	if !strings.HasPrefix(r.Part, connectionPart("")) || r.Sort != connectionRow("").Sort {
		return c, false, nil
	}
	return c, true, decode(r, &c)
}

// Item returns the item that a row is, and whether it is one.
func (r Row) Item() (i Item, ok bool, err error) {
	if !strings.HasPrefix(r.Part, "resource#") {
		return i, false, nil
	}
	i.version = r.Version
	return i, true, decode(r, &i)
}

// Lease returns the lease that a row is, with its name, and whether it is one.
func (r Row) Lease() (name string, l Lease, ok bool, err error) {
	name, ok = strings.CutPrefix(r.Part, "lease#")
	if !ok {
		return "", l, false, nil
	}
	return name, l, true, decode(r, &l)
}
