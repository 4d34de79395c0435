import { childOf, childText } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { mechanismsIn } from './binding'
import type { Credentials, TestClient } from './client'
import { pretty } from './print'
import { checkOffer, scramRun } from './sasl'

const KNOWN = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']

export interface Sasl2Options extends Credentials {
  /** What stands in `<authenticate/>` beside the initial response, as XML. */
  inline?: string
}

const encode = (text: string): string => Buffer.from(text).toString('base64')
const decode = (data: string): string => Buffer.from(data, 'base64').toString()

/** `<authenticate/>` with an initial response, and what is wanted inline. */
export function authenticateXml(mechanism: string, initial: string, inline = ''): string {
  const data = `<initial-response>${encode(initial)}</initial-response>`
  return `<authenticate xmlns='${NS.SASL2}' mechanism='${mechanism}'>${data}${inline}</authenticate>`
}

/** PLAIN, inside of `<authenticate/>`. */
export function plainXml({ authzid = '', user, password, inline }: Sasl2Options): string {
  return authenticateXml('PLAIN', `${authzid}\0${user}\0${password}`, inline)
}

/**
 * The client's side of XEP-0388, up to `<success/>`, which is returned. The features that follow are read too; where a
 * resource was bound the client has its JID. Throws with the failure where the server refuses.
 */
export async function authenticate2(client: TestClient, options: Sasl2Options): Promise<Element> {
  const offered = client.features ? mechanismsIn(client.features, NS.SASL2) : []
  const mechanism = options.mechanism ?? KNOWN.find(name => offered.includes(name))
  if (!mechanism) throw new Error(`${client.name}: no mechanism in common; offered: ${offered.join(' ')}`)
  const success =
    mechanism === 'PLAIN' ? await plain(client, options) : await scram(client, options, mechanism)
  const jid = childText(success, 'authorization-identifier') ?? ''
  if (jid.includes('/')) client.jid = jid
  // XEP-0198 §9.2
  if (!childOf(success, 'resumed')) client.features = await expect(client, 'features', NS.STREAM)
  return success
}

function plain(client: TestClient, options: Sasl2Options): Promise<Element> {
  client.write(plainXml(options))
  return expect(client, 'success')
}

async function scram(client: TestClient, options: Sasl2Options, mechanism: string): Promise<Element> {
  const run = scramRun(client, options, mechanism)
  client.write(authenticateXml(mechanism, run.first(), options.inline))
  const challenge = await expect(client, 'challenge')
  client.write(`<response xmlns='${NS.SASL2}'>${encode(run.final(decode(challenge.getText())))}</response>`)
  const success = await expect(client, 'success')
  if (!run.verify(decode(childText(success, 'additional-data') ?? '')))
    throw new Error(`${client.name}: the server's signature is wrong`)
  checkOffer(client, run, NS.SASL2)
  return success
}

async function expect(client: TestClient, name: string, ns: string = NS.SASL2): Promise<Element> {
  const answer = await client.next(`SASL2's ${name}`)
  if (answer.name === name && answer.attrs.xmlns === ns) return answer
  throw new Error(`${client.name}: expected SASL2's ${name}, got:\n${pretty(answer, '  ')}`)
}
