/** The machine this process runs on: what its observer answers. Reads files and asks the addon; starts nothing. */
import { cpus as allCpus, freemem, loadavg, release, totalmem, type } from 'node:os';
import { addonPath, packageVersion } from '../addon.js';
import type { CpuTimes, HostCounters, HostLook, HostState, MemoryCopy } from '../contract/host.js';
import { listBackends, nodeBackend } from '../dispatch/registry.js';
import { foundGateways } from '../gateways/parts.js';
import { clockStepNs, fileDigest, monotonicNs } from '../process.js';
import { calibrate } from './calibration.js';
import { everyState, parseCpuTimes, timeIn } from './cpu-times.js';
import {
  allowedCpus,
  conntrack,
  coreSiblings,
  cpuAccounting,
  descriptorLimit,
  ephemeralPorts,
  hypervisor,
  lastLevelCacheBytes,
  mitigations,
  ownBootId,
  readFact,
  settings,
  sleepTimes,
} from './linux-facts.js';
import { measureMemoryCopy } from './memory-copy.js';
import { parseNetworkCounters } from './network-counters.js';
import { ownThrottledPeriods } from './throttling.js';

/** Where the system does not tell its limit, the number POSIX systems have had for long. */
const unknownLimit = { soft: 1024, hard: 1024 };

function memoryAvailable(): number {
  const available = readFact('/proc/meminfo')?.match(/^MemAvailable:\s+(\d+) kB/m)?.[1];
  return available === undefined ? freemem() : Number(available) * 1024;
}

/** CPUs that programs may use here. */
const usable = (): number[] => allowedCpus() ?? allCpus().map((_, index) => index);

export function look(): Omit<HostLook, 'event'> {
  const system = `${type()} ${release()}`;
  const { node, v8, uv } = process.versions;
  return {
    facts: {
      hypervisor: hypervisor(),
      accelerator: null,
      vcpus: allCpus().length,
      cpuModel: allCpus()[0]?.model.trim() ?? 'unknown',
      memoryBytes: totalmem(),
      kernel: system,
      clockSource: readFact('/sys/devices/system/clocksource/clocksource0/current_clocksource') ?? 'unknown',
      clockStepNs: clockStepNs(),
      cpuAccounting: cpuAccounting(),
      congestionControl: readFact('/proc/sys/net/ipv4/tcp_congestion_control'),
    },
    environment: {
      os: system,
      arch: process.arch,
      descriptorLimit: descriptorLimit() ?? unknownLimit,
      ephemeralPorts: ephemeralPorts(),
      mitigations: mitigations(),
      settings: settings(),
    },
    bootId: ownBootId(),
    cpus: usable().map((cpu) => ({
      cpu,
      siblings: coreSiblings(cpu),
    })),
    memoryAvailableBytes: memoryAvailable(),
    backends: listBackends().map(({ name, available, reason, capabilities }) => ({
      name,
      available,
      reason,
      maxDescriptor: capabilities?.maxDescriptor ?? -1,
    })),
    nodeBackend,
    gateways: foundGateways(),
    versions: { dispatchbench: packageVersion(), node, v8, uv },
    addonDigest: fileDigest(addonPath),
  };
}

/** Times of the CPUs, with those that tell of a short window as well; null: the system does not count them. */
function cpus(stat: string): CpuTimes[] | null {
  const times = parseCpuTimes(stat);
  // gVisor has the rows, and counts nothing in them.
  if (timeIn(times, everyState) === 0) return null;
  const slept = sleepTimes(times.map(({ cpu }) => cpu));
  const elapsedUs = Math.round(monotonicNs() / 1000);
  return times.map((one, index) => ({ ...one, elapsedUs, sleepUs: slept[index]! }));
}

/** What pressure stall information says of CPUs; null: the kernel has none. */
const pressure = (): string | null => readFact('/proc/pressure/cpu');

export function counters(): Omit<HostCounters, 'event'> {
  const files = ['/proc/net/netstat', '/proc/net/snmp'].map(readFact);
  const stat = readFact('/proc/stat');
  const waited = pressure()?.match(/^some .*total=(\d+)/)?.[1];
  return {
    network: files.includes(null) ? null : parseNetworkCounters(files.join('\n')),
    cpus: stat === null ? null : cpus(stat),
    waitedUs: waited === undefined ? null : Number(waited),
  };
}

export function state(): Omit<HostState, 'event'> {
  const waiting = pressure()?.match(/^some avg10=([\d.]+)/)?.[1];
  return {
    load: { average: loadavg()[0] ?? 0, pressure: waiting === undefined ? null : Number(waiting) },
    calibration: calibrate(usable()),
    clock: { monotonicNs: monotonicNs(), realtimeNs: Date.now() * 1e6 },
    conntrack: conntrack(),
    throttledPeriods: ownThrottledPeriods(),
  };
}

export const memoryCopy = (): MemoryCopy => measureMemoryCopy(lastLevelCacheBytes());
