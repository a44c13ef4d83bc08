/** What a load machine tells about itself when it registers. */
import { arch, availableParallelism, hostname, type as osType, release, totalmem } from 'node:os';
import type { AgentFacts } from '../contract/agent.js';
import { descriptorLimit } from '../hosts/linux-facts.js';

/** A name for this machine's agent when nobody gives it one: that of the machine. */
export const defaultAgentName = (): string =>
  hostname()
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 64) || 'agent';

export function agentFacts(): AgentFacts {
  return {
    hostname: hostname(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    descriptorLimit: descriptorLimit(),
    os: osType(),
    kernel: release(),
    arch: arch(),
    versions: { node: process.versions.node, v8: process.versions.v8, uv: process.versions.uv },
  };
}
