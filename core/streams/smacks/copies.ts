/**
 * One stanza on its way to several resources of an account: it need not arrive at all of them, only somewhere. Given
 * to `session.send` with each, so that it is not handed out once more where one of them was lost (XEP-0198 §4).
 */
export class Copies {
  /** One has arrived, as far as can be known: acknowledged, or written to a client that does not acknowledge. */
  arrived = false

  /** @param left how many were sent */
  constructor(private left: number) {}

  /** One will not arrive. Whether that was the last chance. */
  lost(): boolean {
    return --this.left <= 0 && !this.arrived
  }
}
