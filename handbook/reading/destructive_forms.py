"""Forms of destructive commands, as data.

A line of `FORMS` is a program, or several with commas, and then the parts that its arguments need:

- `delete|drain`: the next word that is not an option. Alternatives are separated by `|`.
- `...`: any words.
- `-f|--force`, `-X=DELETE`: an option, anywhere. A letter can be in a group, such as `-rf`.
- `@of=*`: an argument, anywhere.
- `!-n|--list`: no such option or argument.
- `*`: one word.
- `$`: no word at all.

A form without parts needs only the program. In a part, `*`, `?` and `[…]` are those of `fnmatch`.
The comparison ignores the case of everything but options of one letter.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FORMS: Final = """
kubectl,oc delete|drain|evict
kubectl,oc scale --replicas=0
kubectl,oc replace|apply --force|--prune
kubectl,oc taint @*:NoExecute
kubectl,oc patch @*"replicas":[!0-9]0*|*"replicas":0*|*"finalizers":*null*
kubectl,oc patch @*"finalizers":*[[]]*
kubectl cnpg|argo|cert-manager ... destroy|delete|terminate
oc adm drain|prune
helm,helmfile uninstall|delete|del|un|destroy
helm upgrade|rollback --force
terraform,tofu,terragrunt destroy
terraform,tofu,terragrunt run-all|stack destroy
terraform,tofu,terragrunt apply -destroy|--destroy|-replace=*|--replace=*
terraform,tofu,terragrunt state rm
terraform,tofu,terragrunt workspace delete
terraform,tofu,terragrunt force-unlock
pulumi destroy
pulumi stack rm
pulumi state delete
cdk,cdktf destroy
serverless,sls remove
sam,eksctl,kops,kind,minikube,skaffold delete
k3d,kind cluster delete
tilt down
argocd app|cluster|repo|proj|appset delete|rm|remove|terminate-op
argocd app sync --force|--prune|--replace
argo delete|stop|terminate
flux delete|uninstall
istioctl,cilium,velero uninstall
istioctl x uninstall
velero ... delete
nomad job stop
nomad stop
nomad ... purge|delete
nomad node drain
consul leave|force-leave
consul ... delete|deregister
vault delete|seal
vault ... delete|destroy|disable|revoke|seal
etcdctl del
etcdctl member remove
etcdctl role|user|auth delete|disable
aws * delete-*|terminate-*|stop-*|purge-*|deregister-*|batch-delete-*|remove-*|revoke-*
aws * detach-*|disable-*|reboot-*|schedule-key-deletion|release-address|cancel-*
aws s3 rm|rb
aws s3 sync --delete
aws * update-service --desired-count=0
aws * set-desired-capacity|update-auto-scaling-group --desired-capacity=0
gcloud ... delete|delete-*|stop|reset|suspend|disable|purge|remove-*|abandon-instances
gcloud storage rm
gcloud ... resize --size=0|--num-nodes=0
az ... delete|delete-*|purge|stop|deallocate|remove|revoke|revoke-*
azcopy remove|rm
azcopy sync --delete-destination=true
oci,doctl,hcloud,linode-cli,ibmcloud,openstack,nova,scw ... delete|rm|destroy|terminate|stop
oci,doctl,hcloud,linode-cli,ibmcloud,openstack,nova,scw ... delete-*|shutdown|poweroff|reboot
fly,flyctl ... destroy|delete|stop|kill
heroku apps:destroy|pg:reset|ps:stop|ps:kill|addons:destroy|config:unset
heroku ps:scale @*=0
fly,flyctl scale @0
gsutil rm|rb
gsutil rsync -d
bq rm
cbt deleteinstance|deletetable|deletefamily|deleterow|deletecolumn|deleteallrows|deletesnapshot
s3cmd del|rm|rb
s3cmd sync --delete-removed
mc rm|rb
mc mirror --remove
rclone purge|delete|deletefile|rmdirs|sync|cleanup !-n
rsync --delete|--delete-*|--del|--remove-source-files !-n
gh,glab ... delete
gh,glab delete
skopeo,crane delete
npm unpublish
git push --force|-f|--delete|-d|--mirror|--prune !-n
git push @+?*|:?*
git reset --hard
git clean -f|--force !-n
git checkout|switch -f|--force|--discard-changes
git branch -D
git stash drop|clear
git reflog expire|delete
git filter-repo|filter-branch
rm -r|-R|-f|--recursive|--force
rm @*[*]*
find -delete
shred,blkdiscard,mkswap
wipefs -a|--all|-o !-n
mkfs,mkfs.*,mke2fs,newfs !-n
dd @of=* !of=/dev/null
truncate -s=0|-s=-*|--size=0|--size=-*
cp @/dev/null
sgdisk -Z|-o|-d|--zap|--zap-all|--delete|--clear
parted ... rm|mklabel|mktable
sfdisk --delete
nvme format|sanitize
hdparm --security-erase|--security-erase-enhanced
xfs_repair -L
umount -f|-l|--force|--lazy
lvremove,vgremove,pvremove,lvreduce
lvm lvremove|vgremove|pvremove|lvreduce
mdadm --stop|-S|--zero-superblock|--remove|-r|--fail|-f
cryptsetup luksformat|erase|luksremovekey|luksdelkey|close
zfs destroy|rollback !-n
zpool destroy|labelclear|remove|offline|export
btrfs subvolume|device delete|remove
ceph osd purge|destroy|rm|lost|out
ceph osd pool delete|rm
ceph fs|auth|mon rm|del|remove
rbd,rados rm|remove|purge
gluster volume delete|stop|remove-brick
restic forget|prune
borg delete|prune
wal-g,wal-e,barman delete
pgbackrest stanza-delete|expire|stop
virsh destroy|undefine|shutdown|reset
qm,pct destroy|stop|shutdown
docker,podman,nerdctl ... prune
docker,podman,nerdctl rm -f|-v|--force|--volumes
docker,podman,nerdctl container rm -f|-v|--force|--volumes
docker,podman,nerdctl rmi -f|--force
docker,podman,nerdctl stop|kill
docker,podman,nerdctl container|pod stop|kill
docker,podman,nerdctl volume|network|stack|service|node|secret|config|pod rm|remove
docker,podman,nerdctl swarm leave
docker,podman,nerdctl service scale @*=0
docker,podman,nerdctl service update --force
docker,podman,nerdctl system reset
docker,podman,nerdctl compose down|rm|stop|kill
docker-compose,podman-compose down|rm|stop|kill
crictl rm|rmp|rmi|stop|stopp
ctr ... rm|delete|kill
systemctl stop|disable|mask|kill|isolate|poweroff|reboot|halt|kexec|emergency|rescue
service * stop
rc-service * stop
initctl stop
supervisorctl,pm2,monit,sv,svcadm stop|delete|kill|disable|shutdown|down|exit
launchctl unload|bootout|stop|remove|disable
init,telinit 0|6|1
shutdown @now|+*|[0-9]*:[0-9]* !-c|-k
shutdown -h|-r|-P|-H !-c|-k
shutdown $ !-c|-k
reboot,poweroff,halt $
ipmitool ... off|reset|cycle|soft
kill -9|-KILL|-SIGKILL|-s=KILL|-s=9|-s=SIGKILL|-n=9
killall,pkill !-0|-HUP|-SIGHUP|-USR1|-USR2|-CONT|-WINCH|-1|-l|-10|-12|-SIGUSR1|-SIGUSR2
fuser -k|--kill
taskkill
iptables,ip6tables -F|--flush|-X|--delete-chain|-D|--delete
iptables,ip6tables -P|--policy @DROP|REJECT
nft flush|delete|destroy
ufw reset|disable|delete
firewall-cmd --remove-*|--panic-on
ip ... del|delete|flush
ip link set ... down
ifdown
ifconfig * down
nmcli ... down|delete|off
crontab -r
atrm
userdel,groupdel,deluser,delgroup
passwd -d|-l|--delete|--lock
journalctl --vacuum-*
apt,apt-get,aptitude remove|purge|autoremove|autopurge
yum,dnf,zypper,microdnf remove|erase|autoremove|rm
rpm -e|--erase
dpkg -r|-P|--remove|--purge
apk del
pacman -R
snap remove|disable
ansible @*state=absent*|*state=stopped*
kafka-topics,kafka-consumer-groups,kafka-acls,kafka-configs --delete|--delete-*|--remove
kafka-consumer-groups --reset-offsets @--execute
kafka-server-stop,zookeeper-server-stop
kafka-delete-records --offset-json-file
kafka-storage format
zookeepercli,zkcli ... delete|deleteall|rmr
rpk topic|group|acl|user delete|trim-prefix
kafkactl,pulsar-admin ... delete|terminate|reset-cursor|clear-backlog
kafkactl delete
rabbitmqctl delete_*|purge_queue|stop|stop_app|shutdown|reset|force_reset|close_*|clear_*
rabbitmqctl forget_cluster_node
rabbitmqadmin delete|purge|close
nats ... rm|purge|del|delete
redis-cli,valkey-cli,keydb-cli flushall|flushdb|del|unlink|shutdown|getdel|ltrim|xtrim|spop
redis-cli,valkey-cli,keydb-cli hdel|srem|zrem|lrem|xdel|zpopmin|zpopmax
redis-cli,valkey-cli,keydb-cli zremrangebyscore|zremrangebyrank|zremrangebylex
redis-cli,valkey-cli,keydb-cli script|function flush|delete
redis-cli,valkey-cli,keydb-cli cluster reset|forget|flushslots|delslots|delslotsrange
redis-cli,valkey-cli,keydb-cli client kill
redis-cli,valkey-cli,keydb-cli xgroup destroy|delconsumer
redis-cli,valkey-cli,keydb-cli debug segfault|sleep|panic
redis-cli,valkey-cli,keydb-cli --cluster=del-node
memcached-tool * flush_all
mongorestore --drop
dropdb,dropuser
pg_resetwal,pg_resetxlog *
pg_dropcluster
pg_ctl stop|kill
pg_ctlcluster ... stop
pg_restore --clean|-c
pg_archivecleanup * !-n
patronictl remove|reinit
mysqladmin ... drop|shutdown|kill
cockroach ... decommission|drain|quit
nodetool decommission|removenode|assassinate|drain|clearsnapshot|stopdaemon|disablebinary
nodetool disablegossip|truncatehints
influx,influxd ... delete
curl,curlie -X=DELETE|--request=DELETE
curl,curlie,http,https,xh,xhs,wget @*/_delete_by_query*
http,https,xh,xhs ... delete
wget --method=DELETE
invoke-restmethod,invoke-webrequest,irm,iwr -method=DELETE
remove-item,ri,rd,rmdir,del,erase -recurse|-force|-r
del,erase,rd,rmdir @/s|/q|/f
stop-service,stop-process,stop-computer,restart-computer,stop-vm
remove-aduser,remove-vm,remove-service,remove-partition,remove-azvm,remove-azresourcegroup
clear-content,clear-disk,clear-eventlog,format-volume,initialize-disk
sc stop|delete
net stop
reg delete
"""
"""The forms, one a line."""

BULK_PROGRAMS: Final = frozenset(("rm", "unlink", "rmdir", "kill", "pkill"))
"""Programs that are destructive for every file or process that `xargs` or `find` lists."""

REHEARSALS: Final = _words(
    """
    --dry-run --dry-run=client --dry-run=server --dry-run=true --dryrun --dryrun=true --help -help
    --version --noop --no-op --what-if -whatif --simulate --just-print --check
    """
)
"""Options with which a program changes nothing. The comparison ignores case."""

OTHER_SIGNS: Final = _words(
    """
    delete truncate drop update purge reset shutdown terminate replication flush remove kill killop
    dropdatabase dropindex dropindexes dropuser deletemany deleteone findoneanddelete shutdownserver
    """
)
"""Words of destructive SQL, and of destructive commands of MongoDB and memcached."""

COMMON_SIGNS: Final = _words("dev null pg service")
"""Words that many other commands have."""

FLAGS: Final = _words("--quiet -q --yes -y --force --debug -v --no-wait -it -i -t -ti --rm -d")
"""Options without a value. After another option, a word can be the value of the option."""

RUNNERS: Final = {
    0: _words("""
    sudo doas env nohup time nice ionice exec command builtin setsid stdbuf watch xargs parallel
    strace unshare nsenter systemd-run busybox runuser caffeinate unbuffer heroku:run
    """),
    1: _words("""
    timeout gtimeout chroot arch-chroot flock taskset chrt gosu su-exec ssh docker:exec docker:run
    podman:exec podman:run nerdctl:exec nerdctl:run docker:compose:exec docker:compose:run
    docker-compose:exec docker-compose:run crictl:exec oc:rsh nomad:alloc:exec lxc:exec
    """),
}
"""Programs that run the command in their arguments, by the number of other arguments before it.

