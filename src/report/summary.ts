/** Figures per cell as rows for other programs: summary.csv and summary.tsv. */
import type { Analysis } from '../analysis/analyse.js';
import { cited } from '../claims/bibliography.js';
import { metrics } from '../trials/registry.js';

/** Header and rows; one row per cell and metric, empty where there is no interval. */
function rows({ experiments }: Analysis): string[][] {
  const factors = [
    ...new Set(experiments.flatMap(({ cells }) => cells.flatMap(({ cell }) => Object.keys(cell.levels)))),
  ];
  const header = [
    'experiment',
    'host',
    'class',
    ...factors,
    'metric',
    'unit',
    'mean',
    'low95',
    'high95',
    'trials',
    'left_out',
  ];
  const text = (value: string | number | null | undefined) =>
    value === null || value === undefined ? '' : String(value);
  const figure = (value: number | null) => (value === null ? '' : String(Number(value.toPrecision(8))));
  const body = experiments.flatMap(({ name, cells }) =>
    cells.flatMap(({ cell, figures }) => {
      const start = [
        name,
        cell.host.name,
        cell.host.executionClass,
        ...factors.map((factor) => text(cell.levels[factor])),
      ];
      const left = String(cell.excluded.length);
      if (figures.size === 0) return [[...start, '', '', '', '', '', '0', left]];
      return metrics.flatMap(({ id, unit }) => {
        const found = figures.get(id);
        if (!found) return [];
        const { estimate, low, high, n } = found.interval;
        return [[...start, id, unit, figure(estimate), figure(low), figure(high), String(n), left]];
      });
    }),
  );
  return [header, ...body];
}

const lines = (table: string[][], join: (row: string[]) => string) => `${table.map(join).join('\n')}\n`;

export function summaryCsv(analysis: Analysis): string {
  const quoted = (field: string) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  return lines(rows(analysis), (row) => row.map(quoted).join(','));
}

export function summaryTsv(analysis: Analysis): string {
  return lines(rows(analysis), (row) => row.map((field) => field.replaceAll(/[\t\n]/g, ' ')).join('\t'));
}

/** Verdicts with their numbers: claims.json. */
export function claimsJson({ verdicts }: Analysis): string {
  const plain = verdicts.map(({ claim, verdict, evidence, missing, reference }) => ({
    ...claim,
    cited: cited(claim.source),
    verdict,
    evidence: evidence.map((row) => ({
      ...row,
      link: `report.html#figure-${row.experiment ?? ('planned' in claim ? '' : claim.experiment)}-${row.metric}`,
    })),
    missing,
    reference,
  }));
  return `${JSON.stringify(plain, null, 2)}\n`;
}
