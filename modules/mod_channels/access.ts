import { AUTHORIZE, OPEN, type AccessModels, type AccessRule, type Actor } from '../lib_pubsub'
import { ACCESS_MODELS, type AccessModel } from './model'

/** Somebody who asks; `local`: an account of the domains whose channels are here. */
export interface ChannelActor extends Actor {
  readonly local: boolean
  /** Whoever approves followers has invited them: nobody need approve any more. */
  readonly invited?: boolean
}

/** What a person reads about each model (protoXEP table 3). */
export const ACCESS_LABELS: Readonly<Record<AccessModel, string>> = {
  open: 'Anyone may read and follow',
  authorize: 'Followers read; following is approved by the owner or a moderator',
  local: 'Open to the users of this domain, by approval for all others',
  whitelist: 'Those whom the owner has made members; others by approval'
}

function byApproval(who: Actor): AccessRule {
  return (who as ChannelActor).invited === true ? { ...AUTHORIZE, subscribe: 'open' } : AUTHORIZE
}

/**
 * The models, for a service that knows whose accounts are local. A whitelist is as the deployed servers treat it:
 * whoever is not on it may ask to be.
 */
export function channelAccess(isLocal: (bare: string) => boolean): AccessModels {
  const rules: Record<AccessModel, AccessRule | ((who: Actor) => AccessRule)> = {
    open: OPEN,
    authorize: byApproval,
    local: who => (isLocal(who.bare) ? OPEN : byApproval(who)),
    whitelist: byApproval
  }
  return Object.fromEntries(
    ACCESS_MODELS.map(model => [model, { label: ACCESS_LABELS[model], rule: rules[model] }])
  )
}
