import assert from 'node:assert'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import fc from 'fast-check'
import type { SaslExchange, SaslStep } from '../../core/streams/mechanism'
import {
  decodeBase64,
  decodeCredentials,
  decodeSaslData,
  deriveKeys,
  encodeChallengeData,
  encodeCredentials,
  encodeSuccessData,
  newCredentials,
  passwordMechanisms,
  plainMechanism,
  scramMechanism,
  verifyPassword,
  type Credentials,
  type SaslAccounts,
  type ScramHash
} from '../../core/streams/sasl'
import { PrecisError, saslprep } from '../../core/precis'
import { ScramClient, type ScramClientOptions } from '../lib/scram-client'

const DOMAIN = 'example.com'
const SECRET = Buffer.from('a secret of the installation')
const ITERATIONS = 10
const TLS = { domain: DOMAIN, secure: true, remoteAddress: '127.0.0.1' }
const PLAINTEXT = { ...TLS, secure: false }
const HASHES: ScramHash[] = ['SHA-256', 'SHA-1']

type Rows = Record<string, { password: string; disabled?: boolean; hashes?: ScramHash[] }>

async function accountsOf(rows: Rows): Promise<SaslAccounts & { asked: string[] }> {
  const known = new Map<string, { credentials: Credentials; disabled: boolean }>()
  for (const [user, { password, disabled = false, hashes = HASHES }] of Object.entries(rows)) {
    const all = await newCredentials(password, { iterations: ITERATIONS })
    const credentials = Object.fromEntries(hashes.map(hash => [hash, all[hash]])) as Credentials
    known.set(user, { credentials, disabled })
  }
  const asked: string[] = []
  return {
    asked,
    secret: SECRET,
    iterations: ITERATIONS,
    find: async (user, domain) => {
      asked.push(`${user}@${domain}`)
      return domain === DOMAIN ? known.get(user) : undefined
    }
  }
}

const JULIET: Rows = { juliet: { password: 'r0m30myr0m30' } }

function challengeOf(step: SaslStep): string {
  assert.ok(step.type === 'challenge', JSON.stringify(step))
  return step.data.toString()
}

/** A whole login; what the server says in the end. Checks the server's signature on success. */
async function scram(accounts: SaslAccounts, options: ScramClientOptions, stream = TLS): Promise<SaslStep> {
  const exchange = scramMechanism(options.hash ?? 'SHA-256', accounts).start(stream)
  const client = new ScramClient(options)
  const first = await exchange.step(Buffer.from(client.first()))
  if (first.type === 'failure') return first
  const last = await exchange.step(Buffer.from(client.final(challengeOf(first))))
  if (last.type === 'success') assert.ok(client.verify(String(last.data)))
  return last
}

async function plain(accounts: SaslAccounts, message: string | Buffer, stream = TLS): Promise<SaslStep> {
  return plainMechanism(accounts).start(stream).step(Buffer.from(message))
}

function assertFails(step: SaslStep, condition: string, text?: RegExp): void {
  assert.ok(step.type === 'failure', JSON.stringify(step))
  assert.strictEqual(step.condition, condition)
  if (text) assert.match(step.text ?? '', text)
}

// --- the examples of the RFCs

const EXAMPLES = [
  {
    hash: 'SHA-1',
    source: 'RFC 5802 §5',
    salt: 'QSXCR+Q6sek8bf92',
    nonce: '3rfcNHYJY1ZVvWVs7j',
    first: 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    challenge: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    final: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    success: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ='
  },
  {
    hash: 'SHA-256',
    source: 'RFC 7677 §3',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    final:
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    success: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='
  }
] as const

for (const { hash, source, salt, nonce, first, challenge, final, success } of EXAMPLES) {
  test(`SCRAM-${hash}: the example of ${source}`, async () => {
    const keys = await deriveKeys('pencil', hash, Buffer.from(salt, 'base64'), 4096)
    const accounts: SaslAccounts = {
      secret: SECRET,
      iterations: 4096,
      find: async () => ({ credentials: { [hash]: keys }, disabled: false })
    }
    const exchange = scramMechanism(hash, accounts, { nonce: () => nonce }).start(TLS)
    assert.strictEqual(challengeOf(await exchange.step(Buffer.from(first))), challenge)
    const last = await exchange.step(Buffer.from(final))
    assert.deepStrictEqual(last, { type: 'success', user: 'user', data: Buffer.from(success) })
  })
}

