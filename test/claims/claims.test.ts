/** The claims as data: what they cite, and that every command they recommend exists and supplies their cells. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArgsStringToArgv } from 'string-argv';
import type { ZodObject } from 'zod';
import type { Cell } from '../../src/analysis/cells.js';
import { cellsMatching, matches } from '../../src/analysis/evidence.js';
import { bibliography, cited } from '../../src/claims/bibliography.js';
import type { ClaimTest, PlannedClaim, Selector, TestedClaim } from '../../src/claims/claim.js';
import { claims } from '../../src/claims/claims.js';
import type { HostFacts } from '../../src/contract/host.js';
import { backendNames } from '../../src/contract/names.js';
import { profileName } from '../../src/contract/run.js';
import type { Experiment } from '../../src/experiments/experiment.js';
import { experimentNamed, suites } from '../../src/experiments/registry.js';
import { foundGateways } from '../../src/gateways/parts.js';
import { hostKinds } from '../../src/hosts/registry.js';
import { duration, wholeNumber } from '../../src/options.js';
import { kindOf, metric } from '../../src/trials/registry.js';

const tested = claims.filter((claim): claim is TestedClaim => !('planned' in claim));
const planned = claims.filter((claim): claim is PlannedClaim => 'planned' in claim);

const text = (value: string) => {
  assert.ok(value.length > 0);
  return value;
};

const oneOf = (known: readonly string[]) => (value: string) => {
  assert.ok(known.includes(value), `'${value}' is none of ${known.join(', ')}`);
  return value;
};

/** Options that every experiment has, with how each value is read; null: it takes none. */
const commonOptions: Record<string, ((value: string) => unknown) | null> = {
  '--profile': oneOf(profileName.options),
  '--host': (value) =>
    value.split(',').map((host) => oneOf(hostKinds.map(({ id }) => id))(host.split(':', 1)[0]!)),
  '--seed': wholeNumber(0, 0xffff_ffff),
  '--budget': duration,
  '--plan': text,
  '--resume': text,
  '--out': text,
  '--json': null,
  '--quiet': null,
};

/** What a command would run. @throws where no such command exists */
function parsed(command: string) {
  const [program, subcommand, id, ...rest] = parseArgsStringToArgv(command);
  assert.deepEqual([program, subcommand], ['dispatchbench', 'run']);
  const together = (suites[id!]?.ids ?? [id!]).map(experimentNamed);
  const experiment = together[0]!;
  const settings: Record<string, unknown> = {};
  let profile = 'quick';
  while (rest.length > 0) {
    const name = rest.shift()!;
    const own = experiment.flags.find(({ flags }) => flags.split(' ', 1)[0] === name);
    assert.ok(own || Object.hasOwn(commonOptions, name), `${id} has no option ${name}`);
    const read = own ? (value: string) => own.parse(value, undefined) : commonOptions[name]!;
    if (read === null) continue;
    const value = read(rest.shift()!);
    if (own) settings[own.setting] = value;
    if (name === '--profile') profile = `${value}`;
  }
  return { experiment, experiments: together, profile: profileName.parse(profile), settings };
}

/** A host that has every backend of every system, and whatever gateways there are. */
const machine = {
  available: [...backendNames],
  nodeBackend: 'epoll' as const,
  descriptorLimit: 20_000,
  gateways: foundGateways(),
};

/** Cells that a command measures, each with one trial that has every figure. */
function cellsOfCommand(command: string, experiment: Experiment): Cell[] {
  const { profile, settings } = parsed(command);
  const all = experiment.cells({ ...(experiment.profile(profile, machine) as object), ...settings }, machine);
  return all.map(
    (levels) =>
      ({ experiment: experiment.id, levels, trials: [{}], host: { kernel: '' } }) as unknown as Cell,
  );
}

const everywhere = (test: ClaimTest) => ({ ...metric(test.metric), of: () => 1 });

