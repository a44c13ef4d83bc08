/** --on-port: starts the server that is to be measured, and finds out where it listens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseUdpSockets } from './loss.js';

const patienceMs = 10_000;

/** Inodes of the sockets a process holds (Linux). */
async function socketInodes(pid: number): Promise<Set<string>> {
  const folder = `/proc/${pid}/fd`;
  const links = await readdir(folder).catch(() => []);
  const targets = await Promise.all(links.map((link) => readlink(`${folder}/${link}`).catch(() => '')));
  return new Set(targets.flatMap((target) => target.match(/^socket:\[(\d+)\]$/)?.[1] ?? []));
}

/** Lowest UDP port that a process is bound to, 0 when none. */
async function boundPort(pid: number): Promise<number> {
  const own = await socketInodes(pid);
  const ports: number[] = [];
  for (const name of ['udp', 'udp6']) {
    const text = await readFile(`/proc/net/${name}`, 'utf8').catch(() => '');
    ports.push(
      ...parseUdpSockets(text)
        .filter(({ inode }) => own.has(inode))
        .map(({ localPort }) => localPort),
    );
  }
  return ports.length === 0 ? 0 : Math.min(...ports);
}

export interface StartedServer {
  child: ChildProcess;
  /** first port it listens on */
  port: number;
}

/**
 * Starts `command` with PORT in its environment and waits until it is bound to a UDP port: as its first line says
 * ({"port": N}), or as the kernel shows.
 * @throws Error in one sentence when it ends or listens nowhere within ten seconds
 */
export async function startOnPort(command: readonly string[], port: number): Promise<StartedServer> {
  const [program, ...args] = command;
  if (!program)
    throw new Error(
      "--on-port needs the server's command: dgram-benchmark --on-port HOST:PORT -- node server.js",
    );
  const env = { ...process.env, PORT: String(port) };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = 0;
  let ended: string | null = null;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended ??= `it ended with ${signal ?? `code ${code}`}`;
  });
  createInterface({ input: child.stdout! }).on('line', (line) => {
    said ||= Number(line.match(/"port":\s*(\d+)/)?.[1] ?? 0);
  });
  const until = Date.now() + patienceMs;
  while (Date.now() < until && ended === null) {
    const found = said || (child.pid === undefined ? 0 : await boundPort(child.pid));
    if (found > 0) return { child, port: found };
    await sleep(20);
  }
  child.kill();
  throw new Error(
    `the server '${command.join(' ')}' does not listen: ${ended ?? `no UDP port within ${patienceMs / 1000} s`}`,
  );
}
