import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { childLink, type Link } from '../../src/carriers/link.js';
import { type Command, report } from '../../src/contract/agent.js';
import type { SessionSpec } from '../../src/contract/ramp.js';
import { hello } from '../../src/contract/server.js';
import { Child } from '../../src/hosts/child.js';
import { commandOf } from '../../src/hosts/program.js';
import { serverProgram } from '../../src/programs/server.js';
import { agentCommand, openFleet } from '../../src/ramp/clients.js';
import { Fleet } from '../../src/ramp/fleet.js';
import type { AgentLink } from '../../src/ramp/member.js';
import { noNamespaces } from '../support/namespaces.js';
import { assertOneLost, httpServer, sessions } from './fleet-steps.js';

const { port, close } = await httpServer('127.0.0.1');
after(close);
const spec = (more: Partial<SessionSpec> = {}) => sessions('127.0.0.1', port, more);

const localAgent = (name: string): AgentLink & { child: ChildProcess } =>
  childLink<typeof report, Command>(name, report, agentCommand(`local:${name}`));

test('three agents share a load, start together and are merged', async () => {
  const fleet = await openFleet(['local:a', 'local:b', 'local:c'], null);
  try {
    assert.deepEqual(fleet.clients.map(({ name }) => name).sort(), ['a', 'b', 'c']);
    for (const { facts } of fleet.clients) assert.equal(facts.versions.node, process.versions.node);
    for (let step = 0; step < 2; step += 1) {
      const { result, parts, problems } = await fleet.run('session', spec());
      assert.equal(result!.connections, 90);
      assert.equal(result!.replies, 180);
      assert.equal(result!.detail!.response.count, 180);
      assert.deepEqual(
        parts.map(({ rate }) => Math.round(rate)),
        [100, 100, 100],
      );
      assert.deepEqual(
        problems.filter((problem) => !/saturated/.test(problem)),
        [],
      );
      for (const part of parts) {
        // Never early beyond what the clocks' own uncertainty allows; how late is the benchmark's business.
        assert.ok(part.startSkewNs! > -part.clockBoundNs - 1e5, `${part.name} ${part.startSkewNs}`);
      }
    }
  } finally {
    await fleet.close();
  }
});

test('an agent in a named network namespace', async (t) => {
  const name = `db${process.pid % 100_000}fleet`;
  const ip = (...args: string[]) => spawnSync('ip', args).status === 0;
  if (noNamespaces || !ip('netns', 'add', name)) return t.skip(noNamespaces || 'ip netns add is refused');
  t.after(() => ip('netns', 'del', name));
  ip('-n', name, 'link', 'set', 'lo', 'up');
  const server = commandOf(
    serverProgram({ protocol: 'http', impl: 'native', backend: 'poll', control: true }),
  );
  const inside = ['netns', 'exec', name, server.command, ...server.args];
  const child = new Child('the server', { command: 'ip', args: inside });
  t.after(() => child.end(2000));
  const { port } = hello.parse(await child.expect('hello', 20_000));
  const fleet = await openFleet([`netns:${name}`], null);
  try {
    const { result, parts } = await fleet.run('session', sessions('127.0.0.1', port));
    assert.deepEqual([result!.connections, result!.replies], [90, 180]);
    assert.deepEqual(
      parts.map((part) => part.name),
      [name],
    );
  } finally {
    await fleet.close();
  }
});

test('a client killed in mid-run is named, the others are measured, and the next step goes on without it', async () => {
  const links = ['a', 'b', 'c'].map(localAgent);
  const fleet = await Fleet.open(links);
  try {
    const step = fleet.run('session', spec({ connections: 600 }));
    setTimeout(() => links[1]!.child.kill('SIGKILL'), 900);
    assertOneLost(await step, 'b', 600, /^client b: b was killed by SIGKILL/);
    const next = await fleet.run('session', spec());
    assert.deepEqual(
      next.parts.map(({ name }) => name),
      ['a', 'c'],
    );
    assert.equal(next.result!.connections, 90);
  } finally {
    await fleet.close();
  }
});

test('a job that fails on a machine is that machine’s problem, told in its words', async () => {
  const fleet = await openFleet(['local:a', 'local:b'], null);
  try {
    const { result, problems } = await fleet.run('session', spec({ host: 'no-such-host.invalid' }));
    assert.equal(result, null);
    assert.equal(problems.length, 2);
    assert.match(problems[0]!, /^client a: .*'no-such-host.invalid' cannot be resolved/);
  } finally {
    await fleet.close();
  }
});

test('a client that falls silent is given up', async () => {
  // An agent that registers and answers the first pings, and then nothing more.
  let deliver: (frame: unknown) => void = () => {};
  let pongs = 0;
  const mute = {
    peer: 'mute',
    ended: new Promise(() => {}),
    close: () => {},
    onFrame(handler: (frame: unknown) => void) {
      deliver = handler;
      setImmediate(() =>
        handler({
          type: 'register',
          protocol: 1,
          name: 'mute',
          facts: {
            hostname: 'x',
            cores: 1,
            memoryBytes: 1,
            descriptorLimit: null,
            os: 'x',
            kernel: 'x',
            arch: 'x',
            versions: {},
          },
        }),
      );
    },
    send(frame: Command) {
      if (frame.type === 'ping' && pongs < 16) {
        pongs += 1;
        const now = Number(process.hrtime.bigint());
        setImmediate(() => deliver({ type: 'pong', id: frame.id, receivedNs: now, sentNs: now }));
      }
      if (frame.type === 'job') setImmediate(() => deliver({ type: 'ready', id: frame.id }));
    },
  } as Link<never, Command> as unknown as AgentLink;
  const fleet = await Fleet.open([mute]);
  const { result, problems } = await fleet.run('session', spec());
  assert.equal(result, null);
  assert.match(problems.join(), /client mute: mute has been silent for 4 s/);
  await assert.rejects(fleet.run('session', spec()), /no client is left: mute has been silent/);
  await fleet.close();
});

for (const [client, message] of [
  ['bench1.foo.com:4600', /names an autobenchd/],
  ['ssh:-oProxyCommand=x', /is no client/],
  ['a b', /is no client/],
  ['host;reboot', /is no client/],
  ['local:a b', /the name 'a b': must be letters/],
  ['nats:x', /need --nats/],
] as const)
  test(`the client '${client}' is refused`, () => assert.rejects(openFleet([client], null), message));

test('ssh gets an argument list in which the host can only be a host', () => {
  assert.deepEqual(agentCommand('me@load-1.example'), {
    command: 'ssh',
    args: ['-o', 'BatchMode=yes', '--', 'me@load-1.example', 'dispatchbench', 'agent'],
  });
});

test('a client that cannot be started is one sentence with its last words', async () => {
  const link = childLink<typeof report, Command>('x', report, {
    command: process.execPath,
    args: ['-e', 'console.error("ssh: no route"); process.exit(255)'],
  });
  await assert.rejects(Fleet.open([link]), /x ended with code 255: ssh: no route/);
});

test('two clients of one name are refused', async () => {
  await assert.rejects(openFleet(['local:a', 'local:a'], null), /two clients are both called 'a'/);
});
