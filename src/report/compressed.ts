/** What only the page's script reads travels compressed: gzip, in base64. */
import { gzipSync } from 'node:zlib';

export const compressed = (content: string | Buffer): string =>
  gzipSync(content, { level: 9 }).toString('base64');
