/** Mechanisms by how their wait scales; also the order of legends and tables. */

/** A wait looks at every registered descriptor. */
export const scanning = ['select', 'select-posix', 'poll', 'wsapoll'] as const;
/** A wait looks at the ready ones. /dev/poll is neither: claim T5 asks which. */
export const scalable = ['epoll', 'epoll-et', 'epoll-oneshot', 'kqueue', 'kqueue-clear', 'evport'] as const;
export const mechanismOrder: readonly string[] = [...scanning, 'devpoll', ...scalable, 'uring-poll'];
