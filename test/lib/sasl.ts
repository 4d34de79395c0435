import { textOf } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { bindingData, mechanismsIn, offerHashOf } from './binding'
import type { Credentials, TestClient } from './client'
import { pretty } from './print'
import { ScramClient } from './scram-client'

const KNOWN = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'] as const

const encode = (text: string): string => (text === '' ? '=' : Buffer.from(text).toString('base64'))
const decode = (element: Element): string => Buffer.from(textOf(element), 'base64').toString()

/** The mechanisms that a stream offers (RFC 6120 §6.3.3). */
export function mechanismsOf(features: Element): string[] {
  return mechanismsIn(features)
}

/** The client's side of SASL (RFC 6120 §6.4). Throws with the failure where the server refuses. */
export async function authenticate(client: TestClient, credentials: Credentials): Promise<void> {
  const offered = client.features ? mechanismsOf(client.features) : []
  const mechanism = credentials.mechanism ?? KNOWN.find(name => offered.includes(name))
  if (!mechanism)
    throw new Error(`${client.name}: no mechanism in common; offered: ${offered.join(' ') || 'none'}`)
  if (mechanism === 'PLAIN') return plain(client, credentials)
  if (/^SCRAM-SHA-(?:1|256)(?:-PLUS)?$/.test(mechanism)) return scram(client, credentials, mechanism)
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
  const run = scramRun(client, credentials, mechanism)
  client.write(`<auth xmlns='${NS.SASL}' mechanism='${mechanism}'>${encode(run.first())}</auth>`)
  const challenge = await expect(client, 'challenge')
  client.write(`<response xmlns='${NS.SASL}'>${encode(run.final(decode(challenge)))}</response>`)
  const success = await expect(client, 'success')
  if (!run.verify(decode(success))) throw new Error(`${client.name}: the server's signature is wrong`)
  checkOffer(client, run, NS.SASL)
}

/** A run of SCRAM on the client's connection, bound to it where the mechanism asks for that. */
export function scramRun(client: TestClient, credentials: Credentials, mechanism: string): ScramClient {
  const { user, password, authzid, binding = 'tls-exporter', bindingHash, flag } = credentials
  const hash = mechanism.startsWith('SCRAM-SHA-256') ? 'SHA-256' : 'SHA-1'
  const socket = client.tlsSocket
  const bound =
    mechanism.endsWith('-PLUS') && socket
      ? { flag: `p=${binding}`, bound: bindingData(socket, binding, bindingHash) }
      : undefined
  return new ScramClient({
    user,
    password,
    hash,
    ...(authzid === undefined ? {} : { authzid }),
    ...bound,
    ...(flag === undefined ? {} : { flag })
  })
}

/** XEP-0474 §6.2: what the server vouches for is what the client was offered. */
export function checkOffer(client: TestClient, run: ScramClient, ns: string): void {
  const hash = run.mechanism.startsWith('SCRAM-SHA-256') ? 'SHA-256' : 'SHA-1'
  const offered = client.features && offerHashOf(client.features, ns, hash)
  // Clients in browsers do not stand it by RFC 6120: nothing is told there
  const told = !client.options.transport?.startsWith('ws') || ns !== NS.SASL
  if (run.offerHash === (told ? offered : undefined)) return
  throw new Error(`${client.name}: what was offered is not what the server says it has offered`)
}

async function expect(client: TestClient, name: 'challenge' | 'success'): Promise<Element> {
  const answer = await client.next(`SASL's ${name}`)
  if (answer.name === name && answer.attrs.xmlns === NS.SASL) return answer
  throw new Error(`${client.name}: expected SASL's ${name}, got:\n${pretty(answer, '  ')}`)
}
