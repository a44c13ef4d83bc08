/** A group over an emulated link: what physics asks of it shows in what its clients measure. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { parseLink } from '../../src/hosts/link-text.js';
import { openNetns } from '../../src/hosts/netns.js';
import { onStage } from '../../src/stage/on-stage.js';
import { carriedOut } from '../../src/trials/quorum.js';
import { noNamespaces } from '../support/namespaces.js';
import { raft, usual } from './trials.js';

const skip = noNamespaces || (existsSync('/dev/net/tun') ? false : 'there is no /dev/net/tun');
const delayMs = 10;

test('no commit of a group on both sides of a link is sooner than a round over it', { skip }, async () => {
  const roles = await openNetns(parseLink(`delay=${delayMs}ms`));
  try {
    const { quorum } = await onStage({ roles, signal: new AbortController().signal }, (stage) =>
      carriedOut({ ...raft, ...usual, clients: 1, spread: true }, stage),
    );
    // Either the leader is across the link, or the one without whom it has no majority is.
    assert.ok(quorum.latency.min >= 2 * delayMs * 1e6, `the fastest took ${quorum.latency.min} ns`);
    assert.ok(quorum.steps!.wire >= 2 * delayMs);
  } finally {
    await roles.close();
  }
});
