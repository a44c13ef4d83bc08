/** Fixed pieces of work, a few milliseconds each, that show what a machine is like now. */
import { addon } from '../addon.js';
import type { Calibration } from '../contract/host.js';
import { calibrationSpinNs } from '../process.js';

type Figure = number | Promise<number>;
type PingPong = NonNullable<Calibration['pingPong']>;

/** The pieces, wherever they are done. */
export interface Work {
  spinNs(rounds: number): Figure;
  /** one load of a walk; 0 without the memory */
  memoryWalkNs(bytes: number, steps: number): Figure;
  /** CPU time of arithmetic on `cpu`, with the same on `partner` meanwhile; partner null: alone. 0: it cannot be placed */
  pairedSpinNs(rounds: number, cpu: number, partner: number | null): Figure;
  /** @throws Error where there is no loopback */
  pingPong(rounds: number, cpu: number, partner: number): PingPong | Promise<PingPong>;
}

interface CalibrationExports {
  processMemoryWalkNs(bytes: number, steps: number): number;
  processPairedSpinNs(rounds: number, cpu: number, partner: number): number;
  netPingPong(rounds: number, cpu: number, partner: number): PingPong;
}

/** Done by this process. */
export function ownWork(): Work {
  const native = addon<CalibrationExports>();
  return {
    spinNs: calibrationSpinNs,
    memoryWalkNs: native.processMemoryWalkNs,
    pairedSpinNs: (rounds, cpu, partner) => native.processPairedSpinNs(rounds, cpu, partner ?? -1),
    pingPong: native.netPingPong,
  };
}

const chainRounds = 5_000_000;
/** More than the second cache of most CPUs; a walk through more than the last one differs by where its pages lie. */
const walkBytes = 4 << 20;
const walkSteps = 1 << 15;
const roundTrips = 100;
const spinRounds = 200_000;

async function thrice<T>(measure: () => T | Promise<T>): Promise<T[]> {
  return [await measure(), await measure(), await measure()];
}

/** The best of three: what came between is no state of the machine. */
const best = async (measure: () => Figure): Promise<number> => Math.min(...(await thrice(measure)));

/** @param cpus those that server and client may get: the last and the first are taken, as trials take them */
export async function calibrate(cpus: readonly number[], work: Work): Promise<Calibration> {
  const [cpu, partner] = [cpus.at(-1)!, cpus[0]!];
  const spin = (beside: number | null) => best(() => work.pairedSpinNs(spinRounds, cpu, beside));
  const alone = await spin(null);
  return {
    spinNs: await best(() => work.spinNs(chainRounds)),
    memoryWalkNs: (await best(() => work.memoryWalkNs(walkBytes, walkSteps))) || null,
    pingPong: await pingPong(work, cpu, partner),
    pairedSpin: cpu === partner || alone === 0 ? null : (await spin(partner)) / alone,
  };
}

async function pingPong(work: Work, cpu: number, partner: number): Promise<Calibration['pingPong']> {
  try {
    const all = await thrice(() => work.pingPong(roundTrips, cpu, partner));
    return {
      roundTripNs: Math.min(...all.map(({ roundTripNs }) => roundTripNs)),
      cpuNs: Math.min(...all.map(({ cpuNs }) => cpuNs)),
    };
  } catch {
    return null; // a network namespace whose loopback is down
  }
}
