/**
 * Behind a filter that refuses rings: `node denied.js ERRNO` asks for one, `node denied.js ERRNO COMMAND ...` runs a command
 * and ends as it does.
 */
import { spawnSync } from 'node:child_process';
import { testing } from './testing.js';

const [errno, command, ...args] = process.argv.slice(2);
const failed = testing.denyUring(Number(errno));
if (failed !== 0) throw new Error(`no filter can be set: errno ${failed}`);
if (command === undefined) process.stdout.write(JSON.stringify(testing.uringProbe()));
else process.exitCode = spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;
