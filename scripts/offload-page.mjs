// Makes the page that lends a browser to a broker: its script and its worker, each with all that it imports, and the page.
import { copyFileSync, mkdirSync } from 'node:fs';
import { buildSync } from 'esbuild';

const [from, to] = ['src/offload/page', 'dist/src/offload/page'];
mkdirSync(to, { recursive: true });
buildSync({
  entryPoints: [`${from}/page.js`, `${from}/worker.js`],
  outdir: to,
  bundle: true,
  minify: true,
  target: 'es2022',
  format: 'esm',
  banner: { js: '/*! With @bjorn3/browser_wasi_shim (MIT or Apache-2.0) */' },
  legalComments: 'none',
  logLevel: 'warning',
});
copyFileSync(`${from}/index.html`, `${to}/index.html`);
