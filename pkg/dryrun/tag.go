package dryrun

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// since is the tag that says when a status was said last.
const since = tag.Since

// retag tags a thing, and returns what that changes: a tag that has the value already is no change, nor is the time at which the same is said again.
func (w *World) retag(account, id string, tags map[string]string) []Change {
	out, news := []Change{}, false
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		at := account + " " + id
		was, said := w.said[at][key]
		if now, noted := w.tags[at][key]; noted {
			was, said = aws.ToString(now), now != nil
		}
		if value := tags[key]; !said || was != value {
			out, news = append(out, tagged(id, key, value)), news || key != since
		}
		w.tag(account, id, key, aws.String(tags[key]))
	}
	if !news {
		return []Change{}
	}
	return out
}

// saw keeps tags as they were read.
func (w *World) saw(account, id string, tags map[string]string) {
	if w.said == nil {
		w.said = map[string]map[string]string{}
	}
	w.said[account+" "+id] = tags
}

func tagged(thing, key, value string) Change {
	return Change{Sign: Changes, What: "tag " + key + "=" + value, Thing: thing}
}

func untagged(thing, key string) Change {
	return Change{Sign: Changes, What: "no tag " + key + " any more", Thing: thing}
}

// widened is the input of a call as it is sent: where tags were noted, AWS is not asked for those that it has, but for all.
func (w *World) widened(c call) any {
	in, ok := c.in.(*ec2.DescribeVpcsInput)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !ok || !slices.ContainsFunc(slices.Collect(maps.Keys(w.tags)), func(at string) bool { return strings.HasPrefix(at, c.account+" vpc-") }) {
		return c.in
	}
	all := *in
	all.Filters = slices.DeleteFunc(slices.Clone(in.Filters), func(f types.Filter) bool { return strings.HasPrefix(aws.ToString(f.Name), "tag") })
	return &all
}

// with returns tags that were read with what was noted.
func (w *World) with(account, id string, read map[string]string) map[string]string {
	w.saw(account, id, read)
	out := maps.Clone(read)
	for key, value := range w.tags[account+" "+id] {
		if delete(out, key); value != nil {
			out[key] = *value
		}
	}
	return out
}

// Tag makes a thing look tagged in an account, or without a tag if value is nil. id is what EC2 and a role are called by, and else an ARN.
func (w *World) Tag(account string, kind tag.Kind, id, key string, value *string) {
	if kind == tag.Role {
		id = "role " + id
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tag(account, id, key, value)
}

func (w *World) tag(account, id, key string, value *string) {
	if w.tags == nil {
		w.tags = map[string]map[string]*string{}
	}
	at := account + " " + id
	if w.tags[at] == nil {
		w.tags[at] = map[string]*string{}
	}
	w.tags[at][key] = value
}

// tagsOf returns tags that were read with what was noted.
func (w *World) tagsOf(account, id string, tags []types.Tag) []types.Tag {
	read := map[string]string{}
	for _, t := range tags {
		read[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	w.saw(account, id, read)
	own := w.tags[account+" "+id]
	out := slices.DeleteFunc(slices.Clone(tags), func(t types.Tag) bool { _, noted := own[aws.ToString(t.Key)]; return noted })
	for key, value := range own {
		if value != nil {
			out = append(out, types.Tag{Key: &key, Value: value})
		}
	}
	return out
}

// untag takes tags off a thing, and returns what that changes.
func (w *World) untag(account, id string, keys []string) []Change {
	out := []Change{}
	for _, key := range keys {
		w.tag(account, id, key, nil)
		out = append(out, untagged(id, key))
	}
	return out
}
