/** Two readings of the machine itself, in JavaScript: its clock and its speed. */

/** Smallest step seen between two readings of the monotonic clock, nanoseconds. */
export function clockStepNs(): number {
  let smallest = Number.POSITIVE_INFINITY;
  let last = process.hrtime.bigint();
  for (let reading = 0; reading < 20_000; reading++) {
    const now = process.hrtime.bigint();
    if (now > last) smallest = Math.min(smallest, Number(now - last));
    last = now;
  }
  return smallest;
}

function spin(): number {
  const started = process.hrtime.bigint();
  let state = 1;
  for (let step = 0; step < 2_000_000; step++) state = (Math.imul(state, 1664525) + 1013904223) | 0;
  const elapsed = Number(process.hrtime.bigint() - started);
  // The state is used, so that the loop cannot be left out as dead.
  return state === 0.5 ? 0 : elapsed;
}

/** Nanoseconds of a fixed amount of arithmetic, the best of three: a slower machine or a busy neighbour shows here. */
export function calibrationNs(): number {
  return Math.min(spin(), spin(), spin());
}
