import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCpuProfile } from '../../src/flame/cpuprofile.js';
import { differentialGraph, flameGraph, foldedDifference } from '../../src/flame/graph.js';
import { decodeGraph, encodeGraph } from '../../src/flame/payload.js';
import { changeFill, draw, standaloneSvg } from '../../src/flame/render.js';
import { speedscope } from '../../src/flame/speedscope.js';
import { formatFolded, parseFolded } from '../../src/flame/stacks.js';

const stacks = parseFolded('n;a_[j];b_[k] 6\nn;a_[j] 2\nn;c<int>_[d] 2\n');
const whole = { root: 0, width: 1000, rootOnTop: false, matches: null };

describe('flame graph', () => {
  const graph = flameGraph('t', 'samples', stacks);

  test('places every frame: width, own part, left edge', () => {
    assert.deepEqual(
      graph.nodes.map(({ name, depth, start, value, self }) => [name, depth, start, value, self]),
      [
        ['all', 0, 0, 10, 0],
        ['n', 1, 0, 10, 0],
        ['a', 2, 0, 8, 2],
        ['b', 3, 0, 6, 6],
        ['c<int>', 2, 8, 2, 2],
      ],
    );
  });

  test('own parts sum to the total', () => {
    assert.equal(
      graph.nodes.reduce((sum, node) => sum + node.self, 0),
      graph.total,
    );
  });

  test('survives the compact form', () => {
    assert.deepEqual(decodeGraph(JSON.parse(JSON.stringify(encodeGraph(graph)))), graph);
  });

  test('zoom keeps ancestors and descendants and drops the rest', () => {
    const zoomed = draw(graph, { ...whole, root: 4 });
    assert.deepEqual(zoomed.drawn, [0, 1, 4]);
    assert.match(zoomed.body, /data-node="4".*?<rect x="0\.00" y="0" width="999\.50"/);
  });

  test('frames narrower than a fraction of a pixel are not drawn', () => {
    const wide = flameGraph('t', 'samples', parseFolded('a 10000\nb 1\n'));
    assert.equal(draw(wide, { ...whole, width: 100 }).drawn.length, 2);
    assert.equal(draw(wide, { ...whole, width: 10_000 }).drawn.length, 3);
  });

  test('the SVG file escapes names and marks kinds', () => {
    const svg = standaloneSvg(graph, whole, 'a & b');
    assert.match(svg, /c&lt;int&gt;/);
    assert.match(svg, /a &amp; b/);
    assert.match(svg, /flame-kernel/);
    assert.doesNotMatch(svg, /<int>/);
  });
});

describe('differential graph', () => {
  // Totals 100 and 50: normalised to the second, the first's a is 30, b 10, gone 10.
  const first = parseFolded('a 60\nb 20\ngone 20\n');
  const second = parseFolded('a 20\nb 25\nnew 5\n');
  const changes = (graph: ReturnType<typeof differentialGraph>) =>
    Object.fromEntries(graph.nodes.map((node) => [node.name, [node.value, node.selfChange]]));

  test('width is the second profile, the change is one of shares', () => {
    assert.deepEqual(changes(differentialGraph('d', 'samples', first, second)), {
      all: [50, 0],
      a: [20, -0.2],
      b: [25, 0.3],
      new: [5, 0.1],
    });
  });

  test('the mirror keeps what vanished and the direction of change', () => {
    assert.deepEqual(changes(differentialGraph('d', 'samples', first, second, 'first')), {
      all: [100, 0],
      a: [60, -0.2],
      b: [20, 0.3],
      gone: [20, -0.2],
    });
  });

  test('a profile against itself has no change anywhere', () => {
    const same = differentialGraph('d', 'samples', second, second);
    assert.ok(same.nodes.every((node) => node.change === 0 && node.selfChange === 0));
  });

  test('folded difference has the columns of difffolded -n', () => {
    assert.equal(foldedDifference(first, second), 'a 30 20\nb 10 25\ngone 10 0\nnew 0 5\n');
  });

  test('an empty profile is refused', () => {
    assert.throws(() => differentialGraph('d', 'samples', [], second), /first profile is empty/);
  });

  test('red grew, blue shrank', () => {
    const channels = (strength: number) => changeFill(strength).match(/\d+/g)!.map(Number);
    const [red, , blue] = channels(1);
    assert.ok(red! > blue!);
    const [otherRed, , otherBlue] = channels(-1);
    assert.ok(otherBlue! > otherRed!);
    assert.equal(new Set(channels(0)).size, 1, 'unchanged is grey');
  });
});

describe('speedscope', () => {
  test('shares one frame table; weights and stacks are the profile', () => {
    const file = speedscope('run', [
      { name: 'poll', unit: 'samples', stacks },
      { name: 'js', unit: 'microseconds', stacks: parseFolded('n;a_[j] 7') },
    ]);
    assert.deepEqual(
      file.shared.frames.map((frame) => frame.name),
      ['n', 'a_[j]', 'b_[k]', 'c<int>_[d]'],
    );
    assert.deepEqual(file.profiles[0]!.samples, [
      [0, 1, 2],
      [0, 1],
      [0, 3],
    ]);
    assert.deepEqual(
      file.profiles.map(({ unit, endValue, weights }) => [unit, endValue, weights]),
      [
        ['none', 10, [6, 2, 2]],
        ['microseconds', 7, [7]],
      ],
    );
  });
});

describe('V8 CPU profile', () => {
  const callFrame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber });
  const profile = JSON.stringify({
    nodes: [
      { id: 1, callFrame: callFrame('(root)'), children: [2, 3, 5] },
      { id: 2, callFrame: callFrame('serve', 'file:///srv/x.js', 4), children: [4] },
      { id: 3, callFrame: callFrame('(idle)') },
      { id: 4, callFrame: callFrame('', 'node:net', 0) },
      { id: 5, callFrame: callFrame('(garbage collector)') },
    ],
    startTime: 1000,
    endTime: 2000,
    // taken at 1100 1200 1300 1400 1500; the time until the next one is theirs
    samples: [2, 4, 3, 5, 2],
    timeDeltas: [100, 100, 100, 100, 100],
  });

  test('gives each stack the time until the next sample, idle left out', () => {
    const { stacks: found, samples } = parseCpuProfile(profile, '/srv');
    assert.equal(
      formatFolded(found),
      'node;(garbage collector)_[n] 100\nnode;serve x.js:5_[j] 100\nnode;serve x.js:5_[j];(anonymous) node:net:1_[j] 100\n',
    );
    assert.equal(samples, 4);
  });

  test('keeps only the time inside the windows', () => {
    const { stacks: found } = parseCpuProfile(profile, '/srv', [{ from: 1150, to: 1250 }]);
    assert.equal(formatFolded(found), 'node;serve x.js:5_[j];(anonymous) node:net:1_[j] 100\n');
  });

  test('another file is refused by name of the missing part', () => {
    assert.throws(() => parseCpuProfile('{"nodes":[]}'), /not a V8 CPU profile: startTime/);
  });
});
