/** Plots as data: what figures are made of before any drawing library sees them. */

export interface PlotPoint {
  x: number;
  y: number;
  low: number | null;
  high: number | null;
  n: number;
  /** the trials */
  dots: number[];
  /** heat: index into the plot's rows, y is the colour; servers: the same, y is the figure */
  row?: number;
}

export interface PlotSeries {
  name: string;
  /** mechanism: solid, in the mechanism's colour; baseline: dotted; reference: grey */
  role: 'mechanism' | 'baseline' | 'reference';
  /** index into palette and symbols */
  style: number;
  points: PlotPoint[];
  /** fitted model */
  curve: [number, number][];
  dashed: boolean;
}

export interface Panel {
  title: string;
  /** the implementation it shows */
  who: string;
  series: PlotSeries[];
}

export interface Plot {
  id: string;
  /** the plot whose further panels these are: folded in the page */
  continues?: string;
  title: string;
  /** what the figure means, one or two sentences */
  meaning: string;
  kind: 'lines' | 'stack' | 'percentiles' | 'heat' | 'servers';
  xName: string;
  yName: string;
  unit: string;
  panels: Panel[];
  /** each line is named with its last figure where it ends */
  namesAtEnds?: boolean;
  /** heat: names of the rows, from the lowest; servers: from the uppermost */
  rows: string[];
  logX: boolean;
  /** heat: the colour follows the logarithm */
  logY: boolean;
}

export interface View {
  width: number;
  logX: boolean;
  logY: boolean;
  dots: boolean;
  dark: boolean;
  /** files carry their own legend; the page has an accessible one */
  legend: boolean;
  /** nothing in it answers to a pointer */
  still: boolean;
}