test('the test client makes the example of RFC 7677, too', () => {
  const example = EXAMPLES[1]
  const client = new ScramClient({ user: 'user', password: 'pencil', nonce: 'rOprNGfwEbeRWgbNEkqO' })
  assert.strictEqual(client.first(), example.first)
  assert.strictEqual(client.final(example.challenge), example.final)
  assert.ok(client.verify(example.success))
  assert.ok(!client.verify('v=AAAA'))
})

test('PLAIN: the examples of RFC 4616 §4', async () => {
  const accounts = await accountsOf({ tim: { password: 'tanstaaftanstaaf' } })
  const ok = await plain(accounts, '\0tim\0tanstaaftanstaaf')
  assert.deepStrictEqual(ok, { type: 'success', user: 'tim', data: undefined })
  assertFails(await plain(accounts, 'Ursel\0Kurt\0xipj3plmq'), 'invalid-authzid')
})

// --- what succeeds

test('the mechanisms, the strongest first, PLAIN for TLS only', async () => {
  const list = passwordMechanisms(await accountsOf({}))
  assert.deepStrictEqual(
    list.map(({ name, needsTls, needsBinding = false }) => [name, needsTls, needsBinding]),
    [
      ['SCRAM-SHA-256-PLUS', true, true],
      ['SCRAM-SHA-1-PLUS', true, true],
      ['SCRAM-SHA-256', false, false],
      ['SCRAM-SHA-1', false, false],
      ['PLAIN', true, false]
    ]
  )
  assert.deepStrictEqual(
    list.map(each => each.strength),
    list.map(each => each.strength).sort((a, b) => b - a)
  )
})

for (const hash of HASHES) {
  test(`SCRAM-${hash}: no initial response, then an empty challenge`, async () => {
    const accounts = await accountsOf(JULIET)
    const client = new ScramClient({ hash, user: 'juliet', password: 'r0m30myr0m30' })
    const exchange = scramMechanism(hash, accounts).start(PLAINTEXT)
    assert.strictEqual(challengeOf(await exchange.step(undefined)), '')
    const challenge = challengeOf(await exchange.step(Buffer.from(client.first())))
    const last = await exchange.step(Buffer.from(client.final(challenge)))
    assert.ok(last.type === 'success' && last.user === 'juliet' && client.verify(String(last.data)))
  })

  test(`SCRAM-${hash}: the flag y is right as long as no -PLUS is offered`, async () => {
    const step = await scram(await accountsOf(JULIET), {
      hash,
      user: 'juliet',
      password: 'r0m30myr0m30',
      flag: 'y'
    })
    assert.strictEqual(step.type, 'success')
  })

  test(`SCRAM-${hash}: the name is prepared for the search and signed as it was sent`, async () => {
    const accounts = await accountsOf(JULIET)
    const step = await scram(accounts, { hash, user: '\uff2aULIET', password: 'r0m30myr0m30' })
    assert.ok(step.type === 'success' && step.user === 'juliet')
    assert.deepStrictEqual(accounts.asked, ['juliet@example.com'])
  })

  test(`SCRAM-${hash}: optional extensions are ignored, but signed`, async () => {
    const options = { hash, user: 'juliet', password: 'r0m30myr0m30', extensions: ',x=1,y=a=b' }
    assert.strictEqual((await scram(await accountsOf(JULIET), options)).type, 'success')
  })
}

test('PLAIN without an initial response', async () => {
  const exchange = plainMechanism(await accountsOf(JULIET)).start(TLS)
  assert.strictEqual(challengeOf(await exchange.step(undefined)), '')
  const last = await exchange.step(Buffer.from('\0Juliet\0r0m30myr0m30'))
  assert.ok(last.type === 'success' && last.user === 'juliet')
})

test('PLAIN checks SHA-1 keys where there are no others', async () => {
  const accounts = await accountsOf({ juliet: { password: 'r0m30', hashes: ['SHA-1'] } })
  assert.strictEqual((await plain(accounts, '\0juliet\0r0m30')).type, 'success')
  assertFails(await plain(accounts, '\0juliet\0r0m31'), 'not-authorized')
})

