/**
 * Kill matrix of a distributed ramp: agents and the coordinator are killed, stopped for a while or ended at random
 * instants of its steps. Nothing is left over, and the ramp ends by itself: with the client named and exit code 3, or
 * with a reason and another code than 0.
 *
 * A few kills of each kind, or as many as HOSTILE_KILLS says, stopped for HOSTILE_STOP_MS; HOSTILE_SEED repeats a matrix.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../../src/statistics/random.js';
import { bin } from '../support/command.js';
import { tried } from '../support/tally.js';
import { httpServer } from './fleet-steps.js';

const kills = Number(process.env.HOSTILE_KILLS ?? 1);
const seed = process.env.HOSTILE_SEED ?? `${Date.now()}`;
const random = randomFrom(seed);
/** At most 1.5 s unless it is said: longer than 4 s is longer than the silence that an agent is given up for. */
const stopMs = (): number => Number(process.env.HOSTILE_STOP_MS ?? random() * 1500);

const { port, close } = await httpServer('127.0.0.1');
after(close);

const names = ['a', 'b'];
const ramp = () =>
  spawn(
    process.execPath,
    [
      ...[bin, 'ramp', '--host1', '127.0.0.1', '--port1', `${port}`, '--config', '/dev/null', '--json'],
      ...['--clients', names.map((name) => `local:${name}`).join()],
      ...['--low_rate', '100', '--high_rate', '200', '--rate_step', '100', '--num_conn', '100'],
      ...['--num_call', '1', '--timeout', '1'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );

interface Entry {
  pid: number;
  parent: number;
  words: string[];
}

function processes(): Entry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), words }];
      } catch {
        return []; // It has just ended.
      }
    });
}

/** All that a process started, and they. */
function descendants(pid: number): Entry[] {
  const all = processes();
  const below = (of: number): Entry[] =>
    all.filter(({ parent }) => parent === of).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** Waits until none of these runs any more. @returns those that do after 15 s */
async function left(started: readonly Entry[]): Promise<Entry[]> {
  const running = () => {
    const now = new Map(processes().map((one) => [one.pid, one.words.join(' ')]));
    return started.filter(({ pid, words }) => now.get(pid) === words.join(' '));
  };
  for (const deadline = Date.now() + 15_000; running().length > 0 && Date.now() < deadline; ) await sleep(50);
  return running();
}

interface Ended {
  code: number | null;
  stderr: string;
}

function ended(child: ChildProcess): Promise<Ended> {
  let stderr = '';
  child.stdout!.resume();
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}

/** Waits until it has started. */
async function agentOf(coordinator: ChildProcess, name: string): Promise<Entry> {
  for (;;) {
    const found = descendants(coordinator.pid!).find(
      ({ words }) => words.includes('agent') && words.includes(name),
    );
    if (found) return found;
    assert.equal(coordinator.exitCode, null, 'the ramp ended before its agents were there');
    await sleep(10);
  }
}

type Victim = 'agent' | 'coordinator';
const signals = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;

/** What has to be so of a ramp whose `victim` got the signal after both agents stood. */
function check(
  victim: Victim,
  signal: (typeof signals)[number],
  name: string,
  { code, stderr }: Ended,
): void {
  // After the last step there is nothing to lose.
  if (code === 0) return;
  if (signal === 'SIGSTOP') {
    // It goes on again, and who was given up meanwhile is named.
    assert.match(stderr, /[ab] (has been silent|sent no|does not answer|did not register)/);
  } else if (victim === 'coordinator') {
    assert.equal(code, null, stderr);
  } else {
    // 3: in the middle, 1: before the first step.
    assert.ok(code === 3 || code === 1, `${code}: ${stderr}`);
    assert.match(stderr, new RegExp(`${name} was killed by ${signal}`));
  }
}

const skip = process.platform === 'linux' ? false : 'processes are found in /proc';
for (const victim of ['agent', 'coordinator'] as const)
  for (const signal of signals)
    test(`${signal} to the ${victim}, ${kills} times (seed ${seed})`, { skip }, async () => {
      for (let kill = 0; kill < kills; kill += 1) {
        const coordinator = ramp();
        const end = ended(coordinator);
        const name = names[Math.floor(random() * names.length)]!;
        const agent = await agentOf(coordinator, name);
        await sleep(500 + random() * 2500);
        const started = descendants(coordinator.pid!);
        const pid = victim === 'agent' ? agent.pid : coordinator.pid!;
        let struck = false; // Or it was done before.
        try {
          struck = process.kill(pid, signal);
          if (signal === 'SIGSTOP') {
            await sleep(stopMs());
            process.kill(pid, 'SIGCONT');
          }
        } catch {
          // It is gone.
        }
        const how = await end;
        assert.deepEqual(await left(started), [], `${how.code}: ${how.stderr}`);
        check(victim, signal, name, how);
        if (struck) tried(`${signal} to the ${victim}`);
      }
    });
