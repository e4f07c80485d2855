package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/fit"
)

// record is the part of CloudTrail's record of a call that names things.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type record struct {
	call     string
	service  string
	failed   string // the error's code; empty if the call did what it should
	request  value
	response value
	// resources are those that the call is about, as the service names them beside its parameters.
	resources value
}

// readRecord reads the detail of a CloudTrail event. It fails only if the detail is no JSON object, or parts of it are not what every
// record has.
func readRecord(source string, detail json.RawMessage) (record, error) {
	var d struct {
		EventName  string          `json:"eventName"`
		ErrorCode  string          `json:"errorCode"`
		Parameters json.RawMessage `json:"requestParameters"`
		Response   json.RawMessage `json:"responseElements"`
		Resources  json.RawMessage `json:"resources"`
	}
	if err := json.Unmarshal(detail, &d); err != nil {
		return record{}, invalid("detail: %v", err)
	}
	r := record{call: d.EventName, service: strings.TrimPrefix(source, "aws."), failed: d.ErrorCode}
	for _, part := range []struct {
		name, wrapper string
		raw           json.RawMessage
		into          *value
	}{{"requestParameters", d.EventName + "Request", d.Parameters, &r.request}, {"responseElements", d.EventName + "Response", d.Response, &r.response}, {"resources", "", d.Resources, &r.resources}} {
		v, err := readValue(part.raw)
		if err != nil {
			return record{}, invalid("detail.%s: %v", part.name, err)
		}
		*part.into = v.unwrapped(part.wrapper)
	}
	return r, nil
}

// value is a JSON value of a record in one form, whichever CloudTrail wrote. Calls of EC2 since about 2016 are XML turned into JSON: they
// are wrapped in the call's name and "Request" or "Response", begin with capitals in the request, write a list of one as
// its only element, an empty one as "", and anything as {"tag": 1, "content": …}. Older calls write lists as
// {"items": […]}. Numbers and booleans stand where text is meant.
//
// Here names begin with a small letter, a list has as many elements as it has, and what is not a list or an object is text.
type value struct {
	text   string
	fields map[string]value
	list   []value
}

func readValue(raw json.RawMessage) (value, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return value{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var any any
	if err := decoder.Decode(&any); err != nil {
		return value{}, err
	}
	return canonical(any), nil
}

func canonical(v any) value {
	switch v := v.(type) {
	case string:
		return value{text: v}
	case json.Number:
		return value{text: v.String()}
	case bool:
		return value{text: strconv.FormatBool(v)}
	case []any:
		out := value{list: make([]value, 0, len(v))}
		for _, each := range v {
			out.list = append(out.list, canonical(each))
		}
		return out
	case map[string]any:
		return canonicalObject(v)
	}
	return value{}
}

func canonicalObject(object map[string]any) value {
	out := value{fields: make(map[string]value, len(object))}
	for name, each := range object {
		if name == "" {
			continue
		}
		// "tag" is the number that an element had in its list; a set of tags is never a number.
		if _, number := each.(json.Number); number && name == "tag" {
			continue
		}
		out.fields[strings.ToLower(name[:1])+name[1:]] = canonical(each)
	}
	if len(out.fields) == 1 {
		for _, list := range []string{"items", "item", "member"} {
			if inner, ok := out.fields[list]; ok {
				return value{list: inner.all()}
			}
		}
		if inner, ok := out.fields["content"]; ok {
			return inner
		}
	}
	return out
}

// unwrapped returns the value with what stands in a wrapper beside what stands outside.
func (v value) unwrapped(wrapper string) value {
	if wrapper == "" {
		return v
	}
	inner, ok := v.fields[strings.ToLower(wrapper[:1])+wrapper[1:]]
	if !ok {
		return v
	}
	for name, each := range v.fields {
		if _, there := inner.fields[name]; !there && inner.fields != nil {
			inner.fields[name] = each
		}
	}
	return inner
}

// all returns the elements of a list; of anything else that is not empty, itself.
func (v value) all() []value {
	switch {
	case v.list != nil:
		return v.list
	case v.text == "" && len(v.fields) == 0:
		return nil
	}
	return []value{v}
}

// at returns what stands at a path; lists on the way are walked through, and at the end.
func (v value) at(path ...string) []value {
	found := v.all()
	for _, name := range path {
		var next []value
		for _, each := range found {
			next = append(next, each.fields[name].all()...)
		}
		found = next
	}
	return found
}

// texts returns the texts that stand at a path.
func (v value) texts(path ...string) []string {
	var out []string
	for _, each := range v.at(path...) {
		if each.text != "" {
			out = append(out, each.text)
		}
	}
	return out
}

// one returns the first text at a path, "" if there is none: for what a call can name only once.
func (v value) one(path ...string) string {
	if all := v.texts(path...); len(all) > 0 {
		return all[0]
	}
	return ""
}

// tagLists are where requests name the tags that they set or remove, whichever way their service writes them.
var tagLists = [][]string{{"tags"}, {"tag"}, {"tagSet"}, {"tagList"},
	{"tagSpecificationSet", "tags"}, {"tagSpecificationSet", "tag"}, {"tagSpecificationSet", "tagSet"},
	{"tagSpecification", "tag"}, {"tagSpecification", "tags"}, {"tagSpecification", "tagSet"}, {"tagSpecifications", "tags"}}

// tagKeys returns the keys of the tags that a request sets or removes.
func (v value) tagKeys() []string {
	keys := v.texts("tagKeys")
	for _, path := range tagLists {
		for _, each := range v.at(path...) {
			switch {
			case each.text != "": // a list of keys
				keys = append(keys, each.text)
			case each.fields["key"].text != "":
				keys = append(keys, each.fields["key"].text)
			case each.fields["tagKey"].text != "": // of KMS
				keys = append(keys, each.fields["tagKey"].text)
			default: // an object that has the keys as names
				for key := range each.fields {
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
}

// tagValues returns the values of those tags with one of keys that a request sets.
func (v value) tagValues(keys []string) map[string]string {
	out := map[string]string{}
	set := func(key string, value value) {
		if slices.Contains(keys, key) {
			out[key] = fit.Bytes(value.text, valued)
		}
	}
	for _, path := range tagLists {
		for _, each := range v.at(path...) {
			switch {
			case each.fields["key"].text != "":
				set(each.fields["key"].text, each.fields["value"])
			case each.fields["tagKey"].text != "":
				set(each.fields["tagKey"].text, each.fields["tagValue"])
			default:
				for key, value := range each.fields {
					set(key, value)
				}
			}
		}
	}
	return out
}
