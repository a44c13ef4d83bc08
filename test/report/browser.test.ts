import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { profilesFolder, writeReport } from '../../src/report/write.js';
import { writeProfile } from '../support/flame.js';
import { runFolder } from '../support/run-folder.js';
import { idleRun, syntheticSample, udpSample } from '../support/samples.js';

const executable = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(executable)
  ? false
  : `no browser at ${executable}: install chromium to test the report in it`;
/** Ignored by git; the pictures stay for a look after the test. */
const pictures = join('results', 'test-pictures');

/** The page's globals that the tests touch. */
interface InPage {
  axe: {
    run(
      root: unknown,
      options: object,
    ): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
  };
}

describe('report in a browser', { skip }, () => {
  const cleanups: (() => void)[] = [];
  let browser: Browser;
  let page: Page;
  let folder: string;
  const complaints: string[] = [];
  let requests = 0;

  before(async () => {
    const { chromium } = await import('playwright-core');
    mkdirSync(pictures, { recursive: true });
    const ports = ['select', 'epoll'].flatMap((backend) =>
      [10, 100, 100_000, null].flatMap((offered) =>
        [10, 1000, 5000].flatMap((count) =>
          [0, 1, 2].map((block) => {
            const medianLatency = 40_000 + (backend === 'select' ? 30 * count : 0) + 100 * block;
            return udpSample({
              backend,
              ports: count,
              offered,
              block,
              lost: offered === 100_000 && count === 5000 ? 7 : 0,
              cpuUs: 20 + block,
              medianLatency,
              seconds: [1, 1.2, 0.9, 1.1].map((factor) => factor * medianLatency),
            });
          }),
        ),
      ),
    );
    const invalid = syntheticSample({
      cell: { backend: 'epoll', impl: 'native', idle: 0 },
      cpuUs: 6,
      status: 'invalid',
    });
    folder = runFolder({ after: (clean) => cleanups.push(clean as () => void) }, [
      ...idleRun(),
      ...ports,
      invalid,
    ]);
    writeProfile(join(profilesFolder(folder), 'select-against-epoll'));
    const { report } = writeReport(folder);
    browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-gpu'] });
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) requests++;
    });
    await page.goto(pathToFileURL(report).href);
  });

  after(async () => {
    await browser?.close();
    for (const clean of cleanups) clean();
  });

  /** Scrolls to every figure, so that each is drawn. */
  async function drawAll() {
    for (const figure of await page.locator('figure[data-plot]').all()) {
      await figure.scrollIntoViewIfNeeded();
      await figure.locator('.live svg path').first().waitFor({ state: 'attached' });
    }
  }

  it('draws every plot and says nothing on the console', async () => {
    await drawAll();
    const figures = page.locator('figure[data-plot]');
    assert.ok((await figures.count()) >= 10);
    for (const figure of await figures.all()) {
      assert.equal(await figure.getAttribute('data-drawn'), 'true');
      const name = await figure.getAttribute('data-plot');
      await figure.locator('.plot').screenshot({ path: join(pictures, `${name}.png`) });
    }
    await page.screenshot({ path: join(pictures, 'report.png'), fullPage: true });
    assert.deepEqual(complaints, []);
    assert.equal(requests, 0, 'nothing is fetched');
  });

  it('draws the port sweep: a panel per number of ports, and the closed loop on top of the heat maps', async () => {
    const words = async (id: string) =>
      (await page.locator(`[data-plot="udp-ports-${id}"] .live svg text`).allTextContents()).map((text) =>
        text.replaceAll('\u202f', ' '),
      );
    for (const rate of [10, 100]) {
      const drawn = await words(`per-second-${rate}`);
      for (const panel of ['10 UDP ports', '1 000 UDP ports', '5 000 UDP ports'])
        assert.ok(drawn.includes(panel), panel);
    }
    for (const id of ['heat-latency-p99', 'heat-loss-rate']) {
      const drawn = await words(id);
      for (const name of ['closed', '100k', '100', '10', 'select · native', 'epoll · native'])
        assert.ok(drawn.includes(name), `${id}: ${name}`);
    }
    assert.ok((await words('heat-loss-rate')).includes('0.007'), 'the loss of 7 in 100 000');
  });

  it('writes plot files that a browser takes as pictures', async () => {
    const plots = join(folder, 'plots');
    const files = readdirSync(plots);
    assert.ok(files.length >= 10);
    for (const file of files) {
      const fault = await page.evaluate(
        (text) =>
          new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror')?.textContent,
        readFileSync(join(plots, file), 'utf8'),
      );
      assert.equal(fault, undefined, file);
    }
  });

  it('switches axes, trials and series by keyboard', async () => {
    const figure = page.locator('#figure-idle-connections-cpu-per-request');
    const drawing = () => figure.locator('.live svg').innerHTML();
    for (const selector of [
      '[data-switch="log-x"]',
      '[data-switch="log-y"]',
      '[data-switch="trials"]',
      '[data-series="select"]',
    ]) {
      const button = figure.locator(selector);
      const [before, pressed] = [await drawing(), await button.getAttribute('aria-pressed')];
      await button.focus();
      await page.keyboard.press('Enter');
      assert.notEqual(await button.getAttribute('aria-pressed'), pressed, selector);
      assert.notEqual(await drawing(), before, selector);
      await button.press('Space');
      assert.equal(await drawing(), before, `${selector} back again`);
    }
  });

  it('makes the table of a figure when it is opened', async () => {
    const details = page.locator('#figure-idle-connections-cpu-per-request details[data-table]');
    assert.equal(await details.locator('table').count(), 0);
    const summary = details.locator('summary');
    const rows = Number(/(\d+) rows/.exec((await summary.textContent())!)![1]);
    await summary.click();
    await details.locator('table').waitFor();
    assert.equal(await details.locator('tbody tr').count(), rows);
    await summary.click();
    await summary.click();
    assert.equal(await details.locator('table').count(), 1, 'once');
    await summary.click();
  });

  it('prints every plot whole on the width of a page', async () => {
    const paper = { width: 718, height: 1000 };
    const count = await page.locator('figure[data-plot]:not(details.more figure)').count();
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize(paper);
    const copies = page.locator('.still svg');
    assert.equal(await copies.count(), count);
    for (const copy of await copies.all()) {
      const { x, width, height } = (await copy.boundingBox())!;
      const [, , across, down] = (await copy.getAttribute('viewBox'))!.split(' ').map(Number);
      assert.ok(x >= 0 && x + width <= paper.width, `${x} to ${x + width}`);
      assert.ok(Math.abs(height / width - down! / across!) < 0.01, 'nothing is cut off below');
    }
    const wide = await page
      .locator('body *:not(svg *)')
      .evaluateAll(
        (all, right) => all.filter((one) => one.getBoundingClientRect().right > right),
        paper.width,
      );
    assert.deepEqual(wide, []);
    await page.emulateMedia({ media: null });
    await page.setViewportSize({ width: 1200, height: 900 });
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    await drawAll();
  });

  it('shows flame graphs that search, zoom and reset by keyboard, and their difference', async () => {
    const graphs = page.locator('figure.flame');
    assert.equal(await graphs.count(), 4);
    const [first, difference] = [graphs.nth(0), graphs.nth(2)];
    const frames = first.locator('.flame-frame');
    await frames.first().waitFor();
    const all = await frames.count();
    await first.locator('input[type=search]').fill('do_select');
    assert.equal(await first.locator('.flame-match').count(), 1);
    await first.locator('input[type=search]').press('Enter');
    await first.locator('svg.flame-graph').press('Enter');
    assert.ok((await frames.count()) < all, 'zoomed');
    await first.locator('svg.flame-graph').press('Escape');
    assert.equal(await frames.count(), all);
    await page.locator('.flame-trial summary', { hasText: 'From epoll' }).first().click();
    assert.match((await difference.locator('title').first().textContent())!, /points/);
    await first.locator('input[type=search]').fill('');
  });

  it('links each verdict to the figure that shows it', async () => {
    const targets = await page
      .locator('.evidence a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')!));
    assert.ok(targets.length > 0);
    for (const target of new Set(targets)) assert.equal(await page.locator(target).count(), 1, target);
  });

  for (const theme of ['light', 'dark'] as const) {
    it(`has no serious accessibility violation, ${theme}`, async () => {
      await page.emulateMedia({ colorScheme: theme });
      await drawAll();
      await page.evaluate(
        readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
      );
      const { violations } = await page.evaluate(() =>
        (globalThis as unknown as InPage).axe.run((globalThis as unknown as { document: unknown }).document, {
          resultTypes: ['violations'],
        }),
      );
      const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
      assert.deepEqual(
        serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`),
        [],
      );
      await page.screenshot({ path: join(pictures, `report-${theme}.png`), fullPage: true });
    });
  }

  it('fits a phone without sideways scrolling', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.waitForFunction('document.documentElement.scrollWidth <= 390');
    await drawAll();
    await page.screenshot({ path: join(pictures, 'report-phone.png'), fullPage: true });
    assert.deepEqual(complaints, []);
  });
});
