/**
 * A guest of QEMU that was never started, and whose memory is a file: it waits for the memory of another one, or sends its own,
 * by QEMU's migration. Lines of src/contract/migrate.ts; it ends when its stdin does.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from '@commander-js/extra-typings';
import { type QemuWay, qemuWays } from '../src/contract/migrate.js';
import { printLine, readControl } from '../src/control.js';
import { treeCpu } from '../src/hosts/process-tree.js';
import { qemuProgram, qemuVersion } from '../src/hosts/qemu.js';
import { hostPort, targetText, wholeNumber } from '../src/options.js';
import { monotonicNs } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { Qmp } from './qmp.js';

/** What becomes of a migration. */
const over: readonly string[] = ['completed', 'failed', 'cancelled'];
/** A guest that runs is given so long before its memory is moved, milliseconds. */
const warmUpMs = 200;
/** Bytes per second: it holds nothing back. */
const unlimited = 100e9;

const options = new Command('dispatchbench-guest-memory')
  .requiredOption('--file <path>', 'the memory')
  .requiredOption('--bytes <n>', 'its size', wholeNumber(1, 2 ** 40))
  .addOption(new Option('--way <way>', 'how it is moved').choices(qemuWays).makeOptionMandatory())
  .option('--connections <n>', 'channels of multifd', wholeNumber(1, 64), 1)
  .option('--firmware <path>', 'it runs this from when it is started; left out: it never runs')
  .option(
    '--downtime <ms>',
    'it is stopped when what is left takes no longer',
    wholeNumber(1, 2_000_000),
    300,
  )
  .option('--to <address>', 'who gets it, HOST:PORT; left out: it waits for that of another', hostPort)
  .option('--listen <address>', 'numeric address to wait at', '127.0.0.1')
  .parse()
  .opts();

function cpuUs(pid: number): number {
  const { userUs, systemUs } = treeCpu(pid);
  return userUs + systemUs;
}

interface MigrateInfo {
  'total-time'?: number;
  'setup-time'?: number;
  downtime?: number;
  'error-desc'?: string;
  ram?: { transferred: number };
  'socket-address'?: { port: string }[];
}

const tell: (line: { event: string; [name: string]: unknown }) => void = printLine;

const faultOf = (status: string, why = ''): string | null =>
  status === 'completed' ? null : `QEMU's migration ${status}${why && `: ${why}`}`;

async function prepare(qmp: Qmp, way: QemuWay, connections: number, downtime: number): Promise<void> {
  await qmp.ask('qmp_capabilities');
  const [capability, compression] = way.split('-');
  const wanted = ['events', ...(capability === 'plain' ? [] : [capability])];
  await qmp.ask('migrate-set-capabilities', {
    capabilities: wanted.map((one) => ({ capability: one, state: true })),
  });
  await qmp.ask('migrate-set-parameters', {
    'max-bandwidth': unlimited,
    'downtime-limit': downtime,
    ...(capability === 'multifd' ? { 'multifd-channels': connections } : {}),
    ...(compression ? { 'multifd-compression': compression } : {}),
  });
}

/** When the migration came to an end, and to which, and when the guest stopped for it. */
const ending = (qmp: Qmp): Promise<{ status: string; ns: number; stoppedNs: number | null }> => {
  let stoppedNs: number | null = null;
  return new Promise((resolve) => {
    qmp.onEvent = ({ event, data }) => {
      const status = data?.status ?? '';
      if (event === 'STOP') stoppedNs = monotonicNs();
      if (event === 'MIGRATION' && over.includes(status)) resolve({ status, ns: monotonicNs(), stoppedNs });
    };
  });
};

await runProgram('dispatchbench-guest-memory', async () => {
  const { file, bytes, way, connections, firmware, downtime, to, listen } = options;
  const qmp = new Qmp(qemuProgram, [
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-accel', 'tcg', '-m', `${bytes / 1024}K`],
    ...['-object', `memory-backend-file,id=memory,size=${bytes},mem-path=${file},share=on`],
    ...['-machine', 'pc,memory-backend=memory'],
    ...(firmware === undefined ? [] : ['-bios', firmware]),
    // The one that gets the memory does not go on, so that both can be compared.
    ...(firmware !== undefined && to ? [] : ['-S']),
    ...(to ? [] : ['-incoming', 'defer']),
  ]);
  const end = async (code: number) => {
    await qmp.end();
    process.exit(code);
  };
  readControl(
    () => {},
    () => void end(0),
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(1));
  try {
    await prepare(qmp, way, connections, downtime);
    const ended = ending(qmp);
    if (!to) {
      await qmp.ask('migrate-incoming', { uri: `tcp:${targetText({ host: listen, port: 0 })}` });
      const info = await qmp.ask<MigrateInfo>('query-migrate');
      const port = Number(info['socket-address']?.[0]?.port);
      tell({ event: 'guest', version: qemuVersion(), port });
      const { status, ns } = await ended;
      tell({ event: 'arrived', fault: faultOf(status), monotonicNs: ns });
      return;
    }
    tell({ event: 'guest', version: qemuVersion(), port: null });
    // It measures its clock first.
    if (firmware !== undefined) await pause(warmUpMs);
    const cpuBefore = cpuUs(qmp.pid);
    const began = monotonicNs();
    await qmp.ask('migrate', { uri: `tcp:${targetText(to)}` });
    const { status, stoppedNs } = await ended;
    const cpuAfter = cpuUs(qmp.pid);
    const info = await qmp.ask<MigrateInfo>('query-migrate');
    tell({
      event: 'migrated',
      fault: faultOf(status, info['error-desc']),
      monotonicNs: began,
      stoppedNs,
      totalMs: info['total-time'] ?? 0,
      downtimeMs: info.downtime ?? 0,
      setupMs: info['setup-time'] ?? 0,
      saidBytes: info.ram?.transferred ?? 0,
      cpuUs: cpuAfter - cpuBefore,
    });
  } catch (error) {
    console.error((error as Error).message);
    await end(1);
  }
});
