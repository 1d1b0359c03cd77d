#!/bin/sh
# Get Debian's chromium for the browser tests, where it is missing and apt-get may be used. Without it those tests
# are skipped, except with CI=true, where that is an error.
set -u

present() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

present >/dev/null && exit 0

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    echo "Installing chromium for the browser tests (apt-get)"
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq && $as_root apt-get install -qq -y --no-install-recommends chromium >/dev/null
fi

present >/dev/null && exit 0
echo "chromium is missing and could not be installed: the browser tests cannot run (Debian: apt-get install chromium)" >&2
[ "${CI:-}" != true ]
