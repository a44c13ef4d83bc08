/** A datagram load under the load contract: the lines and the result that every load client gives. */
import type { DatagramResult } from '../contract/dgram.js';
import type { LoadFigures } from '../contract/load.js';
import { allowedCpus } from '../hosts/linux-facts.js';
import type { LoadObserver, LoadOptions } from '../load/engine.js';
import { latencyOfHistogram } from '../load/histogram.js';
import { requireDescriptors } from '../load/limits.js';
import { followEngine } from './benchmark.js';
import type { EngineConfig, EngineOutcome } from './engine.js';
import { attributeLoss, readKernelView } from './loss.js';
import { startNativeEngine } from './native-engine.js';
import { type DgramOptions, engineConfig, readOptions } from './options.js';
import { meanJitterNs } from './ports.js';
import { intervalsIn } from './result.js';
import { saturationReasons } from './saturation.js';

export interface DatagramLoadOptions extends Omit<LoadOptions, 'protocol'> {
  ports: number;
  portOrder: DgramOptions['portOrder'];
}

/**
 * Bytes of SO_RCVBUF, which the system cuts to what it allows (net.core.rmem_max). A server that finds thousands of
 * ports ready answers them in one burst, and what the one socket of the client drops would look like the server's loss.
 */
const receiveBuffer = 4 << 20;

function optionsOf({ target, rate, ...load }: DatagramLoadOptions): DgramOptions {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return readOptions({
    url: `${host}:${target.port}`,
    ports: load.ports,
    portOrder: load.portOrder,
    connections: load.connections,
    pipelining: load.pipelining,
    ...(rate === null ? {} : { overallRate: rate }),
    arrival: load.arrival,
    seed: load.seed,
    size: load.size,
    duration: load.windowNs / 1e9,
    timeout: load.timeoutNs / 1e9,
    receiveBuffer,
  });
}

/**
 * One load from the first socket to the result. The warm-up is a run of its own, on sockets of its own.
 * @throws Error in one sentence
 */
export async function runDatagramLoad(
  load: DatagramLoadOptions,
  observer: LoadObserver,
): Promise<DatagramResult> {
  const options = optionsOf(load);
  requireDescriptors(options.connections);
  const config = await engineConfig(options, false);
  await observer.line({ event: 'connected', connections: options.connections, elapsedNs: 0 });
  if (load.warmupNs > 0) await warmUp(config, load.warmupNs);
  const before = await readKernelView(options.port, options.ports);
  let startedNs = 0;
  const outcome = await followEngine(startNativeEngine, config, {
    started(monotonicNs) {
      startedNs = monotonicNs;
      void observer.line({ event: 'window-start', monotonicNs });
    },
    sent: () => void observer.line({ event: 'window-end', monotonicNs: startedNs + load.windowNs }),
  });
  const loss = attributeLoss(outcome, before, await readKernelView(options.port, options.ports));
  return {
    ...figuresOf(load, outcome),
    protocol: 'udp-echo',
    ports: options.ports,
    portOrder: options.portOrder,
    ...outcome.counts,
    lost: outcome.counts.sent - outcome.counts.received,
    lossRate: 1 - outcome.counts.received / Math.max(1, outcome.counts.sent),
    loss,
    jitterNs: meanJitterNs(outcome.flows),
    series: intervalsIn(1, outcome.series),
    saturation: saturationReasons(outcome, load.rate !== null, outcome.sendLag, loss),
  };
}

/** Its replies are not measured; the drain only waits for those that come at once. */
async function warmUp(config: EngineConfig, durationNs: number): Promise<void> {
  await followEngine(
    startNativeEngine,
    { ...config, durationNs, timeoutNs: Math.min(config.timeoutNs, 1e8) },
    {},
  );
}

/** What it has in common with every other load. */
function figuresOf(load: DatagramLoadOptions, outcome: EngineOutcome): Omit<LoadFigures, 'saturation'> {
  const { rate, windowNs } = load;
  const { counts } = outcome;
  return {
    event: 'result',
    mode: rate === null ? 'closed' : 'open',
    arrival: rate === null ? null : load.arrival,
    target: `${load.target.host}:${load.target.port}`,
    connections: load.connections,
    size: load.size,
    pipelining: load.pipelining,
    windowNs,
    warmupNs: load.warmupNs,
    offeredRate: rate === null ? null : outcome.offered / (windowNs / 1e9),
    requests: counts.sent,
    replies: counts.received,
    achievedRate: counts.received / (windowNs / 1e9),
    bytesIn: outcome.bytesIn,
    bytesOut: outcome.bytesOut,
    latency: latencyOfHistogram(outcome.latency),
    latencyUncorrected: latencyOfHistogram(outcome.uncorrected),
    sendLag: rate === null ? null : latencyOfHistogram(outcome.sendLag),
    client: {
      cpuAffinity: allowedCpus() ?? [],
      busyShare: Math.max(0, outcome.busiestShare),
      spinShare: outcome.spinNs / windowNs,
      cpuUs: outcome.cpuNs / 1000,
      pacer: rate === null ? null : { p50: outcome.pacerP50Ns, p99: outcome.pacerP99Ns },
    },
  };
}
