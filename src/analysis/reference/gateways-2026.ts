/**
 * Tables of the report on Wasm and Docker gateways (2026), as printed there. Rates in requests per second over
 * connections 10, 50, 100, 200, 400, 800 and 1200; single 30-second runs of wrk with 4 threads.
 */
import type { CellLevels } from '../../contract/sample.js';
import type { MetricId } from '../../trials/registry.js';

export const gatewayTestbed = '4-core KVM guest, Linux 5.4, loopback, single-threaded blocking gateways';

export const gatewayConnections = [10, 50, 100, 200, 400, 800, 1200] as const;

export const gatewayVariants = [
  'native_local',
  'native_docker',
  'wasm_host_wasmtime_embedded',
  'wasm_host_wasmtime',
  'wasm_host_cli',
] as const;
export type GatewayVariant = (typeof gatewayVariants)[number];

/** Rates by workload and variant, in the order of `gatewayConnections`. */
export const gatewayThroughput: Record<string, Record<GatewayVariant, readonly number[]>> = {
  hello: {
    native_local: [19868, 21988, 22745, 22442, 4566, 6647, 5618],
    native_docker: [6453, 8044, 8696, 8784, 9033, 9114, 8898],
    wasm_host_wasmtime_embedded: [3476, 3488, 3569, 1406, 1380, 1323, 2230],
    wasm_host_wasmtime: [101, 101, 100, 98, 96, 95, 96],
    wasm_host_cli: [58, 57, 57, 55, 15, 54, 12],
  },
  compute: {
    native_local: [23, 136, 135, 133, 132, 132, 132],
    native_docker: [135, 134, 133, 132, 107, 130, 57],
    wasm_host_wasmtime_embedded: [131, 132, 130, 87, 125, 129, 95],
    wasm_host_wasmtime: [13, 56, 55, 53, 52, 14, 53],
    wasm_host_cli: [11, 40, 39, 37, 36, 24, 23],
  },
  proxy: {
    native_local: [242, 1174, 1138, 863, 572, 720, 477],
    native_docker: [1028, 1040, 1029, 632, 780, 432, 465],
    wasm_host_wasmtime_embedded: [130, 846, 839, 536, 490, 238, 522],
    wasm_host_wasmtime: [19, 90, 88, 73, 55, 55, 70],
    wasm_host_cli: [51, 54, 53, 35, 14, 36, 26],
  },
  state: {
    native_local: [3263, 21789, 23000, 21538, 8294, 6080, 7723],
    native_docker: [146, 7133, 8761, 8602, 9136, 9103, 8916],
    wasm_host_wasmtime_embedded: [801, 3511, 3542, 2139, 2200, 1278, 1693],
    wasm_host_wasmtime: [99, 101, 100, 98, 97, 60, 78],
    wasm_host_cli: [14, 58, 56, 54, 15, 53, 54],
  },
};

/** Milliseconds; cold start from exec to the first reply (n = 60), warm latency with a curl process per request. */
const gatewayLatency: Record<'cold-start' | 'warm-latency', Record<GatewayVariant, Percentiles>> = {
  'cold-start': {
    native_local: { p50: 176.36, p90: 192.18, p99: 202.64, n: 60 },
    wasm_host_wasmtime: { p50: 190.29, p90: 207.09, p99: 214.74, n: 60 },
    wasm_host_cli: { p50: 203.49, p90: 215.52, p99: 231.36, n: 60 },
    wasm_host_wasmtime_embedded: { p50: 232.58, p90: 250.3, p99: 258.22, n: 60 },
    native_docker: { p50: 3143.39, p90: 4426.92, p99: 5499.42, n: 60 },
  },
  'warm-latency': {
    native_local: { p50: 8.79, p90: 10.58, p99: 13.88, n: 600 },
    native_docker: { p50: 9.17, p90: 11.08, p99: 14.66, n: 300 },
    wasm_host_wasmtime_embedded: { p50: 9.38, p90: 11.07, p99: 14.71, n: 300 },
    wasm_host_wasmtime: { p50: 20.4, p90: 22.61, p99: 26.54, n: 300 },
    wasm_host_cli: { p50: 26.78, p90: 30.11, p99: 33.97, n: 300 },
  },
};

interface Percentiles {
  p50: number;
  p90: number;
  p99: number;
  n: number;
}

/** Resources at hello with 100 connections: resident KB, CPU in percent, CPU percent per 1000 requests per second. */
const gatewayResources: Record<GatewayVariant, { rssKB: number; cpu: number; cpuPerThousand: number }> = {
  native_local: { rssKB: 788, cpu: 90.31, cpuPerThousand: 3.97 },
  native_docker: { rssKB: 1180, cpu: 41.67, cpuPerThousand: 4.79 },
  wasm_host_wasmtime_embedded: { rssKB: 19760, cpu: 99.58, cpuPerThousand: 27.9 },
  wasm_host_wasmtime: { rssKB: 4836, cpu: 2.83, cpuPerThousand: 28.39 },
  wasm_host_cli: { rssKB: 4692, cpu: 2.03, cpuPerThousand: 35.88 },
};

/** One published figure of each variant, as a metric of ours in its unit. */
export interface PublishedFigures {
  what: string;
  experiment: string;
  metric: MetricId;
  /** factor levels of the cells it stands beside; the variant is the implementation */
  levels: CellLevels;
  figures: Readonly<Record<GatewayVariant, number>>;
}

const each = (of: (variant: GatewayVariant) => number): Record<GatewayVariant, number> =>
  Object.fromEntries(gatewayVariants.map((variant) => [variant, of(variant)])) as Record<
    GatewayVariant,
    number
  >;

const compared = 100;
const usPerMs = 1000;
const kbPerMiB = 1024;
/** One percent of a CPU at 1000 requests a second is so many microseconds of CPU time a request. */
const usPerPercent = 10;

export const publishedGateways: readonly PublishedFigures[] = [
  {
    what: 'cold start, asked by curl, median',
    experiment: 'gateway-cold-start',
    metric: 'first-reply',
    levels: { asking: 'curl' },
    figures: each((variant) => gatewayLatency['cold-start'][variant].p50),
  },
  {
    what: 'warm latency, a curl for each request, median',
    experiment: 'gateway-latency',
    metric: 'curl-p50',
    levels: { way: 'curl' },
    figures: each((variant) => gatewayLatency['warm-latency'][variant].p50 * usPerMs),
  },
  ...Object.entries(gatewayThroughput).map(
    ([workload, rates]): PublishedFigures => ({
      what: `throughput of ${workload} at ${compared} connections`,
      experiment: 'gateway-throughput',
      metric: 'throughput',
      levels: { workload, client: 'wrk', connections: compared },
      figures: each((variant) => rates[variant][gatewayConnections.indexOf(compared)]!),
    }),
  ),
  {
    what: `memory under hello at ${compared} connections`,
    experiment: 'gateway-resources',
    metric: 'memory',
    levels: { connections: compared },
    figures: each((variant) => gatewayResources[variant].rssKB / kbPerMiB),
  },
  {
    what: `CPU per request of hello at ${compared} connections`,
    experiment: 'gateway-resources',
    metric: 'cpu-per-request',
    levels: { connections: compared },
    figures: each((variant) => gatewayResources[variant].cpuPerThousand * usPerPercent),
  },
];
