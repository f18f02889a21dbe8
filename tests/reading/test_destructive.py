"""Which commands are destructive: one line, one case."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from handbook.reading.code_languages import CodeFamily, family_of, read_language
from handbook.reading.destructive import find_destructive_command
from handbook.reading.destructive_forms import FORMS

DESTRUCTIVE = r"""
kubectl -n shop delete pod shop-0
kubectl --context prod delete namespace shop
/usr/local/bin/kubectl delete pod shop-0
$KUBECTL delete pod shop-0
kubectl delete -f old.yaml --dry-run=none
kubectl drain node-1
kubectl scale deployment/shop --replicas=0
kubectl scale --replicas 0 deployment/shop
kubectl replace --force -f shop.yaml
kubectl apply --prune -f shop.yaml
kubectl taint nodes node-1 broken=true:NoExecute
kubectl patch deployment shop -p '{"spec":{"replicas":0}}'
kubectl patch pvc data -p '{"metadata":{"finalizers":null}}'
oc delete project shop
oc adm drain node-1
helm uninstall shop
helm -n shop delete shop
helm upgrade shop ./chart --force
terraform destroy
terraform -chdir=infra destroy -auto-approve
terraform apply -destroy
terraform state rm aws_instance.web
tofu destroy
pulumi destroy
argocd app sync shop --force
argocd app delete shop
velero backup delete nightly
etcdctl del /shop/orders
ETCDCTL_API=3 etcdctl --endpoints=https://etcd:2379 del --prefix /shop
etcdctl member remove 8e9e05c52164694d
vault kv delete secret/shop
vault secrets disable kv
consul kv delete shop
nomad job stop shop
aws s3 rm --recursive s3://orders
aws s3 rb s3://orders --force
aws --profile prod ec2 terminate-instances --instance-ids i-1
aws s3 sync --delete . s3://orders
aws rds delete-db-instance --db-instance-identifier shop
aws ecs update-service --service shop --desired-count 0
aws sqs purge-queue --queue-url https://sqs.example/q
gcloud compute instances delete web-1
gcloud --project shop sql instances delete orders
gcloud container clusters resize prod --num-nodes=0
gcloud compute ssh web-1 --command="rm -rf /var/lib/shop"
az vm delete --name web-1
az group delete -n shop --yes
az vm deallocate --name web-1
gsutil -m rm -r gs://orders
gsutil rsync -d a gs://orders
mc rm --recursive minio/orders
rclone purge remote:orders
rclone sync a remote:orders
rsync -a --delete a/ b/
git push --force origin main
git push -f
git push origin --delete release
git push origin +main
git push origin :release
git reset --hard HEAD~1
git clean -fdx
git branch -D release
rm -rf /var/lib/shop
rm -v -r old
rm -fr -- old
rm /var/log/*.log
find /var/log -name '*.gz' -delete
find /var/log -name '*.gz' -exec rm {} \;
find . -type f -execdir rm {} +
ls | xargs rm
ls | xargs -0 -n 10 rm -v
pgrep shop | xargs kill
kubectl get pods -o name | xargs kubectl delete
kubectl get pods -o name | xargs -I{} sh -c 'kubectl delete {}'
shred -u key.pem
mkfs.ext4 /dev/sdb1
dd if=/dev/zero of=/dev/sdb bs=1M
truncate -s 0 /var/log/shop.log
truncate --size=0 /var/log/shop.log
> /var/log/shop.log
: > /var/log/shop.log
cat /dev/null > /var/log/shop.log
cat image.iso > /dev/sdb
echo b > /proc/sysrq-trigger
cp /dev/null /var/log/shop.log
wipefs -a /dev/sdb
lvremove vg0/orders
zfs destroy tank/orders
zfs rollback tank/orders@monday
cryptsetup luksFormat /dev/sdb
docker system prune -af
docker volume rm orders
docker rm -f shop
docker rm -fv shop
docker stop shop
docker compose down --volumes
docker compose -f prod.yml down
docker-compose down
podman rm --force shop
systemctl stop shop
systemctl --now disable shop
sudo systemctl mask shop
service nginx stop
shutdown -h now
shutdown +5
sudo reboot
poweroff
init 0
kill -9 1
kill -KILL 1234
kill -s KILL 1234
pkill java
pkill -f shop
killall -9 java
fuser -k 8080/tcp
iptables -F
iptables -t nat -F
ip link set eth0 down
crontab -r
userdel shop
journalctl --vacuum-time=1d
apt-get purge postgresql
curl -X DELETE https://search.example/orders
curl -sXDELETE https://search.example/orders
curl --request DELETE https://search.example/orders
curl --request=DELETE https://search.example/orders
curl -s -X POST https://search.example/orders/_delete_by_query
http DELETE search.example/orders
wget --method=DELETE https://search.example/orders
psql -c 'DROP TABLE orders'
psql -c "TRUNCATE orders"
psql --command="DELETE FROM orders"
psql orders -c "UPDATE orders SET state = 'new'"
sudo -u postgres psql -c "SELECT pg_terminate_backend(42)"
psql <<< 'DROP TABLE orders'
echo 'DROP TABLE orders' | psql
printf 'FLUSHALL\n' | nc redis 6379
echo 'rm -rf /var/lib/shop' | ssh host sh
mysql -e 'DROP DATABASE orders'
mysql -e"DROP DATABASE orders"
sqlite3 orders.db 'DELETE FROM orders'
dropdb orders
sudo -u postgres dropdb orders
mongosh orders --eval 'db.orders.drop()'
mongosh --eval 'db.dropDatabase()'
redis-cli FLUSHALL
redis-cli -h redis -n 3 flushdb
redis-cli DEL orders
redis-cli cluster reset
kafka-topics --bootstrap-server kafka:9092 --delete --topic orders
kafka-topics.sh --delete --topic orders
kafka-consumer-groups --reset-offsets --to-latest --execute
rabbitmqctl purge_queue orders
rabbitmqctl -n rabbit@one delete_queue orders
rabbitmqctl stop_app
nats stream purge orders
sudo -u shop -E rm -rf /var/lib/shop
env FOO=1 BAR=2 rm -rf old
FOO=1 rm -rf old
timeout 5 rm -rf old
timeout -s KILL 5 rm -rf old
timeout --foreground 5 rm -rf old
nohup rm -rf old &
nice -n 10 rm -rf old
ssh host 'rm -rf /var/lib/shop'
ssh -i key -p 22 root@host "sudo systemctl stop shop"
ssh host sudo rm -rf /var/lib/shop
sh -c "rm -rf old"
sudo bash -lc 'cd /var && rm -rf old'
su - postgres -c 'dropdb orders'
eval "rm -rf old"
kubectl exec -it db-0 -- rm -rf /data
kubectl exec -it db-0 -c db -n shop -- psql -c 'DELETE FROM orders'
kubectl exec db-0 -- sh -c 'rm -rf /data'
docker exec -it db rm -rf /data
docker exec db psql -U shop -c 'TRUNCATE orders'
cd /var && rm -rf old
test -d old || rm -rf old; ls
echo "$(kubectl delete pod shop-0)"
echo `kubectl delete pod shop-0`
for pod in $(kubectl get pods -o name); do kubectl delete $pod; done
if true; then kubectl drain node-1; fi
while read pod; do kubectl delete pod "$pod"; done
(cd /var; rm -rf old)
{ rm -rf old; }
kubectl delete \⏎  pod shop-0
psql orders <<EOF⏎DELETE FROM orders;⏎EOF
cat <<'SQL' | kubectl exec -i db-0 -- psql⏎DROP TABLE orders;⏎SQL
ssh host <<EOF⏎systemctl stop shop⏎EOF
$ kubectl get pods⏎$ kubectl delete pod shop-0
"""

HARMLESS = r"""
kubectl get pods
kubectl scale deployment shop --replicas=10
kubectl scale --replicas 2 deployment/shop
kubectl rollout restart deployment/shop
kubectl rollout undo deployment/shop
kubectl cordon node-1
kubectl delete pod shop-0 --dry-run=client
kubectl delete pod shop-0 --dry-run=server -o yaml
kubectl delete --dry-run -f shop.yaml
kubectl drain node-1 --dry-run=server
kubectl auth can-i delete pods
kubectl auth can-i delete pods --all-namespaces
kubectl delete --help
kubectl delete -h
kubectl explain deployment.spec
kubectl describe pod delete-me
kubectl logs deployment/delete-service
kubectl get pods -l action=delete
kubectl annotate pod shop-0 note='kubectl delete later'
kubectl patch deployment shop -p '{"spec":{"replicas":10}}'
kubectl argo rollouts abort shop
kubectl argo rollouts restart shop
kubectl exec shop-0 -- ls /data
helm rollback shop 3
helm upgrade shop ./chart
helm uninstall shop --dry-run
helm status shop
terraform plan -destroy
terraform plan
terraform state list
terraform show
aws s3 ls s3://orders
aws s3 rm s3://orders --recursive --dryrun
aws s3 sync . s3://orders
aws ec2 describe-instances --filters Name=tag:delete,Values=yes
aws ec2 terminate-instances --instance-ids i-1 --dry-run
gcloud compute instances list
gcloud compute instances describe web-1
az vm list
az vm show --name delete
git fetch --force
git push
git push --force-with-lease
git push --dry-run --force
git push -n -f
git clean -n
git clean -nfd
git checkout main
git branch -d merged
git log --grep=delete
git commit -m 'rm -rf is gone'
git reset HEAD~1
npm cache clean --force
npm ci --force
rm old.log
rm --help
man rm
which shutdown
command -v shutdown
type rm
find . -name delete
find . -type f -exec ls {} \;
ls | xargs cat
ls | xargs -n1 echo rm
pgrep shop | xargs ps -p
echo rm -rf /
echo 'kubectl delete pod shop-0'
printf 'drop table orders\n'
echo 'drop table' is never run here
grep -c 'delete from' slow.log
grep -rn "kubectl delete" runbooks/
rg -- 'rm -rf' scripts
# rm -rf /
ls # rm -rf /
ls "# rm" '; rm -rf /'
journalctl -u shutdown.service
systemctl status shop
systemctl restart shop
systemctl is-enabled stop
systemctl status shutdown-guard
docker ps
docker run --rm alpine ls
docker logs stop
docker compose up -d
docker rm stopped
crontab -l
kill -0 1234
kill -HUP 1234
kill 1234
kill -19 1234
kill -l
pkill -HUP nginx
shutdown -c
iptables -L
ip addr show
df -h --total
dd if=/dev/sda of=/dev/null bs=1M
dd if=/dev/sda bs=1M
truncate -s 10G disk.img
ls > files.txt
ls >> files.txt
ls 2> /dev/null
: > /dev/null
> /tmp/scratch
wipefs /dev/sdb
lsblk
mount /dev/sdb /mnt
rsync -a a/ b/
rsync -an --delete a/ b/
rclone copy a remote:orders
curl https://search.example/orders
curl -X GET https://search.example/DELETE
curl -X POST https://search.example/delete
curl -fsSL https://example.com
curl -d 'X=DELETE' https://example.com
http GET search.example/orders
psql -c 'SELECT 1'
psql -h db -c 'SELECT count(*) FROM orders'
psql -c "SELECT 'drop table orders'"
psql -c 'EXPLAIN DELETE FROM orders'
psql -c "UPDATE orders SET state = 'new' WHERE id = 1"
psql -c 'SELECT * FROM orders FOR UPDATE'
psql -c '-- DROP TABLE orders'
psql -c 'SELECT dropped, deleted_from FROM orders'
psql -c 'SELECT pg_cancel_backend(42)'
echo 'SELECT 1' | psql
echo 'DROP TABLE orders' | grep DROP
echo 'rm -rf /' | cat
mongosh --eval 'db.orders.find()'
redis-cli GET orders
redis-cli GET del
redis-cli --bigkeys
redis-cli INFO
etcdctl get /shop
etcdctl endpoint status -w table
kafka-topics --list
rabbitmqctl list_queues
velero backup get
vault kv get secret/delete
nats stream ls
timeout 5 kubectl auth can-i delete pods
ssh host 'systemctl status shop'
ssh host ls
sh -c 'ls'
sudo ls
env FOO=rm ls
CMD='rm -rf old'
alias purge='rm -rf'
kubectl get pods -o jsonpath='{.items[?(@.delete)]}'
cat <<EOF > note.txt⏎rm -rf /⏎EOF
kubectl logs <pod> -n <delete>
awk '/rm -rf/ { print }' history.txt
jq '.delete' state.json
"""


def read_cases(text: str) -> list[str]:
    """Return the lines of a table of cases. `⏎` stands for a line break."""
    return [line.replace("⏎", "\n") for line in text.strip().split("\n")]


@pytest.mark.parametrize("script", read_cases(DESTRUCTIVE))
def test_destructive_commands(script: str) -> None:
    assert find_destructive_command(script, CodeFamily.SHELL)


@pytest.mark.parametrize("script", read_cases(HARMLESS))
def test_harmless_commands(script: str) -> None:
    assert find_destructive_command(script, CodeFamily.SHELL) is None


def make_examples(form: str) -> Iterator[str]:
    """Yield a command for each program of a form, with each alternative of each part."""
    programs, *parts = form.split(" ")
    needed = [part for part in parts if part != "$" and not part.startswith("!")]
    alternatives = [part.lstrip("@").split("|") for part in needed]
    for program in programs.split(","):
        for number in range(max(map(len, alternatives), default=1)):
            values = (words[number % len(words)] for words in alternatives)
            yield " ".join((make_word(program), *map(make_word, values)))


def make_word(pattern: str) -> str:
    """Return a word, or an option with its value, that a part of a form matches."""
    if pattern in ("...", "*"):
        return "x"
    word = re.sub(r"\[\[\]\]", "[]", pattern)
    word = word.replace("[*]", "\0").replace("[!0-9]", ":").replace("[0-9]", "1")
    word = word.replace("*", "_").replace("?", "x").replace("\0", "*")
    option = re.fullmatch(r"(--?[\w-]+)=(.+)", word)
    return f"{option[1]} {option[2]}" if option else f"'{word}'" if '"' in word else word


def test_the_words_of_a_form_are_complete() -> None:
    """A cheap test looks for whole words before the search."""
    words = [part for part in FORMS.split() if not part.startswith("@")]
    assert [word for word in words if re.search(r"[a-z]\*", word)] == []


@pytest.mark.parametrize("form", FORMS.strip().split("\n"))
def test_every_form_finds_its_examples(form: str) -> None:
    for example in make_examples(form):
        assert find_destructive_command(example, CodeFamily.SHELL), example
        assert find_destructive_command(f"sudo {example}", CodeFamily.TEXT), example


@pytest.mark.parametrize(
    ("script", "offset", "text"),
    [
        ("ls\nkubectl -n shop delete pod x", 3, "kubectl -n shop delete"),
        ("sudo timeout 5 rm -rf x", 15, "rm -rf"),
        ("ssh host 'sudo rm -rf x'", 15, "rm -rf"),
        ("psql -c 'SELECT 1; DROP TABLE x'", 19, "DROP TABLE"),
        ("psql <<EOF\nDROP TABLE x;\nEOF", 11, "DROP TABLE"),
        ("kubectl \\\n  delete pod x", 0, "kubectl delete"),
        ("kubectl delete pod x; rm -rf x", 0, "kubectl delete"),
        ("curl -s -X DELETE http://x", 0, "curl -s -X DELETE"),
        ("$ ls\n$ rm -rf x", 7, "rm -rf"),
        ('sh -c "echo \\"a\\"; rm -rf x"', 6, '"echo \\"a\\"; rm -rf x"'),
    ],
)
def test_the_place_and_the_text_of_a_command(script: str, offset: int, text: str) -> None:
    command = find_destructive_command(script, CodeFamily.SHELL)
    assert command
    assert (command.offset, command.text) == (offset, text)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("", "kubectl delete pod x"),
        ("text", "delete from orders;"),
        ("text", "TRUNCATE orders;"),
        ("text", "DROP TABLE orders"),
        ("text", "SELECT pg_terminate_backend(1);"),
        ("text", "orders=# DELETE FROM orders WHERE id = 1;"),
        ("text", "db.orders.deleteMany({})"),
        ("console", "$ ls\na.log\n$ rm -rf x\n"),
        ("console", "# systemctl stop shop"),
        ("console", "[root@db ~]# systemctl stop shop"),
        ("console", "kubectl delete pod x"),
        ("shell-session", "$ kubectl \\\n>   delete pod x"),
        ("zsh", "rm -rf **/*.log"),
        ("powershell", "Stop-Service shop"),
        ("powershell", "Remove-Item -Recurse C:\\shop"),
        ("sql", "DELETE FROM orders WHERE id = 1;"),
        ("sql", "BEGIN;\nDROP TABLE orders;"),
        ("sql", "UPDATE orders SET state = 'x';"),
        ("sql", "UPDATE orders SET state = 'where';"),
        ("sql", "UPDATE orders SET state = 'x' WHERE true"),
        ("sql", "EXPLAIN ANALYZE DELETE FROM orders;"),
        ("sql", "EXPLAIN (ANALYZE, BUFFERS) UPDATE orders SET state = 'x';"),
        ("sql", "WITH old AS (DELETE FROM orders RETURNING *) SELECT * FROM old;"),
        ("sql", "ALTER TABLE orders DROP COLUMN state;"),
        ("sql", "TRUNCATE TABLE orders;"),
        ("sql", "KILL 42;"),
        ('sql title="x"', "drop index orders_id;"),
        ("SQL", "drop index orders_id;"),
        ("redis", "FLUSHALL"),
        ("redis", "127.0.0.1:6379> DEL orders"),
        ("js", "db.orders.remove({})"),
        ("http", "DELETE /orders"),
        ("yaml", "steps:\n  - run: kubectl delete pod x\n"),
        ("python", 'os.system("rm -rf /var/lib/shop")'),
        ("python", 'cursor.execute("DELETE FROM orders")'),
    ],
)
def test_other_languages(language: str, code: str) -> None:
    assert find_destructive_command(code, family_of(read_language(language)))


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("text", "Delete from the list what is old."),
        ("text", "ERROR: cannot delete from view orders"),
        ("text", "shutdown in progress"),
        ("text", "kill: no such process"),
        ("text", "> quoted text"),
        ("console", "$ kubectl get pods\nkubectl delete is not run here"),
        ("console", "$ echo x\nrm -rf x"),
        ("sql", "SELECT 1; -- DROP TABLE orders"),
        ("sql", "/* DELETE FROM orders */ SELECT 'DELETE FROM orders';"),
        ("sql", "EXPLAIN DELETE FROM orders;"),
        ("sql", "EXPLAIN (COSTS off) DELETE FROM orders;"),
        ("sql", "UPDATE orders SET state = 'x' WHERE id = 1;"),
        ("sql", "INSERT INTO orders VALUES (1) ON CONFLICT (id) DO UPDATE SET state = 'x';"),
        ("sql", "ALTER TABLE orders ALTER COLUMN state DROP NOT NULL;"),
        ("sql", "CREATE TABLE a (b int REFERENCES c ON DELETE CASCADE);"),
        ("sql", "GRANT DELETE ON orders TO shop;"),
        ("sql", "SELECT truncate(1.5, 1), kill FROM orders;"),
        ("redis", "GET del"),
        ("js", "db.orders.find({}) // db.orders.drop()"),
        ("http", "GET /orders/delete"),
        ("promql", "rate(kube_delete_total[5m])"),
        ("yaml", "action: delete\nkind: drop\n"),
        ("json", '{"verb": "delete"}'),
        ("python", 'print("delete")'),
        ("markdown", "kubectl delete pod x"),
    ],
)
def test_harmless_code_in_other_languages(language: str, code: str) -> None:
    assert find_destructive_command(code, family_of(read_language(language))) is None


@pytest.mark.parametrize(
    "text",
    [
        "$(",
        '"$(',
        "`",
        "<",
        "<<a ",
        "'",
        "a;",
        "sudo ",
        "(",
        "<a ",
        "-x ",
        "sh -c '",
        "sudo -a ",
        "ssh -a b ",
        "find -exec ",
    ],
)
def test_hostile_scripts_take_linear_time(text: str) -> None:
    for family in (CodeFamily.SHELL, CodeFamily.TEXT):
        assert find_destructive_command(text * 3001, family) is None
