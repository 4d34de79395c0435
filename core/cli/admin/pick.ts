import { suggest } from '../../config/suggest'
import { JID } from '../../jid'
import { EXIT, Failure } from '../exit'
import { shortName, type Given } from './given'
import type { CommandInfo } from './protocol'

/** XEP-0133 §4: these name accounts of the host that is asked, and so the host. */
const ACCOUNT_FIELDS = ['accountjid', 'accountjids']

/** The short name of a command: what its node has after the namespace. */
export function shortNode(node: string): string {
  return shortName(node)
}

/**
 * The command of that name, short or full, on the host that is meant. Throws a Failure that names the choice; to be
 * `explained`, it may be that of any host.
 */
export function pick(
  commands: readonly CommandInfo[],
  name: string,
  { host, given, explained }: { host: string | undefined; given: Given; explained?: boolean }
): CommandInfo {
  const named = commands.filter(({ node }) => node === name || shortNode(node) === name)
  if (named.length === 0) throw unknown(commands, name)
  const nodes = unique(named.map(({ node }) => node))
  if (nodes.length > 1)
    throw new Failure(`There are several commands ${name}; say which one: ${nodes.join(', ')}`, EXIT.usage)
  if (host !== undefined) return onHost(named, name, host)
  const [first, ...others] = named as [CommandInfo, ...CommandInfo[]]
  if (others.length === 0 || first.serverWide) return first
  const domain = accountHost(given)
  const meant = named.find(one => one.host === domain)
  if (meant) return meant
  if (explained) return first
  throw new Failure(`Several hosts have ${name}; say which one: ${hostsOf(named, '--host ')}`, EXIT.usage)
}

function onHost(named: readonly CommandInfo[], name: string, host: string): CommandInfo {
  const domain = JID.tryParse(host)?.domain ?? host
  const found = named.find(one => one.host === domain)
  if (found) return found
  throw new Failure(`${host} has no command ${name}; these have: ${hostsOf(named)}`, EXIT.usage)
}

function unknown(commands: readonly CommandInfo[], name: string): Failure {
  const meant = suggest(name, unique(commands.map(({ node }) => shortNode(node))))
  const what = meant === undefined ? 'balcony admin lists them.' : `did you mean "${meant}"?`
  return new Failure(`There is no command ${name}; ${what}`, EXIT.usage)
}

/** The host of the accounts that were named, if it is one. */
function accountHost(given: Given): string | undefined {
  const jids = ACCOUNT_FIELDS.flatMap(field => given.values(field)).map(value => JID.tryParse(value))
  const [domain, ...others] = unique(jids.map(jid => jid?.domain))
  return others.length === 0 ? domain : undefined
}

function hostsOf(commands: readonly CommandInfo[], before = ''): string {
  return unique(commands.map(({ host }) => `${before}${host}`)).join(', ')
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
