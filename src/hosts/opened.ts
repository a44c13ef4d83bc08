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

  close = async (): Promise<void> => {
    for (let end = this.parts.pop(); end; end = this.parts.pop()) await end();
  };

  /** Ends what was opened when the rest cannot be. */
  static async by<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    const opened = new Opened();
    try {
      return await work(opened);
    } catch (error) {
      await opened.close();
      throw error;
    }
  }
}
