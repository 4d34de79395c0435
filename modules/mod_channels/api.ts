import { nodeName, parseTag } from '../lib_channels'
import type { ChannelsApi, Newest, Place, WireItem } from './news'
import type { Channels } from './service'
import type { NewsRow } from './store/news-table'

/** Keys in one statement. */
const BATCH = 500

/** What other modules read of channels. */
export function channelsApi(channels: Channels): ChannelsApi {
  const { reader, tables, name } = channels
  const read = reader.source
  return {
    following: jid => channels.following.of(jid),
    async newest(nodes) {
      const found = new Map<number, Newest>()
      for (const keys of batches(nodes)) {
        for (const row of await tables.news.of(read, keys)) {
          found.set(row.id, newestOf(row))
        }
      }
      return found
    },
    async publications(node, { upTo = Number.MAX_SAFE_INTEGER, limit, kinds }) {
      const rows = await tables.items.newest(read, node, { upTo, limit, ...(kinds && { kinds }) })
      return rows.map(({ id, seq, updated }): Place => ({ updated, node, seq, key: id }))
    },
    async locate(id) {
      const tag = parseTag(id)
      const node = tag && tag.service === name ? await reader.node(tag.node) : undefined
      const item = node && (await reader.item(node, id))
      if (node === undefined || item === undefined) return undefined
      return { updated: item.updatedAt, node: node.key, seq: item.seq, key: item.extra.key }
    },
    async items(keys) {
      const found = new Map<number, WireItem>()
      for (const some of batches(keys)) {
        for (const row of await tables.items.onWire(read, name, some)) {
          if (row.payload === null) continue
          const node = nodeName(row.jid, row.type)
          found.set(row.id, {
            id: reader.wireId({ name: node, type: row.type }, row.item_id),
            node,
            kind: row.kind,
            payload: row.payload
          })
        }
      }
      return found
    },
    granted: wish => channels.granted(wish),
    summaries: (jid, keys) => channels.summaries(jid, keys),
    async newsOf(jid, since) {
      const rows = await tables.news.ofPerson(read, jid, since)
      // that something else than a rating is new is found by looking
      return new Map(rows.map(row => [row.id, { ...newestOf(row), written: row.last_item }]))
    }
  }
}

function newestOf({ last_item, last_root, last_comment }: NewsRow): Newest {
  return { item: last_item, root: last_root, written: Math.max(last_root, last_comment ?? 0) }
}

function* batches(keys: readonly number[]): Generator<readonly number[]> {
  for (let i = 0; i < keys.length; i += BATCH) yield keys.slice(i, i + BATCH)
}
