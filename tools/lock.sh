#!/bin/sh
# Writes requirements/*.txt from pyproject.toml: every version and every hash, for every system and Python we
# support, and no address of a package registry. `make lock` runs it; UPGRADE=1 takes the newest versions.
#
#   dev.txt        everything: the product, what builds it, what tests it
#   setup.txt      what `make setup` installs: the product and what builds it
#   runtime.txt    the product alone, for those who deploy it
#   bootstrap.txt  uv alone, which pip installs before anything else
set -eu
cd "$(dirname "$0")/.."
export UV_PYTHON_DOWNLOADS=never

compile() {
  out=requirements/$1.txt; shift
  echo "lock: $out" >&2
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --no-strip-markers --custom-compile-command 'make lock' \
    ${UPGRADE:+--upgrade} "$@" --output-file "$out" >/dev/null
}

mkdir -p requirements
compile dev pyproject.toml --group dev
UPGRADE=
for name in setup runtime bootstrap; do rm -f "requirements/$name.txt"; done
compile setup pyproject.toml --group build --constraints requirements/dev.txt
compile runtime pyproject.toml --constraints requirements/dev.txt
echo uv >requirements/.uv.in
compile bootstrap requirements/.uv.in --constraints requirements/dev.txt
rm requirements/.uv.in
