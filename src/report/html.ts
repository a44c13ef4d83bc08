/** Text to HTML, with everything escaped that is not marked as HTML already. */

export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | null | undefined | readonly Part[];

function render(part: Part): string {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return (part as readonly Part[]).map(render).join('');
  return String(part).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Template tag: html`<p>${anything}</p>` escapes what is put in, except Html. */
export function html(parts: TemplateStringsArray, ...values: Part[]): Html {
  return new Html(parts.map((text, i) => text + render(values[i])).join(''));
}

/** JSON of at most seven digits, more than a screen can show. */
export function embedded(value: unknown): string {
  const shortened = (_: string, part: unknown) =>
    typeof part === 'number' ? Number(part.toPrecision(7)) : part;
  return JSON.stringify(value, shortened);
}

/** Rows that a table may have without being folded. */
const longest = 25;

export interface Column {
  name: string;
  figure?: boolean;
}

/** A table with its caption, folded where it is longer than a screen; figures are set right. */
export function longTable(...parts: Parameters<typeof table>): Html {
  const [, , { length }] = parts;
  return length <= longest
    ? table(...parts)
    : html`<details><summary>Table: ${length} rows</summary>${table(...parts)}</details>`;
}

/** A table with its caption; figures are set right. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Part[])[]): Html {
  const kind = (i: number) => new Html(columns[i]!.figure ? ' class="figure"' : '');
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${columns.map(({ name }, i) => html`<th scope="col"${kind(i)}>${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => html`<td${kind(i)}>${cell}</td>`)}</tr>\n`)}</tbody></table></div>`;
}
