import type { AdhocCommand, Context } from '#core'
import type { Authority } from '../actor'
import type { ChannelsConfig } from '../config'
import type { Retention } from '../retention'
import type { Channels } from '../service'
import { OverviewTable } from '../store/overview-table'
import { banCommands } from './bans'
import { deleteCommand } from './delete'
import { showCommand } from './show'
import { limitCommands } from './limits'
import { listCommand } from './list'
import { retentionCommand } from './retention'
import { transferCommand } from './transfer'

/** What the commands work with. */
export interface Desk {
  ctx: Context<ChannelsConfig>
  channels: Channels
  authority: Authority
  retention: Retention
  overview: OverviewTable
}

/** For administrators of the channel host, at the host: an account's own address is another host's. */
export function adminCommands(parts: Omit<Desk, 'overview'>): AdhocCommand[] {
  const desk = { ...parts, overview: new OverviewTable(parts.ctx.db, parts.ctx.host.name) }
  return [
    listCommand(desk),
    showCommand(desk),
    deleteCommand(desk),
    transferCommand(desk),
    ...banCommands(desk),
    ...limitCommands(desk),
    retentionCommand(desk)
  ]
}
