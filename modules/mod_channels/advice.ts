import type { ConfigView } from '#core'
import type { ChannelsConfig } from './config'

/** protoXEP §10.2: strangers who write in every new channel are an invitation to spam. */
export function advice(config: ChannelsConfig, { host, options }: ConfigView): string[] {
  const { defaultAffiliation, newPublishers } = config
  if (defaultAffiliation !== 'publisher' || newPublishers === 'local') return []
  const connected = options('s2s') !== undefined || options('upstream') !== undefined
  const policy = (options('s2s_policy') as { policy?: unknown } | undefined)?.policy ?? 'open'
  if (!connected || policy !== 'open') return []
  return [
    `${host}: channels: defaultAffiliation is publisher and any server may reach this host, so strangers can write in new channels, which is an invitation to spam: set newPublishers to local, or defaultAffiliation to member`
  ]
}
