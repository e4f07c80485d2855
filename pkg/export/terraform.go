package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// answers are the tags by which Drawbridge answers people on a thing.
var answers = tag.Answers

// head is what a file says at its top.
type head struct {
	ids     []string
	at      time.Time
	release []string // commands
	kept    []string // entries of which nothing lets go
}

// letsGo says as step 3 how Drawbridge lets go.
func (h head) letsGo() string {
	var out strings.Builder
	if len(h.release) > 0 {
		out.WriteString(remark("3. ", "Let Drawbridge go; everything stays as it stands:"))
	}
	for _, r := range h.release {
		out.WriteString(remark("     ", "%s", r))
	}
	if len(h.kept) > 0 {
		lead := "3. "
		if len(h.release) > 0 {
			lead = "   "
		}
		out.WriteString(remark(lead, "Of %s nothing lets go and leaves it: Drawbridge keeps it as long as its owner's tag is there. Leave that tag: when it goes, the things go. Change them as Drawbridge does, or not at all.", strings.Join(h.kept, ", ")))
	}
	return out.String()
}

// width is how wide comments are.
const width = 80

// remark returns sentences as a comment, in lines that fit, each beginning with lead; further lines of one stand below its text.
func remark(lead, format string, args ...any) string {
	var out strings.Builder
	words := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ") // what a name of somebody's has of line breaks would end the comment
	for line := range strings.SplitSeq(text.WrapSoft(words, width-2-len(lead)), "\n") {
		out.WriteString(strings.TrimRight("# "+lead+strings.TrimRight(line, " "), " ") + "\n")
		lead = strings.Repeat(" ", len(lead))
	}
	return out.String()
}

// code returns the code of Terraform: a provider for each account and Region, and each resource with what imports it.
func code(h head, things []thing, left []Left) string {
	var out strings.Builder
	out.WriteString(remark("", "What Drawbridge added for %s, for Terraform to keep. Written on %s.", strings.Join(h.ids, ", "), h.at.UTC().Format(time.DateOnly)))
	out.WriteString("#\n")
	out.WriteString(remark("", "In this order nothing is ever missing, and nothing is changed:"))
	out.WriteString(remark("1. ", "terraform init && terraform plan. It says \"%d to import, 0 to add, 0 to change, 0 to destroy\". If it says anything else, apply nothing: export anew.", len(things)))
	out.WriteString(remark("2. ", "terraform apply. Now Terraform has all of it; Drawbridge still keeps it, too."))
	out.WriteString(h.letsGo())
	out.WriteString(remark("4. ", "terraform plan. It says \"No changes\". Take the import blocks out."))
	out.WriteString(remark("", "Change nothing of it in the code before 3: Drawbridge would put it back."))
	out.WriteString("#\n")
	out.WriteString(remark("", "Where other code has a route table or a security group with all its routes or rules inline, that code takes these away when it is applied: make a resource of its own of each inline block first."))
	out.WriteString("#\n")
	out.WriteString(remark("", "Tags that begin with drawbridge: tell people what a thing is for. Take them out after 3, if you like."))
	if len(left) > 0 {
		out.WriteString("#\n")
		out.WriteString(remark("", "Not in this code:"))
		for _, l := range left {
			out.WriteString(l.remark())
		}
	}
	file := hclwrite.NewEmptyFile()
	body := file.Body()
	body.AppendNewline()
	required := body.AppendNewBlock("terraform", nil).Body()
	required.SetAttributeValue("required_version", cty.StringVal(">= 1.5.0"))
	required.AppendNewBlock("required_providers", nil).Body().SetAttributeValue("aws", cty.ObjectVal(map[string]cty.Value{
		"source": cty.StringVal("hashicorp/aws"), "version": cty.StringVal(">= 5.100.0")}))
	seen := ""
	for n, t := range things {
		if at := t.account + "/" + t.region; at != seen {
			seen = at
			provider(body, t, slices.ContainsFunc(things[n:], func(o thing) bool { return o.ignores && o.account == t.account && o.region == t.region }),
				n == 0 || !slices.ContainsFunc(things[:n], func(o thing) bool { return o.account == t.account }))
		}
		body.AppendNewline()
		for _, note := range t.notes {
			comment(body, remark("", "%s", note))
		}
		imported := body.AppendNewBlock("import", nil).Body()
		imported.SetAttributeTraversal("to", traversal(t.typ, t.name))
		imported.SetAttributeValue("id", cty.StringVal(t.id))
		body.AppendNewline()
		resource := body.AppendNewBlock("resource", []string{t.typ, t.name}).Body()
		resource.SetAttributeTraversal("provider", traversal("aws", alias(t)))
		write(resource, t.body)
	}
	out.Write(hclwrite.Format(file.Bytes()))
	return out.String()
}

