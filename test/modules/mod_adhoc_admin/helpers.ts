import type { TestContext } from 'node:test'
import { childOf, childrenOf, childText } from '../../../core/xml/element'
import type { Element } from '../../../core/xml/element'
import { IM_HOST, type Options } from '../../lib/config'
import { startTestServer, type TestServer } from '../../lib/server'
import type { TestClient } from '../../lib/client'
import { PASSWORD } from '../../lib/wire'

export const ADMIN = 'http://jabber.org/protocol/admin'
export const OWN = 'urn:balcony:admin'
export const COMMANDS = 'http://jabber.org/protocol/commands'
export const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

/** Operator `op@localhost`; `admin@localhost` administers that host alone, `other` is another one. */
export async function startAdministered(t: TestContext, options: Options = {}): Promise<TestServer> {
  const server = await startTestServer(t, {
    hosts: {
      localhost: { ...IM_HOST, admins: ['admin@localhost'] },
      other: { ...IM_HOST, admins: ['both@localhost'] },
      'channels.localhost': { type: 'component', admins: ['admin@localhost'] }
    },
    modules: { adhoc_admin: options },
    config: { operators: ['op@localhost'] }
  })
  // The first start has made it with a password of its own
  await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
  return server
}

/** Begins a command; resolves with the answer. */
export function execute(client: TestClient, node: string, to = 'localhost'): Promise<Element> {
  return client.request(
    `<iq type='set' to='${to}'><command xmlns='${COMMANDS}' node='${node}' action='execute'/></iq>`
  )
}

/** Sends the form of the dialogue that `begun` answered with; lists are several values. */
export function submit(
  client: TestClient,
  begun: Element,
  fields: Record<string, string | readonly string[]>
): Promise<Element> {
  const command = childOf(begun, 'command') as Element
  const { node, sessionid } = command.attrs
  const formType = fieldValues(command, 'FORM_TYPE')[0] ?? ''
  const all = { FORM_TYPE: formType, ...fields }
  const xml = Object.entries(all).map(([name, values]) => {
    const list = [values].flat().map(value => `<value>${value}</value>`)
    return `<field var='${name}'>${list.join('')}</field>`
  })
  return client.request(
    `<iq type='set' to='${begun.attrs.from}'><command xmlns='${COMMANDS}' node='${node}' sessionid='${sessionid}'>
       <x xmlns='jabber:x:data' type='submit'>${xml.join('')}</x></command></iq>`
  )
}

/** Begins a command and fills in its only form. */
export async function run(
  client: TestClient,
  node: string,
  fields: Record<string, string | readonly string[]>,
  to = 'localhost'
): Promise<Element> {
  return submit(client, await execute(client, node, to), fields)
}

/** `completed`, `executing`, or the condition of the error. */
export function statusOf(answer: Element): string {
  const error = childOf(answer, 'error')
  if (!error) return childOf(answer, 'command')?.attrs.status as string
  return childrenOf(error).find(child => child.name !== 'text')?.name ?? 'an error without condition'
}

/** The notes of an answer as `type: text`. */
export function notesOf(answer: Element): string[] {
  const command = childOf(answer, 'command') as Element
  return childrenOf(command, 'note').map(note => `${note.attrs.type}: ${note.getText()}`)
}

/** The values of a field of the form in a command. */
export function fieldValues(command: Element, name: string): string[] {
  const form = childOf(command, 'x')
  const field = form && childrenOf(form, 'field').find(one => one.attrs.var === name)
  return field ? childrenOf(field, 'value').map(value => value.getText()) : []
}

/** The values of a field in the result of an answer. */
export function resultOf(answer: Element, name: string): string[] {
  return fieldValues(childOf(answer, 'command') as Element, name)
}

/** The rows of a result table, each as an object by field name. */
export function rowsOf(answer: Element): Record<string, string>[] {
  const form = childOf(childOf(answer, 'command') as Element, 'x') as Element
  return childrenOf(form, 'item').map(item =>
    Object.fromEntries(childrenOf(item, 'field').map(one => [one.attrs.var, childText(one, 'value') ?? '']))
  )
}

/** The commands that are listed to somebody at an address. */
export async function listed(client: TestClient, to: string): Promise<string[]> {
  const answer = await client.request(
    `<iq type='get' to='${to}'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
  )
  const query = childOf(answer, 'query') as Element
  return childrenOf(query, 'item').map(item => item.attrs.node as string)
}
