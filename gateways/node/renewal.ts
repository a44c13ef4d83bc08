/**
 * Ways to bring a new module to its clients other than to exchange it in the process: what `supervisor.ts` does with a
 * server when its file is another one.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { versionIn, versionText } from '../../src/contract/versions.js';
import type { Endpoint } from './options.js';

const run = promisify(execFile);

export interface Supervised {
  /** program and arguments of the server */
  command: readonly string[];
  module: string;
  listen: Endpoint;
}

/** Started with the file as it is; called again each time it is another one. */
export interface Renewal {
  renew(): Promise<void>;
  /** ends all it has started */
  end(): void;
}

function started(
  [program = '', ...args]: readonly string[],
  stdout: 'pipe' | 'inherit' | 'ignore',
): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', stdout, 'inherit'] });
  child.once('error', (error) => {
    process.stderr.write(`dispatchbench-supervisor: ${error.message}\n`);
    process.exit(1);
  });
  return child;
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** The server has ended and nobody asked it to: no further version comes to anybody. */
function fail(how: string): void {
  process.stderr.write(`dispatchbench-supervisor: ${how}\n`);
  process.exit(1);
}

/** What becomes of the old process, and of the last one. */
interface Stopping {
  stop(child: ChildProcess): Promise<void>;
  end(child: ChildProcess): void;
}
const bySignal: Stopping = { stop: stopped, end: (child) => child.kill('SIGTERM') };

/** The old process ends, then a new one starts; its command line is made anew. */
function restart(command: () => readonly string[], { stop, end }: Stopping = bySignal): Renewal {
  let current: { child: ChildProcess; stopping: boolean } | null = null;
  return {
    async renew() {
      if (current) {
        current.stopping = true;
        await stop(current.child);
      }
      const one = { child: started(command(), 'inherit'), stopping: false };
      one.child.once('exit', (code, signal) => {
        if (!one.stopping) fail(`the server ended by itself (${signal ?? `exit code ${code}`})`);
      });
      current = one;
    },
    end() {
      if (!current) return;
      current.stopping = true;
      end(current.child);
    },
  };
}

/** The new process listens at the same port before the old one is told to end behind its requests. */
function handOver({ command }: Supervised): Renewal {
  const running = new Set<ChildProcess>();
  return {
    async renew() {
      const old = [...running];
      const child = started(command, 'pipe');
      running.add(child);
      child.once('exit', () => running.delete(child));
      await once(createInterface(child.stdout!), 'line'); // it listens
      for (const one of old) one.kill('SIGQUIT');
    },
    end: () => {
      for (const one of running) one.kill('SIGTERM');
    },
  };
}

const versionOf = (module: string): string => {
  const version = versionIn(readFileSync(module, 'latin1'), 'anywhere');
  if (version === null) throw new Error(`${module} says no version`);
  return versionText(version);
};

/** nginx answers with the version by itself, and is told to read its configuration again. */
function nginx({ command, module, listen: { address, port } }: Supervised): Renewal {
  const folder = join(tmpdir(), `dispatchbench-nginx-${process.pid}`);
  const file = join(folder, 'nginx.conf');
  let child: ChildProcess | null = null;
  const configuration = () => `
worker_processes 1;
daemon off;
pid ${folder}/pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  default_type text/plain;
  server { listen ${address}:${port}; location / { return 200 "${versionOf(module)}"; } }
}
`;
  return {
    async renew() {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${file}.part`, configuration());
      renameSync(`${file}.part`, file);
      if (child) child.kill('SIGHUP');
      else child = started([...command, '-p', folder, '-c', file], 'ignore');
    },
    end: () => {
      child?.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A virtual machine is ended and boots again; its gateway is told the version by the kernel's arguments. */
function reboot({ command, module }: Supervised): Renewal {
  const at = command.indexOf('-append') + 1;
  return restart(() =>
    command.map((word, i) => (i === at ? `${word} GATEWAY_HELLO=${versionOf(module)}` : word)),
  );
}

/** Milliseconds that Docker takes at most to end a container, on a busy machine. */
const dockerMs = 20_000;

/**
 * A container is stopped, and one of the new version is run. `docker run` is not the container, and what enters the daemon's
 * namespaces for it is not even that: a signal would end those, and leave the port to the old container. So the daemon is
 * asked, and the next one starts when `docker run` says by its end that the old one is gone.
 */
function container({ command, module }: Supervised): Renewal {
  const at = command.indexOf('run');
  const docker = command.slice(0, at);
  const named = (made: number) => `dispatchbench-update-${process.pid}-${made}`;
  let made = 0;
  const asked = (...words: string[]): [string, string[]] => {
    const [program = '', ...args] = [...docker, ...words];
    return [program, args];
  };
  return restart(
    () => [
      ...docker,
      ...['run', `--name=${named(++made)}`],
      ...command.slice(at + 1),
      ...['--hello', versionOf(module)],
    ],
    {
      async stop(client) {
        const gone = client.exitCode !== null || client.signalCode !== null ? null : once(client, 'exit');
        await run(...asked('stop', '--time=1', named(made)), { timeout: dockerMs }).catch((error: Error) =>
          fail(`the container could not be stopped: ${error.message.trim()}`),
        );
        await gone;
      },
      end: () => spawnSync(...asked('kill', named(made)), { stdio: 'ignore', timeout: dockerMs }),
    },
  );
}

export const renewals = {
  restart: ({ command }: Supervised) => restart(() => command),
  'hand-over': handOver,
  nginx,
  reboot,
  container,
} as const satisfies Record<string, (supervised: Supervised) => Renewal>;
