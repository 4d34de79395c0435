import { JID, type Context, type ServerApi, type Tx } from '#core'
import type { Authority } from './actor'
import type { ChannelsConfig } from './config'
import type { ChannelKind } from './model'

/** Which domains are whose, by the config and the hosts of this server. */
export function authorityOf({
  config,
  host,
  server
}: Pick<Context<ChannelsConfig>, 'config' | 'host' | 'server'>): Authority {
  const above = host.name.slice(host.name.indexOf('.') + 1)
  const hosts = server.hosts().filter(one => one.type === 'virtual')
  const parent = hosts.filter(one => one.name === above)
  const accounts = config.accountDomains ?? (parent.length > 0 ? parent : hosts).map(one => one.name)
  const topics = config.topicDomains ?? (host.name.includes('.') ? [`topics.${above}`] : [])
  return { accounts: prepared(accounts), topics: prepared(topics) }
}

function prepared(domains: readonly string[]): ReadonlySet<string> {
  return new Set(domains.map(domain => JID.of('', domain).domain))
}

/** protoXEP §1.3: a channel's domain decides its kind. */
export function kindOf({ accounts, topics }: Authority, channel: string): ChannelKind | undefined {
  const { domain } = JID.parse(channel)
  if (accounts.has(domain)) return 'personal'
  return topics.has(domain) ? 'topic' : undefined
}

/**
 * Whether an account has that name, inside a write unit. Of domains that are not of this server nobody knows: any
 * name there may be somebody's.
 */
export async function isAccount(
  { accounts }: Authority,
  server: ServerApi,
  tx: Tx,
  channel: string
): Promise<boolean> {
  const { local, domain } = JID.parse(channel)
  if (!accounts.has(domain)) return false
  const host = server.host(domain)
  return host?.type === 'virtual' ? await server.accounts.existsIn(tx, local, domain) : !host
}
