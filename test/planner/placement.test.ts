/** Placements keep every rule, use few hosts, and what cannot be placed is said with its reason. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { balance, rebalance } from '../../src/planner/placement/balance.js';
import { fewestHosts } from '../../src/planner/placement/bound.js';
import { hostsUsed, largestShare, violations } from '../../src/planner/placement/check.js';
import { exhaustive } from '../../src/planner/placement/exhaustive.js';
import { sizes, tight } from '../../src/planner/placement/generate.js';
import { place } from '../../src/planner/placement/place.js';
import { checkProblem, type Problem } from '../../src/planner/placement/problem.js';
import { unitsOf } from '../../src/planner/placement/units.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';

const whole = (random: Random, most: number) => Math.floor(random() * most);

/** A small problem in which anything may happen: often there is no placement. */
function anyProblem(seed: number): Problem {
  const random = randomFrom(`any ${seed}`);
  const [items, hosts, resources] = [2 + whole(random, 5), 2 + whole(random, 2), 1 + whole(random, 2)];
  const pairs = (most: number) =>
    Array.from({ length: whole(random, most + 1) }, () => {
      const one = whole(random, items);
      return [one, (one + 1 + whole(random, items - 1)) % items] as const;
    });
  return {
    resources: ['CPU', 'memory'].slice(0, resources),
    items: Array.from({ length: items }, (_, at) => ({
      name: `i${at}`,
      takes: Array.from({ length: resources }, () => whole(random, 8)),
      ...(random() < 0.2 && { only: [whole(random, hosts)] }),
    })),
    hosts: Array.from({ length: hosts }, (_, at) => ({
      name: `h${at}`,
      has: Array.from({ length: resources }, () => 6 + whole(random, 8)),
    })),
    apart: pairs(3),
    together: random() < 0.5 ? pairs(1) : [],
    near: random() < 0.4 ? pairs(2).map((both) => ({ items: both, mostMs: 5 })) : [],
    latencyMs: Array.from({ length: hosts }, (_, row) =>
      Array.from({ length: hosts }, (_, column) =>
        row === column ? 0.1 : random() < 0.2 ? null : 1 + whole(random, 9),
      ),
    ),
  };
}

/** Every assignment there is, held against the checker alone. */
function* everyPlacement({ items, hosts }: Problem): Generator<number[]> {
  for (let code = 0; code < hosts.length ** items.length; code++)
    yield items.map((_, at) => Math.floor(code / hosts.length ** at) % hosts.length);
}

test('of small problems: placed exactly where a placement exists, and on the fewest hosts', () => {
  let none = 0;
  for (let seed = 0; seed < 400; seed++) {
    const problem = anyProblem(seed);
    let fewest = Number.POSITIVE_INFINITY;
    let least = Number.POSITIVE_INFINITY;
    for (const placement of everyPlacement(problem)) {
      if (violations(problem, placement).length > 0) continue;
      fewest = Math.min(fewest, hostsUsed(placement));
      least = Math.min(least, largestShare(problem, placement));
    }
    const found = place(problem);
    const even = balance(problem);
    if (found.placement === null) {
      none += 1;
      assert.equal(fewest, Number.POSITIVE_INFINITY, `seed ${seed}: there is one, but: ${found.reason}`);
      assert.ok(found.proven, `seed ${seed}: a problem so small is decided: ${found.reason}`);
      assert.equal(even.placement, null);
      continue;
    }
    assert.deepEqual(violations(problem, found.placement), [], `seed ${seed}`);
    assert.equal(hostsUsed(found.placement), found.hosts);
    assert.equal(found.hosts, fewest, `seed ${seed}`);
    assert.ok(found.fewest <= fewest, `seed ${seed}: the bound is none`);
    assert.ok(even.placement !== null, `seed ${seed}`);
    assert.deepEqual(violations(problem, even.placement), [], `seed ${seed}, balanced`);
    assert.ok(even.least <= least * (1 + 1e-9), `seed ${seed}: the bound of the share is none`);
  }
  assert.ok(none > 50 && none < 350, `both kinds are among them: ${none} of 400 have no placement`);
});

test('trying every placement agrees with the checker about which number of hosts suffices', () => {
  for (let seed = 0; seed < 100; seed++) {
    const problem = anyProblem(seed);
    const right = [...everyPlacement(problem)].filter((one) => violations(problem, one).length === 0);
    for (const most of problem.hosts.map((_, at) => at + 1)) {
      const all = unitsOf(problem);
      if (all.contradictions.length > 0) continue;
      const found = exhaustive(all, most, 1e6);
      assert.equal(
        found === 'none',
        right.every((one) => hostsUsed(one) > most),
        `seed ${seed}, ${most} hosts`,
      );
    }
  }
});

