/**
 * Claims on synchronising state by Raft (ASS) and on agreement by PBFT (ACP), as the report of DWCP v3 makes them (2025). Its
 * programs waited for a written time and sent nothing, so that what is put to the test is above all how figures hang together.
 */
import {
  type AgainstTest,
  type BoundTest,
  type Claim,
  publishedBy,
  type RatioAlongTest,
  rounded,
} from './claim.js';

const published = publishedBy('dwcp-results');

const run = (options: string) => ({
  experiment: 'quorum' as const,
  supply: `dispatchbench run quorum ${options}`,
});

/** One write under way, as the report's loops have it. */
const raft = { impl: 'raft', work: 'commit', clients: 1 } as const;
const pbft = { impl: 'pbft', work: 'commit' } as const;
const sound = { ...pbft, fault: 'none' } as const;

const below = (metric: BoundTest['metric'], levels: object, bound: number): BoundTest => ({
  kind: 'bound',
  metric,
  of: { levels: { ...levels } },
  expect: { below: bound },
});

const along = (
  metric: RatioAlongTest['metric'],
  levels: object,
  factor: string,
  [from, reach]: readonly [number, number],
  within: readonly [number, number],
): RatioAlongTest => ({
  kind: 'ratio-along',
  metric,
  factor,
  of: { levels: { ...levels } },
  from,
  reach,
  expect: { within },
});

const over = (
  metric: AgainstTest['metric'],
  of: object,
  to: object,
  within: readonly [number, number],
): AgainstTest => ({
  kind: 'ratio',
  metric,
  of: { levels: { ...of } },
  to: { levels: { ...to } },
  expect: { within },
});

/** What is published as the same, and as a multiple, give or take a tenth. */
const same = [0.9, 1.1] as const;
const times = (published: number) => [rounded(published * 0.9), rounded(published * 1.1)] as const;

const waits = (what: string) => ({ is: 'formula' as const, because: `the program ${what}` });

const ass = (id: string, statement: string, cells: string) =>
  published(id, 'section 4, ASS', statement, cells);
const acp = (id: string, statement: string, cells: string) =>
  published(id, 'section 5, ACP', statement, cells);

const commitsOf = '--works commit --clients 1';

