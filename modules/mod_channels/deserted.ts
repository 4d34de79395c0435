import { deletions, type Delivery } from './announce'
import type { Channel } from './model'
import type { MemberChange } from './store/journal'
import type { ChannelStore } from './store/write-store'

/** protoXEP §1.3: an ephemeral channel goes, items and all, when its last participant has left. */
export async function endDeserted(
  store: ChannelStore,
  changes: readonly MemberChange[]
): Promise<Delivery[]> {
  const left = new Map<number, Channel>()
  for (const { node, before, after } of changes) {
    const leaves = before.subscription === 'subscribed' && after.subscription !== 'subscribed'
    if (leaves && node.channel.kind === 'ephemeral') left.set(node.channel.key, node.channel)
  }
  const deliveries: Delivery[] = []
  const { members } = store.tables
  for (const channel of left.values()) {
    if ((await members.countSubscribed(store.tx, channel.key)) > 0) continue
    // those who were still to come
    const waiting = await members.fanOut(store.tx, channel.key, ['pending', 'invited'])
    deliveries.push(...deletions(await store.deleteChannel(channel), waiting))
  }
  return deliveries
}
