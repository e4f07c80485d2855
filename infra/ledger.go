package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

const (
	// ledgerName is the table that the stack makes, and what the parameter LedgerTable says until a restored one takes its place.
	ledgerName = "drawbridge-ledger"
	// ledgerForm is what a table's name looks like to DynamoDB, which takes up to 255 characters.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
	ledgerForm = `[a-zA-Z0-9_.-]{3,128}`
	// ledgerExpiry is the attribute with the second, since 1970, after which DynamoDB may delete a row by itself.
	ledgerExpiry = "expires"
)

// The calls of package ledger: rows by their keys, one partition at a time, and transactions that put and delete. Nobody may scan
// the table, and no function may delete it, restore it or change how it is kept. TransactWriteItems is no permission of its own:
// IAM asks for that of each action in it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
var (
	ledgerReads  = []string{"dynamodb:BatchGetItem", "dynamodb:Query"}
	ledgerWrites = []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}
)

// ledger makes the table that says what is Drawbridge's. It is the one thing of the hub that cannot be made anew: it is kept
// when the stack goes, nobody deletes it without taking off its protection first, and every second of the last 35 days can be
// restored, into another table, whose name then goes into the parameter LedgerTable (docs/runbook.md#the-ledger).
//
// Its key is the one that AWS owns. A key of the account's own could be disabled or deleted, and the ledger with it; each of
// the functions would need it; and what stands in the table are names of resources, CIDRs and rules, never a secret. The
// queue and the bus are encrypted the same way.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
func (h *hub) ledger(name string) {
	h.ledgerTable = parameter(h.stack, "LedgerTable", name, whole(ledgerForm),
		"The table that says what is Drawbridge's: the stack's own, or one that was restored from it.")
	key := func(attribute, kind string) any {
		return &awsdynamodb.CfnTable_KeySchemaProperty{AttributeName: jsii.String(attribute), KeyType: jsii.String(kind)}
	}
	text := func(attribute string) any {
		return &awsdynamodb.CfnTable_AttributeDefinitionProperty{AttributeName: jsii.String(attribute), AttributeType: jsii.String("S")}
	}
	table := awsdynamodb.NewCfnTable(h.stack, jsii.String("Ledger"), &awsdynamodb.CfnTableProps{
		TableName:                 jsii.String(ledgerName),
		BillingMode:               jsii.String("PAY_PER_REQUEST"),
		KeySchema:                 []any{key("pk", "HASH"), key("sk", "RANGE")},
		AttributeDefinitions:      []any{text("pk"), text("sk")},
		DeletionProtectionEnabled: jsii.Bool(true),
		PointInTimeRecoverySpecification: &awsdynamodb.CfnTable_PointInTimeRecoverySpecificationProperty{
			PointInTimeRecoveryEnabled: jsii.Bool(true), RecoveryPeriodInDays: jsii.Number(35)},
		// Not on means AWS's own key, not none: everything in DynamoDB is encrypted.
		SseSpecification: &awsdynamodb.CfnTable_SSESpecificationProperty{SseEnabled: jsii.Bool(false)},
		TimeToLiveSpecification: &awsdynamodb.CfnTable_TimeToLiveSpecificationProperty{
			AttributeName: jsii.String(ledgerExpiry), Enabled: jsii.Bool(true)},
	})
	table.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
}

// ledgerGrant lets a function use the ledger and nothing else of DynamoDB.
func ledgerGrant(actions []string) statement {
	return allow(actions, sub("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${LedgerTable}"))
}
