/** What surrounds a run: the machine's limits, versions, digests and the state of the checkout. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { freemem, release, type } from 'node:os';
import { join } from 'node:path';
import { addonPath, packageRoot } from '../addon.js';
import type { RunInfo } from '../contract/run.js';
import { listBackends } from '../dispatch/registry.js';
import { descriptorLimit, ephemeralPorts, mitigations, readFact } from '../hosts/linux-facts.js';
import { fileDigest } from '../process.js';
import type { Limits } from './limits.js';

/** Where the system does not tell its limit, the number POSIX systems have had for long. */
const unknownLimit = { soft: 1024, hard: 1024 };

export function localLimits(): Limits {
  const available = readFact('/proc/meminfo')?.match(/^MemAvailable:\s+(\d+) kB/m)?.[1];
  return {
    backends: new Map(
      listBackends().map((probe) => [
        probe.name,
        {
          available: probe.available,
          reason: probe.reason,
          maxDescriptor: probe.capabilities?.maxDescriptor ?? -1,
        },
      ]),
    ),
    descriptors: descriptorLimit() ?? unknownLimit,
    ephemeralPorts: ephemeralPorts(),
    memoryAvailableBytes: available === undefined ? freemem() : Number(available) * 1024,
    nodeBackend: process.platform === 'linux' ? 'epoll' : 'kqueue',
  };
}

function git(...args: string[]): string | null {
  try {
    return execFileSync('git', ['-C', packageRoot, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return null;
  }
}

/** State of the checkout; null for an installed package. */
function gitState(): RunInfo['git'] {
  const commit = git('rev-parse', 'HEAD')?.trim();
  const changes = git('status', '--porcelain');
  return commit && changes !== null ? { commit, dirty: changes !== '' } : null;
}

type Surroundings = Pick<RunInfo, 'environment' | 'versions' | 'addonDigest' | 'git'>;

export function surroundings(limits: Limits): Surroundings {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  const { node, v8, uv } = process.versions;
  return {
    environment: {
      os: `${type()} ${release()}`,
      arch: process.arch,
      descriptorLimit: limits.descriptors,
      ephemeralPorts: limits.ephemeralPorts,
      mitigations: mitigations(),
    },
    versions: { dispatchbench: version, node, v8, uv },
    addonDigest: fileDigest(addonPath),
    git: gitState(),
  };
}
