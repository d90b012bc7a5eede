#!/bin/sh
# Makes ./configure. Everything that autoreconf copies in lands in .autotools,
# which git ignores, so that the top level stays readable.
set -eu
cd "$(dirname "$0")"
mkdir -p .autotools
# Several build directories may share this source tree: one at a time.
if command -v flock >/dev/null 2>&1; then
    exec flock .autotools/lock autoreconf --install --force "$@"
fi
exec autoreconf --install --force "$@"
