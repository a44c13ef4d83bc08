/**
 * A flame trial as a folder: flame.json and the folded stacks hold what was recorded; graphs, speedscope files and the
 * page are derived from these and can be made again.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type FlameProfile, type FlameRecord, flameRecord, type ProfiledCost } from '../contract/flame.js';
import type { HostFacts } from '../contract/host.js';
import { validated } from '../contract/validated.js';
import { makeFolder, replaceFile } from '../files.js';
import { fileStems, flameFigures, flameHead, type NamedFigure } from './figures.js';
import { foldedDifference } from './graph.js';
import { flamePage } from './html.js';
import { profilerOverhead } from './overhead.js';
import type { Profile } from './profile.js';
import { rankFamilies, rankLeaves } from './rank.js';
import { standaloneSvg } from './render.js';
import { speedscope } from './speedscope.js';
import { formatFolded, parseFolded, type Stack } from './stacks.js';

/** What was profiled, and how. */
export interface NamedProfile {
  role: FlameProfile['role'];
  title: string;
  idleConnections: number;
  activeConnections: number;
  profile: Profile;
  cost?: ProfiledCost;
}

/** Leaves kept in flame.json; all of them are in the folded file. */
const keptLeaves = 50;
const differenceFiles = {
  svg: 'difference.svg',
  mirror: 'difference-mirror.svg',
  folded: 'difference.folded',
};
const svgView = { root: 0, width: 1400, rootOnTop: false, matches: null };

/** Writes everything into `folder`. The first profile is the one asked for, the second the base of comparison. */
export function writeFlame(
  folder: string,
  host: HostFacts,
  startedAt: string,
  named: NamedProfile[],
): FlameRecord {
  makeFolder(folder);
  const profiles = named.map(recordOf);
  const [shown, base] = profiles;
  const record: FlameRecord = {
    schemaVersion: 1,
    startedAt,
    host,
    profiles,
    difference: shown && base ? { first: base.title, second: shown.title, files: differenceFiles } : null,
    page: 'flame.html',
  };
  named.forEach(({ profile }, index) => {
    replaceFile(join(folder, profiles[index]!.files.folded), formatFolded(profile.stacks));
  });
  replaceFile(join(folder, 'flame.json'), `${JSON.stringify(record, null, 1)}\n`);
  writeDerived(folder);
  return record;
}

export interface RecordedFlame {
  record: FlameRecord;
  /** of the record's profiles, in their order */
  stacks: Stack[][];
  figures: NamedFigure[];
}

/** @throws Error when flame.json is missing or not one of ours */
export function readFlame(folder: string): RecordedFlame {
  const path = join(folder, 'flame.json');
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new Error(`${path} cannot be read as JSON: restore it, or remove its folder`);
  }
  const record = validated(flameRecord, raw, path);
  const stacks = record.profiles.map(({ files }) =>
    parseFolded(readFileSync(join(folder, files.folded), 'utf8')),
  );
  return { record, stacks, figures: flameFigures(record, stacks) };
}

/** Makes every file again that follows from flame.json and the folded stacks. */
export function writeDerived(folder: string): void {
  const { record, stacks, figures } = readFlame(folder);
  const write = (name: string, content: string) => replaceFile(join(folder, name), content);
  for (const { stem, graph, caption } of figures)
    write(`${stem}.svg`, standaloneSvg(graph, svgView, caption));
  record.profiles.forEach(({ title, unit, files }, index) => {
    write(
      files.speedscope,
      JSON.stringify(speedscope(title, [{ name: title, unit, stacks: stacks[index]! }])),
    );
  });
  if (record.difference) write(record.difference.files.folded, foldedDifference(stacks[1]!, stacks[0]!));
  write(record.page, flamePage({ ...flameHead(record), figures }));
}

function recordOf(named: NamedProfile): FlameProfile {
  const { role, title, profile, idleConnections, activeConnections } = named;
  const { profiler, events, frequencyHz, samples, unit, scope, notes, pairs, stacks } = profile;
  const profiled = pairs.map((pair) => pair.profiled);
  const unprofiled = pairs.map((pair) => pair.unprofiled);
  const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
  const costs = unprofiled
    .filter(({ requests }) => requests > 0)
    .map(({ cpuUs, requests }) => cpuUs / requests);
  const stem = fileStems[role];
  return {
    role,
    title,
    server: profile.hello,
    ...(named.cost && { cost: named.cost }),
    command: profile.command,
    idleConnections,
    activeConnections,
    profiler,
    events,
    frequencyHz,
    profiledMs: sum(profiled.map(({ durationNs }) => durationNs / 1e6)),
    samples,
    unit,
    scope,
    notes,
    requests: {
      profiled: sum(profiled.map(({ requests }) => requests)),
      unprofiled: sum(unprofiled.map(({ requests }) => requests)),
    },
    cpuPerRequestUs: costs.length > 0 ? { low: Math.min(...costs), high: Math.max(...costs) } : null,
    overhead: profilerOverhead(pairs),
    families: rankFamilies(stacks),
    leaves: rankLeaves(stacks).slice(0, keptLeaves),
    files: {
      folded: `${stem}.folded`,
      speedscope: `${stem}.speedscope.json`,
      svg: `${stem}.svg`,
      perfMap: profile.perfMap && basename(profile.perfMap),
    },
  };
}
