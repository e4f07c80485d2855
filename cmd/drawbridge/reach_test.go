package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configuration is that of somebody who has SSO, a role that is taken by it, and keys.
const configuration = `[profile science]
region = eu-central-1
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Reader

[profile through]
region = eu-west-1
role_arn = arn:aws:iam::222222222222:role/Reader
source_profile = science

[profile keys]
region = us-west-2
aws_access_key_id = AKIAKEYS
aws_secret_access_key = any

[profile nowhere]
aws_access_key_id = AKIAKEYS
aws_secret_access_key = any

[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1
sso_registration_scopes = sso:account:access
`

// Whoever asks reaches AWS by the SDK's chain, as every other tool of theirs: by the profile that a flag or the environment names, with its Region, and by SSO. What keeps
// them out is one sentence, which ends with what they do about it.
func TestProfilesReachTheChainOfTheSDK(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	var asked []string // by whom, and where
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization"))
		http.Error(w, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>it is not known</Message></Error></ErrorResponse>", http.StatusForbidden)
	}))
	defer aws.Close()
	for name, c := range map[string]struct {
		args, environment []string
		says              []string
		signed            string // as the request was, if there was one
	}{
		"SSO by a flag": {args: []string{"status", "--profile", "science"},
			says: []string{"asking who you are by the profile science: ", "failed to read cached SSO token file", ": sign in by aws sso login --profile science\n"}},
		"SSO by the environment": {args: []string{"why", "research", "sales"}, environment: []string{"AWS_PROFILE=science"},
			says: []string{"by the profile science: ", ": sign in by aws sso login --profile science\n"}},
		"a role that is taken by SSO": {args: []string{"who", "sales", "--profile", "through"},
			says: []string{"by the profile through: ", ": sign in by aws sso login --profile science\n"}},
		"a flag before the environment": {args: []string{"plan", "--profile", "keys"}, environment: []string{"AWS_PROFILE=science"},
			says: []string{"by the profile keys: ", "InvalidClientTokenId", ": sign in, or name a profile with --profile\n"}, signed: "Credential=AKIAKEYS/"},
		"the Region of the profile": {args: []string{"doctor"}, environment: []string{"AWS_PROFILE=keys"}, says: []string{"by the profile keys: "}, signed: "/us-west-2/sts/"},
		"another Region":            {args: []string{"history", "pcx-1", "--profile", "keys", "--region", "eu-north-1"}, says: []string{"by the profile keys: "}, signed: "/eu-north-1/sts/"},
		"no Region":                 {args: []string{"report", "--profile", "nowhere"}, says: []string{"no Region is set: name it with --region"}},
		"no such profile":           {args: []string{"map", "--profile", "nobody"}, says: []string{"there is no profile nobody: aws configure list-profiles names yours\n"}},
		"no credentials": {args: []string{"status", "--region", "us-east-1"},
			says: []string{"asking who you are: no credentials are found", ": sign in, or name a profile with --profile\n"}},
		"no credentials for the engine": {args: []string{"status", "--region", "us-east-1"}, environment: []string{"AWS_ENDPOINT_URL=http://127.0.0.1:4566"},
			says: []string{"asking who you are: no credentials are found", ": sign in, or name a profile with --profile; if AWS_ENDPOINT_URL is that of drawbridge local, --local=127.0.0.1:4566 needs none\n"}},
		"SSO that expired, for the engine": {args: []string{"doctor", "--profile", "science"}, environment: []string{"AWS_ENDPOINT_URL=http://127.0.0.1:4566"},
			says: []string{"by the profile science: ", ": sign in by aws sso login --profile science; if AWS_ENDPOINT_URL is"}},
		"keys that the engine's address does not know": {args: []string{"plan", "--profile", "keys"}, environment: []string{"AWS_ENDPOINT_URL=" + aws.URL},
			says: []string{"by the profile keys: ", "InvalidClientTokenId", ": sign in, or name"}, signed: "Credential=AKIAKEYS/"},
		"an engine that is not there": {args: []string{"status", "--profile", "keys"}, environment: []string{"AWS_ENDPOINT_URL=http://127.0.0.1:9", "AWS_ENDPOINT_URL_STS="},
			says: []string{"asking the engine at http://127.0.0.1:9: dial tcp 127.0.0.1:9: connect: connection refused: start drawbridge local, or drawbridge demo --stay"}},
		"what is no engine": {args: []string{"status", "--local=" + page.URL},
			says: []string{"asking the engine at " + page.URL + ": what answers there does not speak as AWS does", ": start drawbridge local"}},
		"no network": {args: []string{"status", "--profile", "keys"}, environment: []string{"AWS_ENDPOINT_URL_STS=http://127.0.0.1:9"},
			says: []string{"asking who you are by the profile keys: dial tcp 127.0.0.1:9: connect: connection refused: see whether this machine reaches AWS, and by which proxy: HTTPS_PROXY\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			asked = nil
			cmd := drawbridge(t, c.args...)
			var out, talk bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &talk
			cmd.Env = append([]string{"BE_DRAWBRIDGE=1", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "AWS_CONFIG_FILE=" + file, "AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL_STS=" + aws.URL}, c.environment...)
			_ = cmd.Run()
			said := talk.String()
			if exit := cmd.ProcessState.ExitCode(); exit != 1 || out.Len() > 0 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "drawbridge: ") {
				t.Errorf("it exits with %d, prints %q and says %q", exit, out.String(), said)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q: %s", want, said)
				}
			}
			if signed := strings.Join(asked, " "); (c.signed == "") != (signed == "") || !strings.Contains(signed, c.signed) {
				t.Errorf("it asked as %q, want %q", signed, c.signed)
			}
		})
	}
}
