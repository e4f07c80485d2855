package awscall

import (
	"encoding/json"
	"strings"
)

// told returns the hops that a transaction writes into the ledger as what a step told, as a JSON list; "" if it writes none. Their rows are package
// fact's.
func told(body []byte) string {
	type attribute = map[string]any
	var in struct {
		TransactItems []struct {
			Put *struct{ Item map[string]attribute }
		}
	}
	if json.Unmarshal(body, &in) != nil {
		return ""
	}
	var all []any
	for _, one := range in.TransactItems {
		if one.Put == nil {
			continue
		}
		sort, _ := value(one.Put.Item["sk"]).(string)
		if !strings.Contains(sort, "told#") {
			continue
		}
		name := "hops" // of a batch of notebooks
		if strings.Contains(sort, "#hop#") {
			name = "of"
		}
		hops, _ := value(one.Put.Item[name]).([]any)
		all = append(all, hops...)
	}
	if len(all) == 0 {
		return ""
	}
	text, err := json.Marshal(all)
	if err != nil {
		return ""
	}
	return string(text)
}

// value is what an attribute of DynamoDB holds; numbers stay text.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
func value(attribute map[string]any) any {
	for kind, v := range attribute {
		switch v := v.(type) {
		case []any: // L
			out := []any{}
			for _, one := range v {
				if inner, ok := one.(map[string]any); ok && kind == "L" {
					out = append(out, value(inner))
				}
			}
			return out
		case map[string]any: // M
			out := map[string]any{}
			for name, one := range v {
				if inner, ok := one.(map[string]any); ok {
					out[name] = value(inner)
				}
			}
			return out
		default: // S, N, BOOL
			return v
		}
	}
	return nil
}
