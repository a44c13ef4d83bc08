/** The option that says on which host a command works, and how such a command ends. */
import { Option } from '@commander-js/extra-typings';
import { hostKinds, openHost, withLink } from '../hosts/registry.js';
import type { Site } from '../stage/on-stage.js';
import { interruption } from './interruption.js';

const known = hostKinds.map(({ id, summary }) => `${id} (${summary})`).join(', ');

export const hostOption = () =>
  new Option('--host <host>', `where server and client run: ${known}`).default('local');

const takers = hostKinds.filter(({ takesLink }) => takesLink).map(({ id }) => id);

export const linkOption = () =>
  new Option(
    '--link <link>',
    `emulate a link between server and client (--host ${takers.join(' or ')}): 'delay=20ms loss=1% rate=100mbit', ` +
      "'up:' (client to server) or 'down:' before a word for one direction",
  );

/** The host, with the link that was asked for. @throws Error in one sentence where it can have none */
export const linked = (host: string, link: string | undefined): string =>
  link === undefined ? host : withLink(host, link);

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
