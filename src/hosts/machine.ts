/** The machine this process runs on: what its observer answers. Reads files and asks the addon; starts nothing. */
import { cpus as allCpus, freemem, loadavg, release, totalmem, type } from 'node:os';
import { addonPath, packageVersion } from '../addon.js';
import type { HostCounters, HostLook, HostState, MemoryCopy, MemoryUse } from '../contract/host.js';
import { listEngines } from '../dispatch/completion.js';
import { listBackends, nodeBackend } from '../dispatch/registry.js';
import { foundGateways, foundRuntimes } from '../gateways/parts.js';
import { clockStepNs, fileDigest, monotonicNs } from '../process.js';
import { calibrate, ownWork } from './calibration.js';
import {
  allowedCpus,
  descriptorLimit,
  lastLevelCacheBytes,
  ownKernelConfig,
  ownTexts,
} from './linux-facts.js';
import { type Basics, countersOf, lookOf, memoryOf, stateOf } from './machine-facts.js';
import { measureMemoryCopy } from './memory-copy.js';

/** Where the system does not tell its limit, the number POSIX systems have had for long. */
const unknownLimit = { soft: 1024, hard: 1024 };

const memorySize = () => ({ memoryBytes: totalmem(), memoryFreeBytes: freemem() });

const everyCpu = (): number[] => allCpus().map((_, index) => index);

function basics(): Basics {
  const { node, v8, uv } = process.versions;
  return {
    ...memorySize(),
    os: `${type()} ${release()}`,
    arch: process.arch,
    vcpus: allCpus().length,
    cpus: everyCpu(),
    cpuModel: allCpus()[0]?.model.trim() ?? 'unknown',
    descriptorLimit: descriptorLimit() ?? unknownLimit,
    kernelConfig: ownKernelConfig(),
    clockStepNs: clockStepNs(),
    backends: listBackends().map(({ name, available, reason, capabilities }) => ({
      name,
      available,
      reason,
      maxDescriptor: capabilities?.maxDescriptor ?? -1,
    })),
    engines: listEngines(),
    nodeBackend,
    gateways: foundGateways(),
    runtimes: foundRuntimes(),
    versions: { dispatchbench: packageVersion(), node, v8, uv },
    addonDigest: fileDigest(addonPath),
  };
}

export const look = (): Omit<HostLook, 'event'> => lookOf(basics(), ownTexts);

export const counters = (): Omit<HostCounters, 'event'> => countersOf(ownTexts, monotonicNs());

export const memory = (): MemoryUse => memoryOf(memorySize(), ownTexts);

export async function state(): Promise<Omit<HostState, 'event'>> {
  const calibration = await calibrate(allowedCpus() ?? everyCpu(), ownWork());
  const clock = { monotonicNs: monotonicNs(), realtimeNs: Date.now() * 1e6 };
  return stateOf(ownTexts, loadavg()[0] ?? 0, calibration, clock);
}

export const memoryCopy = (): Promise<MemoryCopy> => measureMemoryCopy(lastLevelCacheBytes());
