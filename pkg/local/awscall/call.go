// Package awscall reads what an AWS client asks for out of its HTTP request:
// account, Region, service, action and the resource it is about. It knows the
// four protocols that AWS services speak – query and EC2, JSON 1.x, REST-JSON
// paths and Smithy RPC v2 CBOR – and nothing about any single service beyond
// which of its parameters tell most; of DynamoDB, how a row is named.
package awscall

import (
	"net/http"
	"regexp"
)

// Call is one AWS call and its answer.
type Call struct {
	// Account is the twelve-digit account that was called.
	Account string `json:"account"`
	// Region as the caller signed for it.
	Region string `json:"region"`
	// Service is the signing name, for example "ec2".
	Service string `json:"service"`
	// Action is the API action, for example "CreateRoute".
	Action string `json:"action"`
	// Resource is the most telling identifier in the request; it is empty for a
	// call about nothing in particular.
	Resource string `json:"resource"`
	// Status is the HTTP status of the answer.
	Status int `json:"status"`
	// Error is the AWS error code of a failed call.
	Error string `json:"error,omitempty"`
	// Role is the name of the role that the caller acts under.
	Role string `json:"role,omitempty"`
	// Function is the Drawbridge function that made the call.
	Function string `json:"function,omitempty"`
	// Execution is the execution that the function worked for.
	Execution string `json:"execution,omitempty"`
	// Key is the access key id that signed the call.
	Key string `json:"-"`
	// UserAgent is the client's own description of itself.
	UserAgent string `json:"-"`
	// TraceID is the X-Ray root that the caller passed on.
	TraceID string `json:"-"`
	// Others are those that the call names beside Resource, in the same list, with blanks between them.
	Others string `json:"-"`
	// Told are the hops that a step's call writes into the ledger, as a JSON list; "" for any other.
	Told string `json:"-"`
}

// Name is service and action as IAM policies spell them.
func (c Call) Name() string { return c.Service + ":" + c.Action }

// Reads reports whether the action only looks.
func (c Call) Reads() bool { return reads.MatchString(c.Action) }

var (
	reads      = regexp.MustCompile(`^(Describe|List|Get|Search|BatchGet|Query|Scan|TransactGet)`)
	credential = regexp.MustCompile(`Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request`)
	presigned  = regexp.MustCompile(`^([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request$`)
	function   = regexp.MustCompile(`\bapp/([\w-]+)`)
	traceRoot  = regexp.MustCompile(`\bRoot=([\w-]+)`)
	account    = regexp.MustCompile(`^\d{12}$`)
)

// Parse reads a request whose body has been read already. It never fails: what
// it cannot tell stays empty.
func Parse(r *http.Request, body []byte) Call {
	c := Call{UserAgent: r.UserAgent()}
	if m := credential.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		c.Key, c.Region, c.Service = m[1], m[2], m[3]
	} else if m := presigned.FindStringSubmatch(r.URL.Query().Get("X-Amz-Credential")); m != nil {
		c.Key, c.Region, c.Service = m[1], m[2], m[3]
	}
	if m := function.FindStringSubmatch(c.UserAgent); m != nil {
		c.Function = m[1]
	}
	if m := traceRoot.FindStringSubmatch(r.Header.Get("X-Amzn-Trace-Id")); m != nil {
		c.TraceID = m[1]
	}
	var parameters []parameter
	c.Action, parameters = operation(r, body)
	if c.Service == "dynamodb" {
		c.Resource, c.Told = row(parameters), told(body)
		return c
	}
	c.Resource, c.Others = telling(parameters)
	return c
}

// IsAccount reports whether s is a twelve-digit account number.
func IsAccount(s string) bool { return account.MatchString(s) }
