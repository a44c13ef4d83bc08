/** Memory is moved from one process to another, by ours or by QEMU, over a relay that counts the bytes of both. */

import { z } from 'zod';
import { count } from '../contract/common.js';
import {
  guestResult,
  type MigrationCodec,
  migrateResult,
  type PageSet,
  type QemuWay,
} from '../contract/migrate.js';
import { writtenRange } from '../hosts/writing-guest.js';
import { ofProgram } from '../stage/limits.js';
import { moveByQemu, moveMemory, type StartAt } from '../stage/migrate.js';
import { invalid, warning } from './gates.js';
import { trialKind } from './kind.js';

export interface MigrateTrial {
  kind: 'migrate';
  pages: PageSet;
  bytes: number;
  seed: number;
  connections: number;
  /** to the receiver; null: as fast as the relay is */
  bitsPerSecond: number | null;
  /** pages a second that are written to meanwhile; left out: none */
  dirtyRate?: number | undefined;
  by: { codec: MigrationCodec; workers: number; passes?: number; dirty?: number } | { qemu: QemuWay };
  /** why it cannot be; left out: it can */
  missing?: string | undefined;
}

const carried = z.object({ there: count, back: count });
const [sender, receiver] = [migrateResult.options[0], migrateResult.options[1]];

const moved = z.discriminatedUnion('by', [
  z.object({ by: z.literal('dispatchbench'), carried, sender, receiver }),
  z.object({
    by: z.literal('qemu'),
    carried,
    version: z.string(),
    qemu: guestResult,
    wallNs: count,
    downNs: count.nullable(),
    /** bytes */
    memory: count,
    /** both files hold the same bytes afterwards */
    exact: z.boolean(),
  }),
]);

const migrateMeasurement = z.object({ kind: z.literal('migrate'), moved });
type MigrateMeasurement = z.infer<typeof migrateMeasurement>;

const memoryOf = ({ moved: one }: MigrateMeasurement): number =>
  one.by === 'qemu' ? one.memory : one.sender.memory;
/** Where nobody wrote there is no pause. */
const pauseNs = ({ moved: one }: MigrateMeasurement): number | null =>
  one.by === 'qemu' ? one.downNs : (one.sender.downtimeNs ?? null);
const secondsOf = ({ moved: one }: MigrateMeasurement): number =>
  (one.by === 'qemu' ? one.wallNs : one.sender.wallNs) / 1e9;

export const migrate = trialKind({
  id: 'migrate',
  measurement: migrateMeasurement,
  connects: true,

  needs: ({ missing }: MigrateTrial) => ofProgram(missing, 16, true),

  async carryOut({ pages, bytes, seed, by, ...spec }, stage, done) {
    const start: StartAt = (end, name, program) =>
      stage.start(end === 'sender' ? 'client' : 'server', name, program);
    const common = { ...spec, memory: { pages, bytes, seed } };
    if ('qemu' in by) {
      const one = await moveByQemu({ ...common, way: by.qemu }, start, stage.address);
      done('move', { kind: 'migrate', moved: { by: 'qemu', ...one } });
      return;
    }
    const { nodeBackend } = stage.host('client').look;
    // QEMU's guest writes into a range of this size.
    const dirtyWithin = spec.dirtyRate === undefined ? undefined : writtenRange(bytes).bytes;
    const own = { ...common, ...by, dirtyWithin, backend: nodeBackend };
    const one = await moveMemory(own, start, stage.address);
    done('move', { kind: 'migrate', moved: { by: 'dispatchbench', ...one } });
  },

  gates: (name, { moved: one }) =>
    one.by === 'qemu' && !one.exact
      ? [
          // Of a guest that wrote, QEMU's own ways may lose words (docs/migrate.md): that is a finding about them.
          (one.downNs === null ? invalid : warning)(
            'inexact',
            `${name}: the receiver has other bytes than the sender`,
          ),
        ]
      : [],

  metrics: [
    {
      id: 'migrate-wire',
      title: 'Bytes on the wire',
      unit: 'MB',
      better: 'lower',
      digits: 2,
      meaning: 'What the relay carried to the receiver, as the sender wrote it; headers of TCP are in none.',
      from: ['move'],
      of: ({ moved: { carried: bytes } }: MigrateMeasurement) => bytes.there / 1e6,
    },
    {
      id: 'migrate-ratio',
      title: 'Memory over bytes on the wire',
      unit: '',
      better: 'higher',
      digits: 2,
      meaning: '',
      from: ['move'],
      of: (one: MigrateMeasurement) => memoryOf(one) / Math.max(1, one.moved.carried.there),
    },
    {
      id: 'migrate-time',
      title: 'Time until all memory was there',
      unit: 's',
      better: 'lower',
      digits: 2,
      meaning:
        'Of ours until the receiver has answered for the whole, of QEMU until the other one says that it is complete.',
      from: ['move'],
      of: secondsOf,
    },
    {
      id: 'migrate-pause',
      title: 'Pause of who writes',
      unit: 'ms',
      better: 'lower',
      digits: 0,
      meaning:
        'Where memory was written to meanwhile: from when nobody wrote any more until all was there, of ours with the checksums of the whole.',
      from: ['move'],
      of: (one: MigrateMeasurement) => {
        const ns = pauseNs(one);
        return ns === null ? null : ns / 1e6;
      },
    },
    {
      id: 'migrate-cpu',
      title: "Sender's CPU time",
      unit: 's',
      better: 'lower',
      digits: 3,
      meaning: 'Of ours with the checksums; of QEMU all that the process took meanwhile, in steps of 10 ms.',
      from: ['move'],
      of: ({ moved: one }: MigrateMeasurement) =>
        (one.by === 'qemu' ? one.qemu.cpuUs : one.sender.cpu.userUs + one.sender.cpu.systemUs) / 1e6,
    },
    {
      id: 'migrate-second-wire',
      title: 'Bytes on the wire of further passes',
      unit: 'MB',
      better: 'lower',
      digits: 3,
      meaning: 'What was told after the first pass, heads included.',
      from: ['move'],
      of: ({ moved: one }: MigrateMeasurement) =>
        one.by === 'qemu' || one.sender.passes.length < 2
          ? null
          : one.sender.passes.slice(1).reduce((sum, pass) => sum + pass.wireBytes, 0) / 1e6,
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: (one) => secondsOf(one) * 1e9,
});
