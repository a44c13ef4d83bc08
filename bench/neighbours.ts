/**
 * What it costs a server without idle connections that others stand beside it, as they do in the quick profile: those
 * servers are measured alone with each other, and in the whole field with its tens of thousands of idle connections,
 * generation by generation in turn. A ratio within [0.97, 1.03] says that standing together is no part of the figures.
 *
 *     npm run bench:neighbours [-- --quick] [-- --generations N]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { machineOf } from '../src/experiments/experiment.js';
import { type IdleConnectionsSettings, idleConnections } from '../src/experiments/idle-connections.js';
import { runTogether } from '../src/run/trial.js';
import { blockedRatio, type Interval, position } from '../src/statistics/interval.js';
import { randomFrom } from '../src/statistics/random.js';
import type { LoadTrial } from '../src/trials/load-window.js';
import { metric } from '../src/trials/registry.js';
import { hostOption, onCpus, pinning, roles, site } from './here.js';
import { saveRecord, shown } from './lib.js';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, generations: { type: 'string' }, ...hostOption },
});
const generations = Number(options.generations ?? (options.quick ? 2 : 10));
/** Two levels that make no difference to a reader. */
const band = [0.97, 1.03] as const;

const machine = machineOf(roles.server.look);
const profile = idleConnections.profile('quick', machine) as IdleConnectionsSettings;
const settings = options.quick
  ? {
      ...profile,
      rounds: 1,
      idle: [0, 1000],
      references: profile.references.map((one) => ({ ...one, idle: [0, 1000] })),
    }
  : profile;
const cells = idleConnections.cells(settings, machine);
const without = cells.filter(({ idle }) => idle === 0);

const costs = [
  { window: 'closed', cost: 'cpu-per-request' },
  { window: 'open', cost: 'open-cpu-per-request' },
] as const;

interface Measurement {
  server: string;
  window: string;
  field: 'few' | 'all';
  generation: number;
  cpuUsPerRequest: number;
}

async function measure(field: Measurement['field'], generation: number): Promise<Measurement[]> {
  const some = field === 'all' ? cells : without;
  const outcomes = await runTogether(
    some.map((cell) => idleConnections.trial(cell, settings, machine) as LoadTrial),
    { roles, pinning, earlier: [], signal: site.signal },
    randomFrom(`neighbours/${generation}/${field}`),
    () => {},
  );
  return outcomes.flatMap((trial, index) => {
    const { idle, backend, impl } = some[index]!;
    if (idle !== 0) return [];
    const server = `${backend} ${impl}`;
    if (trial.error !== null) throw new Error(`${server}: ${trial.error}`);
    return costs.flatMap(({ window, cost }) => {
      const cpuUsPerRequest = metric(cost).of(trial);
      return cpuUsPerRequest === null ? [] : [{ server, window, field, generation, cpuUsPerRequest }];
    });
  });
}

const measurements: Measurement[] = [];
for (let generation = 0; generation < generations; generation++) {
  // Who is first changes, so that a machine that slows down slows both.
  const turns = generation % 2 === 0 ? (['few', 'all'] as const) : (['all', 'few'] as const);
  for (const field of turns) measurements.push(...(await measure(field, generation)));
  process.stderr.write(`\r${generation + 1} of ${generations} generations `);
}
process.stderr.write('\n');

interface Comparison {
  server: string;
  window: string;
  ratio: Interval;
}
const rows = new Map(measurements.map((one) => [`${one.server} ${one.window}`, one]));
const comparisons = [...rows.values()].flatMap(({ server, window }): Comparison[] => {
  const figures = (field: Measurement['field']) =>
    measurements
      .filter((one) => one.server === server && one.window === window && one.field === field)
      .map(({ generation, cpuUsPerRequest }) => ({ block: generation, value: cpuUsPerRequest }));
  const [all, few] = [figures('all'), figures('few')];
  // On a busy machine a window may hold the common rate beside few and not beside all.
  if (all.length === 0 || few.length === 0) {
    console.log(`${server}, ${window}: no figure beside ${all.length === 0 ? 'all' : 'few'}`);
    return [];
  }
  return [{ server, window, ratio: blockedRatio(all, few) }];
});

const words = { inside: 'the same', below: 'LESS', above: 'MORE', unclear: 'not resolved' } as const;
const table = new Table({
  head: ['server without idle connections', 'window', 'CPU per request beside all / beside few', ''],
  style: { head: [], border: [], compact: true },
});
for (const { server, window, ratio } of comparisons)
  table.push([server, window, shown(ratio), words[position(ratio, ...band)]]);
const idle = cells.reduce((sum, one) => sum + Number(one.idle), 0);
console.log(
  `${cells.length} servers with ${idle} idle connections together against the ${without.length} of them without any, ` +
    `${generations} generations, 95 % intervals; the same: 90 % interval within ${band.join(' to ')}`,
);
console.log(onCpus());
console.log(table.toString());
const file = saveRecord('neighbours', {
  generations,
  pinning,
  host: roles.server.facts,
  comparisons,
  measurements,
});
console.log(`saved in ${file}`);
await roles.close();
