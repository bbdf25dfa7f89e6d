# Turns an instance of Amazon Linux 2023 into a worker. Runs once, as root, after the lines that name the node function,
# the pool and the region. It tries for ten minutes and shuts the instance down if the worker does not run by then.
set -uo pipefail
umask 077

home=/opt/fleetwright
folder=/var/lib/fleetwright
imds=http://169.254.169.254/latest
deadline=$((SECONDS + 600))

say() { echo "fleetwright: $*" >&2; }

# Prints one field of a JSON object on standard input, or nothing if the field is missing.
field() { python3 -c 'import json,sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$1"; }

imds_get() { curl -sf -m 5 -H "X-aws-ec2-metadata-token: $imds_token" "$imds/$1"; }

# Calls the node function as this instance. Secrets are passed through a pipe, never on a command line.
call_node() {
  local imds_token role credentials
  imds_token=$(curl -sf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$imds/api/token") || return 1
  role=$(imds_get meta-data/iam/security-credentials/) || return 1
  credentials=$(imds_get "meta-data/iam/security-credentials/$role") || return 1
  curl -sS -f -m 20 -K - --aws-sigv4 "aws:amz:$AWS_REGION:lambda" -H 'content-type: application/json' -d "$1" "$FLEETWRIGHT_NODE_URL" <<CONFIG
user = "$(field AccessKeyId <<<"$credentials"):$(field SecretAccessKey <<<"$credentials")"
header = "x-amz-security-token: $(field Token <<<"$credentials")"
CONFIG
}

# Blocks the job's user from the instance's credentials and metadata. The worker never starts without this guard.
write_guard() {
  cat >"$home/guard" <<'GUARD'
#!/bin/bash
set -e
uid=$(id -u fleetjob)
if command -v iptables >/dev/null; then
  iptables -w 10 -C OUTPUT -d 169.254.169.254 -m owner --uid-owner "$uid" -j REJECT 2>/dev/null ||
    iptables -w 10 -I OUTPUT -d 169.254.169.254 -m owner --uid-owner "$uid" -j REJECT
else
  nft list table inet fleetwright >/dev/null 2>&1 && exit 0
  nft -f - <<RULES
table inet fleetwright {
  chain out {
    type filter hook output priority 0; policy accept;
    ip daddr 169.254.169.254 meta skuid $uid reject
  }
}
RULES
fi
GUARD
  chmod 700 "$home/guard"
}

write_unit() {
  cat >/etc/systemd/system/fleetwright.service <<UNIT
[Unit]
Description=Fleetwright worker
After=network-online.target docker.service
Wants=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
Environment="FLEETWRIGHT_NODE_URL=$FLEETWRIGHT_NODE_URL"
Environment="FLEETWRIGHT_POOL=$FLEETWRIGHT_POOL"
Environment="AWS_REGION=$AWS_REGION"
Environment="FLEETWRIGHT_JOB_USER=fleetjob"
Environment="FLEETWRIGHT_FOLDER=$folder"
Environment="FLEETWRIGHT_SHUTDOWN=systemctl --no-block poweroff"
ExecStartPre=$home/guard
ExecStart=$home/node $home/worker.mjs
Restart=always
RestartSec=2
Delegate=yes
OOMPolicy=continue
KillMode=mixed

[Install]
WantedBy=multi-user.target
UNIT
}

# True if the worker runs, or will as soon as what systemd starts before it is there. That may be ordered after this script, so the script
# must not wait for it.
is_started() {
  local job
  systemctl is-active --quiet fleetwright && return 0
  job=$(systemctl show --property=Job --value fleetwright)
  [ "${job:-0}" != 0 ]
}

start_worker() {
  local answer worker_url node_url
  answer=$(call_node "{\"protocol\":1,\"kind\":\"boot\",\"pool\":\"$FLEETWRIGHT_POOL\"}") || { say 'the node function did not respond'; return 1; }
  case $(field kind <<<"$answer") in
    boot) ;;
    shutdown) say 'the instance is no longer needed; shutting down'; systemctl --no-block poweroff; exit 0 ;;
    *) say 'the instance is not expected yet'; return 1 ;;
  esac
  worker_url=$(field workerUrl <<<"$answer") && node_url=$(field nodeUrl <<<"$answer") || return 1
  curl -sS -f -m 60 -o "$home/worker.mjs" "$worker_url" || { say 'the worker could not be downloaded'; return 1; }
  curl -sS -f -m 240 -o "$home/node.part" "$node_url" || { say 'Node could not be downloaded'; return 1; }
  chmod 755 "$home/node.part" && mv -f "$home/node.part" "$home/node" || return 1
  "$home/node" --version >/dev/null || { say 'Node does not run here'; return 1; }
  write_guard && write_unit && systemctl daemon-reload && systemctl enable --quiet fleetwright && systemctl --no-block restart fleetwright || return 1
  sleep 3
  is_started || { say 'the worker did not start'; return 1; }
}

mkdir -p "$home" "$folder" && chmod 755 "$home" "$folder"
id fleetjob >/dev/null 2>&1 || useradd --system --no-create-home --shell /sbin/nologin fleetjob

until start_worker; do
  if ((SECONDS >= deadline)); then
    say 'gave up after ten minutes'
    systemctl --no-block poweroff
    exit 1
  fi
  sleep 5
done
say 'the worker is running'
