/** `dispatchbench starter`: what --host ssh:HOST runs on the machine HOST. */
import { Command } from '@commander-js/extra-typings';
import { serveStdio } from '../../hosts/starter.js';

export const starter = new Command('starter')
  .description(
    "start programs of this machine for a runner on another one: what 'run --host ssh:HOST' starts there",
  )
  .action(serveStdio);
