/** Fixed pieces of work, a few milliseconds each, that show what the machine is like now. */
import { addon } from '../addon.js';
import type { Calibration } from '../contract/host.js';
import { calibrationSpinNs } from '../process.js';

interface CalibrationExports {
  processMemoryWalkNs(bytes: number, steps: number): number;
  processPairedSpinNs(rounds: number, cpu: number, partner: number): number;
  netPingPong(rounds: number, cpu: number, partner: number): { roundTripNs: number; cpuNs: number };
}

/** More than the second cache of most CPUs; a walk through more than the last one differs by where its pages lie. */
const walkBytes = 4 << 20;
const walkSteps = 1 << 15;
const roundTrips = 100;
const spinRounds = 200_000;

/** The best of three: what came between is no state of the machine. */
function best(measure: () => number): number {
  return Math.min(measure(), measure(), measure());
}

/** @param cpus those that server and client may get: the last and the first are taken, as trials take them */
export function calibrate(cpus: readonly number[]): Calibration {
  const native = addon<CalibrationExports>();
  const [cpu, partner] = [cpus.at(-1)!, cpus[0]!];
  const spin = (beside: number) => best(() => native.processPairedSpinNs(spinRounds, cpu, beside));
  const alone = spin(-1);
  return {
    spinNs: best(calibrationSpinNs),
    memoryWalkNs: best(() => native.processMemoryWalkNs(walkBytes, walkSteps)) || null,
    pingPong: pingPong(native, cpu, partner),
    pairedSpin: cpu === partner || alone === 0 ? null : spin(partner) / alone,
  };
}

function pingPong(native: CalibrationExports, cpu: number, partner: number): Calibration['pingPong'] {
  try {
    const all = [1, 2, 3].map(() => native.netPingPong(roundTrips, cpu, partner));
    return {
      roundTripNs: Math.min(...all.map(({ roundTripNs }) => roundTripNs)),
      cpuNs: Math.min(...all.map(({ cpuNs }) => cpuNs)),
    };
  } catch {
    return null; // a network namespace whose loopback is down
  }
}
