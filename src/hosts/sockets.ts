/** What the kernel says of the sockets of a transfer (tcp_info), asked by ss(8) where the sender runs. */
import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Host } from './host.js';

const run = promisify(execFile);

/** Of all sockets to a port together. */
export interface SocketsTold {
  /** on this process' clock, milliseconds */
  atMs: number;
  sockets: number;
  ackedBytes: number;
  /** sum of the rates of delivery, as the kernel estimates them, bits per second */
  deliveryRate: number;
  /** mean of the smoothed round trips, and the shortest that any has seen, milliseconds; NaN: there is no socket */
  roundTripMs: number;
  leastRoundTripMs: number;
}

const rateUnits: Record<string, number> = { '': 1, K: 1e3, M: 1e6, G: 1e9 };

/** @param text what `ss -tin` printed */
export function socketsIn(text: string, atMs: number): SocketsTold {
  const each = (pattern: RegExp, of: (found: RegExpMatchArray) => number = ([, value]) => Number(value)) =>
    [...text.matchAll(pattern)].map(of);
  const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);
  const roundTrips = each(/\brtt:(\d+(?:\.\d+)?)/g);
  const least = each(/\bminrtt:(\d+(?:\.\d+)?)/g);
  return {
    atMs,
    sockets: roundTrips.length,
    ackedBytes: sum(each(/\bbytes_acked:(\d+)/g)),
    deliveryRate: sum(
      each(
        /\bdelivery_rate (\d+(?:\.\d+)?)([KMG]?)bps/g,
        ([, value, unit]) => Number(value) * rateUnits[unit!]!,
      ),
    ),
    roundTripMs: sum(roundTrips) / roundTrips.length,
    leastRoundTripMs: least.length > 0 ? Math.min(...least) : Number.NaN,
  };
}

/** @throws Error in one sentence where nobody here can ask */
export async function socketsTo(host: Host, port: number): Promise<SocketsTold> {
  const command = { command: 'ss', args: ['-tinH', 'state', 'established', `( dport = :${port} )`] };
  const entered = host.entering?.(command) ?? null;
  if (entered === null)
    throw new Error(`not available here: nobody on host ${host.name} can be asked for tcp_info by ss`);
  const began = performance.now();
  try {
    const { stdout } = await run(entered.command, entered.args, { maxBuffer: 1 << 24 });
    return socketsIn(stdout, (began + performance.now()) / 2);
  } catch (error) {
    throw new Error(
      `not available here: tcp_info is asked by ss (Debian: iproute2), which failed: ${(error as Error).message.split('\n')[0]}`,
    );
  }
}

/** One interval of a transfer, all its sockets together. */
export interface SocketInterval {
  sockets: number;
  /** bits acknowledged, by second */
  goodput: number;
  /** at its end */
  deliveryRate: number;
  roundTripMs: number;
  leastRoundTripMs: number;
}

/**
 * A transfer interval by interval, from `settleMs` after now, when its connections have found their pace, until `lastsMs` have
 * passed. An interval in which sockets came or went is left out.
 */
export async function watchSockets(
  host: Host,
  port: number,
  { intervalMs, settleMs, lastsMs }: { intervalMs: number; settleMs: number; lastsMs: number },
): Promise<SocketInterval[]> {
  const began = performance.now();
  const until = (ms: number) => pause(Math.max(0, began + ms - performance.now()));
  const intervals: SocketInterval[] = [];
  await until(settleMs);
  let before = await socketsTo(host, port);
  for (let at = settleMs + intervalMs; at <= lastsMs; at += intervalMs) {
    await until(at);
    const now = await socketsTo(host, port);
    if (now.sockets > 0 && now.sockets === before.sockets)
      intervals.push({
        sockets: now.sockets,
        goodput: ((now.ackedBytes - before.ackedBytes) * 8000) / (now.atMs - before.atMs),
        deliveryRate: now.deliveryRate,
        roundTripMs: now.roundTripMs,
        leastRoundTripMs: now.leastRoundTripMs,
      });
    before = now;
  }
  return intervals;
}
