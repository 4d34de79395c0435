import type { ConfigChanges, ConfigField, NodeConfig } from './config'
import type { Definition } from './definition'
import { PubsubError } from './errors'
import type { Scope } from './scope'
import type { Awaitable, Node, ReadStore, SubscriptionOptions, Terms } from './store'

/** What subscribers may choose at a service (§6.3). What is left out is not offered. */
export interface OptionsDefinition {
  /** Milliseconds that a lease may last (§12.19). */
  longestLease: number
  /** Milliseconds before the end of a lease at which the subscriber is reminded; leases twice as long are. */
  reminder: number
  /** Whether a subscription has to be a lease (§6.1.5). */
  leaseRequired: boolean
  /** Milliseconds that a subscription waits for its options where they are required. */
  patience: number
  /** Whether the service knows the address to be available, and will learn when it no longer is (§12.5). */
  isPresent?(jid: string): Awaitable<boolean>
  /** Whether payloads in that namespace have a text that can be a body (§12.8). */
  hasBody?(type: string): boolean
}

export const DEFAULT_OPTIONS: SubscriptionOptions = { deliver: true, include_body: false, expire: 'never' }

/** Whether the payloads of such a node have a text that can be a body (§12.8). */
export function hasBody(offered: OptionsDefinition, config: NodeConfig): boolean {
  return offered.hasBody?.(config.type) === true
}

/** The fields of §16.4.2 that are offered; `body`: at nodes whose payloads have a text. */
export function optionFields(offered: OptionsDefinition, body: boolean): ConfigField[] {
  const fields: ConfigField[] = [
    {
      key: 'deliver',
      form: { var: 'pubsub#deliver', type: 'boolean', label: 'Whether to receive notifications' },
      initial: true
    },
    {
      key: 'expire',
      form: {
        var: 'pubsub#expire',
        label: offered.isPresent
          ? 'When the subscription ends: a date and time, presence: when you go offline, or empty: never'
          : 'When the subscription ends: a date and time, or empty: never',
        ...(offered.leaseRequired && { required: true }),
        check: value => checkExpire(value, offered)
      },
      initial: 'never',
      read: readExpire,
      show: value => (value === 'never' ? '' : typeof value === 'number' ? dateTime(value) : String(value))
    }
  ]
  // §12.8: not where there is no defined way to make a body
  if (body) {
    fields.push({
      key: 'include_body',
      form: {
        var: 'pubsub#include_body',
        type: 'boolean',
        label: 'Whether to receive a message body in addition to the payload'
      },
      initial: false
    })
  }
  return fields
}

/** XEP-0082 §3.2, with the time zone that it demands. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

function checkExpire(value: string, { isPresent }: OptionsDefinition): string {
  if (value === '' || (value === 'presence' && isPresent)) return value
  if (DATE_TIME.test(value) && !Number.isNaN(Date.parse(value))) return value
  throw new Error('must be a date and time as 2026-02-28T11:59:59Z')
}

function readExpire(value: string | boolean | string[]): number | string {
  if (value === '') return 'never'
  return value === 'presence' ? value : Date.parse(String(value))
}

function dateTime(time: number): string {
  return new Date(time).toISOString()
}

/**
 * What somebody's choice comes to at a node: with what the node asks for, and no longer than the service allows.
 * `undefined` where the service insists on a choice and there is none (§6.1.5).
 * @throws PubsubError invalidOptions, and presenceSubscriptionRequired where nobody knows who is there
 */
export async function agree<N extends Node, X>(
  { def, node }: Scope<N, X, ReadStore<N, X>>,
  jid: string,
  current: SubscriptionOptions | undefined,
  changes: ConfigChanges | undefined
): Promise<Terms | undefined> {
  const offered = def.options
  if (offered === undefined) return {}
  const chosen = { ...DEFAULT_OPTIONS, ...current, ...changes }
  const now = def.now()
  let { expire } = chosen
  if (node.config.tempsub === true) expire = 'presence' // §12.5
  if (expire === 'presence' && !(await offered.isPresent?.(jid))) {
    throw new PubsubError('presenceSubscriptionRequired', {
      text: `temporary subscriptions are for whom this service sees: send presence from ${jid} to it first`
    })
  }
  if (typeof expire === 'number') {
    if (expire <= now) throw new PubsubError('invalidOptions', { text: 'that time is over' })
    expire = Math.min(expire, now + offered.longestLease) // §12.19
  }
  if (expire === 'never' && offered.leaseRequired) {
    if (changes === undefined) return undefined
    throw new PubsubError('invalidOptions', { text: 'subscriptions here are for a time: pubsub#expire' })
  }
  // §12.8; a field that is not offered at this node is ignored (XEP-0004 §3.1)
  const include_body = chosen.include_body && hasBody(offered, node.config)
  return termsOf(offered, { ...chosen, include_body, expire }, now)
}

/** What is stored for such a choice. */
function termsOf(offered: OptionsDefinition, options: SubscriptionOptions, now: number): Terms {
  if (options.expire === 'never' && options.deliver && !options.include_body) return {}
  if (typeof options.expire !== 'number') return { options }
  const { reminder } = offered
  const remind = options.expire - now > 2 * reminder
  return { options, due: remind ? options.expire - reminder : options.expire }
}

/** What an owner's approval adds: the longest lease, where there must be one and nobody asked for another. */
export function approvedTerms<N extends Node, X>(
  def: Definition<N, X>,
  current: SubscriptionOptions | undefined
): Terms | undefined {
  const offered = def.options
  if (!offered?.leaseRequired || (current && current.expire !== 'never')) return undefined
  const now = def.now()
  return termsOf(offered, { ...DEFAULT_OPTIONS, ...current, expire: now + offered.longestLease }, now)
}

/** What somebody gets whom an owner subscribes (§8.8.2). */
export async function addedTerms<N extends Node, X>(
  scope: Scope<N, X, ReadStore<N, X>>,
  jid: string
): Promise<Terms> {
  const { def } = scope
  const lease = def.options?.leaseRequired ? { expire: def.now() + def.options.longestLease } : undefined
  return (await agree(scope, jid, undefined, lease)) ?? {}
}

/** A choice as it stands in the form. */
export function shownOptions(options: SubscriptionOptions | undefined): ConfigChanges {
  return { ...DEFAULT_OPTIONS, ...options }
}
