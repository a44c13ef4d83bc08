/** Names shared by every message, file and option, without the schemas: server programs start without loading those. */

/** Every backend name the suite knows, on any system. What this machine has is `probe`'s answer, not this list. */
export const backendNames = [
  'select',
  'select-posix',
  'poll',
  'epoll',
  'epoll-et',
  'epoll-oneshot',
  'kqueue',
  'kqueue-clear',
  'evport',
  'devpoll',
  'wsapoll',
  'uring-poll',
] as const;

/**
 * Who runs the protocol: `ts` is JavaScript over our addon, `native` our C++ server, `baseline` a raw loop of system
 * calls with no abstraction (the speed of light), `libuv` Node's own net/dgram (it picks its mechanism itself, so its
 * backend is the name Node uses: epoll on Linux, kqueue on BSD and macOS).
 */
export const implementations = ['ts', 'native', 'libuv', 'baseline'] as const;

/** How much I/O happens per Node-API crossing in a `ts` server: one call each, a ring of operations, or all of it. */
export const ioModes = ['call', 'batch', 'native'] as const;

export const protocols = ['tcp-echo', 'http', 'udp-echo'] as const;
