#!/bin/sh
# Roll production back: revert the last deployment in a clone of its manifests, by a pull request.
set -eu
cd "${1:?usage: rollback.sh CLONE_OF_K8S_MANIFESTS}"

# --8<-- [start:find]
git fetch origin
git switch --create "rollback-$(date +%s)" --no-track origin/main
git log -1 --stat --grep '^Deploy order-service' -- services/order-service/production
# --8<-- [end:find]

printf 'Revert this commit? [y/N] '
read -r answer
test "$answer" = y

# --8<-- [start:revert]
git revert --no-edit \
  "$(git log -1 --format=%H --grep '^Deploy order-service' -- services/order-service/production)"
git push --set-upstream origin HEAD
gh pr create --fill --base main
# --8<-- [end:revert]
