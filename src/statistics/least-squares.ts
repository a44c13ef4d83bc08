/** Weighted linear least squares, small and dense: the core of the scaling and knee models. */

export interface Observation {
  x: number;
  y: number;
  weight: number;
}

export interface Fit {
  coefficients: number[];
  /** weighted sum of squared residuals */
  rss: number;
  /** covariance of the coefficients, by the residuals' own scatter; null without spare observations */
  covariance: number[][] | null;
  /** observations minus coefficients */
  df: number;
}

/** Inverse of a small symmetric matrix by Gauss-Jordan with pivoting; null when singular. */
function inverse(matrix: number[][]): number[][] | null {
  const size = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  const scale = Math.max(...matrix.flat().map(Math.abs));
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(work[row]![column]!) > Math.abs(work[pivot]![column]!)) pivot = row;
    }
    if (!(Math.abs(work[pivot]![column]!) > scale * 1e-14)) return null;
    [work[column], work[pivot]] = [work[pivot]!, work[column]!];
    const head = work[column]![column]!;
    work[column] = work[column]!.map((value) => value / head);
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = work[row]![column]!;
      work[row] = work[row]!.map((value, i) => value - factor * work[column]![i]!);
    }
  }
  return work.map((row) => row.slice(size));
}

/** Fits y = sum of c_i * basis_i(x); null when the design is singular. Columns are scaled, so any unit of x will do. */
export function leastSquares(
  observations: readonly Observation[],
  basis: readonly ((x: number) => number)[],
): Fit | null {
  const raw = observations.map(({ x }) => basis.map((term) => term(x)));
  const scale = basis.map((_, i) => Math.max(...raw.map((row) => Math.abs(row[i]!))));
  if (scale.some((value) => value === 0 || !Number.isFinite(value))) return null;
  const rows = raw.map((row) => row.map((value, i) => value / scale[i]!));
  const normal = basis.map((_, i) =>
    basis.map((_, j) => rows.reduce((sum, row, k) => sum + observations[k]!.weight * row[i]! * row[j]!, 0)),
  );
  const inverted = inverse(normal);
  if (!inverted) return null;
  const right = basis.map((_, i) =>
    rows.reduce((sum, row, k) => sum + observations[k]!.weight * row[i]! * observations[k]!.y, 0),
  );
  const scaled = inverted.map((row) => row.reduce((sum, value, i) => sum + value * right[i]!, 0));
  const rss = rows.reduce((sum, row, k) => {
    const predicted = row.reduce((total, value, i) => total + value * scaled[i]!, 0);
    return sum + observations[k]!.weight * (observations[k]!.y - predicted) ** 2;
  }, 0);
  const df = observations.length - basis.length;
  return {
    coefficients: scaled.map((value, i) => value / scale[i]!),
    rss,
    covariance:
      df > 0
        ? inverted.map((row, i) => row.map((value, j) => (value * rss) / df / scale[i]! / scale[j]!))
        : null,
    df,
  };
}

/** Residual sum of the straight line over f(x) in closed form: the inner loop of exponent searches. */
export function lineRss(observations: readonly Observation[], f: (x: number) => number): number {
  const count = observations.length;
  const at = new Float64Array(count);
  let w = 0;
  let wx = 0;
  let wy = 0;
  for (let i = 0; i < count; i++) {
    const { x, y, weight } = observations[i]!;
    at[i] = f(x);
    w += weight;
    wx += weight * at[i]!;
    wy += weight * y;
  }
  const centreX = wx / w;
  const centreY = wy / w;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (let i = 0; i < count; i++) {
    const { y, weight } = observations[i]!;
    const dx = at[i]! - centreX;
    const dy = y - centreY;
    xx += weight * dx * dx;
    xy += weight * dx * dy;
    yy += weight * dy * dy;
  }
  return xx > 0 ? Math.max(0, yy - (xy * xy) / xx) : yy;
}
