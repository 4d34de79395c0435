import assert from 'node:assert'
import test from 'node:test'
import type { SaslMechanism, SaslStep } from '../../../core/streams/mechanism'
import { el } from '../../../core/xml/element'
import { NS } from '../../../core/xml/namespaces'
import { conditionOf, type TestClient } from '../../lib/client'
import { mechanismsOf } from '../../lib/sasl'
import { ScramClient } from '../../lib/scram-client'
import { Raw } from './lib/raw'
import { DOMAIN, endsWith, header, JULIET, rig } from './lib/rig'

const encode = (text: string): string => Buffer.from(text).toString('base64')
const auth = (mechanism: string, data = ''): string =>
  `<auth xmlns='${NS.SASL}' mechanism='${mechanism}'>${data}</auth>`
const plain = (password: string, user = 'juliet', authzid = ''): string =>
  auth('PLAIN', encode(`${authzid}\0${user}\0${password}`))

async function failsWith(client: TestClient, condition: string): Promise<void> {
  const failure = await client.next(`the SASL failure ${condition}`)
  assert.equal(failure.name, 'failure')
  assert.equal(failure.attrs.xmlns, NS.SASL)
  assert.equal(failure.getChildElements()[0]?.name, condition)
}

for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']) {
  test(`login with ${mechanism}, and the restart after it`, async t => {
    const { connect, backend } = await rig(t)
    const juliet = await connect({ transport: 'tls' })
    await juliet.open()
    const before = juliet.header?.id
    const features = await juliet.authenticate({ ...JULIET, mechanism })
    assert.notEqual(juliet.header?.id, before, 'RFC 6120 §4.3.3')
    assert.deepEqual(mechanismsOf(features), [])
    assert.deepEqual(
      backend.told.map(({ what }) => what),
      ['authenticated']
    )
  })
}

const failures: Array<[what: string, sent: string, condition: string]> = [
  ['a wrong password', plain('wrong'), 'not-authorized'],
  ['an unknown account', plain('wrong', 'romeo'), 'not-authorized'],
  ['an unknown mechanism', auth('CRAM-MD5'), 'invalid-mechanism'],
  ['no mechanism', `<auth xmlns='${NS.SASL}'/>`, 'invalid-mechanism'],
  ['a name that objects have', auth('constructor'), 'invalid-mechanism'],
  ['white space in base64', auth('PLAIN', 'AGp1 bGll'), 'incorrect-encoding'],
  ['base64 without its padding', auth('PLAIN', 'AGp1bGlldAByMG0zMG15cjBtMzA'), 'incorrect-encoding'],
  ['bits in the padding', auth('PLAIN', 'AGp1bGlldAByMG0zMG15cjBtMzB='), 'incorrect-encoding'],
  ['other characters', auth('PLAIN', '!!!!'), 'incorrect-encoding'],
  ['an element for data', auth('PLAIN', '<a/>'), 'malformed-request'],
  ['data that is no PLAIN', auth('PLAIN', encode('juliet')), 'malformed-request'],
  ['no data at all, said so', auth('PLAIN', '='), 'malformed-request'],
  ['an authzid of somebody else', plain('r0m30myr0m30', 'juliet', `romeo@${DOMAIN}`), 'invalid-authzid'],
  ['a full JID as authzid', plain('r0m30myr0m30', 'juliet', `juliet@${DOMAIN}/balcony`), 'invalid-authzid'],
  ['a response to nothing', `<response xmlns='${NS.SASL}'>aGk=</response>`, 'malformed-request'],
  ['an abort of nothing', `<abort xmlns='${NS.SASL}'/>`, 'aborted'],
  ['SCRAM that is none', auth('SCRAM-SHA-1', encode('n,,x=y')), 'malformed-request']
]

test('RFC 6120 §6.5: each failure leaves the stream as it was', async t => {
  for (const [what, sent, condition] of failures) {
    await t.test(`${what} is ${condition}`, async t => {
      const { connect, backend } = await rig(t)
      const juliet = await connect({ transport: 'tls' })
      await juliet.open()
      juliet.write(sent)
      await failsWith(juliet, condition)
      assert.deepEqual(backend.told, [])
      await juliet.authenticate(JULIET)
      await juliet.bind('balcony')
    })
  }
})

test('RFC 6120 §6.3.4: PLAIN outside TLS is neither offered nor taken', async t => {
  const { connect, backend } = await rig(t, { plain: true })
  const juliet = await connect()
  const features = await juliet.open()
  assert.deepEqual(mechanismsOf(features), ['SCRAM-SHA-256', 'SCRAM-SHA-1'])
  juliet.write(plain(JULIET.password))
  await failsWith(juliet, 'encryption-required')
  assert.deepEqual(backend.told, [])
})

test('nothing is taken before a TLS that is required', async t => {
  const { connect, backend } = await rig(t)
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-1', 'CRAM-MD5']) {
    const juliet = await connect()
    await juliet.open()
    juliet.write(auth(mechanism, encode('\0juliet\0r0m30myr0m30')))
    await failsWith(juliet, 'encryption-required')
  }
  assert.deepEqual(backend.told, [])
})

