/**
 * What does a prediction of a link's bandwidth bring? A sequence of transfers over a link whose rate changes, each with as many
 * streams as the planner takes by what it expects the link to carry, against fixed numbers, of which the best one is known only in
 * hindsight. Seed of the question: the predictions of DWCP v3 (2025), which were of made-up series and steered nothing.
 *
 * Factors: course of the link's rate x number of streams, and who chooses it. The link is the host's.
 */
import { z } from 'zod';
import { backendName, count, identifier } from '../contract/common.js';
import { linkCourse, linkCourses } from '../contract/link.js';
import type { ProfileName } from '../contract/run.js';
import { adaptive, mostAdaptive, mostStreams, planned } from '../contract/transfer.js';
import { duration, wholeNumber } from '../options.js';
import { blockChoice } from '../trials/blocks.js';
import { metric } from '../trials/registry.js';
import { experiment, type Machine } from './experiment.js';
import { list, names, serverFlags } from './flags.js';
import { streamChoice } from './words.js';

const cell = z.object({
  backend: backendName,
  impl: z.literal('native'),
  course: linkCourse,
  /** null: as many as were asked for */
  choice: blockChoice.nullable(),
  streams: count.min(1),
});
type ChangingLinkCell = z.infer<typeof cell>;

const milliseconds = count.min(1);
const settings = z.strictObject({
  backends: z.array(backendName).min(1),
  courses: z.array(linkCourse).min(1),
  streams: z.array(count.min(1).max(mostStreams)).min(1),
  choices: z.array(blockChoice),
  congestion: identifier,
  chunk: count.min(1),
  blockMs: milliseconds,
  durationMs: milliseconds,
  /** of the course: the same for all numbers of streams */
  courseSeed: count,
});
type ChangingLinkSettings = z.infer<typeof settings>;

const profile = (name: ProfileName, { nodeBackend }: Machine): ChangingLinkSettings => ({
  backends: [nodeBackend],
  courses: name === 'full' ? [...linkCourses] : ['periodic', 'regime'],
  streams: name === 'full' ? [1, 4, 16, 32, 64] : [1, 16, 64],
  choices: [planned, adaptive],
  congestion: 'cubic',
  chunk: 64 << 10,
  blockMs: 1000,
  durationMs: 24_000,
  courseSeed: 1,
});

const inMs = (text: string) => Math.max(1, Math.round(duration(text) / 1e6));

export const changingLink = experiment({
  id: 'changing-link',
  question: "What does a prediction of a link's bandwidth bring a transfer, where the link changes?",
  axis: 'streams',
  cell,
  settings,
  profiles: ['quick', 'full'],
  factors: {
    streams: { name: 'streams' },
    course: { name: 'course of the rate', level: (level) => `${level}` },
    choice: streamChoice,
  },
  words: [],
  quick: false,
  flags: [
    serverFlags[0]!,
    {
      flags: '--courses <list>',
      description: `how the rate of the link goes on: ${linkCourses.join(', ')}; all but the first need a link (--link) with a rate`,
      setting: 'courses',
      parse: names(linkCourses, 'course'),
    },
    {
      flags: '--streams <list>',
      description: 'fixed numbers of streams, comma-separated',
      setting: 'streams',
      parse: list(wholeNumber(1, mostStreams)),
    },
    {
      flags: '--choices <list>',
      description: `who chooses it beside them: ${blockChoice.options.join(', ')} or none`,
      setting: 'choices',
      parse: (text) => (text === 'none' ? [] : names(blockChoice.options, 'choice')(text)),
    },
    {
      flags: '--congestion <name>',
      description: 'congestion control, as the system names it',
      setting: 'congestion',
      parse: String,
    },
    {
      flags: '--block <time>',
      description: 'how long one transfer of the sequence sends',
      setting: 'blockMs',
      parse: inMs,
    },
    {
      flags: '--duration <time>',
      description: 'how long the sequence goes on',
      setting: 'durationMs',
      parse: inMs,
    },
    {
      flags: '--course-seed <n>',
      description: 'of what the link does',
      setting: 'courseSeed',
      parse: wholeNumber(0, 1_000_000),
    },
  ],
  profile,
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 3 }, budgetMs: 900_000 } : {}),
  cells: ({ backends, courses, streams, choices }): ChangingLinkCell[] =>
    backends.flatMap((backend) =>
      courses.flatMap((course) => {
        const common = { backend, impl: 'native' as const, course };
        // At a level that others have, so that it stands beside them.
        const most = Math.min(mostAdaptive, Math.max(...streams));
        return [
          ...streams.map((n) => ({ ...common, choice: null, streams: n })),
          ...choices.map((choice) => ({ ...common, choice, streams: most })),
        ];
      }),
    ),
  trial: ({ backend, course, choice, streams }, { congestion, chunk, blockMs, durationMs, courseSeed }) => ({
    kind: 'blocks',
    ...{ streams, choice, chunk, congestion, backend, blockMs, durationMs, course },
    seed: courseSeed,
  }),
  primary: ['transfer-rate'],
  glance(sample) {
    const [rate, streams] = (['transfer-rate', 'block-streams'] as const).map((id) => metric(id).of(sample));
    return rate == null ? '' : `${rate.toFixed(2)} MB/s, ${streams?.toFixed(1)} streams`;
  },
  plots: [
    { kind: 'lines', metric: 'transfer-rate', logY: true },
    { kind: 'lines', metric: 'transfer-resent', logY: true },
    { kind: 'lines', metric: 'transfer-cpu', logY: true },
  ],
  compared: [
    { metric: 'transfer-rate', scale: 'ratio' },
    { metric: 'transfer-cpu', scale: 'ratio' },
  ],
  answers: [],
  gains: { metric: 'transfer-rate', chosenBy: 'choice' },
  modelled: [],
  closing: { rates: ['transfer-rate'], costs: ['transfer-cpu', 'transfer-resent', 'block-streams'] },
});
