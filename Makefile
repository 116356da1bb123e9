# Each target says what it does. `make demo` and `make test` need nothing but Debian 12, Swift 6.2 or newer, and root.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CONFIGURATION ?= debug
BIN = .build/$(CONFIGURATION)

.PHONY: help dependencies build demo demo-lease test soak release bench lint format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dependencies: ## Install what is missing from Debian
	@scripts/install-dependencies

build: dependencies ## Build the executables (CONFIGURATION=debug or release)
	swift build -c $(CONFIGURATION)

demo: build ## From nothing to a running redis deployment and a finished errand
	@scripts/demo $(BIN)

demo-lease: build ## An errand that leases an account of a pool, and a janitor errand that cleans it afterwards
	@scripts/demo-lease $(BIN)

test: dependencies ## Build and run all tests, the end-to-end path included
	@scripts/test

soak: dependencies ## Lease for a minute from 64 clients while the server of pools is killed again and again
	@scripts/test --filter PoolsAPITests.KillTests

release: dependencies ## Build static executables of their own, stripped, in .build-static/programs
	@scripts/build-static

bench: release ## Measure speed and size, and print each figure beside its budget
	@.build-static/programs/drover-bench $(BENCH)

lint: dependencies ## Check formatting, file sizes and that dependencies point down
	@scripts/lint

format: ## Format the sources
	swift format -i -r Sources Tests Package.swift

clean: ## Remove what was built
	rm -rf .build .build-static
