// Makes of ECharts what the report needs: one file that Node loads and the page of a report carries, with the licences of
// what is in it beside it.
import { readFileSync, writeFileSync } from 'node:fs';
import { buildSync } from 'esbuild';

const target = 'dist/src/report/echarts.cjs';
const packages = ['echarts', 'zrender'].map((name) => `node_modules/${name}`);
const { version } = JSON.parse(readFileSync('node_modules/echarts/package.json', 'utf8'));

buildSync({
  entryPoints: ['src/report/assets/echarts.js'],
  outfile: target,
  bundle: true,
  minify: true,
  target: 'es2020',
  format: 'iife',
  globalName: 'echarts',
  banner: { js: `/*! Parts of Apache ECharts ${version} (Apache-2.0) and zrender (BSD-3-Clause) */` },
  footer: { js: 'if(typeof module==="object")module.exports=echarts;' },
  legalComments: 'none',
  logLevel: 'warning',
});

const licences = [...packages.map((folder) => `${folder}/LICENSE`), 'node_modules/echarts/NOTICE'];
writeFileSync(
  target.replace(/cjs$/, 'LICENSE'),
  licences.map((path) => `${path.replace('node_modules/', '')}\n\n${readFileSync(path, 'utf8')}`).join('\n'),
);
