package local

import (
	"regexp"
	"sync"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// accounts remembers which account an access key id belongs to.
type accounts struct {
	mu   sync.Mutex
	keys map[string]string
}

// of returns the account of an access key id: the number itself, or what was
// learned; the hub for anything else, as in moto.
func (a *accounts) of(key string) string {
	if awscall.IsAccount(key) {
		return key
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if account, ok := a.keys[key]; ok {
		return account
	}
	return HubAccount
}

var (
	newKey     = regexp.MustCompile(`<AccessKeyId>([A-Z0-9]+)</AccessKeyId>`)
	arnAccount = regexp.MustCompile(`^arn:[^:]*:(?:iam|sts)::(\d{12}):`)
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
	owner := c.Account
	if role := arnAccount.FindStringSubmatch(c.Resource); role != nil {
		owner = role[1]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil {
		a.keys = map[string]string{}
	}
	a.keys[string(m[1])] = owner
}
