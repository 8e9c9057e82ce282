# copydesk: `make demo` shows it, `make test` proves it.

CARGO ?= cargo
# Third-party articles for tests, evaluation and benchmarks; without it tests that need them say so.
export COPYDESK_DATA ?=

.PHONY: help prerequisites build demo test lint bench

help:            ## This list
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  +##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

prerequisites:   ## Say what is missing on this machine
	@missing=""; \
	for tool in $(CARGO) cc make pkg-config; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if command -v pkg-config >/dev/null; then for lib in openssl zlib; do pkg-config --exists $$lib || missing="$$missing $$lib"; done; fi; \
	if [ -n "$$missing" ]; then \
	  echo "missing:$$missing"; \
	  echo "Debian and Ubuntu: apt-get install build-essential pkg-config libssl-dev zlib1g-dev; Rust by rustup (rust-toolchain.toml names the version)"; \
	  exit 1; \
	fi

build: prerequisites  ## The release binary, target/release/copydesk
	$(CARGO) build --release --locked

demo: build      ## Sample articles through the whole service on an embedded broker
	./target/release/copydesk demo $(ARGS)

test: prerequisites  ## All tests, the real-broker tier included where Java and Maven are
	$(CARGO) test --locked

lint: prerequisites  ## Format, clippy and docs, as CI sees them
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet
