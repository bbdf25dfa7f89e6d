/** What a node offers, or what a job needs on one node. GPUs are whole. */
export type Resources = {
  readonly vcpus: number;
  readonly memoryGiB: number;
  readonly gpus: number;
};

export const nothing: Resources = { vcpus: 0, memoryGiB: 0, gpus: 0 };

export const plus = (a: Resources, b: Resources): Resources => ({
  vcpus: a.vcpus + b.vcpus,
  memoryGiB: a.memoryGiB + b.memoryGiB,
  gpus: a.gpus + b.gpus,
});

export const minus = (a: Resources, b: Resources): Resources => ({
  vcpus: a.vcpus - b.vcpus,
  memoryGiB: a.memoryGiB - b.memoryGiB,
  gpus: a.gpus - b.gpus,
});

export const sum = (all: readonly Resources[]): Resources => all.reduce(plus, nothing);

/** Whether `need` fits into `room` in every dimension. */
export const fits = (need: Resources, room: Resources): boolean =>
  need.vcpus <= room.vcpus && need.memoryGiB <= room.memoryGiB && need.gpus <= room.gpus;
