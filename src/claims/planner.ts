/**
 * Claims on predicting bandwidth (PBA) and placing tasks (ITP) of DWCP v3, whose published figures were not measured on a system. What
 * the suite does of the same kind is measured by benchmarks, outside of runs.
 */
import { type Claim, publishedBy } from './claim.js';

const published = publishedBy('dwcp-results');

const prediction = 'npm run bench:prediction measures it, walk-forward, on made-up and recorded series';
const placement = 'npm run bench:placement measures it, on tight problems beside a proven optimum';

export const plannerClaims: readonly Claim[] = [
  {
    ...published(
      'D21',
      'section 3',
      'One prediction by an LSTM takes 1.07, 2.01 and 3.88 µs (sequence 10, 50, 100; 32, 64, 128 hidden units).',
      'operations of such a net over its time, against what a core can do',
    ),
    planned: `${prediction}, and holds the operations that these times ask for against a core's peak`,
    standing: {
      is: 'impossible',
      because:
        'with one input they are 79, 828 and 3405 GFLOP/s at least, on one core of a processor that does 46 at most',
    },
  },
  {
    ...published(
      'D22',
      'section 3',
      'The LSTM predicts bandwidth with an accuracy of 97.50 % (stable), 86.75 % (linear), 68.04 % (periodic) and 86.31 % (volatile).',
      'error of each predictor on series of these kinds, and the error that nobody can avoid',
    ),
    planned: `${prediction}, beside predictors of a few lines`,
    standing: {
      is: 'random',
      because:
        'the program said the last value and a random number, and compared it with a series begun anew',
    },
  },
  {
    ...published(
      'D23',
      'section 3',
      'Predicting takes less than 5 % of a CPU in typical workloads (target: below 30 %).',
      'CPU time of a predictor, training included, over the time between two values',
    ),
    planned: `${prediction}, with the CPU time of each predictor`,
    standing: { is: 'not measured', because: 'the report says itself that it is estimated' },
  },
  {
    ...published(
      'D24',
      'section 6',
      'More than 90 % of placements are accurate (estimated above 95 %).',
      'hosts used over the fewest that can do',
    ),
    planned: `${placement}; accurate is at most 1.10 times as many hosts`,
    standing: { is: 'not measured', because: 'no optimum was calculated, and the report gives no accuracy' },
  },
  {
    ...published(
      'D25',
      'section 6',
      'Rules of affinity and anti-affinity are kept in 100 % of placements, and a check takes 93 to 224 ns.',
      'rules that an independent checker finds broken',
    ),
    planned: `${placement}, and counts the rules that are broken`,
    standing: { is: 'random', because: 'the check drew a number and looked at no placement' },
  },
  {
    ...published(
      'D26',
      'section 6',
      'Placing 10, 50 and 100 VMs on 5, 20 and 50 hosts takes 1.51, 9.47 and 19.98 µs, and ten rules in place of three cost nothing.',
      'time of a placement that keeps capacities and rules',
    ),
    planned: placement,
    standing: {
      is: 'not measured',
      because:
        'no capacity was taken away and no rule looked at, so that nothing was placed: the first host always had room',
    },
  },
  {
    ...published(
      'D27',
      'section 6',
      'Load is balanced within 5 % of the optimum, in 1.14, 5.27 and 10.29 ms for 10, 50 and 100 hosts.',
      'share of the fullest host over the smallest that can be, and what is moved for it',
    ),
    planned: `${placement}, and counts what a rebalancing moves`,
    standing: { is: 'formula', because: 'the program waited 100 µs for each host, and balanced nothing' },
  },
  {
    ...published(
      'D28',
      'section 3',
      '0.50 to 0.52 million predictions a second in batches of 1 to 64, and 0.52 to 2.14 million forecasts of 60 and 10 steps.',
      'time of a prediction, and of a forecast of several steps',
    ),
    planned: prediction,
    standing: { is: 'random', because: 'the program filled arrays with random numbers, of whatever length' },
  },
  {
    ...published(
      'D29',
      'section 6',
      'Placing 50 VMs best in 3, 5 and 10 regions takes 24.09, 39.79 and 76.54 µs.',
      'distance of pairs that are to be near, and the least that can be',
    ),
    planned: `${placement}, pairs that are to be near among its rules`,
    standing: { is: 'random', because: 'the distances between regions were drawn, and none was measured' },
  },
];
