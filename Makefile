# What one does here every day. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help dev demo test check features bench fuzz contract screenshots

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

dev: ## Build and start the server with the settings of this shell
	cargo run -- serve

demo: ## Sandbox, server and three synced companies
	cargo run -- demo

test: ## All tests, on both databases
	cargo test --workspace

check: ## What CI runs: formatting, lints, licences, tests
	.ci/run

features: ## Rewrite docs/features.md and docs/sandbox-conformance.md from what the tests say they show
	WRITE_FEATURES=1 cargo test -p e2e --test it the_list_of_

bench: ## Measure speed and size of the released program (BENCH="sync --documents 20000" measures a part)
	cargo build --release --locked -p server --bin tieout
	cargo bench --profile dev --locked -p e2e --bench figures -- $(BENCH)

fuzz: ## Bad requests for the sandbox, for MINUTES each (TARGET=query,xero MINUTES=10 SEED=7), or a finding again (REPLAY=FILE)
	FUZZ_TARGET=$(TARGET) FUZZ_MINUTES=$(MINUTES) FUZZ_SEED=$(SEED) FUZZ_REPLAY=$(REPLAY) \
		cargo test --profile fuzz --locked -p simulator --test it fuzz::for_long -- --ignored --nocapture

contract: ## The JSON API against docs/openapi.json by schemathesis, in CASES requests (10,000 unless said; the tests make 700) on each database
	CONTRACT_CASES=$(or $(CASES),10000) cargo test --workspace --test it contract:: -- --nocapture

screenshots: ## Every page in light and dark, on desk and phone: target/screenshots
	TIEOUT_SCREENSHOTS=1 cargo test -p e2e --test it browser::every_page
