/** Transfers as trials: what is measured, what is doubted, and what a run of the experiment says of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyse, type ExperimentAnalysis } from '../../src/analysis/analyse.js';
import { verdictOn } from '../../src/analysis/reference/published.js';
import { published2025, transfers2025 } from '../../src/analysis/reference/transfers-2025.js';
import type { EmulatedLink, LinkShape } from '../../src/contract/link.js';
import type { CellLevels } from '../../src/contract/sample.js';
import { experimentNamed } from '../../src/experiments/registry.js';
import { answerInWords } from '../../src/report/answer.js';
import { panelsOf, plotSeries } from '../../src/report/plot-series.js';
import { kindOf, type MetricId, metric } from '../../src/trials/registry.js';
import type { Sample } from '../../src/trials/sample.js';
import { type TransferMeasurement, transferMeasurement } from '../../src/trials/transfer.js';
import { carriedOut, circumstances } from '../gateways/carried-out.js';
import { host, syntheticSample } from '../support/samples.js';

const backend = 'poll' as const;

test('a trial yields its figures, and nothing to doubt in its bytes', async () => {
  const measurements = await carriedOut({
    kind: 'transfer',
    ...{ streams: 3, chunk: 65_536, congestion: 'reno', durationMs: 60 },
    by: { backend, way: 'copy', checked: true },
  });
  const measured = transferMeasurement.parse(measurements.transfer);
  const figure = (id: MetricId) => metric(id).of({ measurements, ...circumstances })!;
  assert.equal(measured.ours!.sender.bytes, measured.ours!.receiver.bytes);
  for (const id of [
    ...['transfer-rate', 'transfer-cpu', 'transfer-cpu-sender', 'transfer-cpu-receiver'],
    ...['transfer-calls-sender', 'transfer-calls-receiver', 'transfer-events-sender'],
    ...['transfer-events-receiver', 'transfer-memory-sender', 'transfer-setup'],
  ] as MetricId[])
    assert.ok(figure(id) > 0, id);
  const fairness = figure('transfer-fairness');
  assert.ok(fairness >= 1 / 3 && fairness <= 1);
  const doubts = kindOf(measured).gates('transfer', measured, null);
  assert.ok(!doubts.some(({ id }) => ['other-congestion', 'no-bytes'].includes(id)), JSON.stringify(doubts));
});

/** @param perSecond bytes */
function measurementOf(perSecond: number, more: Partial<TransferMeasurement> = {}): TransferMeasurement {
  return {
    kind: 'transfer',
    ...{ streams: 1, chunk: 65_536, congestion: 'cubic', durationMs: 1000, copyBytesPerSecond: 4e9 },
    iperf3: {
      ...{ bytes: perSecond, seconds: 1, cpuS: { sender: 0.95, receiver: 0.5 } },
      ...{ retransmits: 0, congestion: 'cubic', version: 'iperf 3.12' },
    },
    ...more,
  };
}

const wan: LinkShape = { delayNs: 20e6, lossShare: 0.01, bitsPerSecond: 1e8, limitPackets: 1000 };
const lossy: EmulatedLink = { up: wan, down: wan, means: 'relay', seed: 1, cpus: [], realtime: null };

test('each doubt is raised by what it is about, and by nothing else', () => {
  const gates = (measurement: TransferMeasurement, link: EmulatedLink | null = null) =>
    kindOf(measurement)
      .gates('transfer', measurement, link)
      .map(({ id, invalidates }) => `${id}${invalidates ? '!' : ''}`);
  const iperf3 = measurementOf(1e9).iperf3!;
  assert.deepEqual(gates(measurementOf(3.9e9)), []);
  assert.deepEqual(gates(measurementOf(4.1e9)), ['impossible-rate!']);
  assert.deepEqual(gates(measurementOf(0)), ['no-bytes!']);
  assert.deepEqual(gates(measurementOf(1e9, { iperf3: { ...iperf3, congestion: 'bbr' } })), [
    'other-congestion!',
  ]);
  const idle = measurementOf(1e9, { iperf3: { ...iperf3, cpuS: { sender: 0.5, receiver: 0.5 } } });
  assert.deepEqual(gates(idle), ['nobodys-limit']);
  assert.deepEqual(gates(idle, lossy), []);
});

const names = { local: null, wan: lossy };

/** Three blocks of a run whose gains are known. @param gain of 8 streams over 1, by host and congestion control */
function runOf(gain: Record<keyof typeof names, Record<string, number>>): ExperimentAnalysis {
  const samples: Sample[] = [];
  const add = (name: keyof typeof names, cell: CellLevels, perSecond: number) => {
    for (let block = 0; block < 3; block++) {
      const base = syntheticSample({ experiment: 'streams', cell, block, cpuUs: 1 });
      const link = names[name];
      const facts = { ...host, name, ...(link && { link }) };
      const transfer = measurementOf(perSecond * (1 + block / 1000));
      samples.push({ ...base, host: facts, clientHost: facts, measurements: { transfer } });
    }
  };
  for (const [name, controls] of Object.entries(gain) as [keyof typeof names, Record<string, number>][])
    for (const [congestion, times] of Object.entries(controls)) {
      const common = { way: 'copy', chunk: 65_536, congestion };
      const ours = { ...common, backend: 'epoll', impl: 'native' };
      for (const [streams, factor] of [
        [1, 1],
        [8, times],
      ] as const) {
        add(name, { ...ours, streams, choice: null }, 1e7 * factor);
        add(name, { ...common, backend: null, impl: 'iperf3', streams, choice: null }, 1e7 * factor);
      }
      add(name, { ...ours, streams: 8, choice: 'adaptive' }, 0.98e7 * Math.max(1, times));
    }
  return analyse(null, { samples, refused: [], notices: [] }).experiments[0]!;
}