test('an authzid that is the bare JID of the account is right, whatever its case', async () => {
  const accounts = await accountsOf(JULIET)
  for (const authzid of ['juliet@example.com', 'Juliet@EXAMPLE.com']) {
    const options = { user: 'juliet', password: 'r0m30myr0m30', authzid }
    assert.strictEqual((await scram(accounts, options)).type, 'success')
    assert.strictEqual((await plain(accounts, `${authzid}\0juliet\0r0m30myr0m30`)).type, 'success')
  }
})

test('any other authzid is invalid', async () => {
  const accounts = await accountsOf(JULIET)
  const wrong = [
    'romeo@example.com',
    'juliet@example.net',
    'juliet@example.com/balcony',
    'juliet',
    'example.com',
    '@',
    '"'
  ]
  for (const authzid of wrong) {
    for (const user of ['juliet', 'nobody', 'no body']) {
      const options = { user, password: 'r0m30myr0m30', authzid }
      assertFails(await scram(accounts, options), 'invalid-authzid')
      assertFails(await plain(accounts, `${authzid}\0${user}\0r0m30myr0m30`), 'invalid-authzid')
    }
  }
})

// A name that SCRAM escapes; a password that SASLprep maps
for (const [user, password] of [
  ['a=b,c=2C=3Dd', 'x=y,z'],
  ['f\u00fcrst', 'stra\u00dfe \ufb01n\u00a0\u{1f3ad}'],
  ['\u0434\u0436\u0443\u043b\u044c\u0435\u0442\u0442\u0430', '\u0440\u043e\u043c\u0435\u043e']
] as const) {
  test(`a name and a password beyond ASCII letters: ${user}`, async () => {
    const accounts = await accountsOf({ [user.toLowerCase()]: { password } })
    for (const hash of HASHES) {
      const step = await scram(accounts, { hash, user, password })
      assert.ok(step.type === 'success' && step.user === user.toLowerCase(), JSON.stringify(step))
    }
    assert.strictEqual((await plain(accounts, `\0${user}\0${password}`)).type, 'success')
  })
}

test('any name and password: SCRAM succeeds with the right password and with no other', async () => {
  const name = fc.string({ unit: fc.constantFrom(...'abc=,.-_+!'), minLength: 1, maxLength: 12 })
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isPassword)
  await fc.assert(
    fc.asyncProperty(name, word, word, fc.constantFrom(...HASHES), async (user, password, other, hash) => {
      const accounts = await accountsOf({ [user]: { password } })
      assert.strictEqual((await scram(accounts, { hash, user, password })).type, 'success')
      assert.strictEqual((await plain(accounts, `\0${user}\0${password}`)).type, 'success')
      if (other.normalize('NFKC') === password.normalize('NFKC')) return
      assertFails(await scram(accounts, { hash, user, password: other }), 'not-authorized')
      assertFails(await plain(accounts, `\0${user}\0${other}`), 'not-authorized')
    }),
    { numRuns: 100 }
  )
})

/** A password that SASLprep lets through as the NFKC of the test client does. */
function isPassword(text: string): boolean {
  try {
    return saslprep(text) === text.normalize('NFKC')
  } catch {
    return false
  }
}

// --- what fails

test('a wrong password is not authorized', async () => {
  const accounts = await accountsOf(JULIET)
  for (const hash of HASHES) {
    assertFails(await scram(accounts, { hash, user: 'juliet', password: 'wrong' }), 'not-authorized')
  }
  assertFails(await plain(accounts, '\0juliet\0wrong'), 'not-authorized')
  assertFails(await plain(accounts, '\0juliet\0\u0007'), 'not-authorized')
})

test('an account that does not exist goes the same way to the same end', async () => {
  const accounts = await accountsOf(JULIET)
  for (const user of ['nobody', 'no body', 'juliet@example.com', '\u265a']) {
    for (const hash of HASHES) {
      assertFails(await scram(accounts, { hash, user, password: 'r0m30myr0m30' }), 'not-authorized')
    }
    assertFails(await plain(accounts, `\0${user}\0r0m30myr0m30`), 'not-authorized')
  }
})

test('PLAIN derives keys for an account that does not exist, too, with the rounds of a new one', async () => {
  // a count that PBKDF2 refuses shows that it is asked
  const accounts = { ...(await accountsOf(JULIET)), iterations: 0 }
  await assert.rejects(plain(accounts, '\0nobody\0r0m30myr0m30'), { code: 'ERR_OUT_OF_RANGE' })
  await assert.rejects(plain(accounts, '\0no body\0r0m30myr0m30'), { code: 'ERR_OUT_OF_RANGE' })
  assert.strictEqual((await plain(accounts, '\0juliet\0r0m30myr0m30')).type, 'success')
})

