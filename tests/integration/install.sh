#!/usr/bin/env bash
# Install what `make integration` needs and is not there yet: Debian's chromium with a font for Chinese, Janus, Prosody,
# nginx, Node.js, Go with the package that opens signed notes, and the Python packages of requirements.lock in .venv.
# Playwright's own browser builds are not used, and nothing downloads one.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() {
  printf 'tests/integration/install.sh: %s\n' "$1" >&2
  exit 1
}

python=.venv/bin/python
[[ -x $python ]] || fail "there is no .venv; run make install first"

missing=()
[[ -x /usr/bin/chromium ]] || missing+=(chromium)
dpkg-query --show --showformat='${db:Status-Status}\n' fonts-noto-cjk 2>/dev/null | grep -qx installed ||
  missing+=(fonts-noto-cjk)
[[ -x /usr/bin/janus ]] || missing+=(janus)
[[ -x /usr/bin/prosody ]] || missing+=(prosody)
[[ -x /usr/sbin/nginx ]] || missing+=(nginx-light)
command -v node >/dev/null || missing+=(nodejs)
[[ -x /usr/bin/go ]] || missing+=(golang-go)
[[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/note ]] || missing+=(golang-golang-x-mod-dev)

if ((${#missing[@]})); then
  by_hand="install ${missing[*]} with the system's package manager, and run this again"
  command -v apt-get >/dev/null || fail "there is no apt-get here; $by_hand"
  as_root=()
  if [[ $(id -u) != 0 ]]; then
    # -n: without a terminal nobody could answer a question for a password.
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || fail "neither root nor sudo without a password; $by_hand"
    as_root=(sudo -n)
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq </dev/null || fail "apt-get update failed; $by_hand"
  "${as_root[@]}" env DEBIAN_FRONTEND="$DEBIAN_FRONTEND" \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null || fail "apt-get install failed; $by_hand"
fi
[[ -x /usr/bin/chromium ]] || fail "/usr/bin/chromium is still missing; the tests use Debian's chromium and no other"

PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 "$python" -m pip install --quiet --disable-pip-version-check --require-hashes \
  -r tests/integration/requirements.lock ||
  fail "the packages of tests/integration/requirements.lock could not be installed into .venv"
