import type { Database } from '#core'
import { BounceTable } from './bounce-table'
import { FollowedTable } from './followed-table'
import { GhostTable } from './ghost-table'
import { ItemTable } from './item-table'
import { LogTable } from './log-table'
import { MemberTable } from './member-table'
import { NewsTable } from './news-table'
import { NodeTable } from './node-table'
import { TombstoneTable } from './tombstone-table'

/** The tables of one channel host, with their statements. */
export interface Tables {
  readonly nodes: NodeTable
  readonly members: MemberTable
  readonly items: ItemTable
  readonly tombstones: TombstoneTable
  readonly log: LogTable
  readonly ghosts: GhostTable
  readonly bounces: BounceTable
  readonly news: NewsTable
  readonly followed: FollowedTable
}

export function openTables(db: Database, host: string): Tables {
  return {
    nodes: new NodeTable(db, host),
    members: new MemberTable(db, host),
    items: new ItemTable(db),
    tombstones: new TombstoneTable(db, host),
    log: new LogTable(db, host),
    ghosts: new GhostTable(db, host),
    bounces: new BounceTable(db, host),
    news: new NewsTable(db, host),
    followed: new FollowedTable(db, host)
  }
}
