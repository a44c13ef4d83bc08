/** A real iperf3 as the peer of a bulk transfer: its arguments, and its JSON. */
import { z } from 'zod';
import { amount, count } from '../contract/common.js';
import type { PeerTransfer } from '../contract/transfer.js';

export interface Iperf3Spec {
  /** numeric, of the receiver */
  address: string;
  port: number;
  streams: number;
  /** bytes that one call is given */
  chunk: number;
  /** of the sockets, as the system names it */
  congestion: string;
  durationMs: number;
  /** sends by sendfile(2) */
  zeroCopy: boolean;
}

/** Serves one test, and ends by itself when nobody comes, or nothing more of one who did. */
export const iperf3Server = ({ address, port }: Pick<Iperf3Spec, 'address' | 'port'>): string[] => [
  ...['--server', '--one-off', '--bind', address, '--port', `${port}`, '--forceflush'],
  ...['--idle-timeout', '20', '--rcv-timeout', '20000'],
];

/** Whole seconds: iperf3 knows no others. */
export const iperf3Seconds = (durationMs: number): number => Math.max(1, Math.round(durationMs / 1000));

export const iperf3Client = ({
  address,
  port,
  streams,
  chunk,
  congestion,
  durationMs,
  zeroCopy,
}: Iperf3Spec): string[] => [
  ...['--client', address, '--port', `${port}`, '--parallel', `${streams}`, '--length', `${chunk}`],
  ...['--congestion', congestion, '--time', `${iperf3Seconds(durationMs)}`, '--json'],
  ...(zeroCopy ? ['--zerocopy'] : []),
];

const failed = z.object({ error: z.string().max(1000) });
const summary = z.object({
  start: z.object({ version: z.string().max(100).optional() }).optional(),
  end: z.object({
    sum_sent: z.object({ retransmits: count.optional() }),
    sum_received: z.object({ bytes: count, seconds: z.number().positive() }),
    /** of one CPU each, over the time of the test */
    cpu_utilization_percent: z.object({ host_total: amount, remote_total: amount }),
    sender_tcp_congestion: z.string().max(100).optional(),
  }),
});

/** @throws Error in one sentence: iperf3's own where it failed */
export function parseIperf3(text: string): PeerTransfer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // What is wrong with its arguments it says in words.
    const said = text.match(/^iperf3: (.*)$/m)?.[1];
    throw new Error(
      said
        ? `iperf3 says: ${said}`
        : 'iperf3 printed no JSON: its version is not one that is known (3.12 is)',
    );
  }
  const refusal = failed.safeParse(json);
  if (refusal.success) throw new Error(`iperf3 says: ${refusal.data.error}`);
  const { success, data } = summary.safeParse(json);
  if (!success) throw new Error('iperf3 printed no summary: its version is not one that is known (3.12 is)');
  const { sum_sent, sum_received, cpu_utilization_percent, sender_tcp_congestion } = data.end;
  const { bytes, seconds } = sum_received;
  return {
    bytes,
    seconds,
    cpuS: {
      sender: (cpu_utilization_percent.host_total / 100) * seconds,
      receiver: (cpu_utilization_percent.remote_total / 100) * seconds,
    },
    retransmits: sum_sent.retransmits ?? null,
    congestion: sender_tcp_congestion ?? null,
    version: data.start?.version ?? 'unknown',
  };
}
