import type { Channel, ChannelNode, Standing } from '../model'

/** What has become of somebody's standing in a channel, in one write unit. */
export interface MemberChange {
  /** The node that the request named. */
  readonly node: ChannelNode
  /** Bare JID. */
  readonly jid: string
  readonly before: Readonly<Standing>
  readonly after: Readonly<Standing>
}

/** Collects the changes of members in a unit: for the log, for the events, and for what is kept in memory. */
export class Journal {
  readonly #changes = new Map<string, MemberChange>()

  note(node: ChannelNode, jid: string, before: Standing, after: Standing): void {
    const key = `${node.channel.key} ${jid}`
    const earlier = this.#changes.get(key)
    this.#changes.set(key, { node, jid, before: earlier?.before ?? before, after })
  }

  /** Whether the channel's members are other than before the unit. */
  touches({ key }: Channel): boolean {
    return this.changes().some(change => change.node.channel.key === key)
  }

  /** In the order in which they began; what came back to where it was is none. */
  changes(): MemberChange[] {
    return [...this.#changes.values()].filter(({ before, after }) => !same(before, after))
  }
}

function same(a: Standing, b: Standing): boolean {
  return a.affiliation === b.affiliation && a.subscription === b.subscription && a.invitedBy === b.invitedBy
}
