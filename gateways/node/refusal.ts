/** A request that is answered with an error: a status, and one line on the reason as the body. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    reason: string,
  ) {
    super(reason);
  }
}
