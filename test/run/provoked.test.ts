/** What a machine does to a trial, done to one here: another program on its CPU, a quota, a loopback that is down. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Collections } from '../../servers/collections.js';
import type { HostState, MachineState } from '../../src/contract/host.js';
import { Child } from '../../src/hosts/child.js';
import { allowedCpus } from '../../src/hosts/linux-facts.js';
import { openLocal } from '../../src/hosts/local.js';
import { Observer, observerProgram } from '../../src/hosts/observer.js';
import { commandOf } from '../../src/hosts/program.js';
import { quotaHierarchies } from '../../src/hosts/throttling.js';
import { bestTimings, timingsIn } from '../../src/run/calibration.js';
import { doubts } from '../../src/run/doubts.js';
import { type Outcome, runTrial } from '../../src/run/trial.js';
import { places } from '../../src/stage/places.js';
import { noNamespaces } from '../support/namespaces.js';
import { syntheticSample } from '../support/samples.js';

const linux = process.platform === 'linux' ? false : 'what is provoked here is told of by Linux alone';
const onlyCpu = (allowedCpus()?.length ?? 1) < 2 && 'server and client share the only CPU';

/** A program that does nothing else on these CPUs. */
async function busyOn(t: TestContext, cpus: readonly number[]): Promise<void> {
  const script = `
    const { setAffinity } = await import(${JSON.stringify(import.meta.resolve('../../src/process.js'))});
    setAffinity(${JSON.stringify(cpus)});
    console.log('busy');
    for (;;);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

async function openTrial(beside: (cpus: ReturnType<typeof places>) => Promise<void>): Promise<Outcome> {
  const roles = await openLocal();
  try {
    const pinning = places(roles.server.look, roles.client.look);
    await beside(pinning);
    const subject = {
      kind: 'dispatch',
      protocol: 'tcp-echo',
      impl: 'native',
      backend: 'poll',
      io: null,
    } as const;
    const window = { name: 'open', connections: 4, rate: 200, warmupMs: 20, durationMs: 600, size: 64 };
    return await runTrial(
      { kind: 'load', subject, processes: 1, idle: 0, windows: [window] },
      { roles, pinning, earlier: [], signal: new AbortController().signal },
    );
  } finally {
    await roles.close();
  }
}

test('another program on the server’s CPU', { skip: linux || onlyCpu }, async (t) => {
  const { gates, error, status } = await openTrial(({ server }) => busyOn(t, server));
  assert.equal(error, null);
  assert.equal(status, 'invalid');
  const said = gates.filter(({ id }) => id === 'foreign-cpu').map(({ message }) => message);
  assert.ok(
    said.some((message) => /server's CPU worked \d+ % of its time for neither side/.test(message)),
    said.join(),
  );
});

/** A control group with a quota of a tenth of a CPU, or why there is none. */
function quotaGroup(): { group: string } | { missing: string } {
  const [groups, mounts] = ['/proc/self/cgroup', '/proc/self/mountinfo'].map((path) =>
    readFileSync(path, 'utf8'),
  ) as [string, string];
  let missing = 'no control group here';
  for (const { mount, group: own } of quotaHierarchies(groups, mounts)) {
    const group = join(mount, own, `quota-of-${process.pid}`);
    try {
      mkdirSync(group);
    } catch (error) {
      missing = (error as Error).message;
      continue;
    }
    for (const [file, quota] of [
      ['cpu.max', '10000 100000'],
      ['cpu.cfs_quota_us', '10000'],
    ] as const) {
      try {
        writeFileSync(join(group, file), quota);
        return { group };
      } catch (error) {
        missing = (error as Error).message;
      }
    }
    rmdirSync(group);
  }
  return { missing };
}

test('a CPU quota', { skip: linux }, async (t) => {
  const made = quotaGroup();
  if ('missing' in made) return t.skip(made.missing);
  const { command, args } = commandOf(observerProgram);
  const script = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
  const observer = new Observer(
    new Child('an observer', { command: 'sh', args: ['-c', script, made.group, command, ...args] }),
  );
  try {
    const before = machineIn(await observer.state());
    assert.ok(before.throttledPeriods !== null);
    // What it calibrates with is more than its share of a period.
    const after = machineIn(await observer.state());
    assert.ok(after.throttledPeriods! > before.throttledPeriods, `${after.throttledPeriods}`);
    const sample = { ...syntheticSample({ cell: {}, cpuUs: 10 }), machine: { before, after } };
    const gate = doubts(sample, bestTimings(timingsIn(sample))).find(({ id }) => id === 'cpu-quota');
    assert.ok(gate?.invalidates, JSON.stringify(gate));
  } finally {
    await observer.end();
    rmdirSync(made.group);
  }
});

test('garbage collections of this process, without its event loop', () => {
  const collections = new Collections();
  const before = collections.read();
  let kept: unknown[] = [];
  let now = before;
  // A young generation is tens of megabytes at most: so much of it is collected for certain.
  for (let round = 0; round < 400 && now.count === before.count; round++) {
    kept = Array.from({ length: 50_000 }, (_, index) => ({ index }));
    now = collections.read();
  }
  assert.ok(kept.length > 0 && now.count > before.count && now.pauseUs > before.pauseUs, JSON.stringify(now));
});

test('a network namespace whose loopback is down has no ping-pong', { skip: noNamespaces }, async () => {
  const { command, args } = commandOf(observerProgram);
  const observer = new Observer(
    new Child('an observer', { command: 'unshare', args: ['--net', command, ...args] }),
  );
  try {
    const { calibration } = await observer.state();
    assert.equal(calibration.pingPong, null);
    assert.ok(calibration.spinNs > 0);
  } finally {
    await observer.end();
  }
});

test('a state has all pieces, and the clocks of one instant', { skip: linux }, async () => {
  const roles = await openLocal();
  try {
    const { calibration, clock } = await roles.server.state();
    assert.ok(calibration.spinNs > 0 && calibration.memoryWalkNs! > 0);
    assert.ok(calibration.pingPong!.roundTripNs > 0 && calibration.pingPong!.cpuNs > 0);
    assert.equal(calibration.pairedSpin === null, Boolean(onlyCpu));
    assert.ok(Math.abs(clock.realtimeNs / 1e6 - Date.now()) < 60_000);
  } finally {
    await roles.close();
  }
});

function machineIn({ event: _, load: __, ...machine }: HostState): MachineState {
  return machine;
}
