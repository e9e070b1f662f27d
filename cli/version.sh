#!/bin/sh
# version.sh -- prints the version: the file VERSION, with the commits since its tag when git knows them, and -dirty when files differ.
cd "$(dirname "$0")/.." || exit 1
version=$(cat VERSION)
if [ -e .git ] && commit=$(git describe --always --dirty --match "v$version" 2>/dev/null); then
	case $commit in
	v"$version"*) version=${commit#v} ;;
	*) version=$version-g$commit ;;
	esac
fi
echo "$version"
