/**
 * A stand-in for `nvidia-smi` on a machine of the local cloud, where there is no GPU. It answers `--query-gpu` in the form
 * of the real one, for as many GPUs of that model as the instance type has: one is at work for each program of a job that
 * runs, the others idle. What it does not know is "[N/A]", as with real devices.
 */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Moto } from "./moto.ts";
import { items, textAt } from "./xml-document.ts";

type Gpus = { readonly count: number; readonly model: string; readonly memoryMiB: number };

/** Puts the program into `folder`/bin, which it answers; undefined for a type without GPUs. */
export async function installNvidiaSmi(
  moto: Moto,
  of: { region: string; instanceType: string; folder: string },
): Promise<string | undefined> {
  const gpus = await gpusOf(moto, of);
  if (gpus === undefined) return undefined;
  const bin = join(of.folder, "bin");
  await mkdir(bin, { recursive: true });
  const file = join(bin, "nvidia-smi");
  await writeFile(file, script(gpus, join(of.folder, "attempts")));
  await chmod(file, 0o755);
  return bin;
}

async function gpusOf(moto: Moto, of: { region: string; instanceType: string }): Promise<Gpus | undefined> {
  const answer = await moto.ask(of.region, { Action: "DescribeInstanceTypes", "InstanceType.1": of.instanceType });
  const info = items(answer, "instanceTypeSet")[0]?.children.find((child) => child.name === "gpuInfo");
  const [gpu] = items(info, "gpus");
  const count = Number(textAt(gpu, "count") ?? 0);
  if (!gpu || count === 0) return undefined;
  return { count, model: textAt(gpu, "name") ?? "", memoryMiB: Number(textAt(gpu, "memoryInfo", "sizeInMiB") ?? 0) };
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const script = ({ count, model, memoryMiB }: Gpus, attempts: string): string => `#!/bin/sh
fields=index
for argument in "$@"; do
  case $argument in --query-gpu=*) fields=\${argument#--query-gpu=} ;; esac
done
programs=$(find ${quoted(attempts)} -mindepth 4 -maxdepth 4 -name program.json 2>/dev/null | wc -l)
gpu=0
while [ "$gpu" -lt ${count} ]; do
  if [ "$gpu" -lt "$programs" ]; then busy=97 used=${Math.floor(memoryMiB * 0.8)} watts=68.40 degrees=64
  else busy=0 used=0 watts=9.20 degrees=31; fi
  line=
  for field in $(echo "$fields" | tr ',' ' '); do
    case $field in
      index) value=$gpu ;;
      name) value=${quoted(model)} ;;
      utilization.gpu) value=$busy ;;
      memory.used) value=$used ;;
      memory.total) value=${memoryMiB} ;;
      power.draw) value=$watts ;;
      temperature.gpu) value=$degrees ;;
      *) value='[N/A]' ;;
    esac
    line="$line\${line:+, }$value"
  done
  echo "$line"
  gpu=$((gpu + 1))
done
`;
