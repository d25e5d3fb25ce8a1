#!/bin/sh
# Shows the main job on a copy of this folder: sh examples/demo.sh [dockstrata]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dockstrata=${1:-dockstrata}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

cp -R "$here/java" "$here/services" "$here/web" "$scratch/"
cd "$scratch"

step() {
    printf '\n── %s\n' "$1"
}

run() {
    printf '\n$ dockstrata %s\n' "$*"
    "$dockstrata" "$@"
}

step "Eight Dockerfiles, eleven images. What they are, and what they repeat:"
run tree

step "What is wrong in each of them (exit code 1: there are findings):"
run lint --statistics || test $? = 1
run lint java/claims || test $? = 1

step "Which shared base images would pay, and what must stay as it is:"
run plan

step "Write them. Every image is proved equal first:"
run apply

step "What is left of an application:"
printf '\n$ cat java/billing/Dockerfile\n'
cat java/billing/Dockerfile

step "The same set as a shallow tree (operating system, runtime, middleware, application):"
run tree

step "A second time there is nothing to do:"
run apply --check

step "And back, to the byte:"
run apply --undo
for folder in java services web; do
    diff -r "$here/$folder" "$scratch/$folder"
done
test ! -e bases
printf 'No difference from examples/. The copy is removed now; your files were not touched.\n'
