import type { TestContext } from 'node:test'
import { describe } from 'node:test'
import { IM_HOST, type Options } from '../../lib/config'
import { forEachDatabase, type DatabaseName } from '../../lib/databases'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario, type Player } from '../../lib/wire'

export const SERVICE = 'pubsub.localhost'
export const PUBSUB = 'http://jabber.org/protocol/pubsub'
export const OWNER = `${PUBSUB}#owner`
export const EVENT = `${PUBSUB}#event`
export const ERRORS = `${PUBSUB}#errors`
export const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const RSM = 'http://jabber.org/protocol/rsm'
export const ATOM = 'http://www.w3.org/2005/Atom'
/** Administers the service. */
export const ADMIN = 'polonius@localhost'
export const NODE = 'princely_musings'

/** A server with a pubsub service beside a host with accounts. */
export function startPubsub(
  t: TestContext,
  database: DatabaseName,
  options: Options = {},
  config: Options = {}
): Promise<TestServer> {
  return startTestServer(t, {
    database,
    hosts: {
      localhost: IM_HOST,
      [SERVICE]: { type: 'component', admins: [ADMIN], modules: { pubsub: options } }
    },
    config
  })
}

/** Describes the tests once for each database that is there. */
export function onEachDatabase(tests: (database: DatabaseName) => void): void {
  describe('pubsub', () => forEachDatabase(name => tests(name)))
}

type Cast = 'hamlet' | 'francisco' | 'bernardo'
export type Players = Record<Cast, Player>

/** Hamlet, who owns nodes, and two who do not. */
export async function play(server: TestServer, script: (players: Players) => Promise<void>): Promise<void> {
  const cast = {
    hamlet: { jid: 'hamlet@localhost/elsinore', presence: true },
    francisco: { jid: 'francisco@localhost/barracks', presence: true },
    bernardo: { jid: 'bernardo@localhost/barracks', presence: true }
  }
  await scenario(server, cast, script, { hosts: [SERVICE] })
}

/** An iq to the service. */
export function iq(type: 'get' | 'set', inside: string, ns = PUBSUB): string {
  return `<iq type='${type}' to='${SERVICE}'><pubsub xmlns='${ns}'>${inside}</pubsub></iq>`
}

/** Asks the service, and compares what comes back with a pattern (test/lib/pattern.ts). */
export async function asks(player: Player, request: string, answer: string): Promise<void> {
  player.unread.unshift(await player.request(request))
  await player.receives(answer)
}

/** The same where all that matters is that it is done. */
export async function does(player: Player, request: string): Promise<void> {
  await asks(player, request, `<iq type='result' from='${SERVICE}'/>`)
}

/** `type condition` of RFC 6120, and perhaps the application's condition: `cancel not-allowed closed-node`. */
export async function isRefused(player: Player, request: string, error: string): Promise<void> {
  const [type, condition, app, feature] = error.split(' ')
  const more = app ? `<${app} xmlns='${ERRORS}'${feature ? ` feature='${feature}'` : ''}/>` : ''
  await asks(
    player,
    request,
    `<iq type='error' from='${SERVICE}'><error type='${type}'><${condition} xmlns='${STANZAS}'/>${more}</error></iq>`
  )
}

export function entry(text: string): string {
  return `<entry xmlns='${ATOM}'><title>${text}</title></entry>`
}

export function publish(id: string | undefined, text = 'soliloquy', node = NODE): string {
  const attr = id === undefined ? '' : ` id='${id}'`
  return iq('set', `<publish node='${node}'><item${attr}>${entry(text)}</item></publish>`)
}

export function subscribe(jid: string, node = NODE): string {
  return iq('set', `<subscribe node='${node}' jid='${jid}'/>`)
}

/** A form of the node's configuration, to be submitted. */
export function configuration(values: Record<string, string>, formType = `${PUBSUB}#node_config`): string {
  const fields = Object.entries(values).map(
    ([name, value]) => `<field var='pubsub#${name}'><value>${value}</value></field>`
  )
  return `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>${formType}</value></field>${fields.join('')}</x>`
}

export function create(values: Record<string, string> = {}, node = NODE): string {
  return iq('set', `<create node='${node}'/><configure>${configuration(values)}</configure>`)
}

export function affiliate(jid: string, affiliation: string, node = NODE): string {
  return iq(
    'set',
    `<affiliations node='${node}'><affiliation jid='${jid}' affiliation='${affiliation}'/></affiliations>`,
    OWNER
  )
}

/** A notification with that event. */
export function event(inside: string): string {
  return `<message from='${SERVICE}' type='headline' id='*'><event xmlns='${EVENT}'>${inside}</event></message>`
}
