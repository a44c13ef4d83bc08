/** Several hosts in one run: interleaved; one that cannot be had or is lost costs its own trials and nobody else's. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import type { RunEvent } from '../../src/contract/run.js';
import { arranged } from '../../src/hosts/arranged.js';
import type { Roles } from '../../src/hosts/host.js';
import { Opened } from '../../src/hosts/opened.js';
import { hostKinds } from '../../src/hosts/registry.js';
import { RunHosts } from '../../src/run/hosts.js';
import { readHostsFile } from '../../src/run/hosts-file.js';
import { places } from '../../src/stage/places.js';
import { fakeHost, fakeRun, freshFolder, tinyPlan } from './fake-run.js';

const plain = { resources: {}, pin: {}, role: 'server' as const };

async function called(name: string): Promise<Roles> {
  return arranged(await fakeHost(), { name, ...plain });
}

/** A host whose observer stops answering once it was asked so often. */
function mortal(roles: Roles, answers: number): Roles {
  let asked = 0;
  const server = {
    ...roles.server,
    state() {
      asked += 1;
      return asked > answers ? Promise.reject(new Error('the guest was killed')) : roles.server.state();
    },
  };
  return { ...roles, server, client: server };
}

async function run(hosts: readonly Roles[], changes = {}) {
  const plan = tinyPlan({ hosts: hosts.map(({ name }) => name), ...changes }, { idle: [0] });
  const absent = [{ host: 'box', reason: 'there is no such box' }];
  const outcome = await fakeRun({ plan, hosts, absent });
  return { ...outcome, samples: outcome.folder.samples() };
}

test('every block holds every cell of every host, in one shuffled order', async () => {
  const { samples, trials, folder } = await run([await called('one'), await called('two')]);
  // A busy machine makes some of them invalid.
  assert.equal(trials.ok + trials.invalid, 8);
  const orders = [0, 1].map((block) => {
    const names = samples.filter((one) => one.block === block).map(({ host }) => host.name);
    assert.deepEqual([...names].sort(), ['one', 'one', 'two', 'two']);
    return names.join();
  });
  assert.ok(
    orders.some((names) => !['one,one,two,two', 'two,two,one,one'].includes(names)),
    `hosts are not measured one after the other: ${orders.join(' and ')}`,
  );
  assert.deepEqual(folder.info().absent, [{ host: 'box', reason: 'there is no such box' }]);
});

test('a host that is lost fails its trials with the reason, and the others are measured to the end', async () => {
  // Asked once as the run begins, and twice for each trial.
  const { samples, reason, events } = await run([mortal(await called('weak'), 3), await called('strong')]);
  assert.equal(reason, 'blocks');
  const of = (name: string) => samples.filter(({ host }) => host.name === name);
  assert.equal(of('strong').length, 4);
  assert.ok(of('strong').every(({ status }) => status !== 'failed'));
  const [measured, ...failed] = of('weak');
  assert.notEqual(measured!.status, 'failed');
  assert.equal(failed.length, 3);
  for (const { status, error, measurements } of failed) {
    assert.equal(status, 'failed');
    assert.equal(error, 'the host was lost: the guest was killed');
    assert.deepEqual(measurements, {});
  }
  const said = events.filter(({ event }) => event === 'notice');
  assert.equal(said.length, 1, 'said once');
});

test('a run whose last host was lost ends and says why', async () => {
  const { reason, message, trials } = await run([mortal(await called('weak'), 1)], {
    blocks: { min: 5, max: 5 },
  });
  assert.equal(reason, 'hosts');
  assert.match(message, /no host is left: the guest was killed/);
  assert.equal(trials.ok + trials.invalid + trials.failed, 2, 'nothing more is tried');
});

test('two hosts of one name are refused', async () => {
  await assert.rejects(run([await called('same'), await called('same')]), /two hosts .* are called 'same'/);
});

const never = new AbortController().signal;

