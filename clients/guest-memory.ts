/**
 * A guest of QEMU that was never started, and whose memory is a file: it waits for the memory of another one, or sends its own,
 * by QEMU's migration. Lines of src/contract/migrate.ts; it ends when its stdin does.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from '@commander-js/extra-typings';
import { qemuWays } from '../src/contract/migrate.js';
import { printLine, readControl } from '../src/control.js';
import { memoryInFile, qemuProgram, qemuVersion } from '../src/hosts/qemu.js';
import { hostPort, wholeNumber } from '../src/options.js';
import { runProgram } from '../src/program.js';
import { ending, faultOf, prepare, sendAway, waitAt } from './qemu-migration.js';
import { Qmp } from './qmp.js';

/** A guest that runs is given so long before its memory is moved, milliseconds. */
const warmUpMs = 200;

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

const tell: (line: { event: string; [name: string]: unknown }) => void = printLine;

await runProgram('dispatchbench-guest-memory', async () => {
  const { file, bytes, way, connections, firmware, downtime, to, listen } = options;
  const qmp = new Qmp(qemuProgram, [
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-accel', 'tcg', '-m', `${bytes / 1024}K`],
    ...memoryInFile(file, bytes),
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
    await prepare(qmp, { way, connections, downtimeMs: downtime });
    if (!to) {
      const ended = ending(qmp);
      tell({ event: 'guest', version: qemuVersion(), port: await waitAt(qmp, listen) });
      const came = await ended;
      tell({ event: 'arrived', fault: faultOf(came), monotonicNs: came.ns });
      return;
    }
    tell({ event: 'guest', version: qemuVersion(), port: null });
    // It measures its clock first.
    if (firmware !== undefined) await pause(warmUpMs);
    tell(await sendAway(qmp, to));
  } catch (error) {
    console.error((error as Error).message);
    await end(1);
  }
});
