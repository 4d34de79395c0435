import { childrenOf, textOf } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import type { Credentials, TestClient } from './client'
import { pretty } from './print'
import { ScramClient } from './scram-client'

const KNOWN = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'] as const

const encode = (text: string): string => (text === '' ? '=' : Buffer.from(text).toString('base64'))
const decode = (element: Element): string => Buffer.from(textOf(element), 'base64').toString()

/** The mechanisms that a stream offers (RFC 6120 §6.3.3). */
export function mechanismsOf(features: Element): string[] {
  return childrenOf(features, 'mechanisms', NS.SASL).flatMap(list =>
    childrenOf(list, 'mechanism').map(textOf)
  )
}

/** The client's side of SASL (RFC 6120 §6.4). Throws with the failure where the server refuses. */
export async function authenticate(client: TestClient, credentials: Credentials): Promise<void> {
  const offered = client.features ? mechanismsOf(client.features) : []
  const mechanism = credentials.mechanism ?? KNOWN.find(name => offered.includes(name))
  if (!mechanism)
    throw new Error(`${client.name}: no mechanism in common; offered: ${offered.join(' ') || 'none'}`)
  if (mechanism === 'PLAIN') return plain(client, credentials)
  if (mechanism === 'SCRAM-SHA-1' || mechanism === 'SCRAM-SHA-256')
    return scram(client, credentials, mechanism)
  throw new Error(`${client.name}: the test client does not know ${mechanism}`)
}

/** RFC 4616. */
async function plain(client: TestClient, { authzid = '', user, password }: Credentials): Promise<void> {
  const message = encode(`${authzid}\0${user}\0${password}`)
  client.write(`<auth xmlns='${NS.SASL}' mechanism='PLAIN'>${message}</auth>`)
  await expect(client, 'success')
}

/** RFC 5802, RFC 7677. */
async function scram(client: TestClient, credentials: Credentials, mechanism: string): Promise<void> {
  const { user, password, authzid } = credentials
  const hash = mechanism === 'SCRAM-SHA-1' ? 'SHA-1' : 'SHA-256'
  const run = new ScramClient({ user, password, hash, ...(authzid === undefined ? {} : { authzid }) })
  client.write(`<auth xmlns='${NS.SASL}' mechanism='${mechanism}'>${encode(run.first())}</auth>`)
  const challenge = await expect(client, 'challenge')
  client.write(`<response xmlns='${NS.SASL}'>${encode(run.final(decode(challenge)))}</response>`)
  const success = await expect(client, 'success')
  if (!run.verify(decode(success))) throw new Error(`${client.name}: the server's signature is wrong`)
}

async function expect(client: TestClient, name: 'challenge' | 'success'): Promise<Element> {
  const answer = await client.next(`SASL's ${name}`)
  if (answer.name === name && answer.attrs.xmlns === NS.SASL) return answer
  throw new Error(`${client.name}: expected SASL's ${name}, got:\n${pretty(answer, '  ')}`)
}
