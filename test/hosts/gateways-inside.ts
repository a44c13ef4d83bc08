/** Gateways on a host that has its server under another root: those that are built start there, others say what is missing. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { foundGateways } from '../../src/gateways/parts.js';
import { RunFolder } from '../../src/results/folder.js';
import { measured } from '../../src/trials/sample.js';
import { freshFolder } from '../run/fake-run.js';
import { dispatchbench } from '../support/command.js';
import { planIn } from './small-plans.js';

const inside = 'native_local';
/** QEMU and its files are not among ours. */
const outside = 'native_microvm_emulated';

const notBuilt = foundGateways().find(({ name }) => name === inside)!.reason;

export const gatewaysStartInside = (host: string, skip: string | false) =>
  test(`a gateway starts on ${host}, and what is not there is named`, {
    skip: skip || notBuilt || false,
  }, () => {
    const out = freshFolder();
    const runs = join(out, 'runs');
    const settings = { gateways: [inside, outside], askings: ['steadily'], port: 18_081 };
    const plan = planIn(out, 'gateway-cold-start', settings);
    const { status, stderr } = dispatchbench(
      ...['run', 'gateway-cold-start', '--plan', plan, '--host', host, '--out', runs],
    );
    // Not all that was asked for can be there.
    assert.equal(status, 3, stderr);
    assert.match(stderr, /there is no microvm-tcg here: /);
    const samples = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
    const of = (name: string) => samples.find(({ cell }) => cell.impl === name)!;
    assert.equal(of(outside).status, 'impossible');
    assert.equal(of(inside).error, null);
    assert.ok(measured(of(inside), 'start', 'start')!.firstReplyNs > 0);
  });