describe('claims', () => {
  it('are all there, once each', () => {
    const numbered = (letter: string, from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => `${letter}${from + i}`);
    // Of what was published on DWCP: streams, memory, what steers a sweep, and what replicas agree on.
    const put = [
      ...numbered('T', 1, 11),
      ...numbered('G', 1, 7),
      ...numbered('W', 1, 4),
      ...numbered('D', 1, 3),
      ...numbered('D', 11, 13),
      ...numbered('D', 21, 29),
      ...numbered('D', 31, 36),
      ...numbered('D', 41, 47),
    ];
    assert.deepEqual(
      claims.map(({ id }) => id),
      put,
    );
    assert.deepEqual(
      planned.map(({ id }) => id),
      [...numbered('D', 21, 29), 'D47'],
    );
    for (const claim of claims) assert.ok(claim.statement && claim.cells, claim.id);
  });

  it('recommend a command only where there is one', () => {
    for (const { id, planned: sentence, cells, statement } of planned) {
      assert.ok(sentence.length > 0, id);
      assert.doesNotMatch(`${sentence} ${cells} ${statement}`, /dispatchbench/, id);
    }
  });

  for (const { id, experiment: named, supply, tests } of tested) {
    it(`${id}: its command exists and supplies the cells of its tests`, () => {
      const { experiments } = parsed(supply);
      assert.ok(experiments.some((one) => one.id === named));
      for (const test of tests) {
        const experiment = experiments.find((one) => one.id === (test.experiment ?? named))!;
        const { shape } = experiment.cell as unknown as ZodObject;
        const supplied = cellsOfCommand(supply, experiment);
        const sides = 'to' in test ? [test.of, test.to] : [test.of];
        for (const { levels = {} } of sides) {
          for (const [factor, level] of Object.entries(levels))
            for (const one of [level].flat())
              assert.deepEqual(shape[factor]!.safeParse(one).error, undefined);
        }
        // A command says what is measured on each host; which systems those run is the user's.
        const matching = (side: Selector) =>
          cellsMatching(
            supplied.map((cell) => ({ ...cell, host: { ...cell.host, kernel: side.system ?? '' } })),
            side,
            everywhere(test),
          );
        for (const side of sides) assert.ok(matching(side).length > 0, JSON.stringify(side));
        if (!('factor' in test)) continue;
        const levels = matching(test.of).map((cell) => cell.levels[test.factor]);
        const reach = 'reach' in test ? test.reach : 'between' in test ? test.between[1] : 0;
        assert.ok(Math.max(...levels.map(Number)) >= reach, `${test.factor} ${reach}`);
        if ('from' in test) assert.ok(levels.includes(test.from));
      }
    });

    it(`${id}: its trials yield the metrics of its tests`, () => {
      const { experiments, profile, settings: asked } = parsed(supply);
      for (const test of tests) {
        const experiment = experiments.find((one) => one.id === (test.experiment ?? named))!;
        const settings = { ...(experiment.profile(profile, machine) as object), ...asked };
        // Of the first cell that the test is about: an experiment may have trials of several kinds.
        const cell = experiment
          .cells(settings, machine)
          .find((levels) =>
            matches({ levels, host: { kernel: test.of.system ?? '' } as HostFacts }, test.of),
          )!;
        const { metrics } = kindOf(experiment.trial(cell, settings, machine));
        assert.ok(
          metrics.some((one) => one.id === test.metric),
          test.metric,
        );
      }
    });
  }
});

describe('the check of commands', () => {
  for (const command of [
    'dispatchbench run cross-hosts',
    'dispatchbench run idle-connections --ports 5',
    'dispatchbench run idle-connections --profile thorough',
    'dispatchbench run idle-connections --host illumos',
    'dispatchbench run idle-connections --backends io_uring',
    'dispatchbench run udp-ports --budget soon',
    'dispatchbench measure idle-connections',
  ])
    it(`refuses '${command}'`, () => {
      assert.throws(() => parsed(command));
    });

  it('takes options of the experiment beside common ones', () => {
    const { settings, profile } = parsed(
      'dispatchbench run idle-connections --json --idle 0,100 --profile full --host netns',
    );
    assert.deepEqual(settings, { idle: [0, 100] });
    assert.equal(profile, 'full');
  });
});

describe('the bibliography', () => {
  it('cites author, short title, year and place', () => {
    assert.equal(
      cited({ work: 'dispatch-thesis', where: 'fig. 5.1' }),
      'Maharjan, Event Dispatch Mechanisms in Virtual Hosts (2012), fig. 5.1',
    );
  });

  it('cites works of several authors, without date, and of nobody', () => {
    assert.match(
      cited({ work: 'isomorphic-iot-review', where: 'question 2' }),
      /^Gautam and Mude, .* \(undated\), question 2$/,
    );
    assert.equal(
      cited({ work: 'dwcp-results', where: 'section 1' }),
      'DWCP v3 Phase 0 Benchmark Results (2025), section 1',
    );
  });

  it('says of every work what it is and where it is found', () => {
    for (const [key, { title, shortTitle, where }] of Object.entries(bibliography))
      assert.ok(title && shortTitle && where && shortTitle.length <= title.length, key);
    for (const { id, source } of claims) assert.ok(source.where.length > 0, id);
  });
});
