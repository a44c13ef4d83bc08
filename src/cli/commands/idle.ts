/** `dispatchbench idle`: opens idle connections and holds them until told to stop. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from '@commander-js/extra-typings';
import { type IdleStatus, idleStatus } from '../../contract/idle.js';
import { validated } from '../../contract/validated.js';
import type { HostProcess } from '../../hosts/host.js';
import { startHere } from '../../hosts/local.js';
import { resolveTarget } from '../../load/native.js';
import { acceptedConnections } from '../../load/server-count.js';
import { cpuList, duration, durationOption, hostPort, wholeNumber } from '../../options.js';
import { idlePrograms } from '../../programs/idle.js';
import { withExamples } from '../examples.js';

export const idle = new Command('idle')
  .requiredOption('--target <host:port>', 'server to connect to', hostPort)
  .requiredOption('--connections <n>', 'connections to hold', wholeNumber(1, 10_000_000))
  .option('--duration <d>', 'end after this time instead of at Ctrl-C', duration)
  .addOption(durationOption('--connect-timeout <d>', 'for one handshake', '5s'))
  .option('--cpu <list>', 'CPUs of the holders (1 or 0,2-3)', cpuList)
  .option('--json', 'print JSON lines')
  .action(async (options) => {
    const target = await resolveTarget(options.target);
    const connectTimeoutS = options.connectTimeout / 1e9;
    const holders = idlePrograms({ ...options, target, connectTimeoutS, cpus: options.cpu ?? [] });
    const children = holders.map(({ program }, index) => startHere(`idle holder ${index + 1}`, program));
    const report = (event: 'standing' | 'farewell', status: IdleStatus) => {
      const acceptedByServer = event === 'standing' ? acceptedConnections(target.port) : null;
      const text =
        event === 'standing'
          ? describeStanding(status, holders.length, acceptedByServer)
          : describeEnd(status);
      console.log(options.json ? JSON.stringify({ event, ...status, acceptedByServer }) : text);
    };
    const interrupted = new Promise<'interrupted'>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'));
    });
    try {
      // A holder gives up after twice the time of one handshake, and says why.
      const allStand = collect(children, 'standing', 3e-6 * options.connectTimeout);
      const standing = await Promise.race([allStand, interrupted]);
      if (standing === 'interrupted') return;
      report('standing', standing);
      const ended = children.map((child) => child.expect('farewell', longestTimerMs));
      const enough =
        options.duration === undefined ? [] : [sleep(options.duration / 1e6, undefined, { ref: false })];
      await Promise.race([interrupted, ...enough, ...ended]);
      for (const child of children) child.send('stop');
      report('farewell', sum(await Promise.all(ended)));
    } finally {
      await Promise.all(children.map((child) => child.end(1000)));
    }
  });

const longestTimerMs = 2 ** 31 - 1;

/** The sum of one line of every holder. */
async function collect(children: HostProcess[], event: string, timeoutMs: number): Promise<IdleStatus> {
  return sum(await Promise.all(children.map((child) => child.expect(event, timeoutMs))));
}

const sum = (lines: unknown[]): IdleStatus =>
  lines.map((line) => validated(idleStatus, line, 'the idle holder')).reduce(addStatus);

export function addStatus(a: IdleStatus, b: IdleStatus): IdleStatus {
  const failures = { ...a.failures };
  for (const [kind, count] of Object.entries(b.failures)) failures[kind] = (failures[kind] ?? 0) + count;
  return {
    asked: a.asked + b.asked,
    standing: a.standing + b.standing,
    reconnects: a.reconnects + b.reconnects,
    failures,
    unexpectedBytes: a.unexpectedBytes + b.unexpectedBytes,
    elapsedNs: a.elapsedNs === null || b.elapsedNs === null ? null : Math.max(a.elapsedNs, b.elapsedNs),
  };
}

/** @param accepted connections that the server's end holds; null when this machine cannot tell */
function describeStanding(status: IdleStatus, holders: number, accepted: number | null): string {
  const processes = holders === 1 ? '1 process' : `${holders} processes`;
  const seconds = ((status.elapsedNs ?? 0) / 1e9).toFixed(2);
  const seen =
    accepted === null || accepted === 0
      ? 'the server is not on this machine, so its own count is unknown here'
      : `the server's end holds ${accepted} connections on this port${accepted < status.standing ? ': it has not accepted all' : ''}`;
  return `${status.standing} of ${status.asked} connections stand after ${seconds} s, held by ${processes}; ${seen}.`;
}

function describeEnd({ standing, reconnects, failures, unexpectedBytes }: IdleStatus): string {
  const failed = Object.entries(failures).map(([kind, count]) => `, ${count} attempts failed (${kind})`);
  const heard = unexpectedBytes > 0 ? `, ${unexpectedBytes} bytes came unasked` : '';
  return `${standing} stood at the end; the server ended ${reconnects}, which were opened again${failed.join('')}${heard}.`;
}

withExamples(idle, [
  ['idle --target 127.0.0.1:9301 --connections 2000', 'until Ctrl-C'],
  [
    'idle --target 127.0.0.1:9301 --connections 100000 --duration 30s --json',
    'for half a minute, from several addresses of loopback',
  ],
]);
