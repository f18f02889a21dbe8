#!/bin/sh
# The last 50 errors of every pod, of the last ten minutes; lines that are no JSON are passed over.
kubectl logs -n production -l app=order-service --since=10m --tail=-1 |
  jq -cR 'fromjson? | select(.level == "error")' |
  tail -n 50
