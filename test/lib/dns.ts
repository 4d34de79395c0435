import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** What is known of a name. */
export interface Records {
  a?: readonly string[]
  aaaa?: readonly string[]
  txt?: readonly string[]
  /** `priority weight port target`, as in a zone file; the root is `.`. */
  srv?: readonly string[]
  cname?: string
}

/** How it fails to answer: RCODE 2 and 5, or nothing comes at all. */
export type Failure = 'SERVFAIL' | 'REFUSED' | 'silence'

type Type = keyof Records

const TYPES = new Map<number, Type>([
  [1, 'a'],
  [5, 'cname'],
  [16, 'txt'],
  [28, 'aaaa'],
  [33, 'srv']
])
const CODES = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 }

/**
 * A DNS server (RFC 1035) on a free port of the loopback, UDP only. Names that it does not know do not exist; those
 * that it knows have no other records than it was told.
 */
export class TestDns {
  /** Seconds. */
  ttl = 60
  /** What was asked, `A example.org`, in this order. */
  readonly questions: string[] = []
  readonly #records = new Map<string, Records>()
  readonly #failures = new Map<string, Failure>()
  readonly #delays = new Map<string, number>()

  private constructor(private readonly socket: Socket) {
    socket.on('message', (message, { port, address }) => {
      const question = readQuestion(message)
      if (!question) return
      this.questions.push(`${question.kind.toUpperCase()} ${question.name}`)
      const answer = this.#answer(message, question)
      if (!answer) return
      const delay = this.#delays.get(`${question.kind} ${question.name}`) ?? 0
      if (delay === 0) socket.send(answer, port, address)
      else setTimeout(() => this.#late(answer, port, address), delay).unref()
    })
  }

  /** Ends with the test. */
  static async start(t: TestContext, zone: Readonly<Record<string, Records>> = {}): Promise<TestDns> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const dns = new TestDns(socket)
    t.after(() => socket.close())
    for (const [name, records] of Object.entries(zone)) dns.set(name, records)
    return dns
  }

  get port(): number {
    return this.socket.address().port
  }

  /** As `dns.servers` of the config wants it. */
  get server(): string {
    return `127.0.0.1:${this.port}`
  }

  /** In place of what was known of that name. */
  set(name: string, records: Records): void {
    this.#records.set(name.toLowerCase(), records)
  }

  /** The name does not exist any more. */
  remove(name: string): void {
    this.#records.delete(name.toLowerCase())
  }

  /** From now on; undefined for answers as they should be. */
  fail(name: string, failure: Failure | undefined): void {
    if (failure) this.#failures.set(name.toLowerCase(), failure)
    else this.#failures.delete(name.toLowerCase())
  }

  /** Answers to questions of that type come later. */
  delay(type: Type, name: string, ms: number): void {
    this.#delays.set(`${type} ${name.toLowerCase()}`, ms)
  }

  #late(answer: Buffer, port: number, address: string): void {
    try {
      this.socket.send(answer, port, address)
    } catch {
      // The test is over
    }
  }

  #answer(message: Buffer, { name, kind, end }: Question): Buffer | undefined {
    const failure = this.#failures.get(name)
    if (failure === 'silence') return undefined
    const records = this.#records.get(name)
    const code = failure ? CODES[failure] : records ? 0 : CODES.NXDOMAIN
    const answers = code === 0 ? this.#resources(name, kind) : []
    const head = Buffer.alloc(12)
    message.copy(head, 0, 0, 2)
    // A response, authoritative, recursion as it was desired and available (RFC 1035 §4.1.1)
    head.writeUInt16BE(0x8480 | (message.readUInt16BE(2) & 0x0100) | code, 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(answers.length, 6)
    return Buffer.concat([head, message.subarray(12, end), ...answers])
  }

  #resources(name: string, kind: Type | 'other'): Buffer[] {
    const records = this.#records.get(name)
    if (!records || kind === 'other') return []
    if (records.cname !== undefined && kind !== 'cname')
      return [this.#resource(name, 5, nameOf(records.cname)), ...this.#resources(records.cname, kind)]
    const type = [...TYPES].find(([, known]) => known === kind)?.[0] ?? 0
    const values = kind === 'cname' ? [records.cname ?? ''] : (records[kind] ?? [])
    return values.map(value => this.#resource(name, type, dataOf(kind, value)))
  }

  #resource(name: string, type: number, data: Buffer): Buffer {
    const fixed = Buffer.alloc(10)
    fixed.writeUInt16BE(type, 0)
    fixed.writeUInt16BE(1, 2)
    fixed.writeUInt32BE(this.ttl, 4)
    fixed.writeUInt16BE(data.length, 8)
    return Buffer.concat([nameOf(name), fixed, data])
  }
}

interface Question {
  name: string
  kind: Type | 'other'
  /** Where it ends in the message. */
  end: number
}

function readQuestion(message: Buffer): Question | undefined {
  const labels: string[] = []
  let at = 12
  for (let length = message[at++]; length !== 0; length = message[at++]) {
    if (length === undefined || length > 63) return undefined
    labels.push(message.toString('latin1', at, (at += length)))
  }
  if (at + 4 > message.length) return undefined
  const name = labels.join('.').toLowerCase()
  return { name, kind: TYPES.get(message.readUInt16BE(at)) ?? 'other', end: at + 4 }
}

function nameOf(name: string): Buffer {
  const labels = name.split('.').filter(label => label !== '')
  return Buffer.concat([
    ...labels.map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0])
  ])
}

function dataOf(kind: Type, value: string): Buffer {
  switch (kind) {
    case 'a':
      return Buffer.from(value.split('.').map(Number))
    case 'aaaa':
      return ipv6(value)
    case 'txt':
      return strings(value)
    case 'srv': {
      const [priority, weight, port, target = '.'] = value.split(' ')
      const numbers = Buffer.alloc(6)
      for (const [i, number] of [priority, weight, port].entries())
        numbers.writeUInt16BE(Number(number), i * 2)
      return Buffer.concat([numbers, nameOf(target)])
    }
    case 'cname':
      return nameOf(value)
  }
}

/** In pieces of 255 bytes. */
function strings(text: string): Buffer {
  const bytes = Buffer.from(text)
  const parts: Buffer[] = []
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const part = bytes.subarray(at, at + 255)
    parts.push(Buffer.from([part.length]), part)
  }
  return Buffer.concat(parts)
}

function ipv6(address: string): Buffer {
  const [left = '', right] = address.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map(g => Number.parseInt(g, 16))
  const [before, after] = [groups(left), groups(right ?? '')]
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
  const bytes = Buffer.alloc(16)
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(group, i * 2)
  return bytes
}
