# Drawbridge. `make` alone prints the targets.
#
# A fresh machine needs Go, Python 3 (with venv) and, for the CDK app and its tests, npm. Everything else is set up here.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

FUNCTIONS := $(notdir $(patsubst %/,%,$(wildcard functions/*/)))
PYTHON    ?= python3
GO        ?= go
SCENARIO  ?= s1
STACKS    ?= drawbridge-hub drawbridge-organization
OPTIONS   ?=
VERSION   ?=
UNCHECKED ?=
BASE      ?= HEAD

# What runs here (command, functions, tests) is compiled with one set of flags, so that nothing is compiled twice. The SDK and the CDK are
# most of it, and take half as long without inlining and without what debuggers read. `eval $(make goflags)` gives them to a shell.
export GOFLAGS ?= '-gcflags=github.com/aws/...=-l -dwarf=false'

# The compiler collects garbage less often: a quarter less work for 3 GB of memory instead of 2, on two cores.
export GOGC ?= 400
BUILD := $(GO) build -buildvcs=false

# What Python imports is compiled once, whatever the shell says: the AWS CLI and cfn-lint, which the tests start often, take a quarter of the time.
export PYTHONDONTWRITEBYTECODE :=

# A function has no net/rpc and no symbols; on Lambda no cgo, no paths and no build id either.
# https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
FUNCTION_BUILD := $(BUILD) -tags lambda.norpc
LAMBDA_BUILD   := GOFLAGS= CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(FUNCTION_BUILD) -trimpath -ldflags '-s -w -buildid='

# In a recipe, not as a target: make would not begin what needs such a target until all else that it has begun is done.
NEED_GO := command -v $(GO) >/dev/null || { echo "Go is missing: install Go 1.26 or newer from https://go.dev/dl/" >&2; exit 1; }

# A virtual environment, in the folder $(1), with what the files $(2) require. uv installs in 2 s what takes pip 40; pip is there to install uv.
UV   := uv==0.13.9
VENV  = command -v $(PYTHON) >/dev/null || { echo "Python is missing: install Python 3.11 or newer with its venv module" >&2; exit 1; }; \
	rm -rf $(1); mkdir -p $(dir $(1)); $(PYTHON) -m venv $(1) || { echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }; \
	$(1)/bin/pip install --quiet --disable-pip-version-check $(UV) && \
	$(1)/bin/uv pip install --quiet --python $(1)/bin/python $(addprefix -r ,$(2)) || { echo "$(1) could not be installed from PyPI: it says why above" >&2; exit 1; }

# Targets that do not need each other, at the same time: what is downloaded comes while Go compiles.
TOGETHER := $(MAKE) --no-print-directory -j4

.PHONY: help
help: ## print this list
	@awk 'BEGIN {FS = ":.*## "; print "Targets:"} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What the functions are made of, and what the operator's command is made of. Nothing is linked again unless it changed.
FUNCTION_SOURCES := $(shell find functions pkg -path pkg/local -prune -o -type f ! -name '*_test.go' -print) go.mod go.sum Makefile
COMMAND_SOURCES  := $(shell find cmd pkg infra/template -type f ! -name '*_test.go' ! -path '*/__pycache__/*') go.mod go.sum Makefile

.PHONY: build
build: bin/drawbridge bin/functions/ready ## build bin/drawbridge and the functions for this machine

bin/drawbridge: $(COMMAND_SOURCES)
	@$(NEED_GO)
	@echo "building bin/drawbridge"
	@$(BUILD) -o bin/drawbridge ./cmd/drawbridge
	@touch $@

# After the command: two builds at once would compile the same packages, each for itself.
bin/functions/ready: $(FUNCTION_SOURCES) | bin/drawbridge
	@$(NEED_GO)
	@echo "building $(words $(FUNCTIONS)) functions"
	@rm -rf bin/built bin/functions && mkdir -p bin/built
	@$(FUNCTION_BUILD) -ldflags '-s -w' -o bin/built/ ./functions/...
	@for f in $(FUNCTIONS); do mkdir -p bin/functions/$$f && mv bin/built/$$f bin/functions/$$f/bootstrap; done
	@rm -rf bin/built && touch bin/functions/s1 $@

# What S1 plays, which is all that make demo needs: a test holds the list. Whoever has built all functions has these.
S1 := accept-peering add-routes allow-dns-resolution attach-routes inject-routes inspect-notebooks inspect-peering open-firewall verify-connection

bin/functions/s1: $(FUNCTION_SOURCES) | bin/drawbridge
	@$(NEED_GO)
	@echo "building the $(words $(S1)) functions of S1"
	@rm -rf bin/built bin/functions && mkdir -p bin/built
	@$(FUNCTION_BUILD) -ldflags '-s -w' -o bin/built/ $(addprefix ./functions/,$(S1))
	@for f in $(S1); do mkdir -p bin/functions/$$f && mv bin/built/$$f bin/functions/$$f/bootstrap; done
	@rm -rf bin/built && touch $@

.PHONY: goflags
goflags: ## print what makes your own go commands take what make has compiled
	@echo "export GOFLAGS=\"$$GOFLAGS\" PYTHONDONTWRITEBYTECODE="

.PHONY: package
package: dist/functions/ready ## build the functions for Lambda (arm64) into dist/functions

dist/functions/ready: $(FUNCTION_SOURCES)
	@$(NEED_GO)
	@echo "building $(words $(FUNCTIONS)) functions for arm64"
	@rm -rf dist/built dist/functions && mkdir -p dist/built
	@$(LAMBDA_BUILD) -o dist/built/ ./functions/...
	@for f in $(FUNCTIONS); do mkdir -p dist/functions/$$f && mv dist/built/$$f dist/functions/$$f/bootstrap; done
	@rm -rf dist/built && touch $@

.PHONY: demo
demo: ## play a scenario on the local engine (SCENARIO=s1 to s5)
	@$(TOGETHER) $(if $(filter s1,$(SCENARIO)),bin/drawbridge bin/functions/s1,build) .venv/ready
	@bin/drawbridge demo --scenario $(SCENARIO)

.PHONY: bench
bench: build package .venv/ready ## count calls, transitions, sizes; time a connection against the bare calls
	@bin/drawbridge bench

# go test keeps the result of a package, and of each of these shares of the stories, until something changes that it looked at.
PLAY := $(GO) test -timeout 60m -ldflags '-s -w'

.PHONY: test
test: ## run all tests; what has passed and has not changed since is not run again
	@$(TOGETHER) build .venv/ready .venv-docs/ready node_modules/ready
	@echo "test 1/4: formatting and vet"
	@unformatted=$$(gofmt -l cmd events functions infra pkg docs); test -z "$$unformatted" || { echo "not formatted by gofmt: $$unformatted" >&2; exit 1; }
	@$(GO) vet -composites=false ./...
	@echo "test 2/4: the AWS emulation's additions; CDK app, templates and machines"
	@failed=; \
	(cd pkg/local/moto && ../../../.venv/bin/python -m unittest discover --start-directory tests --top-level-directory .) & emulation=$$!; \
	DRAWBRIDGE_TERRAFORM=crosscheck $(GO) test ./infra/... || failed=1; \
	wait $$emulation || failed=1; test -z "$$failed"
	@echo "test 3/4: the demo, and the network proof of the on-start script that it leaves"
	@sh pkg/lifecycle/netproof/install.sh
	@sh pkg/picture/install.sh
	@mkdir -p out && bin/drawbridge demo >out/demo.txt 2>&1 || { cat out/demo.txt >&2; exit 1; }
	@$(GO) test -timeout 45m ./pkg/lifecycle/netproof
	@echo "test 4/4: packages; on the local engine the stories, faults and crowds, and worlds, side by side"
	@failed=; played=; \
	$(PLAY) -run '^TestStories$$' ./pkg/local/stories & played="$$played $$!"; \
	DRAWBRIDGE_FAULTS=sample $(PLAY) -run '$(ROUGH)' ./pkg/local/stories & played="$$played $$!"; \
	$(PLAY) -skip '^TestStories$$|$(ROUGH)' ./pkg/local/stories & played="$$played $$!"; \
	$(GO) test -timeout 60m $$($(GO) list ./... | grep -vE '/infra|/netproof$$|/local/stories$$') || failed=1; \
	for share in $$played; do wait $$share || failed=1; done; test -z "$$failed"
	@echo "make test: all tests passed"

# By the packages that git calls changed and those that are made of them. -short leaves out what plays on the local engine, in networks or in a browser.
.PHONY: changed
changed: ## test what changed since the last commit, without the engine (BASE=main: since that branch)
	@$(NEED_GO)
	@{ git diff --name-only $(BASE); git ls-files --others --exclude-standard; } | xargs -r -n1 dirname | sort -u | while read -r d; do \
		while test "$$d" != . && ! ls "$$d"/*.go >/dev/null 2>&1; do d=$$(dirname "$$d"); done; \
		if test "$$d" != .; then $(GO) list "./$$d"; fi; \
	done >bin/changed
	@$(GO) list -test -f '{{$$p := .ImportPath}}{{$$p}}|{{$$p}}{{range .Deps}}{{"\n"}}{{$$p}}|{{.}}{{end}}' ./... | \
		awk -F'|' 'NR == FNR {changed[$$1]; next} {sub(/ .*/, "", $$1); sub(/[._]test$$/, "", $$1); sub(/ .*/, "", $$2); if ($$2 in changed) print $$1}' bin/changed - | sort -u >bin/affected
	@echo "$$(sort -u bin/changed | wc -l) packages changed, $$(wc -l <bin/affected) are made of them"
	@test ! -s bin/affected || $(GO) test -short $$(cat bin/affected)

# The tests of pkg/local/stories that need an engine of their own, for faults and crowds.
ROUGH := ^Test(Faults|TheLedgerIsStruck|Burst|AHolderThatFailed|TheNextHasTheVerdict|AHandIsSeenAndAContestIsToldOnce|ARouteAndItsHostRouteAreTakenAwayTogether|FiveTimes|FiveCallsAtOnce|AcceptBeforeCreate|DeletedWhileConnecting|TwoConsumers|OneConfiguration|EveryRecordOfEveryTagIsHeard)$$

.PHONY: crosscheck
crosscheck: build .venv/ready node_modules/ready out/authorizations.jsonl ## hold rules, machines and roles against judges that were not written here
	@PATH="$(CURDIR)/node_modules/node/bin:$$PATH" $(GO) run ./infra/crosscheck

# What the roles ask for, which make test leaves too.
out/authorizations.jsonl: bin/drawbridge bin/functions/ready $(wildcard pkg/local/stories/*.go) | .venv/ready
	@echo "playing the stories, to see what the roles ask for"
	@$(GO) test -count=1 -timeout 45m -run '^TestStories$$' ./pkg/local/stories

.PHONY: faults
faults: build .venv/ready ## strike the AWS calls of the stories with every fault; plan all stories; 200 drawn worlds; a burst of requests (make test tries a sample)
	@DRAWBRIDGE_ROUNDS=200 $(GO) test -count=1 -timeout 360m -v -run '^TestWhatIsOthersStays$$' ./pkg/local/stories | grep -v '^=== '
	@DRAWBRIDGE_PLANS=all $(GO) test -count=1 -timeout 360m -v -run '^TestAPlanIsWhatARunDoes$$' ./pkg/local/stories | grep -v '^=== '
	@DRAWBRIDGE_FAULTS=all $(GO) test -count=1 -timeout 360m -v -run '$(ROUGH)' ./pkg/local/stories | grep -v '^=== '

# LocalStack, from PyPI, in a virtual environment of its own.
.crosscheck/localstack/ready: infra/crosscheck/localstack/requirements.txt infra/crosscheck/localstack/requirements.lock.txt
	@echo "setting up .crosscheck/localstack (LocalStack)"
	@$(call VENV,$(@D),$<)
	@touch $@

# OPTIONS go to the CDK's command line as they are: -c key=value, --require-approval never, --profile …
CDK := PATH="$(CURDIR)/node_modules/node/bin:$(CURDIR)/node_modules/.bin:$$PATH" cdk

.PHONY: synth diff deploy
synth: package node_modules/ready ## synthesize the CDK app into cdk.out
	@$(CDK) synth --quiet $(OPTIONS)
diff: package node_modules/ready ## compare the CDK app with what is deployed
	@$(CDK) diff --exclusively $(OPTIONS) $(STACKS)
deploy: package node_modules/ready ## deploy the hub, then the members (docs/deploy.md)
	@$(CDK) deploy --strict --exclusively $(OPTIONS) $(STACKS)

# What a release says of itself is made by tools of these versions.
CYCLONEDX   := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
RELEASE     := dist/release/drawbridge-$(VERSION)

.PHONY: release
release: package ## write a release to dist/release (VERSION=1.2.0): templates, zipped functions, SBOM, sums (docs/deploy.md)
	@$(GO) run ./infra/release -version '$(VERSION)' -functions dist/functions -out '$(RELEASE)'
	@sh infra/release/vulnerabilities.sh '$(RELEASE)/VULNERABILITIES.txt' $(GO) $(GOVULNCHECK) '$(UNCHECKED)'
	@mkdir -p out && $(GO) run $(CYCLONEDX) mod -json -noserial -notimestamp -std -short-purls -output out/sbom.json 2>out/sbom.log || { cat out/sbom.log >&2; exit 1; }
	@$(GO) run ./infra/release -sbom out/sbom.json -version '$(VERSION)' -out '$(RELEASE)'
	@echo "$(RELEASE): $$(ls '$(RELEASE)/functions' | wc -l) functions; sha256 of SHA256SUMS: $$(sha256sum <'$(RELEASE)/SHA256SUMS' | cut -d' ' -f1)"

.PHONY: vulnerabilities
vulnerabilities: ## ask govulncheck what is known of what this is made of (UNCHECKED='why not': do without an answer)
	@$(NEED_GO)
	@mkdir -p out
	@sh infra/release/vulnerabilities.sh out/vulnerabilities.txt $(GO) $(GOVULNCHECK) '$(UNCHECKED)'

# The second build is in a folder and a cache of its own, so that nothing of the first one, and of where it was made, can be in it.
.PHONY: release-twice
release-twice: release ## build the release once more, elsewhere and from nothing, and compare the two; many minutes
	@rm -rf out/again && mkdir -p out/again/cache && git archive --format=tar HEAD | tar -x -C out/again
	@GOCACHE="$(CURDIR)/out/again/cache" $(MAKE) --no-print-directory -C out/again release VERSION='$(VERSION)' UNCHECKED='$(UNCHECKED)'
	@diff -r '$(RELEASE)' 'out/again/$(RELEASE)' && echo "make release-twice: the two are alike, byte for byte"
	@rm -rf out/again

.PHONY: golden
golden: build .venv/ready node_modules/ready ## rewrite the golden files; read their diff before you commit
	@$(GO) test ./infra -update
	@$(GO) test ./pkg/board ./pkg/why ./pkg/history ./pkg/who ./pkg/deed ./pkg/doctor ./pkg/report ./pkg/plan -update
	@$(GO) test ./pkg/picture -run 'Document|Drawing' -update
	@$(GO) test ./cmd/drawbridge -run Help -update
	@$(GO) test -count=1 ./pkg/local/stories -update

# What the targets above need. Each says in one sentence what is missing.

.venv/ready: pkg/local/moto/requirements.txt pkg/lifecycle/requirements.txt infra/requirements.txt
	@echo "setting up .venv (Python packages of the local engine)"
	@$(call VENV,$(@D),$^)
	@touch $@

.venv-docs/ready: docs/requirements.txt
	@echo "setting up .venv-docs (the AWS CLI, for the commands in docs/deploy.md)"
	@$(call VENV,$(@D),$^)
	@touch $@

node_modules/ready: package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer from https://nodejs.org" >&2; exit 1; }
	@echo "setting up node_modules (CDK CLI, Node.js 22 for jsii, axe-core)"
	@npm ci --silent --no-audit --no-fund
	@touch $@
