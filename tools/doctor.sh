#!/bin/sh
# usage: doctor.sh CC [PYTHON]
# Says in one line what this machine lacks for building pygrad, and exits non-zero; silent when all is there.
cc=$1
python=${2-}

lacks() {
    echo "pygrad: $1; install $2, then try again" >&2
    exit 1
}
holds() { # a Python expression that is true when all is well
    "$python" -c "import os, sys, sysconfig; sys.exit(not ($1))" </dev/null >/dev/null 2>&1
}

# $cc stands unquoted because it may carry options.
program=$(mktemp)
trap 'rm -f "$program"' EXIT
printf '#include <math.h>\nint main(void) { return 0; }\n' | $cc -x c -o "$program" - >/dev/null 2>&1 ||
    lacks "no working C compiler ('$cc' builds no program)" \
        "one (Debian/Ubuntu: build-essential, Fedora: gcc make, macOS: xcode-select --install)"
[ -n "$python" ] || exit 0

holds "True" ||
    lacks "no Python ('$python' does not run)" \
        "it (Debian/Ubuntu: python3 python3-venv python3-dev, Fedora: python3-devel) or name another: make PYTHON=..."
holds "sys.version_info >= (3, 11)" ||
    lacks "'$python' is older than Python 3.11" "a newer one and name it: make PYTHON=python3.13 ..."
holds "not sysconfig.get_config_var('Py_GIL_DISABLED')" ||
    lacks "'$python' is a free-threaded build, which is not supported" "a standard one and name it: make PYTHON=..."
holds "__import__('venv') and __import__('ensurepip')" ||
    lacks "'$python' cannot create virtual environments" "the venv module (Debian/Ubuntu: python3-venv)"
holds "os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h'))" ||
    lacks "'$python' has no C headers (Python.h)" "them (Debian/Ubuntu: python3-dev, Fedora: python3-devel)"