test('an account of another domain does not exist', async () => {
  const accounts = await accountsOf(JULIET)
  const elsewhere = { ...TLS, domain: 'example.net' }
  const options = { user: 'juliet', password: 'r0m30myr0m30' }
  assertFails(await scram(accounts, options, elsewhere), 'not-authorized')
  assertFails(await plain(accounts, '\0juliet\0r0m30myr0m30', elsewhere), 'not-authorized')
})

test('the challenge of an account that does not exist looks like that of a new one and never changes', async () => {
  const saltOf = async (
    accounts: SaslAccounts,
    user: string,
    hash: ScramHash,
    domain = DOMAIN
  ): Promise<string> => {
    const exchange = scramMechanism(hash, accounts).start({ ...TLS, domain })
    const challenge = challengeOf(await exchange.step(Buffer.from(`n,,n=${user},r=abc`)))
    const [, salt = ''] = /^r=abc[!-+\--~]{32},s=([A-Za-z0-9+/]{22}==),i=10$/.exec(challenge) ?? []
    assert.notStrictEqual(salt, '', challenge)
    return salt
  }
  const accounts = await accountsOf(JULIET)
  const restarted = await accountsOf(JULIET)
  await saltOf(accounts, 'juliet', 'SHA-256')
  const salt = await saltOf(accounts, 'nobody', 'SHA-256')
  assert.strictEqual(await saltOf(accounts, 'nobody', 'SHA-256'), salt)
  assert.strictEqual(await saltOf(accounts, 'NoBody', 'SHA-256'), salt)
  assert.strictEqual(await saltOf(restarted, 'nobody', 'SHA-256'), salt)
  const others = [
    await saltOf(accounts, 'somebody', 'SHA-256'),
    await saltOf(accounts, 'nobody', 'SHA-1'),
    await saltOf(accounts, 'nobody', 'SHA-256', 'example.net'),
    await saltOf({ ...accounts, secret: Buffer.from('another') }, 'nobody', 'SHA-256')
  ]
  assert.strictEqual(new Set([salt, ...others]).size, 5)
})

test('an account without keys of a hash does not exist for that mechanism', async () => {
  const accounts = await accountsOf({ juliet: { password: 'r0m30', hashes: ['SHA-256'] } })
  const options = { user: 'juliet', password: 'r0m30' }
  assertFails(await scram(accounts, { ...options, hash: 'SHA-1' }), 'not-authorized')
  assert.strictEqual((await scram(accounts, { ...options, hash: 'SHA-256' })).type, 'success')
  const none = await accountsOf({ juliet: { password: 'r0m30', hashes: [] } })
  assertFails(await plain(none, '\0juliet\0r0m30'), 'not-authorized')
})

test('that an account is disabled is told only to its owner', async () => {
  const accounts = await accountsOf({ juliet: { password: 'r0m30', disabled: true } })
  for (const hash of HASHES) {
    assertFails(await scram(accounts, { hash, user: 'juliet', password: 'r0m30' }), 'account-disabled')
    assertFails(await scram(accounts, { hash, user: 'juliet', password: 'wrong' }), 'not-authorized')
  }
  assertFails(await plain(accounts, '\0juliet\0r0m30'), 'account-disabled')
  assertFails(await plain(accounts, '\0juliet\0wrong'), 'not-authorized')
})

test('PLAIN outside TLS is refused unread', async () => {
  const accounts = await accountsOf(JULIET)
  assertFails(await plain(accounts, '\0juliet\0r0m30myr0m30', PLAINTEXT), 'encryption-required')
  const exchange = plainMechanism(accounts).start(PLAINTEXT)
  assertFails(await exchange.step(undefined), 'encryption-required')
  assertFails(await exchange.step(Buffer.from('\0juliet\0r0m30myr0m30')), 'malformed-request')
  assert.deepStrictEqual(accounts.asked, [])
})

