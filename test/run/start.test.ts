/** Time to a server's first reply, of ours and of others, on real hosts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Subject } from '../../src/contract/subject.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { openHost } from '../../src/hosts/registry.js';
import { onStage } from '../../src/stage/on-stage.js';
import { kindOf, type MeasurementOf, metric } from '../../src/trials/registry.js';
import { freePort } from '../support/free-port.js';
import { noNamespaces } from '../support/namespaces.js';

const backend = listBackends().find(({ available }) => available)!.name;
const ours = { kind: 'dispatch', backend, io: null } as const;
const notWrapped = process.platform !== 'linux' && 'foreign servers are wrapped on Linux only';
const script = fileURLToPath(new URL('../foreign/http-script.js', import.meta.url));
const subjects: Record<string, Subject> = {
  'native tcp-echo': { ...ours, impl: 'native', protocol: 'tcp-echo' },
  'ts http': { ...ours, impl: 'ts', io: 'batch', protocol: 'http' },
  'native udp-echo': { ...ours, impl: 'native', protocol: 'udp-echo' },
  'a script of node:http': {
    kind: 'foreign',
    name: 'script',
    command: [process.execPath, script, '{port}', '{address}'],
    protocol: 'http',
  },
};

async function started(host: string, subject: Subject): Promise<MeasurementOf<'start'>> {
  const roles = await openHost(host);
  try {
    const spec = { kind: 'start', subject, port: await freePort() } as const;
    let measured: MeasurementOf<'start'> | undefined;
    await onStage({ roles, signal: new AbortController().signal }, (stage) =>
      kindOf(spec).carryOut(spec, stage, (_, one) => {
        measured = one as MeasurementOf<'start'>;
      }),
    );
    return measured!;
  } finally {
    await roles.close();
  }
}

for (const [name, subject] of Object.entries(subjects))
  for (const host of ['local', 'netns'])
    test(`first reply of ${name} on ${host}`, {
      skip: (host === 'netns' && noNamespaces) || (subject.kind === 'foreign' && notWrapped),
    }, async () => {
      const one = await started(host, subject);
      assert.ok(one.attempts > 1, 'the client was there first');
      assert.ok(one.firstReplyNs > 0);
      assert.ok(one.clockBoundNs < one.firstReplyNs);
      assert.deepEqual(kindOf(one).gates('start', one, null), []);
      const value = metric('first-reply').of({
        measurements: { start: one },
        pinning: { server: [], client: [], shared: false, siblings: false },
        host: { cpuAccounting: null },
      });
      assert.equal(value, one.firstReplyNs / 1e6);
    });

test('doubts a start that was answered at once, or whose clocks are too far apart', () => {
  const after = {} as MeasurementOf<'start'>['after'];
  const one = {
    kind: 'start',
    firstReplyNs: 1e6,
    helloNs: 1e6,
    attempts: 9,
    clockBoundNs: 0,
    after,
  } as const;
  const ids = (of: Partial<MeasurementOf<'start'>>) =>
    kindOf(one)
      .gates('start', { ...one, ...of }, null)
      .map(({ id, invalidates }) => [id, invalidates]);
  assert.deepEqual(ids({}), []);
  assert.deepEqual(ids({ attempts: 1 }), [['answered-before-start', true]]);
  assert.deepEqual(ids({ clockBoundNs: 1e5 }), [['clocks-apart', true]]);
});
