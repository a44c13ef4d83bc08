/** The first line of a server: what runs, on what, with which policy. */
import { addonPath } from '../src/addon.js';
import type { Capabilities, DispatchHello, EngineFacts } from '../src/contract/server.js';
import { buildFacts, descriptorLimit, fileDigest, getAffinity } from '../src/process.js';
import type { ServerOptions } from './options.js';

/** Versions of everything between the program and the kernel. */
export function versions(): Record<string, string> {
  const { node, v8, uv } = process.versions;
  return { node, v8, libuv: uv, compiler: buildFacts().compiler };
}

/** Where a server listens, and of one that accepts: its limit of waiting connections, and what governs its sending. */
export interface Bound {
  address: string;
  port: number;
  backlog?: number;
  congestionControl?: string;
}

/** @param engine of a server on completions, which has no capabilities of a backend */
export function helloOf(
  options: ServerOptions,
  capabilities: Capabilities | null,
  bound: Bound,
  engine?: EngineFacts,
): DispatchHello {
  const { compilerFlags, kernel } = buildFacts();
  const ours = options.impl === 'ts';
  return {
    event: 'hello',
    subject: 'dispatch',
    protocol: options.protocol,
    impl: options.impl,
    backend: options.backend,
    io: ours ? options.io : null,
    capabilities,
    ...(engine && { engine }),
    ...(options.leastWait > 0 && { leastWaitUs: options.leastWait }),
    address: bound.address,
    port: bound.port,
    ports: options.ports,
    pid: process.pid,
    kernel,
    descriptorLimit: descriptorLimit(),
    cpuAffinity: getAffinity(),
    versions: versions(),
    compilerFlags,
    budgets: ours ? options.budgets : null,
    listenBacklog: bound.backlog ?? options.backlog,
    nodelay: true,
    congestionControl: bound.congestionControl || null,
    digest: fileDigest(ours ? addonPath : process.execPath),
  };
}
