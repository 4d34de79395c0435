import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { IM_HOST } from '../../lib/config'
import type { TestServerOptions } from '../../lib/config'
import type { Player } from '../../lib/wire'
import type { Element } from '../../../core/xml/element'

/** Two hosts that may be buddies, and an administrator of both. */
export function twoHosts(options: Record<string, unknown> = {}): TestServerOptions {
  return {
    hosts: {
      localhost: {
        admins: ['admin@localhost'],
        modules: { ...(IM_HOST.modules as object), server_buddy: {} }
      },
      'channels.localhost': {
        type: 'component',
        admins: ['admin@localhost'],
        modules: { server_buddy: options }
      }
    }
  }
}

const COMMANDS = 'http://jabber.org/protocol/commands'
const ADMIN = 'http://jabber.org/protocol/admin'

export const NODES = {
  request: `${ADMIN}#server-buddy`,
  pending: 'urn:balcony:admin#server-buddy-pending',
  list: 'urn:balcony:admin#server-buddy-list',
  remove: 'urn:balcony:admin#server-buddy-remove',
  policy: 'urn:balcony:admin#server-buddy-policy'
}

/** Fields of a form, as they are submitted. */
export type Said = Readonly<Record<string, string | readonly string[]>>

/** Runs a command of one stage: execute, fill in, submit. Returns the last answer. */
export async function runs(player: Player, host: string, node: string, said?: Said): Promise<Element> {
  const first = await player.request(
    `<iq type='set' to='${host}'><command xmlns='${COMMANDS}' node='${node}' action='execute'/></iq>`
  )
  if (said === undefined) return first
  const session = /sessionid="([^"]+)"/.exec(first.toString())?.[1] ?? ''
  const formType = /var="FORM_TYPE"[^>]*><value>([^<]+)/.exec(first.toString())?.[1] ?? ADMIN
  const fields = Object.entries(said).map(([name, value]) => {
    const values = (typeof value === 'string' ? [value] : value).map(one => `<value>${one}</value>`)
    return `<field var='${name}'>${values.join('')}</field>`
  })
  return player.request(
    `<iq type='set' to='${host}'><command xmlns='${COMMANDS}' node='${node}' sessionid='${session}'>` +
      `<x xmlns='jabber:x:data' type='submit'>` +
      `<field var='FORM_TYPE' type='hidden'><value>${formType}</value></field>${fields.join('')}</x></command></iq>`
  )
}

/** The server roster of a host, by peer: subscription and what is pending. */
export async function rosterOf(player: Player, host: string): Promise<Record<string, string>> {
  const answer = (await runs(player, host, NODES.list)).toString()
  const rows = [...answer.matchAll(/<item>(.*?)<\/item>/gs)].map(([, row = '']) => row)
  const field = (row: string, name: string): string =>
    new RegExp(`<field var="${name}">(?:<value>(.*?)</value>|<value/>)`).exec(row)?.[1] ?? ''
  return Object.fromEntries(
    rows.map(row => [field(row, 'peerjid'), `${field(row, 'subscription')} ${field(row, 'pending')}`.trim()])
  )
}

/** Milliseconds that two hosts have to come to terms, on a busy machine. */
const AGREEMENT = 10_000

/** What two hosts say to each other takes a few writes: asks until the roster is as it must be. */
export async function agrees(player: Player, host: string, wanted: Record<string, string>): Promise<void> {
  const until = Date.now() + AGREEMENT
  for (;;) {
    const roster = await rosterOf(player, host)
    if (isDeepStrictEqual(roster, wanted)) return
    if (Date.now() > until) assert.deepEqual(roster, wanted)
  }
}
