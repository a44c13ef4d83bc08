/** Connects two network namespaces by a link that delays, loses and has a rate: by netem, or by our relay. */

import type { HostFacts } from '../contract/host.js';
import type { EmulatedLink, LinkMeans } from '../contract/link.js';
import type { LinkControl } from './host.js';
import type { AskedLink } from './link-text.js';
import type { Namespaces } from './namespaces.js';
import { netemMissing, startNetem } from './netem.js';
import type { Opened } from './opened.js';
import { startRelay, tunMissing } from './relay.js';
import { address, connect, type Side } from './wire.js';

/** What is asked for, else netem where the kernel has it. @throws Error in one sentence when there is none of both */
async function choose(asked: AskedLink, space: Namespaces): Promise<LinkMeans> {
  const reasons: string[] = [];
  const missing = {
    netem: async () => {
      const reason = await netemMissing(space);
      return reason && `tc netem (${reason})`;
    },
    relay: async () => {
      const reason = tunMissing();
      return reason && `a relay (${reason})`;
    },
  };
  for (const means of asked.means ? [asked.means] : (['netem', 'relay'] as const)) {
    const reason = await missing[means]();
    if (reason === null) return means;
    reasons.push(reason);
  }
  throw new Error(`not available here: a link needs ${reasons.join(' or ')}`);
}

export interface Connected {
  facts: EmulatedLink;
  transport: HostFacts['transport'];
  control: LinkControl;
}

/** @throws Error in one sentence */
export async function connectByLink(
  spaces: Record<Side, Namespaces>,
  asked: AskedLink,
  opened: Opened,
): Promise<Connected> {
  const { up, down } = asked;
  const shapes = { up, down };
  if ((await choose(asked, spaces.client)) === 'netem') {
    await connect(spaces);
    const control = await startNetem(spaces, shapes);
    return {
      facts: { ...shapes, means: 'netem', seed: null, cpus: [], realtime: null },
      transport: 'veth',
      control,
    };
  }
  const relay = opened.keep(await startRelay(spaces, shapes, asked.seed ?? undefined));
  await address(spaces);
  const { seed, cpus, realtime } = relay;
  return {
    facts: { ...shapes, means: 'relay', seed, cpus: [...cpus], realtime },
    transport: 'tun',
    control: relay,
  };
}
