import assert from 'node:assert'
import { createHash } from 'node:crypto'
import test from 'node:test'
import type { ChannelBindings } from '../../core/streams/channel-binding'
import type { SaslOffer, SaslStep, SaslStream } from '../../core/streams/mechanism'
import {
  deriveKeys,
  newCredentials,
  scramMechanism,
  type SaslAccounts,
  type ScramHash
} from '../../core/streams/sasl'
import { ScramClient, type ScramClientOptions } from '../lib/scram-client'

const PASSWORD = 'r0m30myr0m30'
const EXPORTER = Buffer.alloc(32, 1)
const END_POINT = Buffer.alloc(32, 2)
const DATA = new Map([
  ['tls-exporter', EXPORTER],
  ['tls-server-end-point', END_POINT]
])
const PLUS: SaslOffer = {
  mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1'],
  bindings: ['tls-exporter', 'tls-server-end-point']
}
const NO_PLUS: SaslOffer = { mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-1'], bindings: [] }

const bindings: ChannelBindings = {
  types: PLUS.bindings,
  unique: false,
  data: type => DATA.get(type)
}

const BOUND: SaslStream = {
  domain: 'example.com',
  secure: true,
  remoteAddress: '127.0.0.1',
  offer: PLUS,
  channelBindings: bindings
}

async function accountsOf(user: string): Promise<SaslAccounts> {
  const credentials = await newCredentials(PASSWORD, { iterations: 10 })
  return {
    secret: Buffer.alloc(32),
    iterations: 10,
    find: async name => (name === user ? { credentials, disabled: false } : undefined)
  }
}

interface Run extends Partial<ScramClientOptions> {
  hash?: ScramHash
  plus?: boolean
  stream?: SaslStream
  /** What somebody in between makes of the messages. */
  tamper?: { first?(text: string): string; challenge?(text: string): string; final?(text: string): string }
}

/** A login as juliet; what the server says in the end, and the client that did it. */
async function login(run: Run): Promise<{ step: SaslStep; client: ScramClient }> {
  const { hash = 'SHA-256', plus = false, stream = BOUND, tamper = {}, ...options } = run
  const exchange = scramMechanism(hash, await accountsOf('juliet'), { plus }).start(stream)
  const client = new ScramClient({ user: 'juliet', password: PASSWORD, hash, ...options })
  const { first = same, challenge = same, final = same } = tamper
  const answer = await exchange.step(Buffer.from(first(client.first())))
  if (answer.type !== 'challenge') return { step: answer, client }
  const last = client.final(challenge(String(answer.data)))
  const step = await exchange.step(Buffer.from(final(last)))
  if (step.type === 'success') assert.ok(client.verify(String(step.data)))
  return { step, client }
}

const same = (text: string): string => text

function assertFails(step: SaslStep, condition: string, text: RegExp): void {
  assert.ok(step.type === 'failure', JSON.stringify(step))
  assert.strictEqual(step.condition, condition)
  assert.match(step.text ?? '', text)
}

for (const hash of ['SHA-1', 'SHA-256'] as const) {
  test(`SCRAM-${hash}-PLUS binds to either type`, async () => {
    for (const [type, bound] of DATA) {
      const { step, client } = await login({ hash, plus: true, flag: `p=${type}`, bound })
      assert.strictEqual(step.type, 'success')
      assert.strictEqual(client.mechanism, `SCRAM-${hash}-PLUS`)
    }
  })

  test(`SCRAM-${hash}-PLUS: an authzid stands in the header that is bound`, async () => {
    const authzid = 'juliet@example.com'
    const { step } = await login({ hash, plus: true, flag: 'p=tls-exporter', bound: EXPORTER, authzid })
    assert.strictEqual(step.type, 'success')
  })
}

test('RFC 5802 §6: data of another connection is no channel binding', async () => {
  const others: Array<[what: string, bound: Buffer]> = [
    ['of another connection', Buffer.alloc(32, 3)],
    ['of another type', END_POINT],
    ['none', Buffer.alloc(0)],
    ['too short', EXPORTER.subarray(1)],
    ['too long', Buffer.concat([EXPORTER, Buffer.alloc(1)])]
  ]
  for (const [what, bound] of others) {
    const { step } = await login({ plus: true, flag: 'p=tls-exporter', bound })
    assert.ok(step.type === 'failure', what)
    assertFails(step, 'not-authorized', /channel-bindings-dont-match/)
    assert.strictEqual(step.user, 'juliet')
  }
})

test('RFC 5802 §6: a type that the connection does not have', async () => {
  for (const type of ['tls-unique', 'tls-server-endpoint', 'TLS-EXPORTER', 'constructor']) {
    const { step } = await login({ plus: true, flag: `p=${type}`, bound: EXPORTER })
    assertFails(step, 'malformed-request', /unsupported-channel-binding-type/)
  }
  const stream = { ...BOUND, channelBindings: undefined }
  const { step } = await login({ plus: true, flag: 'p=tls-exporter', bound: EXPORTER, stream })
  assertFails(step, 'malformed-request', /unsupported-channel-binding-type/)
})

test('RFC 5802 §6: a binding with a mechanism that has none, and none with one that has', async () => {
  const { step } = await login({ flag: 'p=tls-exporter', bound: EXPORTER })
  assertFails(step, 'malformed-request', /channel-binding-not-supported/)
  for (const flag of ['n', 'y']) {
    const { step: without } = await login({ plus: true, flag })
    assertFails(without, 'malformed-request', /needs a channel binding/)
  }
})

test('RFC 5802 §6: "y" where -PLUS was offered is a downgrade, where it was not it is right', async () => {
  const { step } = await login({ flag: 'y' })
  assertFails(step, 'malformed-request', /server-does-support-channel-binding/)
  // Also where only that of another hash was offered
  const one = { mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1'], bindings: PLUS.bindings }
  const { step: other } = await login({ hash: 'SHA-1', flag: 'y', stream: { ...BOUND, offer: one } })
  assertFails(other, 'malformed-request', /server-does-support-channel-binding/)
  const { step: right } = await login({ flag: 'y', stream: { ...BOUND, offer: NO_PLUS } })
  assert.strictEqual(right.type, 'success')
})

test('RFC 5802 §6: "n" is right, whatever was offered', async () => {
  for (const offer of [PLUS, NO_PLUS])
    assert.strictEqual((await login({ flag: 'n', stream: { ...BOUND, offer } })).step.type, 'success')
})

test('RFC 5802 §5.1: a flag that somebody in between has changed does not pass', async () => {
  // The client bound to nothing, as it was told to; the server hears that it could not
  const away = { first: (text: string) => text.replace(/^y/, 'n') }
  assertFails((await login({ flag: 'y', tamper: away })).step, 'malformed-request', /gs2 header/)
  // And with `c` made to fit, the proof does not
  const both = { ...away, final: (text: string) => text.replace('c=eSws', 'c=biws') }
  const { step } = await login({ flag: 'y', tamper: both })
  assert.ok(step.type === 'failure' && step.condition === 'not-authorized')
  const otherType = { first: (text: string) => text.replace('tls-exporter', 'tls-server-end-point') }
  const { step: type } = await login({
    plus: true,
    flag: 'p=tls-exporter',
    bound: EXPORTER,
    tamper: otherType
  })
  assertFails(type, 'malformed-request', /gs2 header/)
})

// --- XEP-0474

test('XEP-0474 §6.3: its example', async () => {
  const keys = await deriveKeys('pencil', 'SHA-1', Buffer.from('QSXCR+Q6sek8bf92', 'base64'), 4096)
  const accounts: SaslAccounts = {
    secret: Buffer.alloc(32),
    iterations: 4096,
    find: async () => ({ credentials: { 'SHA-1': keys }, disabled: false })
  }
  const exchange = scramMechanism('SHA-1', accounts, {
    plus: true,
    nonce: () => 'a09117a6-ac50-4f2f-93f1-93799c2bddf6'
  }).start({
    ...BOUND,
    offer: {
      mechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'],
      bindings: ['tls-server-end-point', 'tls-exporter']
    },
    channelBindings: { ...bindings, data: () => Buffer.from('THIS IS FAKE CB DATA') }
  })
  const challenge = await exchange.step(
    Buffer.from('p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6')
  )
  assert.ok(challenge.type === 'challenge')
  assert.strictEqual(
    String(challenge.data),
    'r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08='
  )
  const last = await exchange.step(
    Buffer.from(
      'c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4='
    )
  )
  assert.deepStrictEqual(last, {
    type: 'success',
    user: 'user',
    data: Buffer.from('v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c=')
  })
})

/** XEP-0474 §6.2: what a client makes of the lists that it was shown. */
function offerHash(hash: 'sha1' | 'sha256', text: string): string {
  return createHash(hash).update(text.replace(/ /g, '\x1e').replace(/\|/g, '\x1f')).digest('base64')
}

test('XEP-0474 §6.1: the lists are sorted, and hashed by the hash of the mechanism', async () => {
  const all =
    'SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS|tls-exporter tls-server-end-point'
  assert.strictEqual((await login({})).client.offerHash, offerHash('sha256', all))
  assert.strictEqual((await login({ hash: 'SHA-1' })).client.offerHash, offerHash('sha1', all))
  const bound = { plus: true, flag: 'p=tls-exporter', bound: EXPORTER }
  assert.strictEqual((await login(bound)).client.offerHash, offerHash('sha256', all))
})

test('XEP-0474 §6.1: without announced types there is no delimiter for them', async () => {
  const { client } = await login({ stream: { ...BOUND, offer: NO_PLUS } })
  assert.strictEqual(client.offerHash, offerHash('sha256', 'SCRAM-SHA-1 SCRAM-SHA-256'))
})

test('XEP-0474 §6.1: "i;octet" puts upper case first and the shorter before the longer', async () => {
  const offer = { mechanisms: ['b', 'B', 'a-', 'a'], bindings: [] }
  const { client } = await login({ stream: { ...BOUND, offer } })
  assert.strictEqual(client.offerHash, offerHash('sha256', 'B a a- b'))
})

test('XEP-0474: nothing is vouched for where it is not known what was offered', async () => {
  const { step, client } = await login({ stream: { ...BOUND, offer: undefined } })
  assert.strictEqual(step.type, 'success')
  assert.strictEqual(client.offerHash, undefined)
})

test('XEP-0474 §6.2: lists that somebody in between has changed show, and cannot be made to fit', async () => {
  // The client was shown SCRAM-SHA-1 alone, so that it would take it
  const shown = offerHash('sha1', 'SCRAM-SHA-1')
  const { step, client } = await login({ hash: 'SHA-1' })
  assert.strictEqual(step.type, 'success')
  assert.notStrictEqual(client.offerHash, shown)
  for (const forged of [`,h=${shown}`, '']) {
    const challenge = (text: string): string => text.replace(/,h=.*$/, forged)
    const { step } = await login({ hash: 'SHA-1', tamper: { challenge } })
    assert.ok(step.type === 'failure' && step.condition === 'not-authorized', JSON.stringify(step))
  }
})
