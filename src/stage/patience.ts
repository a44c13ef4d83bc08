/** How long programs are waited for. */

/** Time for a program to start or to answer, milliseconds: far above what a loaded machine needs. */
export const answerMs = 20_000;

/** After its control channel has closed a program gets this long before it is told by signal, milliseconds. */
export const graceMs = 3000;

/** Connections per millisecond that are set up even on a machine so slow that it is not worth measuring. */
const slowestSetUp = 0.5;

/** Time for so many connections to stand, milliseconds. */
export const standingMs = (connections: number): number => answerMs + connections / slowestSetUp;

/** A CPU that the kernel saw busy at none of the ten ticks of this time rests, milliseconds. */
export const restMs = 100;

/** CPUs that have not rested by then have other work and will not, milliseconds. */
export const settleMs = 600;
