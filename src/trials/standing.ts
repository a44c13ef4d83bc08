/**
 * Connections that stand and do nothing: what memory holds before the first is opened and when all stand, of the server's
 * machine and of the server itself. Nothing is sent.
 */
import { z } from 'zod';
import { count, type Protocol } from '../contract/common.js';
import { type MemoryUse, memoryUse } from '../contract/host.js';
import { type SnapshotBody, snapshotBody } from '../contract/server.js';
import type { Subject } from '../contract/subject.js';
import { monotonicNs } from '../process.js';
import { ofConnections } from '../stage/limits.js';
import { oneMachine } from '../stage/places.js';
import type { Servers } from '../stage/servers.js';
import type { Stage } from '../stage/stage.js';
import { invalid, warning } from './gates.js';
import { trialKind } from './kind.js';

/** Pages of data for each connection from which on they are not idle: some pages are kept back for each CPU. */
const busyPages = 0.05;

export interface StandingTrial {
  kind: 'standing';
  subject: Subject & { protocol: Exclude<Protocol, 'udp-echo'> };
  /** connections that stand, at one process of the server */
  idle: number;
}

const held = z.object({ memory: memoryUse, server: snapshotBody });

const standingMeasurement = z.object({
  kind: z.literal('standing'),
  connections: count.min(1),
  /** null: the server does not tell */
  seenByServer: count.nullable(),
  /** broken and opened again */
  reconnects: count,
  /** ends of each connection that the kernel of the server has: both where the client has the same */
  ends: z.union([z.literal(1), z.literal(2)]),
  /** from asking for the first connection until all stood, nanoseconds */
  setUpNs: z.number(),
  before: held,
  after: held,
});
type StandingMeasurement = z.infer<typeof standingMeasurement>;

async function look(stage: Stage, servers: Servers): Promise<z.infer<typeof held>> {
  await stage.settle();
  return { memory: await stage.host('server').memory(), server: await servers.snapshot() };
}

/** Growth for each connection; null where either did not tell. */
const grown = (
  { before, after, connections }: StandingMeasurement,
  of: (held: { memory: MemoryUse; server: SnapshotBody }) => number | null,
): number | null => {
  const [from, to] = [of(before), of(after)];
  return from === null || to === null ? null : (to - from) / connections;
};

export const standing = trialKind({
  id: 'standing',
  measurement: standingMeasurement,
  connects: true,

  needs: ({ subject, idle }: StandingTrial) => ofConnections(subject, 0, idle),

  async carryOut({ subject, idle }, stage, done) {
    const servers = await stage.serve(subject);
    const before = await look(stage, servers);
    const startedNs = monotonicNs();
    const holders = await stage.holdIdle(idle, servers.targets);
    const setUpNs = monotonicNs() - startedNs;
    const seenByServer = await servers.count(idle);
    // What a listen queue drops while they are set up comes again, and the count says whether all came.
    await stage.watchNetwork();
    const after = await look(stage, servers);
    const { server, client } = stage.roles;
    done('standing', {
      kind: 'standing',
      connections: idle,
      seenByServer,
      reconnects: (await holders.status()).reconnects,
      ends: oneMachine(server.look, client.look) ? 2 : 1,
      setUpNs,
      before,
      after,
    });
  },

  gates(name, measurement) {
    const { connections, seenByServer, reconnects } = measurement;
    const pages = grown(measurement, ({ memory }) => memory.tcpBufferPages) ?? 0;
    return [
      ...(seenByServer !== null && seenByServer !== connections
        ? [invalid('idle-count', `${connections} idle connections stand, the server counts ${seenByServer}`)]
        : []),
      ...(reconnects > 0
        ? [invalid('idle-reconnects', `${reconnects} idle connections broke and were opened again`)]
        : []),
      ...(pages > busyPages
        ? [
            warning(
              'data-under-way',
              `${name}: the kernel holds ${pages.toFixed(2)} pages of data more for each connection, which are not those of idle ones`,
            ),
          ]
        : []),
    ];
  },

  metrics: [
    {
      id: 'kernel-memory',
      title: 'Kernel memory for one end of an idle connection',
      unit: 'B',
      better: 'lower',
      digits: 0,
      meaning:
        "Growth of the kernel's own memory (objects, large tables, tables of pages) on the server's machine, divided by the connections, and by two where the client is on the same machine.",
      from: ['standing'],
      of: (m: StandingMeasurement) => {
        const both = grown(m, ({ memory }) => memory.kernelBytes);
        return both === null ? null : both / m.ends;
      },
    },
    {
      id: 'server-memory',
      title: "The server's own memory for an idle connection",
      unit: 'B',
      better: 'lower',
      digits: 0,
      meaning: 'Growth of the memory that is resident in the server process, divided by the connections.',
      from: ['standing'],
      of: (m: StandingMeasurement) => grown(m, ({ server }) => server.rssBytes),
    },
    {
      id: 'machine-memory',
      title: "All memory of the server's machine for an idle connection",
      unit: 'B',
      better: 'lower',
      digits: 0,
      meaning:
        'Growth of what is neither free nor a copy of files, whoever uses it: where the client is on the same machine, its end and its programs are in it, and so is what others took or gave back meanwhile, observers among them.',
      from: ['standing'],
      of: (m: StandingMeasurement) => grown(m, ({ memory }) => memory.usedBytes),
    },
    {
      id: 'set-up-rate',
      title: 'Connections set up',
      unit: 'per s',
      better: 'neither',
      digits: 0,
      meaning: '',
      from: ['standing'],
      of: ({ connections, setUpNs }: StandingMeasurement) => connections / (setUpNs / 1e9),
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: ({ setUpNs }) => setUpNs,
});
