import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { childOf, childrenOf, type Element } from '../../../core/xml/element'
import { conditionOf } from '../../lib/client'
import { IM_HOST, type Options } from '../../lib/config'
import type { DatabaseName } from '../../lib/databases'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario, type Part, type Player } from '../../lib/wire'
import { execute, notesOf, OWN, run, statusOf, submit } from '../mod_adhoc_admin/helpers'
import { does, JULIET, register, SERVICE } from './lib'

export type Fields = Record<string, string | readonly string[]>

/** `boss@localhost` administers the channel host, `clerk@localhost` the host of the accounts alone. */
export async function startGoverned(
  t: TestContext,
  database: DatabaseName,
  channels: Options = {},
  config: Options = {}
): Promise<TestServer> {
  return startTestServer(t, {
    database,
    hosts: {
      localhost: { ...IM_HOST, admins: ['clerk@localhost'] },
      [SERVICE]: {
        type: 'component',
        admins: ['boss@localhost', 'deputy@localhost'],
        modules: { channels, recent_items: {}, ratings: {} }
      }
    },
    modules: { adhoc_admin: {}, audit: {} },
    config
  })
}

type Cast = 'boss' | 'clerk' | 'juliet' | 'romeo' | 'tybalt'

/** Juliet, whose channel it is, Romeo and Tybalt, and two administrators. */
export async function governed(
  server: TestServer,
  script: (players: Record<Cast, Player>) => Promise<void>
): Promise<void> {
  const cast: Record<Cast, Part> = {
    boss: { jid: 'boss@localhost/desk', presence: true },
    clerk: { jid: 'clerk@localhost/desk', presence: true },
    juliet: { jid: `${JULIET}/balcony`, presence: true },
    romeo: { jid: 'romeo@localhost/orchard', presence: true },
    tybalt: { jid: 'tybalt@localhost/square', presence: true }
  }
  await scenario(
    server,
    cast,
    async players => {
      await does(players.juliet, register())
      await script(players)
    },
    { hosts: [SERVICE] }
  )
}

/** Runs a command of one form at the channel host. */
export function orders(player: Player, command: string, fields: Fields): Promise<Element> {
  return run(player, `${OWN}#${command}`, fields, SERVICE)
}

/** Runs a command of two forms. */
export async function ordersTwice(
  player: Player,
  command: string,
  first: Fields,
  second: Fields
): Promise<{ shown: Element; answer: Element }> {
  const shown = await submit(player, await execute(player, `${OWN}#${command}`, SERVICE), first)
  assert.equal(statusOf(shown), 'executing', shown.toString())
  return { shown, answer: await submit(player, shown, second) }
}

/** What stands above the form of an answer. */
export function instructionsOf(answer: Element): string {
  const form = childOf(childOf(answer, 'command') as Element, 'x')
  return form
    ? childrenOf(form, 'instructions')
        .map(one => one.getText())
        .join(' ')
    : ''
}

/** It is done, and says so. */
export function isDone(answer: Element, ...notes: readonly (string | RegExp)[]): void {
  assert.equal(statusOf(answer), 'completed', answer.toString())
  const said = notesOf(answer)
  assert.equal(said.length, notes.length, said.join('\n'))
  notes.forEach((note, at) => {
    if (typeof note === 'string') assert.equal(said[at], note)
    else assert.match(said[at] ?? '', note)
  })
}

/** The form comes back with that fault. */
export function isFaulty(answer: Element, fault: RegExp): void {
  assert.equal(statusOf(answer), 'executing', answer.toString())
  assert.match(notesOf(answer).join('\n'), fault)
}

/** The condition of an error, whatever is in it beside; else as `statusOf`. */
export function outcomeOf(answer: Element): string {
  return answer.attrs.type === 'error' ? conditionOf(answer) : statusOf(answer)
}
