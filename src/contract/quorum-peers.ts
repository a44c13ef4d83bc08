/**
 * Groups of other people's that agree on an order of writes, by the names that cells have for them; src/quorum-peers starts and
 * asks them. No schemas: server programs load this through names.ts. `words`: with what a reader of their figures has to know.
 */
export const quorumPeers = [
  { name: 'etcd', words: 'etcd' },
  { name: 'jetstream', words: 'JetStream of NATS (by itself it does not wait for the disk)' },
  { name: 'cometbft', words: 'CometBFT as it comes (1 s of waiting in each block)' },
  { name: 'cometbft-eager', words: 'CometBFT told to wait for nothing' },
] as const;