test('PLAIN: what is no PLAIN message', async () => {
  const accounts = await accountsOf(JULIET)
  const wrong = [
    '',
    'juliet',
    'juliet\0r0m30',
    '\0juliet\0',
    '\0\0r0m30',
    '\0juliet\0r0m30\0',
    'a\0b\0c\0d',
    '\0\0'
  ]
  for (const message of [...wrong, Buffer.from([0, 0xff, 0, 0x61]), `\0juliet\0${'x'.repeat(20_000)}`]) {
    assertFails(await plain(accounts, message), 'malformed-request')
  }
  assert.deepStrictEqual(accounts.asked, [])
})

const MALFORMED_FIRST: [what: string, message: string | Buffer, text?: RegExp][] = [
  ['nothing', ''],
  ['no gs2 header', 'n=juliet,r=abc'],
  ['an unknown flag', 'x,,n=juliet,r=abc'],
  ['an upper case flag', 'N,,n=juliet,r=abc'],
  ['half a gs2 header', 'n,n=juliet,r=abc'],
  ['an empty authzid', 'n,a=,n=juliet,r=abc'],
  ['an authzid that is none', 'n,juliet,n=juliet,r=abc'],
  ['a badly escaped authzid', 'n,a=j=2c,n=juliet,r=abc'],
  ['a required channel binding', 'p=tls-unique,,n=juliet,r=abc', /channel-binding-not-supported/],
  ['a channel binding without a name', 'p=,,n=juliet,r=abc'],
  ['a mandatory extension', 'n,,m=x,n=juliet,r=abc', /extensions-not-supported/],
  ['a mandatory extension at the end', 'n,,n=juliet,r=abc,m=x', /extensions-not-supported/],
  ['no name', 'n,,r=abc'],
  ['an empty name', 'n,,n=,r=abc'],
  ['no nonce', 'n,,n=juliet'],
  ['an empty nonce', 'n,,n=juliet,r='],
  ['a nonce with a space', 'n,,n=juliet,r=a b'],
  ['a nonce beyond ASCII', 'n,,n=juliet,r=\u00e4'],
  ['the order turned round', 'n,,r=abc,n=juliet'],
  ['a badly escaped name', 'n,,n=jul=iet,r=abc'],
  ['a name escaped in lower case', 'n,,n=jul=2ciet,r=abc'],
  ['a name with a NUL', 'n,,n=jul\0iet,r=abc'],
  ['an extension without a value', 'n,,n=juliet,r=abc,x='],
  ['an extension that is none', 'n,,n=juliet,r=abc,xyz'],
  ['a trailing comma', 'n,,n=juliet,r=abc,'],
  ['bytes that are no UTF-8', Buffer.from('n,,n=juliet\xff,r=abc', 'latin1')],
  ['an endless nonce', `n,,n=juliet,r=${'a'.repeat(20_000)}`]
]

for (const [what, message, text] of MALFORMED_FIRST) {
  test(`SCRAM: a first message with ${what} is malformed`, async () => {
    const accounts = await accountsOf({})
    for (const hash of HASHES) {
      const exchange = scramMechanism(hash, accounts).start(TLS)
      assertFails(await exchange.step(Buffer.from(message)), 'malformed-request', text)
      assertFails(await exchange.step(Buffer.from('n,,n=juliet,r=abc')), 'malformed-request')
    }
    assert.deepStrictEqual(accounts.asked, [])
  })
}

const MALFORMED_FINAL: [what: string, change: (final: string) => string | Buffer, text?: RegExp][] = [
  ['nothing', () => ''],
  ['no proof', final => final.replace(/,p=.*/, '')],
  ['an empty proof', final => final.replace(/,p=.*/, ',p=')],
  ['a proof that is no base64', final => final.replace(/,p=.*/, ',p=%%%%')],
  ['a proof with bits in its padding', final => final.replace(/,p=.*/, ',p=AB==')],
  ['a short proof', final => final.replace(/,p=.*/, ',p=AAAA'), /length/],
  ['a second proof', final => `${final},p=AAAA`],
  ['something after the proof', final => `${final},x=1`],
  ['no channel binding', final => final.replace(/^c=[^,]*,/, '')],
  ['another gs2 header', final => final.replace(/^c=[^,]*/, 'c=eSws'), /gs2 header/],
  ['data after the gs2 header', final => final.replace(/^c=[^,]*/, 'c=biwsYWJj'), /gs2 header/],
  ['a channel binding that is no base64', final => final.replace(/^c=[^,]*/, 'c=biw')],
  ['the order turned round', final => final.replace(/^(c=[^,]*),(r=[^,]*)/, '$2,$1')],
  ['the client part of the nonce alone', final => final.replace(/r=[^,]*/, 'r=abc'), /nonce/],
  ['another nonce', final => final.replace(/r=([^,]*)/, 'r=$1x'), /nonce/],
  ['a mandatory extension', final => final.replace(',p=', ',m=x,p='), /extensions-not-supported/],
  ['a NUL', final => `${final}\0`],
  ['no UTF-8', final => Buffer.concat([Buffer.from([0xc0]), Buffer.from(final)])]
]

