package awscall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// parameter is one leaf of a request: its path in the input and its value.
type parameter struct{ name, value string }

// cborPath is where Smithy RPC v2 names the operation.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
var cborPath = regexp.MustCompile(`^/service/[^/]+/operation/([^/]+)$`)

// operation tells the action and the parameters of a request, whichever
// protocol it is in.
func operation(r *http.Request, body []byte) (string, []parameter) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:], fromJSON(body)
	}
	if m := cborPath.FindStringSubmatch(r.URL.Path); m != nil {
		return m[1], fromCBOR(body)
	}
	if form := query(r, body); form.Get("Action") != "" {
		return form.Get("Action"), fromForm(form)
	}
	return rest(r, body)
}

// query is the form of the query protocol, from the body or, for presigned
// calls, from the URL.
func query(r *http.Request, body []byte) url.Values {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		// A form that does not parse whole still has its good pairs.
		form, _ := url.ParseQuery(string(body))
		return form
	}
	return r.URL.Query()
}

func fromForm(form url.Values) []parameter {
	var out []parameter
	for name, values := range form {
		if name == "Action" || name == "Version" || strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		for _, v := range values {
			out = append(out, parameter{name, v})
		}
	}
	return sorted(out)
}

func fromJSON(body []byte) []parameter {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return sorted(flatten(nil, "", v))
}

func fromCBOR(body []byte) []parameter {
	v, err := cbor.Decode(body)
	if err != nil {
		return nil
	}
	return sorted(flatten(nil, "", plain(v)))
}

// plain turns CBOR values into what encoding/json would have made of them.
func plain(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = plain(e)
		}
		return m
	case cbor.List:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = plain(e)
		}
		return l
	case cbor.String:
		return string(v)
	default:
		return nil
	}
}

// flatten names the leaves of a JSON value as the query protocol would:
// members joined by dots, list elements numbered from one.
func flatten(out []parameter, name string, v any) []parameter {
	join := func(s string) string {
		if name == "" {
			return s
		}
		return name + "." + s
	}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			out = flatten(out, join(k), e)
		}
	case []any:
		for i, e := range v {
			out = flatten(out, join(strconv.Itoa(i+1)), e)
		}
	case string, json.Number:
		out = append(out, parameter{name, fmt.Sprint(v)})
	}
	return out
}

func sorted(p []parameter) []parameter {
	slices.SortFunc(p, func(a, b parameter) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	return p
}

// lambdaActions are the paths of the Lambda API that clients of the engine use;
// %s stands for the one path segment that names the function.
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
var lambdaActions = []struct {
	method, action string
	path           *regexp.Regexp
}{
	{"POST", "Invoke", regexp.MustCompile(`^/2015-03-31/functions/([^/]+)/invocations$`)},
	{"GET", "ListFunctions", regexp.MustCompile(`^/2015-03-31/functions/?$`)},
	{"POST", "CreateFunction", regexp.MustCompile(`^/2015-03-31/functions/?$`)},
	{"GET", "GetFunction", regexp.MustCompile(`^/2015-03-31/functions/([^/]+)$`)},
	{"DELETE", "DeleteFunction", regexp.MustCompile(`^/2015-03-31/functions/([^/]+)$`)},
	{"GET", "GetFunctionConfiguration", regexp.MustCompile(`^/2015-03-31/functions/([^/]+)/configuration$`)},
}

// ramActions are the operations of RAM that the engine meets. Each is a POST to
// its own name in lower case.
// https://docs.aws.amazon.com/ram/latest/APIReference/API_Operations.html
var ramActions = []string{
	"AcceptResourceShareInvitation", "AssociateResourceShare", "CreateResourceShare", "DeleteResourceShare",
	"DisassociateResourceShare", "GetResourceShareAssociations", "GetResourceShareInvitations", "GetResourceShares",
	"ListPrincipals", "ListResources", "RejectResourceShareInvitation", "UpdateResourceShare",
}

// rest tells the action from the path: by name for Lambda and RAM, else as
// method and path, which is at least unambiguous.
func rest(r *http.Request, body []byte) (string, []parameter) {
	for _, a := range lambdaActions {
		m := a.path.FindStringSubmatch(r.URL.Path)
		if m == nil || r.Method != a.method {
			continue
		}
		if len(m) > 1 {
			return a.action, []parameter{{"FunctionName", m[1]}}
		}
		return a.action, fromJSON(body)
	}
	for _, action := range ramActions {
		if r.URL.Path == "/"+strings.ToLower(action) {
			return action, fromJSON(body)
		}
	}
	return r.Method + " " + r.URL.Path, nil
}
