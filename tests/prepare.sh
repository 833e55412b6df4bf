#!/bin/sh
# Install Debian packages without starting any server in them:
#
#     sh tests/prepare.sh              the servers the suite talks to, if they are missing
#     sh tests/prepare.sh PACKAGE...   these
#
# Never fails: whoever needs a package that is still missing fails by itself, and names it.
set -eu

missing="$*"
if [ $# -eq 0 ]; then
    command -v /usr/sbin/slapd >/dev/null || missing="$missing slapd"
    command -v ldapsearch >/dev/null || missing="$missing ldap-utils"
    [ -x /usr/sbin/samba ] || missing="$missing samba-ad-dc samba-ad-provision ldb-tools"
    [ -d /usr/lib/python3/dist-packages/samba ] || missing="$missing python3-samba"
    [ -x /usr/sbin/ns-slapd ] || missing="$missing 389-ds-base"
    command -v chromium >/dev/null || missing="$missing chromium"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=''
elif sudo -n true 2>/dev/null; then
    as_root='sudo'
else
    as_root='none'
fi
if [ "$as_root" = none ] || ! command -v apt-get >/dev/null; then
    echo "Missing, and not mine to install: $missing; what needs them will fail." >&2
    echo "As root on Debian: apt-get install $missing" >&2
    exit 0
fi

# Debian starts a server once it is installed, unless this file says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '$as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get --yes -qq \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" </dev/null
}
echo "Installing: $missing" >&2
# shellcheck disable=SC2086 - one word per package
if ! said=$({ apt update && apt install --no-install-recommends $missing; } 2>&1); then
    echo "$said" >&2
    echo "Could not be installed: $missing; what needs them will fail." >&2
    echo "By hand: apt-get update && apt-get install $missing" >&2
fi
