/** Doubts about a window of load on standing connections. */
import type { Gate } from '../contract/sample.js';
import {
  delayedAcks,
  errors,
  invalid,
  nobodysLimit,
  offerOf,
  repeatedConnects,
  saturation,
  warning,
  zeroLatencies,
} from './gates.js';
import type { Link, Served } from './kind.js';
import type { IdleConnections, LoadMeasurement } from './load-window.js';
import { meanwhile } from './meanwhile.js';

function idleCount(idle: IdleConnections | null): Gate[] {
  if (!idle) return [];
  const { asked, standing, seenByServer, reconnects } = idle;
  const seen = seenByServer ?? asked;
  return [
    ...(standing !== asked || seen !== asked
      ? [
          invalid(
            'idle-count',
            `${asked} idle connections were asked, ${standing} stand, the server counts ${seen}`,
          ),
        ]
      : []),
    ...(reconnects > 0
      ? [invalid('idle-reconnects', `${reconnects} idle connections broke and were opened again`)]
      : []),
  ];
}

/** A lower rate than others were offered: latencies of the two are not those of equal load. */
function lowerRate(name: string, { load, askedRate }: LoadMeasurement): Gate[] {
  if (askedRate === null || load.offeredRate === null || load.offeredRate > 0.9 * askedRate) return [];
  return [
    warning(
      'lower-rate',
      `${name}: offered ${load.offeredRate.toFixed(0)} instead of ${askedRate}/s, at which this server has no time to spare`,
    ),
  ];
}

export function loadGates(name: string, measurement: LoadMeasurement, link: Link): Gate[] {
  const { load: figures, idle } = measurement;
  const { timeout, ...others } = figures.errors;
  return [
    ...errors(
      name,
      measurement,
      { open: figures.mode === 'open', timeouts: timeout, others, replies: figures.replies },
      link,
    ),
    ...saturation(name, measurement, offerOf(figures), link),
    ...(figures.mode === 'closed' ? nobodysLimit(name, measurement, figures.client.busyShare, link) : []),
    ...delayedAcks(name, figures.latencyUncorrected.histogram, link),
    ...zeroLatencies(name, figures.latencyUncorrected.histogram),
    ...repeatedConnects(name, figures.connect.histogram),
    ...idleCount(idle),
    ...lowerRate(name, measurement),
  ];
}

export const loadServed = (measurement: LoadMeasurement): Served => ({
  span: measurement,
  bytes: measurement.load.bytesIn + measurement.load.bytesOut,
  durationNs: measurement.load.windowNs,
  clientUs: measurement.load.client.cpuUs,
});

/** Whether what is known of one window alone makes it invalid. */
export const refused = (name: string, measurement: LoadMeasurement, link: Link): boolean =>
  [...loadGates(name, measurement, link), ...meanwhile(name, loadServed(measurement), false)].some(
    ({ invalidates }) => invalidates,
  );
