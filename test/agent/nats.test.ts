import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { connectNats } from '../../src/carriers/nats.js';
import { openFleet } from '../../src/ramp/clients.js';
import { cleanups, line, natsServer, noBroker, run } from './broker.js';
import { assertOneLost, httpServer, sessions } from './fleet-steps.js';

/** Unique per run, so that tests side by side never share a namespace or a bridge. */
const tag = `db${process.pid % 100_000}`;

const ip = (...args: string[]): void =>
  void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

const noNamespaces = ((): string | null => {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    ip('netns', 'add', `${tag}probe`);
    ip('netns', 'del', `${tag}probe`);
    return null;
  } catch (error) {
    return `no network namespaces here (${(error as Error).message.split('\n')[0]})`;
  }
})();

const agentArgs = (name: string, url: string): string[] => [
  join(packageRoot, 'bin/dispatchbench.js'),
  'agent',
  ...['--name', name, '--nats', url, '--fleet', tag],
];

test('agents in namespaces of their own, through a real nats-server; one is killed in mid-run', async (t) => {
  if (noBroker ?? noNamespaces) return t.skip(noBroker ?? noNamespaces ?? undefined);
  const net = `10.${200 + (process.pid % 50)}.${process.pid % 250}`;
  const bridge = `${tag}br`;
  ip('link', 'add', bridge, 'type', 'bridge');
  cleanups.push(() => ip('link', 'del', bridge));
  ip('addr', 'add', `${net}.1/24`, 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  const names = ['a', 'b', 'c'];
  for (const [index, name] of names.entries()) {
    const space = `${tag}${name}`;
    ip('netns', 'add', space);
    cleanups.push(() => ip('netns', 'del', space));
    ip('link', 'add', `${tag}v${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    ip('link', 'set', `${tag}v${name}`, 'master', bridge, 'up');
    ip('-n', space, 'addr', 'add', `${net}.${10 + index}/24`, 'dev', 'eth0');
    ip('-n', space, 'link', 'set', 'eth0', 'up');
  }
  const { url } = await natsServer(`${net}.1`);
  const { port, close } = await httpServer(`${net}.1`);
  cleanups.push(close);
  const agents = names.map((name) =>
    run('ip', ['netns', 'exec', `${tag}${name}`, process.execPath, ...agentArgs(name, url)]),
  );
  await Promise.all(agents.map((agent) => line(agent, /waiting on/)));

  const fleet = await openFleet(
    names.map((name) => `nats:${name}`),
    { url, fleet: tag },
  );
  try {
    const whole = await fleet.run('session', sessions(`${net}.1`, port));
    assert.equal(whole.result!.connections, 90);
    assert.equal(whole.result!.replies, 180);
    assert.equal(whole.parts.length, 3);

    const step = fleet.run('session', sessions(`${net}.1`, port, { connections: 1800 }));
    setTimeout(() => agents[2]!.kill('SIGKILL'), 1200);
    assertOneLost(await step, 'c', 1800, /^client c: c has been silent/);
  } finally {
    await fleet.close();
  }
});

test('an agent serves one coordinator at a time, and the next one after it', async (t) => {
  if (noBroker) return t.skip(noBroker);
  const { url } = await natsServer('127.0.0.1');
  await line(run(process.execPath, agentArgs('solo', url)), /waiting on/);
  const first = await openFleet(['nats:solo'], { url, fleet: tag });
  await assert.rejects(
    openFleet(['nats:solo'], { url, fleet: tag }),
    /solo refused: it serves another coordinator/,
  );
  await first.close();
  // The farewell is on its way; a refusal only means that it has not arrived.
  for (let attempt = 0; ; attempt += 1) {
    try {
      await (await openFleet(['nats:solo'], { url, fleet: tag })).close();
      break;
    } catch (error) {
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});

test('the server’s password is asked for', async (t) => {
  if (noBroker) return t.skip(noBroker);
  const { url } = await natsServer('127.0.0.1');
  const wrong = url.replace(/:[^:@]*@/, ':wrong@');
  await assert.rejects(
    connectNats({ url: wrong, fleet: 'x' }),
    /cannot use the NATS server .*[Aa]uthorization/,
  );
});

for (const [url, message] of [
  ['http://x', /is no NATS address/],
  ['nats://192.0.2.1:4222', /anybody could command the agents/],
] as const)
  test(`refuses ${url}`, () => assert.rejects(connectNats({ url, fleet: 'x' }), message));
