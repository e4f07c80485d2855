package why

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Ref is what somebody calls an end. What is empty was not said.
type Ref struct {
	Account, Region string
	Kind            string // notebook, function, domain, interface, address, database; empty for a bare name
	Name            string
	Address         netip.Addr
	Port            int
	Host            string // the endpoint, as it was given
}

var (
	accountForm = regexp.MustCompile(`^\d{12}$`)
	domainForm  = regexp.MustCompile(`^d-[a-z0-9]{4,}$`)
	// endpointForm is a host of a database's: in China, the service stands before the Region.
	endpointForm = func() *regexp.Regexp {
		host := `(?:(?:` + strings.Join(database.Hosts(), "|") + `)\.)?`
		return regexp.MustCompile(`^([a-z][a-z0-9-]*)\.(?:[a-z0-9-]+\.)+?` + host + `([a-z]{2}(?:-[a-z]+)+-\d)\.` + host + `(.+)$`)
	}()
	// scopedForm is a name with an account, and perhaps a Region, before it.
	scopedForm = regexp.MustCompile(`^(\d{12})/(?:([a-z]{2}(?:-[a-z]+)+-\d)/)?(.+)$`)
)

func invalid(what, text, forms string) error {
	return &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("reading %s: %q is none", what, text), Remedy: "name it as " + forms}
}

const (
	fromForms = "NAME of a notebook or function, notebook/NAME, function/NAME, d-… of a Studio domain, eni-…, an address or an ARN; with ACCOUNT/ before it if it is in another account"
	toForms   = "NAME of a database, its endpoint or ADDRESS:PORT, or an ARN; with ACCOUNT/ before a name"
)

// ParseFrom reads what somebody calls the client.
func ParseFrom(text string) (Ref, error) {
	r, rest := scoped(text)
	if name, kind, ok := byARN(rest, &r, map[string]string{"notebook-instance/": "notebook", "function:": "function", "domain/": "domain", "network-interface/": "interface"}); ok {
		r.Name, r.Kind = name, kind
		return r, nil
	}
	if a, err := netip.ParseAddr(rest); err == nil {
		r.Kind, r.Address, r.Name = "address", a.Unmap(), rest
		return r, nil
	}
	for _, kind := range []string{"notebook", "function"} {
		if name, ok := strings.CutPrefix(rest, kind+"/"); ok && name != "" {
			r.Kind, r.Name = kind, name
			return r, nil
		}
	}
	switch {
	case strings.HasPrefix(rest, "eni-"):
		r.Kind = "interface"
	case domainForm.MatchString(rest):
		r.Kind = "domain"
	case rest == "" || strings.ContainsAny(rest, " :/"):
		return r, invalid("the client", text, fromForms)
	}
	r.Name = rest
	return r, nil
}

// ParseTo reads what somebody calls the database.
func ParseTo(text string) (Ref, error) {
	r, rest := scoped(text)
	if name, _, ok := byARN(rest, &r, databases()); ok {
		r.Name, r.Kind = name, "database"
		return r, nil
	}
	r.Kind = "database"
	host := rest
	if at := strings.LastIndexByte(rest, ':'); at >= 0 && (strings.Count(rest, ":") == 1 || strings.HasPrefix(rest, "[")) {
		port, err := strconv.ParseUint(rest[at+1:], 10, 16)
		if err != nil || port == 0 {
			return r, invalid("the database", text, toForms)
		}
		r.Port, host = int(port), strings.Trim(rest[:at], "[]")
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if r.Port == 0 {
			return r, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("reading the database: the address %s has no port", host), Remedy: fmt.Sprintf("name it as ADDRESS:PORT, such as %s:5432", host)}
		}
		r.Kind, r.Address, r.Name = "address", a.Unmap(), rest
		return r, nil
	}
	if m := endpointForm.FindStringSubmatch(strings.ToLower(host)); m != nil && m[3] == arn.DNSSuffix(m[2]) {
		r.Name, r.Region, r.Host = m[1], m[2], strings.ToLower(host)
		return r, nil
	}
	if host == "" || strings.ContainsAny(host, " :/.") {
		return r, invalid("the database", text, toForms)
	}
	r.Name = host
	return r, nil
}

// databases are how ARNs of databases go on after the account: of each kind that is served, and of Redshift's own ARN of a cluster.
func databases() map[string]string {
	all := map[string]string{"namespace:": "database"}
	for _, k := range database.Served() {
		all[k.Resource] = "database"
	}
	return all
}

func scoped(text string) (Ref, string) {
	if m := scopedForm.FindStringSubmatch(text); m != nil {
		return Ref{Account: m[1], Region: m[2]}, m[3]
	}
	return Ref{}, text
}

// byARN reads an ARN whose resource begins with one of prefixes.
func byARN(text string, r *Ref, prefixes map[string]string) (name, kind string, ok bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return "", "", false
	}
	for prefix, k := range prefixes {
		if rest, found := strings.CutPrefix(parts[5], prefix); found && rest != "" && accountForm.MatchString(parts[4]) {
			r.Region, r.Account = parts[3], parts[4]
			if kind = k; kind == "function" { // a version or alias may follow
				rest, _, _ = strings.Cut(rest, ":")
			}
			return rest, kind, true
		}
	}
	return "", "", false
}
