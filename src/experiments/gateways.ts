/** What the experiments with gateways share: which of them, and how a cell names one. */
import { z } from 'zod';
import { identifier } from '../contract/common.js';
import type { FoundGateway, Workload } from '../contract/gateway.js';
import type { ProfileName } from '../contract/run.js';
import type { ForeignSubject } from '../contract/subject.js';
import { gatewayNamed, gateways } from '../gateways/registry.js';
import type { Experiment, Flag, Machine } from './experiment.js';
import { names } from './flags.js';

/** Factors of a cell that say which gateway: it is somebody else's server, so that `impl` is its name. */
export const gatewayFactors = { backend: z.null(), impl: identifier, io: z.null() };

export const gatewayLevels = (name: string) => ({ backend: null, impl: name, io: null });

/** What they declare alike. Profiles: as the report of 2026 did, or shorter and longer. */
export const gatewayCommon = {
  profiles: ['quick', 'report-2026', 'full'],
  words: [],
  quick: false,
  answers: [],
  modelled: [],
} as const satisfies Partial<Experiment>;

/** What a container or a virtual machine may take to serve on a busy machine, milliseconds. */
const bootMs = 60_000;

export const gatewaySettings = { gateways: z.array(identifier).min(1) };

export const gatewayFlag: Flag = {
  flags: '--gateways <list>',
  description: 'gateways by name, comma-separated: dispatchbench gateways lists them',
  setting: 'gateways',
  parse: names(
    gateways.filter(({ template }) => template === undefined).map(({ name }) => name),
    'gateway',
  ),
  names: true,
};

/** The report's five, and those that are named for the profile; all in the full one. */
export const gatewaysOf = (
  profile: ProfileName,
  also: Partial<Record<ProfileName, readonly string[]>>,
): string[] =>
  gateways
    .filter(({ template }) => template === undefined)
    .filter(({ name, isReports }) => isReports || profile === 'full' || also[profile]?.includes(name))
    .map(({ name }) => name);

const found = (name: string, { gateways: known = [] }: Machine): FoundGateway =>
  known.find((one) => one.name === name) ?? {
    name,
    command: null,
    perRequest: null,
    instances: null,
    reason: 'the host tells of no gateways: they run where dispatchbench itself does',
  };

const unreached = 'it has a network of its own, from which the upstream of this machine is not reached';

/** The gateway as what a trial measures; one that is missing, or cannot do the work, says why. */
export function gatewaySubject(
  name: string,
  machine: Machine,
  work: Workload = 'hello',
): ForeignSubject & { protocol: 'http' } {
  const { command, reason, group } = found(name, machine);
  const { ownNetwork, ownKernel } = gatewayNamed(name) ?? {};
  const why = reason || (work === 'proxy' && ownNetwork ? unreached : '');
  return {
    kind: 'foreign',
    protocol: 'http',
    name,
    command: command ?? [name],
    ...(group === undefined ? {} : { group }),
    ...(ownNetwork || ownKernel ? { ready: 'told', readyTimeoutMs: bootMs } : {}),
    ...(why === '' ? {} : { missing: why }),
  };
}

/** The same where its content is exchanged under load: of datagrams nothing tells that they are served but the server. */
export function updatedSubject(
  name: string,
  machine: Machine,
): ForeignSubject & { protocol: 'http' | 'udp-echo' } {
  const subject = gatewaySubject(name, machine);
  return gatewayNamed(name)?.datagrams ? { ...subject, protocol: 'udp-echo', ready: 'told' } : subject;
}

/** What it starts for one request, alone; null: nothing. */
export function spawnedBy(name: string, machine: Machine): { command: string[]; missing?: string } | null {
  if (!gatewayNamed(name)?.perRequest) return null;
  const { perRequest, reason } = found(name, machine);
  return perRequest ? { command: perRequest } : { command: [name], missing: reason };
}

/** What makes instances as it does; null: it has none. */
export function instancesOf(name: string, machine: Machine): { command: string[]; missing?: string } | null {
  if (!gatewayNamed(name)?.instances) return null;
  const { instances, reason } = found(name, machine);
  return instances ? { command: instances } : { command: [name], missing: reason };
}

/** Those whose content is exchanged under load. */
export const updatedGateways = (): string[] =>
  gateways.flatMap(({ name, template }) => (template === undefined ? [] : [name]));

/** What versions of it are made of; null: it is not there. */
export const templateOf = (name: string, machine: Machine): string | null =>
  found(name, machine).template ?? null;

/** Whether the times that it tells are of the clock that all others read. */
export const tellsTime = (name: string): boolean => !gatewayNamed(name)?.ownKernel;

/** Of those of the names that keep their connections. */
export const keepsAlive = (name: string): boolean => gatewayNamed(name)?.keepsAlive ?? false;
