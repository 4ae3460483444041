#!/bin/sh
# Make .venv from requirements.txt: with uv where it is installed (1 s), else with Python's own pip (10 s).
set -e
rm -rf .venv

if command -v uv >/dev/null; then
    uv venv --quiet --python '>=3.11' .venv
    exec uv pip install --quiet --compile-bytecode --python .venv/bin/python -r requirements.txt
fi

for python in python3 python3.14 python3.13 python3.12 python3.11; do
    # By its path: the name may mean the new environment's Python from its creation on.
    python=$(command -v "$python") || continue
    if "$python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        # Without pip inside: Debian's python3 has no ensurepip, and pip can install into another environment.
        "$python" -m venv --without-pip .venv
        exec "$python" -m pip --python .venv/bin/python install --quiet --disable-pip-version-check -r requirements.txt
    fi
done

echo "setup.sh: no Python 3.11 or newer with pip on PATH (tried python3 and python3.11 to python3.14)" >&2
exit 1
