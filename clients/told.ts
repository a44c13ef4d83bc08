/** A promise, and what fulfils it. */
function signal(): { given: Promise<void>; give(): void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

/** The lines `go` and `close` of one load's control channel. */
export class Told {
  private readonly signals = { go: signal(), close: signal() };

  /** @returns whether the line was one of them */
  line(text: string): boolean {
    if (text !== 'go' && text !== 'close') return false;
    this.signals[text].give();
    return true;
  }

  get go(): Promise<void> {
    return this.signals.go.given;
  }

  get close(): Promise<void> {
    return this.signals.close.given;
  }
}
