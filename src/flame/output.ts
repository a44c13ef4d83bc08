/** A profile, or two, as files: folded stacks, speedscope, SVG, one interactive page, and flame.json about them all. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FlameProfile, FlameRecord } from '../contract/flame.js';
import type { HostFacts } from '../contract/sample.js';
import { differentialGraph, type FlameGraph, flameGraph, foldedDifference } from './graph.js';
import { type FlameFigure, flamePage } from './html.js';
import { describeOverhead, profilerOverhead } from './overhead.js';
import type { Profile } from './profile.js';
import { rankFamilies, rankLeaves } from './rank.js';
import { standaloneSvg } from './render.js';
import { speedscope } from './speedscope.js';
import { formatFolded } from './stacks.js';

/** A profile with the name that its files begin with. */
export interface NamedProfile {
  role: FlameProfile['role'];
  title: string;
  idleConnections: number;
  activeConnections: number;
  profile: Profile;
}

export const fileStems: Record<FlameProfile['role'], string> = { profile: 'flame', base: 'base' };

/** Leaves kept in flame.json; all of them are in the folded file. */
const keptLeaves = 50;
const svgView = { root: 0, width: 1400, rootOnTop: false, matches: null };

/** Writes everything into `folder`. The first profile is the one asked for, the second the base of comparison. */
export function writeFlame(
  folder: string,
  host: HostFacts,
  startedAt: string,
  named: NamedProfile[],
): FlameRecord {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: string | object) => {
    writeFileSync(
      join(folder, name),
      typeof content === 'string' ? content : `${JSON.stringify(content, null, 1)}\n`,
    );
    return name;
  };
  const figures: FlameFigure[] = [];
  const add = (graph: FlameGraph, stem: string, caption: string, tables: FlameFigure['tables'] = []) => {
    figures.push({ graph, caption, tables });
    return write(`${stem}.svg`, standaloneSvg(graph, svgView, caption));
  };
  const profiles = named.map((one): FlameProfile => {
    const { title, profile, role } = one;
    const stem = fileStems[role];
    const families = rankFamilies(profile.stacks);
    const leaves = rankLeaves(profile.stacks);
    const graph = flameGraph(title, profile.unit, profile.stacks);
    const files = {
      folded: write(`${stem}.folded`, formatFolded(profile.stacks)),
      speedscope: write(`${stem}.speedscope.json`, speedscope(title, [{ ...profile, name: title }])),
      svg: add(graph, stem, describeProfile(one), [
        { title: 'What the server was doing', ranks: families },
        { title: 'Widest leaves', ranks: leaves },
      ]),
      perfMap: profile.perfMap && basename(profile.perfMap),
    };
    return { ...recordOf(one), families, leaves: leaves.slice(0, keptLeaves), files };
  });
  const [shown, base] = named;
  const difference =
    shown && base ? writeDifference(base, shown, add, (text) => write('difference.folded', text)) : null;
  const record: FlameRecord = { schemaVersion: 1, startedAt, host, profiles, difference, page: 'flame.html' };
  write(record.page, flamePage({ ...pageHead(record), figures }));
  write('flame.json', record);
  return record;
}

function writeDifference(
  base: NamedProfile,
  shown: NamedProfile,
  add: (graph: FlameGraph, stem: string, caption: string) => string,
  writeFolded: (text: string) => string,
): NonNullable<FlameRecord['difference']> {
  const { unit, profiler } = shown.profile;
  if (profiler !== base.profile.profiler) {
    throw new Error('the two servers were profiled by different profilers, their graphs cannot be compared');
  }
  const pair = [base.profile.stacks, shown.profile.stacks] as const;
  const meaning =
    'Colour is the change of the share of CPU time in which the frame was the leaf; both profiles are scaled to the same total.';
  const svg = add(
    differentialGraph(`From ${base.title} to ${shown.title}`, unit, ...pair),
    'difference',
    `Widths: ${shown.title}. ${meaning}`,
  );
  const mirror = add(
    differentialGraph(`From ${base.title} to ${shown.title}, mirror`, unit, ...pair, 'first'),
    'difference-mirror',
    `Widths: ${base.title}, so that frames which vanished stay visible. ${meaning}`,
  );
  const folded = writeFolded(foldedDifference(...pair));
  return { first: base.title, second: shown.title, files: { svg, mirror, folded } };
}

function recordOf({ role, title, profile, idleConnections, activeConnections }: NamedProfile) {
  const served = (which: 'profiled' | 'unprofiled') => profile.pairs.map((pair) => pair[which]);
  const requests = (which: 'profiled' | 'unprofiled') =>
    served(which).reduce((sum, one) => sum + one.requests, 0);
  const { profiler, events, frequencyHz, samples, unit, scope, notes } = profile;
  return {
    role,
    title,
    server: profile.hello,
    command: profile.command,
    idleConnections,
    activeConnections,
    profiler,
    events,
    frequencyHz,
    profiledMs: served('profiled').reduce((sum, one) => sum + one.durationNs / 1e6, 0),
    samples,
    unit,
    scope,
    notes,
    requests: { profiled: requests('profiled'), unprofiled: requests('unprofiled') },
    overhead: profilerOverhead(profile.pairs),
  };
}

export function describeProfile({ profile }: NamedProfile): string {
  const { samples, events, frequencyHz, scope, pairs } = profile;
  return (
    `${samples} samples of ${events.join(', ')} at ${frequencyHz} Hz: ${scope}. ` +
    `Width is CPU time of the server process (${cpuPerRequest(profile)} a request without the profiler); time it slept ` +
    `is not shown. Profiler's overhead: ${describeOverhead(profilerOverhead(pairs))}.`
  );
}

function cpuPerRequest({ pairs }: Profile): string {
  const costs = pairs.map(({ unprofiled }) => unprofiled.cpuUs / unprofiled.requests).sort((a, b) => a - b);
  return `${costs[0]!.toFixed(1)} to ${costs.at(-1)!.toFixed(1)} µs`;
}

function pageHead({ host, profiles, startedAt }: FlameRecord) {
  const [first] = profiles;
  return {
    title: `Flamegraph: ${profiles.map(({ title }) => title).join(' against ')}`,
    facts: [
      ['host', `${host.name} (${host.executionClass}), ${host.cpuModel}, ${host.vcpus} CPUs, ${host.kernel}`],
      ['hypervisor', host.hypervisor ?? 'none'],
      [
        'versions',
        Object.entries(first!.server.versions)
          .map((entry) => entry.join(' '))
          .join(', '),
      ],
      ['profiled', profiles.map((one) => `${one.title}: ${(one.profiledMs / 1000).toFixed(1)} s`).join('; ')],
      ['taken', startedAt],
    ] as [string, string][],
    notes: [
      'A profiling trial: its throughput is not a result.',
      ...new Set(profiles.flatMap(({ notes }) => notes)),
    ],
  };
}