test('RFC 6120 §6.4.5: retries are bounded', async t => {
  const { connect } = await rig(t, { settings: { authRetries: 3 } })
  const juliet = await connect({ transport: 'tls' })
  await juliet.open()
  for (const sent of [plain('a'), auth('X-NONE'), `<abort xmlns='${NS.SASL}'/>`, plain('b')]) {
    juliet.write(sent)
    const failure = await juliet.next('a failure')
    assert.equal(failure.name, 'failure')
  }
  await endsWith(juliet, 'policy-violation')
})

test('RFC 6120 §6.4.4: a login is aborted, another succeeds', async t => {
  const { connect } = await rig(t, { plain: true })
  const juliet = await connect()
  await juliet.open()
  juliet.write(auth('SCRAM-SHA-1', encode('n,,n=juliet,r=abcdefgh')))
  await juliet.receives(`<challenge xmlns='${NS.SASL}'/>`)
  juliet.write(`<abort xmlns='${NS.SASL}'/>`)
  await failsWith(juliet, 'aborted')
  juliet.write(`<response xmlns='${NS.SASL}'>${encode('c=biws,r=abcdefgh,p=AA==')}</response>`)
  await failsWith(juliet, 'malformed-request')
  await juliet.authenticate(JULIET)
})

test('RFC 6120 §6.4.2: a second <auth/> discards the login under way', async t => {
  const { connect } = await rig(t, { plain: true })
  const juliet = await connect()
  await juliet.open()
  juliet.write(auth('SCRAM-SHA-1', encode('n,,n=juliet,r=abcdefgh')))
  await juliet.receives(`<challenge xmlns='${NS.SASL}'/>`)
  await juliet.authenticate(JULIET)
})

test('RFC 6120 §6.3.10: without initial response there is an empty challenge', async t => {
  const { connect } = await rig(t)
  const juliet = await connect({ transport: 'tls' })
  await juliet.open()
  juliet.write(auth('PLAIN'))
  const challenge = await juliet.receives(`<challenge xmlns='${NS.SASL}'/>`)
  assert.equal(challenge.getText(), '')
  juliet.write(`<response xmlns='${NS.SASL}'>${encode('\0juliet\0r0m30myr0m30')}</response>`)
  await juliet.receives(`<success xmlns='${NS.SASL}'/>`)
})

test('RFC 6120 §6.4.6: whoever logs in must be who the header says, inside TLS', async t => {
  const { connect, backend } = await rig(t)
  const nurse = await connect({ transport: 'tls' })
  await nurse.open({ from: `nurse@${DOMAIN}` })
  nurse.write(plain(JULIET.password))
  await endsWith(nurse, 'invalid-from')
  assert.deepEqual(backend.told, [])
  const juliet = await connect({ transport: 'tls' })
  await juliet.open({ from: `JULIET@${DOMAIN}` })
  await juliet.authenticate(JULIET)
})

test('RFC 6120 §4.3.5: stanzas before authentication', async t => {
  const { connect, backend } = await rig(t)
  for (const stanza of [
    `<message to='romeo@${DOMAIN}'><body>hi</body></message>`,
    '<presence/>',
    `<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>`,
    `<iq type='set' id='1'><bind xmlns='${NS.BIND}'/></iq>`,
    `<iq type='result' id='1'/>`
  ]) {
    const juliet = await connect({ transport: 'tls' })
    await juliet.open()
    juliet.write(stanza)
    await endsWith(juliet, 'not-authorized')
    assert.deepEqual(backend.told, [])
  }
})

test('elements before authentication that are no stanzas', async t => {
  const { connect } = await rig(t, { plain: true })
  for (const [element, condition] of [
    [`<enable xmlns='urn:xmpp:sm:3'/>`, 'unsupported-stanza-type'],
    [`<query/>`, 'unsupported-stanza-type'],
    [`<message xmlns='${NS.SERVER}'/>`, 'invalid-namespace'],
    [`<success xmlns='${NS.SASL}'/>`, 'unsupported-stanza-type'],
    [`<a>${'<b>'.repeat(20)}`, 'policy-violation'],
    [`<a b='${'c'.repeat(20_000)}'/>`, 'policy-violation']
  ] as const) {
    const juliet = await connect()
    await juliet.open()
    juliet.write(element)
    await endsWith(juliet, condition)
  }
})

test('an iq before authentication goes to the module that takes it, and to no other', async t => {
  const { connect, backend } = await rig(t)
  const seen: string[] = []
  backend.host(DOMAIN)?.items.add(
    'preauth-iq',
    {
      ns: 'jabber:iq:register',
      name: 'query',
      handle: async (session, iq) => {
        await Promise.resolve()
        seen.push(iq.attrs.type as string)
        session.send(el('iq', { type: 'result', id: iq.attrs.id as string }))
      }
    },
    'test'
  )
  const juliet = await connect({ transport: 'tls' })
  await juliet.open()
  const answer = await juliet.request(`<iq type='get'><query xmlns='jabber:iq:register'/></iq>`)
  assert.equal(answer.attrs.type, 'result')
  await juliet.authenticate(JULIET)
  await juliet.bind()
  assert.deepEqual(seen, ['get'])

  const early = await connect()
  await early.open()
  early.write(`<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>`)
  await endsWith(early, 'not-authorized')
})

