/** gVisor's program: its version, and the platforms by which system calls get to its kernel. */
import { execFileSync } from 'node:child_process';
import type { Namespaces } from './namespaces.js';

export const runscProgram = 'runsc';

/** In the order in which they are tried. `kvm` only when asked for: where it does not work, it hangs. */
export const triedPlatforms = ['systrap', 'ptrace'] as const;
export const platforms = [...triedPlatforms, 'kvm'] as const;
export type Platform = (typeof platforms)[number];

/** @throws Error when it is not installed */
export const runscVersion = (): string =>
  /^runsc version (.*)$/m.exec(execFileSync(runscProgram, ['--version'], { encoding: 'utf8' }))?.[1] ??
  'unknown';

/** By a file below it runsc takes any namespace of a recent Linux for that of the machine, which it will not enter. */
export const hideRootNetwork = (space: Namespaces): Promise<string> =>
  space.run('mount', '-t', 'tmpfs', 'tmpfs', '/proc/sys/net/core');

/** The same for namespaces that others make, and only for runsc: a script that runs it. */
export const runscApart = (path: string): string =>
  `#!/bin/sh
exec unshare --mount -- sh -c 'mount -t tmpfs tmpfs /proc/sys/net && exec "$0" "$@"' '${path.replaceAll("'", "'\\''")}' "$@"
`;
