/** A broker in a process of its own that keeps little, on a folder that it is given; ends with its stdin. */
import { Broker } from '../../src/offload/broker.js';
import { optionsOf } from './running.js';

const MiB = 2 ** 20;

/** Of all that it says that it keeps, MiB; what else there is of bounds has no option. */
export const small = { queue: 4, kept: 4, upload: 1, partial: 8 };

if (process.argv[2] !== undefined) {
  const broker = await Broker.open(
    optionsOf(process.argv[2], {
      queue: { tasks: 200, bytes: small.queue * MiB },
      kept: { tasks: 1000, bytes: small.kept * MiB },
      uploads: { one: small.upload * MiB, all: 8 * MiB },
      providers: { connections: 64, partialBytes: small.partial * MiB },
    }),
  );
  console.log(broker.port);
  process.stdin.on('end', () => process.exit(0)).resume();
}
