/** The command line of the gateways that run in Node: what every gateway takes, and what only some have. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';

export interface Endpoint {
  /** numeric address */
  address: string;
  port: number;
}

export interface GatewayOptions {
  listen: Endpoint;
  upstream: Endpoint;
  /** false: the connection ends after each reply */
  keepAlive: boolean;
  backlog: number;
  /** of reading a request, of sending a reply, and of the upstream */
  timeoutMs: number;
  /** of /compute */
  maxIterations: number;
}

/** The command line cannot be used; the message is one sentence. */
export class UsageError extends Error {}

const MOST_TIMEOUT_MS = 3_600_000;

export function numberOf(name: string, text: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new UsageError(`--${name} must be a number from ${low} to ${high}, not '${text}'`);
}

/** "127.0.0.1:18081", "[::1]:18081" */
export function endpointOf(name: string, text: string, lowestPort: number): Endpoint {
  const [, v6, v4, port] = text.match(/^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/) ?? [];
  const address = v6 ?? v4 ?? '';
  const usable = isIP(address) === (v6 === undefined ? 4 : 6) && Number(port) <= 65535;
  if (usable && Number(port) >= lowestPort) return { address, port: Number(port) };
  throw new UsageError(`--${name} must be a numeric address and a port like 127.0.0.1:18080, not '${text}'`);
}

/** As it stands in Host. */
export const authorityOf = ({ address, port }: Endpoint): string =>
  `${isIP(address) === 6 ? `[${address}]` : address}:${port}`;

const text = (otherwise: string) => ({ type: 'string', default: otherwise }) as const;

/**
 * @param more further options with a value, by name, with what holds when they are not given
 * @throws UsageError
 */
export function parseOptions<More extends string = never>(
  args: readonly string[],
  more = {} as Record<More, string>,
): GatewayOptions & { more: Record<More, string> } {
  const known = {
    listen: text('127.0.0.1:18081'),
    upstream: text('127.0.0.1:18080'),
    threads: text('1'),
    'keep-alive': text('off'),
    backlog: text('128'),
    'timeout-ms': text('2000'),
    'max-iters': text('10000000'),
  };
  const names = Object.keys(more) as More[];
  const given = valuesOf(args, {
    ...known,
    ...Object.fromEntries(names.map((name) => [name, text(more[name])])),
  }) as Record<keyof typeof known | More, string>;
  if (numberOf('threads', given.threads, 1, 1024) > 1) {
    throw new UsageError('--threads must be 1: a gateway in Node has one thread that runs JavaScript');
  }
  const keepAlive = given['keep-alive'];
  if (keepAlive !== 'on' && keepAlive !== 'off') {
    throw new UsageError(`--keep-alive must be off or on, not '${keepAlive}'`);
  }
  return {
    listen: endpointOf('listen', given.listen, 0),
    upstream: endpointOf('upstream', given.upstream, 1),
    keepAlive: keepAlive === 'on',
    backlog: numberOf('backlog', given.backlog, 1, 65535),
    timeoutMs: numberOf('timeout-ms', given['timeout-ms'], 1, MOST_TIMEOUT_MS),
    maxIterations: numberOf('max-iters', given['max-iters'], 0, 2 ** 32 - 1),
    more: Object.fromEntries(names.map((name) => [name, given[name]])) as Record<More, string>,
  };
}

function valuesOf(args: readonly string[], options: Record<string, { type: 'string'; default: string }>) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]);
  }
}
