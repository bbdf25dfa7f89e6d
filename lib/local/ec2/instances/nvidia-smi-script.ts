/**
 * The program that replaces `nvidia-smi`. It supports the table (without arguments), `-L`, and `--query-gpu` and
 * `--query-compute-apps` with `--format=csv`, with the output of driver 580. It refuses other options with the real program's
 * message. As in the real program, CUDA_VISIBLE_DEVICES has no effect.
 */
export type Gpus = { readonly count: number; readonly model: string; readonly memoryMiB: number };

/** The power limit of each GPU, W, from NVIDIA's data sheets. */
const maxWatts: Readonly<Record<string, number>> = { T4: 70, L4: 72, A10G: 300, L40S: 350, V100: 300, A100: 400, H100: 700, H200: 700 };

/** The values of a GPU while a program uses it and while none does. */
const values = (memoryMiB: number) => ({
  busy: { busy: 97, used: Math.floor(memoryMiB * 0.8), watts: "68.40", degrees: 64, state: "P0" },
  idle: { busy: 0, used: 0, watts: "9.20", degrees: 31, state: "P8" },
});

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const settings = (of: Readonly<Record<string, string | number>>): string =>
  Object.entries(of)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

/** `attempts`: the worker's folder that contains a program.json per running program. */
export function nvidiaSmiScript({ count, model, memoryMiB }: Gpus, attempts: string): string {
  const { busy, idle } = values(memoryMiB);
  return `#!/bin/sh
# There is no GPU behind this: it shows those of the instance type, one at work for each program that runs.
count=${count} model=${quoted(model)} total=${memoryMiB} limit=${maxWatts[model] ?? "N/A"} driver=580.95.05 cuda=13.0
programs=$(find ${quoted(attempts)} -mindepth 4 -maxdepth 4 -name program.json 2>/dev/null | wc -l)

look() { # the state of GPU $1
  if [ "$1" -lt "$programs" ]; then ${settings(busy)}; else ${settings(idle)}; fi
  uuid=$(printf 'GPU-00000000-0000-4000-8000-%012x' "$1") bus=$(printf '00000000:00:%02X.0' $((30 - $1)))
}
refuse() { echo "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help."; exit 2; }
each() { # runs "$@" with the number of each GPU that is asked for
  gpu=0
  while [ "$gpu" -lt "$count" ]; do
    if [ -z "$only" ] || [ "$only" = "$gpu" ]; then look "$gpu"; "$@"; fi
    gpu=$((gpu + 1))
  done
}
valueOf() { # sets value and unit
  unit=
  case $1 in
    index) value=$gpu ;;
    name|gpu_name) value=$model ;;
    uuid|gpu_uuid) value=$uuid ;;
    count) value=$count ;;
    driver_version) value=$driver ;;
    pci.bus_id|gpu_bus_id) value=$bus ;;
    pstate) value=$state ;;
    utilization.gpu) value=$busy unit=%% ;;
    utilization.memory) value=0 unit=%% ;;
    memory.used) value=$used unit=MiB ;;
    memory.free) value=$((total - used)) unit=MiB ;;
    memory.total) value=$total unit=MiB ;;
    power.draw) value=$watts unit=W ;;
    power.limit) value=$limit unit=W ;;
    temperature.gpu) value=$degrees ;;
    timestamp) value=$(date '+%Y/%m/%d %H:%M:%S.000') ;;
    ecc.*|clocks.*|clocks_*|pcie.*|pci.*|power.*|utilization.*|temperature.*|mig.*|fan.speed|serial|compute_mode|persistence_mode|display_*|vbios_version|retired_pages.*|encoder.*) value='[N/A]' ;;
    *) echo "Field \\"$1\\" is not a valid field to query."; exit 2 ;;
  esac
}
unitOf() { case $1 in utilization.*) echo ' [%]' ;; memory.*) echo ' [MiB]' ;; power.*) echo ' [W]' ;; esac; }
row() {
  line=
  for field in $(echo "$fields" | tr ',' ' '); do
    valueOf "$field"
    [ "$unit" = %% ] && unit=%
    [ -n "$unit" ] && [ -z "$nounits" ] && [ "$value" != N/A ] && value="$value $unit"
    line="$line\${line:+, }$value"
  done
  echo "$line"
}
query() {
  [ "$format" = csv ] || refuse
  gpu=0; look 0
  for field in $(echo "$fields" | tr ',' ' '); do valueOf "$field"; done
  if [ -z "$noheader" ]; then
    header=
    for field in $(echo "$fields" | tr ',' ' '); do
      if [ -n "$nounits" ]; then name=$field; else name="$field$(unitOf "$field")"; fi
      header="$header\${header:+, }$name"
    done
    echo "$header"
  fi
  each row
}
apps() { # nothing that runs here has a GPU's context
  [ "$format" = csv ] || refuse
  [ -n "$noheader" ] || echo "$fields" | sed -e 's/,/, /g' -e 's/used_memory/used_gpu_memory [MiB]/' -e 's/used_gpu_used_gpu/used_gpu/'
}
list() { echo "GPU $gpu: NVIDIA $model (UUID: $uuid)"; }
tableRow() {
  cap=$limit; [ "$limit" = N/A ] || cap="\${limit}W"
  printf '| %3d  NVIDIA %-24.24sOn  |   %-16s Off |                    0 |\\n' "$gpu" "$model" "$bus"
  printf '| N/A  %3dC    %-2s  %13dW / %5s | %7dMiB / %6dMiB |    %3d%%      Default |\\n' "$degrees" "$state" "\${watts%.*}" "$cap" "$used" "$total" "$busy"
  echo '|                                         |                        |                  N/A |'
  echo '+-----------------------------------------+------------------------+----------------------+'
}
table() {
  date '+%a %b %e %H:%M:%S %Y'
  echo '+-----------------------------------------------------------------------------------------+'
  printf '| NVIDIA-SMI %-22s Driver Version: %-14s CUDA Version: %-8s |\\n' "$driver" "$driver" "$cuda"
  echo '+-----------------------------------------+------------------------+----------------------+'
  echo '| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |'
  echo '| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |'
  echo '|                                         |                        |               MIG M. |'
  echo '|=========================================+========================+======================|'
  each tableRow
  echo
  echo '+-----------------------------------------------------------------------------------------+'
  echo '| Processes:                                                                              |'
  echo '|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |'
  echo '|        ID   ID                                                               Usage      |'
  echo '|=========================================================================================|'
  echo '|  No running processes found                                                             |'
  echo '+-----------------------------------------------------------------------------------------+'
}
help() {
  echo "NVIDIA System Management Interface -- v$driver (the local cloud's stand-in: there is no GPU behind it)"
  echo
  echo 'nvidia-smi [-i INDEX]                                    the table'
  echo 'nvidia-smi -L                                            the GPUs, one a line'
  echo 'nvidia-smi --query-gpu=FIELDS --format=csv[,noheader][,nounits]'
  echo 'nvidia-smi --query-compute-apps=FIELDS --format=csv[,noheader][,nounits]'
}

do=table fields= format= noheader= nounits= only=
while [ $# -gt 0 ]; do
  case $1 in
    --query-gpu=*) do=query fields=\${1#*=} ;;
    --query-compute-apps=*) do=apps fields=\${1#*=} ;;
    --format=*)
      for part in $(echo "\${1#*=}" | tr ',' ' '); do
        case $part in csv) format=csv ;; noheader) noheader=1 ;; nounits) nounits=1 ;; *) refuse ;; esac
      done ;;
    -L|--list-gpus) do=list ;;
    -h|--help) do=help ;;
    -i|--id) only=$2; shift ;;
    --id=*) only=\${1#*=} ;;
    *) refuse ;;
  esac
  shift
done
case $only in *[!0-9]*) refuse ;; esac
if [ -n "$only" ] && [ "$only" -ge "$count" ]; then echo 'No devices were found'; exit 6; fi
if [ "$do" = list ]; then each list; else "$do"; fi
`;
}
