/** Claims of the report on Wasm against Docker gateways (2026): a 4-core KVM guest, loopback, one blocking thread each. */
import type { PlannedClaim } from './claim.js';

/** All of them need gateways as subjects; a claim's bound stands here already, so that it is not chosen by a result. */
const gateway = (
  id: string,
  where: string,
  statement: string,
  cells: string,
  bound: string,
): PlannedClaim => ({
  id,
  source: { work: 'gateway-report', where },
  statement,
  cells,
  planned: `an experiment with gateways, held against ${bound}`,
});

export const gatewayClaims: readonly PlannedClaim[] = [
  gateway(
    'G1',
    'tables of cold start and of hello throughput',
    'Native has the lowest cold start and the highest hello throughput.',
    'cold start and hello throughput of every variant',
    'a ratio to native above 1 of every cold start, and below 1 of every hello throughput',
  ),
  gateway(
    'G2',
    'table of cold start',
    'Docker cold start is substantially slower than native (17.8 times then).',
    'cold start of native_docker and native_local',
    'a ratio above 3',
  ),
  gateway(
    'G3',
    'table of warm latency',
    'Embedded Wasmtime approaches native warm latency: within 1 ms at the median.',
    'warm latency of both variants with a persistent connection and with a curl process per request',
    'a difference of the medians within −1 to 1 ms',
  ),
  gateway(
    'G4',
    'section on warm-request latency',
    'Variants that start a command per request have a ceiling set by process spawn.',
    'hello throughput of the command variants, and the spawn cost of the same binary with an empty module',
    'a ratio of the throughput to the ceiling that the spawn cost predicts within 0.85 to 1.15',
  ),
  gateway(
    'G5',
    'table of compute throughput',
    'For CPU-bound work native, Docker and embedded Wasm converge (within 3.7 % then).',
    'compute throughput at 100 connections of the three variants',
    'ratios to native within 0.95 to 1.05',
  ),
  gateway(
    'G6',
    'table of hello throughput',
    'Native collapses above 200 to 400 connections, an accept-queue artefact.',
    'hello throughput at 200 and 400 connections with listen-queue counters, with short and long backlog and each backend',
    'a ratio of the throughput at 400 connections to that at 200 below 0.5',
  ),
  gateway(
    'G7',
    'table of resources',
    'Embedded Wasm needs about 7 times the CPU per request of native and about 25 times the memory.',
    'CPU per request and memory of both variants at hello/100, children included',
    'ratios within a factor of 1.5 of 7 and of 25',
  ),
];
