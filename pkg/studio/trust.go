package studio

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policydocument"
)

// service is what assumes execution roles.
var service = arn.ServicePrincipal("sagemaker")

// setSourceIdentity is our statement in the trust policy of an execution role: SageMaker sets the source identity when it
// assumes the role for an app.
// https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
var setSourceIdentity = policydocument.Statement{
	Sid: Sid, Effect: "Allow", Principal: map[string][]string{"Service": {service}},
	Action: []string{"sts:SetSourceIdentity"},
}

// Added returns the trust policy of an execution role with our statement. What others wrote stays byte for byte.
func Added(trust string) (string, error) {
	out, err := policydocument.Merge([]byte(trust), setSourceIdentity)
	return string(out), err
}

// Restored returns the trust policy of an execution role without our statement, where before is what it was before that was added. What others
// wrote meanwhile stays byte for byte. Where nothing but white space differs from how it was left, which a service may write as it
// likes, it is exactly what it was before.
func Restored(trust, before string) (string, error) {
	out, err := policydocument.Remove([]byte(trust), Sid)
	if err != nil {
		return "", err
	}
	if out == nil {
		return "", fault.NewConflict("nothing but Drawbridge's statement is left in the trust policy", "let "+service+" assume the role, or delete it; Drawbridge goes on by itself")
	}
	left, err := Added(before)
	if err == nil && compact(left) == compact(trust) && compact(string(out)) != compact(before) {
		return before, nil
	}
	return string(out), nil
}

// compact returns a JSON text without white space; what is not JSON as it is.
func compact(text string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return text
	}
	return out.String()
}

// Ready reports whether a trust policy lets SageMaker set the source identity, by our statement or its owner's.
func Ready(trust string) bool { return lets(trust, func(string, bool) bool { return true }) }

// ReadyWithout is [Ready] of a trust policy once our statement is not in it any more.
func ReadyWithout(trust string) bool {
	return lets(trust, func(sid string, _ bool) bool { return sid != Sid })
}

// always is [Ready] of statements that hold without a condition.
func always(trust string) bool {
	return lets(trust, func(_ string, condition bool) bool { return !condition })
}

// lets is [Ready] of those statements that count by their Sid, and whether they have a condition.
func lets(trust string, counts func(sid string, condition bool) bool) bool {
	var d struct {
		Statement json.RawMessage
	}
	type one struct {
		Sid       string
		Effect    string
		Principal struct{ Service any }
		Action    any
		Condition map[string]any
	}
	var statements []one
	if json.Unmarshal([]byte(trust), &d) != nil {
		return false
	}
	if json.Unmarshal(d.Statement, &statements) != nil {
		// One statement alone, or one of another form among them, such as a principal that is no object.
		var each []json.RawMessage
		if json.Unmarshal(d.Statement, &each) != nil {
			each = []json.RawMessage{d.Statement}
		}
		statements = nil
		for _, text := range each {
			var single one
			if json.Unmarshal(text, &single) == nil {
				statements = append(statements, single)
			}
		}
	}
	has := func(value any, wanted ...string) bool {
		return slices.ContainsFunc(texts(value), func(text string) bool {
			return slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, text) })
		})
	}
	return slices.ContainsFunc(statements, func(s one) bool {
		return s.Effect == "Allow" && counts(s.Sid, len(s.Condition) > 0) && has(s.Principal.Service, service) && has(s.Action, "sts:SetSourceIdentity", "sts:*", "*")
	})
}
