#!/bin/sh
# Unpacks Asterisk 22 into the cache, for the tests that ring a real one.
#
# Debian 12 and 13 carry no Asterisk, and the packages of `forky` want a newer libc than theirs. So the packages
# are unpacked beside the host, never installed, and run through the loader that lies among them: no chroot, no
# mount, nothing of the host is changed. What stays is the binary, its modules, and the libraries they link to.
#
# Prints the folder it leaves. Asks nothing of the network when the folder is there.
set -eu

RECIPE=1            # raise it when what is kept below changes: the cache has one folder for each
SUITE=forky
MAJOR=22
PACKAGES=base-files,asterisk,asterisk-modules,asterisk-core-sounds-en-gsm,asterisk-moh-opsound-gsm

say() { echo "asterisk: $*" >&2; }
die() { say "$*"; exit 1; }

cache=${PASOKH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pasokh}
command -v dpkg >/dev/null || die "needs a Debian system (there is no dpkg here)."
arch=$(dpkg --print-architecture)
case $arch in
  amd64) triplet=x86_64-linux-gnu; loader=usr/lib64/ld-linux-x86-64.so.2 ;;
  arm64) triplet=aarch64-linux-gnu; loader=usr/lib/ld-linux-aarch64.so.1 ;;
  *) die "this architecture ($arch) is not supported; amd64 and arm64 are." ;;
esac
lib=usr/lib/$triplet
root=$cache/asterisk-$MAJOR-$SUITE-$arch-$RECIPE

[ -e "$root/VERSION" ] && { echo "$root"; exit 0; }

mkdir -p "$cache"
exec 9>"$cache/asterisk.lock"
flock 9                                             # two checkouts may set up at once
[ -e "$root/VERSION" ] && { echo "$root"; exit 0; }

command -v mmdebstrap >/dev/null || die "needs mmdebstrap; \`make setup-test\` installs it."
as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || die "unpacking needs root or sudo."
  as_root=sudo
fi
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | sort -u | head -n 1)
[ -n "$mirror" ] || die "apt names no Debian mirror, so there is nowhere to take the packages from."

build=$(mktemp -d "$cache/asterisk-build.XXXXXX")
trap '$as_root rm -rf "$build"' EXIT
trap 'exit 130' INT TERM

say "unpacking Asterisk $MAJOR from Debian $SUITE (once; about a minute)"
$as_root mmdebstrap --quiet --mode=root --variant=extract --architectures="$arch" --keyring=/usr/share/keyrings \
  --aptopt='APT::Install-Recommends "false"' \
  --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --include="$PACKAGES" "$SUITE" "$build/full" "$mirror" >&2
[ -z "$as_root" ] || $as_root chown -R "$(id -u):$(id -g)" "$build/full"

cd "$build/full"
version=$("./$loader" --library-path "$lib" usr/sbin/asterisk -V)
case $version in
  "Asterisk $MAJOR."*) ;;
  *) die "Debian $SUITE now carries '$version', and the tests are written for $MAJOR." ;;
esac

# The libraries that a program or module links to, each with the file behind its name.
linked() {
  for object in "$@"; do
    "./$loader" --library-path "$lib" --list "$object" 2>/dev/null || true
  done | grep -oE "$lib/[^ ]+" | sort -u | while read -r library; do
    echo "$library"
    realpath --relative-to=. "$library"
  done
}
{
  linked usr/sbin/asterisk "$lib"/asterisk/modules/*.so
  find usr/sbin/asterisk "$lib/asterisk/modules" usr/share/asterisk -not -type d
  ls -d "$loader" "$lib"/libnss_*.so.2 "$lib"/ld-linux*
  realpath --relative-to=. "$loader"
  find "$lib/gconv" -name 'gconv-modules*' -o -name 'UTF*' -o -name 'ISO8859-1.so'
} 2>/dev/null | sort -u >"$build/keep"
mkdir "$build/slim"
tar -cf - -T "$build/keep" | tar -C "$build/slim" -xf -
# Debian keeps some of its folders as links into /usr/share or /var; what runs here names its folders itself.
cd "$build/slim"
"./$loader" --library-path "$lib" usr/sbin/asterisk -V >VERSION
printf '%s\n%s\n' "$loader" "$lib" >LAYOUT
cd /
mv "$build/slim" "$root"
say "$version is at $root ($(du -sh "$root" | cut -f 1))"
echo "$root"
