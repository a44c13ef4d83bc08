/** `dispatchbench hosts fetch`: the disk image of a guest, as its makers publish it. */
import { Command } from '@commander-js/extra-typings';
import { cacheFolder } from '../../cache.js';
import { fetchImage } from '../../hosts/guest-fetch.js';
import { guestNamed, inWords } from '../../hosts/guests.js';
import { withExamples } from '../examples.js';
import { interruption } from '../interruption.js';

const unpacking: Record<string, string> = { xz: 'xz -dk', gz: 'gzip -dk', zst: 'zstd -dk' };
const everyMs = 1000;

/** How much there is by now, on stderr, once a second. */
function told(): (bytes: number, total: number | null) => void {
  let last = 0;
  return (bytes, total) => {
    const now = performance.now();
    if (now - last < everyMs) return;
    last = now;
    const mebibytes = (of: number) => `${Math.round(of / (1 << 20))} MiB`;
    console.error(`${mebibytes(bytes)}${total === null ? '' : ` of ${mebibytes(total)}`}`);
  };
}

export const fetchGuest = new Command('fetch')
  .description("fetch a guest's disk image and check its digest; prints its path")
  .argument('<guest>', 'as `dispatchbench hosts` names it: freebsd-14')
  .action(async (id) => {
    const guest = guestNamed(id);
    const { image, folder } = guest;
    if (image.kind !== 'official') throw new Error(`the image of ${id} cannot be fetched: ${inWords(guest)}`);
    const interrupt = interruption(() => process.stderr.write('interrupted: nothing of it is kept\n'));
    try {
      const { path, digest, fetched } = await fetchImage(image, {
        folder: cacheFolder('images', id),
        progress: told(),
        signal: interrupt.signal,
      });
      const { compression, digestAlgorithm } = image;
      console.error(
        `${fetched ? 'fetched' : 'already there'}, ${digestAlgorithm} ${digest}` +
          `${compression ? `; unpack it with ${unpacking[compression]}` : ''}, and go on with vm-images/${folder}/README.md`,
      );
      console.log(path);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      process.exitCode = interrupt.exitCode();
    }
  });

withExamples(fetchGuest, [
  ['hosts fetch freebsd-14', 'and go on with vm-images/freebsd/README.md'],
  ['hosts fetch netbsd-10', 'the other one whose makers publish an image'],
]);