export const quorumClaims: readonly Claim[] = [
  {
    ...ass('D31', 'A commit of Raft takes well below 100 ms.', 'median time of a commit'),
    ...run(`--systems raft --replicas 3,5,7 ${commitsOf}`),
    standing: waits('waited once, twice and three times, and sent nothing'),
    tests: [below('quorum-p50', raft, 100)],
  },
  {
    ...ass(
      'D32',
      'A commit takes three times as long with 7 replicas as with 3 (1.13, 2.26 and 3.39 ms with 3, 5 and 7).',
      'median time of a commit with 3 and with 7 replicas, one client',
    ),
    ...run(`--systems raft --replicas 3,5,7 ${commitsOf}`),
    standing: waits('waited once for each follower that a majority takes, one after the other'),
    tests: [along('quorum-p50', raft, 'replicas', [3, 7], times(3))],
  },
  {
    ...ass(
      'D33',
      'A commit of 64 KB takes as long as one of 1 KB (1.13 ms with 3 replicas, 3.37 and 3.39 ms with 7).',
      'median time of a commit of 1 KiB and of 64 KiB, one client',
    ),
    ...run(`--systems raft --replicas 3,7 --bytes 1024,65536 ${commitsOf}`),
    standing: waits('waited for a time in which the size does not occur'),
    tests: [along('quorum-p50', raft, 'bytes', [1024, 65_536], same)],
  },
  {
    ...ass(
      'D34',
      'Electing a leader takes 2.26, 4.27 and 6.29 ms with 3, 7 and 11 replicas.',
      'time from the end of a leader to the next commit, with 3 and with 11 replicas',
    ),
    ...run('--systems raft --works election --electing 3,7,11'),
    standing: waits('waited half a millisecond for each replica: no leader had failed, and nobody noticed'),
    tests: [
      below('quorum-first-write', { impl: 'raft', work: 'election' }, 10),
      along('quorum-first-write', { impl: 'raft', work: 'election' }, 'replicas', [3, 11], times(2.78)),
    ],
  },
  {
    ...ass(
      'D35',
      'A state of 1 to 100 MB reaches 3 replicas and 7 at 917 to 995 MB/s: 632 ms for 100 MB and 7.',
      'rate at which a replica that lost its own fetches a state of 1 and of 100 MB',
    ),
    ...run('--systems raft --works resync --state-mb 1,10,100'),
    standing: waits('waited a microsecond for each 1000 bytes; 632 ms exceed its own target of 100 ms'),
    tests: [along('quorum-resync-rate', { impl: 'raft', work: 'resync' }, 'stateMb', [1, 100], same)],
  },
  {
    ...ass(
      'D36',
      'A message of 1 KB reaches 3, 7 and 11 replicas at once in the same 1.11 to 1.12 ms.',
      'time until 3, 7 and 11 replicas have answered a message that is sent to all',
    ),
    ...run('--systems broadcast --works broadcast --broadcasting 3,7,11 --clients 1'),
    standing: waits('had as many threads wait 0.1 ms, which its timer made 1.1 ms'),
    tests: [along('quorum-p50', { impl: 'broadcast', work: 'broadcast' }, 'replicas', [3, 11], same)],
  },
  {
    ...acp('D41', 'Agreement by PBFT takes well below 500 ms.', 'median time of a commit'),
    ...run(`--systems pbft --byzantine 4,7,10 ${commitsOf}`),
    standing: waits('waited three times, and sent nothing'),
    tests: [below('quorum-p50', sound, 500)],
  },
  {
    ...acp(
      'D42',
      'Agreement takes as long with 7 and 10 replicas as with 4 (3.40 to 3.43 ms).',
      'median time of a commit with 4 and with 7 replicas or more, one client',
    ),
    ...run(`--systems pbft --byzantine 4,7,10 ${commitsOf}`),
    standing: waits('waited for a time in which the replicas do not occur'),
    tests: [along('quorum-p50', { ...sound, clients: 1 }, 'replicas', [4, 7], same)],
  },
  {
    ...acp(
      'D43',
      'With ten requests in a batch ten times as many operations are agreed on (294 and 2940 in a second).',
      'commits with 10 requests in a batch and with 1, ten clients',
    ),
    ...run('--systems pbft --batches 1,10 --clients 10'),
    standing: waits('multiplied the waits that it had counted by the size of the batch'),
    tests: [over('quorum-rate', { ...sound, batch: 10 }, { ...sound, batch: 1 }, times(10))],
  },
  {
    ...acp(
      'D44',
      'Faulty replicas cost nothing: 3.40 to 3.43 ms with none to f of 4, 7 and 10, and every operation succeeds.',
      'median time of a commit with f faulty replicas and with none',
    ),
    ...run(`--systems pbft --byzantine 4,7,10 --faults none,silent,delaying,lying,equivocating ${commitsOf}`),
    standing: waits('counted them as faulty, and had none do anything'),
    tests: [
      over(
        'quorum-p50',
        { ...pbft, clients: 1, fault: ['silent', 'delaying', 'lying', 'equivocating'] },
        { ...sound, clients: 1 },
        same,
      ),
    ],
  },
  {
    ...acp(
      'D45',
      'With ten clients at once an operation takes a tenth of the time (0.34 ms in the place of 3.40).',
      'median time of a commit with 1 and with 10 clients',
    ),
    ...run('--systems pbft --works commit --clients 1,10'),
    standing: waits('divided the time of ten waits that went on together by ten: that is no latency'),
    tests: [along('quorum-p50', sound, 'clients', [1, 10], times(0.1))],
  },
  {
    ...acp(
      'D46',
      'Checking the votes of 3 to 11 replicas takes 9.6 to 13.9 ns.',
      'time that goes on seals along the messages of a commit',
    ),
    ...run(`--systems pbft --byzantine 4,7,10 --seals hmac,ed25519 ${commitsOf}`),
    standing: { is: 'not measured', because: 'the program counted booleans, and no vote was authenticated' },
    tests: [below('quorum-crypto', { ...sound, seal: ['hmac', 'ed25519'] }, 13.86e-6)],
  },
  {
    ...acp(
      'D47',
      'Conflicts among 100 keys are resolved in 28 to 30 µs, few or many of them, and among 10 000 in 5.69 ms.',
      'time to merge two states that differ in a share of their keys',
    ),
    planned: 'nothing here merges states: replicas agree on an order before they write',
    standing: {
      is: 'not measured',
      because: 'two maps were copied whole, so that the share of conflicts had no effect',
    },
  },
];
