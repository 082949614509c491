.DEFAULT_GOAL := help
.PHONY: help build example test lint docs bench coverage install clean

EXAMPLE := -f examples/generic/values.yaml -f examples/advanced_network/values.yaml

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the release binary, target/release/kubefarm
	cargo build --release --locked

example: ## Build, and render the example of two layers to stdout
	@cargo run --release --locked -- render $(EXAMPLE)

test: ## Install what the tests need, and run them
	tests/install-tools.sh
	cargo test --locked

lint: ## Check format and lints
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings

docs: ## Write the generated papers anew: docs/values.md, the JSON Schema
	KUBEFARM_BLESS=1 cargo test --locked --test docs

bench: ## Measure how long render, certificates and apply take, beside other tools
	benches/render.sh
	benches/pki.sh
	cargo bench --locked --bench apply

coverage: ## Run the tests, and say which lines of src/cluster they ran
	tests/coverage.sh $(MAKE) test

install: ## Install kubefarm into ~/.cargo/bin
	cargo install --locked --path .

clean: ## Remove what was built
	cargo clean
