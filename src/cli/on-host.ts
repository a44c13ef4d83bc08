/** The option that says on which host a command works, and how such a command ends. */
import { Option } from '@commander-js/extra-typings';
import { hostKinds, openHost } from '../hosts/registry.js';
import type { Site } from '../stage/on-stage.js';
import { interruption } from './interruption.js';

const known = hostKinds.map(({ id, summary }) => `${id} (${summary})`).join(', ');

export const hostOption = () =>
  new Option('--host <host>', `where server and client run: ${known}`).default('local');

/** Opens the host and closes it again, whether the work ends, fails, or is interrupted. */
export async function onHost(host: string, work: (site: Site) => Promise<void>): Promise<void> {
  const interrupt = interruption(() => process.stderr.write('interrupted: ending what was started\n'));
  try {
    const roles = await openHost(host);
    try {
      await work({ roles, signal: interrupt.signal });
    } finally {
      await roles.close();
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.exitCode = interrupt.exitCode();
  }
}
