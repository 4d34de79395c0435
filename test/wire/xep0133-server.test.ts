import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf } from '../../core/xml/element'
import data from '../data/xep0133-server.json'
import { IM_HOST } from '../lib/config'
import { mismatch, parsePattern } from '../lib/pattern'
import { startTestServer } from '../lib/server'
import { PASSWORD, scenario, type Player } from '../lib/wire'
import { ADMIN, run } from '../modules/mod_adhoc_admin/helpers'

/*
 * The examples of XEP-0133 §4.23 to §4.31: what the administrator sends goes as it is printed, what the service answers
 * is as it is printed, and no more than that in a form. Corrected: example 85 is an iq of type `edit`, 88 and 94 have
 * another id than what they answer. The language is on the command, not on the iq.
 */

const HOST = 'shakespeare.lit'
const BARD = 'bard@shakespeare.lit'

/** Lines that are there before an example, for the next one to show them. */
const BEFORE: Readonly<Record<number, { node: string; field: string; lines: string[] }>> = {
  83: { node: 'set-motd', field: 'motd', lines: valuesOf(84) },
  89: { node: 'set-welcome', field: 'welcome', lines: valuesOf(90) },
  95: { node: 'edit-admin', field: 'adminjids', lines: valuesOf(96) }
}

function printed(number: number): { section: string; title: string; xml: string } {
  const found = data.examples.find(({ example }) => example === number)
  assert.ok(found, `there is no example ${number}`)
  return found
}

function valuesOf(number: number): string[] {
  const [, inside = ''] =
    /<field[^>]*var='(?!FORM_TYPE)[^']*'>(.*?)<\/field>/s.exec(printed(number).xml) ?? []
  return [...inside.matchAll(/<value>(.*?)<\/value>/g)].map(([, value = '']) => value)
}

function request(number: number, session: string): string {
  return printed(number)
    .xml.replace(/sessionid='[^']*'/, `sessionid='${session}'`)
    .replace("type='edit'", "type='set'")
}

function reply(number: number): string {
  return printed(number)
    .xml.replace(/sessionid='[^']*'/, "sessionid='*'")
    .replace(/\s+xml:lang='en'/, '')
    .replace(/id='(delete-motd|delete-welcome)-2'/, "id='$1-1'")
    .replace("type='form'", "type='form' t:exact='yes'")
    .replace(/(?<=<instructions>).*?(?=<\/instructions>)/s, text => text.trim().replace(/\s+/g, ' '))
}

test('XEP-0133 §4.23 to §4.31: the examples as they are printed', async t => {
  // For the restart: it is not carried out
  process.env.BALCONY_RESTARTED_BY = 'a test'
  const server = await startTestServer(t, {
    hosts: { [HOST]: IM_HOST },
    modules: { adhoc_admin: {}, announce: {} },
    config: { operators: [BARD] }
  })
  await server.server.accounts.setPassword('bard', HOST, PASSWORD)
  await server.addUser('hecate@shakespeare.lit', PASSWORD)
  const cast = {
    bard: `${BARD}/globe`,
    juliet: { jid: 'juliet@shakespeare.lit/balcony', presence: true }
  }
  await scenario(server, cast, async ({ bard, juliet }) => {
    let session = ''
    for (let number = 75; number <= 105; number += 2) {
      const { section, title } = printed(number)
      await t.test(`XEP-0133 §${section}, examples ${number} and ${number + 1}: ${title}`, async () => {
        await prepare(bard, number)
        await juliet.forgets()
        const answer = await bard.request(request(number, session))
        const why = mismatch(parsePattern(reply(number + 1)), answer, new Map())
        assert.equal(why, undefined, `${reply(number + 1)}\n${answer.toString()}`)
        session = childOf(answer, 'command')?.attrs.sessionid ?? ''
        await isTold(juliet, number)
        server.server.ending.cancel()
      })
    }
  })
  assert.deepEqual(server.errors(), [])
})

async function prepare(bard: Player, number: number): Promise<void> {
  const before = BEFORE[number]
  if (before) await run(bard, `${ADMIN}#${before.node}`, { [before.field]: before.lines }, HOST)
}

/** What those who are online have of it. */
async function isTold(juliet: Player, number: number): Promise<void> {
  if (![77, 81, 101, 105].includes(number)) return juliet.receivesNothing()
  const field = /<field var='(?:announcement|motd)'>.*?<\/field>/s.exec(printed(number).xml)?.[0] ?? ''
  const lines = [...field.matchAll(/<value>(.*?)<\/value>/g)].map(([, value]) => value)
  const text = lines.join('\n')
  await juliet.receives(
    `<message from='${HOST}' to='juliet@shakespeare.lit' type='normal' xml:lang='en'><body>${text}</body></message>`
  )
}
