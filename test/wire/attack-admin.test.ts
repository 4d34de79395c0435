import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { childOf, childrenOf, type Element } from '../../core/xml/element'
import { conditionOf } from '../lib/client'
import { IM_HOST } from '../lib/config'
import { startTestServer } from '../lib/server'
import { scenario } from '../lib/wire'
import { ADMIN, COMMANDS, execute, notesOf, statusOf, submit } from '../modules/mod_adhoc_admin/helpers'

/** What commands meet that their authors did not think of. */

/** Commands as somebody in a hurry writes them. */
const BROKEN = `
import { defineModule, el, HANDLED, z } from '#core'

export default defineModule({
  name: 'broken',
  description: 'Commands with faults',
  on: ['virtual'],
  config: z.object({}),
  setup(ctx) {
    const command = (node, more) =>
      ctx.adhoc({ node, name: node, access: 'any', stages: [], finish: () => undefined, ...more })
    command('throws', { finish: () => { throw new TypeError('a fault') } })
    command('throws-nothing', { finish: async () => { throw undefined } })
    command('notes', { finish: () => ({ notes: [null] }) })
    command('no-form', { stages: [{ form: () => undefined }] })
    command('check', { stages: [{ form: () => ({ fields: [] }), check() { throw new Error('a fault') } }] })
    command('no-access', { access: undefined })
    command('no-xml', { finish: () => ({ form: el('x', 'jabber:x:data', { toString: undefined }) }) })
    command('names', {
      stages: [{ form: () => ({ fields: [{ var: '__proto__' }, { var: 'constructor' }, { var: 'toString' }] }) }],
      finish: said => ({ notes: [{ type: 'info', text: Object.keys(said).join() + ' ' + typeof said.toString }] })
    })
  }
})
`

test('commands with faults: each is answered, and no other is the worse for it', async t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-broken-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  fs.mkdirSync(path.join(folder, 'mod_broken'))
  fs.writeFileSync(path.join(folder, 'mod_broken', 'index.ts'), BROKEN)
  const server = await startTestServer(t, {
    hosts: { localhost: IM_HOST },
    modules: { broken: {} },
    config: { moduleFolders: [folder] }
  })
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (const node of ['throws', 'throws-nothing', 'notes', 'no-form', 'no-xml'])
      assert.equal(statusOf(await execute(juliet, node)), 'internal-server-error', node)
    const checked = await submit(juliet, await execute(juliet, 'check'), {})
    assert.equal(statusOf(checked), 'internal-server-error')
    assert.equal(conditionOf(await execute(juliet, 'no-access')), 'forbidden')
    // Fields with the names of what every object has
    const begun = await execute(juliet, 'names')
    const form = childOf(childOf(begun, 'command') as Element, 'x') as Element
    for (const field of childrenOf(form, 'field')) assert.deepEqual(childrenOf(field), [], String(field))
    const done = await submit(juliet, begun, { constructor: 'Bob' })
    assert.deepEqual(notesOf(done), ['info: constructor undefined'])
  })
})

test('a language of 200,000 characters is none, and nobody else gets it', async t => {
  const server = await startTestServer(t, {
    hosts: { localhost: { ...IM_HOST, admins: ['admin@localhost'] } },
    modules: { announce: {} }
  })
  const cast = { admin: 'admin@localhost/globe', juliet: { jid: 'juliet@localhost/balcony', presence: true } }
  await scenario(server, cast, async ({ admin, juliet }) => {
    const begun = await admin.request(
      `<iq type='set' to='localhost' xml:lang='en-${'x'.repeat(200_000)}'>
         <command xmlns='${COMMANDS}' node='${ADMIN}#announce'/></iq>`
    )
    assert.equal(statusOf(await submit(admin, begun, { announcement: 'Hear, hear' })), 'completed')
    const heard = await juliet.finds(`<message from='localhost'><body>Hear, hear</body></message>`)
    assert.ok(String(heard).length < 1000)
  })
})
