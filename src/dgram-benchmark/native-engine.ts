/** The native engine: threads that send, receive and book; JavaScript only looks. */
import { addon } from '../addon.js';
import { hdrHistogram, type RawHistogram } from '../load/histogram.js';
import type { Engine, EngineConfig, EngineInterval, EngineOutcome, EngineState } from './engine.js';

type HistogramKey = 'latency' | 'uncorrected' | 'sendLag';
type NativeOutcome = Omit<EngineOutcome, HistogramKey> & Record<HistogramKey, RawHistogram>;

interface DatagramExports {
  datagramStart(config: EngineConfig): number;
  datagramState(handle: number): EngineState;
  datagramIntervals(handle: number, first: number): EngineInterval[];
  datagramReplies(handle: number): Float64Array;
  datagramStop(handle: number): void;
  datagramOutcome(handle: number): NativeOutcome;
  datagramFree(handle: number): void;
}

/** @throws Error in one sentence that names the engine which needs none of it */
function nativePart(): DatagramExports {
  try {
    return addon<DatagramExports>();
  } catch (error) {
    throw new Error(`${(error as Error).message}; or take the engine that needs none of it: --engine js`);
  }
}

export async function startNativeEngine(config: EngineConfig): Promise<Engine> {
  const native = nativePart();
  const handle = native.datagramStart(config);
  return {
    state: () => native.datagramState(handle),
    intervals: (first) => native.datagramIntervals(handle, first),
    replies: () => native.datagramReplies(handle),
    stop: () => native.datagramStop(handle),
    outcome: () => {
      const { latency, uncorrected, sendLag, ...rest } = native.datagramOutcome(handle);
      return {
        ...rest,
        latency: hdrHistogram(latency),
        uncorrected: hdrHistogram(uncorrected),
        sendLag: hdrHistogram(sendLag),
      };
    },
    free: () => native.datagramFree(handle),
  };
}
