/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { packageRoot } from '../../src/addon.js';
import { differentialGraph, flameGraph } from '../../src/flame/graph.js';
import { flamePage } from '../../src/flame/html.js';
import { parsePerfScript } from '../../src/flame/perf-script.js';
import { rankFamilies, rankLeaves } from '../../src/flame/rank.js';
import { parseFolded } from '../../src/flame/stacks.js';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const skip = executablePath ? false : 'no chromium installed';
if (skip) console.log(`viewer tests skipped: ${skip}`);

const fixture = (name: string) => readFileSync(join(packageRoot, 'test/flame/fixtures', name), 'utf8');
const { stacks } = parsePerfScript(fixture('libuv-echo.perf.txt'), '/srv/echo');
const html = flamePage({
  title: 'Flamegraph of a test',
  facts: [['event', 'cpu-clock']],
  notes: ['A note with <angle brackets>.'],
  figures: [
    {
      graph: flameGraph('whole', 'samples', [
        ...stacks,
        ...parseFolded('node;</script><script>alert(1)</script>_[l] 2'),
      ]),
      caption: 'caption',
      tables: [
        { title: 'Families', ranks: rankFamilies(stacks) },
        { title: 'Leaves', ranks: rankLeaves(stacks) },
      ],
    },
    {
      graph: differentialGraph('difference', 'samples', stacks.slice(1), stacks),
      caption: 'difference',
      tables: [],
    },
  ],
});

describe('interactive flame graph', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'flame-viewer-'));
  const file = join(folder, 'flame.html');
  const screenshots = join(packageRoot, 'results/screenshots');
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    writeFileSync(file, html);
    mkdirSync(screenshots, { recursive: true });
    // Chromium's own sandbox does not start as root.
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    });
    page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!/^(file|data|blob):/.test(request.url())) complaints.push(`network: ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('.flame-frame');
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  const figure = () => page.locator('figure.flame').first();
  const frames = () => figure().locator('.flame-frame');
  const status = () => figure().locator('.flame-status').textContent();
  const frame = (name: string) =>
    frames()
      .filter({ has: page.locator('title', { hasText: name }) })
      .first();
  const widthOf = async (name: string) => Number(await frame(name).locator('rect').getAttribute('width'));
  const press = async (...keys: string[]) => {
    for (const key of keys) await figure().locator('svg.flame-graph').press(key);
  };

  test('draws the frames over the full width', async () => {
    assert.ok((await frames().count()) > 50);
    const width = await figure()
      .locator('svg.flame-graph')
      .evaluate((svg) => svg.clientWidth);
    assert.ok(Math.abs((await widthOf('all (thread)')) - width) < 2);
    await page.screenshot({ path: join(screenshots, 'flame.png'), fullPage: true });
  });

  test('search marks frames and says their share, a table row searches too', async () => {
    const search = figure().locator('input[type=search]');
    await search.fill('onData');
    const marked = await figure().locator('.flame-match title').allTextContents();
    assert.ok(marked.length > 0 && marked.every((title) => title.startsWith('onData')));
    assert.match((await figure().locator('output').textContent())!, /^\d+ frames, 30\.0 % of all$/);
    await page.screenshot({ path: join(screenshots, 'flame-search.png') });
    await search.fill('/^tcp_.*msg$/');
    const byExpression = await figure().locator('.flame-match title').allTextContents();
    assert.ok(byExpression.some((title) => title.startsWith('tcp_sendmsg ')));
    await search.fill('/(/');
    assert.equal(await figure().locator('output').textContent(), 'not a regular expression');
    await figure().locator('[data-find=_int_malloc]').click();
    assert.equal(await figure().locator('.flame-match').count(), 1);
    await search.press('Escape');
    assert.equal(await figure().locator('.flame-match, .flame-dim').count(), 0);
  });

  test('a click zooms, reset shows the whole again', async () => {
    const narrow = await widthOf('tcp_sendmsg ');
    const count = await frames().count();
    await frame('tcp_sendmsg ').click();
    assert.ok((await widthOf('tcp_sendmsg ')) > 5 * narrow);
    assert.ok((await frames().count()) < count);
    await figure().getByRole('button', { name: 'Reset zoom' }).click();
    assert.equal(await widthOf('tcp_sendmsg '), narrow);
    assert.equal(await frames().count(), count);
  });

  test('the keyboard moves, zooms and goes back', async () => {
    await figure().locator('svg.flame-graph').focus();
    await press('Escape', 'Home', 'ArrowUp', 'ArrowUp');
    const child = (await status())!;
    assert.match(child, /^\[callers lost\]/);
    await press('ArrowRight');
    assert.notEqual(await status(), child);
    await press('ArrowLeft');
    assert.equal(await status(), child);
    await press('Enter');
    assert.equal(await figure().getByRole('button', { name: 'Reset zoom' }).isEnabled(), true);
    await press('Backspace');
    assert.match((await status())!, /^node \(thread\)/);
    await press('Escape');
    assert.equal(await figure().getByRole('button', { name: 'Reset zoom' }).isEnabled(), false);
    await press('/');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'search');
  });

  test('flip puts the root on top', async () => {
    const y = async () => Number(await frame('all (thread)').locator('rect').getAttribute('y'));
    assert.ok((await y()) > 100);
    await figure().getByRole('button', { name: 'Flip' }).click();
    assert.equal(await y(), 0);
  });

  test('the differential graph paints when it is opened and names the change', async () => {
    const second = page.locator('figure.flame').nth(1);
    assert.equal(await second.locator('.flame-frame').count(), 0);
    await page.locator('summary', { hasText: 'difference' }).click();
    await second.locator('.flame-frame').first().waitFor();
    assert.match((await second.locator('title').first().textContent())!, /points/);
    await page.screenshot({ path: join(screenshots, 'flame-difference.png'), fullPage: true });
  });

  test('saves an SVG file of the view', async () => {
    const download = page.waitForEvent('download');
    await figure().getByRole('button', { name: 'Save SVG' }).click();
    const path = await (await download).path();
    assert.match(readFileSync(path, 'utf8'), /^<svg [\s\S]*<\/svg>\n$/);
  });

  test('is accessible by axe, light and dark', async () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const runner = (
          globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          }
        ).axe;
        return (await runner.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      });
      assert.deepEqual(violations, [], colorScheme);
    }
  });

  test('nothing was complained about and nothing asked from the network', () => {
    assert.deepEqual(complaints, []);
  });
});
