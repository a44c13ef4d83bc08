/** Doubts about a whole trial, whatever it measured: the state of its machines, and what the network dropped. */
import type { Gate, Pinning } from '../contract/sample.js';
import { invalid, percent, warning } from '../trials/gates.js';
import { kindOf } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';

/** Percent of the last 10 s; the programs of a run's own short trials, started beside fillers of idle CPUs, reach 12. */
const busyPressure = 20;

export type Judged = Pick<
  Sample,
  'measurements' | 'network' | 'awake' | 'pinning' | 'loadBefore' | 'host' | 'clientHost' | 'calibrationNs'
>;

/**
 * Connections that the kernel dropped or asked for twice: connect times and counts are then not the server's. The
 * kernel counts for the whole machine; a trial of datagrams alone has no connection, so those are somebody else's.
 */
function network({ network, measurements }: Judged): Gate[] {
  if (!network) return [];
  const connects = Object.values(measurements).some((one) => kindOf(one).connects);
  const sum = (name: keyof typeof network.server) => network.server[name] + (network.client?.[name] ?? 0);
  const overflow = sum('listenOverflows') + sum('listenDrops') + sum('reqQFullDrop');
  const [received, sent] = [sum('udpRcvbufErrors'), sum('udpSndbufErrors')];
  return [
    ...(connects && overflow > 0
      ? [
          invalid(
            'listen-overflow',
            `the kernel dropped ${overflow} connection requests at a full listen queue`,
          ),
        ]
      : []),
    ...(connects && sum('synRetransmits') > 0
      ? [invalid('syn-retransmit', `${sum('synRetransmits')} connection requests had to be sent again`)]
      : []),
    ...(received + sent > 0
      ? [
          warning(
            'udp-buffers',
            `full socket buffers dropped ${received} datagrams received and ${sent} sent`,
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

/** @param bestCalibrationNs fastest of the run so far */
function machine(trial: Judged, bestCalibrationNs: number): Gate[] {
  const { awake, loadBefore, host, clientHost, calibrationNs } = trial;
  const { average, pressure } = loadBefore;
  const step = Math.max(host.clockStepNs, clientHost.clockStepNs);
  const drift = calibrationNs / bestCalibrationNs - 1;
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
            `before the trial the load average was ${average.toFixed(2)} on ${host.vcpus} CPUs` +
              (pressure === null ? '' : ` and the CPU pressure ${pressure.toFixed(0)} %`),
          ),
        ]
      : []),
    ...(drift > 0.05
      ? [
          warning(
            'calibration',
            `the machine calculated ${percent(drift)} slower than at its best in this run`,
          ),
        ]
      : []),
  ];
}

/** All doubts about a trial: those of its kinds about each measurement, and those about it as a whole. */
export function doubts(trial: Judged, bestCalibrationNs: number): Gate[] {
  const all = [
    ...Object.entries(trial.measurements).flatMap(([name, one]) => kindOf(one).gates(name, one)),
    ...network(trial),
    ...cpus(trial.pinning),
    ...machine(trial, bestCalibrationNs),
  ];
  // What holds for a whole trial may be found in each of its measurements.
  return [...new Map(all.map((gate) => [`${gate.id} ${gate.message}`, gate])).values()];
}
