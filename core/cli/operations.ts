import { z } from 'zod'
import { CodedError } from '../errors'
import type { HookInfo } from '../events/hooks'
import { JID } from '../jid'
import type { ConfigOverride } from '../modules/overrides'
import type { ModuleEvent } from '../routing/events'
import type { ComponentStatus } from '../routing/components/api'
import type { Server } from '../server'
import { adminOperations } from './admin/operations'
import { audited } from './audited'
import { act, operation, type ControlOperations } from './control-protocol'
import { listening } from './listening'

/** What the server tells of itself. */
export interface Status {
  version: string
  pid: number
  /** Milliseconds since the epoch. */
  startedAt: number
  config: string
  data: string
  listening: string[]
  hosts: { name: string; type: string; sessions: number }[]
  /** External components, ours and as one of others. */
  components: ComponentStatus[]
  modules: { running: number; failed: number }
  /** Bytes of the whole process. */
  memory: number
}

/** Who handles what on a host, and the events that its modules raise themselves. */
export interface HooksReport {
  handlers: HookInfo[]
  events: ModuleEvent[]
}

/** What a command holds on a host in place of the config file. */
export interface HostOverride extends ConfigOverride {
  host: string
}

const Account = z.strictObject({ jid: z.string().max(3100) })
const AccountAndPassword = Account.extend({ password: z.string().max(8192) })
const OneModule = z.strictObject({ name: z.string().max(200), host: z.string().max(3100).optional() })

const OneHost = z.strictObject({ host: z.string().max(3100) })

const PAGE = 500

/** What the command line can ask of a server: over the control socket, or of one that it has opened itself. */
export function operationsOf(server: Server): ControlOperations {
  const { accounts, domains, manager } = server
  return audited(server, {
    'user.add': act(AccountAndPassword, onAccount, async ({ jid, password }) => {
      const { local, domain } = account(jid)
      await accounts.create(local, domain, password)
    }),
    'user.exists': operation(Account, ({ jid }) => {
      const { local, domain } = account(jid)
      return accounts.exists(local, accountHost(server, domain))
    }),
    'user.delete': act(Account, onAccount, async ({ jid }) => {
      const { local, domain } = account(jid)
      if (!(await accounts.remove(local, accountHost(server, domain)))) throw noAccount(jid)
    }),
    'user.password': act(AccountAndPassword, onAccount, async ({ jid, password }) => {
      const { local, domain } = account(jid)
      if (!(await accounts.setPassword(local, accountHost(server, domain), password))) throw noAccount(jid)
    }),
    'user.list': operation(z.strictObject({ host: z.string().optional() }), async ({ host }, emit) => {
      const virtual = domains.list().filter(({ type }) => type === 'virtual')
      for (const name of host === undefined ? virtual.map(one => one.name) : [accountHost(server, host)]) {
        for (let after = 0; ;) {
          const page = await accounts.list(name, { after, limit: PAGE })
          for (const { user } of page) await emit(`${user}@${name}`)
          if (page.length < PAGE) break
          after = page.at(-1)?.place ?? 0
        }
      }
    }),
    'module.list': operation(z.strictObject({}), () => manager.list()),
    'module.load': act(OneModule, onModule, ({ name, host }) => manager.load(name, host)),
    'module.unload': act(OneModule, onModule, ({ name, host }) => manager.unload(name, host)),
    'module.reload': act(z.strictObject({ name: z.string().max(200) }), onModule, ({ name }) =>
      manager.reload(name)
    ),
    hooks: operation(z.strictObject({ host: z.string() }), ({ host }): HooksReport => {
      const found = host === '' ? server.scope : domains.find(JID.tryParse(host)?.domain ?? host)
      if (!found) throw new CodedError('ERR_NO_HOST', `there is no host ${host}`)
      return { handlers: found.hooks.list(), events: found.items.list('event') }
    }),
    'host.left': operation(OneHost, ({ host }) => server.leftOf(domainOf(host))),
    'host.purge': act(
      OneHost,
      ({ host }) => host,
      ({ host }) => server.purgeHost(domainOf(host))
    ),
    'config.reload': act(
      z.strictObject({}),
      () => server.config.file,
      () => server.reloadConfig()
    ),
    'config.overrides': operation(z.strictObject({}), (): HostOverride[] =>
      domains
        .list()
        .flatMap(({ name, items }) =>
          items.list('config-override').map(override => ({ ...override, host: name }))
        )
    ),
    ...adminOperations(server),
    status: operation(z.strictObject({}), () => statusOf(server))
  })
}

function domainOf(text: string): string {
  const jid = JID.tryParse(text)
  if (jid?.kind === 'host') return jid.domain
  throw new CodedError('ERR_NO_HOST', `${text} is no domain`)
}

function onAccount({ jid }: z.infer<typeof Account>): string {
  return jid
}

function onModule({ name, host }: z.infer<typeof OneModule>): string {
  if (host === undefined) return name
  return `${name} on ${host === '' ? 'the server' : host}`
}

function account(text: string): JID {
  const jid = JID.tryParse(text)
  if (jid?.kind === 'bare') return jid
  throw new CodedError('ERR_ACCOUNT_NAME', `${text} is no account: name@host is expected`)
}

/** The name of a host with accounts. Throws `ERR_ACCOUNT_HOST`. */
function accountHost({ domains }: Server, name: string): string {
  const host = domains.get(JID.tryParse(name)?.domain ?? name)
  if (host?.type === 'virtual') return host.name
  const virtual = domains.list().filter(({ type }) => type === 'virtual')
  const known = virtual.map(one => one.name).join(', ') || 'none'
  throw new CodedError(
    'ERR_ACCOUNT_HOST',
    `${name} is no host with accounts of this server; there is: ${known}`
  )
}

function noAccount(jid: string): CodedError {
  return new CodedError('ERR_NO_ACCOUNT', `there is no account ${jid}`)
}

function statusOf(server: Server): Status {
  const modules = server.manager.list()
  return {
    version: server.api.version,
    pid: process.pid,
    startedAt: server.startedAt,
    config: server.config.file,
    data: server.dataFolder,
    listening: listening(server),
    components: server.components.list(),
    hosts: server.domains
      .list()
      .map(({ name, type, sessions }) => ({ name, type, sessions: sessions.count })),
    modules: {
      running: modules.filter(({ state }) => state === 'running').length,
      failed: modules.filter(({ state }) => state === 'failed').length
    },
    memory: process.memoryUsage().rss
  }
}
