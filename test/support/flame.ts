/** Flame trials as folders, from synthetic stacks: nothing is profiled. */
import { writeFlame } from '../../src/flame/output.js';
import type { WindowPair } from '../../src/flame/overhead.js';
import { parseFolded, type Stack } from '../../src/flame/stacks.js';
import { host, syntheticSample } from './samples.js';

const few =
  'node;run_[j];turn_[d];do_select_[k] 60\nnode;run_[j];recv_[l];tcp_recvmsg_[k] 30\nnode;run_[j] 10\n';

/** `count` stacks that share little, with weights from 1 up. */
export function deepStacks(count: number): Stack[] {
  const rows = Array.from(
    { length: count },
    (_, i) => `node;part ${i % 50};caller ${i % 5000};leaf ${i}_[k] ${1 + (i % 97)}`,
  );
  return parseFolded(`${rows.join('\n')}\n`);
}

/** A profile of select and one of epoll to compare it with. */
export function writeProfile(folder: string, stacks = parseFolded(few)): void {
  const { server } = syntheticSample({ cell: { backend: 'select', impl: 'ts', idle: 4000 }, cpuUs: 9 });
  const window = (durationNs: number) => ({ durationNs, requests: 1000, cpuUs: 9000 });
  const pairs = Array.from(
    { length: 5 },
    (): WindowPair => ({ profiled: window(1.05e9), unprofiled: window(1e9) }),
  );
  const profile = (role: 'profile' | 'base', all: Stack[]) => ({
    role,
    title: `${role === 'profile' ? 'select' : 'epoll'}, ts batch, 4000 idle`,
    idleConnections: 4000,
    activeConnections: 100,
    profile: {
      profiler: 'perf' as const,
      hello: server!,
      command: ['node'],
      events: ['cpu-clock'],
      frequencyHz: 499,
      samples: all.reduce((sum, { weight }) => sum + weight, 0),
      unit: 'samples' as const,
      stacks: all,
      pairs,
      scope: 'synthetic frames',
      notes: ['Synthetic: nothing was profiled.'],
      perfMap: null,
    },
  });
  writeFlame(folder, host, '2026-01-01T00:00:00.000Z', [
    profile('profile', stacks),
    profile('base', stacks.slice(1)),
  ]);
}
