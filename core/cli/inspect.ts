import type { ModuleStatus, ReloadReport } from '../modules/server-api'
import type { ComponentStatus } from '../routing/components/api'
import { runningServer } from './backend'
import { EXIT, Failure } from './exit'
import type { HooksReport, Status } from './operations'
import { counted, print, table } from './output'
import type { PlaceOptions } from './place'

export interface ModulePlace extends PlaceOptions {
  host?: string
  /** The scope of the modules of the whole server. */
  server?: boolean
}

export async function listModules(options: PlaceOptions): Promise<void> {
  const server = await runningServer(options)
  const modules = (await server.call('module.list')) as ModuleStatus[]
  const rows = modules.map(({ name, host, state, version, error }) => [
    name,
    host === '' ? '(server)' : host,
    state,
    String(version),
    (error ?? '').replaceAll('\n', ' ')
  ])
  print(table(['MODULE', 'HOST', 'STATE', 'LOADS', 'LAST ERROR'], rows))
}

/** `load` and `unload` on one host or wherever the config says, `reload` everywhere. */
export async function changeModule(
  what: 'load' | 'unload' | 'reload',
  name: string,
  options: ModulePlace
): Promise<void> {
  if (options.server && options.host !== undefined)
    throw new Failure('--host and --server exclude each other.', EXIT.usage)
  const server = await runningServer(options)
  const host = options.server ? '' : options.host
  const params = what === 'reload' || host === undefined ? { name } : { name, host }
  const { ok, message } = (await server.call(`module.${what}`, params)) as ReloadReport
  if (!ok) throw new Failure(message)
  print(message)
}

/** Without a host: the server's own scope. */
export async function listHooks(host: string | undefined, options: PlaceOptions): Promise<void> {
  const server = await runningServer(options)
  const { handlers, events } = (await server.call('hooks', { host: host ?? '' })) as HooksReport
  // The order within an event is the one in which its handlers run
  const sorted = handlers.sort((a, b) => (a.event < b.event ? -1 : a.event > b.event ? 1 : 0))
  print(
    table(
      ['EVENT', 'PRIORITY', 'MODULE'],
      sorted.map(({ event, priority, module }) => [event, String(priority), module])
    )
  )
  if (events.length === 0) return
  const rows = events.map(({ name, when, handled }) => [
    name,
    handled === '' ? when : `${when}; HANDLED: ${handled}`
  ])
  print(`\n${table(['EVENTS OF MODULES', 'WHEN'], rows)}`)
}

export async function reloadConfig(options: PlaceOptions): Promise<void> {
  const server = await runningServer(options)
  const { ok, lines } = (await server.call('config.reload')) as { ok: boolean; lines: string[] }
  if (!ok) throw new Failure(lines.join('\n'))
  print(lines.join('\n'))
}

export async function showStatus(options: PlaceOptions): Promise<void> {
  const server = await runningServer(options)
  const status = (await server.call('status')) as Status
  const { running, failed } = status.modules
  print(`Balcony ${status.version}, process ${status.pid}, up ${duration(Date.now() - status.startedAt)}`)
  const facts = [
    ['config', status.config],
    ['data', status.data],
    ...status.listening.map(line => ['listening', line]),
    ...status.hosts.map(({ name, type, sessions }) => [
      type === 'virtual' ? 'host' : type,
      type === 'virtual' ? `${name} (${counted(sessions, 'session')})` : name
    ]),
    ...status.components.map(component => ['component', describe(component)]),
    [
      'modules',
      failed === 0 ? `${running} running` : `${running} running, ${failed} failed: see balcony module list`
    ],
    ['memory', `${Math.round(status.memory / 1024 / 1024)} MiB`]
  ]
  for (const [name = '', value = ''] of facts) print(`  ${name.padEnd(9)}  ${value}`)
}

function describe({ domain, direction, connected, peer, since, problem, waiting }: ComponentStatus): string {
  const there = direction === 'upstream' ? `at ${peer}` : connected ? `from ${peer}` : ''
  const state = connected ? 'connected' : 'not connected'
  const time = `for ${duration(Date.now() - since)}`
  const why = connected || problem === undefined ? '' : ` (${problem})`
  const queue = waiting === 0 ? '' : `, ${counted(waiting, 'stanza')} waiting`
  return [domain, there, state, time].filter(part => part !== '').join(' ') + why + queue
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}
