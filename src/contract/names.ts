/** Names shared by every message, file and option, without the schemas: server programs start without loading those. */
import { peerServers } from './peers.js';
import { quorumPeers } from './quorum-peers.js';

/**
 * Every backend the suite knows, on any system, in the order of the addon's registry. What this machine has is `probe`'s
 * answer, not this list. `waits`: what a wait looks at, every registered descriptor or the ready ones; of /dev/poll claim
 * T5 asks which, and no published claim speaks of io_uring, nor of changes that go through it. `edge`: what is left unread is not told again. `style`: place in palettes and symbols of figures, the same in every report.
 */
const backends = [
  { name: 'select', waits: 'scanning', style: 0 },
  { name: 'select-posix', waits: 'scanning', style: 1 },
  { name: 'poll', waits: 'scanning', style: 2 },
  { name: 'epoll', waits: 'scalable', style: 3 },
  { name: 'epoll-et', waits: 'scalable', style: 4, edge: true },
  { name: 'epoll-oneshot', waits: 'scalable', style: 5 },
  { name: 'epoll-batched', waits: 'unclassified', style: 10 },
  { name: 'epoll-batched-oneshot', waits: 'unclassified', style: 11 },
  { name: 'kqueue', waits: 'scalable', style: 3 },
  { name: 'kqueue-clear', waits: 'scalable', style: 4, edge: true },
  { name: 'evport', waits: 'scalable', style: 5 },
  { name: 'devpoll', waits: 'asked', style: 6 },
  { name: 'wsapoll', waits: 'scanning', style: 2 },
  { name: 'uring-poll', waits: 'unclassified', style: 6, edge: true },
  { name: 'uring-poll-level', waits: 'unclassified', style: 7 },
  { name: 'uring-poll-oneshot', waits: 'unclassified', style: 8 },
] as const;

type Names<Rows extends readonly { name: string }[]> = { [At in keyof Rows]: Rows[At]['name'] };
const namesOf = <const Rows extends readonly { name: string }[]>(rows: Rows) =>
  rows.map(({ name }) => name) as unknown as Names<Rows>;

export const backendNames = namesOf(backends);

/**
 * Completion engines, in the order of native/servers/options.cc: they stand in the place of a backend and are none, because
 * nobody asks them whether a descriptor is ready.
 */
const engines = [{ name: 'uring', style: 9 }] as const;

export const engineNames = namesOf(engines);

export const isEngine = (name: unknown): name is (typeof engineNames)[number] =>
  (engineNames as readonly unknown[]).includes(name);

/** What a server may run on. */
export const mechanismNames = [...backendNames, ...engineNames] as const;

const waiting = (how: (typeof backends)[number]['waits']) =>
  backends.filter(({ waits }) => waits === how).map(({ name }) => name);

/** A wait looks at every registered descriptor. */
export const scanning = waiting('scanning');
/** A wait looks at the ready ones. */
export const scalable = waiting('scalable');

/** What is left unread is not told again. */
export const edgeTriggered = backends.flatMap((one) => ('edge' in one ? one.name : []));

/** Order of legends and tables. */
export const mechanismOrder: readonly string[] = [
  ...scanning,
  ...waiting('asked'),
  ...scalable,
  ...waiting('unclassified'),
  ...engineNames,
];

/** First place in palettes and symbols that is no backend's. */
export const otherStyle = 1 + Math.max(...[...backends, ...engines].map(({ style }) => style));
/** Place of a mechanism in palettes and symbols; what is none of ours has the last. */
export const styleOf = (backend: unknown): number =>
  [...backends, ...engines].find(({ name }) => name === backend)?.style ?? otherStyle;

/**
 * What a poller counts and what is known of a backend, in the order of native/dispatch/facts.h, which says what each
 * means; loading the addon fails when the two differ.
 */
export const counterNames = [
  'waits',
  'emptyWaits',
  'saturatedWaits',
  'events',
  'rawEvents',
  'changeCalls',
  'submissions',
  'changes',
  'stale',
  'spurious',
  'rearms',
  'interrupted',
] as const;

export const capabilityNames = [
  'trigger',
  'waitComplexity',
  'timeoutResolutionNs',
  'maxDescriptor',
  'needsRearm',
  'reportsReadClosed',
  'batchedChanges',
  'waitCall',
] as const;

/**
 * Who runs the protocol: `ts` is JavaScript over our addon, `native` our C++ server, `baseline` a raw loop of system
 * calls with no abstraction (the speed of light), `libuv` Node's own net/dgram (it picks its mechanism itself, so its
 * backend is the name Node uses: epoll on Linux, kqueue on BSD and macOS). `nearness`: how much lies between it and the
 * system calls, 0: nothing.
 */
const implementationTable = [
  { name: 'ts', words: 'TypeScript server', nearness: 2 },
  { name: 'native', words: 'native server', nearness: 1 },
  { name: 'libuv', words: 'node:net (libuv)', nearness: 3 },
  { name: 'baseline', words: 'raw system calls', nearness: 0 },
] as const;

export const implementations = namesOf(implementationTable);

/** Servers that have a name: ours, and those in C on other people's loops, for which a wrapper speaks. */
export const serverNames = [...implementations, ...peerServers.map(({ name }) => name)] as const;

const named: readonly { name: string; words: string; nearness: number }[] = [
  ...implementationTable,
  // A loop and a protocol lie between, as with ours in TypeScript.
  ...peerServers.map(({ name, server }) => ({ name, words: server.words, nearness: 2 })),
];

/** Order of legends and tables: from the mechanism outwards. */
export const implementationOrder: readonly string[] = [...named]
  .sort((a, b) => a.nearness - b.nearness)
  .map(({ name }) => name);

/** No server to use, but what servers are held against. */
export const isReference = (impl: unknown): boolean =>
  named.some(({ name, nearness }) => name === impl && nearness === 0);

/** An implementation in words; somebody else's server is called by its own name. */
export const implementationInWords = (impl: string): string =>
  [...named, ...quorumPeers].find(({ name }) => name === impl)?.words ?? impl;

/** How much I/O happens per Node-API crossing in a `ts` server: one call each, a ring of operations, or all of it. */
export const ioModes = ['call', 'batch', 'native'] as const;

/**
 * How workers of a server share what is to be accepted: one listening socket that wakes one of them, a listening socket for
 * each, or one that wakes them all. In the order of native/servers/options.h, which says more.
 */
export const acceptSharings = ['exclusive', 'reuseport', 'shared'] as const;

export const protocols = ['tcp-echo', 'http', 'udp-echo'] as const;

/** Protocols of replicas of ours. */
export const quorumProtocols = ['raft', 'pbft', 'broadcast'] as const;
export type QuorumProtocol = (typeof quorumProtocols)[number];

export const quorumPeerNames = namesOf(quorumPeers);
export type QuorumPeerName = (typeof quorumPeerNames)[number];

/** Groups that agree on an order of writes: ours, and what is measured beside them. */
export const quorumSystems = [...quorumProtocols, ...quorumPeerNames] as const;

/** What authenticates the messages of replicas to each other, and requests of clients to them. */
export const quorumSeals = ['none', 'hmac', 'ed25519'] as const;
export type QuorumSealName = (typeof quorumSeals)[number];

/** What a faulty replica does: it says nothing, late, wrong things, or different things to different replicas. */
export const quorumFaults = ['silent', 'delaying', 'lying', 'equivocating'] as const;
export type QuorumFault = (typeof quorumFaults)[number];
