/** Which servers an experiment measures: implementations x backends (x how much I/O a crossing does). */
import { z } from 'zod';
import { backendName, implementation, ioMode } from '../contract/common.js';
import type { Machine } from './experiment.js';

export const variant = z.strictObject({ impl: implementation, io: ioMode.nullable(), backend: backendName });
export type Variant = z.infer<typeof variant>;

/** Settings that choose servers, for the settings of an experiment. */
export const serverSettings = {
  backends: z.array(backendName).min(1),
  impls: z.array(implementation).min(1),
  /** for the implementations that cross Node-API (ts) */
  ios: z.array(ioMode).min(1),
};

/** Mechanisms that the raw-syscall baseline is written for. */
const baselineBackends: readonly string[] = ['select', 'poll', 'epoll', 'kqueue'];

/** Not every implementation runs on every backend: Node picks its mechanism itself, the baseline knows a few. */
export function exists({ impl, backend }: Variant, machine: Machine): boolean {
  if (impl === 'libuv') return backend === machine.nodeBackend;
  if (impl === 'baseline') return baselineBackends.includes(backend);
  return true;
}

/** The product of the factors, without what does not exist, in a fixed order. */
export function variants(
  chosen: { [Name in keyof typeof serverSettings]: z.infer<(typeof serverSettings)[Name]> },
  machine: Machine,
): Variant[] {
  return chosen.impls
    .flatMap((impl) =>
      (impl === 'ts' ? chosen.ios : [null]).flatMap((io) =>
        chosen.backends.map((backend) => ({ impl, io, backend })),
      ),
    )
    .filter((one) => exists(one, machine));
}

/** Cells without repetition: what is named beside the factors may be among them as well. */
export const distinct = <Cell>(cells: readonly Cell[]): Cell[] => [
  ...new Map(cells.map((cell) => [JSON.stringify(cell), cell])).values(),
];
