/** The other replicas of a group: a connection to each, opened again when it breaks, on which this one only sends. */
import type { ReplicaGroup } from '../../src/contract/quorum.js';
import { monotonicNow as now } from '../../src/monotonic.js';
import { frameOf, Kind, nothingSpent } from '../../src/quorum/frames.js';
import type { Connection, Network } from './network.js';

export class Peers {
  readonly #network: Network;
  readonly #group: ReplicaGroup;
  readonly #links: (Connection | null)[];

  constructor(network: Network, group: ReplicaGroup) {
    this.#network = network;
    this.#group = group;
    this.#links = group.replicas.map(() => null);
    this.open();
  }

  /** Opens what is not open. */
  open(): void {
    const { id, replicas, token } = this.#group;
    for (const [to, { host, port }] of replicas.entries()) {
      if (to === id || this.#links[to] !== null) continue;
      const link = this.#network.connect(host, port);
      this.#links[to] = link;
      if (link === null) continue;
      const body = Buffer.from(token, 'hex');
      this.#network.send(link, frameOf(Kind.greeting, id, now(), nothingSpent, body));
    }
  }

  closed(connection: Connection): void {
    const to = this.#links.indexOf(connection);
    if (to >= 0) this.#links[to] = null;
  }

  /** A replica that cannot be reached hears nothing: protocols of replicas know that. */
  send(to: number, frame: Uint8Array): void {
    const link = this.#links[to];
    if (link) this.#network.send(link, frame);
  }
}
