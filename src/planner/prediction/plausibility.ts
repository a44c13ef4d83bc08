/** Whether a published time of a calculation can be: its operations over its time against what a processor can do. */

export interface PublishedLstm {
  sequence: number;
  hidden: number;
  /** of one prediction, microseconds */
  us: number;
}

export type Plausibility = 'impossible' | 'possible';

/** Floating-point operations per second that a time asks for. */
export const flopPerSecond = (flop: number, us: number): number => flop / (us / 1e6);

/** @param peak of one core, operations per second: more than that cannot be, whatever the program */
export const plausibility = (flop: number, us: number, peak: number): Plausibility =>
  flopPerSecond(flop, us) > peak ? 'impossible' : 'possible';