describe('tight problems', () => {
  for (const size of sizes.slice(0, 3)) {
    test(`${size.items} items on ${size.hosts} hosts: no rule is broken, and few hosts are used`, () => {
      for (let seed = 1; seed <= 3; seed++) {
        const { problem, known } = tight({ ...size, resources: seed % 2 === 0 ? 3 : 2, seed });
        assert.deepEqual(violations(problem, known), [], 'what it was cut from keeps the rules');
        const filled = largestShare(problem, known);
        assert.ok(filled > 0.85 && filled <= 1, `${filled}`);
        assert.ok(problem.apart.length > 0 && problem.together.length > 0);
        const found = place(problem, { seed });
        assert.ok(found.placement !== null, `seed ${seed}`);
        assert.deepEqual(violations(problem, found.placement), []);
        assert.ok(found.hosts >= found.fewest && found.fewest <= hostsUsed(known));
        assert.ok(found.hosts <= 1.1 * hostsUsed(known), `${found.hosts} against ${hostsUsed(known)}`);
      }
    });
  }

  test('the same seed places alike, and makes the same problem', () => {
    const wanted = { items: 50, hosts: 20, resources: 3, seed: 7 } as const;
    assert.deepEqual(tight(wanted), tight(wanted));
    const { problem } = tight(wanted);
    assert.deepEqual(place(problem, { seed: 3 }), place(problem, { seed: 3 }));
  });
});

describe('the checker finds what is planted', () => {
  const problem: Problem = {
    resources: ['CPU'],
    items: ['a', 'b', 'c', 'd'].map((name) => ({ name, takes: [4], ...(name === 'd' && { only: [1, 2] }) })),
    hosts: ['x', 'y', 'z'].map((name) => ({ name, has: [8] })),
    together: [[0, 1]],
    apart: [[1, 2]],
    near: [{ items: [0, 3], mostMs: 5 }],
    latencyMs: [
      [0, 2, 9],
      [2, 0, 2],
      [3, 2, 0],
    ],
  };
  const cases: [string, number[], string[]][] = [
    ['nothing', [0, 0, 1, 1], []],
    ['too few', [0, 0, 1], ['placed']],
    ['nowhere', [0, 0, 1, 3], ['placed']],
    ['too much on one', [1, 1, 0, 1], ['resource']],
    ['separated', [0, 1, 2, 1], ['together']],
    ['on a host that it may not have', [1, 1, 0, 0], ['only']],
    ['beside a noisy neighbour', [0, 1, 1, 2], ['together', 'apart', 'near']],
    ['too far, by the longer way', [0, 0, 1, 2], ['near']],
  ];
  for (const [name, placement, rules] of cases)
    test(name, () =>
      assert.deepEqual(
        violations(problem, placement).map(({ rule }) => rule),
        rules,
      ),
    );

  test('in every right placement of tight problems', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { problem: hard, known } = tight({ items: 50, hosts: 20, resources: 2, seed });
      const random = randomFrom(seed);
      const broken = (placement: readonly number[]) =>
        new Set(violations(hard, placement).map(({ rule }) => rule));
      const moved = (item: number, to: number) => known.map((host, at) => (at === item ? to : host));
      const [one, other] = hard.apart[whole(random, hard.apart.length)]!;
      assert.ok(broken(moved(one, known[other]!)).has('apart'));
      const [first, second] = hard.together[whole(random, hard.together.length)]!;
      assert.ok(broken(moved(first, (known[second]! + 1) % 20)).has('together'));
      // Two full hosts are too much for one.
      assert.ok(
        broken(known.map((host) => (host === known[0] ? (known[0]! + 1) % 16 : host))).has('resource'),
      );
    }
  });
});

