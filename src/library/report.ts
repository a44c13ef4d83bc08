/**
 * What people read of a run: the page with its plots, tables for other programs, and text for a terminal.
 *
 *     import { writeReport } from 'dispatchbench/report';
 *
 *     console.log(writeReport('results/2026-01-01T00-00-00-idle-connections-quick').report);
 *
 * Nothing here needs the native part. The same run gives the same files to the byte.
 */
import type { RunComparison } from '../analysis/compare.js';
import { type ComparisonFormat, comparisonFormats, formatComparison, gateFor } from '../report/comparison.js';
import * as summary from '../report/summary.js';
import { outcome } from '../report/terminal.js';
import { writeReport as write } from '../report/write.js';
import { analysisOf, type RecordedRun } from './recorded.js';

export type { RunComparison } from '../analysis/compare.js';
export { parseRun, type RecordedRun, readRun } from './recorded.js';
export { type ComparisonFormat, comparisonFormats };

/**
 * Writes report.html, summary.csv, summary.tsv, claims.json and plots/ (SVG) into a run's folder, from its run.json and
 * samples.ndjson, in the place of earlier ones.
 * @returns absolute path of report.html
 * @throws Error in one sentence
 */
export function writeReport(folder: string): { report: string } {
  return { report: write(folder).report };
}

/** What `dispatchbench report` prints: the answer, doubts, verdicts; at most 100 columns. */
export const terminalText = (run: RecordedRun): string => outcome(analysisOf(run));

/** Every figure of a run as comma-separated values: a row for each cell and metric, with the 95 % interval. */
export const summaryCsv = (run: RecordedRun): string => summary.summaryCsv(analysisOf(run));

/** The same, separated by tabs. */
export const summaryTsv = (run: RecordedRun): string => summary.summaryTsv(analysisOf(run));

/** Verdicts on published claims with their evidence, as JSON text. */
export const claimsJson = (run: RecordedRun): string => summary.claimsJson(analysisOf(run));

/**
 * A comparison of `dispatchbench/analysis` in one of `comparisonFormats`.
 * @param condition judged along with it, such as `slower<3%`
 * @throws Error in one sentence when it is no condition
 */
export function comparisonText(
  comparison: RunComparison,
  format: ComparisonFormat,
  condition?: string,
): string {
  const gate = condition === undefined ? null : gateFor(condition, comparison.rows);
  return formatComparison(comparison, format, gate);
}