for (const [what, change, text] of MALFORMED_FINAL) {
  test(`SCRAM: a final message with ${what} is malformed`, async () => {
    const accounts = await accountsOf(JULIET)
    const client = new ScramClient({ user: 'juliet', password: 'r0m30myr0m30', nonce: 'abc' })
    const exchange = scramMechanism('SHA-256', accounts).start(TLS)
    const final = client.final(challengeOf(await exchange.step(Buffer.from(client.first()))))
    assertFails(await exchange.step(Buffer.from(change(final))), 'malformed-request', text)
    assertFails(await exchange.step(Buffer.from(final)), 'malformed-request')
  })
}

test('SCRAM: an extension that was not signed breaks the proof', async () => {
  const client = new ScramClient({ user: 'juliet', password: 'r0m30myr0m30' })
  const exchange = scramMechanism('SHA-256', await accountsOf(JULIET)).start(TLS)
  const final = client.final(challengeOf(await exchange.step(Buffer.from(client.first()))))
  assertFails(await exchange.step(Buffer.from(final.replace(',p=', ',x=1,p='))), 'not-authorized')
})

test('SCRAM: a proof cannot be used again', async () => {
  const accounts = await accountsOf(JULIET)
  const client = new ScramClient({ user: 'juliet', password: 'r0m30myr0m30' })
  const exchange = scramMechanism('SHA-256', accounts).start(TLS)
  const final = client.final(challengeOf(await exchange.step(Buffer.from(client.first()))))
  assert.strictEqual((await exchange.step(Buffer.from(final))).type, 'success')
  const again = scramMechanism('SHA-256', accounts).start(TLS)
  challengeOf(await again.step(Buffer.from(client.first())))
  assertFails(await again.step(Buffer.from(final)), 'malformed-request', /nonce/)
})

test('SCRAM: nothing instead of a final message is malformed', async () => {
  const exchange = scramMechanism('SHA-256', await accountsOf(JULIET)).start(TLS)
  challengeOf(await exchange.step(Buffer.from('n,,n=juliet,r=abc')))
  assertFails(await exchange.step(undefined), 'malformed-request')
})

test('any bytes at any step end in an answer, never in success', async () => {
  const accounts = await accountsOf(JULIET)
  const piece = fc.constantFrom(
    'n',
    'y',
    'p=x',
    ',',
    ',,',
    'n=juliet',
    'r=abc',
    'c=biws',
    'p=AAAA',
    'm=1',
    'a=b',
    '=',
    '\0'
  )
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.from(bytes)),
    fc.array(piece, { maxLength: 10 }).map(pieces => Buffer.from(pieces.join('')))
  )
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 3 }), async messages => {
      const started: SaslExchange[] = passwordMechanisms(accounts).map(each => each.start(TLS))
      for (const exchange of started) {
        for (const each of messages) assert.notStrictEqual((await exchange.step(each)).type, 'success')
      }
    }),
    { numRuns: 500 }
  )
})

test('a search that fails is not swallowed', async () => {
  const broken = { ...(await accountsOf({})), find: () => Promise.reject(new Error('no database')) }
  const exchange = scramMechanism('SHA-256', broken).start(TLS)
  await assert.rejects(async () => exchange.step(Buffer.from('n,,n=juliet,r=abc')), /no database/)
  await assert.rejects(plain(broken, '\0juliet\0r0m30'), /no database/)
})

// --- keys

test('new credentials: both hashes, other salts each time, at least 4096 rounds by default', async () => {
  const one = await newCredentials('pencil')
  const two = await newCredentials('pencil')
  const salts = HASHES.flatMap(hash => [one[hash]?.salt.toString('hex'), two[hash]?.salt.toString('hex')])
  assert.strictEqual(new Set(salts).size, 4)
  for (const hash of HASHES) assert.ok((one[hash]?.iterations ?? 0) >= 4096)
  assert.ok(await verifyPassword(one, 'pencil'))
  assert.ok(!(await verifyPassword(one, 'Pencil')))
  assert.ok(!(await verifyPassword({}, 'pencil')))
})

