package local

import (
	"net/http"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// Moment is when an [Injector] is asked about a call.
type Moment int

const (
	// Before the call is made: a fault keeps it from happening.
	Before Moment = iota
	// After the call was made: a fault only loses its answer.
	After
)

// Fault is the answer that a client gets instead of the real one.
type Fault struct {
	// Status is the HTTP status; zero means 503.
	Status int
	// Code and Message of the error, as the called service would write them.
	Code, Message string
	// Throttle answers as the called service does when it is asked too often.
	Throttle bool
	// Conflict answers a write of DynamoDB as one that met another transaction
	// about the same row. No other call is struck by it.
	Conflict bool
	// Reset closes the connection instead of answering.
	Reset bool
	// Kill ends the process that made the call, as Lambda does with a function
	// that uses too much memory. No answer is sent.
	Kill bool
}

// name is what the trace calls the fault.
func (f *Fault) name() (status int, code string) {
	switch {
	case f.Kill:
		return 0, "killed"
	case f.Reset:
		return 0, "connection reset"
	}
	return f.Status, f.Code
}

// Injector decides whether a call of Drawbridge fails; nil lets it be. It is
// asked from several goroutines.
type Injector func(awscall.Call, Moment) *Fault

func (i Injector) ask(c awscall.Call, m Moment) *Fault {
	if i == nil {
		return nil
	}
	f := i(c, m)
	if f != nil && f.Throttle {
		f = throttled(c.Service)
	}
	if f != nil && f.Conflict {
		f = conflicting(c)
	}
	if f != nil && f.Status == 0 {
		f.Status = 503
	}
	return f
}

// conflicting returns what DynamoDB answers to a write of a row that a
// transaction is changing: one reason of a transaction, an error of its own for a
// single write; nil for a call that meets no transaction.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
func conflicting(c awscall.Call) *Fault {
	if c.Service != "dynamodb" || c.Reads() {
		return nil
	}
	if c.Action == "TransactWriteItems" {
		return &Fault{Status: http.StatusBadRequest, Code: awscall.Cancelled, Conflict: true}
	}
	return &Fault{Status: http.StatusBadRequest, Code: "TransactionConflictException", Message: "Transaction is ongoing for the item"}
}

// throttling is what the services answer to a caller who asks too often, by their signing names. Where the API model has
// an error for it, it is that one (the SDK's types, such as ram.ThrottlingException); else what the service's pages name.
//
// EC2: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
// IAM, STS, RDS, Redshift: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
// Organizations: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html
// Lambda: https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html
// SNS: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
// SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// The others: https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html and their common errors.
var throttling = map[string]Fault{
	"dynamodb":            {Status: http.StatusBadRequest, Code: "ProvisionedThroughputExceededException"},
	"ec2":                 {Status: http.StatusServiceUnavailable, Code: "RequestLimitExceeded", Message: "Request limit exceeded."},
	"events":              {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"iam":                 {Status: http.StatusBadRequest, Code: "Throttling"},
	"kms":                 {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"lambda":              {Status: http.StatusTooManyRequests, Code: "TooManyRequestsException"},
	"logs":                {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"monitoring":          {Status: http.StatusBadRequest, Code: "Throttling"},
	"organizations":       {Status: http.StatusBadRequest, Code: "TooManyRequestsException"},
	"ram":                 {Status: http.StatusTooManyRequests, Code: "ThrottlingException"},
	"rds":                 {Status: http.StatusBadRequest, Code: "Throttling"},
	"rds-data":            {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"redshift":            {Status: http.StatusBadRequest, Code: "Throttling"},
	"redshift-data":       {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"redshift-serverless": {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"route53":             {Status: http.StatusBadRequest, Code: "Throttling"}, // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
	"route53resolver":     {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"sagemaker":           {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"secretsmanager":      {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"sns":                 {Status: http.StatusTooManyRequests, Code: "Throttled"},
	"sqs":                 {Status: http.StatusForbidden, Code: "RequestThrottled"},
	"ssm":                 {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"states":              {Status: http.StatusBadRequest, Code: "ThrottlingException"},
	"sts":                 {Status: http.StatusBadRequest, Code: "Throttling"},
	"tagging":             {Status: http.StatusBadRequest, Code: "ThrottledException"},
	"xray":                {Status: http.StatusTooManyRequests, Code: "ThrottledException"},
}

// throttled returns the service's answer. A service that the table lacks throttles nobody: its call fails for good, which
// a test does not mistake for a fault that was survived.
func throttled(service string) *Fault {
	f, ok := throttling[service]
	if !ok {
		return &Fault{Status: http.StatusBadRequest, Code: "InvalidAction", Message: "how " + service + " throttles is not in pkg/local/fault.go"}
	}
	if f.Message == "" {
		f.Message = "Rate exceeded"
	}
	return &f
}
