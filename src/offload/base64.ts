/** Bytes as text in JSON, in Node and in pages. */

/** Arguments that a call may have without filling the stack. */
const atOnce = 8192;

export function toBase64(bytes: Uint8Array): string {
  if (typeof Buffer !== 'undefined')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  let text = '';
  for (let at = 0; at < bytes.length; at += atOnce)
    text += String.fromCharCode(...bytes.subarray(at, at + atOnce));
  return btoa(text);
}

export function joinedToBase64(parts: readonly Uint8Array[]): string {
  if (parts.length < 2) return toBase64(parts[0] ?? new Uint8Array());
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return toBase64(whole);
}

export const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