test('a password that SASLprep refuses makes no credentials', async () => {
  for (const password of ['', '\u00ad', 'a\u0007', '\ud800']) {
    await assert.rejects(newCredentials(password), PrecisError)
    assert.ok(!(await verifyPassword(await newCredentials('x', { iterations: 1 }), password)))
  }
})

test('passwords that are the same to SASLprep are the same', async () => {
  const credentials = await newCredentials('\u2168\u00a0\ufb01', { iterations: 1 })
  assert.ok(await verifyPassword(credentials, 'IX fi'))
})

test('credentials come back from what is stored', async () => {
  const credentials = await newCredentials('pencil', { iterations: 5 })
  const stored = encodeCredentials(credentials)
  assert.deepStrictEqual(decodeCredentials(stored), credentials)
  assert.ok(!stored.includes('pencil'))
  const { 'SHA-256': only } = credentials
  assert.ok(only)
  assert.deepStrictEqual(decodeCredentials(encodeCredentials({ 'SHA-256': only })), { 'SHA-256': only })
  assert.deepStrictEqual(decodeCredentials('["SCRAM-SHA-512$1:AAAA$AAAA:AAAA"]'), {})
})

test('the stored shape is that of RFC 5803', async () => {
  const keys = await deriveKeys('pencil', 'SHA-256', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096)
  assert.strictEqual(
    encodeCredentials({ 'SHA-256': keys }),
    JSON.stringify([
      `SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$${keys.storedKey.toString('base64')}:${keys.serverKey.toString('base64')}`
    ])
  )
})

test('damaged credentials are refused, and not shown', async () => {
  const [good = ''] = JSON.parse(
    encodeCredentials(await newCredentials('pencil', { iterations: 5 }))
  ) as string[]
  const damaged = [
    good.replace('$5:', '$0:'),
    good.replace('$5:', '$-5:'),
    good.replace('$5:', '$99999999:'),
    good.replace('$5:', '$:'),
    good.replace(/:[^:]*$/, ':AAAA'),
    good.replace(/\$5:[^$]*/, '$5:'),
    good.replace(/\$5:[^$]*/, '$5:!'),
    `${good}:`,
    'SCRAM-SHA-256'
  ]
  for (const value of damaged) {
    assert.throws(
      () => decodeCredentials(JSON.stringify([value])),
      /^Error: the stored SCRAM-SHA-256 keys of an account/
    )
  }
  assert.throws(() => decodeCredentials('{}'))
  assert.throws(() => decodeCredentials('x'))
})

// --- base64

test('base64 is strict', () => {
  for (const text of ['', 'AA==', 'AAA=', 'AAAA', '+/+/']) {
    assert.strictEqual(decodeBase64(text)?.toString('base64'), text)
  }
  const wrong = [
    'A',
    'AA',
    'AAA',
    'AA=',
    'A===',
    '====',
    'AA==AAAA',
    'AB==',
    'AAB=',
    'A A=',
    'AAAA\n',
    '-_-_',
    'AA\u00e4=',
    '='
  ]
  for (const text of wrong) assert.strictEqual(decodeBase64(text), undefined, text)
})

test('base64 of any bytes comes back', () => {
  for (let length = 0; length < 50; length++) {
    const data = randomBytes(length)
    assert.deepStrictEqual(decodeBase64(data.toString('base64')), data)
  }
})

test('an equals sign is data of no length', () => {
  assert.deepStrictEqual(decodeSaslData('='), Buffer.alloc(0))
  assert.deepStrictEqual(decodeSaslData(''), Buffer.alloc(0))
  assert.strictEqual(decodeSaslData('=='), undefined)
  assert.deepStrictEqual(decodeSaslData('YQ=='), Buffer.from('a'))
  assert.strictEqual(encodeSuccessData(undefined), '')
  assert.strictEqual(encodeSuccessData(Buffer.alloc(0)), '=')
  assert.strictEqual(encodeSuccessData(Buffer.from('a')), 'YQ==')
  assert.strictEqual(encodeChallengeData(Buffer.alloc(0)), '')
})
