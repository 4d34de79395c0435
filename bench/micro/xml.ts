/*
 * How long parsing and serialising takes, next to ltx's own parser (fast, accepts nearly anything) and saxes
 * (strict). Ratios are what counts. Run: node --require ./bin/register.js bench/micro/xml.ts
 */
import type { EventEmitter } from 'node:events'
import { Element, Parser } from 'ltx'
import { SaxesParser } from 'saxes'
import { el, frozen, parseElement, serialize, StreamParser } from '../../core/xml'

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
function measure(make: typeof ours, input: string, { cut = Infinity, times = 1 } = {}): number {
  const bytes = Buffer.from(input.repeat(times))
  const chunks: Buffer[] = []
  for (let i = 0; i < bytes.length; i += cut) chunks.push(bytes.subarray(i, i + cut))
  const turns = Math.ceil(4e6 / bytes.length / (cut === 1 ? 20 : 1))
  return best(turns * times, () => {
    const count = { stanzas: 0 }
    const write = make(count)
    for (let i = 0; i < turns; i++) for (const chunk of chunks) write(chunk)
    if (count.stanzas !== turns * times)
      throw new Error(`${count.stanzas} stanzas came out of ${turns * times}`)
  })
}

function best(count: number, run: () => void): number {
  let least = Infinity
  for (let round = 0; round < 5; round++) {
    const begun = process.hrtime.bigint()
    run()
    least = Math.min(least, Number(process.hrtime.bigint() - begun) / count)
  }
  return least
}

const PARSERS = [ours, ltx, saxes] as const

function parsing(name: string, input: string, how?: { cut?: number; times?: number }): void {
  const [a = 0, b = 0, c = 0] = PARSERS.map(make => measure(make, input, how))
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

function serialising(name: string, input: string): void {
  const element = parseElement(input)
  // The length in bytes is asked for because a string is only put together when somebody reads it.
  const [a, b] = [serialize, String].map(write =>
    best(20000, () => {
      for (let i = 0; i < 20000; i++) Buffer.byteLength(write(element))
    })
  ) as [number, number]
  line(name, input.length, Math.round(a), Math.round(b), '', (a / b).toFixed(2))
}

/** One payload to many recipients. */
function fanOut(): void {
  const entry = el(
    'entry',
    'http://www.w3.org/2005/Atom',
    el('title', null, 'Post'),
    el('content', null, 'x'.repeat(500))
  )
  const payload = el(
    'event',
    'http://jabber.org/protocol/pubsub#event',
    el('items', { node: '/posts' }, el('item', null, entry))
  )
  const send = (shared: Element): number =>
    best(20000, () => {
      for (let i = 0; i < 20000; i++)
        Buffer.byteLength(serialize(el('message', { to: `u${i}@example.org` }, shared)))
    })
  const [a, b] = [send(frozen(payload)), send(payload)]
  line(
    'fan-out, frozen / not',
    serialize(payload).length,
    Math.round(a),
    Math.round(b),
    '',
    (a / b).toFixed(2)
  )
}

function line(...cells: (string | number)[]): void {
  console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 26 : 12)).join(''))
}

// The first measurements are made by code that is not optimised yet.
for (const make of PARSERS) measure(make, message)
line('parse, ns a stanza', 'bytes', 'ours', 'ltx', 'saxes', 'ours/ltx', 'saxes/ours')
for (const [name, input] of Object.entries(INPUTS)) parsing(name, input)
parsing('message, 100 in a chunk', message, { times: 100 })
parsing('message, a byte at a time', message, { cut: 1 })
line('serialise, ns a stanza', 'bytes', 'ours', 'ltx', '', 'ours/ltx')
for (const [name, input] of Object.entries(INPUTS).slice(0, 5)) serialising(name, input)
fanOut()
