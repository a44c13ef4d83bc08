/** Options of a datagram benchmark: what the API takes, checked, and what an engine is told. */
import { lookup } from 'node:dns/promises';
import { z } from 'zod';
import { firstIssue } from '../contract/validated.js';
import { type EngineConfig, headerBytes, identityOf, maxDatagram } from './engine.js';

const whole = (low: number, high: number) => z.number().int().min(low).max(high);
const bytes = z.custom<string | Uint8Array>(
  (value) => typeof value === 'string' || value instanceof Uint8Array,
  'must be a string or a Uint8Array',
);
const positive = z.number().positive();

/** Names as autocannon has them, where it has them. Times in seconds unless said otherwise. */
export const dgramInput = z.strictObject({
  /** HOST:PORT or HOST:FIRST-LAST, with or without udp://; [::1]:PORT for IPv6 */
  url: z.string(),
  /** consecutive ports from the first on; the same as a range in the url */
  ports: whole(1, 65_535).optional(),
  portOrder: z.enum(['random', 'round-robin', 'zipf']).default('round-robin'),
  connections: whole(1, 1 << 20).default(10),
  workers: whole(1, 256).default(1),
  /** closed loop: unanswered datagrams per socket */
  pipelining: whole(1, 65_536).default(1),
  duration: positive.max(86_400).default(10),
  amount: whole(1, Number.MAX_SAFE_INTEGER).optional(),
  /** datagrams per second and client socket */
  connectionRate: positive.max(1e8).optional(),
  /** datagrams per second over everything, however many workers */
  overallRate: positive.max(1e8).optional(),
  /** what is meant, so that a contradiction is refused: 'open' needs a rate, 'closed' must not have one */
  loop: z.enum(['open', 'closed']).optional(),
  arrival: z.enum(['fixed', 'exponential']).default('fixed'),
  seed: whole(0, 0xffff_ffff).optional(),
  timeout: positive.max(3600).default(1),
  /** milliseconds */
  sampleInt: whole(1, 3_600_000).default(1000),
  /** bytes of a datagram, header included; default: 64, or the header and the body */
  size: whole(0, maxDatagram).optional(),
  body: bytes.optional(),
  /** replies must equal this: for servers that do not echo. Datagrams are the body alone then */
  expectBody: bytes.optional(),
  receiveBuffer: whole(0, 1 << 30).default(0),
  sendBuffer: whole(0, 1 << 30).default(0),
  /** wrong or refused datagrams after which it stops */
  bailout: whole(1, Number.MAX_SAFE_INTEGER).optional(),
  /** late replies are counted, but left out of the latencies */
  excludeErrorStats: z.boolean().default(false),
  warmup: z
    .strictObject({ connections: whole(1, 1 << 20).optional(), duration: positive.optional() })
    .optional(),
  engine: z.enum(['native', 'js']).default('native'),
  /** put every port's figures into the result */
  perPort: z.boolean().default(false),
  title: z.string().optional(),
});
export type DgramInput = z.input<typeof dgramInput>;
type Checked = z.output<typeof dgramInput>;

export interface DgramOptions
  extends Omit<Checked, 'ports' | 'connectionRate' | 'overallRate' | 'loop' | 'expectBody' | 'body'> {
  host: string;
  port: number;
  ports: number;
  /** datagrams per second over all; 0: closed loop */
  rate: number;
  seed: number;
  size: number;
  body: Uint8Array;
  echo: boolean;
  expected: Uint8Array;
}

/** @throws Error in one sentence */
export function parseTarget(url: string): { host: string; port: number; ports: number } {
  const [, bracketed, plain, first, last] =
    url.match(/^(?:udp:\/\/)?(?:\[([^\]]+)\]|([^:/]+)):(\d+)(?:-(\d+))?\/?$/) ?? [];
  const port = Number(first);
  const end = last === undefined ? port : Number(last);
  if (!first || port < 1 || end < port || end > 65_535) {
    throw new Error(`'${url}' is not a target: write HOST:PORT or HOST:FIRST-LAST, ports from 1 to 65535`);
  }
  return { host: bracketed ?? plain!, port, ports: end - port + 1 };
}

