/** Pages that are connected by WebTransport: a real browser, the program in Go that carries it, and what becomes of both. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, describe, it, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Broker } from '../../src/offload/broker.js';
import { missingBrowser, usualBrowser } from '../../src/offload/browser.js';
import { stepsOf } from '../../src/offload/client.js';
import { transportPath } from '../../src/offload/session.js';
import { modules } from '../gateways/hand-made-modules.js';
import {
  base64,
  brokerFor,
  Framed,
  folderFor,
  missingCarrier,
  optionsOf,
  providerFor,
  text,
} from './running.js';

const skip = missingBrowser(usualBrowser()) ?? missingCarrier() ?? false;

const told = async (port: number) => (await fetch(`http://127.0.0.1:${port}${transportPath}`)).json();

describe('a page by WebTransport', { skip }, () => {
  const cleanups: (() => unknown)[] = [];
  const t = { after: (clean: () => unknown) => cleanups.unshift(clean) };
  const said: string[] = [];
  const complaints: string[] = [];
  let here: Awaited<ReturnType<typeof brokerFor>>;
  let opened: (fragment: string) => Promise<Page>;

  before(async () => {
    here = await brokerFor(t, { transport: 'webtransport', say: (line) => void said.push(line) });
    const { chromium } = await import('playwright-core');
    const browser = await chromium.launch({
      executablePath: usualBrowser(),
      args: ['--no-sandbox', '--disable-gpu'],
    });
    t.after(() => browser.close());
    opened = async (fragment) => {
      const page = await browser.newPage();
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`http://127.0.0.1:${here.at.port}/#${fragment}&on`);
      return page;
    };
    const page = await opened(`token=${here.broker.tokens.provider}&workers=2&name=page`);
    await page.getByRole('status').getByText('On: connected as page, by WebTransport').waitFor();
  });
  after(async () => {
    for (const clean of cleanups) await clean();
  });

  const run = async (module: Buffer, stdin = '', limits = {}) =>
    here.client.run({ module: await here.client.upload(module), stdin: base64(stdin), limits });

  it('runs tasks, small and large, whose steps come to the whole', async () => {
    assert.deepEqual((await here.client.status()).transports, { webtransport: 1 });
    // Large both ways: as stdin to the page, of which the module reads the beginning, and as a file from it.
    const large = 'x'.repeat(700_000);
    const file = await here.client.upload(Buffer.from(large));
    const module = await here.client.upload(modules.prefixer);
    const asked = { module, files: { file }, outputs: ['file'] };
    const all = await Promise.all(
      ['a', large, 'b'].map((stdin) => here.client.run({ ...asked, stdin: base64(stdin) })),
    );
    for (const [at, answered] of all.entries()) {
      const { outcome, provider } = answered;
      assert.ok(outcome.state === 'done' && provider === 'page');
      assert.equal(text(outcome.stdout).slice(0, 10), ['wasm:a', 'wasm:xxxxx', 'wasm:b'][at]);
      assert.ok(text(outcome.files.file!) === large);
      const { total, ...steps } = stepsOf(answered)!;
      const sum = Object.values(steps).reduce((one, other) => one + other, 0);
      assert.ok(Math.abs(sum - total) < 0.05 * total, `${sum} of ${total}`);
    }
  });

  it('has processes beside it by WebSocket', async (own) => {
    await providerFor(own, here, { name: 'process' });
    assert.deepEqual((await here.client.status()).transports, { webtransport: 1, websocket: 1 });
  });

  it('finds its broker again when what carries it has ended, at the same port by another certificate', async () => {
    const before = await told(here.at.port);
    const waiting = run(modules.busy, 'x');
    process.kill(here.broker.carrier!, 'SIGTERM');
    assert.equal((await waiting).outcome.state, 'done');
    const now = await told(here.at.port);
    assert.equal(now.url, before.url);
    assert.notEqual(now.certificate, before.certificate);
    assert.match(said.join(), /started anew/);
  });

  it('is told why it is turned away, and gives back what it has when it is closed', async () => {
    const wrong = await opened('token=wrong');
    await wrong.getByRole('status').getByText('Its token is wrong').waitFor();
    const second = await opened(`token=${here.broker.tokens.provider}&workers=1&name=second`);
    await second.getByRole('status').getByText('by WebTransport').waitFor();
    const waiting = [1, 2, 3].map(() => run(modules.endless, '', { ms: 60_000 }));
    for (const one of waiting) one.catch(() => {});
    await second.locator('#running').getByText('1').waitFor();
    const { returned } = (await here.client.status()).counts;
    await second.close();
    while ((await here.client.status()).counts.returned === returned);
    assert.deepEqual((await here.client.status()).transports, { webtransport: 1 });
    assert.deepEqual(complaints, []);
  });
});

test('what carries WebTransport ends with a broker that is killed', { skip }, async (t) => {
  const args = ['bin/dispatchbench.js', 'broker', '--json', '--port', '0', '--folder', folderFor(t)];
  const broker = spawn(process.execPath, [...args, '--transport', 'webtransport'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: broker.stdout }), 'line');
  const [pid] = readFileSync(`/proc/${broker.pid}/task/${broker.pid}/children`, 'utf8').trim().split(' ');
  const command = () => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  assert.match(command(), /gateways\/webtransport/);
  broker.kill('SIGKILL');
  for (;;) {
    try {
      // One that has ended and that nobody has waited for has no command line.
      if (command() === '') break;
    } catch {
      break;
    }
    await new Promise((next) => setTimeout(next, 10));
  }
});

test('a broker for other machines has no WebTransport, and one without it says WebSocket', async (t) => {
  const options = optionsOf(folderFor(t), { host: '0.0.0.0', transport: 'webtransport' });
  await assert.rejects(Broker.open(options), /0\.0\.0\.0 is no loopback address/);
  const { at } = await brokerFor(t);
  assert.deepEqual(await told(at.port), { transport: 'websocket' });
});

test('frames on the port of a broker are a provider like others, and bad ones end it alone', async (t) => {
  const { broker, at, client } = await brokerFor(t);
  const framed = () => new Framed(at);
  const hello = { type: 'hello', token: broker.tokens.provider, name: 'framed', workers: 1, ahead: 0 };
  const stranger = framed();
  stranger.say({ ...hello, token: 'x' });
  assert.match((await stranger.hear('dismissed')).reason, /token is wrong/);
  await stranger.closed;
  const endless = framed();
  endless.socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  await endless.closed;
  // Nobody may send more than a hello before it.
  const talker = framed();
  talker.say({ ...hello, name: 'x'.repeat(100_000) });
  await talker.closed;
  const good = framed();
  good.say(hello);
  await good.hear('welcome');
  const module = await client.upload(modules.silent);
  const answered = client.run({ module });
  const { assignment } = await good.hear('run');
  const outcome = { state: 'done', exitCode: 0, stdout: '', stderr: '', files: {} };
  good.say({ type: 'result', assignment, module, outcome, spent: { inside: 1, instantiate: 0, run: 1 } });
  assert.equal((await answered).provider, 'framed');
  good.socket.destroy();
});
