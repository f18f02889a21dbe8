#!/bin/sh
# Roll production back: revert the last deployment in a clone of its manifests, by a pull request.
set -eu
cd "${1:?usage: rollback.sh CLONE_OF_K8S_MANIFESTS}"

# --8<-- [start:find]
git fetch origin
git switch --create "rollback-$(date +%s)" --no-track origin/main
# The newest deployment that no later commit reverts, and the one before it.
reverted='' deployment='' previous=''
for commit in $(git log --format=%H -- services/order-service/production); do
  case $reverted in *"$commit"*) continue ;; esac
  message=$(git log -1 --format=%B "$commit")
  reverts=$(printf '%s\n' "$message" | sed -n 's/^This reverts commit \([0-9a-f]*\).*/\1/p')
  case $reverts$message in
    "Deploy order-service"*)
      if test -n "$deployment"; then previous=$commit && break; fi
      deployment=$commit ;;
    *) reverted="$reverted $reverts" ;;
  esac
done
git log -1 --stat "$deployment"
# --8<-- [end:find]
test -n "$previous" || { echo 'No deployment before it: nothing to go back to.' >&2; exit 1; }

printf 'Revert this commit, and go back to %s? [y/N] ' "$previous"
read -r answer
test "$answer" = y

# --8<-- [start:revert]
if ! git revert --no-edit "$deployment"; then
  git revert --abort
  echo 'Later commits change the same lines. Revert these first, from the top:' >&2
  git log --oneline "$deployment.." -- services/order-service/production >&2
  exit 1
fi
git push --set-upstream origin HEAD
gh pr create --fill --base main
# --8<-- [end:revert]
