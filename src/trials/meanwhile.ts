/** Doubts about what the machine did for others while something was measured. */
import type { CpuTimes } from '../contract/host.js';
import type { Gate, Span } from '../contract/sample.js';
import { counted } from '../number.js';
import { invalid, percent, warning } from './gates.js';
import type { Served } from './kind.js';
import { cpuUs } from './served.js';

/** Shares of a CPU's time in the window. */
const foreignLimit = 0.05;
const besideClientLimit = 0.15;
const stealLimit = 0.01;
const collectionLimit = 0.01;
/** of the window's: server, client and their runtimes' own threads wait for each other for less */
const waitedLimit = 0.25;

/** What a CPU may have been busy or idle that /proc/stat does not tell: a window's ends lie within ticks. */
const tickErrorUs = 50_000;

/**
 * Going to sleep and waking up is nobody's time and no sleep: 7 to 31 us for each sleep of a virtual CPU (open loops at
 * 10 000/s, which sleep as often; by the state of the machine).
 */
const sleepErrorUs = 35;

/** Time that a CPU did not sleep, and how far that may be wrong. null: its clock was not recorded. */
function awakeTime({ elapsedUs, sleepUs, idleUs, iowaitUs, stealUs }: CpuTimes) {
  if (!elapsedUs) return null;
  // Busy time itself is sampled at ticks, and what runs in step with them is missed or counted for all (measured: -0.3
  // and +0.77 of a CPU in windows of 250 ms). What a CPU slept, the kernel knows by its clock.
  const known = sleepUs ?? null;
  return {
    elapsedUs,
    awakeUs: elapsedUs - stealUs - (known ?? idleUs + iowaitUs),
    errorUs: known === null ? tickErrorUs : 0,
  };
}

interface Side {
  whose: string;
  cpus: readonly CpuTimes[];
  /** CPU time of who should be there */
  ownUs: number;
  /** how often the server slept, and with it, where it waits for replies, the client */
  sleeps: number;
  limit: number;
  gate: typeof invalid;
}

/**
 * Work of neither server nor client on their CPUs: another program, or the kernel's after thousands of connections were
 * opened. Where CPUs are kept awake none of them sleeps, so nothing can be said.
 */
function foreignCpu(name: string, span: Span, clientUs: number): Gate[] {
  const { server, client } = span.cpus!;
  const serverUs = cpuUs(span);
  const [from, to] = [span.before.contextSwitches, span.after.contextSwitches];
  const sleeps = from && to ? to.voluntary - from.voluntary : 0;
  // What emulates the link is neither side's, and no stranger.
  const linkUs = (cpus: readonly CpuTimes[]) =>
    span.link && cpus.some(({ cpu }) => span.link!.cpus.includes(cpu)) ? span.link.cpuUs : 0;
  const shared = server.some(({ cpu }) => client.some((other) => other.cpu === cpu));
  const sides: Side[] = shared
    ? [
        {
          whose: 'CPU',
          cpus: server,
          ownUs: serverUs + clientUs + linkUs(server),
          sleeps,
          limit: foreignLimit,
          gate: invalid,
        },
      ]
    : [
        {
          whose: "server's CPU",
          cpus: server,
          ownUs: serverUs + linkUs(server),
          sleeps,
          limit: foreignLimit,
          gate: invalid,
        },
        // Where it has but two CPUs, the suite itself works beside its client, whose own gates say what that made of it.
        {
          whose: "client's CPU",
          cpus: client,
          ownUs: clientUs + linkUs(client),
          sleeps,
          limit: besideClientLimit,
          gate: warning,
        },
      ];
  return sides.flatMap(({ whose, cpus, ownUs, sleeps, limit, gate }) => {
    const times = cpus.map(awakeTime).filter((one) => one !== null);
    const sum = (of: keyof (typeof times)[number]) => times.reduce((total, one) => total + one[of], 0);
    const share = (sum('awakeUs') - ownUs) / sum('elapsedUs');
    const errorUs = sum('errorUs') + sleeps * sleepErrorUs;
    if (!(share - errorUs / sum('elapsedUs') > limit)) return [];
    return [
      gate('foreign-cpu', `${name}: the ${whose} worked ${percent(share)} of its time for neither side`),
    ];
  });
}

function steal(name: string, span: Span): Gate[] {
  const all = [...span.cpus!.server, ...span.cpus!.client];
  const share = Math.max(...all.map(({ stealUs, elapsedUs }) => (elapsedUs ? stealUs / elapsedUs : 0)));
  return share > stealLimit
    ? [warning('steal', `${name}: the hypervisor gave ${percent(share)} of a CPU's time to others`)]
    : [];
}

function waiting(name: string, { waitedUs, cpus }: Span): Gate[] {
  const elapsedUs = cpus!.server[0]?.elapsedUs;
  if (!waitedUs || !elapsedUs || waitedUs <= waitedLimit * elapsedUs) return [];
  const share = percent(waitedUs / elapsedUs);
  return [warning('pressure', `${name}: for ${share} of the window somebody waited for a CPU`)];
}

/** What a window lost to the collector of the server's language belongs to its figures, and explains their tail. */
function collections(name: string, { before, after }: Span): Gate[] {
  const [from, to] = [before.collections, after.collections];
  if (!from || !to) return [];
  const pauseUs = to.pauseUs - from.pauseUs;
  const share = (1000 * pauseUs) / (after.monotonicNs - before.monotonicNs);
  if (!(share > collectionLimit)) return [];
  const often = counted(to.count - from.count, 'garbage collection');
  return [
    warning('garbage-collection', `${name}: ${often} stopped the server for ${percent(share)} of the window`),
  ];
}

/** @param keptAwake the CPUs of the trial were kept from sleeping */
export function meanwhile(name: string, { span, clientUs }: Served, keptAwake: boolean): Gate[] {
  if (!span.cpus) return collections(name, span);
  return [
    ...collections(name, span),
    ...(clientUs === undefined || keptAwake ? [] : foreignCpu(name, span, clientUs)),
    ...steal(name, span),
    ...waiting(name, span),
  ];
}