A program can have subcommands: `docker:exec`.
"""

SHELLS: Final = _words("sh bash zsh dash ksh ash fish ssh")
"""Programs that run the script on their standard input."""

SCRIPT_CARRIERS: Final = SHELLS | _words(
    """
    su runuser flock watch parallel xargs eval script gcloud ansible az pdsh clush salt fly flyctl
    heroku vagrant tmux nsenter sg pwsh powershell
    """
)
"""Programs that run an argument as a script."""

SQL_CLIENTS: Final = _words(
    """
    psql pgcli mysql mariadb mycli sqlite3 cqlsh clickhouse-client clickhouse cockroach sqlcmd bq
    snowsql usql trino presto duckdb beeline hive impala-shell sqlplus heroku aws vsql spark-sql
    """
)
"""Programs that run an argument, or their standard input, as SQL."""

KEY_VALUE_CLIENTS: Final = _words("redis-cli valkey-cli keydb-cli nc ncat telnet")
"""Programs that run their standard input as commands of Redis or memcached."""

MONGO_CLIENTS: Final = frozenset(("mongosh", "mongo"))
"""Programs that run an argument, or their standard input, as JavaScript of MongoDB."""

PRINTERS: Final = frozenset(("echo", "printf", "cat"))
"""Programs whose text a pipe can send to a client."""
