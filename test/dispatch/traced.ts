/** Figures of the traced scenario, shared by the program that runs under strace and the test that reads the trace. */
export const beginMark = '/dispatchbench-begin';
export const endMark = '/dispatchbench-end';
/** number of the descriptor that is busy */
export const LOW = 100;
/** numbers of the descriptors that come and go */
export const HIGH = 800;
export const IDLE = 20;
/** a timeout that milliseconds cannot express */
export const TIMEOUT_US = 1250;
