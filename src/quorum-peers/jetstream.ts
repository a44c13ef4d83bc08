/**
 * JetStream of NATS (Raft): a stream with a copy on every member, to which each write is published and acknowledged once a
 * majority has it. A key is a subject of the stream, and reading it asks the stream's leader for the last message there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { missingNatsLibrary, natsLibrary } from '../carriers/nats.js';
import { type GoProgram, goProgramFile } from '../go.js';
import { whereIs } from '../hosts/where-is.js';
import { type HostPort, targetText } from '../options.js';
import { versionOf } from './installed.js';
import { NotCarriedOut, type Peer, type PeerAsked, type PeerClient, type PeerGroupSpec } from './peer.js';
import { untilAnswered } from './until.js';

/** That of Debian 12 (2.9) cannot be told to sync each write. */
const natsServer: GoProgram = {
  name: 'nats-server',
  from: 'github.com/nats-io/nats-server/v2',
  version: 'v2.15.2',
};

const stream = 'quorum';
const subjectOf = (key: string) => `${stream}.${key}`;
/** Its own limit. */
const mostCopies = 5;

/** The one that was built here, which can do more, or what is installed; null: there is none. */
function program(): string | null {
  const built = goProgramFile(natsServer);
  return existsSync(built) ? built : whereIs('nats-server');
}

const always = { sync_interval: 'always' } as const;

const synced = new Map<string, boolean>();

/** Whether it takes the setting, by its own word. */
function syncsAlways(server: string): boolean {
  const known = synced.get(server);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-nats-'));
  try {
    const file = join(folder, 'nats.conf');
    writeFileSync(file, JSON.stringify({ jetstream: { store_dir: folder, ...always } }));
    const takes = spawnSync(server, ['-t', '-c', file], { stdio: 'ignore' }).status === 0;
    synced.set(server, takes);
    return takes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const howTo = `dispatchbench build ${natsServer.name} builds ${natsServer.version} (with Go)`;

function missing({ replicas, fsync }: Pick<PeerAsked, 'replicas' | 'fsync'>): string | undefined {
  const server = program();
  if (server === null)
    return `there is no nats-server here: install it (Debian, Ubuntu: apt install nats-server), or ${howTo}`;
  if (replicas > mostCopies) return `JetStream keeps a stream on ${mostCopies} servers at most`;
  if (fsync && !syncsAlways(server))
    return `nats-server ${versionOf(server, '--version')} cannot be told to sync each write: ${howTo}`;
  return missingNatsLibrary() ?? undefined;
}

/** JSON is what its own configuration language takes as well. */
const configuration = ({ places, folder, fsync }: PeerGroupSpec, id: number) => ({
  server_name: `m${id}`,
  listen: targetText(places[id]!.client),
  jetstream: { store_dir: join(folder, `m${id}`), ...(fsync ? always : {}) },
  cluster: {
    name: stream,
    listen: targetText(places[id]!.member),
    routes: places.map(({ member }) => `nats-route://${targetText(member)}`),
  },
});

/** What the API says; of an error in the place of an answer. */
const refused = z.object({ error: z.object({ code: z.number(), description: z.string() }) });
const acknowledged = z.object({ stream: z.string(), seq: z.number() });
const stored = z.object({ message: z.object({ data: z.string().default('') }) });
const streamInfo = z.object({ cluster: z.object({ leader: z.string().default('') }) });

const notFound = 404;

/** Only who leads listens: where nobody did, the message is gone. */
async function withoutLeader(error: Error): Promise<never> {
  const { RequestError } = await natsLibrary();
  if (error instanceof RequestError && error.isNoResponders()) throw new NotCarriedOut(error.message);
  throw error;
}

class Connection implements PeerClient {
  readonly #opening: Promise<NatsConnection>;
  readonly #patienceMs: number;

  constructor(at: HostPort, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#opening = natsLibrary().then(({ connect }) =>
      // A stack kept for each request is work that nobody reads.
      connect({ servers: targetText(at), reconnect: false, timeout: patienceMs, noAsyncTraces: true }),
    );
    // It shows in what is asked.
    this.#opening.catch(() => {});
  }

  /** @returns null where there is nothing of that name */
  async request<Schema extends z.ZodType>(
    answer: Schema,
    subject: string,
    message: string,
  ): Promise<z.infer<Schema> | null> {
    const connection = await this.#opening;
    const reply = await connection
      .request(subject, message, { timeout: this.#patienceMs })
      .catch(withoutLeader);
    const said: unknown = reply.json();
    const { data: refusal } = refused.safeParse(said);
    if (refusal?.error.code === notFound) return null;
    if (refusal) throw new Error(refusal.error.description);
    return answer.parse(said);
  }

  async put(key: string, value: string): Promise<void> {
    await this.request(acknowledged, subjectOf(key), value);
  }

  async get(key: string): Promise<string> {
    const asked = JSON.stringify({ last_by_subj: subjectOf(key) });
    const found = await this.request(stored, `$JS.API.STREAM.MSG.GET.${stream}`, asked);
    return Buffer.from(found?.message.data ?? '', 'base64').toString();
  }

  close(): void {
    void this.#opening.then(
      (connection) => connection.close(),
      () => {},
    );
  }
}

/** Number of the stream's leader, as the member that is asked knows it; the stream is made where there is none yet. */
async function leaderAt(at: HostPort, copies: number, patienceMs: number): Promise<number | null> {
  const connection = new Connection(at, patienceMs);
  try {
    const info =
      (await connection.request(streamInfo, `$JS.API.STREAM.INFO.${stream}`, '')) ??
      (await connection.request(
        streamInfo,
        `$JS.API.STREAM.CREATE.${stream}`,
        JSON.stringify({
          ...{ name: stream, subjects: [subjectOf('>')], num_replicas: copies },
          ...{ storage: 'file', retention: 'limits' },
        }),
      ));
    const [, number] = info?.cluster.leader.match(/^m(\d+)$/) ?? [];
    return number === undefined ? null : Number(number);
  } finally {
    connection.close();
  }
}

export const jetstream: Peer = {
  bears: 'crashes',
  fsync: ['on', 'off'],
  built: natsServer,
  missing,
  version: () => versionOf(program() ?? natsServer.name, '--version'),

  settings: ({ fsync, patienceMs }) => ({
    told: fsync ? Object.entries(always).map(([name, value]) => `${name}: ${value}`) : [],
    untold:
      patienceMs === undefined ? [] : ['a server of NATS waits 4 to 9 s for a leader, whatever is asked'],
  }),

  members: (spec) =>
    spec.places.map((_, id) => {
      const file = join(spec.folder, `m${id}.conf`);
      writeFileSync(file, JSON.stringify(configuration(spec, id)));
      return { path: program() ?? natsServer.name, args: ['-c', file] };
    }),

  leader: (members, patienceMs) =>
    untilAnswered(members, (at) => leaderAt(at, members.length, patienceMs), 'a leader of the stream'),

  client: (at, patienceMs) => new Connection(at, patienceMs),
};
