// Runs seeded schedules of the protocols of src/quorum, each checked after every step, on all CPUs; ends with 1 when one shows
// what it must not. Those whose histories are too much for the checker count as undecided. Options: --schedules N,
// --protocol raft|pbft (both), --seed S. One schedule again: --only I.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { pbftSchedule } from '../dist/src/quorum/simulation/pbft-schedule.js';
import { raftSchedule } from '../dist/src/quorum/simulation/raft-schedule.js';

const protocols = { raft: raftSchedule, pbft: pbftSchedule };
const seedOf = (seed, protocol, schedule) => `${seed}:${protocol}:${schedule}`;

if (isMainThread) {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      protocol: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const { seed } = values;
  const schedules = Number(values.schedules);
  const wanted = values.protocol === undefined ? Object.keys(protocols) : [values.protocol];
  if (!Number.isSafeInteger(schedules) || schedules < 1 || !wanted.every((name) => name in protocols)) {
    console.error(
      'usage: quorum-simulation.mjs [--schedules N] [--protocol raft|pbft] [--seed S] [--only I]',
    );
    process.exit(2);
  }
  if (values.only !== undefined) {
    for (const protocol of wanted)
      console.log(protocol, protocols[protocol](seedOf(seed, protocol, values.only)));
    process.exit(0);
  }
  for (const protocol of wanted) await runAll(protocol, seed, schedules);
} else {
  const { protocol, seed, schedules, first, every } = workerData;
  const sums = {};
  const violations = [];
  const undecided = [];
  for (let schedule = first; schedule < schedules; schedule += every) {
    try {
      for (const [name, value] of Object.entries(protocols[protocol](seedOf(seed, protocol, schedule))))
        sums[name] = (sums[name] ?? 0) + value;
    } catch (error) {
      if (error.name === 'Undecided') undecided.push(schedule);
      else violations.push({ schedule, message: error.message.slice(0, 300) });
    }
  }
  parentPort.postMessage({ sums, violations, undecided });
}

/** Divides the schedules over Workers and prints what they came to. */
async function runAll(protocol, seed, schedules) {
  const started = performance.now();
  const every = availableParallelism();
  const parts = await Promise.all(
    Array.from({ length: every }, (_, first) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { protocol, seed, schedules, first, every },
      });
      return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }),
  );
  const sums = {};
  for (const part of parts)
    for (const [name, value] of Object.entries(part.sums)) sums[name] = (sums[name] ?? 0) + value;
  const violations = parts.flatMap((part) => part.violations);
  const undecided = parts.flatMap((part) => part.undecided);
  const seconds = Math.round((performance.now() - started) / 1000);
  const found = { violations: violations.length, undecided: undecided.length };
  console.log(JSON.stringify({ protocol, seed, schedules, seconds, ...sums, ...found }));
  for (const { schedule, message } of violations.slice(0, 10))
    console.error(`--protocol ${protocol} --seed ${seed} --only ${schedule}: ${message}`);
  if (violations.length > 0) process.exitCode = 1;
}
