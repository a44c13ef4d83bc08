/**
 * How long does a gateway take from its start to its first reply, and with what? Seed of the question: the report on Wasm
 * and Docker gateways (2026), section on cold start.
 *
 * Factors: gateway x who asks. `steadily`: a client of ours that was there before and asks over a raw socket without a
 * pause, so that the instant of the first reply is known to a fraction of a millisecond. `curl`: a curl process for
 * /health every 10 ms and one for / after it, which is the report's method and mostly measures itself.
 */
import { z } from 'zod';
import type { ProfileName } from '../contract/run.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { names } from './flags.js';
import {
  gatewayCommon,
  gatewayFactors,
  gatewayFlag,
  gatewayLevels,
  gatewaySettings,
  gatewaySubject,
  gatewaysOf,
  tellsTime,
} from './gateways.js';

const askings = ['steadily', 'curl'] as const;
const asking = z.enum(askings);

const cell = z.object({ ...gatewayFactors, asking });
type ColdStartCell = z.infer<typeof cell>;

const settings = z.strictObject({
  ...gatewaySettings,
  askings: z.array(asking).min(1),
  /** where they listen; a client asks there before they do */
  port: z.number().int().min(1).max(65_535),
});
type ColdStartSettings = z.infer<typeof settings>;

const profile = (name: ProfileName): ColdStartSettings => ({
  gateways: gatewaysOf(name, { quick: ['event_epoll', 'wasm_host_pool', 'wasm_host_aot', 'node_http'] }),
  askings: [...askings],
  port: 18_081,
});

export const gatewayColdStart = experiment({
  ...gatewayCommon,
  id: 'gateway-cold-start',
  question: 'How long does a gateway take from its start to its first reply?',
  axis: '',
  cell,
  settings,
  factors: {
    asking: {
      name: 'who asks',
      level: (level) => (level === 'curl' ? 'curl every 10 ms' : 'asked without a pause'),
    },
  },
  words: [[/\bServer CPU\b/g, 'CPU']],
  flags: [
    gatewayFlag,
    {
      flags: '--asking <list>',
      description: `who asks for the first reply: ${askings.join(', ')}`,
      setting: 'askings',
      parse: names(askings, 'way to ask'),
    },
  ],
  profile,
  pace: (name) => (name === 'quick' ? { blocks: { min: 5, max: 5 }, budgetMs: 120_000 } : {}),
  cells: ({ gateways, askings: ways }): ColdStartCell[] =>
    gateways.flatMap((name) => ways.map((way) => ({ ...gatewayLevels(name), asking: way }))),
  trial: ({ impl, asking: way }, { port }, machine) => ({
    kind: 'start',
    subject: gatewaySubject(impl, machine),
    port,
    asking: way,
    tellsPhases: tellsTime(impl),
  }),
  primary: ['first-reply'],
  glance(sample) {
    const time = metric('first-reply').of(sample);
    return time === null ? '' : `${time.toFixed(1)} ms to the first reply`;
  },
  plots: [
    { kind: 'servers', metrics: ['first-reply'], logY: true },
    {
      kind: 'servers',
      metrics: ['start-exec', 'start-main', 'start-compiled', 'start-listening', 'start-reply'],
      levels: { asking: 'steadily' },
      title: 'Where the time of a start goes',
      logY: false,
    },
    {
      kind: 'servers',
      metrics: ['start-cpu', 'start-memory'],
      levels: { asking: 'steadily' },
      title: 'What a start takes',
      logY: true,
    },
  ],
  compared: [{ metric: 'first-reply', scale: 'ratio' }],
  closing: {
    rates: [],
    costs: ['first-reply', 'start-to-reply', 'start-main', 'start-compiled', 'start-cpu', 'start-memory'],
  },
});
