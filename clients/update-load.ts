/**
 * An open loop over standing connections that notices which version answers: its argument is an UpdateLoadSpec as JSON. It
 * begins at `go`, says at `await N` when every connection has had version N, and ends at `close` with the times at which
 * versions were put in place. Lines of src/contract/update.ts. It ends when its stdin does.
 *
 * It waits for the next request without sleeping: a timer would be late by a millisecond.
 */
import { connect, type Socket } from 'node:net';
import { type Failures, placements, type UpdateResult } from '../src/contract/update.js';
import { versionIn } from '../src/contract/versions.js';
import { printLine, readControl } from '../src/control.js';
import { targetText } from '../src/options.js';
import { monotonicNs, setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { type UpdateLoadSpec, updateLoadSpec } from '../src/programs/update.js';
import { type Asked, summary } from './update-summary.js';

/** A whole reply at the beginning of what came; null: not yet. */
function replyIn(text: string): { status: number; body: string; closes: boolean } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = text.slice(0, end);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
  const body = text.slice(end + 4, end + 4 + length);
  if (body.length < length) return null;
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  return { status, body, closes: /\r\nconnection: *close/i.test(head) };
}

/** One after the other on a connection that is opened again when it has ended. */
class Connection {
  /** newest version that it was answered by */
  newest = -1;
  private socket: Socket | null = null;
  private received = '';
  private asked: Asked | null = null;
  private patience: NodeJS.Timeout | undefined;

  constructor(
    private readonly index: number,
    private readonly spec: UpdateLoadSpec,
    private readonly free: (connection: Connection) => void,
  ) {}

  /** Asks; `asked` says afterwards what came of it. */
  ask(asked: Asked): void {
    this.asked = asked;
    this.patience = setTimeout(() => this.done('timeout'), this.spec.timeoutMs);
    const socket = this.socket ?? this.open();
    asked.connection = this.index;
    asked.sentNs = monotonicNs();
    socket.write(`GET ${this.spec.path} HTTP/1.1\r\nHost: ${targetText(this.spec.target)}\r\n\r\n`);
  }

  private open(): Socket {
    const socket = connect({ ...this.spec.target, noDelay: true });
    const ended = (how: keyof Failures) => {
      if (this.socket === socket) this.done(how);
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: unknown) => this.took(socket, `${chunk}`));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      ended(error.code === 'ECONNREFUSED' ? 'refused' : 'broken'),
    );
    socket.on('end', () => ended('broken'));
    socket.on('close', () => ended('broken'));
    this.socket = socket;
    this.received = '';
    return socket;
  }

  private took(socket: Socket, chunk: string): void {
    if (this.socket !== socket) return;
    this.received += chunk;
    const reply = replyIn(this.received);
    if (!reply) return;
    const version = reply.status === 200 ? versionIn(reply.body) : null;
    this.received = '';
    if (version !== null) this.newest = Math.max(this.newest, version);
    if (reply.closes) this.drop();
    this.done(version === null ? 'status' : null, version);
  }

  private drop(): void {
    this.socket?.destroy();
    this.socket = null;
  }

  private done(failed: keyof Failures | null, version: number | null = null): void {
    if (failed !== null && failed !== 'status') this.drop();
    const { asked } = this;
    if (!asked) return;
    clearTimeout(this.patience);
    this.asked = null;
    Object.assign(asked, { endNs: monotonicNs(), failed, version });
    this.free(this);
  }
}

await runProgram('update-load', async () => {
  const spec = updateLoadSpec.parse(JSON.parse(process.argv[2] ?? ''));
  if (spec.cpus.length > 0) setAffinity(spec.cpus);
  const { connections, rate } = spec;
  const all: Asked[] = [];
  const due: Asked[] = [];
  const free: Connection[] = [];
  let awaited: number | null = null;
  let startNs = 0;
  let closing: string | null = null;
  const report = () => {
    if (awaited === null || standing.some(({ newest }) => newest < awaited!)) return;
    printLine({ event: 'seen', version: awaited } as { event: string });
    awaited = null;
  };
  const standing = Array.from(
    { length: connections },
    (_, index) =>
      new Connection(index, spec, (one) => {
        free.push(one);
        report();
      }),
  );
  free.push(...standing);

  const next = (begun: number) => startNs + (begun * 1e9) / rate;
  function turn(): void {
    const now = monotonicNs();
    while (closing === null && next(all.length) <= now) {
      const dueNs = next(all.length);
      const asked: Asked = { dueNs, sentNs: 0, endNs: 0, connection: 0, failed: null, version: null };
      all.push(asked);
      due.push(asked);
    }
    while (due.length > 0 && free.length > 0) free.shift()!.ask(due.shift()!);
    if (closing !== null && due.length === 0 && free.length === connections) {
      const elapsedNs = monotonicNs() - startNs;
      const result: UpdateResult = {
        ...summary(all, placements.parse(JSON.parse(closing)), spec.windowMs * 1e6),
        elapsedNs,
      };
      printLine(result);
      process.exit(0);
    }
    setImmediate(turn);
  }
  readControl(
    (text) => {
      const [word, ...rest] = text.split(' ');
      if (word === 'go') {
        startNs = monotonicNs();
        turn();
      } else if (word === 'await') {
        awaited = Number(rest[0]);
        report();
      } else if (word === 'close') closing = rest.join(' ');
    },
    () => process.exit(0),
  );
  printLine({ event: 'ready' });
});
