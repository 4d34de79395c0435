import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { childOf, childrenOf, firstChild } from '../../../core/xml/element'
import type { Element } from '../../../core/xml/element'
import { IM_HOST, type Options } from '../../lib/config'
import { startTestServer, type TestServer } from '../../lib/server'
import type { Player } from '../../lib/wire'

export const COMMANDS = 'http://jabber.org/protocol/commands'

/** A module with the command of XEP-0050's examples, in three stages, and some that tell one thing each. */
const MODULE = `
import { defineModule, el, FormError, z } from '#core'

const field = (name, more = {}) => ({ var: name, type: 'text-single', ...more })
const stage = (name, more = {}) => ({ form: () => ({ title: name, fields: [field(name, more)] }) })

export default defineModule({
  name: 'commands',
  description: 'Commands for tests',
  on: ['virtual'],
  config: z.object({}),
  setup(ctx) {
    ctx.adhoc({
      node: 'config',
      name: 'Configure Service',
      access: 'any',
      stages: [
        {
          ...stage('service', { required: true }),
          check(said) {
            if (said.service === 'none') throw new FormError('there is no such service', 'service')
          }
        },
        { form: said => ({ title: 'runmodes of ' + said.service, fields: [field('runmode')] }) },
        stage('state')
      ],
      finish: (said, run) => ({
        notes: [{ type: 'info', text: [said.service, said.runmode, said.state, run.lang].join(' ') }]
      })
    })
    ctx.adhoc({
      node: 'list',
      name: 'List Services',
      access: 'any',
      onAccount: true,
      stages: [],
      finish: () => ({ form: el('x', { xmlns: 'jabber:x:data', type: 'result' }) })
    })
    ctx.adhoc({
      node: 'fails',
      name: 'Fail',
      access: 'any',
      stages: [],
      finish: () => ({ notes: [{ type: 'error', text: 'It did not work.' }] })
    })
    ctx.adhoc({ node: 'restart', name: 'Restart Service', access: 'operator', stages: [], finish: () => undefined })
  }
})
`

/** A server with those commands; `options` are those of mod_adhoc. */
export async function startWithCommands(t: TestContext, options: Options = {}): Promise<TestServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-commands-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  fs.mkdirSync(path.join(folder, 'mod_commands'))
  fs.writeFileSync(path.join(folder, 'mod_commands', 'index.ts'), MODULE)
  return startTestServer(t, {
    hosts: { localhost: { modules: { ...(IM_HOST.modules as object), commands: {} } } },
    modules: { adhoc: options },
    config: { moduleFolders: [folder] }
  })
}

/** Sends `<command/>` with these attributes and this content; resolves with the answer. */
export function command(
  player: Player,
  attrs: Record<string, string>,
  content = '',
  to = 'localhost'
): Promise<Element> {
  const written = Object.entries(attrs).map(([name, value]) => `${name}='${value}'`)
  return player.request(
    `<iq type='set' to='${to}'><command xmlns='${COMMANDS}' ${written.join(' ')}>${content}</command></iq>`
  )
}

/** A submitted form. */
export function form(fields: Record<string, string>, type = 'submit'): string {
  const written = Object.entries(fields).map(
    ([name, value]) => `<field var='${name}'><value>${value}</value></field>`
  )
  return `<x xmlns='jabber:x:data' type='${type}'>${written.join('')}</x>`
}

/** The session that an answer began or goes on with. */
export function sessionOf(answer: Element): string {
  return childOf(answer, 'command')?.attrs.sessionid ?? ''
}

/** An error as `type condition +app`, by its elements; a command as its status. */
export function outcome(answer: Element): string {
  const error = childOf(answer, 'error')
  if (!error) return childOf(answer, 'command')?.attrs.status ?? 'no command'
  const app = childrenOf(error).find(child => child.attrs.xmlns === COMMANDS)
  return [error.attrs.type, firstChild(error)?.name, app && `+${app.name}`].filter(Boolean).join(' ')
}
