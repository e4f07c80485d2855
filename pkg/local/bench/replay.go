package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// replay makes the recorded calls once more, one after the other over one
// connection, in a world that is built alike but does not belong to the
// organization, so that nobody else works in it. The ids and accounts of the old
// world become those of the new one.
func replay(ctx context.Context, engine *local.Engine, exchanges []exchange, old *scenario.World, s scenario.Spec) (time.Duration, int, error) {
	world, err := s.Build(ctx, engine.Config)
	if err != nil {
		return 0, 0, err
	}
	if err := world.Request(ctx); err != nil {
		return 0, 0, err
	}
	translate := translation(old, world)
	var requests []*http.Request
	for _, e := range exchanges {
		r, err := request(ctx, engine.URL(), e, translate)
		if err != nil {
			return 0, 0, err
		}
		requests = append(requests, r)
	}
	if len(requests) == 0 {
		return 0, 0, fmt.Errorf("there is no call to make")
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	began := time.Now()
	for i, r := range requests {
		answer, err := client.Do(r)
		if err != nil {
			return 0, 0, err
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return 0, 0, err
		}
		if e := exchanges[i]; answer.StatusCode != e.Status {
			return 0, 0, fmt.Errorf("%s: status %d where it was %d: %s", e.Name(), answer.StatusCode, e.Status, body)
		}
	}
	took := time.Since(began)
	verdict, err := world.Verdict(ctx)
	if err != nil {
		return 0, 0, err
	}
	if !scenario.Holds(verdict) {
		return 0, 0, fmt.Errorf("the same calls did not connect: %+v", verdict)
	}
	return took, len(requests), nil
}

// translation turns what names the old world into what names the new one.
func translation(old, new *scenario.World) func(string) string {
	pairs := []string{
		old.Connection, new.Connection,
		old.Consumer.Account, new.Consumer.Account,
		old.Producer.Account, new.Producer.Account,
	}
	byName := map[string]string{}
	for id, name := range new.Names() {
		byName[name] = id
	}
	for id, name := range old.Names() {
		pairs = append(pairs, id, byName[name])
	}
	return strings.NewReplacer(pairs...).Replace
}

var credential = regexp.MustCompile(`Credential=[^/]+/`)

// request is the recorded request again, signed as the account itself. What the
// hub is asked about stays as it was.
func request(ctx context.Context, to string, e exchange, translate func(string) string) (*http.Request, error) {
	body, account := string(e.Body), e.Account
	if account != local.HubAccount {
		body, account = translateBody(e, translate), translate(account)
	}
	r, err := http.NewRequestWithContext(ctx, e.Method, to+e.Path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	for name, values := range e.Header {
		switch name {
		case "X-Amz-Security-Token", "X-Amzn-Trace-Id", "Content-Length", "X-Forwarded-For", "User-Agent", "X-Moto-Account-Id":
			continue
		}
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "bench")
	r.Header.Set("Authorization", credential.ReplaceAllString(r.Header.Get("Authorization"), "Credential="+account+"/"))
	return r, nil
}

// translateBody looks through the encoding of a form.
func translateBody(e exchange, translate func(string) string) string {
	if !strings.HasPrefix(e.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return translate(string(e.Body))
	}
	form, err := url.ParseQuery(string(e.Body))
	if err != nil {
		return translate(string(e.Body))
	}
	for _, values := range form {
		for i := range values {
			values[i] = translate(values[i])
		}
	}
	return form.Encode()
}
