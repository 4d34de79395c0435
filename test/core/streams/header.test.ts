import assert from 'node:assert'
import test from 'node:test'
import { NS } from '../../../core/xml/namespaces'
import { childrenOf } from '../../../core/xml/element'
import { DOMAIN, endsWith, header, rig } from './lib/rig'

test('RFC 6120 §4.7: the header that answers a header', async t => {
  const { connect } = await rig(t, { plain: true })
  const juliet = await connect()
  juliet.write(header({ from: `Juliet@${DOMAIN}/balcony`, 'xml:lang': 'de', id: 'mine' }))
  await juliet.next('the features')
  const { id, 'xmlns:stream': _prefix, ...others } = juliet.header ?? {}
  assert.deepEqual(others, {
    xmlns: NS.CLIENT,
    from: DOMAIN,
    to: `juliet@${DOMAIN}`,
    version: '1.0',
    'xml:lang': 'en'
  })
  assert.match(id ?? '', /^[\w-]{20}$/)
})

test('RFC 6120 §4.7.2: no `to` for a client that says no `from`', async t => {
  const { connect } = await rig(t, { plain: true })
  const juliet = await connect()
  await juliet.open()
  assert.equal(juliet.header?.to, undefined)
})

test('RFC 6120 §4.7.3: every stream has another identifier, after a restart too', async t => {
  const { connect, login } = await rig(t, { plain: true })
  const ids = new Set<string | undefined>()
  for (let i = 0; i < 20; i++) {
    const client = await connect()
    await client.open()
    ids.add(client.header?.id)
    client.destroy()
  }
  const juliet = await login()
  ids.add(juliet.header?.id)
  assert.equal(ids.size, 21)
})

test('RFC 6120 §4.7.5: minor versions beyond ours are fine, the answer says ours', async t => {
  const { connect } = await rig(t, { plain: true })
  const juliet = await connect()
  juliet.write(header({ version: '1.7' }))
  await juliet.next('the features')
  assert.equal(juliet.header?.version, '1.0')
})

const refused: Array<[what: string, sent: string, condition: string]> = [
  ['no `to`', header({ to: undefined }), 'host-unknown'],
  ['an empty `to`', header({ to: '' }), 'host-unknown'],
  ['an unknown host', header({ to: 'example.net' }), 'host-unknown'],
  ['a `to` that is an account', header({ to: `juliet@${DOMAIN}` }), 'host-unknown'],
  ['a `to` that is no JID', header({ to: 'a b' }), 'host-unknown'],
  ['a `from` that is no JID', header({ from: '@@' }), 'invalid-from'],
  ['no version', header({ version: undefined }), 'unsupported-version'],
  ['an old version', header({ version: '0.9' }), 'unsupported-version'],
  ['a version far ahead', header({ version: '11.0' }), 'unsupported-version'],
  ['a version that is none', header({ version: 'one' }), 'unsupported-version'],
  ['a stream of servers', header({}, NS.SERVER), 'invalid-namespace'],
  ['another content namespace', header({}, 'urn:example'), 'invalid-namespace'],
  [
    'another stream namespace',
    `<stream:stream to='localhost' version='1.0' xmlns='${NS.CLIENT}' xmlns:stream='http://wrong.namespace.example.org/'>`,
    'invalid-namespace'
  ],
  ['another element', `<stream:flow to='localhost' xmlns:stream='${NS.STREAM}'>`, 'bad-format'],
  ['no XML', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'not-well-formed'],
  ['TLS where plain text is spoken', '\x16\x03\x01\x02\x00\x01\x00\x01', 'not-well-formed'],
  ['an undeclared prefix', `<a:stream to='localhost'>`, 'not-well-formed'],
  ['a comment', '<!-- hello -->', 'restricted-xml'],
  ['a DTD', `<!DOCTYPE stream [<!ENTITY a 'b'>]>`, 'restricted-xml'],
  ['UTF-16 by its own words', `<?xml version='1.0' encoding='UTF-16'?>`, 'unsupported-encoding'],
  ['a header beyond the limit', header({ from: `${'a'.repeat(20_000)}@${DOMAIN}` }), 'policy-violation']
]

for (const [what, sent, condition] of refused) {
  test(`RFC 6120 §4.9.1.2: ${what} is ${condition}`, async t => {
    const { connect } = await rig(t, { plain: true })
    const juliet = await connect()
    juliet.write(sent)
    await endsWith(juliet, condition)
    assert.equal(juliet.header?.from, DOMAIN, 'RFC 6120 §4.9.1.3')
    assert.equal(juliet.header?.version, what === 'no version' ? undefined : '1.0')
  })
}

test('RFC 6120 §4.8.2: prefix-free headers and stanzas', async t => {
  const { connect } = await rig(t, { plain: true })
  const juliet = await connect()
  juliet.write(`<stream xmlns='${NS.STREAM}' to='${DOMAIN}' version='1.0'>`)
  const features = await juliet.next('the features')
  assert.equal(childrenOf(features, 'mechanisms', NS.SASL).length, 1)
})

test('RFC 6120 §4.8.5: another prefix than `stream` is understood', async t => {
  const { connect } = await rig(t, { plain: true })
  const juliet = await connect()
  juliet.write(`<s:stream xmlns='${NS.CLIENT}' xmlns:s='${NS.STREAM}' to='${DOMAIN}' version='1.0'>`)
  await juliet.receives(`<features xmlns='${NS.STREAM}'/>`)
})

test('a header byte by byte', async t => {
  const { connect } = await rig(t, { plain: true })
  const juliet = await connect()
  for (const byte of Buffer.from(header())) juliet.write(Buffer.from([byte]))
  await juliet.receives(`<features xmlns='${NS.STREAM}'/>`)
})

test('a server without hosts names itself with an empty `from`', async t => {
  const { connect, backend } = await rig(t, { plain: true })
  backend.hosts.clear()
  const juliet = await connect()
  juliet.write(header())
  await endsWith(juliet, 'host-unknown')
  assert.equal(juliet.header?.from, '')
})
