/** The machine this process runs on: what its observer answers. Reads files and asks the addon; starts nothing. */
import { cpus as allCpus, freemem, loadavg, release, totalmem, type } from 'node:os';
import { addonPath, packageVersion } from '../addon.js';
import type { HostCounters, HostLook, HostState, MemoryCopy } from '../contract/host.js';
import { listBackends, nodeBackend } from '../dispatch/registry.js';
import { calibrationSpinNs, clockStepNs, fileDigest } from '../process.js';
import { parseCpuTimes } from './cpu-times.js';
import {
  allowedCpus,
  coreSiblings,
  descriptorLimit,
  ephemeralPorts,
  hypervisor,
  lastLevelCacheBytes,
  mitigations,
  ownBootId,
  readFact,
} from './linux-facts.js';
import { measureMemoryCopy } from './memory-copy.js';
import { parseNetworkCounters } from './network-counters.js';

/** Where the system does not tell its limit, the number POSIX systems have had for long. */
const unknownLimit = { soft: 1024, hard: 1024 };

function memoryAvailable(): number {
  const available = readFact('/proc/meminfo')?.match(/^MemAvailable:\s+(\d+) kB/m)?.[1];
  return available === undefined ? freemem() : Number(available) * 1024;
}

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
      congestionControl: readFact('/proc/sys/net/ipv4/tcp_congestion_control'),
    },
    environment: {
      os: system,
      arch: process.arch,
      descriptorLimit: descriptorLimit() ?? unknownLimit,
      ephemeralPorts: ephemeralPorts(),
      mitigations: mitigations(),
    },
    bootId: ownBootId(),
    cpus: (allowedCpus() ?? allCpus().map((_, index) => index)).map((cpu) => ({
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
    versions: { dispatchbench: packageVersion(), node, v8, uv },
    addonDigest: fileDigest(addonPath),
  };
}

export function counters(): Omit<HostCounters, 'event'> {
  const files = ['/proc/net/netstat', '/proc/net/snmp'].map(readFact);
  const stat = readFact('/proc/stat');
  return {
    network: files.includes(null) ? null : parseNetworkCounters(files.join('\n')),
    cpus: stat === null ? null : parseCpuTimes(stat),
  };
}

export function state(): Omit<HostState, 'event'> {
  const pressure = readFact('/proc/pressure/cpu')?.match(/^some avg10=([\d.]+)/)?.[1];
  return {
    load: { average: loadavg()[0] ?? 0, pressure: pressure === undefined ? null : Number(pressure) },
    calibrationNs: Math.min(calibrationSpinNs(), calibrationSpinNs(), calibrationSpinNs()),
  };
}

export const memoryCopy = (): MemoryCopy => measureMemoryCopy(lastLevelCacheBytes());
