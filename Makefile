# copydesk: `make demo` shows it, `make test` proves it.

CARGO ?= cargo
# Third-party articles for tests, evaluation and benchmarks; without it tests that need them say so.
export COPYDESK_DATA ?=

.PHONY: help prerequisites build demo test lint soak bench bench-kafka evaluate

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

# Twenty random schedules are part of `make test`; this is the long run: 200 of them, each fault by itself, and the
# memory after 200,000 articles.
soak: prerequisites  ## 200 schedules of faults, the fault matrix, and memory over 200,000 articles (hours)
	COPYDESK_FAULT_SCHEDULES=200 COPYDESK_FAULT_MATRIX=1 COPYDESK_SOAK=1 \
	  $(CARGO) test --locked --test it -- --nocapture --test-threads 1 faults:: kafka::memory

bench: prerequisites  ## Words per second of each step, on one thread
	$(CARGO) bench --locked --bench stages --bench reader

bench-kafka: prerequisites  ## The service under load on a real Kafka (needs COPYDESK_DATA, Java and Maven)
	$(CARGO) bench --locked --bench kafka

# The development articles carry `doc_id`; a record's id is `id`.
EVALUATION := target/evaluation
evaluate: build  ## Score the stages on the development articles (needs COPYDESK_DATA)
	@test -n "$(COPYDESK_DATA)" || { echo "COPYDESK_DATA is not set: it names the folder with dev/wikinews.jsonl"; exit 1; }
	@mkdir -p $(EVALUATION)
	sed 's/"doc_id"/"id"/' $(COPYDESK_DATA)/dev/wikinews.jsonl > $(EVALUATION)/articles.jsonl
	./target/release/copydesk enrich $(EVALUATION)/articles.jsonl > $(EVALUATION)/enriched.jsonl
	python3 $(COPYDESK_DATA)/../eval/score.py $(COPYDESK_DATA)/dev/wikinews.jsonl $(EVALUATION)/enriched.jsonl
