/** `dispatchbench starter`: what --host ssh:HOST runs on the machine HOST. */
import { Command } from '@commander-js/extra-typings';
import { streamLink } from '../../carriers/link.js';
import { type StarterReport, starterRequest } from '../../contract/starter.js';
import { serveStarter } from '../../hosts/starter.js';

export const starter = new Command('starter')
  .description(
    "start programs of this machine for a runner on another one: what 'run --host ssh:HOST' starts there",
  )
  .action(async () => {
    const link = streamLink<typeof starterRequest, StarterReport>(
      'the runner',
      starterRequest,
      process.stdin,
      process.stdout,
    );
    await serveStarter(link);
    process.exit(0);
  });
