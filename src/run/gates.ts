/**
 * Doubts about a trial: gates make it invalid (it stays in the file and is shown, but no verdict uses it), warnings do
 * not. Pure functions of what was measured; each rule's reason stands beside it.
 */
import { decodeHistogram } from '../analysis/histogram.js';
import type { Gate, Sample, Window } from '../contract/sample.js';
import { busyLimit } from '../load/saturation.js';

/** What the gates look at. */
export interface Evidence {
  windows: Sample['windows'];
  network: Sample['network'];
  idleConnections: Sample['idleConnections'];
  awake?: Sample['awake'];
  pinning: Sample['pinning'];
  /** client and server run on two threads of one core */
  siblings: boolean;
  loadBefore: Sample['loadBefore'];
  vcpus: number;
  clockStepNs: number;
  calibrationNs: number;
  /** fastest calibration of the run so far */
  bestCalibrationNs: number;
}

/** A server thread busier than this is the limit of the figure. */
export const busyServer = 0.9;
const heldShare = 0.99;
/** Percent of the last 10 s; the programs of a run's own short trials, started beside fillers of idle CPUs, reach 12. */
const busyPressure = 20;
/** Replies that may still be on their way when a short window ends. */
const edgeReplies = 3;

const invalid = (id: string, message: string): Gate => ({ id, invalidates: true, message });
const warning = (id: string, message: string): Gate => ({ id, invalidates: false, message });
const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

/** CPU time of the server (one thread) over wall time between its two snapshots. */
export function serverBusyShare({ before, after }: Pick<Window, 'before' | 'after'>): number {
  const cpuUs = after.cpu.userUs - before.cpu.userUs + (after.cpu.systemUs - before.cpu.systemUs);
  const wallUs = (after.monotonicNs - before.monotonicNs) / 1000;
  return wallUs > 0 ? cpuUs / wallUs : 0;
}

/**
 * Whose limit is the figure? A server that is over 90 % busy is at its own limit, whatever the client says of itself:
 * client and server drive each other, and beside a saturated server a client is often busy as well, polling small
 * batches. Only when the server had time to spare does a busy or late client mean that the client set the figure.
 */
function saturation(name: string, window: Window): Gate[] {
  const { load } = window;
  const server = serverBusyShare(window);
  const due = ((load.offeredRate ?? 0) * load.windowNs) / 1e9;
  const behind = due - load.replies > Math.max(edgeReplies, (1 - heldShare) * due);
  const rates = `${load.achievedRate.toFixed(0)} of ${load.offeredRate?.toFixed(0)} requests/s`;
  if (server >= busyServer) {
    return behind
      ? [
          warning(
            'overload',
            `${name}: the server, ${percent(server)} busy, answered ${rates}: latency is that of overload`,
          ),
        ]
      : [];
  }
  const idle = `while the server was only ${percent(server)} busy`;
  if (behind) return [invalid('behind-schedule', `${name}: ${rates} were answered ${idle}`)];
  if (load.client.busyShare > busyLimit) {
    return [
      invalid('client-saturated', `${name}: the client was ${percent(load.client.busyShare)} busy ${idle}`),
    ];
  }
  return load.saturation.length > 0
    ? [invalid('client-saturated', `${name}: the client says ${load.saturation.join('; ')} ${idle}`)]
    : [];
}

/**
 * On loopback every request has its reply; any error means that something else was measured. Only what an open loop
 * asks beyond a busy server's power has to time out: that is the overload itself.
 */
function errors(name: string, window: Window): Gate[] {
  const { load } = window;
  const overloaded = load.mode === 'open' && serverBusyShare(window) >= busyServer;
  const { timeout } = load.errors;
  const seen = Object.entries(load.errors).filter(
    ([kind, count]) => count > 0 && !(overloaded && kind === 'timeout'),
  );
  return [
    ...(overloaded && timeout > 0
      ? [warning('overload-timeouts', `${name}: ${timeout} requests timed out at the overloaded server`)]
      : []),
    ...(seen.length > 0
      ? [
          invalid(
            'errors',
            `${name}: the client counted errors: ${seen.map(([kind, count]) => `${count} ${kind}`).join(', ')}`,
          ),
        ]
      : []),
    ...(load.replies === 0 ? [invalid('no-replies', `${name}: no reply came within the window`)] : []),
  ];
}

/** Loss is the server's only when the client took every reply that reached it, however busy the server was. */
function clientDrops(name: string, { load }: Window): Gate[] {
  const dropped = load.datagrams?.loss.clientSocket ?? 0;
  if (dropped === 0) return [];
  return [
    invalid(
      'client-drops',
      `${name}: ${dropped} replies overflowed the client's own sockets (a larger net.core.rmem_max holds more)`,
    ),
  ];
}