describe('what cannot be placed is said', () => {
  const roomy = (changes: Partial<Problem>): Problem => ({
    resources: ['CPU', 'memory'],
    items: ['a', 'b', 'c'].map((name) => ({ name, takes: [2, 2] })),
    hosts: ['x', 'y'].map((name) => ({ name, has: [8, 8] })),
    together: [],
    apart: [],
    near: [],
    latencyMs: [
      [0, 9],
      [9, 0],
    ],
    ...changes,
  });
  const item = (name: string, takes: number[], only?: number[]) => ({ name, takes, only });
  const cases: [Partial<Problem>, RegExp][] = [
    [{ items: [item('big', [2, 9])] }, /^no host that may have big has 9 memory$/],
    [{ items: [item('a', [1, 1], [])] }, /^no host may have a$/],
    [
      { items: [item('a', [5, 1]), item('b', [5, 1])], together: [[0, 1]] },
      /^no host that may have a with b, which are to be together has 10 CPU$/,
    ],
    [{ together: [[0, 1]], apart: [[1, 0]] }, /^b and a are to be on one host and on two$/],
    [
      { items: [1, 2, 3].map((at) => item(`i${at}`, [6, 1])) },
      /^all items take 18 CPU, and all hosts have 16$/,
    ],
    [
      { items: [1, 2, 3].map((at) => item(`i${at}`, [5, 1])) },
      /^3 items \(i\d; i\d; i\d\) need a host each, because they are to be apart or do not fit beside each other, and there are 2 hosts$/,
    ],
    [
      {
        apart: [
          [0, 1],
          [1, 2],
          [0, 2],
        ],
      },
      /^3 items .* need a host each/,
    ],
    [
      { apart: [[0, 1]], near: [{ items: [0, 1], mostMs: 5 }] },
      /^no placement keeps all rules: without what is to be apart, or without what is to be near, there is one$/,
    ],
    [
      { items: [item('a', [1, 1], [0]), item('b', [1, 1], [1])], near: [{ items: [0, 1], mostMs: 5 }] },
      /^no two hosts that may have a and b are within 5 ms$/,
    ],
    [
      { items: [3, 3, 3, 3, 4].map((take, at) => item(`i${at}`, [take, 0])) },
      /^no placement keeps all rules: without what is taken of CPU, there is one$/,
    ],
  ];
  for (const [changes, says] of cases)
    test(String(says), () => {
      const found = place(roomy(changes));
      assert.equal(found.placement, null);
      assert.match(found.reason, says);
      assert.equal(found.proven, true);
    });

  test('a problem that is none is refused', () => {
    const wrong: [Partial<Problem>, RegExp][] = [
      [{ items: [item('a', [1])] }, /item a has 1 amounts of 2 resources/],
      [{ items: [item('a', [1, Number.NaN])] }, /item a has NaN of memory/],
      [{ items: [item('a', [1, -1])] }, /item a has -1 of memory/],
      [{ apart: [[0, 3]] }, /no pair 0, 3 of items/],
      [{ items: [item('a', [1, 1], [2])] }, /item a names host 2/],
      [{ near: [{ items: [0, 1], mostMs: 1 }], latencyMs: [] }, /latency between hosts/],
    ];
    for (const [changes, says] of wrong) assert.throws(() => checkProblem(roomy(changes)), says);
  });
});

describe('rebalancing', () => {
  test('each move helps, all are counted, and no rule is broken on the way', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { problem } = tight({ items: 50, hosts: 20, resources: 2, seed });
      const packed = place(problem);
      assert.ok(packed.placement !== null);
      const after = rebalance(problem, packed.placement);
      assert.deepEqual(violations(problem, after.placement), []);
      assert.ok(after.largest <= after.before && after.largest >= after.least);
      assert.equal(after.before, largestShare(problem, packed.placement));
      const differ = after.placement.filter((host, at) => host !== packed.placement[at]).length;
      assert.equal(after.moved.length, differ);
      const few = rebalance(problem, packed.placement, 3);
      assert.ok(few.moved.length <= 3 && few.largest <= few.before);
      assert.deepEqual(violations(problem, few.placement), []);
    }
  });

  test('twelve equal items crowded on one of four hosts: nine of them move, and no more', () => {
    const problem: Problem = {
      resources: ['CPU'],
      items: Array.from({ length: 12 }, (_, at) => ({ name: `i${at}`, takes: [1] })),
      hosts: Array.from({ length: 4 }, (_, at) => ({ name: `h${at}`, has: [12] })),
      together: [],
      apart: [],
      near: [],
      latencyMs: [],
    };
    const after = rebalance(problem, new Array<number>(12).fill(0));
    assert.equal(after.moved.length, 9);
    assert.ok(Math.abs(after.largest - 0.25) < 1e-6, `${after.largest}`);
    assert.equal(fewestHosts(unitsOf(problem)), 1);
  });
});
