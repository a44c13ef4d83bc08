/**
 * Stands between the two ends of a migration, ours or QEMU's: counts what goes either way, and lets no more bytes through to
 * whom it leads to than its rate, all connections together. Lines of src/contract/migrate.ts; it ends when its stdin does.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Command } from '@commander-js/extra-typings';
import { printLine, readControl } from '../src/control.js';
import { type HostPort, hostPort, positiveNumber } from '../src/options.js';
import { runProgram } from '../src/program.js';

/** Of one connection, bytes that wait here at most: a link has some room of its own, and no more. */
const roomBytes = 256 << 10;
/** Time that a late timer may make up for, milliseconds. */
const creditMs = 20;

/** When the next bytes may leave, all connections together. */
class Pace {
  private next = 0;

  constructor(private readonly bitsPerSecond: number | null) {}

  /** Milliseconds from now until so many bytes have travelled. */
  take(bytes: number): number {
    if (this.bitsPerSecond === null) return 0;
    const now = performance.now();
    this.next = Math.max(this.next, now - creditMs) + (bytes * 8000) / this.bitsPerSecond;
    return Math.max(0, this.next - now);
  }
}

const tell: (line: { event: string; [name: string]: unknown }) => void = printLine;

const options = new Command('dispatchbench-paced-relay')
  .requiredOption('--to <list>', 'who gets what is sent, HOST:PORT, comma-separated', (text) =>
    text.split(',').map(hostPort),
  )
  .option('--listen <address>', 'numeric address to listen at', '127.0.0.1')
  .option('--rate <bits>', 'bits per second to all of them', positiveNumber)
  .parse()
  .opts();

await runProgram('dispatchbench-paced-relay', async () => {
  const carried = { connections: 0, there: 0, back: 0 };
  const sockets = new Set<Socket>();
  const pace = new Pace(options.rate ?? null);

  function carry(
    from: Socket,
    to: Socket,
    count: (bytes: number) => void,
    wait: (bytes: number) => number,
  ): void {
    /** what has not left, in its order; null is the end */
    const queue: (Buffer | null)[] = [];
    let held = 0;
    const flow = () => {
      if (held < roomBytes && !to.writableNeedDrain) from.resume();
    };
    const deliver = () => {
      const part = queue.shift();
      if (!part) to.end();
      // To one that is gone everything is as good as delivered: who closes early has what it wanted.
      else if (to.writable) to.write(part);
      held -= part?.length ?? 0;
      flow();
    };
    const put = (part: Buffer | null) => {
      queue.push(part);
      const ms = wait(part?.length ?? 0);
      if (ms === 0 && queue.length === 1) deliver();
      // Timers may change places, what they deliver does not.
      else setTimeout(deliver, ms);
    };
    from.on('data', (part) => {
      count(part.length);
      held += part.length;
      put(part);
      if (held >= roomBytes || to.writableNeedDrain) from.pause();
    });
    to.on('drain', flow).on('close', flow);
    from.on('end', () => put(null));
    // One that is gone sends no more.
    from.on('error', () => to.end());
  }

  async function door(to: HostPort): Promise<Server> {
    // A QEMU before 8.0 takes the connection that comes first for its main one: they stand in their order.
    let before: Promise<unknown> = Promise.resolve();
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, async (near) => {
      near.setNoDelay(true).on('error', () => {});
      const mine = before.then(() => {
        const one = connect({ ...to, allowHalfOpen: true, noDelay: true });
        one.on('error', () => near.end());
        return new Promise<Socket>((resolve) => {
          one.once('connect', () => resolve(one)).once('close', () => resolve(one));
        });
      });
      before = mine;
      const far = await mine;
      carried.connections++;
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      }
      const there = (bytes: number) => {
        carried.there += bytes;
      };
      const back = (bytes: number) => {
        carried.back += bytes;
      };
      carry(near, far, there, (bytes) => pace.take(bytes));
      carry(far, near, back, () => 0);
      near.resume();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, options.listen, resolve);
    });
    return server;
  }

  const doors = await Promise.all(options.to.map(door));
  const ports = doors.map((server) => (server.address() as AddressInfo).port);
  tell({ event: 'listening', ports });
  readControl(
    () => tell({ event: 'carried', ...carried }),
    () => {
      for (const socket of sockets) socket.destroy();
      for (const server of doors) server.close();
      process.exit(0);
    },
  );
});
