/** The page that makes a browser a provider: what scripts/offload-page.mjs made of src/offload/page/. */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { packageRoot } from '../installation.js';

const files: Record<string, [name: string, type: string]> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript'],
  '/worker.js': ['worker.js', 'text/javascript'],
};

/** Nothing but its own scripts, this broker and what carries WebTransport for it. */
const policy = (carrier: string | null): string =>
  `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'${carrier === null ? '' : ` ${carrier}`}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Isolated, so that its clock is a fine one. */
const headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cache-control': 'no-cache',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * @param carrier origin of what carries WebTransport; null: nothing does
 * @returns whether the path is one of the page's
 */
export function servePage(path: string, carrier: string | null, response: ServerResponse): boolean {
  const file = Object.hasOwn(files, path) ? files[path]! : null;
  if (!file) return false;
  const content = readFileSync(join(packageRoot, 'dist/src/offload/page', file[0]));
  response.writeHead(200, {
    ...headers,
    'content-security-policy': policy(carrier),
    'content-type': file[1],
    'content-length': content.length,
  });
  response.end(content);
  return true;
}
