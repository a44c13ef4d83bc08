/** Everything that reads bytes of strangers in TypeScript. Loaded when asked for: only then its coverage is counted. */
import type { Target } from './engine.js';

export interface Entry {
  name: string;
  /** compiled files whose coverage leads, by parts of their addresses */
  covers: readonly string[];
  load(): Promise<Target>;
}

export const targets: readonly Entry[] = [
  {
    name: 'frames',
    covers: ['/src/carriers/frames.js', '/src/contract/', '/src/contract/printable.js', '/zod/v4/core/'],
    load: async () => (await import('./targets/frames.js')).target,
  },
  {
    name: 'nats-messages',
    covers: ['/src/carriers/', '/src/contract/', '/src/contract/printable.js', '/zod/v4/core/'],
    load: async () => (await import('./targets/nats-messages.js')).target,
  },
  {
    name: 'http-requests',
    covers: ['/servers/http-request.js'],
    load: async () => (await import('./targets/http-requests.js')).target,
  },
  {
    name: 'gateway-replies',
    covers: ['/gateways/node/reply-reader.js'],
    load: async () => (await import('./targets/gateway-replies.js')).target,
  },
  {
    name: 'datagrams',
    covers: ['/src/dgram-benchmark/'],
    load: async () => (await import('./targets/datagrams.js')).target,
  },
  {
    name: 'perf-script',
    covers: ['/src/flame/'],
    load: async () => (await import('./targets/perf-script.js')).target,
  },
  {
    name: 'httperf-output',
    covers: ['/src/httperf/'],
    load: async () => (await import('./targets/httperf-output.js')).target,
  },
  {
    name: 'samples',
    covers: ['/src/results/', '/src/trials/', '/src/statistics/', '/src/contract/', '/zod/v4/core/'],
    load: async () => (await import('./targets/samples.js')).target,
  },
  {
    name: 'run-json',
    covers: ['/src/results/', '/src/contract/', '/zod/v4/core/'],
    load: async () => (await import('./targets/run-json.js')).target,
  },
  {
    name: 'histograms',
    covers: ['/src/statistics/', '/src/load/histogram.js'],
    load: async () => (await import('./targets/histograms.js')).target,
  },
  {
    name: 'open-requests',
    covers: ['/src/cli/commands/open.js', '/node_modules/send/'],
    load: async () => (await import('./targets/open-requests.js')).target(),
  },
];
