/**
 * PNG beside every SVG of a run. The rasteriser and the fonts are installed when first asked for; with fonts of its own
 * a plot has its texts, and the same pixels, also on a machine without any.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { replaceFile } from '../files.js';
import { install } from '../on-demand.js';
import { plotsFolder, profilesFolder } from './write.js';

const rasteriser = { name: 'png', packages: ['@resvg/resvg-js@2.6.2', 'dejavu-fonts-ttf@2.37.3'] };

/** Pixels per unit of the SVG: sharp on dense screens and on paper. */
const scale = 2;

/** What is used of @resvg/resvg-js. */
interface Resvg {
  Resvg: new (svg: string, options: object) => { render(): { asPng(): Uint8Array } };
}

function svgsOf(run: string): string[] {
  const within = (folder: string) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true })
          .map((name) => join(folder, `${name}`))
          .filter((path) => path.endsWith('.svg'))
      : [];
  return [...within(plotsFolder(run)), ...within(profilesFolder(run))].sort();
}

/** @returns the files written. @throws Error in one sentence when the rasteriser cannot be had */
export function writePngs(run: string, say: (line: string) => void): string[] {
  const modules = install(rasteriser, say);
  const { Resvg } = createRequire(join(modules, 'x.js'))('@resvg/resvg-js') as Resvg;
  const font = {
    loadSystemFonts: false,
    fontFiles: ['DejaVuSans', 'DejaVuSans-Bold', 'DejaVuSansMono'].map((name) =>
      join(modules, `dejavu-fonts-ttf/ttf/${name}.ttf`),
    ),
    defaultFontFamily: 'DejaVu Sans',
    sansSerifFamily: 'DejaVu Sans',
    monospaceFamily: 'DejaVu Sans Mono',
  };
  return svgsOf(run).map((path) => {
    const picture = new Resvg(readFileSync(path, 'utf8'), { font, fitTo: { mode: 'zoom', value: scale } });
    const target = path.replace(/\.svg$/, '.png');
    replaceFile(target, picture.render().asPng());
    return target;
  });
}