function targetOf(input: Checked): { url: string; host: string; port: number; ports: number } {
  const { host, port, ports: named } = parseTarget(input.url);
  if (input.ports !== undefined && named > 1 && input.ports !== named) {
    throw new Error(`the url names ${named} ports and 'ports' says ${input.ports}: give one of them`);
  }
  const ports = input.ports ?? named;
  const last = port + ports - 1;
  if (last > 65_535) throw new Error('the last port would be above 65535: ask for fewer ports');
  const name = host.includes(':') ? `[${host}]` : host;
  return { url: `udp://${name}:${port}${ports > 1 ? `-${last}` : ''}`, host, port, ports };
}

function rateOf({ connectionRate, overallRate, connections, loop }: Checked): number {
  if (connectionRate !== undefined && overallRate !== undefined) {
    throw new Error('give a rate per socket (connectionRate) or over all (overallRate), not both');
  }
  const rate = overallRate ?? (connectionRate ?? 0) * connections;
  if (loop === 'open' && rate === 0)
    throw new Error('an open loop needs a rate: give overallRate or connectionRate');
  if (loop === 'closed' && rate > 0) throw new Error('a closed loop has no rate: leave out the rate');
  return rate;
}

const toBytes = (value: string | Uint8Array | undefined) =>
  typeof value === 'string' ? Buffer.from(value) : (value ?? new Uint8Array());

function datagramOf(input: Checked): Pick<DgramOptions, 'size' | 'body' | 'echo' | 'expected'> {
  const body = toBytes(input.body);
  const echo = input.expectBody === undefined;
  const whole = headerBytes.full + body.length;
  if (!echo && input.size !== undefined)
    throw new Error("with 'expectBody' a datagram is the body alone: leave out the size");
  const size = echo ? (input.size ?? (body.length === 0 ? 64 : whole)) : body.length;
  if (size > maxDatagram) throw new Error(`a datagram of ${size} bytes does not fit: at most ${maxDatagram}`);
  if (echo && body.length > 0 && size - headerBytes[identityOf(size, true)] < body.length) {
    throw new Error(`header and body need ${whole} bytes: leave out the size`);
  }
  return { size, body, echo, expected: toBytes(input.expectBody) };
}

/** @throws Error in one sentence */
export function readOptions(raw: DgramInput): DgramOptions {
  const parsed = dgramInput.safeParse(raw);
  if (!parsed.success) throw new Error(firstIssue(parsed.error));
  const { ports, connectionRate, overallRate, loop, expectBody, ...input } = parsed.data;
  if (input.workers > input.connections) {
    throw new Error(`${input.workers} workers need as many connections: every worker has sockets of its own`);
  }
  return {
    ...input,
    ...targetOf(parsed.data),
    ...datagramOf(parsed.data),
    rate: rateOf(parsed.data),
    seed: input.seed ?? Math.floor(Math.random() * 0xffff_ffff),
  };
}

/** @throws Error in one sentence when the host cannot be resolved */
export async function engineConfig(options: DgramOptions, logReplies: boolean): Promise<EngineConfig> {
  const { address } = await lookup(options.host).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the host '${options.host}' cannot be resolved (${error.code})`);
  });
  const { port, ports, portOrder, connections, workers, pipelining, rate, seed, size, body, echo, expected } =
    options;
  return {
    ...{ port, ports, portOrder, connections, workers, pipelining, rate, seed, size, body, echo, expected },
    host: address,
    exponential: options.arrival === 'exponential',
    amount: options.amount ?? 0,
    durationNs: Math.round(options.duration * 1e9),
    timeoutNs: Math.round(options.timeout * 1e9),
    intervalNs: options.sampleInt * 1_000_000,
    receiveBuffer: options.receiveBuffer,
    sendBuffer: options.sendBuffer,
    excludeLate: options.excludeErrorStats,
    bailout: options.bailout ?? 0,
    logReplies,
  };
}
