/** What a TCP server does with received bytes. One implementation per process, so that every call site sees one shape. */
export interface StreamProtocol {
  /**
   * Takes `length` bytes at `offset` of the slab that connection `slot` sent, and leaves the reply, if any, in the three
   * fields. The part of the slab that a reply lies in (io-desk.ts) says how long it stays as it is: a text for ever,
   * received bytes until the next receive, answers put together until `recycle()`.
   */
  answer(slot: number, offset: number, length: number): void;
  replyOffset: number;
  replyLength: number;
  /** the connection ends after this reply */
  replyCloses: boolean;
  /** Whether the answers to `length` more bytes are sure to fit beside the replies given since `recycle()`. */
  hasRoom(length: number): boolean;
  recycle(): void;
  /** The connection is gone; its half-read request with it. */
  forget(slot: number): void;
}
