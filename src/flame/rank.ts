/** Where the time went: leaves by function, and by what the kernel or the server was doing. */
import type { Frame } from './frame.js';
import { frameKinds, frameText } from './frame.js';
import { type Stack, totalWeight } from './stacks.js';

export interface Rank {
  name: string;
  weight: number;
  /** of all weight, 0..1 */
  share: number;
}

/**
 * Leaf families, asked from the leaf to the root: the first frame that one of them knows decides, so each sample
 * belongs to exactly one. `tcp_poll` below `do_select` is select's scan; a context switch below it is not.
 */
export const leafFamilies: { name: string; frame: RegExp }[] = [
  { name: 'scheduler', frame: /^(__)?schedule(_\w+)?$/ },
  { name: 'network receive (softirq)', frame: /^(net_rx_action|__napi_poll|process_backlog)$/ },
  { name: 'select scan', frame: /^(do_select|core_sys_select|kern_select|do_pselect|\w*sys_p?select6?)$/ },
  { name: 'poll scan', frame: /^(do_poll|do_sys_poll|\w*sys_p?poll)$/ },
  { name: 'epoll wait', frame: /^(ep_poll|ep_send_events|do_epoll_p?wait|\w*sys_epoll_p?wait2?)$/ },
  { name: 'epoll changes', frame: /^(do_epoll_ctl|\w*sys_epoll_ctl)$/ },
  { name: 'io_uring', frame: /^(io_\w+|\w*sys_io_uring_\w+)$/ },
  { name: 'network send', frame: /^(\w*sys_(sendto|sendmsg|sendmmsg|write|writev)|ksys_write|do_writev)$/ },
  { name: 'network receive', frame: /^(\w*sys_(recvfrom|recvmsg|recvmmsg|read|readv)|ksys_read|do_readv)$/ },
  // Threads of one process wait here for each other, whichever calls they made.
  {
    name: 'memory map, locking',
    frame: /^(rwsem_\w+|down_(read|write)(_killable|_trylock)?|up_(read|write))$/,
  },
  {
    name: 'memory map',
    frame:
      /^(\w*sys_(mmap|munmap|mprotect|madvise|mremap|brk)|do_(mmap|munmap|pagemap_scan)|(exc|asm_exc)_page_fault|do_user_addr_fault)$/,
  },
  { name: 'accept and close', frame: /^(\w*sys_(accept4?|close)|tcp_close|__fput)$/ },
];

/** The family of a stack; a stack that no family knows belongs to its leaf's kind. */
export function familyOf(frames: Frame[]): string {
  for (const frame of frames.toReversed()) {
    if (frame.kind !== 'kernel') break;
    const family = leafFamilies.find((candidate) => candidate.frame.test(frame.name));
    if (family) return family.name;
  }
  const leaf = frames.at(-1);
  return leaf?.kind === 'kernel' ? 'other kernel' : frameKinds[leaf?.kind ?? 'thread'].label;
}

/** Sums the weights by a name given to each stack, widest first. */
function rankBy(stacks: Stack[], nameOf: (frames: Frame[]) => string): Rank[] {
  const total = totalWeight(stacks);
  const weights = new Map<string, number>();
  for (const { frames, weight } of stacks) {
    const name = nameOf(frames);
    weights.set(name, (weights.get(name) ?? 0) + weight);
  }
  return [...weights]
    .map(([name, weight]) => ({ name, weight, share: weight / total }))
    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1));
}

export function rankFamilies(stacks: Stack[]): Rank[] {
  return rankBy(stacks, familyOf);
}

export function rankLeaves(stacks: Stack[]): Rank[] {
  return rankBy(stacks, (frames) => (frames.length === 0 ? '[no stack]' : frameText(frames.at(-1)!)));
}
