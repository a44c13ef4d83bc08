/** Groups of other people's, by name. */
import { type QuorumPeerName, quorumPeerNames } from '../contract/names.js';
import type { GoProgram } from '../go.js';
import { cometbft, cometbftEager } from './cometbft.js';
import { etcd } from './etcd.js';
import { jetstream } from './jetstream.js';
import type { Peer } from './peer.js';

const peers: Readonly<Record<QuorumPeerName, Peer>> = {
  etcd,
  jetstream,
  cometbft,
  'cometbft-eager': cometbftEager,
};

export const isPeer = (system: string): system is QuorumPeerName =>
  (quorumPeerNames as readonly string[]).includes(system);

/** null: it is ours, or nobody's */
export const peerOf = (system: string): Peer | null => (isPeer(system) ? peers[system] : null);

/** Programs of theirs that can be built here. */
export const goPrograms: readonly GoProgram[] = [
  ...new Set(Object.values(peers).flatMap(({ built }) => built ?? [])),
];
