# make check is what CI runs. Everything else is a part of it, or a convenience.

GO ?= go
# The race detector sleeps for a second at every exit, also at that of helpers.
export GORACE ?= atexit_sleep_ms=0

.PHONY: build test race check cross generate
.DEFAULT_GOAL := build

# Static, also where there is a C compiler: package net would be linked with libc.
build:
	CGO_ENABLED=0 $(GO) build -o bin/ ./cmd/...

test:
	$(GO) test ./...

race:
	$(GO) test -race ./...

check:
	./.ci/run

# Linux is first class; elsewhere it must build, and vet where it is Unix.
cross:
	GOOS=darwin $(GO) vet ./...
	GOOS=freebsd $(GO) vet ./...
	GOOS=windows $(GO) build ./...
	GOOS=linux GOARCH=arm64 $(GO) build ./...

# The generators are tools of a module of their own.
generate:
	cd tools && $(GO) tool buf generate ../internal/wire --template ../internal/wire/buf.gen.yaml -o ../internal/wire
