import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { askServer } from '../../../core/cli/control-client'
import { IM_HOST } from '../../lib/config'
import { spawnTestServer, type SpawnedServer } from '../../lib/spawn'

/** A module with commands of every kind: stages that follow from answers, secrets, lists, tables, errors. */
const MODULE = `
import { defineModule, el, FormError, renderForm, renderTable, StanzaError, z } from '#core'

export default defineModule({
  name: 'things',
  description: 'Commands for tests',
  on: ['virtual', 'component'],
  config: z.object({}),
  setup(ctx) {
    let ran = 0
    const told = (said, run) => ({ notes: [{ type: 'info', text: JSON.stringify({ ran: ++ran, said, ...run }) }] })
    const one = (name, more) => ctx.adhoc({
      node: 'urn:things#' + name, name: 'The ' + name, access: 'admin', stages: [],
      finish: (said, { requester, actor, role, event, lang }) =>
        told(said, { actor, role, wire: requester !== undefined || event !== undefined || lang !== undefined }),
      ...more
    })
    one('nothing')
    one('all', {
      stages: [{ form: () => ({
        title: 'All kinds',
        instructions: 'Fill it in.',
        formType: 'urn:things',
        fields: [
          { var: '', type: 'fixed', label: 'Read this' },
          { var: 'name', label: 'A name', required: true },
          { var: '{urn:things}after', label: 'After whom' },
          { var: 'colour', type: 'list-single', label: 'A colour', options: [{ value: 'r', label: 'Red' }, 'green'] },
          { var: 'people', type: 'jid-multi', label: 'People' },
          { var: 'text', type: 'text-multi', label: 'A text' },
          { var: 'sure', type: 'boolean', label: 'Sure?' },
          { var: 'number', datatype: 'xs:integer', min: 1, max: 9 },
          { var: 'token', type: 'hidden' }
        ],
        values: { colour: 'r', sure: true, token: 'kept' }
      }) }]
    })
    one('steps', {
      stages: [
        {
          form: () => ({ fields: [{ var: 'kind', label: 'Kind', required: true }] }),
          check({ kind }) { if (kind === 'none') throw new FormError('there is no such kind', 'kind') }
        },
        { form: ({ kind }) => ({ title: 'About ' + kind, fields: [{ var: kind + '-size', label: 'Size', required: true }] }) },
        { form: () => ({ fields: [{ var: 'note', label: 'Note' }] }) }
      ]
    })
    one('secret', {
      stages: [{
        form: () => ({ fields: [
          { var: 'name', required: true },
          { var: 'password', type: 'text-private', label: 'Password', required: true },
          { var: 'password-verify', type: 'text-private', label: 'Again' }
        ] }),
        check(said) {
          if (said.password === 'weak') throw new FormError('is too weak', 'password')
          if (said['password-verify'] !== undefined && said['password-verify'] !== said.password)
            throw new FormError('is another', 'password-verify')
        }
      }],
      finish: said => ({ notes: [{ type: 'info', text: said.name + ' ' + said.password.length }] })
    })
    one('late', {
      stages: [{ form: () => ({ fields: [{ var: 'name' }] }) }],
      finish: () => { throw new FormError('was taken meanwhile', 'name') }
    })
    one('table', {
      finish: () => ({
        form: renderTable(
          { formType: 'urn:things', title: 'Things', fields: [{ var: 'a', label: 'Thing' }, { var: 'b' }] },
          [{ a: 'one\\u001b[2J', b: ['x', 'y'] }, { a: 'two', b: 'z' }]
        ),
        notes: [{ type: 'warn', text: 'There are more.' }]
      })
    })
    one('empty', { finish: () => ({ form: renderTable({ fields: [{ var: 'a' }] }, []) }) })
    one('fields', {
      finish: () => {
        const form = renderForm(
          { formType: 'urn:things', title: 'Facts', fields: [
            { var: 'many', type: 'text-multi', label: 'Lines' }, { var: 'yes', type: 'boolean' }, { var: 'one', label: 'One' }
          ] },
          { many: 'a\\nb', yes: true, one: 'single' },
          'result'
        )
        form.children.push(el('query', 'jabber:iq:roster',
          el('item', { jid: 'romeo@montague.example', subscription: 'both' }, el('group', null, 'Friends'), el('group', null, 'Verona'))))
        return { form }
      }
    })
    one('fails', { finish: () => ({ notes: [{ type: 'error', text: 'It did not work.' }] }) })
    one('refuses', { finish: () => { throw new StanzaError('conflict') } })
    one('explains', { finish: () => { throw new StanzaError('not-acceptable', 'the name is taken') } })
    one('breaks', { finish: () => { throw new TypeError('swordfish') } })
    one('silent', { access: 'any', finish: () => undefined })
    one('everywhere', { serverWide: true, access: 'operator' })
    one('ends', { access: 'operator', serverWide: true, finish: () => {
      void ctx.server.stop('by command')
      return { notes: [{ type: 'info', text: 'It ends.' }] }
    } })
    for (const node of ['urn:one#same', 'urn:two#same']) one('', { node })
    if (ctx.host.name === 'localhost') {
      one('here', { stages: [{ form: () => ({ fields: [{ var: 'accountjid', type: 'jid-single' }] }) }] })
    }
    one('account', { stages: [{ form: () => ({ fields: [{ var: 'accountjid', type: 'jid-single', required: true }] }) }],
      finish: () => ({ notes: [{ type: 'info', text: ctx.host.name }] }) })
  }
})
`

/** A server in a process of its own, with two hosts that have those commands. */
export async function startWithThings(t: TestContext): Promise<SpawnedServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-things-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  fs.mkdirSync(path.join(folder, 'mod_things'))
  fs.writeFileSync(path.join(folder, 'mod_things', 'index.ts'), MODULE)
  const host = { modules: { ...(IM_HOST.modules as object), things: {} } }
  return spawnTestServer(t, {
    hosts: { localhost: host, 'other.localhost': host },
    config: { moduleFolders: [folder] }
  })
}

/** What the command line would ask. */
export async function ask(server: SpawnedServer, op: string, params: unknown): Promise<unknown> {
  const socket = path.join(server.folder, 'data', 'control.sock')
  const answer = await askServer(socket, op, params, () => undefined)
  return answer?.result
}
