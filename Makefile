# make demo | test | test-slurm | test-faults | fuzz | lint | format | bench | tables | schema | docs | notebooks | wheel | report | clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SNAKEMAKE := $(BIN)/snakemake
PYTEST := $(BIN)/pytest --timeout 1500

.PHONY: demo test test-slurm test-faults fuzz lint format bench tables schema docs notebooks wheel report clean

demo: $(VENV)/installed
	$(SNAKEMAKE)
	@echo "results/comparison/accuracy.md: accuracy and cost of each network"
	@echo "results/map_pictures/embedded/0/, results/benchmarks/embedded/scores.md: defocus maps and their scores"
	@echo "make report puts all tables and figures into one page, report.html: open it in a browser"

report: demo
	$(SNAKEMAKE) --report report.html --report-metadata report/metadata.yaml
	@echo "open report.html"

test: $(VENV)/installed-dev
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder

test-slurm: $(VENV)/installed-dev
	command -v slurmctld >/dev/null || apt-get -qq install --yes --no-install-recommends slurm-wlm
	$(PYTEST) tests/workflow/test_slurm.py

test-faults: $(VENV)/installed-dev
	MOMENTS=10 $(BIN)/pytest --timeout 3600 tests/workflow/test_faults.py

fuzz: $(VENV)/installed-dev
	$(BIN)/python tools/fuzz.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(SNAKEMAKE) --lint

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

bench: $(VENV)/installed-dev
	$(BIN)/python tools/bench.py

tables: $(VENV)/installed-dev
	$(BIN)/python tools/tables.py

schema: $(VENV)/installed-dev
	$(BIN)/python tools/schema.py

docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open build/docs/index.html"

notebooks: $(VENV)/installed-docs
	$(BIN)/jupytext --to ipynb examples/*.py

wheel: $(VENV)/installed-dev
	rm -rf build/lib # of an older wheel, whose files would be packed again
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

clean:
	rm -rf results/*/ logs benchmarks .checkpoints report.html

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "$(PYTHON) is older than 3.11: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	    || { rm -rf $(VENV); echo "no venv module: on Debian and Ubuntu, apt install python3-venv"; exit 1; }

$(VENV)/installed: $(VENV)/bin/python requirements.txt constraints.txt pyproject.toml
	$(BIN)/pip install --quiet --requirement requirements.txt --constraint constraints.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt requirements-cluster.txt
	$(BIN)/pip install --quiet --requirement requirements-dev.txt --constraint constraints.txt
	touch $@

$(VENV)/installed-docs: $(VENV)/installed requirements-docs.txt
	$(BIN)/pip install --quiet --requirement requirements-docs.txt --constraint constraints.txt
	touch $@