/**
 * A mode at 40 ms that its neighbours do not have is the kernel's delayed-acknowledgement timer, not the server. Its tick
 * is up to 4 ms, and a busy machine adds to that. Datagrams are not acknowledged: there it is an accident of few.
 */
function delayedAcks(name: string, { load }: Window): Gate[] {
  if (load.protocol === 'udp-echo') return [];
  const { values, counts, total } = decodeHistogram(load.latencyUncorrected.histogram);
  const share = (fromMs: number, toMs: number) =>
    values.reduce((sum, ns, row) => (ns >= fromMs * 1e6 && ns < toMs * 1e6 ? sum + counts[row]! : sum), 0) /
    total;
  const mode = share(39, 49);
  if (!(mode >= 0.01) || mode < 3 * (share(29, 39) + share(49, 59))) return [];
  return [
    invalid(
      'delayed-ack',
      `${name}: ${percent(mode)} of the replies took 39 to 49 ms, the delayed-ACK timer of the kernel`,
    ),
  ];
}

/**
 * Connections that the kernel dropped or asked for twice: connect times and counts are then not the server's. The
 * kernel counts for the whole machine; a trial of datagrams alone has no connection, so those are somebody else's.
 */
function backlog({ network, windows }: Evidence): Gate[] {
  if (!network) return [];
  const connects = Object.values(windows).some(({ load }) => load.protocol !== 'udp-echo');
  const overflow = network.listenOverflows + network.listenDrops + network.reqQFullDrop;
  return [
    ...(connects && overflow > 0
      ? [
          invalid(
            'listen-overflow',
            `the kernel dropped ${overflow} connection requests at a full listen queue`,
          ),
        ]
      : []),
    ...(connects && network.synRetransmits > 0
      ? [invalid('syn-retransmit', `${network.synRetransmits} connection requests had to be sent again`)]
      : []),
    ...(network.udpRcvbufErrors + network.udpSndbufErrors > 0
      ? [
          warning(
            'udp-buffers',
            `full socket buffers dropped ${network.udpRcvbufErrors} datagrams received and ${network.udpSndbufErrors} sent`,
          ),
        ]
      : []),
  ];
}

function idleCount(idle: Evidence['idleConnections']): Gate[] {
  if (!idle) return [];
  const { asked, standing, seenByServer, reconnects } = idle;
  return [
    ...(standing !== asked || seenByServer !== asked
      ? [
          invalid(
            'idle-count',
            `${asked} idle connections were asked, ${standing} stand, the server counts ${seenByServer}`,
          ),
        ]
      : []),
    ...(reconnects > 0
      ? [invalid('idle-reconnects', `${reconnects} idle connections broke and were opened again`)]
      : []),
  ];
}

function machineState(evidence: Evidence): Gate[] {
  const { pinning, siblings, awake, loadBefore, vcpus, clockStepNs, calibrationNs, bestCalibrationNs } =
    evidence;
  const drift = calibrationNs / bestCalibrationNs - 1;
  // The load average also counts what this run did a minute ago; only without the kernel's own measure of waiting is it used.
  const { average, pressure } = loadBefore;
  const pressed = pressure === null ? average > 0.75 * vcpus : pressure > busyPressure;
  return [
    ...(clockStepNs > 1000
      ? [invalid('clock-step', `the clock moves in steps of ${clockStepNs} ns, above 1 µs`)]
      : []),
    ...(pinning.shared
      ? [warning('shared-cpu', `client and server share CPU ${pinning.server.join(', ')}`)]
      : []),
    ...(siblings && !pinning.shared
      ? [warning('shared-core', 'client and server run on two threads of one core')]
      : []),
    ...(awake?.reason
      ? [warning('sleeping-cpu', `response times include wake-ups of sleeping CPUs: ${awake.reason}`)]
      : []),
    ...(pressed
      ? [
          warning(
            'busy-machine',
            `before the trial the load average was ${loadBefore.average.toFixed(2)} on ${vcpus} CPUs` +
              (loadBefore.pressure === null
                ? ''
                : ` and the CPU pressure ${loadBefore.pressure.toFixed(0)} %`),
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

export function gates(evidence: Evidence): Gate[] {
  const perWindow = Object.entries(evidence.windows).flatMap(([name, window]) => [
    ...errors(name, window),
    ...saturation(name, window),
    ...clientDrops(name, window),
    ...delayedAcks(name, window),
  ]);
  return [
    ...perWindow,
    ...idleCount(evidence.idleConnections),
    ...backlog(evidence),
    ...machineState(evidence),
  ];
}
