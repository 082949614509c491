.DEFAULT_GOAL := help
.PHONY: help build example test fuzz mutants times e2e boot-image boot-test upgrade-test long demo cluster-up cluster-down lint docs bench coverage kubernetes install clean

EXAMPLE := -f examples/generic/values.yaml -f examples/advanced_network/values.yaml

# The helper of nodes' initrds is a crate of its own, which the build of the boot image takes along.
FETCH := --manifest-path images/boot/fetch/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target)/fetch

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the release binary, target/release/kubefarm
	cargo build --release --locked

example: ## Build, and render the example of two layers to stdout
	@cargo run --release --locked -- render $(EXAMPLE)

test: ## Install what the tests need, and run them
	tests/install-tools.sh
	cargo test --locked
	cargo test --locked $(FETCH)

fuzz: ## Try other random values than `make test` does, for SECONDS (600), until something breaks
	tests/fuzz.sh $(or $(SECONDS),600)

mutants: ## Change the code in MUTANTS, such as '--file src/farm/split.rs' (default: all), and see that a unit test notices
	command -v cargo-mutants >/dev/null || cargo install --locked cargo-mutants
	cargo mutants --no-shuffle $(MUTANTS)

times: ## Run the tests in TESTS, such as 'apply:: pki::' (default: all), and list the slowest
	tests/times.sh $(TESTS)

# Cargo and Go build as whoever calls; only the checks themselves run as root.
ifneq ($(shell id -u),0)
AS_ROOT := --config 'target."cfg(all())".runner = ["sudo", "-E", "env", "PATH=$(PATH)"]'
endif

e2e: ## Run a farm on an admin cluster, as root or with sudo, and say what was seen
	tests/install-tools.sh cluster
	tests/cluster/build.sh
	KUBEFARM_BOOT_IMAGE=$$(tests/boot-image.sh) cargo test --locked --test system $(AS_ROOT) -- e2e

boot-image: ## Build the boot image for tests, as root or with sudo
	tests/install-tools.sh cluster
	tests/boot-image.sh

boot-test: ## Boot bare machines that join a farm, as root or with sudo, and say what was seen
	tests/install-tools.sh cluster
	tests/cluster/build.sh
	KUBEFARM_BOOT_IMAGE=$$(tests/boot-image.sh) cargo test --locked --test system $(AS_ROOT) -- boot

upgrade-test: ## Upgrade a farm by a minor version of Kubernetes and etcd, as root or with sudo
	tests/install-tools.sh cluster
	tests/cluster/build.sh
	KUBEFARM_BOOT_IMAGE=$$(tests/boot-image.sh) cargo test --locked --test system $(AS_ROOT) -- upgrade

long: boot-test upgrade-test ## Run what takes longer than CI has: machines that boot, and an upgrade

demo: ## Boot two machines into a farm, as root or with sudo, and leave it up for a look around
	tests/demo.sh

cluster-up: ## Bring up an admin cluster of one node in namespaces of its own, as root
	tests/install-tools.sh cluster
	cargo build --locked
	tests/admin-cluster/up.sh $(EXAMPLE) -f builtin:konnectivity

cluster-down: ## Take it down, whatever is left of it
	tests/admin-cluster/down.sh

lint: ## Check format and lints
	cargo fmt --check
	cargo fmt --check --manifest-path images/boot/fetch/Cargo.toml
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --locked --test system -- -D warnings
	cargo clippy --all-targets --locked $(FETCH) -- -D warnings

docs: ## Write the generated papers anew: docs/values.md, the JSON Schema
	KUBEFARM_BLESS=1 cargo test --locked --test it docs::

bench: ## Measure how long render, certificates and apply take, beside other tools
	benches/render.py
	benches/pki.sh
	cargo bench --locked --bench apply

coverage: ## Run the tests, and say which lines of src/cluster they ran
	tests/coverage.sh $(MAKE) test

kubernetes: ## Take the project to another Kubernetes: VERSION=v1.38.0 (docs/kubernetes-version.md)
	release/kubernetes.sh $(VERSION)

install: ## Install kubefarm into ~/.cargo/bin
	cargo install --locked --path .

clean: ## Remove what was built
	cargo clean