test('a module that fails before authentication ends the stream as a fault of ours', async t => {
  const { connect, backend } = await rig(t, { plain: true })
  backend
    .host(DOMAIN)
    ?.items.add(
      'preauth-iq',
      { ns: 'jabber:iq:register', name: 'query', handle: () => Promise.reject(new Error('oh')) },
      'test'
    )
  const juliet = await connect()
  await juliet.open()
  juliet.write(`<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>`)
  await endsWith(juliet, 'internal-server-error')
})

function mechanism(step: () => SaslStep | Promise<SaslStep>): SaslMechanism {
  return { name: 'X-TEST', strength: 99, needsTls: false, start: () => ({ step }) }
}

test('a mechanism that throws or rejects is a temporary failure', async t => {
  const { connect, backend } = await rig(t, { plain: true })
  const steps = [
    (): SaslStep => {
      throw new Error('oh')
    },
    (): Promise<SaslStep> => Promise.reject(new Error('oh'))
  ]
  backend.host(DOMAIN)?.items.add(
    'sasl-mechanism',
    mechanism(() => (steps.shift() ?? (() => ({}) as SaslStep))()),
    'test'
  )
  const juliet = await connect()
  await juliet.open()
  for (let i = 0; i < 2; i++) {
    juliet.write(auth('X-TEST'))
    await failsWith(juliet, 'temporary-auth-failure')
  }
  assert.equal(backend.logged.filter(({ level }) => level === 'error').length, 2)
  await juliet.authenticate(JULIET)
})

test('what follows while a mechanism thinks is dealt with after it, in order', async t => {
  const { ports, backend } = await rig(t, { plain: true })
  let done: (step: SaslStep) => void = () => {}
  const started = new Promise<void>(resolve => {
    const step = (): Promise<SaslStep> => {
      resolve()
      return new Promise(settle => (done = settle))
    }
    backend.host(DOMAIN)?.items.add('sasl-mechanism', mechanism(step), 'test')
  })
  const juliet = await Raw.connect(ports.tcp)
  t.after(() => juliet.destroy())
  juliet.write(header())
  await juliet.until('</stream:features>')
  const bind = `<iq type='set' id='b'><bind xmlns='${NS.BIND}'><resource>x</resource></bind></iq>`
  juliet.write(auth('X-TEST') + header() + bind)
  await started
  const before = juliet.text
  done({ type: 'success', user: 'juliet' })
  await juliet.until('<jid>')
  const [success, head, ...others] = juliet.text.slice(before.length).match(/<[\w:]+/g) ?? []
  assert.deepEqual([success, head], ['<success', '<stream:stream'])
  assert.ok(others.includes('<jid'))
  assert.deepEqual(
    backend.told.map(({ what }) => what),
    ['authenticated', 'bound']
  )
})

test('a client that goes away while a mechanism thinks is no trouble', async t => {
  const { connect, backend, listeners } = await rig(t, { plain: true })
  let done: (step: SaslStep) => void = () => {}
  const started = new Promise<void>(resolve => {
    const step = (): Promise<SaslStep> => {
      resolve()
      return new Promise(settle => (done = settle))
    }
    backend.host(DOMAIN)?.items.add('sasl-mechanism', mechanism(step), 'test')
  })
  const juliet = await connect()
  await juliet.open()
  juliet.write(auth('X-TEST'))
  await started
  for (const stream of listeners.streams()) stream.abandon('test')
  await juliet.isClosed()
  done({ type: 'success', user: 'juliet' })
  await new Promise(setImmediate)
  assert.deepEqual(backend.told, [])
})

test('while modules are swapped, logging in waits', async t => {
  const { connect, backend } = await rig(t, { plain: true })
  backend.gate.close()
  const juliet = await connect()
  juliet.write(header())
  const romeo = await connect()
  romeo.write('<!-- -->')
  await endsWith(romeo, 'restricted-xml')
  assert.equal(juliet.header, undefined)
  backend.gate.reopen()
  await juliet.next('the features')
})

test('RFC 6120 §4.3.3: after the login the domain cannot be another', async t => {
  const { connect } = await rig(t, { plain: true, hosts: ['example.org'] })
  const juliet = await connect()
  await juliet.open()
  juliet.write(auth('SCRAM-SHA-1', 'x'))
  await juliet.next('a failure')
  const run = new ScramClient({ ...JULIET, hash: 'SHA-1' })
  juliet.write(auth('SCRAM-SHA-1', encode(run.first())))
  const challenge = await juliet.next('a challenge')
  juliet.write(
    `<response xmlns='${NS.SASL}'>${encode(run.final(Buffer.from(challenge.getText(), 'base64').toString()))}</response>`
  )
  await juliet.receives(`<success xmlns='${NS.SASL}'/>`)
  juliet.channel.open({ to: 'example.org' })
  const error = await juliet.next('an error')
  assert.equal(conditionOf(error), 'not-authorized')
  await juliet.isClosed()
})
