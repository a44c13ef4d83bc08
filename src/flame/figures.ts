/** The figures of a flame trial, from what it recorded: flame.json and the folded stacks beside it. Pure. */
import type { FlameProfile, FlameRecord } from '../contract/flame.js';
import { counted } from '../number.js';
import { differentialGraph, flameGraph } from './graph.js';
import type { FlameFigure } from './html.js';
import { describeOverhead } from './overhead.js';
import { rankFamilies, rankLeaves } from './rank.js';
import type { Stack } from './stacks.js';

export interface NamedFigure extends FlameFigure {
  /** of the figure's .svg file */
  stem: string;
}

/** Names that the files of a profile begin with. */
export const fileStems: Record<FlameProfile['role'], string> = { profile: 'flame', base: 'base' };

/** @param stacks of the record's profiles, in their order */
export function flameFigures({ profiles }: FlameRecord, stacks: Stack[][]): NamedFigure[] {
  const figures = profiles.map(
    (profile, index): NamedFigure => ({
      stem: fileStems[profile.role],
      graph: flameGraph(profile.title, profile.unit, stacks[index]!),
      caption: describeProfile(profile),
      tables: [
        {
          title: `What the ${profile.server ? 'server' : 'program'} was doing`,
          ranks: rankFamilies(stacks[index]!),
        },
        { title: 'Widest leaves', ranks: rankLeaves(stacks[index]!) },
      ],
    }),
  );
  const [shown, base] = profiles;
  if (shown && base) figures.push(...differences(shown, base, stacks));
  return figures;
}

function differences(shown: FlameProfile, base: FlameProfile, [second, first]: Stack[][]): NamedFigure[] {
  const title = `From ${base.title} to ${shown.title}`;
  const meaning =
    'Colour is the change of the share of CPU time in which the frame was the leaf; both profiles are scaled to the same total.';
  return [
    {
      stem: 'difference',
      graph: differentialGraph(title, shown.unit, first!, second!),
      caption: `Widths: ${shown.title}. ${meaning}`,
      tables: [],
    },
    {
      stem: 'difference-mirror',
      graph: differentialGraph(`${title}, mirror`, shown.unit, first!, second!, 'first'),
      caption: `Widths: ${base.title}, so that frames which vanished stay visible. ${meaning}`,
      tables: [],
    },
  ];
}

function describeProfile({
  samples,
  events,
  frequencyHz,
  scope,
  server,
  cpuPerRequestUs,
  overhead,
}: FlameProfile): string {
  const [whose, one, digits] = server
    ? (['server process', 'request', 1] as const)
    : (['measured rounds', 'event', 3] as const);
  const cost = cpuPerRequestUs
    ? `${cpuPerRequestUs.low.toFixed(digits)} to ${cpuPerRequestUs.high.toFixed(digits)} µs per ${one} without the profiler`
    : `no ${one}s were counted without the profiler`;
  return (
    `${samples} samples of ${events.join(', ')} at ${frequencyHz} Hz: ${scope}. ` +
    `Width is CPU time of the ${whose} (${cost}); time it slept is not shown. ` +
    `Profiler's overhead: ${describeOverhead(overhead, one)}.`
  );
}

function loadOf({ server, activeConnections: active }: FlameProfile): string {
  if (!server) return 'socket pairs of its own, the measured rounds';
  if (server.protocol === 'udp-echo') return `${active} client sockets, a datagram under way on each`;
  return `${active} active connections, closed loop`;
}

/** Title, facts and notes of a page about the trial. */
export function flameHead({ host, profiles, startedAt }: FlameRecord) {
  const [{ server, cost }] = profiles as [FlameProfile];
  const versions = Object.entries((server ?? cost)?.versions ?? {}).map(
    ([name, version]) => `${name} ${version}`,
  );
  const facts: [string, string][] = [
    [
      'host',
      `${host.name} (${host.executionClass}), ${host.cpuModel}, ${counted(host.vcpus, 'CPU')}, ${host.kernel}, hypervisor: ${host.hypervisor ?? 'none'}`,
    ],
    ['versions', versions.join(', ')],
    ['load', profiles.map((profile) => `${profile.title}: ${loadOf(profile)}`).join('; ')],
    ['profiled', profiles.map((one) => `${one.title}: ${(one.profiledMs / 1000).toFixed(1)} s`).join('; ')],
    ['taken', startedAt],
  ];
  return {
    title: `Flamegraph: ${profiles.map(({ title }) => title).join(' against ')}`,
    facts,
    notes: [
      'A profiling trial: its throughput is not a result.',
      ...new Set(profiles.flatMap(({ notes }) => notes)),
    ],
  };
}
