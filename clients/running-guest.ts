/**
 * One end of the move of a Linux guest that runs: the machine that it leaves, or the one that it comes to. By QEMU's migration
 * alone, or of all but its memory, which others move. Lines of src/contract/migrate.ts; it ends when its stdin does.
 *
 * The machine that it leaves boots it and gives it a word to keep. `move` on stdin sends it away. Where others move the memory,
 * they ask for that over a connection (native/migrate/writer.h), which ends when the guest has stopped.
 *
 * The machine that it comes to waits. Where others move the memory, it keeps all else until `go` says that the memory is there:
 * a device looks into the memory when it is restored. Then the guest runs, and is asked for its word.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { printLine, readControl } from '../src/control.js';
import { movableArguments } from '../src/hosts/movable-guest.js';
import { qemuProgram, qemuVersion } from '../src/hosts/qemu.js';
import { runProgram } from '../src/program.js';
import { runningGuestSpec } from '../src/programs/migrate.js';
import { Lifeline } from './lifeline.js';
import { ending, faultOf, prepare, sendAway, waitAt } from './qemu-migration.js';
import { Qmp } from './qmp.js';

const loopback = '127.0.0.1';
/** Where QEMU takes what was kept for it, in the folder of its end. */
const inboxName = 'inbox';

const spec = runningGuestSpec.parse(JSON.parse(process.argv[2] ?? ''));
const tell: (line: { event: string; [name: string]: unknown }) => void = printLine;

async function listening(server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What is done when stdin says a word. */
const orders = new Map<string, () => void>();
const ordered = (word: string) =>
  new Promise<undefined>((resolve) => orders.set(word, () => resolve(undefined)));

/** Boots the guest, and sends it to another machine when it is told to. */
async function leave(qmp: Qmp, life: Lifeline, to: NonNullable<typeof spec.to>): Promise<void> {
  await life.beats(spec.bootMs);
  life.keep(randomUUID());
  const before = await life.tells();
  const others = createServer();
  const asked: Promise<Socket | undefined> =
    spec.way === null
      ? once(others, 'connection').then(async ([socket]) => {
          await once(socket, 'data');
          return socket;
        })
      : ordered('move');
  const port = spec.way === null ? await listening(others, loopback) : null;
  tell({ event: 'guest', version: qemuVersion(), port });
  const asker = await asked;
  // Nobody writes into the memory any more.
  tell(await sendAway(qmp, to, () => asker?.end()));
  tell({ event: 'left', beat: life.beat, ...before });
}

/** Has the guest come from another machine. */
async function receive(qmp: Qmp, life: Lifeline, listen: string): Promise<void> {
  const ended = ending(qmp);
  if (spec.way === null) {
    const server = createServer();
    const state = once(server, 'connection').then(([socket]) => buffer(socket));
    const port = await listening(server, listen);
    tell({ event: 'guest', version: qemuVersion(), port });
    const [kept] = await Promise.all([state, ordered('go')]);
    const inbox = join(spec.folder, inboxName);
    await qmp.ask('migrate-incoming', { uri: `unix:${inbox}` });
    connect(inbox)
      .on('error', () => {})
      .end(kept);
  } else tell({ event: 'guest', version: qemuVersion(), port: await waitAt(qmp, listen) });
  const came = await ended;
  const fault = faultOf(came);
  if (fault === null && spec.way === null) await qmp.ask('cont');
  tell({ event: 'arrived', fault, monotonicNs: came.ns });
  const monotonicNs = await life.beats(spec.bootMs);
  tell({ event: 'alive', monotonicNs, beat: life.first, ...(await life.tells()) });
}

await runProgram('dispatchbench-running-guest', async () => {
  const port = join(spec.folder, 'port');
  const files = { ...spec, memory: spec.file, console: join(spec.folder, 'console'), port };
  const qmp = new Qmp(qemuProgram, [
    ...movableArguments(files, spec.bytes, spec.pages),
    // Where others move the memory, they say when it is there.
    ...(spec.to ? [] : ['-incoming', 'defer', ...(spec.way === null ? ['-S'] : [])]),
  ]);
  const end = async (code: number) => {
    await qmp.end();
    process.exit(code);
  };
  readControl(
    (word) => orders.get(word)?.(),
    () => void end(0),
  );
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(1));
  try {
    await prepare(qmp, spec);
    const life = new Lifeline(connect(port));
    const lost = qmp.whenEnded.then((words) => {
      throw new Error(`QEMU ended: ${words}`);
    });
    await Promise.race([lost, spec.to ? leave(qmp, life, spec.to) : receive(qmp, life, spec.listen)]);
  } catch (error) {
    console.error((error as Error).message);
    await end(1);
  }
});
