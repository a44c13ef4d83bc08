/**
 * How long does a large report take? A run of 5000 samples, made from a few: building everything derived from it, in a fresh
 * process each time (bar: 3 s), and opening the page in chromium until its first plot stands (bar: 1.5 s). With `--full`
 * the largest run that the suite makes by itself, 12 160 samples in 1216 cells; its page must not be larger than 3 MB.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { meanInterval } from '../src/statistics/interval.js';
import { large, largest } from './large-run.js';
import { saveRecord, shown, verdict } from './lib.js';

const quick = process.argv.includes('--quick');
const repetitions = quick ? 1 : 7;
const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-report-'));
try {
  const full = process.argv.includes('--full');
  const { info, samples } = full ? largest(folder) : large(folder, quick ? 3 : 50);
  const run = join(folder, 'run');
  mkdirSync(run);
  writeFileSync(join(run, 'samples.ndjson'), samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
  writeFileSync(join(run, 'run.json'), JSON.stringify(info));

  const builds = Array.from({ length: repetitions }, () => {
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, ['bin/dispatchbench.js', 'report', run]);
    if (status !== 0) throw new Error(`report failed: ${stderr}`);
    return (performance.now() - started) / 1000;
  });
  const paints = await firstPlots(join(run, 'report.html'));
  const megabytes = statSync(join(run, 'report.html')).size / 1e6;
  console.log(`page         ${megabytes.toFixed(2)} MB  bar 3 MB`);
  report('build', builds, full ? null : 3);
  report('first plot', paints, 1.5);
  console.log(
    `record: ${saveRecord(full ? 'report-full' : 'report', { samples: samples.length, megabytes, builds, paints })}`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

function report(name: string, seconds: number[], bar: number | null): void {
  if (seconds.length === 0) return;
  const interval = meanInterval(seconds);
  const held = bar === null ? '' : `  bar ${bar} s  ${verdict(interval, bar, 'most')}`;
  console.log(`${name.padEnd(12)} ${shown(interval, 2)} s${held}`);
}

/** Seconds from asking for the page to its first drawn plot, each in a new tab. */
async function firstPlots(path: string): Promise<number[]> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    console.log(`first plot: not measured, no browser at ${executablePath}`);
    return [];
  }
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  const seconds: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 3000 } });
    const started = performance.now();
    await page.goto(pathToFileURL(path).href, { waitUntil: 'commit' });
    await page.locator('figure[data-drawn] .plot svg path').first().waitFor({ state: 'attached' });
    seconds.push((performance.now() - started) / 1000);
    await page.close();
  }
  await browser.close();
  return seconds;
}
