// Writes the file system of the Linux guest (vm-images/linux) to a file and prints its size and digest.
import { writeImage } from '../dist/src/hosts/guest-image.js';
import { imageParts } from '../dist/src/hosts/qemu-linux.js';

const [path] = process.argv.slice(2);
try {
  if (path === undefined) throw new Error('say where to write it: node scripts/guest-image.mjs FILE');
  const { bytes, digest } = writeImage(imageParts(), path);
  console.log(`${path}: ${bytes} bytes, sha256 ${digest}...`);
} catch ({ message }) {
  console.error(`guest-image: ${message}`);
  process.exitCode = 1;
}
