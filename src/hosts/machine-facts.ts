/**
 * What an observer says of a machine: made from the texts of its system and the few things that a program there has to find
 * out itself. It reads nothing but those, so that it serves machines on which nothing of this language runs.
 */
import type {
  Calibration,
  CpuTimes,
  HostCounters,
  HostLook,
  HostState,
  MachineState,
  MemoryUse,
} from '../contract/host.js';
import { everyState, parseCpuTimes, timeIn } from './cpu-times.js';
import {
  allowedCpus,
  bootId,
  conntrack,
  coreSiblings,
  cpuAccounting,
  ephemeralPorts,
  hypervisor,
  mitigations,
  settings,
  sleepTimes,
  type Texts,
  ticklessCpus,
} from './linux-facts.js';
import { parseMemoryUse } from './memory-use.js';
import { parseNetworkCounters } from './network-counters.js';
import { ownThrottledPeriods } from './throttling.js';

/** What a program on the machine finds out. */
export interface Basics
  extends Pick<
      HostLook,
      'backends' | 'engines' | 'nodeBackend' | 'gateways' | 'runtimes' | 'versions' | 'addonDigest'
    >,
    Pick<HostLook['facts'], 'vcpus' | 'cpuModel' | 'memoryBytes' | 'clockStepNs'>,
    Pick<HostLook['environment'], 'os' | 'arch' | 'descriptorLimit'> {
  /** that programs may use, where the texts do not say */
  cpus: readonly number[];
  memoryFreeBytes: number;
  /** what its kernel was configured with; null: that is not kept */
  kernelConfig: string | null;
}

export function lookOf(basics: Basics, texts: Texts): Omit<HostLook, 'event'> {
  const { os, arch, descriptorLimit, vcpus, cpuModel, memoryBytes, clockStepNs } = basics;
  const { backends, engines, nodeBackend, gateways, runtimes, versions, addonDigest } = basics;
  const available = texts.read('/proc/meminfo')?.match(/^MemAvailable:\s+(\d+) kB/m)?.[1];
  return {
    facts: {
      hypervisor: hypervisor(texts),
      accelerator: null,
      vcpus,
      cpuModel,
      memoryBytes,
      kernel: os,
      clockSource:
        texts.read('/sys/devices/system/clocksource/clocksource0/current_clocksource') ?? 'unknown',
      clockStepNs,
      cpuAccounting: cpuAccounting(basics.kernelConfig, ticklessCpus(texts)),
      congestionControl: texts.read('/proc/sys/net/ipv4/tcp_congestion_control'),
    },
    environment: {
      os,
      arch,
      descriptorLimit,
      ephemeralPorts: ephemeralPorts(texts),
      mitigations: mitigations(texts),
      settings: settings(texts),
    },
    bootId: bootId(texts),
    cpus: (allowedCpus(texts) ?? basics.cpus).map((cpu) => ({ cpu, siblings: coreSiblings(cpu, texts) })),
    memoryAvailableBytes: available === undefined ? basics.memoryFreeBytes : Number(available) * 1024,
    backends,
    engines,
    nodeBackend,
    gateways,
    runtimes,
    versions,
    addonDigest,
  };
}

/** Times of the CPUs, with those that tell of a short window as well; null: the system does not count them. */
function cpus(stat: string, texts: Texts, monotonicNs: number): CpuTimes[] | null {
  const times = parseCpuTimes(stat);
  // gVisor has the rows, and counts nothing in them.
  if (timeIn(times, everyState) === 0) return null;
  const slept = sleepTimes(
    times.map(({ cpu }) => cpu),
    texts,
  );
  const elapsedUs = Math.round(monotonicNs / 1000);
  return times.map((one, index) => ({ ...one, elapsedUs, sleepUs: slept[index]! }));
}

/** What pressure stall information says of CPUs; null: the kernel has none. */
const pressure = (texts: Texts): string | null => texts.read('/proc/pressure/cpu');

/** @param monotonicNs when the texts were read */
export function countersOf(texts: Texts, monotonicNs: number): Omit<HostCounters, 'event'> {
  const files = ['/proc/net/netstat', '/proc/net/snmp'].map((path) => texts.read(path));
  const stat = texts.read('/proc/stat');
  const waited = pressure(texts)?.match(/^some .*total=(\d+)/)?.[1];
  return {
    network: files.includes(null) ? null : parseNetworkCounters(files.join('\n')),
    cpus: stat === null ? null : cpus(stat, texts, monotonicNs),
    waitedUs: waited === undefined ? null : Number(waited),
  };
}

export function memoryOf(
  { memoryBytes, memoryFreeBytes }: Pick<Basics, 'memoryBytes' | 'memoryFreeBytes'>,
  texts: Texts,
): MemoryUse {
  const said = parseMemoryUse(texts.read('/proc/meminfo') ?? '', texts.read('/proc/net/sockstat') ?? '');
  return said ?? { usedBytes: memoryBytes - memoryFreeBytes, kernelBytes: null, tcpBufferPages: null };
}

/** @param load average of the last minute */
export function stateOf(
  texts: Texts,
  load: number,
  calibration: Calibration,
  clock: MachineState['clock'],
): Omit<HostState, 'event'> {
  const waiting = pressure(texts)?.match(/^some avg10=([\d.]+)/)?.[1];
  return {
    load: { average: load, pressure: waiting === undefined ? null : Number(waiting) },
    calibration,
    clock,
    conntrack: conntrack(texts),
    throttledPeriods: ownThrottledPeriods(texts),
  };
}
