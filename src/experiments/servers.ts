/** Which servers an experiment measures: implementations x backends (x how much I/O a crossing does), and foreign ones. */
import { z } from 'zod';
import {
  backendName,
  type EngineName,
  engineName,
  implementation,
  ioMode,
  mechanismName,
  type Protocol,
  type ServerName,
  serverName,
} from '../contract/common.js';
import { peerServers, type peers } from '../contract/peers.js';
import { identifier } from '../contract/sample.js';
import { foreignServer, type Subject } from '../contract/subject.js';
import type { Machine } from './experiment.js';

/** Factors of a cell that say which server: of a foreign one `impl` is its name, and it has no backend of ours. */
export const serverFactors = {
  backend: mechanismName.nullable(),
  impl: identifier,
  /** null for implementations without a Node-API crossing */
  io: ioMode.nullable(),
};

/** Factors that tell who it is that is measured, where an experiment has them; the others are its circumstances. */
export const tellingFactors: readonly string[] = [...Object.keys(serverFactors), 'transport'];

export const variant = z.strictObject({ impl: serverName, io: ioMode.nullable(), backend: backendName });
export type Variant = z.infer<typeof variant>;

/** Settings that choose servers, for the settings of an experiment. */
export const serverSettings = {
  backends: z.array(backendName).min(1),
  /** none: foreign servers alone */
  impls: z.array(serverName),
  /** for the implementations that cross Node-API (ts) */
  ios: z.array(ioMode).min(1),
  foreign: z
    .array(foreignServer)
    .default([])
    .refine(
      (all) => all.every(({ name }) => !(serverName.options as string[]).includes(name)),
      'a foreign server needs a name that is not one of the implementations',
    )
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two have one name'),
};
/** Where completion engines take part, beside the backends. */
export const engineSettings = { engines: z.array(engineName).default([]) };

type ServerSettings = { [Name in keyof typeof serverSettings]: z.infer<(typeof serverSettings)[Name]> };

/** Mechanisms that the raw-syscall baseline is written for. */
const baselineBackends: readonly string[] = ['select', 'poll', 'epoll', 'kqueue'];

const peerServer = (impl: string) => peerServers.find(({ name }) => name === impl);

/**
 * A check for settings: servers on other people's loops speak the protocols that they are written for.
 * @param protocol of all that is measured, where the settings do not say
 */
export const speaking =
  (protocol?: Protocol) =>
  (chosen: { impls: readonly ServerName[]; protocol?: Protocol }, context: z.RefinementCtx): void => {
    const asked = chosen.protocol ?? protocol!;
    for (const impl of chosen.impls) {
      const known: readonly Protocol[] | undefined = peerServer(impl)?.server.protocols;
      if (!known || known.includes(asked)) continue;
      const message = `the server on ${impl} speaks ${known.join(' and ')}, not ${asked}`;
      context.addIssue({ code: 'custom', path: ['impls'], message });
    }
  };

/** Mechanisms that somebody else's loop has here. */
export const peerHas = (
  { backends, chooses }: (typeof peers)[number],
  backend: string,
  machine: Machine,
): boolean =>
  (backends as readonly string[]).includes(backend) && (!chooses || backend === machine.nodeBackend);

/** Not every implementation runs on every backend: Node picks its mechanism itself, the baseline knows a few. */
export function exists({ impl, backend }: Variant, machine: Machine): boolean {
  const peer = peerServer(impl);
  if (peer) return peerHas(peer, backend, machine);
  if (impl === 'libuv') return backend === machine.nodeBackend;
  if (impl === 'baseline') return baselineBackends.includes(backend);
  return true;
}

/** Servers of ours: the product of the factors, without what does not exist, in a fixed order. */
export function variants(
  chosen: Pick<ServerSettings, 'backends' | 'impls' | 'ios'>,
  machine: Machine,
): Variant[] {
  return chosen.impls
    .flatMap((impl) =>
      (impl === 'ts' ? chosen.ios : [null]).flatMap((io) =>
        chosen.backends.map((backend) => ({ impl, io, backend })),
      ),
    )
    .filter((one) => exists(one, machine));
}

/** An engine has a native server, and one in TypeScript to which all of a turn crosses together. */
export const engineLevels = ({
  engines,
  impls,
  ios,
}: { engines: readonly EngineName[] } & Pick<ServerSettings, 'impls' | 'ios'>): ServerLevels[] =>
  engines.flatMap((backend) => [
    ...(impls.includes('native') ? [{ impl: 'native', io: null, backend }] : []),
    ...(impls.includes('ts') && ios.includes('batch') ? [{ impl: 'ts', io: 'batch' as const, backend }] : []),
  ]);

type ServerLevels = { [Name in keyof typeof serverFactors]: z.infer<(typeof serverFactors)[Name]> };

export const foreignLevels = ({ foreign }: Pick<ServerSettings, 'foreign'>): ServerLevels[] =>
  foreign.map(({ name }) => ({ impl: name, io: null, backend: null }));

/** The server that a cell's levels name. @throws Error when the settings know no such foreign one */
export function subjectOf<P extends Protocol>(
  protocol: P,
  { impl, io, backend }: ServerLevels,
  { foreign }: Pick<ServerSettings, 'foreign'>,
): Subject & { protocol: P } {
  const peer = peerServer(impl);
  if (peer) return { kind: 'peer', protocol, impl: peer.name, backend: backendName.parse(backend) };
  if (backend !== null) return { kind: 'dispatch', protocol, impl: implementation.parse(impl), backend, io };
  const found = foreign.find(({ name }) => name === impl);
  if (!found) throw new Error(`no server is called '${impl}' in this plan`);
  return { kind: 'foreign', protocol, ...found };
}

/** Cells without repetition: what is named beside the factors may be among them as well. */
export const distinct = <Cell>(cells: readonly Cell[]): Cell[] => [
  ...new Map(cells.map((cell) => [JSON.stringify(cell), cell])).values(),
];
