/** Sequences of transfers over a link that changes, as trials, and what a run of them says. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { analyse } from '../../src/analysis/analyse.js';
import type { CellLevels } from '../../src/contract/sample.js';
import { openHost } from '../../src/hosts/registry.js';
import { methods } from '../../src/planner/prediction/methods.js';
import { answerInWords } from '../../src/report/answer.js';
import { type BlocksMeasurement, type BlocksTrial, blocksMeasurement } from '../../src/trials/blocks.js';
import { metric } from '../../src/trials/registry.js';
import type { Sample } from '../../src/trials/sample.js';
import { carriedOutOn, circumstances } from '../gateways/carried-out.js';
import { noNamespaces } from '../support/namespaces.js';
import { host, syntheticSample } from '../support/samples.js';

const trial: BlocksTrial = {
  kind: 'blocks',
  ...{ streams: 6, choice: null, chunk: 65_536, congestion: 'reno', backend: 'poll' },
  ...{ blockMs: 600, durationMs: 1500, course: 'steady', seed: 1 },
};

const noLinks = noNamespaces || (existsSync('/dev/net/tun') ? false : 'there is no /dev/net/tun');

describe('over a link of its own', { skip: noLinks }, () => {
  test('the planner says what it expects from the second block on, and the rate follows its course', async () => {
    const roles = await openHost('netns:delay=5ms loss=1% rate=40mbit limit=60 means=relay seed=1');
    try {
      const measurements = await carriedOutOn(roles, { ...trial, choice: 'planned', course: 'regime' });
      const { blocks, recorded, predictors } = blocksMeasurement.parse(measurements.blocks);
      assert.ok(blocks.length >= 2);
      assert.deepEqual([blocks[0]!.streams, blocks[0]!.expected], [6, null]);
      assert.ok(blocks.slice(1).some(({ expected }) => expected! > 0));
      assert.ok(recorded.goodput.length > 0);
      assert.equal(recorded.goodput.length, recorded.deliveryRate.length);
      assert.equal(predictors, null);
      const rate = metric('transfer-rate').of({ measurements, ...circumstances })!;
      assert.ok(rate > 0.2 && rate < 5.1, `${rate} MB/s over a link of 5`);
      const { up } = await roles.link!.report();
      assert.ok(up.passedBytes > 1e5);
    } finally {
      await roles.close();
    }
  });
});

/** Sends datagrams to nobody, and says when it has. */
const sends = `
const socket = require('node:dgram').createSocket('udp4');
let sent = 0;
const next = () => sent++ < 20 ? socket.send('x', 9, process.argv[1], next) : end();
const end = () => { console.log('{"event":"sent"}'); socket.close(); };
next();`;

describe('a relay', { skip: noLinks }, () => {
  test('has the shape that it was changed to, until it is changed back', async () => {
    const roles = await openHost('netns:delay=1ms means=relay');
    try {
      const { link, server, client } = roles;
      const asked = server.facts.link!;
      const lost = async () => {
        const args = ['-e', sends, server.addressFor(client)];
        await client.spawn('a sender', { command: process.execPath, args }).expect('sent', 10_000);
        let [packets, gone] = [0, 0];
        for (let tries = 0; packets < 20 && tries < 100; tries++) {
          const { up } = await link!.report();
          packets += up.packets;
          gone += up.lost!;
        }
        assert.equal(packets, 20);
        return gone / packets;
      };
      await link!.change({ up: { ...asked.up, lossShare: 1 }, down: asked.down });
      assert.equal(await lost(), 1);
      await link!.change(asked);
      assert.equal(await lost(), 0);
    } finally {
      await roles.close();
    }
  });
});

test('on this machine a course needs a link, and says so', async () => {
  const roles = await openHost('local');
  try {
    await assert.rejects(
      carriedOutOn(roles, { ...trial, course: 'regime' }),
      /no link whose rate can be changed; take one that has/,
    );
  } finally {
    await roles.close();
  }
});

const measured = (perSecond: number, more: Partial<BlocksMeasurement> = {}): BlocksMeasurement => ({
  kind: 'blocks',
  ...{
    streams: 8,
    choice: null,
    course: 'regime',
    seed: 1,
    blockMs: 1000,
    durationMs: 1000,
    congestion: 'cubic',
  },
  blocks: [{ atMs: 0, streams: 8, expected: null, bytes: perSecond, wallNs: 1e9, cpuUs: 1000, resent: 3 }],
  recorded: { intervalMs: 100, goodput: [], deliveryRate: [] },
  predictors: null,
  ...more,
});

test('a run holds the planned number against the best and the worst in hindsight, and says what predicts its links', () => {
  const samples: Sample[] = [];
  const add = (cell: CellLevels, perSecond: number, more: Partial<BlocksMeasurement> = {}) => {
    for (let block = 0; block < 3; block++)
      samples.push({
        ...syntheticSample({ experiment: 'changing-link', cell, block, cpuUs: 1 }),
        ...{ host, clientHost: host },
        measurements: { blocks: measured(perSecond * (1 + block / 1000), more) },
      });
  };
  const common = { backend: 'epoll', impl: 'native', course: 'regime' };
  for (const [streams, perSecond] of [
    [1, 1e6],
    [16, 9e6],
    [64, 1e7],
  ] as const)
    add({ ...common, choice: null, streams }, perSecond);
  const predictors = methods.map(({ id }, at) => ({
    id,
    error: id === 'ar-rls' ? 0.05 : 0.06 + 0.01 * at,
    cpuUs: id === 'lstm' ? 1400 : 2,
  }));
  add({ ...common, choice: 'planned', streams: 64 }, 0.99e7, { choice: 'planned', predictors });
  const [experiment] = analyse(null, { samples, refused: [], notices: [] }).experiments;
  const { sentences } = answerInWords(experiment!, null)!;
  const planned = sentences.find((one) => /best fixed number in hindsight/.test(one))!;
  assert.match(
    planned,
    /best fixed number in hindsight: × 0\.99.* over 64 \(as much\), × .* over the worst, 1\.$/,
  );
  const predicted = sentences.filter((one) => /predictors|LSTM/.test(one));
  assert.match(
    predicted[0]!,
    /AR\(3\) by RLS was the best on the 3 series.*5 % off.*It is the one that steers/,
  );
  assert.match(
    predicted[1]!,
    /The LSTM was not the best: 13 % off, rank 8; .*1.400 µs of CPU a value, 1\.4 % of a CPU/,
  );
});
