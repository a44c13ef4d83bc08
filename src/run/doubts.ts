/** Doubts about a whole trial, whatever it measured: the state of its machines, and what the network dropped. */
import type { MachineState } from '../contract/host.js';
import type { Gate, Pinning } from '../contract/sample.js';
import { counted } from '../number.js';
import { invalid, losesPackets, percent, warning } from '../trials/gates.js';
import { linkDoubts } from '../trials/link-gates.js';
import { meanwhile } from '../trials/meanwhile.js';
import { kindOf } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { pieces, slowdowns, type Timings, timingsIn } from './calibration.js';

/**
 * Percent of the last 10 s; the programs of a run's own short trials, started beside fillers of idle CPUs, reach 12, those
 * of a generation that are all started at once 25.
 */
const busyPressure = 28;

export type Judged = Pick<
  Sample,
  | 'measurements'
  | 'link'
  | 'network'
  | 'awake'
  | 'pinning'
  | 'loadBefore'
  | 'host'
  | 'clientHost'
  | 'calibrationNs'
  | 'machine'
>;

/**
 * Connections that the kernel dropped or asked for twice: connect times and counts are then not the server's. The
 * kernel counts for the whole machine; a trial of datagrams alone has no connection, so those are somebody else's.
 */
function network({ network, measurements, host }: Judged): Gate[] {
  if (!network) return [];
  const how = Object.values(measurements).map((one) => kindOf(one).connects);
  const connects = how.some((one) => one !== false);
  const doubt = how.includes(true) ? invalid : warning;
  const sum = (name: keyof typeof network.server) => network.server[name] + (network.client?.[name] ?? 0);
  const overflow = sum('listenOverflows') + sum('listenDrops') + sum('reqQFullDrop');
  const [received, sent] = [sum('udpRcvbufErrors'), sum('udpSndbufErrors')];
  return [
    ...(connects && overflow > 0
      ? [
          doubt(
            'listen-overflow',
            `the kernel dropped ${counted(overflow, 'connection request')} at a full listen queue`,
          ),
        ]
      : []),
    ...(connects && sum('synRetransmits') > 0
      ? [
          (losesPackets(host.link ?? null) ? warning : doubt)(
            'syn-retransmit',
            `${counted(sum('synRetransmits'), 'connection request')} had to be sent again`,
          ),
        ]
      : []),
    ...(received + sent > 0
      ? [
          warning(
            'udp-buffers',
            `full socket buffers dropped ${counted(received, 'datagram')} received and ${sent} sent`,
          ),
        ]
      : []),
  ];
}

function cpus(pinning: Pinning): Gate[] {
  if (pinning.shared)
    return [warning('shared-cpu', `client and server share CPU ${pinning.server.join(', ')}`)];
  return pinning.siblings ? [warning('shared-core', 'client and server run on two threads of one core')] : [];
}

/** Two threads of one core do 1.3 to 2 times less each when both work. */
const pairedLimit = 1.2;
/** Both clocks are read one after the other, the wall clock by the millisecond. */
const clockErrorNs = 5e6;

/** The machine before the trial, after it, and at its best: states of seconds show, those within a window do not. */
function steadiness(trial: Judged, best: Timings): Gate[] {
  const [before, after] = timingsIn(trial);
  const slower = slowdowns(before!, best)
    .filter(({ piece, share }) => share > pieces[piece].steady)
    .map(({ piece, share }) =>
      warning(
        'calibration',
        `the machine ${pieces[piece].does} ${percent(share)} slower than at its best in this run`,
      ),
    );
  const changed = (after ? slowdowns(after, before!) : [])
    .filter(({ piece }) => pieces[piece].after)
    .filter(({ piece, share }) => Math.max(share, 1 / (1 + share) - 1) > pieces[piece].steady)
    .map(({ piece, share }) =>
      warning(
        'unsteady-machine',
        `the machine ${pieces[piece].does} ${percent(Math.abs(share))} ${share > 0 ? 'slower' : 'faster'} after the trial than before`,
      ),
    );
  return [...slower, ...changed];
}

