package local

import (
	"regexp"
	"sync"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// accounts remembers which account and role an access key id belongs to.
type accounts struct {
	mu   sync.Mutex
	keys map[string]owner
}

type owner struct{ account, role string }

// of returns the account of an access key id, and the role if there is one: the
// number itself, or what was learned; the hub for anything else, as in moto.
func (a *accounts) of(key string) (account, role string) {
	if awscall.IsAccount(key) {
		return key, ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if o, ok := a.keys[key]; ok {
		return o.account, o.role
	}
	return HubAccount, ""
}

// own says whose an access key id is.
func (a *accounts) own(key string, o owner) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil {
		a.keys = map[string]owner{}
	}
	a.keys[key] = o
}

var (
	newKey  = regexp.MustCompile(`<AccessKeyId>([A-Z0-9]+)</AccessKeyId>`)
	roleARN = regexp.MustCompile(`^arn:[^:]*:iam::(\d{12}):role/(?:.*/)?([^/]+)$`)
)

// hands reports whether the answer to the call hands out access keys.
func hands(c awscall.Call) bool {
	switch c.Action {
	case "AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetSessionToken", "GetFederationToken", "CreateAccessKey":
		return true
	}
	return false
}

// learn takes the answer of a call that hands out keys.
func (a *accounts) learn(c awscall.Call, answer []byte) {
	m := newKey.FindSubmatch(answer)
	if m == nil {
		return
	}
	o := owner{account: c.Account}
	if role := roleARN.FindStringSubmatch(c.Resource); role != nil {
		o = owner{account: role[1], role: role[2]}
	}
	a.own(string(m[1]), o)
}
