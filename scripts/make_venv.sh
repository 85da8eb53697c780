#!/bin/sh
# A virtual environment with Python 3.11 or newer. On a bare Debian machine, as root, installs Python first.
set -eu
venv=$1

new_enough() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

found=
for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && new_enough "$candidate"; then found=$candidate; break; fi
done

if [ -z "$found" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    apt-get install -qq -y python3 python3-venv >/dev/null
    if new_enough python3; then found=python3; fi
fi

if [ -z "$found" ]; then
    echo "labelmill needs Python 3.11 or newer with venv: install it (Debian: apt-get install python3 python3-venv)," >&2
    echo "or name one: make PYTHON=/path/to/python3.12 demo" >&2
    exit 1
fi

"$found" -m venv "$venv"
