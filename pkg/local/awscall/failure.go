package awscall

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"strings"
)

var xmlCode = regexp.MustCompile(`<Code>([^<]+)</Code>`)

// ErrorCode reads the AWS error code out of a failed answer: from the header
// x-amzn-errortype, the JSON member __type or code, or the XML element Code.
func ErrorCode(h http.Header, body []byte) string {
	if t := h.Get("X-Amzn-Errortype"); t != "" {
		return bare(t)
	}
	var j struct {
		Type  string `json:"__type"`
		Code  string `json:"code"`
		Upper string `json:"Code"`
	}
	if json.Unmarshal(body, &j) == nil {
		for _, s := range []string{j.Type, j.Code, j.Upper} {
			if s != "" {
				return bare(s)
			}
		}
	}
	if m := xmlCode.FindSubmatch(body); m != nil {
		return string(m[1])
	}
	return ""
}

// bare strips a namespace before '#' and a URL after ':'.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
func bare(code string) string {
	code, _, _ = strings.Cut(code, ":")
	return code[strings.LastIndexByte(code, '#')+1:]
}

// restJSON are the services that speak JSON without naming their action in a header.
var restJSON = map[string]bool{"lambda": true, "ram": true, "rds-data": true}

// Refuse answers a request as the called service would answer a failed call, in
// the protocol that the client spoke.
// Many parameters, because they are those of an HTTP handler, and the answer.
func Refuse(w http.ResponseWriter, r *http.Request, c Call, status int, code, message string) {
	refuse(w, r, c, status, code, message, nil)
}

// Cancel answers a request of DynamoDB's TransactWriteItems as one that was
// cancelled; reasons are the codes, one for each action, "None" for those that
// were not the cause.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors
func Cancel(w http.ResponseWriter, r *http.Request, c Call, reasons []string) {
	all := make([]map[string]string, len(reasons))
	for i, code := range reasons {
		all[i] = map[string]string{"Code": code}
	}
	refuse(w, r, c, http.StatusBadRequest, Cancelled,
		"Transaction cancelled, please refer cancellation reasons for specific reasons ["+strings.Join(reasons, ", ")+"]",
		map[string]any{"CancellationReasons": all})
}

// Cancelled is the code of a transaction of DynamoDB's that was not made.
const Cancelled = "TransactionCanceledException"

// refuse answers in the protocol that the client spoke; more are further members
// of a JSON answer.
// Many parameters, because they are those of an HTTP handler, and the answer.
func refuse(w http.ResponseWriter, r *http.Request, c Call, status int, code, message string, more map[string]any) {
	switch {
	case r.Header.Get("X-Amz-Target") != "" || restJSON[c.Service]:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		body := map[string]any{"__type": code, "message": message, "Message": message}
		maps.Copy(body, more)
		_ = json.NewEncoder(w).Encode(body)
	case c.Service == "ec2":
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>` + escape(code) +
			`</Code><Message>` + escape(message) + `</Message></Error></Errors><RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>`))
	default:
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`<ErrorResponse><Error><Type>Sender</Type><Code>` + escape(code) +
			`</Code><Message>` + escape(message) + `</Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>`))
	}
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