/** What a trial's own machine did to it between the state before and the one after. */
function between(before: MachineState, after: MachineState): Gate[] {
  const jumpNs =
    after.clock.realtimeNs - before.clock.realtimeNs - (after.clock.monotonicNs - before.clock.monotonicNs);
  const stopped = (after.throttledPeriods ?? 0) - (before.throttledPeriods ?? 0);
  const { count, max } = after.conntrack ?? { count: 0, max: 1 };
  return [
    ...(Math.abs(jumpNs) > clockErrorNs
      ? [warning('clock-set', `the time of day was set by ${(jumpNs / 1e6).toFixed(0)} ms during the trial`)]
      : []),
    ...(stopped > 0
      ? [invalid('cpu-quota', `a CPU quota stopped the programs in ${stopped} of its periods`)]
      : []),
    ...(count > 0.9 * max
      ? [warning('conntrack', `the firewall tracks ${count} connections and drops new ones at ${max}`)]
      : []),
  ];
}

/** @param best the machine at its best in the run so far */
function machine(trial: Judged, best: Timings): Gate[] {
  const { awake, loadBefore, host, clientHost, pinning, machine: around } = trial;
  const { average, pressure } = loadBefore;
  const step = Math.max(host.clockStepNs, clientHost.clockStepNs);
  const paired = around?.before.calibration.pairedSpin ?? 1;
  // Pressure is time that somebody waited for a CPU in the last 10 s. Only a kernel without it is judged by its load
  // average, which still counts what this run itself did a minute ago.
  const pressed = pressure === null ? average > 0.75 * host.vcpus : pressure > busyPressure;
  return [
    ...(step > 1000 ? [invalid('clock-step', `the clock moves in steps of ${step} ns, above 1 µs`)] : []),
    ...(awake?.reason
      ? [warning('sleeping-cpu', `response times include wake-ups of sleeping CPUs: ${awake.reason}`)]
      : []),
    ...(pressed
      ? [
          warning(
            'busy-machine',
            `before the trial the load average was ${average.toFixed(2)} on ${counted(host.vcpus, 'CPU')}` +
              (pressure === null ? '' : ` and the CPU pressure ${pressure.toFixed(0)} %`),
          ),
        ]
      : []),
    ...steadiness(trial, best),
    ...(paired > pairedLimit && !pinning.siblings && !pinning.shared
      ? [
          warning(
            'hidden-siblings',
            `the CPUs of server and client slow each other down (x${paired.toFixed(2)}), as threads of one core do, and the system does not say so`,
          ),
        ]
      : []),
    ...(around?.after ? between(around.before, around.after) : []),
  ];
}

function linkOf({ host, link, measurements }: Judged): Gate[] {
  if (!host.link) return [];
  const served = Object.values(measurements).flatMap((one) => kindOf(one).served(one) ?? []);
  return linkDoubts(
    host.link,
    link,
    served.map(({ span }) => span),
  );
}

/** All doubts about a trial: those of its kinds about each measurement, and those about it as a whole. */
export function doubts(trial: Judged, best: Timings): Gate[] {
  const all = [
    ...Object.entries(trial.measurements).flatMap(([name, one]) => {
      const kind = kindOf(one);
      const served = kind.served(one);
      return [
        ...kind.gates(name, one, trial.host.link ?? null),
        ...(served ? meanwhile(name, served, trial.awake !== null) : []),
      ];
    }),
    ...network(trial),
    ...linkOf(trial),
    ...cpus(trial.pinning),
    ...machine(trial, best),
  ];
  // What holds for a whole trial may be found in each of its measurements.
  return [...new Map(all.map((gate) => [`${gate.id} ${gate.message}`, gate])).values()];
}
