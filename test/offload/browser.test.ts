/** A real browser as provider: the page as somebody uses it, and what becomes of tasks when it is closed or killed. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Browser as Headless, usualBrowser } from '../../src/offload/browser.js';
import { modules } from '../gateways/hand-made-modules.js';
import { killAtRandom } from './kills.js';
import { base64, brokerFor, text } from './running.js';

const executable = usualBrowser();
const skip = existsSync(executable)
  ? false
  : `no browser at ${executable}: install chromium to test the page of providers in it`;
const pictures = join('results', 'test-pictures');

interface InPage {
  axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
}

describe('the page of providers', { skip }, () => {
  const cleanups: (() => unknown)[] = [];
  const t = { after: (clean: () => unknown) => cleanups.unshift(clean) };
  const complaints: string[] = [];
  let here: Awaited<ReturnType<typeof brokerFor>>;
  let browser: Browser;
  let page: Page;

  async function opened(fragment: string): Promise<Page> {
    const fresh = await browser.newPage();
    fresh.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    fresh.on('pageerror', (error) => complaints.push(error.message));
    await fresh.goto(`http://127.0.0.1:${here.at.port}/#${fragment}`);
    return fresh;
  }

  before(async () => {
    const { chromium } = await import('playwright-core');
    mkdirSync(pictures, { recursive: true });
    here = await brokerFor(t);
    browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-gpu'] });
    cleanups.unshift(() => browser.close());
    page = await opened(`token=${here.broker.tokens.provider}&workers=2&name=page`);
  });
  after(async () => {
    for (const clean of cleanups) await clean();
  });

  const run = async (module: Buffer, stdin = '', limits = {}) =>
    here.client.run({ module: await here.client.upload(module), stdin: base64(stdin), limits });

  it('is switched on from the keyboard, runs tasks in both workers, and says what it ran', async () => {
    await page.locator('#token').focus();
    for (const id of ['workers', 'toggle']) {
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate('document.activeElement.id'), id);
    }
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('On: connected as page').waitFor();
    const all = await Promise.all(['a', 'b', 'c'].map((one) => run(modules.busy, one)));
    assert.deepEqual(
      all.map(({ outcome }) => outcome.state === 'done' && text(outcome.stdout)),
      ['wasm:a', 'wasm:b', 'wasm:c'],
    );
    assert.deepEqual(new Set(all.map(({ provider }) => provider)), new Set(['page']));
    await page.locator('#done').getByText('3').waitFor();
    assert.equal(await page.locator('#tasks tr').count(), 3);
    assert.match((await page.locator('#tasks tr').first().textContent())!, /exit code 0/);
  });

  it('ends what takes too long or writes too much, and gives it no more memory than it may have', async () => {
    const reason = async (...of: Parameters<typeof run>) => {
      const { outcome } = await run(...of);
      return outcome.state === 'failed' ? outcome.reason : `exit code ${outcome.exitCode}`;
    };
    assert.match(await reason(modules.endless, '', { ms: 100 }), /longer than the 100 ms/);
    assert.match(await reason(modules.flood), /more than the 1048576 bytes/);
    assert.equal(await reason(modules.greedy, '', { memoryMiB: 1 }), 'exit code 7');
    assert.match(await reason(modules.trap), /it was ended: unreachable/);
  });

  it('can be used by everybody, and fetches nothing from elsewhere', async () => {
    // The page lets no script in but its own, so that this one is put there by the debugger.
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
    const { violations } = await page.evaluate(() => (globalThis as unknown as InPage).axe.run());
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
      [],
    );
    await page.screenshot({ path: join(pictures, 'offload-page.png'), fullPage: true });
  });

  it('gives back what it has when it is switched off or closed', async () => {
    const waiting = run(modules.endless, '', { ms: 60_000 });
    await page.locator('#running').getByText('1').waitFor();
    const other = run(modules.busy, 'x');
    assert.equal((await other).provider, 'page');
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByRole('status').getByText('Off').waitFor();
    const second = await opened(`token=${here.broker.tokens.provider}&workers=1&name=second&on`);
    await second.locator('#running').getByText('1').waitFor();
    await second.close();
    for (;;) {
      const { queued, providers } = await here.client.status();
      if (queued === 1 && providers.length === 0) break;
    }
    const third = await opened(`token=${here.broker.tokens.provider}&workers=1&name=third&on`);
    await third.locator('#running').getByText('1').waitFor();
    await third.close();
    assert.equal(here.broker.openTasks, 1);
    waiting.catch(() => {});
  });

  it('says why the broker does not want it', async () => {
    const wrong = await opened('token=wrong&on');
    await wrong.getByRole('status').getByText('Its token is wrong').waitFor();
    await wrong.close();
    assert.deepEqual(complaints, []);
  });
});

test('a browser without a window has as many pages as it is told, each a provider', { skip }, async (t) => {
  const { broker, at, client } = await brokerFor(t);
  const about = { token: broker.tokens.provider, workers: 1, ahead: 1 };
  const pages = ['one', 'two', 'three'].map((name) => ({ ...about, name }));
  const started = new Headless(executable, at, pages, (code) => assert.fail(`it ended with ${code}`));
  t.after(() => started.end());
  const names = async () => (await client.status()).providers.map(({ name }) => name).sort();
  while ((await names()).length < 3) await new Promise((next) => setTimeout(next, 20));
  assert.deepEqual(await names(), ['one', 'three', 'two']);
});

test('tasks outlive killed brokers, processes, workers and pages, and have one answer each', {
  skip,
}, async () => {
  const { kills, tasks } = await killAtRandom(20, 1);
  assert.equal(
    Object.values(kills).reduce((a, b) => a + b, 0),
    20,
  );
  assert.ok(tasks > 20);
});
