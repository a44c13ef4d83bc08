/** Datagrams to one or many ports of a server, closed loop or by a schedule; what became of each is in its ledger. */

import { z } from 'zod';
import { type DatagramResult, datagramResult } from '../contract/dgram.js';
import { type Gate, span } from '../contract/sample.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import { loadProgram } from '../programs/load.js';
import { drive } from '../stage/drive.js';
import { ofSubject } from '../stage/limits.js';
import { errors, invalid, offerOf, saturation, warmUp, zeroLatencies } from './gates.js';
import { trialKind } from './kind.js';
import { loadMetrics, ratio, servedMetrics } from './served.js';

export interface DatagramTrial {
  kind: 'datagrams';
  subject: Subject & { protocol: 'udp-echo'; ports: number };
  /** the CPUs of server and client do not sleep during the window */
  keepAwake: boolean;
  /** datagrams per second over all ports; null: closed loop */
  rate: number | null;
  /** unanswered datagrams that a closed loop allows */
  window: number;
  /** bytes of a datagram */
  size: number;
  warmupMs: number;
  durationMs: number;
}

const datagramMeasurement = z.object({
  kind: z.literal('datagrams'),
  datagrams: datagramResult,
  ...span.shape,
});
type DatagramMeasurement = z.infer<typeof datagramMeasurement>;

/** Loss is the server's only when the client took every reply that reached it, however busy the server was. */
function clientDrops(name: string, { loss }: DatagramResult): Gate[] {
  return loss.clientSocket === 0
    ? []
    : [
        invalid(
          'client-drops',
          `${name}: ${loss.clientSocket} replies overflowed the client's own sockets (a larger net.core.rmem_max holds more)`,
        ),
      ];
}

/** Replies of each second; the last part of a series may be shorter. */
const wholeSeconds = ({ series, windowNs }: DatagramResult): number[] =>
  series.slice(0, Math.floor(windowNs / 1e9)).map(({ received }) => received);

export const datagrams = trialKind({
  id: 'datagrams',
  measurement: datagramMeasurement,
  connects: false,

  needs({ subject, keepAwake }: DatagramTrial) {
    const server = ofSubject(subject);
    return {
      ...server,
      byNode: keepAwake || server.byNode,
      perProcess: subject.ports,
      what: 'ports',
      connections: 0,
      active: 0,
    };
  },

  async carryOut(spec, stage, done) {
    const { subject, keepAwake, rate, window, size, warmupMs, durationMs } = spec;
    const name = rate === null ? 'closed' : 'open';
    const servers = await stage.serve(subject, { keepAwake });
    await stage.watchNetwork();
    const client = loadProgram({
      protocol: subject.protocol,
      target: servers.targets[0]!,
      connections: 1,
      ports: subject.ports,
      portOrder: 'random',
      pipelining: window,
      rate,
      size,
      warmupS: warmupMs / 1000,
      durationS: durationMs / 1000,
      cpus: stage.pinning.client,
    });
    const load = {
      name: `client of window '${name}'`,
      clients: [client],
      connections: 1,
      warmupMs,
      durationMs,
    };
    const { results, span: around } = await drive(stage, servers, load);
    const datagrams = validated(datagramResult, results[0], "the client's result");
    done(name, { kind: 'datagrams', datagrams, ...around });
  },

  gates(name, measurement, link) {
    const { datagrams: figures } = measurement;
    return [
      ...errors(
        name,
        measurement,
        {
          open: figures.mode === 'open',
          timeouts: 0,
          others: {
            refused: figures.unreachable,
            mismatch: figures.corrupted + figures.truncated + figures.foreign,
            'not sent': figures.sendErrors,
          },
          replies: figures.replies,
        },
        link,
      ),
      ...saturation(name, measurement, offerOf(figures), link),
      ...clientDrops(name, figures),
      ...zeroLatencies(name, figures.latencyUncorrected.histogram),
      ...warmUp(name, measurement, wholeSeconds(figures)),
    ];
  },

  metrics: [
    ...loadMetrics(({ datagrams: figures }: DatagramMeasurement) => figures),
    ...servedMetrics(({ datagrams: { replies, client } }: DatagramMeasurement) => ({
      replies,
      busyShare: client.busyShare,
    })),
    {
      id: 'loss-rate',
      title: 'Datagrams lost',
      unit: '%',
      better: 'lower',
      digits: 3,
      meaning: '',
      from: ['closed', 'open'],
      of: ({ datagrams: { lost, sent } }: DatagramMeasurement) => ratio(100 * lost, sent),
    },
    {
      id: 'loss-free-rate',
      title: 'Loss-free rate, closed loop',
      unit: 'datagrams/s',
      better: 'higher',
      digits: 0,
      meaning:
        'Closed loop: the unanswered datagrams always fit every socket buffer, so that none is lost and the server sets the pace. It is the highest rate that is loss-free for certain, not the highest of every load: an open loop may be carried at a higher rate, where a longer queue lets a scan serve more datagrams, or lose some at a lower one, where a burst overflows a buffer. The table below the plots has both.',
      from: ['closed'],
      // A closed loop that lost one was held up by its timeout: what it answered then is no rate of the server's.
      of: ({ datagrams: { lost, achievedRate } }: DatagramMeasurement) => (lost === 0 ? achievedRate : null),
    },
  ],

  served: (measurement) => ({
    span: measurement,
    bytes: measurement.datagrams.bytesIn + measurement.datagrams.bytesOut,
    durationNs: measurement.datagrams.windowNs,
    clientUs: measurement.datagrams.client.cpuUs,
  }),
  distributions: ({ datagrams: { latency, latencyUncorrected, sendLag } }) => ({
    latency,
    latencyUncorrected,
    sendLag,
  }),
  durationNs: ({ datagrams: { windowNs } }) => windowNs,
});
