/** QEMU's migration as its machine protocol has it, for whoever moves a guest by it. */
import type { QemuWay } from '../src/contract/migrate.js';
import { treeCpu } from '../src/hosts/process-tree.js';
import { type HostPort, targetText } from '../src/options.js';
import { monotonicNs } from '../src/process.js';
import type { Qmp } from './qmp.js';

/** What becomes of a migration. */
const over: readonly string[] = ['completed', 'failed', 'cancelled'];
/** Bytes per second: it holds nothing back. */
const unlimited = 100e9;
/** Memory that others have as well is none of its business. */
const shared = 'x-ignore-shared';

interface MigrateInfo {
  'total-time'?: number;
  'setup-time'?: number;
  downtime?: number;
  'error-desc'?: string;
  ram?: { transferred: number };
  'socket-address'?: { port: string }[];
}

export interface MigrationSpec {
  /** null: all but the memory, which lies in a file that somebody else moves */
  way: QemuWay | null;
  /** channels of multifd */
  connections: number;
  /** the guest is stopped when what is left takes no longer */
  downtimeMs: number;
}

export async function prepare(qmp: Qmp, { way, connections, downtimeMs }: MigrationSpec): Promise<void> {
  await qmp.ask('qmp_capabilities');
  const [capability = '', compression] = way === null ? [shared] : way.split('-');
  const wanted = ['events', ...(capability === 'plain' ? [] : [capability])];
  await qmp.ask('migrate-set-capabilities', {
    capabilities: wanted.map((one) => ({ capability: one, state: true })),
  });
  await qmp.ask('migrate-set-parameters', {
    'max-bandwidth': unlimited,
    'downtime-limit': downtimeMs,
    ...(capability === 'multifd' ? { 'multifd-channels': connections } : {}),
    ...(compression ? { 'multifd-compression': compression } : {}),
  });
}

export interface Ending {
  status: string;
  ns: number;
  /** what QEMU said when it ended itself; empty: it goes on */
  words: string;
}

export const faultOf = ({ status, words }: Ending, why = words): string | null =>
  status === 'completed' ? null : `QEMU's migration ${status}${why && `: ${why}`}`;

/** When the migration comes to an end, and to which; `stopped` is told when the guest stops for it. */
export const ending = (qmp: Qmp, stopped: (ns: number) => void = () => {}): Promise<Ending> =>
  new Promise((resolve) => {
    qmp.onEvent = ({ event, data }) => {
      const status = data?.status ?? '';
      if (event === 'STOP') stopped(monotonicNs());
      if (event === 'MIGRATION' && over.includes(status)) resolve({ status, ns: monotonicNs(), words: '' });
    };
    // One that cannot take what comes ends.
    void qmp.whenEnded.then((words) => resolve({ status: 'failed', ns: monotonicNs(), words }));
  });

/** Waits for the memory of another one. @returns the port */
export async function waitAt(qmp: Qmp, listen: string): Promise<number> {
  await qmp.ask('migrate-incoming', { uri: `tcp:${targetText({ host: listen, port: 0 })}` });
  const info = await qmp.ask<MigrateInfo>('query-migrate');
  return Number(info['socket-address']?.[0]?.port);
}

function cpuUs(pid: number): number {
  const { userUs, systemUs } = treeCpu(pid);
  return userUs + systemUs;
}

/** Sends a guest away. @returns what src/contract/migrate.ts has of it */
export async function sendAway(qmp: Qmp, to: HostPort, stopped: (ns: number) => void = () => {}) {
  let stoppedNs: number | null = null;
  const ended = ending(qmp, (ns) => {
    stoppedNs = ns;
    stopped(ns);
  });
  const cpuBefore = cpuUs(qmp.pid);
  const began = monotonicNs();
  await qmp.ask('migrate', { uri: `tcp:${targetText(to)}` });
  const came = await ended;
  const cpuAfter = cpuUs(qmp.pid);
  const info = await qmp.ask<MigrateInfo>('query-migrate');
  return {
    event: 'migrated' as const,
    fault: faultOf(came, info['error-desc']),
    monotonicNs: began,
    stoppedNs,
    totalMs: info['total-time'] ?? 0,
    downtimeMs: info.downtime ?? 0,
    setupMs: info['setup-time'] ?? 0,
    saidBytes: info.ram?.transferred ?? 0,
    cpuUs: cpuAfter - cpuBefore,
  };
}
