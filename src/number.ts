/** Numbers as the reader sees them, the same in every output. It runs in the page of a report as well. */

/** Digits grouped by a narrow no-break space: 16 000. */
function grouped(text: string): string {
  const [whole, fraction] = text.split('.');
  const marked = whole!.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
  return fraction ? `${marked}.${fraction}` : marked;
}

/** Four significant digits without an exponent, as many as trials of a benchmark ever justify. */
export function number(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return '–';
  // What is left of 0 after arithmetic in floating point.
  if (Math.abs(value) < 1e-9) return '0';
  if (Number.isInteger(value)) return value < 0 ? `−${grouped(String(-value))}` : grouped(String(value));
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  const places = Math.min(8, Math.max(0, digits - 1 - magnitude));
  const text = grouped(Math.abs(value).toFixed(places));
  return value < 0 ? `−${text}` : text;
}

/** '1 port', '2 ports' */
export const counted = (count: number, thing: string, things = `${thing}s`): string =>
  `${count} ${count === 1 ? thing : things}`;
