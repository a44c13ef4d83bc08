/**
 * The program that carries WebTransport for a broker, which Node cannot speak: gateways/webtransport, built when somebody asks
 * for it. It is a child that ends with its stdin; when it ends before that, also because its certificate would, another one is
 * started on the same port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { webtransportReady } from '../contract/offload.js';
import { goBuilt, goFlags } from '../go.js';
import { inCheckout, packageRoot } from '../installation.js';
import { type HostPort, targetText } from '../options.js';
import { framesProtocol } from './channels.js';
import { providerPath } from './session.js';

const source = join(packageRoot, 'gateways/webtransport');
const howTo = 'dispatchbench broker --setup builds it';

/** Of these sources: another version of them is another program. */
function programFile(): string {
  const hash = createHash('sha256');
  for (const name of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(source, name)));
  return join(packageRoot, 'build/gateways/webtransport', hash.digest('hex').slice(0, 16));
}

/** Why WebTransport cannot be used; null: it can. */
export function missingSidecar(): string | null {
  if (!inCheckout)
    return 'WebTransport is carried by a program in Go, which is in a checkout and in no package';
  return existsSync(programFile())
    ? null
    : `the program in Go that carries WebTransport is not built: ${howTo}`;
}

/**
 * Builds it, unless it is there.
 * @throws Error in one sentence where Go, or one of its modules, cannot be had
 */
export function buildSidecar(say: (line: string) => void): string {
  if (!inCheckout) throw new Error(missingSidecar()!);
  const program = programFile();
  return goBuilt(
    program,
    'what carries WebTransport',
    (folder) => ({
      args: ['build', '-mod=readonly', ...goFlags, '-o', join(folder, basename(program)), '.'],
      cwd: source,
    }),
    say,
  );
}

const againMs = { first: 200, most: 30_000 };

export class Sidecar {
  #child: ChildProcess | null = null;
  #port = 0;
  /** base64 of the certificate's SHA-256; null: it is being started anew */
  #certificate: string | null = null;
  #closed = false;
  #again: NodeJS.Timeout | undefined;
  #failures = 0;

  /** @throws Error in one sentence */
  static async start(broker: HostPort, sessions: number, say: (line: string) => void): Promise<Sidecar> {
    const missing = missingSidecar();
    if (missing !== null) throw new Error(missing);
    const sidecar = new Sidecar(programFile(), broker, sessions, say);
    await sidecar.#run();
    return sidecar;
  }

  private constructor(
    readonly program: string,
    readonly broker: HostPort,
    /** at the same time */
    readonly sessions: number,
    readonly say: (line: string) => void,
  ) {}

  get now(): string | null {
    return this.#certificate;
  }

  get origin(): string {
    return `https://${targetText({ host: this.#host, port: this.#port })}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#again);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.stdin!.end();
    await ended;
  }

  get #host(): string {
    return this.broker.host === 'localhost' ? '127.0.0.1' : this.broker.host;
  }

  async #run(): Promise<void> {
    const flags = {
      host: this.#host,
      port: this.#port,
      broker: targetText({ host: this.#host, port: this.broker.port }),
      path: providerPath,
      protocol: framesProtocol,
      sessions: this.sessions,
    };
    const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
    const child = spawn(this.program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    child.stdin!.on('error', () => {});
    const lines = createInterface({ input: child.stdout! });
    const ended = new Promise<never>((_, fail) => {
      child.on('error', fail);
      child.on('exit', (code) => fail(new Error(`it ended with exit code ${code}`)));
    });
    try {
      const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
      const { port, certificate } = webtransportReady.parse(JSON.parse(line));
      this.#port = port;
      this.#certificate = certificate;
      this.#failures = 0;
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`what carries WebTransport could not be started: ${(error as Error).message}`);
    }
    ended.catch((error: Error) => {
      if (this.#closed) return;
      this.#certificate = null;
      this.say(`what carries WebTransport is started anew: ${error.message}`);
      this.#later();
    });
  }

  #later(): void {
    const wait = Math.min(againMs.most, againMs.first * 2 ** this.#failures++);
    this.#again = setTimeout(() => {
      this.#run().catch((error: Error) => {
        if (this.#closed) return;
        this.say(error.message);
        this.#later();
      });
    }, wait);
  }
}
