/*
 * How long parsing and serialising takes, next to ltx's own parser (fast, accepts nearly anything) and saxes
 * (strict). Ratios are what counts. Run: node --require ./bin/register.js bench/micro/xml.ts
 */
import type { EventEmitter } from 'node:events'
import { Element, Parser } from 'ltx'
import { SaxesParser } from 'saxes'
import { StreamParser } from '../../core/xml/parser'

const HEADER =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='montague.lit' version='1.0'>"

const message =
  "<message from='juliet@capulet.lit/balcony' to='romeo@montague.lit/orchard' type='chat' id='ktx72v49' " +
  "xml:lang='en'><body>Art thou not Romeo, and a Montague?</body>" +
  "<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>"

const items = Array.from(
  { length: 50 },
  (_, i) =>
    `<item jid='contact${i}@example.org' name='Contact ${i}' subscription='both'><group>Friends</group></item>`
)

const INPUTS: Record<string, string> = {
  message,
  'message, Cyrillic': message.replace(/Art thou.*\?/, 'Что в имени? То, что зовём мы розой'),
  'message, escaped': message.replace(/Art thou/, 'Art &amp; thou &lt;not&gt;'),
  presence: "<presence from='romeo@montague.lit/orchard'><show>away</show><priority>5</priority></presence>",
  'roster of 50': `<iq type='result' id='r1'><query xmlns='jabber:iq:roster'>${items.join('')}</query></iq>`,
  'text of 64 KiB': `<iq type='set' id='d1'><data xmlns='urn:xmpp:avatar:data'>${'QUJD'.repeat(16384)}</data></iq>`
}

function ours(count: { stanzas: number }): (chunk: Buffer) => void {
  const parser = new StreamParser({
    contentNs: 'jabber:client',
    handlers: {
      onOpen: () => {},
      onStanza: () => count.stanzas++,
      onClose: () => {},
      onError: error => {
        throw error
      }
    }
  })
  parser.write(Buffer.from(HEADER))
  return chunk => parser.write(chunk)
}

/** ltx's parser, and elements made as ltx's `Parser` makes them, less the stream that it would keep in memory. */
function ltx(count: { stanzas: number }): (chunk: Buffer) => void {
  const { parser } = new Parser() as unknown as { parser: EventEmitter & { write(chunk: Buffer): void } }
  parser.removeAllListeners()
  let current: Element | undefined
  parser.on('startElement', (name: string, attrs: Record<string, string>) => {
    const child = new Element(name, attrs)
    current = current ? current.cnode(child) : child
  })
  parser.on('endElement', () => {
    current = current?.parent ?? undefined
    if (!current) count.stanzas++
  })
  parser.on('text', (text: string) => current?.t(text))
  return chunk => parser.write(chunk)
}

/** The parser alone, without the elements that ours and ltx make. */
function saxes(count: { stanzas: number }): (chunk: Buffer) => void {
  const parser = new SaxesParser({ xmlns: true })
  let depth = 0
  parser.on('opentag', () => depth++)
  parser.on('closetag', () => {
    if (--depth === 1) count.stanzas++
  })
  parser.write(HEADER)
  return chunk => parser.write(chunk.toString())
}

/** Nanoseconds for each stanza: the best of five rounds, for what disturbs a round only makes it longer. */
function measure(make: typeof ours, input: string, cut = Infinity): number {
  const bytes = Buffer.from(input)
  const chunks: Buffer[] = []
  for (let i = 0; i < bytes.length; i += cut) chunks.push(bytes.subarray(i, i + cut))
  let best = Infinity
  const rounds = Math.max(3, Math.ceil(2e7 / bytes.length / (cut === 1 ? 20 : 1) / 20))
  for (let round = 0; round < 5; round++) {
    const count = { stanzas: 0 }
    const write = make(count)
    const begun = process.hrtime.bigint()
    for (let i = 0; i < rounds; i++) for (const chunk of chunks) write(chunk)
    const time = Number(process.hrtime.bigint() - begun) / rounds
    if (count.stanzas !== rounds) throw new Error(`${count.stanzas} stanzas came out of ${rounds}`)
    best = Math.min(best, time)
  }
  return best
}

const line = (...cells: (string | number)[]) =>
  console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 24 : 14)).join(''))

line('parse, ns a stanza', 'bytes', 'ours', 'ltx', 'saxes', 'ours/ltx', 'saxes/ours')
for (const [name, input] of Object.entries(INPUTS)) {
  const times = [measure(ours, input), measure(ltx, input), measure(saxes, input)] as const
  row(name, input, ...times)
}
row('message, 100 in a chunk', '', ...hundred())
row(
  'message, a byte at a time',
  message,
  measure(ours, message, 1),
  measure(ltx, message, 1),
  measure(saxes, message, 1)
)

function hundred(): [number, number, number] {
  return [ours, ltx, saxes].map(make => perStanza(make)) as [number, number, number]
}

function perStanza(make: typeof ours): number {
  const chunk = Buffer.from(message.repeat(100))
  let best = Infinity
  for (let round = 0; round < 5; round++) {
    const write = make({ stanzas: 0 })
    const begun = process.hrtime.bigint()
    for (let i = 0; i < 50; i++) write(chunk)
    best = Math.min(best, Number(process.hrtime.bigint() - begun) / 5000)
  }
  return best
}

function row(name: string, input: string, a: number, b: number, c: number): void {
  line(
    name,
    input.length,
    Math.round(a),
    Math.round(b),
    Math.round(c),
    (a / b).toFixed(2),
    (c / a).toFixed(2)
  )
}
