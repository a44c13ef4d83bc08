/** etcd (Raft), by its own interface: etcdserverpb.KV and Maintenance of rpc.proto. */
import type { ClientHttp2Session } from 'node:http2';
import { join } from 'node:path';
import { whereIs } from '../hosts/where-is.js';
import { type HostPort, targetText } from '../options.js';
import { call, field, found, opened } from './grpc.js';
import { versionOf } from './installed.js';
import type { Peer, PeerAsked, PeerClient } from './peer.js';
import { untilAnswered } from './until.js';

/** Ours waits as long at least, and up to twice as long, with five heartbeats in that time. */
const silence = ({ patienceMs }: PeerAsked): string[] =>
  patienceMs === undefined
    ? []
    : ['--election-timeout', `${patienceMs}`, '--heartbeat-interval', `${Math.ceil(patienceMs / 5)}`];

const url = (place: HostPort) => `http://${targetText(place)}`;

async function leads(at: HostPort, patienceMs: number): Promise<boolean> {
  const session = opened(at);
  try {
    const status = await call(session, '/etcdserverpb.Maintenance/Status', Buffer.alloc(0), patienceMs);
    const header = found(status, 1);
    const leader = found(status, 4);
    return Buffer.isBuffer(header) && leader !== undefined && leader !== 0n && found(header, 2) === leader;
  } finally {
    session.destroy();
  }
}

class EtcdClient implements PeerClient {
  readonly #session: ClientHttp2Session;
  readonly #patienceMs: number;

  constructor(at: HostPort, patienceMs: number) {
    this.#session = opened(at);
    this.#patienceMs = patienceMs;
  }

  async put(key: string, value: string): Promise<void> {
    const message = Buffer.concat([field(1, key), field(2, value)]);
    await call(this.#session, '/etcdserverpb.KV/Put', message, this.#patienceMs);
  }

  async get(key: string): Promise<string> {
    const answer = await call(this.#session, '/etcdserverpb.KV/Range', field(1, key), this.#patienceMs);
    const pair = found(answer, 2);
    const value = Buffer.isBuffer(pair) ? found(pair, 5) : undefined;
    return Buffer.isBuffer(value) ? value.toString() : '';
  }

  close(): void {
    this.#session.destroy();
  }
}

export const etcd: Peer = {
  bears: 'crashes',
  // Nothing tells one of this line to leave its syncs out.
  fsync: ['on'],

  missing: () =>
    whereIs('etcd') === null
      ? 'there is no etcd here: install it (Debian, Ubuntu: apt install etcd-server)'
      : undefined,

  version: () => versionOf('etcd', '--version'),

  settings: (asked) => ({ told: silence(asked).length > 0 ? [silence(asked).join(' ')] : [], untold: [] }),

  members: ({ places, folder, ...asked }) =>
    places.map(({ client, member }, id) => ({
      path: whereIs('etcd') ?? 'etcd',
      args: [
        ...['--name', `m${id}`, '--data-dir', join(folder, `m${id}`)],
        ...['--listen-client-urls', url(client), '--advertise-client-urls', url(client)],
        ...['--listen-peer-urls', url(member), '--initial-advertise-peer-urls', url(member)],
        '--initial-cluster',
        places.map((place, other) => `m${other}=${url(place.member)}`).join(','),
        ...['--initial-cluster-state', 'new', '--logger', 'zap', '--log-level', 'error'],
        ...silence(asked),
      ],
    })),

  leader: (members, patienceMs) =>
    untilAnswered(
      members,
      async (at, number) => ((await leads(at, patienceMs)) ? number : null),
      'a leader of etcd',
    ),

  client: (at, patienceMs) => new EtcdClient(at, patienceMs),
};
