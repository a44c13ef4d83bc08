/**
 * What every check of the self-test is: it drives a server whose behaviour is known with the same clients that every
 * measurement uses, and says what is true and what was reported.
 */
import { type LoadResult, loadResult } from '../contract/load.js';
import { Child } from '../hosts/child.js';
import { type LoadSpec, loadCommand } from '../programs/load.js';
import type { Row } from './row.js';

export interface Effort {
  /** seconds of load in a check */
  seconds: number;
  /** trials on either side of a comparison: at least, and at most when the machine is unsteady */
  trials: readonly [number, number];
  /** what a deliberately slower server costs more, as a share of the CPU of a request */
  slowdown: number;
}

export const efforts = {
  quick: { seconds: 2, trials: [6, 12], slowdown: 0.5 },
  full: { seconds: 10, trials: [40, 120], slowdown: 0.02 },
} as const satisfies Record<string, Effort>;

export interface Check {
  name: string;
  /** it repeats itself as often as it needs; trying again would tell no more */
  once?: boolean;
  run(effort: Effort): Promise<Row[]>;
}

const ANSWER_MS = 20_000;

/** The load client for HTTP against a known-answer server on `port`. */
export async function driveLoad(
  spec: Omit<LoadSpec, 'protocol' | 'target'>,
  port: number,
): Promise<LoadResult> {
  const command = loadCommand({ ...spec, protocol: 'http', target: { host: '127.0.0.1', port } });
  const client = new Child('the load client', command);
  try {
    await client.expect('connected', ANSWER_MS);
    client.send('go');
    const longestMs = 1000 * (spec.durationS + spec.warmupS + (spec.timeoutS ?? 5)) + ANSWER_MS;
    return loadResult.parse(await client.expect('result', longestMs));
  } finally {
    await client.end(1000);
  }
}

/** Time on the wire and in two event loops, which the server cannot see. */
export const TRANSPORT_NS = 500_000;
