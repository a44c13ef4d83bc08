/** `dispatchbench starter`: what --host ssh:HOST runs on the machine HOST. */
import { Command } from '@commander-js/extra-typings';
import { serveStdio } from '../../hosts/starter.js';

export const starter = new Command('starter').action(serveStdio);
