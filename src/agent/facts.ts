/** What a load machine tells about itself when it registers. */
import { arch, availableParallelism, hostname, type as osType, release, totalmem } from 'node:os';
import type { AgentFacts } from '../contract/agent.js';
import { readFact } from '../hosts/linux-facts.js';

export function agentFacts(): AgentFacts {
  const limits = readFact('/proc/self/limits')?.match(/^Max open files\s+(\d+)\s+(\d+)/m);
  return {
    hostname: hostname(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    descriptorLimit: limits ? { soft: Number(limits[1]), hard: Number(limits[2]) } : null,
    os: osType(),
    kernel: release(),
    arch: arch(),
    versions: { node: process.versions.node, v8: process.versions.v8, uv: process.versions.uv },
  };
}
