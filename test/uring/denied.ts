/** Asks for a ring behind a filter that refuses it: `node denied.js ERRNO`. */
import { testing } from './testing.js';

const failed = testing.denyUring(Number(process.argv[2]));
if (failed !== 0) throw new Error(`no filter can be set: errno ${failed}`);
process.stdout.write(JSON.stringify(testing.uringProbe()));
