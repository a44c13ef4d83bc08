/**
 * Other people's loops that are measured beside ours, where their libraries are installed. No schemas: server programs load
 * this through names.ts.
 */

/**
 * `backends`: mechanisms that a library can be told to use; where it chooses for itself (`chooses`) it takes the system's
 * own. `cost`: its program that measures itself. `server`: its program under load, left out where there is none. What is
 * libuv is called so beside node:net, which is libuv as well.
 */
export const peers = [
  {
    name: 'libevent',
    package: 'libevent-dev',
    backends: ['select', 'poll', 'epoll', 'kqueue'],
    chooses: false,
    cost: 'dispatchbench-cost-libevent',
    server: {
      program: 'dispatchbench-evhttp',
      words: 'libevent (evhttp, C)',
      protocols: ['http'],
      /** its own select ends a fortified program at descriptors from FD_SETSIZE on */
      highest: { select: 1023 },
    },
  },
  {
    name: 'libev',
    package: 'libev-dev',
    backends: ['select', 'poll', 'epoll', 'kqueue'],
    chooses: false,
    cost: 'dispatchbench-cost-libev',
  },
  {
    name: 'libuv-c',
    package: 'libuv1-dev',
    backends: ['epoll', 'kqueue'],
    chooses: true,
    cost: 'dispatchbench-cost-libuv',
    server: {
      program: 'dispatchbench-libuv',
      words: 'libuv (C)',
      protocols: ['tcp-echo', 'http'],
      highest: {},
    },
  },
] as const;

type Serving = Extract<(typeof peers)[number], { server: object }>;

/** Those with a server. */
export const peerServers = peers.filter((peer): peer is Serving => 'server' in peer);

export type PeerServerName = Serving['name'];