// remark says in a comment of what the code does not own.
func (l Left) remark() string {
	what := fmt.Sprintf("%s %s %s, %s %s: %s. Do: %s.", l.Kind, l.Resource, l.Key, l.Account, l.Region, l.Why, strings.TrimSuffix(l.Do, "."))
	return remark("- ", "%s", strings.Join(strings.Fields(what), " "))
}

func alias(t thing) string { return identifier("in", t.account, t.region) }

// provider writes the provider of a place, and, if first, the variable that says with which profile its account is entered.
func provider(body *hclwrite.Body, t thing, ignores, first bool) {
	profile := "profile_" + t.account
	if first {
		body.AppendNewline()
		variable := body.AppendNewBlock("variable", []string{profile}).Body()
		variable.SetAttributeValue("description", cty.StringVal("Profile of your AWS configuration for account "+t.account+"; by default the credentials that you have."))
		variable.SetAttributeTraversal("type", traversal("string"))
		variable.SetAttributeValue("default", cty.NullVal(cty.String))
	}
	body.AppendNewline()
	p := body.AppendNewBlock("provider", []string{"aws"}).Body()
	p.SetAttributeValue("alias", cty.StringVal(alias(t)))
	p.SetAttributeValue("region", cty.StringVal(t.region))
	p.SetAttributeTraversal("profile", traversal("var", profile))
	p.SetAttributeValue("allowed_account_ids", cty.ListVal([]cty.Value{cty.StringVal(t.account)}))
	comment(p, "# assume_role { role_arn = \""+arn.IAM(arn.Partition(t.region), t.account, "role/ROLE")+"\" } # instead of a profile\n")
	if ignores {
		comment(p, remark("", "By these Drawbridge tells people how it goes."))
		p.AppendNewBlock("ignore_tags", nil).Body().SetAttributeValue("keys", value(answers))
	}
}

// comment writes whole lines of a comment.
func comment(body *hclwrite.Body, lines string) {
	body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte(lines)}})
}

func traversal(root string, names ...string) hcl.Traversal {
	out := hcl.Traversal{hcl.TraverseRoot{Name: root}}
	for _, n := range names {
		out = append(out, hcl.TraverseAttr{Name: n})
	}
	return out
}

func write(body *hclwrite.Body, attrs []attr) {
	for _, a := range attrs {
		switch v := a.value.(type) {
		case block:
			write(body.AppendNewBlock(a.name, nil).Body(), v)
		case document:
			body.SetAttributeRaw(a.name, hclwrite.TokensForFunctionCall("jsonencode", hclwrite.TokensForValue(parsed(string(v)))))
		default:
			body.SetAttributeValue(a.name, value(v))
		}
	}
}

// parsed is a JSON document as a value; one that is none is left a text.
func parsed(text string) cty.Value {
	typ, err := ctyjson.ImpliedType([]byte(text))
	if err == nil {
		var v cty.Value
		if v, err = ctyjson.Unmarshal([]byte(text), typ); err == nil {
			return v
		}
	}
	return cty.StringVal(text)
}

func value(v any) cty.Value {
	switch v := v.(type) {
	case string:
		return cty.StringVal(v)
	case bool:
		return cty.BoolVal(v)
	case int:
		return cty.NumberIntVal(int64(v))
	case []string:
		var all []cty.Value
		for _, s := range v {
			all = append(all, cty.StringVal(s))
		}
		if len(all) == 0 {
			return cty.ListValEmpty(cty.String)
		}
		return cty.ListVal(all)
	case map[string]string:
		all := map[string]cty.Value{}
		for key, s := range v {
			all[key] = cty.StringVal(s)
		}
		return cty.ObjectVal(all)
	}
	panic(fmt.Sprintf("no argument of Terraform's is a %T", v))
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
