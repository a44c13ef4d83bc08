/**
 * The peers of bench:udp: sockperf and iperf3, run pinned, with their CPU time and what they print; and the servers both
 * clients meet at.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readKernelView } from '../src/dgram-benchmark/loss.js';
import { onStage } from '../src/stage/on-stage.js';
import { pinning, site } from './here.js';
import { cpuSeconds } from './lib.js';

const basePort = 21_000;
const patienceMs = 10_000;

/** sockperf's message: sequence u64, flags u16 (1: from a client, 2: wants an answer), length u32, big endian. */
function sockperfMessage(flags: number): Buffer {
  const message = Buffer.alloc(64);
  message.writeBigUInt64BE(1n, 0);
  message.writeUInt16BE(flags, 8);
  message.writeUInt32BE(message.length, 10);
  return message;
}
const question = sockperfMessage(3);
const answers = { sockperf: sockperfMessage(2), native: question };
export type ServerKind = keyof typeof answers;

/** What our client asks of a server so that sockperf's answers too. */
export const inSockperfsForm = (kind: ServerKind) => ({ body: question, expectBody: answers[kind] });

export interface Server {
  pid: number;
  port: number;
}

interface PeerServer extends Server {
  end(): Promise<void>;
}

/** taskset replaces itself by the program, so the process id is the program's. */
function pinned(cpus: readonly number[], program: string, args: string[]): ChildProcess {
  const list = ['--cpu-list', cpus.join(',')];
  return spawn('taskset', [...list, program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
}

/** A server of theirs, once `listens`; ended by force, for they have no other end. */
async function peerServer(
  program: string,
  args: string[],
  port: number,
  listens: (child: ChildProcess) => Promise<boolean>,
): Promise<PeerServer> {
  const child = pinned(pinning.server, program, args);
  const ended = once(child, 'exit');
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  const until = Date.now() + patienceMs;
  while (!(await listens(child))) {
    if (child.exitCode === null && Date.now() < until) await sleep(20);
    else {
      if (child.exitCode === null) await end();
      throw new Error(`${program} ${args.join(' ')} does not listen`);
    }
  }
  child.stdout!.resume();
  return { pid: child.pid!, port, end };
}

async function sockperfServer(ports: number): Promise<PeerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-udp-'));
  const list = join(folder, 'ports');
  const lines = Array.from({ length: ports }, (_, index) => `U:127.0.0.1:${basePort + index}`);
  writeFileSync(list, `${lines.join('\n')}\n`);
  const listens = async () => (await readKernelView(basePort, ports)).server.size >= ports;
  try {
    return await peerServer('sockperf', ['server', '-f', list, '-F', 'e'], basePort, listens);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function withNative<T>(ports: number, work: (server: Server) => Promise<T>): Promise<T> {
  return onStage(site, async (stage) => {
    const subject = {
      kind: 'dispatch',
      protocol: 'udp-echo',
      impl: 'native',
      backend: 'epoll',
      io: null,
    } as const;
    const { hellos } = await stage.serve({ ...subject, ports });
    return work(hellos[0]!);
  });
}

async function withSockperf<T>(ports: number, work: (server: Server) => Promise<T>): Promise<T> {
  const server = await sockperfServer(ports);
  try {
    return await work(server);
  } finally {
    await server.end();
  }
}

export const withServer = <T>(
  kind: ServerKind,
  ports: number,
  work: (server: Server) => Promise<T>,
): Promise<T> => (kind === 'native' ? withNative(ports, work) : withSockperf(ports, work));

interface Ended {
  /** what it printed */
  text: string;
  /** its CPU time, seconds, as last seen while it ran */
  cpu: number;
}

async function runClient(program: string, args: string[]): Promise<Ended> {
  const child = pinned(pinning.client, program, args);
  let text = '';
  let cpu = 0;
  child.stdout!.on('data', (chunk) => {
    text += chunk;
  });
  const timer = setInterval(() => {
    try {
      cpu = Math.max(cpu, cpuSeconds(child.pid!));
    } catch {
      // It has just ended.
    }
  }, 10);
  await once(child, 'close');
  clearInterval(timer);
  return { text, cpu };
}

/** A sockperf client against sockperf's server, to its end. */
export const sockperf = (args: string[], seconds: number): Promise<Ended> =>
  runClient('sockperf', [
    ...args,
    ...['-i', '127.0.0.1', '-p', `${basePort}`, '-m', '64', '-t', `${seconds}`, '--full-rtt'],
  ]);

/** iperf3 sending 64-byte datagrams one way, as fast as it can. @returns datagrams sent per second of client CPU */
export async function iperf3(seconds: number): Promise<number> {
  const args = ['-s', '-1', '-B', '127.0.0.1', '-p', `${basePort}`, '--forceflush'];
  const server = await peerServer('iperf3', args, basePort, async (child) =>
    `${child.stdout!.read() ?? ''}`.includes('listening'),
  );
  try {
    const target = ['-c', '127.0.0.1', '-p', `${basePort}`];
    const { text, cpu } = await runClient('iperf3', [
      ...['-u', '-J', '-l', '64', '-b', '0', '-t', `${seconds}`],
      ...target,
    ]);
    return JSON.parse(text).end.sum.packets / cpu;
  } finally {
    await server.end();
  }
}

/** Whether a program can be started. */
export const installed = (program: string): Promise<boolean> =>
  once(spawn(program, ['--version'], { stdio: 'ignore' }), 'exit').then(
    () => true,
    () => false,
  );
