kubectl logs -l app=order-service --since=10m | jq 'select(.level == "error")' | tail -50
