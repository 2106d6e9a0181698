#!/bin/sh
# Runs the tests with branch coverage of agent/, in the processes that they start too, and reports.
set -eu
python=$1
shift
rm -f .coverage .coverage.*
# Subprocesses start measuring by themselves: coverage's own hook, put where the interpreter reads .pth files. It
# names its files itself, because the agent's children get none of our variables.
hook=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/edge-provisioner-coverage.pth
cat >"$hook" <<END
import os; os.environ.update(COVERAGE_PROCESS_START="$PWD/pyproject.toml", COVERAGE_FILE="$PWD/.coverage"); import coverage; coverage.process_startup()
END
trap 'rm -f "$hook"' EXIT
EDGE_PROVISIONER_SAMPLE=all "$python" -m pytest -n 2 -q "$@"
"$python" -m coverage combine -q
"$python" -m coverage report --skip-covered --show-missing --fail-under=95
echo "What is pure:"
"$python" -m coverage report --skip-covered --show-missing --fail-under=100 --include="$(PYTHONPATH=. "$python" -m tests.house pure)"
