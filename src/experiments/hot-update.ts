/**
 * How long does a new version of a module take to its clients, and what do they notice of it? Seed of the question: the
 * review of a paper on isomorphic IoT systems (2023), which holds an exchange of a Wasm module against a firmware update.
 *
 * Factor: gateway, each with its own way. Two exchange the module in the process; the others end and start the process (or
 * start a new one beside the old), reload nginx, or boot a virtual machine again. A UDP server whose
 * socket gets another filter stands beside them: what the kernel runs on each datagram is exchanged with no gap. All have
 * the same load and the same trigger, a new file renamed into place.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { workloads } from '../contract/gateway.js';
import { wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { names } from './flags.js';
import {
  gatewayCommon,
  gatewayFactors,
  gatewayLevels,
  gatewaySettings,
  templateOf,
  updatedGateways,
  updatedSubject,
} from './gateways.js';

const cell = z.object(gatewayFactors);

const settings = z.strictObject({
  ...gatewaySettings,
  connections: count.min(1),
  /** requests per second */
  rate: count.min(1),
  swaps: count.min(1),
  restMs: count.min(1),
  windowMs: count.min(1),
  timeoutMs: count.min(1),
});

/** An emulated boot takes as long as all the others together. */
const slow = 'guest_reboot_emulated';

export const hotUpdate = experiment({
  ...gatewayCommon,
  profiles: ['quick', 'full'],
  id: 'hot-update',
  question: 'How long does a new version of a module take to its clients, and what do they notice of it?',
  axis: '',
  cell,
  settings,
  factors: {},
  flags: [
    {
      flags: '--gateways <list>',
      description: `who gets new versions, comma-separated: ${updatedGateways().join(', ')}`,
      setting: 'gateways',
      parse: names(updatedGateways(), 'gateway'),
      names: true,
    },
    {
      flags: '--swaps <n>',
      description: 'new versions in a trial',
      setting: 'swaps',
      parse: wholeNumber(1, 10_000),
    },
    {
      flags: '--connections <n>',
      description: 'connections of the client',
      setting: 'connections',
      parse: wholeNumber(1, 1000),
    },
    {
      flags: '--rate <n>',
      description: 'requests per second, whatever becomes of them',
      setting: 'rate',
      parse: wholeNumber(1, 20_000),
    },
  ],
  profile: (name) => ({
    gateways: updatedGateways().filter((one) => name === 'full' || one !== slow),
    connections: 16,
    rate: 1000,
    swaps: name === 'full' ? 100 : 20,
    restMs: 250,
    windowMs: 100,
    timeoutMs: 5000,
  }),
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 5 }, budgetMs: 200_000 } : {}),
  cells: ({ gateways }) => gateways.map(gatewayLevels),
  trial: ({ impl }, { gateways: _, ...asked }, machine) => ({
    kind: 'update',
    subject: updatedSubject(impl, machine),
    template: templateOf(impl, machine),
    path: workloads.hello,
    ...asked,
  }),
  primary: ['update-first'],
  glance(sample) {
    const [first, failed] = (['update-first', 'update-failed'] as const).map((id) => metric(id).of(sample));
    return first == null
      ? ''
      : `${first.toFixed(1)} ms to the first reply, ${failed} failed for each exchange`;
  },
  plots: [
    { kind: 'servers', metrics: ['update-first', 'update-all'], logY: true },
    { kind: 'servers', metrics: ['update-failed', 'update-mixed'], logY: false },
    { kind: 'servers', metrics: ['update-p99-during', 'update-p99-steady'], logY: true },
  ],
  compared: [
    { metric: 'update-first', scale: 'ratio' },
    { metric: 'update-p99-growth', scale: 'ratio' },
  ],
  closing: {
    rates: [],
    costs: [
      'update-first',
      'update-all',
      'update-failed',
      'update-mixed',
      'update-p99-during',
      'update-p99-steady',
      'update-p99-growth',
    ],
  },
});
