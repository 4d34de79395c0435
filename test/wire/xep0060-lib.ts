import type { TestContext } from 'node:test'
import { IM_HOST, type Options } from '../lib/config'
import type { DatabaseName } from '../lib/databases'
import { startTestServer, type TestServer } from '../lib/server'
import { ADMIN, configuration, iq, NODE, PUBSUB, SERVICE } from '../modules/mod_pubsub/lib'

export const FORM_TYPE = `${PUBSUB}#subscribe_options`

/** A submitted form of subscription options. */
export function chosen(values: Record<string, string>): string {
  return configuration(values, FORM_TYPE)
}

/** An `<options/>` request of somebody: asks with `get`, chooses with `set`. */
export function options(jid: string, values?: Record<string, string>, subid?: string, node = NODE): string {
  const attr = subid === undefined ? '' : ` subid='${subid}'`
  const inside = `<options node='${node}' jid='${jid}'${attr}>${values ? chosen(values) : ''}</options>`
  return iq(values ? 'set' : 'get', inside)
}

/** Subscribe and configure (§6.3.7). */
export function subscribeWith(jid: string, values: Record<string, string>, node = NODE): string {
  return iq('set', `<subscribe node='${node}' jid='${jid}'/><options>${chosen(values)}</options>`)
}

export function unsubscribe(jid: string, subid?: string, node = NODE): string {
  const attr = subid === undefined ? '' : ` subid='${subid}'`
  return iq('set', `<unsubscribe node='${node}' jid='${jid}'${attr}/>`)
}

/** The form of options in an answer, with these values. */
export function optionsForm(type: string, values: Record<string, string>): string {
  const fields = Object.entries(values).map(
    ([name, value]) => `<field var='pubsub#${name}'><value>${value}</value></field>`
  )
  return `<x xmlns='jabber:x:data' type='${type}'>
    <field var='FORM_TYPE' type='hidden'><value>${FORM_TYPE}</value></field>${fields.join('')}</x>`
}

/** A result with that inside `<pubsub/>`. */
export function result(inside: string): string {
  return `<iq type='result' from='${SERVICE}'><pubsub xmlns='${PUBSUB}'>${inside}</pubsub></iq>`
}

/** A server whose pubsub service has commands as well. */
export function startWithCommands(
  t: TestContext,
  database: DatabaseName,
  pubsub: Options = {}
): Promise<TestServer> {
  return startTestServer(t, {
    database,
    hosts: {
      localhost: IM_HOST,
      [SERVICE]: { type: 'component', admins: [ADMIN], modules: { pubsub, adhoc: {} } }
    }
  })
}

/** disco#info of the service, or of one of its nodes. */
export function info(node?: string): string {
  const attr = node === undefined ? '' : ` node='${node}'`
  return `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info'${attr}/></iq>`
}

export function hasFeatures(names: readonly string[], absent: readonly string[] = []): string {
  const there = names.map(name => `<feature var='${name}'/>`)
  const not = absent.map(name => `<feature var='${name}' t:absent='yes'/>`)
  return `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'>${[...there, ...not].join('')}</query></iq>`
}
