/** What a predictor is: it is shown a series one value after the other, and says before each what it expects. */

export interface Predictor {
  /** the next value; null: it has seen too few */
  predict(): number | null;
  /** @param value above 0 */
  observe(value: number): void;
}

export interface Method {
  id: string;
  /** in words, for tables */
  name: string;
  /** one that has seen nothing; what it draws comes from the seed */
  make(seed: number): Predictor;
}
