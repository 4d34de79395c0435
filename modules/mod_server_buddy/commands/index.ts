import type { AdhocCommand, Context } from '#core'
import type { Buddies } from '../buddies'
import type { PolicyInForce } from '../policy'
import type { Presences } from '../presences'
import type { Published } from '../published'
import { listCommand } from './list'
import { pendingCommand } from './pending'
import { policyCommand } from './policy'
import { removeCommand } from './remove'
import { requestCommand } from './request'

export interface CommandsParts {
  ctx: Context
  buddies: Buddies
  policy: PolicyInForce
  presences: Presences
  published: Published
}

export function commands(parts: CommandsParts): AdhocCommand[] {
  return [
    requestCommand(parts),
    pendingCommand(parts),
    listCommand(parts),
    removeCommand(parts),
    policyCommand(parts)
  ]
}
