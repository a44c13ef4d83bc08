import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mitigationsInWords } from '../../src/report/mitigations.js';

const cases: [states: Record<string, string>, words: string][] = [
  [{}, 'not reported'],
  [{ mds: 'Not affected', l1tf: 'Not affected' }, 'no concern of this CPU: 2'],
  [
    {
      mds: 'Not affected',
      spec_store_bypass: 'Vulnerable',
      spec_rstack_overflow: 'Vulnerable: Safe RET, no microcode',
      spectre_v2: 'Mitigation: Retpolines; STIBP: disabled',
      itlb_multihit: 'KVM: Mitigation: VMX disabled',
    },
    'vulnerable: spec_store_bypass, spec_rstack_overflow (Safe RET, no microcode); ' +
      'mitigated: spectre_v2 (Retpolines; STIBP: disabled); itlb_multihit: KVM: Mitigation: VMX disabled; ' +
      'no concern of this CPU: 1',
  ],
];

for (const [states, words] of cases)
  test(`${Object.keys(states).length} vulnerabilities: ${words}`, () =>
    assert.equal(mitigationsInWords(states), words));