test('a run says where more streams pay, and "no gain" where they do not', () => {
  const experiment = runOf({ local: { cubic: 0.97 }, wan: { cubic: 9.3, bbr: 1.06 } });
  const { headline, sentences } = answerInWords(experiment, null)!;
  assert.match(headline, /^8 streams over 1, goodput of all streams: /);
  const [local, wan] = headline.split('; ');
  assert.match(local!, /: no gain with .* \(× 0\.97\d* \[.*\]\) on local$/);
  assert.match(
    wan!,
    /^gain with cubic \(× 9\.3\d* \[.*\]\), no gain with bbr \(× 1\.06\d* \[.*\]\) on wan\.$/,
  );
  const sentence = (host: string, what: RegExp) =>
    sentences.find((one) => one.startsWith(`${host} · `) && what.test(one))!;
  assert.equal(sentences.length, 8);
  assert.equal(sentence('wan', /that of iperf3: /).match(/as much/g)?.length, 4);
  assert.match(
    sentence(
      'wan',
      /hindsight: bbr × .* over 8 \(as much\), × .* over the worst, 1; cubic × .* over 8 \(as much\), × .* over the worst, 1\.$/,
    ),
    /×/,
  );
  assert.match(
    sentence('local', /hindsight/),
    /: × 0\.98.* over 1 \(as much\), × 1\.01.* over the worst, 8\.$/,
  );
});

test('a number that is looked for stands in the panel of the fixed ones, in a colour of its own', () => {
  const { series } = runOf({ local: { cubic: 1 }, wan: { cubic: 9, bbr: 1 } });
  const ours = series.filter(({ levels }) => levels.impl === 'native');
  const panels = panelsOf(ours, (one) => [
    plotSeries(one, series, [{ x: 1, y: 1, low: null, high: null, n: 1, dots: [] }]),
  ]);
  assert.equal(panels.length, 3);
  for (const { title, series: lines } of panels) {
    assert.doesNotMatch(title, /pay/);
    assert.deepEqual(lines.map(({ name }) => name).sort(), ['epoll', 'epoll, as many as pay']);
    assert.equal(new Set(lines.map(({ style }) => style)).size, 2);
  }
});

test('D1 is supported where streams pay, and contradicted where they do not', async () => {
  const { verdictOf } = await import('../../src/analysis/verdicts.js');
  const { claims } = await import('../../src/claims/claims.js');
  const claim = claims.find(({ id }) => id === 'D1')!;
  const verdict = (gain: Parameters<typeof runOf>[0]) =>
    verdictOf(
      claim,
      runOf(gain).cells.map(({ cell }) => cell),
    ).verdict;
  assert.equal(verdict({ local: {}, wan: { cubic: 9.3, reno: 8 } }), 'supported');
  assert.equal(verdict({ local: { cubic: 0.97 }, wan: { cubic: 9.3 } }), 'contradicted');
});

test('every published figure of parallel streams has its verdict, and every rate is impossible', () => {
  assert.equal(transfers2025.length, 12);
  const verdicts = published2025.map((one) => ({ ...one, ...verdictOn(one) }));
  for (const { rate, what, plausibility, why } of verdicts) {
    if (rate) assert.equal(plausibility, 'impossible', what);
    assert.ok(why.length > 0, what);
  }
  assert.deepEqual(
    verdicts.filter(({ rate }) => !rate).map(({ plausibility }) => plausibility),
    ['formula', 'formula', 'formula', 'impossible'],
  );
  const sound = { ...published2025[0]!, rate: { ...transfers2025[0]!, bytesPerSecond: 2e9 } };
  assert.equal(verdictOn(sound, 3e9).plausibility, 'unknown');
  assert.equal(verdictOn(sound, 1e9).plausibility, 'impossible');
});

test('the experiment has a row for RDMA that says that there is none, and leaves the peer what it cannot do', () => {
  const streams = experimentNamed('streams');
  const machine = { available: [backend], nodeBackend: backend, descriptorLimit: 20_000 };
  const settings = { ...(streams.profile('quick', machine) as object), streams: [1, 512, 'adaptive'] };
  const cells = streams.cells(settings, machine);
  const rdma = cells.filter(({ way }) => way === 'rdma');
  assert.equal(rdma.length, 1);
  const trial = streams.trial(rdma[0]!, settings, machine);
  assert.match(kindOf(trial).needs(trial).missing!, /^RDMA is not available on this host/);
  const peers = cells.filter(({ impl }) => impl === 'iperf3');
  assert.deepEqual([...new Set(peers.map(({ streams: n, choice }) => `${n} ${choice}`))], ['1 null']);
  for (const one of cells) assert.ok(streams.cell.safeParse(one).success);
});
