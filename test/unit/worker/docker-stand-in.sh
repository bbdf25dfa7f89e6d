#!/bin/sh
# Replaces the docker command line if there is no engine: `docker-stand-in.sh FOLDER ARGUMENTS…`. It records each call's arguments as a
# line of FOLDER/calls, with a tab after each, and its environment in FOLDER/environments. It keeps its containers in FOLDER/containers.
# It runs a container's program as a plain process of this machine, which does not end with the client, as with an engine. The name of an
# image says what happens with it. Messages are Docker's own. It accepts only the options that the worker uses. It is a shell script
# because it is started often and Node takes long to start.
folder=$1
shift
containers=$folder/containers
mkdir -p "$containers"
{ printf '%s\t' "$@" && echo; } >>"$folder/calls"
export -p >>"$folder/environments"
verb=$1
shift

# CODE MESSAGE
fail() {
  echo "$2" >&2
  exit "$1"
}

no_such() { fail 1 "Error response from daemon: No such container: $1"; }

# CONTAINER: sets `pid` to the id of its program. Fails if no program has started.
find_pid() {
  pid=
  read -r pid 2>/dev/null <"$1/pid"
}

# A zombie process counts as dead.
is_alive() {
  [ -n "$pid" ] && read -r stat 2>/dev/null <"/proc/$pid/stat" || return 1
  case $stat in *') Z '*) return 1 ;; esac
}

# IMAGE
pull() {
  echo "latest: Pulling from library/$1"
  case $1 in
  missing) fail 1 "Error response from daemon: manifest for missing:latest not found: manifest unknown: manifest unknown" ;;
  private) fail 1 "Error response from daemon: pull access denied for private, repository does not exist or may require 'docker login': denied: requested access to the resource is denied" ;;
  down) fail 1 'Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout' ;;
  flaky)
    [ "$(grep -c '^pull' "$folder/calls")" -ge 3 ] ||
      fail 1 "Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit."
    ;;
  huge)
    echo "3b1e2f: Downloading"
    exec sleep 60
    ;;
  esac
  echo "Status: Downloaded newer image for $1:latest"
}

# CODE ERROR STARTED: writes what `inspect` prints about the container, unless it was removed.
note() {
  { printf '"OOMKilled":%s,"ExitCode":%s,"Error":"%s","StartedAt":"%s"' "$out_of_memory" "$@" >"$container/state"; } 2>/dev/null
}

run() {
  name='' work=/ variables='' passed='' labels=''
  while :; do
    case $1 in
    --init) shift && continue ;;
    --name) name=$2 ;;
    --label) labels="$labels $2 " ;;
    --volume) case $2 in *:/work) work=${2%:/work} ;; esac ;;
    --env-file) variables=$2 ;;
    --env) passed="$passed $2" ;;
    --pull | --stop-signal | --network | --userns | --user | --cap-drop | --security-opt | --gpus | --memory | --memory-swap) ;;
    --cpus | --pids-limit | --shm-size | --oom-score-adj | --log-driver | --workdir) ;;
    --*) fail 125 "unknown flag: $1" ;;
    *) break ;;
    esac
    shift 2
  done
  image=$1
  shift
  [ "$image" != unmakeable ] ||
    fail 125 'docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]]'
  [ "$image" != slow ] || sleep 0.4
  [ ! -e "$containers/$name" ] ||
    fail 125 "docker: Error response from daemon: Conflict. The container name \"/$name\" is already in use."
  # The container appears complete, just before its program starts. Until then other commands do not find it.
  container=$folder/making.$$
  mkdir "$container"
  printf '%012d%052d\n' $$ 0 >"$container/id"
  echo "$labels" >"$container/labels"
  out_of_memory=false
  [ "$image" != hungry ] || out_of_memory=true
  case $1 in nowhere*)
    note 127 "exec: \\\"$1\\\": executable file not found in \$PATH" 0001-01-01T00:00:00Z
    mv "$container" "$containers/$name"
    fail 127 "docker: Error response from daemon: failed to create task for container: exec: \"$1\": executable file not found in \$PATH: unknown"
    ;;
  esac
  for each in $passed; do
    eval "set -- \"$each=\$$each\" \"\$@\""
  done
  while IFS= read -r line; do
    set -- "$line" "$@"
  done <"$variables"
  started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  note 0 "" "$started"
  begin='echo $$ >"$0/pid" && mv "$0" "$1" && shift && exec setsid env -i "$@"'
  (cd "$work" && exec sh -c "$begin" "$container" "$containers/$name" "$@") </dev/null &
  container=$containers/$name
  # Some shells print on standard error how a program ended.
  wait $! 2>/dev/null
  code=$?
  note $code "" "$started"
  exit $code
}

# -t SECONDS NAME
stop() {
  [ -d "$containers/$3" ] || no_such "$3"
  find_pid "$containers/$3"
  is_alive && kill "$pid"
  turns=$(($2 * 20))
  while is_alive && [ $turns -gt 0 ]; do
    sleep 0.05
    turns=$((turns - 1))
  done
  is_alive && kill -s KILL "$pid"
}

# NAME
kill_one() {
  [ -d "$containers/$1" ] || no_such "$1"
  find_pid "$containers/$1"
  is_alive || fail 1 "Error response from daemon: cannot kill container: $1: container is not running"
  kill -s KILL "$pid"
}

# NAME-OR-ID…
remove() {
  for asked; do
    for each in "$containers"/*; do
      [ -d "$each" ] || continue
      read -r id <"$each/id"
      case $id in "$asked"*) ;; *) [ "${each##*/}" = "$asked" ] || continue ;; esac
      find_pid "$each"
      # The folder must be moved before the kill, because a client that sees its container end would write into the folder again.
      mv "$each" "$folder/removed.$$"
      rm -r "$folder/removed.$$"
      is_alive && kill -s KILL "$pid"
    done
  done
}

# LABEL
list() {
  for each in "$containers"/*; do
    [ -d "$each" ] || continue
    read -r labels <"$each/labels"
    case " $labels " in *" $1 "*) printf '%.12s\n' "$(cat "$each/id")" ;; esac
  done
}

# NAME
inspect() {
  [ -d "$containers/$1" ] || no_such "$1"
  find_pid "$containers/$1"
  running=false
  is_alive && running=true
  printf '{"Status":"","Running":%s,%s}\n' $running "$(cat "$containers/$1/state")"
}

if [ -e "$folder/no-engine" ]; then
  code=1
  [ "$verb" != run ] || code=125
  fail $code "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
fi
case $verb in
pull) pull "$1" ;;
run) run "$@" ;;
stop) stop "$@" ;;
kill) kill_one "$1" ;;
rm)
  [ ! -e "$folder/slow-removal" ] || exec sleep 60
  shift 2 # --force --volumes
  remove "$@"
  ;;
ps) for label; do :; done && list "${label#label=}" ;;
inspect) for name; do :; done && inspect "$name" ;;
*) fail 125 "unknown command $verb" ;;
esac
# A command that failed here without a message does not count as a failure of Docker.
exit 0
