#!/bin/sh
# Sets up what demo and tests need.
#   setup.sh packages NAME...         Debian packages; only what is missing is installed
#   setup.sh environment PYTHON DIR   a virtual environment that sees Debian's libraries
#   setup.sh newest PYTHON DIR        one with the newest libraries from PyPI instead
set -eu

missing_packages() {
    for name in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || :) in
            installed) ;;
            *) printf ' %s' "$name" ;;
        esac
    done
}

install_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1 || ! sudo -n true 2>/dev/null; then
            printf 'Some Debian packages are missing. Install them as root, then try again:\n\n' >&2
            printf '  apt-get install --no-install-recommends%s\n\n' "$missing" >&2
            exit 2
        fi
        as_root=sudo
    fi
    echo "installing:$missing"
    # shellcheck disable=SC2086 # a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get -q update && apt-get -q -y install --no-install-recommends "$@"' sh $missing >.setup.log 2>&1 || {
        cat .setup.log >&2
        exit 1
    }
    rm -f .setup.log
}

make_environment() { # python folder options...
    python=$1 folder=$2
    shift 2
    rm -rf "$folder"
    "$python" -m venv "$@" "$folder"
    "$folder/bin/python" -m pip install -q --disable-pip-version-check -r tests/requirements.txt
    printf '#!/bin/sh\nexec "%s/bin/python" -c "import sys; sys.path.insert(1, sys.argv.pop(1)); from agent.cli import main; sys.exit(main())" "%s" "$@"\n' \
        "$PWD/$folder" "$PWD" >"$folder/bin/edge-provisioner"
    chmod +x "$folder/bin/edge-provisioner"
}

case $1 in
    packages)
        shift
        install_packages "$@"
        ;;
    environment)
        make_environment "$2" "$3" --system-site-packages
        ;;
    newest)
        make_environment "$2" "$3" --system-site-packages
        "$3/bin/python" -m pip install -q --disable-pip-version-check --upgrade --ignore-installed \
            tpm2-pytss tomlkit sdnotify pyudev cryptography structlog
        ;;
esac
