/** Groups of replicas by their system: ours, or somebody else's. */
import { isPeer, peerOf } from '../quorum-peers/registry.js';
import { type Ground, type Group, type GroupSpec, openGroup as openOwnGroup } from './group.js';
import { PeerGroup } from './peer-group.js';

/** Why there can be no such group here, and how to get it; undefined: there can. */
export const missingGroup = ({ system, ...asked }: Pick<GroupSpec, 'system' | 'replicas' | 'fsync'>) =>
  peerOf(system)?.missing(asked);

/** @throws Error in one sentence when it does not stand */
export const openGroup = ({ system, ...spec }: GroupSpec, ground: Ground): Promise<Group> =>
  isPeer(system) ? PeerGroup.open({ ...spec, system }, ground) : openOwnGroup({ ...spec, system }, ground);
