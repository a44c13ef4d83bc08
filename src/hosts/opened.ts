/** What a host is made of, in the order in which it was made; it is ended the other way round, whatever goes wrong. */
export class Opened {
  private readonly parts: (() => Promise<void>)[] = [];

  keep<T extends { close(): Promise<void> }>(part: T): T {
    this.atEnd(() => part.close());
    return part;
  }

  atEnd(end: () => Promise<void>): void {
    this.parts.push(end);
  }

  /** @throws what the first of them said that could not be ended, when all others have been */
  close = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let end = this.parts.pop(); end; end = this.parts.pop())
      await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };

  /**
   * All of them, made side by side: one that fails waits for the others, so that what they open is ended as well.
   * @throws what the first of them said that failed
   */
  static async all<Works extends readonly Promise<unknown>[] | []>(works: Works) {
    await Promise.allSettled(works);
    return Promise.all(works);
  }

  /** Ends what was opened when the rest cannot be. */
  static async by<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    const opened = new Opened();
    try {
      return await work(opened);
    } catch (error) {
      // Why it could not be opened says more than what then could not be ended.
      await opened.close().catch(() => {});
      throw error;
    }
  }
}
