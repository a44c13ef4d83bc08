/**
 * An open loop over standing connections, or sockets of datagrams, that notices which version answers: its argument is an
 * UpdateLoadSpec as JSON. It
 * begins at `go`, says at `await N` when every connection has had version N, and ends at `close` with the times at which
 * versions were put in place. Lines of src/contract/update.ts. It ends when its stdin does.
 *
 * It waits for the next request without sleeping: a timer would be late by a millisecond.
 */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { type Failures, placements, type UpdateResult } from '../src/contract/update.js';
import { versionIn } from '../src/contract/versions.js';
import { printLine, readControl } from '../src/control.js';
import { targetText } from '../src/options.js';
import { monotonicNs, setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { firstReplyBytes, type UpdateLoadSpec, updateLoadSpec } from '../src/programs/update.js';
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

/** Asks one question after the other. */
abstract class Asker {
  /** newest version that it was answered by */
  newest = -1;
  private asked: Asked | null = null;
  private patience: NodeJS.Timeout | undefined;

  constructor(
    private readonly index: number,
    protected readonly spec: UpdateLoadSpec,
    private readonly free: (asker: Asker) => void,
  ) {}

  /** Asks; `asked` says afterwards what came of it. */
  ask(asked: Asked): void {
    this.asked = asked;
    this.patience = setTimeout(() => this.done('timeout'), this.spec.timeoutMs);
    const send = this.ready();
    asked.connection = this.index;
    asked.sentNs = monotonicNs();
    send();
  }

  /** @returns what sends a question */
  protected abstract ready(): () => void;

  /** Nothing more comes of what was asked before. */
  protected abstract drop(): void;

  protected done(failed: keyof Failures | null, version: number | null = null): void {
    if (version !== null) this.newest = Math.max(this.newest, version);
    if (failed !== null && failed !== 'status') this.drop();
    const { asked } = this;
    if (!asked) return;
    clearTimeout(this.patience);
    this.asked = null;
    Object.assign(asked, { endNs: monotonicNs(), failed, version });
    this.free(this);
  }
}

/** On a connection that is opened again when it has ended. */
class Connection extends Asker {
  private socket: Socket | null = null;
  private received = '';

  protected ready(): () => void {
    const socket = this.socket ?? this.open();
    const { path, target } = this.spec;
    return () => socket.write(`GET ${path} HTTP/1.1\r\nHost: ${targetText(target)}\r\n\r\n`);
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
    if (reply.closes) this.drop();
    this.done(version === null ? 'status' : null, version);
  }

  protected drop(): void {
    this.socket?.destroy();
    this.socket = null;
  }
}

/** Of a datagram that asks, which number it is; the rest of it is there for what a server may cut off. */
const numberBytes = 8;

/** From a socket of its own. A reply is what of the question came back; how long it is, past a first length, is the version. */
class Datagrams extends Asker {
  private readonly socket = createSocket('udp4');
  private number = 0n;

  constructor(...given: ConstructorParameters<typeof Asker>) {
    super(...given);
    this.socket.on('message', (reply) => {
      if (reply.length < numberBytes || reply.readBigUInt64BE() !== this.number) return; // of one that was given up
      this.done(null, reply.length - firstReplyBytes);
    });
    this.socket.on('error', () => this.done('broken'));
  }

  protected ready(): () => void {
    const { target, datagramBytes } = this.spec;
    const question = Buffer.alloc(datagramBytes);
    this.number += 1n;
    question.writeBigUInt64BE(this.number);
    return () => this.socket.send(question, target.port, target.host);
  }

  protected drop(): void {
    // A reply that is late has another number than the next question.
  }
}

await runProgram('update-load', async () => {
  const spec = updateLoadSpec.parse(JSON.parse(process.argv[2] ?? ''));
  if (spec.cpus.length > 0) setAffinity(spec.cpus);
  const { connections, rate } = spec;
  const timeoutNs = spec.timeoutMs * 1e6;
  const all: Asked[] = [];
  const due: Asked[] = [];
  const free: Asker[] = [];
  let awaited: number | null = null;
  let startNs = 0;
  let closing: string | null = null;
  const report = () => {
    if (awaited === null || standing.some(({ newest }) => newest < awaited!)) return;
    printLine({ event: 'seen', version: awaited } as { event: string });
    awaited = null;
  };
  const Kind = spec.protocol === 'http' ? Connection : Datagrams;
  const standing = Array.from(
    { length: connections },
    (_, index) =>
      new Kind(index, spec, (one) => {
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
    // What was due for too long has failed, sent or not: a server that is away for long leaves no mountain behind.
    while (due.length > 0 && now - due[0]!.dueNs > timeoutNs)
      Object.assign(due.shift()!, { sentNs: now, endNs: now, failed: 'timeout' } satisfies Partial<Asked>);
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
