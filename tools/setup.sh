#!/bin/sh
# Sets this checkout up, from a bare Debian to a command at .venv/bin/pasokh.
#
#   tools/setup.sh demo    what the demo needs: the product, its pages, a voice
#   tools/setup.sh test    that, and what the tests need: tools, and the real parts they ring and fill
#
# Done twice it does nothing the second time. It asks for root (or sudo) only when a Debian package is missing;
# without either it says what is missing and goes on where that makes sense.
set -eu
cd "$(dirname "$0")/.."
what=${1:-demo}
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

# ---- one set-up at a time in a checkout ------------------------------------------------------------------------
if command -v flock >/dev/null && [ -z "${PASOKH_SETUP_LOCKED:-}" ]; then
  PASOKH_SETUP_LOCKED=1 exec flock .setup.lock tools/setup.sh "$what"
fi

# ---- Debian packages -------------------------------------------------------------------------------------------
python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$candidate; break; fi
  done
fi
[ -n "$python" ] || die "needs Python 3.11 or newer; on Debian 12 and 13, \`apt-get install python3\`."

missing=
need() { # need PACKAGE COMMAND...: the package is wanted when a command fails
  package=$1; shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
[ -x .venv/bin/python ] || need python3-venv "$python" -c 'import ensurepip, venv'
need espeak-ng command -v espeak-ng
if [ "$what" = test ]; then
  need sip-tester command -v sipp
  need redis-server command -v redis-server
  need chromium sh -c 'command -v chromium || command -v chromium-browser || command -v google-chrome'
  need sox command -v sox
  need mmdebstrap command -v mmdebstrap
  need fonts-dejavu-core sh -c 'ls /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'      # has the Persian letters
fi

install_packages() {
  root=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "no root and no sudo"; return 1; }
    root=sudo
  fi
  command -v apt-get >/dev/null || { say "this is not a Debian system"; return 1; }
  # Debian starts a service when it installs one; a policy of ours holds it back while we install.
  policy=/usr/sbin/policy-rc.d
  ours=
  if [ ! -e $policy ]; then
    ours=1
    printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
    $root chmod 755 $policy
  fi
  status=0
  {
    $root apt-get -qq update &&
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"
  } >.setup.log 2>&1 || status=$?
  [ -z "$ours" ] || $root rm -f $policy
  case " $* " in
    *" redis-server "*)
      # Only its program is wanted: the tests start their own, on a port of their own.
      if command -v systemctl >/dev/null; then $root systemctl disable redis-server >/dev/null 2>&1 || true; fi ;;
  esac
  [ $status = 0 ] || tail -n 5 .setup.log >&2
  return $status
}

if [ -n "$missing" ]; then
  say "installing Debian packages:$missing"
  # shellcheck disable=SC2086
  if ! install_packages $missing; then
    case $missing in
      *python3-venv*) die "cannot go on without python3-venv. As root: apt-get install$missing" ;;
    esac
    say "goes on without:$missing. What needs them will say so. As root: apt-get install$missing"
  fi
fi

# ---- Python packages, as locked --------------------------------------------------------------------------------
digest() { cat "$@" | sha256sum | cut -d ' ' -f 1; }
stamped() { [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; }

if ! .venv/bin/python -c '' 2>/dev/null; then
  say "making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
fi
lock=requirements/setup.txt
[ "$what" = demo ] || lock=requirements/dev.txt
wanted=$(digest requirements/bootstrap.txt $lock)
if ! stamped .venv/.locked-$what "$wanted"; then
  if ! .venv/bin/uv --version 2>/dev/null | grep -q "^uv $(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/bootstrap.txt)\b"; then
    say "installing uv"
    .venv/bin/python -m pip --quiet install --require-hashes -r requirements/bootstrap.txt
  fi
  say "installing what $lock locks"
  VIRTUAL_ENV=$PWD/.venv .venv/bin/uv --quiet pip install --require-hashes -r $lock
  echo "$wanted" >.venv/.locked-$what
fi
wanted=$(digest pyproject.toml)
if [ ! -x .venv/bin/pasokh ] || ! stamped .venv/.project "$wanted"; then
  say "installing the project itself"
  VIRTUAL_ENV=$PWD/.venv .venv/bin/uv --quiet pip install --no-deps --no-build-isolation --editable .
  echo "$wanted" >.venv/.project
fi

# ---- the pages -------------------------------------------------------------------------------------------------
tools/pages.sh

# ---- the real parts of the tests -------------------------------------------------------------------------------
if [ "$what" = test ]; then
  tools/asterisk.sh >/dev/null || say "goes on without Asterisk: the tests that ring it will say so."
fi
