/** The connection of a page to its broker: by what the broker says, a WebSocket or a stream of WebTransport. */
import { Frames, frameOf } from '../frames.ts';
import { providerPath, transportPath } from '../session.ts';

/** What a broker says is as large as a task, whose files come apart. */
const mostMessageBytes = 16 << 20;

const relative = (path) => new URL(path.slice(1), location.origin + location.pathname);
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** Looks like a WebSocket. Nothing stands in for WebTransport where the broker says WebTransport. */
export class Transport {
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  #over = false;
  /** what there is to close, and to write to */
  #end = () => {};
  #write = () => {};

  /** @param named is told which one it is */
  constructor(named) {
    this.#run(named)
      .catch(() => {})
      .finally(() => {
        this.close();
        this.onclose?.();
      });
  }

  send(text) {
    this.#write(text);
  }

  close() {
    this.#over = true;
    try {
      this.#end();
    } catch {
      // It has ended by itself.
    }
  }

  async #run(named) {
    const response = await fetch(relative(transportPath));
    if (!response.ok) throw new Error(`the broker says ${response.status}`);
    const { transport, url, certificate } = await response.json();
    if (this.#over) return;
    named(transport);
    if (transport === 'webtransport') await this.#webTransport(url, bytesOf(certificate));
    else await this.#webSocket();
  }

  #webSocket() {
    const url = relative(providerPath);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    this.#end = () => socket.close();
    this.#write = (text) => socket.send(text);
    socket.onopen = () => this.onopen?.();
    socket.onmessage = (event) => this.onmessage?.(event);
    return new Promise((closed) => {
      socket.onclose = closed;
    });
  }

  async #webTransport(url, value) {
    const session = new WebTransport(url, { serverCertificateHashes: [{ algorithm: 'sha-256', value }] });
    this.#end = () => session.close();
    // A page that goes without a word is missed only after a while, and what it has with it.
    addEventListener('pagehide', this.#end);
    session.closed.catch(() => {}).finally(() => removeEventListener('pagehide', this.#end));
    await session.ready;
    const { readable, writable } = await session.createBidirectionalStream();
    const writer = writable.getWriter();
    // What is wrong with it is seen by whoever reads.
    this.#write = (text) => void writer.write(frameOf(text)).catch(() => {});
    this.onopen?.();
    const frames = new Frames(mostMessageBytes);
    const reader = readable.getReader();
    for (;;) {
      const { value: chunk, done } = await reader.read();
      if (done) return;
      for (const data of frames.push(chunk)) {
        if (data === '') this.#write('');
        else this.onmessage?.({ data });
      }
    }
  }
}
