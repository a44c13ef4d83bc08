/**
 * CometBFT (Tendermint's BFT agreement) with the key-value store that it has built in: validators of equal power, and
 * `broadcast_tx_commit`, which answers once the write is in a block that was committed.
 *
 * As it comes it waits: a second after each block, and 100 ms here and there between members. Nobody should win against that alone,
 * so that it is measured as well with every such wait taken away.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type GoProgram, goProgramFile } from '../go.js';
import { whereIs } from '../hosts/where-is.js';
import { type HostPort, targetText } from '../options.js';
import { versionOf } from './installed.js';
import type { Peer, PeerClient, PeerGroupSpec } from './peer.js';
import { untilAnswered } from './until.js';

const cometbftProgram: GoProgram = {
  name: 'cometbft',
  from: 'github.com/cometbft/cometbft/cmd/cometbft',
  version: 'v0.38.26',
};

/** null: there is none */
function program(): string | null {
  const built = goProgramFile(cometbftProgram);
  return existsSync(built) ? built : whereIs(cometbftProgram.name);
}

/** It gives up a request by itself after 10 s, and one that waits for a block of its own is no sign of a broken member. */
const leastPatienceMs = 10_000;

type Setting = string | number | boolean;
type Settings = Readonly<Record<string, Readonly<Record<string, Setting>>>>;

/** What has it wait for nothing. The last two are on the wire: how long it gathers, and sleeps before it looks for more. */
const eager: Settings = {
  consensus: {
    timeout_commit: '0s',
    skip_timeout_commit: true,
    create_empty_blocks: false,
    peer_gossip_sleep_duration: '1ms',
  },
  p2p: { flush_throttle_timeout: '1ms' },
};

/** Where members are, and what several on one machine need; what is left out stays at its default. */
const placed = ({ places }: PeerGroupSpec, id: number, ids: readonly string[]): Settings => ({
  '': { moniker: `m${id}`, proxy_app: 'kvstore', log_level: 'error' },
  rpc: { laddr: `tcp://${targetText(places[id]!.client)}`, max_subscription_clients: 1000 },
  p2p: {
    laddr: `tcp://${targetText(places[id]!.member)}`,
    persistent_peers: places
      .map(({ member }, other) => `${ids[other]}@${targetText(member)}`)
      .filter((_, other) => other !== id)
      .join(','),
    pex: false,
    addr_book_strict: false,
    allow_duplicate_ip: true,
  },
});

const line = ([name, value]: [string, Setting]) => `${name} = ${JSON.stringify(value)}`;

function toml(...parts: readonly Settings[]): string {
  const tables = [...new Set(parts.flatMap((part) => Object.keys(part)))];
  return tables
    .flatMap((table) => [
      ...(table === '' ? [] : [`[${table}]`]),
      ...parts.flatMap((part) => Object.entries(part[table] ?? {}).map(line)),
    ])
    .join('\n');
}

/** Folders of so many validators, with keys of their own and one genesis. @returns the ids by which they know each other */
function testnet(command: string, replicas: number, folder: string): string[] {
  const args = ['testnet', '--v', `${replicas}`, '--o', folder, '--node-dir-prefix', 'm'];
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} testnet failed: ${stderr.trim().split('\n').at(-1)}`);
  const generated = readFileSync(join(folder, 'm0/config/config.toml'), 'utf8');
  const ids = [...new Set([...generated.matchAll(/([0-9a-f]{40})@/g)].map(([, id]) => id!))];
  if (ids.length !== replicas) throw new Error(`${command} testnet wrote ${ids.length} ids, not ${replicas}`);
  return ids;
}

/** An answer of JSON-RPC 2.0: a result, or an error. */
const answered = z.object({
  result: z.unknown(),
  error: z.object({ message: z.string(), data: z.string().default('') }).optional(),
});
const code = z.object({ code: z.number(), log: z.string().default('') });
const committed = z.object({ check_tx: code, tx_result: code });
const queried = z.object({ response: z.object({ value: z.string().nullish() }) });
const status = z.object({ sync_info: z.object({ latest_block_height: z.coerce.number() }) });

class Rpc implements PeerClient {
  readonly #url: string;
  readonly #patienceMs: number;

  constructor(at: HostPort, patienceMs: number) {
    this.#url = `http://${targetText(at)}`;
    this.#patienceMs = patienceMs;
  }

  async call<Result extends z.ZodType>(
    result: Result,
    method: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<z.infer<Result>> {
    const response = await fetch(this.#url, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(this.#patienceMs),
    });
    const said = answered.parse(await response.json());
    if (said.error) throw new Error(`${said.error.message}: ${said.error.data}`);
    return result.parse(said.result);
  }

  async put(key: string, value: string): Promise<void> {
    // Its store divides a transaction at '=', and takes none with a ':' besides.
    const tx = Buffer.from(`${key}=${encodeURIComponent(value)}`).toString('base64');
    const { check_tx, tx_result } = await this.call(committed, 'broadcast_tx_commit', { tx });
    for (const one of [check_tx, tx_result])
      if (one.code !== 0) throw new Error(`the write was refused: ${one.log}`);
  }

  async get(key: string): Promise<string> {
    const data = Buffer.from(key).toString('hex');
    const { response } = await this.call(queried, 'abci_query', { data });
    return decodeURIComponent(Buffer.from(response.value ?? '', 'base64').toString());
  }

  close(): void {
    // Connections are the runtime's, which closes those that nobody uses.
  }
}

const peer = (waits: Settings): Peer => ({
  bears: 'lies',
  fsync: ['on', 'off'],
  // Nothing tells it to leave the syncs of its log out.
  unsyncedIn: '/dev/shm',
  built: cometbftProgram,

  missing: () =>
    program() === null
      ? `there is no CometBFT here: dispatchbench build ${cometbftProgram.name} builds ${cometbftProgram.version} (with Go)`
      : undefined,

  version: () => versionOf(program() ?? cometbftProgram.name, 'version'),

  settings: ({ fsync }) => ({
    told: [
      ...Object.values(waits).flatMap((table) => Object.entries(table).map(line)),
      ...(fsync ? [] : ['its files are in memory']),
    ],
    untold: [],
  }),

  members(spec) {
    const command = program() ?? cometbftProgram.name;
    const ids = testnet(command, spec.replicas, spec.folder);
    return spec.places.map((_, id) => {
      const home = join(spec.folder, `m${id}`);
      writeFileSync(join(home, 'config/config.toml'), toml(placed(spec, id, ids), waits));
      return { path: command, args: ['start', '--home', home] };
    });
  },

  /** Validators take turns, so that clients may ask any: all ask the first, which has what they read. */
  leader: (members, patienceMs) =>
    untilAnswered(
      members.slice(0, 1),
      async (at, number) => {
        const { sync_info } = await new Rpc(at, patienceMs).call(status, 'status');
        return sync_info.latest_block_height > 0 ? number : null;
      },
      'the first validator of CometBFT',
    ),

  client: (at, patienceMs) => new Rpc(at, Math.max(patienceMs, leastPatienceMs)),
});

export const cometbft = peer({});
export const cometbftEager = peer(eager);
