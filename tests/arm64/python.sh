#!/usr/bin/env bash
# Make an ARM Python that qemu runs on an x86-64 Debian or Ubuntu, in .arm64 of this checkout, and print its launcher.
# What is there already is kept. Needs apt and root, or sudo without a password; exit status 3 where it has neither.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/../.." && pwd)
folder=$checkout/.arm64
mkdir -p "$folder/cache"
exec 3>&1 1>&2 # all output but the launcher's name is for people

[ "$(uname -m)" = x86_64 ] || { echo "an ARM processor is emulated on x86-64 alone"; exit 3; }
if ! { command -v qemu-aarch64-static && command -v mmdebstrap; } >/dev/null; then
    sudo=; [ "$(id -u)" = 0 ] || sudo="sudo -n"
    command -v apt-get >/dev/null || { echo "no apt-get to install qemu with"; exit 3; }
    { $sudo apt-get update -q && $sudo apt-get install -q -y --no-install-recommends qemu-user-static mmdebstrap; } \
        </dev/null >"$folder/apt.log" 2>&1 || { echo "qemu could not be installed: see $folder/apt.log"; exit 3; }
fi

# An interpreter and the C++ library that llvmlite needs, unpacked and not configured: nothing is run in there.
if [ ! -e "$folder/system.done" ]; then
    rm -rf "$folder/system"
    . /etc/os-release
    mmdebstrap --quiet --variant=extract --architectures=arm64 --include=python3,libpython3-stdlib,libgcc-s1,libstdc++6 \
        "$VERSION_CODENAME" "$folder/system" || { echo "no ARM system to be had"; exit 3; }
    touch "$folder/system.done"
fi
interpreter=$(find "$folder/system/usr/bin" -name 'python3.[0-9]*' -not -name '*config' | head -n 1)
version=${interpreter##*python}

# Wheels for ARM, chosen by this machine's pip: pip itself would take minutes under emulation.
if [ ! -e "$folder/packages.done" ] || [ "$checkout/pyproject.toml" -nt "$folder/packages.done" ]; then
    rm -rf "$folder/packages"
    platforms=(--platform manylinux2014_aarch64)
    for glibc in 17 24 26 27 28 31 34; do platforms+=(--platform "manylinux_2_${glibc}_aarch64"); done
    dependencies=$("$checkout/.venv/bin/python" -c 'import sys, tomllib
print(*tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"], "pytest", "hypothesis", sep="\n")' \
        "$checkout/pyproject.toml")
    "$checkout/.venv/bin/python" -m pip install -qq --disable-pip-version-check --target "$folder/packages" \
        --implementation cp --python-version "$version" --only-binary=:all: "${platforms[@]}" $dependencies \
        >"$folder/pip.log" 2>&1 || { echo "no ARM packages to be had: see $folder/pip.log"; exit 3; }
    touch "$folder/packages.done"
fi

# The small cores of ARM servers: NEON, and no SVE, whose registers have no fixed width.
cat >"$folder/python" <<LAUNCHER
#!/bin/sh
exec qemu-aarch64-static -cpu "\${QEMU_CPU:-neoverse-n1}" -L "$folder/system" -E PYTHONHOME="$folder/system/usr" \\
    -E PYTHONPATH="$folder/packages:$checkout" -E FASTMLP_CACHE="$folder/cache" -E PYTHONDONTWRITEBYTECODE=1 \\
    "$interpreter" "\$@"
LAUNCHER
chmod +x "$folder/python"
echo "$folder/python" >&3
