#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the version of this tree: what the modules and mdev-ctl say of themselves.
#
# It is the line in VERSION, and in a git checkout, after the manner of git describe, how many commits have followed
# the one that changed that line last, the commit, and whether there are changes that are not committed. Without git,
# without a history, or where git does not trust the directory, it is the line only.

set -euo pipefail
top=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
version=$(cat "$top/VERSION")

# An unpacked archive may lie in somebody else's checkout
if [[ -e $top/.git ]] && cd "$top" && commit=$(git rev-parse --short=12 HEAD 2>/dev/null) &&
   since=$(git log -1 --format=%H -- VERSION 2>/dev/null) && [[ -n $since ]]; then
	count=$(git rev-list --count "$since..HEAD")
	if ((count)); then version+=-$count-g$commit; fi
	# Other than "git status", this takes no lock in the directory
	if [[ -n $(git --no-optional-locks status --porcelain --untracked-files=no 2>/dev/null) ]]; then version+=-dirty; fi
fi
echo "$version"
