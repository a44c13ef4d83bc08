/** autobench's configuration file: `key = value`, whole-line `#` comments. A pure function of its text. */

export interface AutobenchConfig {
  values: Map<string, string>;
  /** one sentence per line that was ignored; autobench warns and goes on too */
  warnings: string[];
}

export function parseConfig(text: string, file: string): AutobenchConfig {
  const values = new Map<string, string>();
  const warnings: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*([A-Za-z][\w-]*)\s*=\s*(\S.*?)\s*$/.exec(line);
    const where = `${file}:${index + 1}`;
    if (!match) warnings.push(`${where}: not 'key = value', ignored: ${line.trim()}`);
    else if (values.has(match[1]!))
      warnings.push(`${where}: '${match[1]}' is set twice, the first one counts`);
    else values.set(match[1]!, match[2]!);
  }
  return { values, warnings };
}
