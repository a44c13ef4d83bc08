/** The only part of the report that touches files: reads a run's folder and writes everything derived from it. */
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Analysis, analyse } from '../analysis/analyse.js';
import { makeFolder, replaceFile } from '../files.js';
import { flameAssets, joinedModules } from '../flame/html.js';
import { readFlame, writeDerived } from '../flame/output.js';
import { readRun } from '../results/find.js';
import { answerPlot } from './answer.js';
import { autobenchTables } from './autobench.js';
import { compressed } from './compressed.js';
import { plotsOf } from './figures.js';
import { gatewayTables } from './gateway-tables.js';
import { page } from './page.js';
import type { RunProfile } from './profiles.js';
import { claimsJson, summaryCsv, summaryTsv } from './summary.js';
import { libraryPath, plotSvg } from './svg.js';

/** @throws Error in one sentence */
export function analyseRun(folder: string): Analysis {
  const { info, parsed } = readRun(folder);
  return analyse(info, parsed);
}

export const plotsFolder = (folder: string) => join(folder, 'plots');

/** Where flame trials that belong to a run lie, a folder each. */
export const profilesFolder = (folder: string) => join(folder, 'flame');

function readProfiles(folder: string): RunProfile[] {
  const parent = profilesFolder(folder);
  // Their files are made again in place: what is linked lies outside the run.
  if (!lstatSync(parent, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(parent, entry.name, 'flame.json')))
    .map(({ name }) => name)
    .sort()
    .map((name) => ({ name, ...readFlame(join(parent, name)) }));
}

function pageAssets() {
  // Compiled code lies in dist/; styles and scripts of the page stay in src/.
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const asset = (name: string) => {
    const beside = here(`assets/${name}`);
    return readFileSync(existsSync(beside) ? beside : here(`../../../src/report/assets/${name}`), 'utf8');
  };
  return {
    css: asset('report.css'),
    script: asset('report.js'),
    flame: flameAssets(),
    modules: joinedModules(import.meta.url, [
      '../number.js',
      'html.js',
      'format.js',
      'drawing.js',
      'servers-chart.js',
      'chart.js',
      'plot-pack.js',
      'plot-table.js',
    ]),
    echarts: compressed(readFileSync(libraryPath)),
  };
}

/** A folder of derived files, anew; none when there is nothing to derive. */
function putAll(folder: string, files: readonly (readonly [string, string])[]): void {
  rmSync(folder, { recursive: true, force: true });
  if (files.length === 0) return;
  makeFolder(folder);
  for (const [name, text] of files) {
    makeFolder(dirname(join(folder, name)));
    replaceFile(join(folder, name), text);
  }
}

export interface Written {
  analysis: Analysis;
  /** path of report.html */
  report: string;
}

/**
 * Rebuilds report.html, summary.csv, summary.tsv, claims.json, plots/, autobench/ and gateways/ from run.json and samples.ndjson,
 * and what follows from the flame trials of the run.
 */
export function writeReport(folder: string): Written {
  const analysis = analyseRun(folder);
  const plots = new Map(analysis.experiments.map((one) => [one.name, plotsOf(one)]));
  const pictures = new Map(
    analysis.experiments.flatMap((one) => {
      const picture = answerPlot(one);
      return picture ? [[one.name, picture] as const] : [];
    }),
  );
  const downloads = new Map([
    ['summary.csv', summaryCsv(analysis)],
    ['summary.tsv', summaryTsv(analysis)],
    ['claims.json', claimsJson(analysis)],
  ]);
  const svgs = [...pictures.values(), ...[...plots.values()].flat()].map(
    (plot) => [plot.id, plotSvg(plot)] as const,
  );
  const profiles = readProfiles(folder);
  const text = page({ analysis, pictures, plots, downloads, profiles, assets: pageAssets() });

  putAll(
    plotsFolder(folder),
    svgs.map(([id, svg]) => [`${id}.svg`, svg]),
  );
  putAll(join(folder, 'autobench'), [...autobenchTables(analysis.samples)]);
  putAll(join(folder, 'gateways'), [...gatewayTables(analysis.samples)]);
  for (const { name } of profiles) writeDerived(join(profilesFolder(folder), name));
  for (const [name, content] of downloads) replaceFile(join(folder, name), content);
  const report = join(folder, 'report.html');
  replaceFile(report, text);
  return { analysis, report: resolve(report) };
}