test('what cannot be opened is noted, the others are closed whatever closing comes to', async () => {
  const closed: string[] = [];
  const opener = async (one: unknown) => {
    if (one === 'bad') throw new Error('not available here: no such thing');
    const roles = await called(String(one));
    return {
      ...roles,
      async close() {
        await roles.close();
        closed.push(roles.name);
        if (one === 'a') throw new Error('a does not close');
      },
    };
  };
  const hosts = new RunHosts();
  const states: string[] = [];
  const on = (event: RunEvent) => event.event === 'host' && states.push(`${event.host} ${event.state}`);
  await hosts.open(['a', 'bad', 'b'], opener, on, never);
  assert.deepEqual(hosts.absent, [{ host: 'bad', reason: 'no such thing' }]);
  assert.deepEqual(states, ['a opening', 'a up', 'bad opening', 'bad absent', 'b opening', 'b up']);
  await assert.rejects(hosts.close(), /a does not close/);
  assert.deepEqual(closed.sort(), ['a', 'b']);
  await assert.rejects(new RunHosts().open(['bad'], opener, on, never), /not available here: no such thing/);
  await assert.rejects(
    new RunHosts().open(['bad', 'bad'], opener, on, never),
    /^Error: none of the hosts is available here: bad: no such thing; bad: no such thing$/,
  );
});

test('of what a host is made all is ended, also behind an end that fails', async () => {
  const ended: number[] = [];
  const opened = new Opened();
  for (const part of [1, 2, 3])
    opened.atEnd(async () => {
      ended.push(part);
      if (part === 2) throw new Error('2 does not end');
    });
  await assert.rejects(opened.close(), /2 does not end/);
  assert.deepEqual(ended, [3, 2, 1]);
});

test('a declared host has its name, its CPUs and its client inside', async () => {
  const cpus = [0, 1, 2, 3].map((cpu) => ({ cpu, siblings: [cpu] }));
  const roles = await fakeHost({ look: { cpus } });
  try {
    const two = arranged(roles, { name: 'small', ...plain, resources: { cpus: 2 } });
    assert.deepEqual([two.name, two.server.facts.name, two.client.facts.name], ['small', 'small', 'small']);
    assert.deepEqual(places(two.server.look, two.client.look, two.pin), {
      server: [3],
      client: [2],
      shared: false,
      siblings: false,
    });
    const pinned = arranged(roles, { name: 'pinned', ...plain, pin: { server: [1], client: [1] } });
    assert.deepEqual(places(pinned.server.look, pinned.client.look, pinned.pin), {
      server: [1],
      client: [1],
      shared: true,
      siblings: false,
    });
    const outside = { ...roles, client: { ...roles.server, name: 'outside' } };
    const inside = arranged(outside, { name: 'inside', ...plain, role: 'both' });
    assert.equal(inside.client, inside.server);
    assert.equal(inside.server.facts.transport, 'loopback');
    const link = {
      cpus: [],
      cpuUs: () => null,
      ended: () => null,
      report: () => Promise.reject(new Error('nothing passes')),
      change: () => Promise.reject(new Error('nothing changes')),
    };
    assert.equal(arranged({ ...outside, link }, { name: 'linked', ...plain }).link, link);
    assert.equal(arranged({ ...outside, link }, { name: 'in', ...plain, role: 'both' }).link, undefined);
    assert.throws(
      () => arranged(roles, { name: 'x', ...plain, resources: { cpus: 5 } }),
      /host x was to get 5 CPUs and has 4/,
    );
    assert.throws(
      () => arranged(roles, { name: 'x', ...plain, pin: { server: [7] } }),
      /host x was to pin its server to CPU 7 and has 0, 1, 2, 3/,
    );
  } finally {
    await roles.close();
  }
});

test('hosts.yaml is read, and what is wrong with one is said in one sentence', () => {
  const path = join(freshFolder(), 'hosts.yaml');
  writeFileSync(path, 'hosts:\n  - { name: here, kind: local }\n  - { name: in, kind: netns, role: both }\n');
  assert.deepEqual(readHostsFile(path), [
    { name: 'here', kind: 'local', resources: {}, pin: {}, role: 'server' },
    { name: 'in', kind: 'netns', resources: {}, pin: {}, role: 'both' },
  ]);
  const example = readHostsFile(join(packageRoot, 'docs/examples/hosts.yaml'));
  for (const { kind } of example)
    assert.ok(
      hostKinds.some(({ id }) => id === kind.split(':', 1)[0]),
      kind,
    );
  const wrong = (text: string, says: RegExp) => {
    writeFileSync(path, text);
    assert.throws(() => readHostsFile(path), says);
  };
  wrong('hosts:\n  - { name: a, kind: local }\n  - { name: a, kind: netns }\n', /two have one name/);
  wrong('hosts:\n  - { name: ../x, kind: local }\n', /hosts\.0\.name: must be a name/);
  wrong('hosts:\n  - { name: a, kind: local, cpu: 1 }\n', /Unrecognized key/);
  wrong('hosts: [', /cannot be read/);
});
