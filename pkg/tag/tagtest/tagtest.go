// Package tagtest makes, for every tag on every kind of thing and every record that announces it, the event that EventBridge would
// deliver: in each shape that CloudTrail is known to write. Tests play them all, and AWS's own matcher judges the rules by them.
package tagtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Cell is one event.
type Cell struct {
	Name   string // such as "vpc drawbridge:accept CreateTags" or "… wrapped"
	Wish   tag.Wish
	Record tag.Record // empty for an event of a service's own
	ID     string     // of the thing, as Drawbridge shall call it
	Event  json.RawMessage
}

// Account is where all the things are, Region where all of them but roles are.
const (
	Account = "111111111111"
	Region  = "eu-west-1"
)

func arn(kind tag.Kind) string {
	region, path := Region, ""
	if kind == tag.Role {
		region, path = "", "research/"
	}
	return strings.Join([]string{"arn:aws", kind.Service(), region, Account, kind.Resource() + path + kind.Naming().Example}, ":")
}

// called is how Drawbridge calls the thing that a record names by its ARN, or by its name.
func called(kind tag.Kind, byARN bool) string {
	if n := kind.Naming(); n.ByARN && (n.Made || byARN) {
		return arn(kind)
	}
	return kind.Naming().Example
}

// byARN says whether a record names a thing by its ARN: if it may name several kinds of things, or says so.
func byARN(r tag.Record) bool {
	return r.Names.Kind == "" && r.Service != "ec2" || strings.HasSuffix(r.Names.Path[len(r.Names.Path)-1], "Arn")
}

// Cells returns all of them.
func Cells() []Cell {
	var all []Cell
	for _, w := range tag.Wishes {
		for _, r := range w.Announced() {
			for _, s := range shapes(w, r) {
				all = append(all, Cell{Name: strings.TrimSpace(fmt.Sprintf("%s %s %s %s", w.On, w.Key, r.Call, s.name)), Wish: w, Record: r,
					ID: called(w.On, byARN(r) || s.byARN), Event: call(w, r, s)})
			}
		}
		all = append(all, Cell{Name: fmt.Sprintf("%s %s Tag Change on Resource", w.On, w.Key), Wish: w, ID: called(w.On, true), Event: event(w.On, "aws.tag", "Tag Change on Resource",
			[]string{arn(w.On)}, object{"changed-tag-keys": []string{"Name", w.Key}, "service": w.On.Service(), "resource-type": string(w.On), "version": 1, "tags": object{w.Key: "x"}})})
		for _, number := range map[tag.Kind][]string{tag.DBInstance: {"RDS-EVENT-0003", "RDS-EVENT-0005", "RDS-EVENT-0043"}, tag.DBCluster: {"RDS-EVENT-0170", "RDS-EVENT-0171"}}[w.On] {
			kind := map[tag.Kind]string{tag.DBInstance: "RDS DB Instance Event", tag.DBCluster: "RDS DB Cluster Event"}[w.On]
			all = append(all, Cell{Name: fmt.Sprintf("%s %s %s %s", w.On, w.Key, kind, number), Wish: w, ID: arn(w.On),
				Event: event(w.On, "aws.rds", kind, []string{arn(w.On)}, object{"SourceArn": arn(w.On), "SourceIdentifier": w.On.Naming().Example, "EventID": number})})
		}
	}
	return all
}

type object = map[string]any

// shape is one way of writing the same record.
type shape struct {
	name              string
	request, response object
	byARN             bool // although the record may have another name
}

