# The two commands are `make serve` and `make test`; each sets itself up from a bare clone.
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := true
UV := .tools/bin/uv
RUN := .venv/bin
PYTEST := $(RUN)/pytest --numprocesses 2 --dist worksteal
# Pages look the same on either database; what a session and a whole course do to the record is tested on both
LOOKS := $(filter-out %test_sessions_in_chromium.py %test_whole_course_in_chromium.py,$(wildcard tests/web/test_*_in_chromium.py))

.PHONY: serve demo test check setup setup-dev research bench-web bench-sessions bench-evidence bench-treatment bench-sim proof pictures clean

serve: setup
	$(RUN)/reprieve serve

demo: setup
	$(RUN)/reprieve demo-data
	$(RUN)/reprieve serve

# Two tests at a time; a worker that is done takes over half of what the other still has
test: setup-dev
	$(PYTEST)
	$(RUN)/python tests/with_postgresql.py $(PYTEST) --reuse-db tests/web $(LOOKS:%=--ignore=%)

check: setup-dev
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	PYTHONPATH=. $(RUN)/mypy src
	$(RUN)/lint-imports
	$(RUN)/python -m reprieve.web makemigrations --check --dry-run
	$(RUN)/python tests/check_deploy.py

setup: $(UV)
	@$(UV) sync --quiet --locked --no-dev --inexact

setup-dev: $(UV)
	@$(UV) sync --quiet --locked --all-extras

# What a researcher needs besides: Parquet, SBML, fitting
research: $(UV)
	@$(UV) sync --quiet --locked --no-dev --all-extras --inexact

pictures: setup-dev
	$(RUN)/python docs/make_pictures.py

bench-web: setup-dev
	$(RUN)/python benchmarks/web.py

bench-sessions: setup-dev
	$(RUN)/python benchmarks/sessions.py

bench-evidence: setup-dev
	$(RUN)/python benchmarks/evidence.py

bench-treatment: setup-dev
	$(RUN)/python benchmarks/treatment.py

bench-sim: setup-dev
	$(RUN)/python benchmarks/simulation.py

# What is too slow for a test: how often intervals cover, written to its page (about ten minutes)
proof: setup-dev
	$(RUN)/python validation/coverage.py --sets 1000 > docs/explanation/coverage.tmp
	mv docs/explanation/coverage.tmp docs/explanation/coverage.md

$(UV):
	@python3 -m pip install --quiet --disable-pip-version-check --target .tools uv

clean:
	rm -rf .venv .tools
