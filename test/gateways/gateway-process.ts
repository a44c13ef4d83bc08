/** Gateways of a test: started as a user would start them, asked over real sockets, and ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { packageRoot } from '../../src/addon.js';

const built = join(packageRoot, 'build/gateways');
const program = (name: string) => join(built, 'bin', name);
export const native = program('gateway-native');
export const host = program('gateway-host');

/** For `skip` of a test: why it cannot run. */
export const notBuilt =
  existsSync(native) && existsSync(host) ? false : "the gateways are not built: run 'npm run build:gateways'";

export interface BuiltModule {
  name: string;
  kind: 'prefixer' | 'plugin' | 'counter' | 'device' | 'tsp' | 'edges';
  language: string;
  file: string;
  sha256: string;
  bytes: number;
}

/** Modules that were built here, with absolute paths. */
export function builtModules(): BuiltModule[] {
  const list = join(built, 'modules.json');
  if (!existsSync(list)) return [];
  const { modules } = JSON.parse(readFileSync(list, 'utf8')) as { modules: Partial<BuiltModule>[] };
  return modules
    .filter((module): module is BuiltModule => module.file !== undefined)
    .map((module) => ({ ...module, file: join(packageRoot, module.file) }));
}

export const prefixer = join(built, 'modules/prefixer-assemblyscript.wasm');

export interface Hello {
  event: 'gateway';
  name: string;
  mode: string;
  address: string;
  port: number;
  pid: number;
  module: { file: string; sha256: string; bytes: number } | null;
  phases: Record<'main' | 'bound' | 'compiled' | 'instantiated' | 'listening', number | null>;
}

export interface HttpReply {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Replies as they stand one after another in what a connection brought. `HEAD`: they are without their bodies. */
export function repliesOf(text: string, method = 'GET'): HttpReply[] {
  const replies: HttpReply[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(first.match(/^HTTP\/1\.1 (\d{3}) /)?.[1]);
    if (end < 0 || Number.isNaN(status)) throw new Error(`no reply: ${JSON.stringify(rest.slice(0, 200))}`);
    const headers = new Map(lines.map((line) => line.split(': ', 2) as [string, string]));
    const length = method === 'HEAD' ? 0 : Number(headers.get('Content-Length'));
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length !== length) throw new Error(`a body of ${body.length} bytes instead of ${length}`);
    replies.push({ status, headers, body });
    rest = rest.slice(end + 4 + length);
  }
  return replies;
}

/** Those still running; a failed test may leave one. */
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

export class Gateway {
  /** every line that it wrote so far */
  readonly lines: Record<string, unknown>[] = [];
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
  hello!: Hello;

  private constructor(path: string, flags: readonly string[]) {
    this.child = spawn(path, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.child);
    this.child.on('close', () => running.delete(this.child));
    let stderr = '';
    this.child.stderr!.on('data', (chunk) => {
      stderr += chunk;
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal, stderr }));
  }

  /** Starts a gateway on a free port. @throws what it said when it ended instead */
  static async start(path: string, ...flags: string[]): Promise<Gateway> {
    const gateway = new Gateway(path, ['--listen', '127.0.0.1:0', ...flags]);
    const greeted = new Promise<void>((done) => {
      createInterface(gateway.child.stdout!).on('line', (line) => {
        gateway.lines.push(JSON.parse(line));
        done();
      });
    });
    const early = await Promise.race([greeted, gateway.ended]);
    if (early) throw new Error(`the gateway ended with ${early.code}: ${early.stderr}`);
    gateway.hello = gateway.lines[0] as unknown as Hello;
    return gateway;
  }

  connect(): Socket {
    return connect({ port: this.hello.port, host: '127.0.0.1', allowHalfOpen: true });
  }

  /** Sends bytes on a connection of their own and returns all that comes back until the gateway closes. */
  async raw(bytes: string | Buffer, { end = false } = {}): Promise<string> {
    const socket = this.connect();
    const pieces: Buffer[] = [];
    socket.on('data', (piece) => pieces.push(piece));
    // A gateway may close while a hostile client still sends.
    socket.on('error', () => {});
    socket.write(bytes, 'latin1');
    if (end) socket.end();
    const closed = once(socket, 'close');
    await Promise.race([once(socket, 'end'), closed]);
    socket.destroy();
    await closed;
    return Buffer.concat(pieces).toString('latin1');
  }

  /** One request on a connection of its own. */
  async ask(target: string, method = 'GET', headers: readonly string[] = []): Promise<HttpReply> {
    const lines = [`${method} ${target} HTTP/1.1`, 'Host: test', 'Connection: close', ...headers];
    const text = await this.raw(`${lines.join('\r\n')}\r\n\r\n`);
    const [reply, ...more] = repliesOf(text, method);
    if (!reply || more.length > 0) throw new Error(`not one reply: ${JSON.stringify(text.slice(0, 200))}`);
    return reply;
  }

  /** Its own processes: what was started for requests, and not yet reaped. */
  children(): string[] {
    const tasks = `/proc/${this.child.pid}/task`;
    return readdirSync(tasks).flatMap((task) => {
      try {
        return readFileSync(`${tasks}/${task}/children`, 'utf8').split(' ').filter(Boolean);
      } catch {
        return []; // the thread is gone
      }
    });
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  /** The same, once it stays: connections whose clients are gone are closed a little later. */
  async settledDescriptors(): Promise<number> {
    let count = this.descriptors();
    for (let same = 0; same < 10; same++) {
      await pause(5);
      const now = this.descriptors();
      if (now !== count) same = 0;
      count = now;
    }
    return count;
  }

  /** resident, in bytes */
  memory(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(status.match(/^VmRSS:\s*(\d+) kB$/m)![1]) * 1024;
  }

  async stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}
