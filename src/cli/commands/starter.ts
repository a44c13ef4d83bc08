/** `dispatchbench starter`: what --host ssh:HOST runs on the machine HOST. */
import { Command } from '@commander-js/extra-typings';
import { serveStdio } from '../../hosts/starter.js';
import { withExamples } from '../examples.js';

export const starter = new Command('starter').action(serveStdio);

withExamples(starter, [
  ['starter', 'on stdin and stdout, as ssh starts it'],
  ['run idle-connections --host ssh:HOST', 'what uses it, on another machine'],
]);