// shapes returns the ways in which CloudTrail may write a record.
func shapes(w tag.Wish, r tag.Record) []shape {
	key, value := w.Key, any("x")
	flatTags := []any{object{"key": "Name", "value": "x"}, object{"key": key, "value": value}}
	name := any(w.On.Naming().Example)
	if byARN(r) {
		name = arn(w.On)
	}
	switch {
	case r.Service == "ec2" && r.Names.Kind == "":
		resources := object{"items": []any{object{"resourceId": "i-0123456789abcdef0"}, object{"resourceId": name}}}
		out := []shape{
			{name: "", request: object{"resourcesSet": resources, "tagSet": object{"items": flatTags}}, response: object{"requestId": "x", "_return": true}},
			{name: "one alone", request: object{"resourcesSet": object{"items": object{"resourceId": name}}, "tagSet": object{"items": object{"key": key, "value": true}}}},
		}
		if r.Act == tag.Removes {
			out = append(out, shape{name: "all tags", request: object{"resourcesSet": resources, "tagSet": object{}}, response: object{"_return": true}})
		}
		return out
	case r.Service == "ec2":
		request, response := object{}, object{"requestId": "x"}
		wrappedRequest, wrappedResponse := object{}, object{"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "requestId": "x"}
		if r.Names.Response {
			put(response, name, r.Names.Path...)
			put(wrappedResponse, name, r.Names.Path...)
		} else {
			put(request, name, r.Names.Path...)
			put(wrappedRequest, name, title(r.Names.Path[0]))
		}
		if r.Act == tag.Creates {
			request["tagSpecificationSet"] = object{"items": []any{object{"resourceType": string(w.On), "tags": flatTags}}}
			wrappedRequest["TagSpecification"] = object{"tag": 1, "ResourceType": string(w.On),
				"Tag": []any{object{"tag": 1, "Key": "Name", "Value": "x"}, object{"tag": 2, "Key": key, "Value": true}}}
		}
		return []shape{{name: "", request: request, response: response},
			{name: "wrapped", request: object{r.Call + "Request": wrappedRequest}, response: object{r.Call + "Response": wrappedResponse}}}
	}
	request, response := object{}, object(nil)
	if r.Service == "tagging" {
		name = []any{name}
	}
	if r.Names.Response {
		response = object{}
		put(response, name, r.Names.Path...)
	} else {
		put(request, name, r.Names.Path...)
	}
	switch {
	case r.Act == tag.Deletes:
		return []shape{{name: "", request: request, response: response}}
	case r.Act == tag.Removes && r.Service == "rds":
		other := object{"resourceName": name, "tags": []any{key}}
		request["tagKeys"] = []any{key}
		return []shape{{name: "", request: request}, {name: "keys as tags", request: other}}
	case r.Act == tag.Removes:
		request["tagKeys"] = []any{key}
	case r.Service == "kms": // whose tags have fields of other names
		request["tags"] = []any{object{"tagKey": "Name", "tagValue": "x"}, object{"tagKey": key, "tagValue": value}}
	case r.Service == "tagging":
		request["tags"] = object{"Name": "x", key: value}
	default:
		request["tags"] = flatTags
	}
	out := []shape{{name: "", request: request, response: response}}
	if (w.On == tag.StoredSecret || w.On == tag.KMSKey) && r.Act != tag.Creates && r.Service != "tagging" {
		other := maps.Clone(request)
		put(other, arn(w.On), r.Names.Path...)
		out = append(out, shape{name: "by ARN", request: other, byARN: true})
	}
	return out
}

func put(into object, value any, path ...string) {
	for _, name := range path[:len(path)-1] {
		next := object{}
		into[name] = next
		into = next
	}
	into[path[len(path)-1]] = value
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

func call(w tag.Wish, r tag.Record, s shape) json.RawMessage {
	return event(w.On, "aws."+r.Service, "AWS API Call via CloudTrail", nil, object{
		"eventVersion": "1.11", "eventSource": r.Service + ".amazonaws.com", "eventName": r.Call, "eventType": "AwsApiCall", "readOnly": false,
		"userIdentity":      object{"type": "IAMUser", "accountId": Account, "userName": "someone"},
		"requestParameters": s.request, "responseElements": s.response, "recipientAccountId": Account,
	})
}

func event(kind tag.Kind, source, detailType string, resources []string, detail object) json.RawMessage {
	region := Region
	if kind == tag.Role { // IAM's calls are recorded in one Region of the partition
		region = "us-east-1"
	}
	if resources == nil {
		resources = []string{}
	}
	raw, err := json.Marshal(object{"version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602", "detail-type": detailType, "source": source,
		"account": Account, "time": "2026-11-28T12:00:00Z", "region": region, "resources": resources, "detail": detail})
	if err != nil {
		panic(err)
	}
	return raw
}
