# make run              a server with a simulated fleet, in this folder
# make test             everything that must hold before a change goes in
# make bench            the figures that are promised, as ratios
# make build            bin/halley with the viewer in it, and bin/halley-verify
# make lint             the style rules
# make fmt              the same, repairing what a program can repair
# make fuzz             every decoder against made-up input, FUZZ_TIME each (default 10m)
# make random           the store against plain models, RANDOM_RUNS (1000) random runs of each
# make crash            100 kills under load, counted
# make tamper           what is stored, changed in every way, and each way found and named; also on the SQL Server of
#                       HALLEY_TEST_SQLSERVER, where it is set
# make flood            200 sensors that hand over 2,688 messages each at once, counted and timed
# make people           500 people signed in at once, each with a live page: memory and processor time
# make sqlserver        everything against the SQL Server that HALLEY_TEST_SQLSERVER names
# make sqlserver-crash  20 kills of that server and an outage of SQLSERVER_AWAY (10m) under load, counted and timed
# make package          the packages for deb and rpm, in bin/
# make abuse            garbage, half requests and slow ones, in numbers

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

GOLANGCI_VERSION := 2.15.0
GOFUMPT_VERSION := 0.12.0
TOOLS := bin/tools

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GO_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

GO_SOURCES = $(shell find . \( -name node_modules -o -name bin -o -name '.git' -o -name 'halley-data*' \) -prune -o \
	-type f \( -name '*.go' -o -name '*.sql' -o -name '*.yaml' -o -name '*.service' -o -name '*.toml' -o -name 'go.*' \) -print)
VIEWER_SOURCES = $(shell find viewer \( -name node_modules -o -name dist -o -name test-results \) -prune -o -type f -print)
VIEWER_BUILT := viewer/dist/index.html

.PHONY: run test bench build lint fmt fuzz random crash tamper flood people abuse sqlserver sqlserver-crash package viewer tools clean
.NOTPARALLEL:

build: bin/halley bin/halley-verify

# The version is part of the program, so a new commit builds it anew.
bin/halley: $(GO_SOURCES) $(VIEWER_BUILT) bin/.version
	$(GO_BUILD) -o $@ ./cmd/halley

# Checks an export on the auditor's own machine.
bin/halley-verify: $(GO_SOURCES) bin/.version
	$(GO_BUILD) -o $@ ./cmd/halley-verify

bin/.version: FORCE
	@mkdir -p bin
	@[[ -f $@ && "$$(<$@)" == '$(VERSION)' ]] || echo '$(VERSION)' >$@
FORCE:

viewer: $(VIEWER_BUILT)

viewer/node_modules/.package-lock.json: viewer/package.json viewer/package-lock.json
	cd viewer && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(VIEWER_BUILT): viewer/node_modules/.package-lock.json $(VIEWER_SOURCES)
	cd viewer && npm run build
	@touch $@

run: build
	@.ci/fleet

test:
	@.ci/test

bench: $(VIEWER_BUILT)
	@.ci/bench

# With the flags of the build, so that what was compiled for it serves the linters too.
lint: tools $(VIEWER_BUILT)
	@unformatted="$$($(TOOLS)/gofumpt -l $$(git ls-files -co --exclude-standard '*.go'))"; \
	if [[ -n "$$unformatted" ]]; then printf 'not formatted, run make fmt:\n%s\n' "$$unformatted"; exit 1; fi
	$(TOOLS)/golangci-lint config verify
	CGO_ENABLED=0 GOFLAGS="$$(go env GOFLAGS) -trimpath" $(TOOLS)/golangci-lint run ./...

fmt: tools
	$(TOOLS)/golangci-lint fmt ./...
	go mod tidy

fuzz: $(VIEWER_BUILT)
	@.ci/fuzz $(or $(FUZZ_TIME),10m)

random:
	go test -count=1 -timeout 60m -run '^TestStoreKeepsTheContract.*/(rollups|model|people_at_random)$$' ./storage/sqlite -rapid.checks=$(or $(RANDOM_RUNS),1000)

crash: $(VIEWER_BUILT)
	@.ci/crash

tamper: $(VIEWER_BUILT)
	HALLEY_TAMPER_SECONDS=$(or $(TAMPER_SECONDS),60) go test -count=1 -v -timeout 30m -run 'TestTampering|TestAnOlderCopyOfTheDatabase|TestAHistoryThatWasWrittenAnew' ./cmd/halley

flood: $(VIEWER_BUILT)
	@.ci/flood

people: $(VIEWER_BUILT)
	@.ci/people

abuse: $(VIEWER_BUILT)
	@.ci/abuse

sqlserver: $(VIEWER_BUILT)
	@.ci/sqlserver

sqlserver-crash: $(VIEWER_BUILT)
	@SQLSERVER_AWAY=$(or $(SQLSERVER_AWAY),10m) .ci/sqlserver-crash

NFPM_VERSION := 2.45.2
PACKAGE_ARCH := $(shell go env GOARCH)
# A package of a commit without a tag sorts before every release.
PACKAGE_VERSION := $(if $(filter v%,$(VERSION)),$(VERSION:v%=%),0.0.0-$(VERSION))

package: bin/halley bin/halley-verify
	for kind in deb rpm; do \
		VERSION='$(PACKAGE_VERSION)' ARCH='$(PACKAGE_ARCH)' go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v$(NFPM_VERSION) \
			package --config installer/nfpm.yaml --packager $$kind --target bin/; \
	done

# The tools are taken from PATH where their version is the right one, else built into bin/tools.
tools: $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION) $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)

$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION):
	@.ci/tool golangci-lint $(GOLANGCI_VERSION) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(TOOLS)/gofumpt-$(GOFUMPT_VERSION):
	@.ci/tool gofumpt $(GOFUMPT_VERSION) mvdan.cc/gofumpt

clean:
	rm -rf bin viewer/dist viewer/node_modules
