/** What the kernel says of the CPU's vulnerabilities, for people: what is open first, what does not concern it as a number. */

/** @param states by vulnerability, as /sys/devices/system/cpu/vulnerabilities has them */
export function mitigationsInWords(states: Readonly<Record<string, string>>): string {
  const open: string[] = [];
  const mitigated: string[] = [];
  const other: string[] = [];
  let unaffected = 0;
  for (const [name, state] of Object.entries(states)) {
    const [, kind, how] = /^(Not affected|Vulnerable|Mitigation)(?:: *(.*))?$/s.exec(state) ?? [];
    const named = how ? `${name} (${how})` : name;
    if (kind === 'Not affected') unaffected++;
    else if (kind === 'Vulnerable') open.push(named);
    else if (kind === 'Mitigation') mitigated.push(named);
    else other.push(`${name}: ${state}`);
  }
  return (
    [
      ...(open.length > 0 ? [`vulnerable: ${open.join(', ')}`] : []),
      ...(mitigated.length > 0 ? [`mitigated: ${mitigated.join(', ')}`] : []),
      ...other,
      ...(unaffected > 0 ? [`no concern of this CPU: ${unaffected}`] : []),
    ].join('; ') || 'not reported'
  );
}
