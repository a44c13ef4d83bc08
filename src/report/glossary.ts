/** The glossary at the end of the report: what a reader needs to judge it. */
export const glossary: readonly (readonly [string, string])[] = [
  [
    'Trial',
    'One repetition of a cell in fresh processes. It is the unit of every statistic here: requests of the same trial share its luck and are never counted as independent.',
  ],
  [
    'Interval',
    'The geometric mean over trials with a 95 % interval: Student\'s t on logarithms, from three trials on. Two cells are compared by the ratios within blocks, so that a slow stretch of the machine meets both. A wide interval is a result too: it says "not resolved".',
  ],
  [
    'Raw system calls',
    'The dotted line is a loop over the same mechanism without any abstraction of ours: the speed of light on this machine. The distance to it is what a server adds.',
  ],
  [
    'CPU per request',
    "The server process's own user and system time over the requests of the same window. Unlike throughput it does not depend on how fast the client is.",
  ],
  [
    'Closed and open loop',
    'In the closed loop a connection waits for its reply before it sends again: it finds the peak. In the open loop requests leave by a schedule that does not wait, and latency counts from the intended time, so that a stalled server cannot hide its stall.',
  ],
  [
    'Loss',
    'A datagram sent and not answered intact when the client stopped waiting. A closed loop with few datagrams under way cannot lose any; an open loop goes on sending, and what the server does not take overflows a socket buffer. Each trial keeps where its lost ones were lost.',
  ],
  [
    'Growth per 1000',
    'Slope of a straight line through the trials. Where its interval holds 0, the run shows no growth; that is not the same as showing that there is none: the interval says how much growth is still possible.',
  ],
  [
    'Verdict',
    'A published claim is a record with a bound. It is supported or contradicted when the whole interval lies on one side of that bound, inconclusive when the bound lies inside, and not tested when a needed cell is missing. Bounds are never moved.',
  ],
  [
    'Trials left out',
    'A gate marks a trial as invalid when, for example, the client rather than the server was the limit. Such trials stay in the file and in the list above, and count nowhere.',
  ],
  [
    'Execution class',
    'native, container, sandbox, vm, emulated or api. Absolute figures are compared only within a class.',
  ],
];
