import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, firstChild, type Element } from '../../core/xml/element'
import { startTestServer } from '../lib/server'
import { scenario } from '../lib/wire'

/** RFC 6120 §8 and §10, clause by clause, on a client's stream. */

const X = `<x xmlns='urn:example:unknown'/>`
const JULIET = 'juliet@localhost/balcony'

/** What is sent, and the error that answers it as `type condition`; `silence` where nothing may. */
const ANSWERS: readonly [clause: string, stanza: string, answer: string][] = [
  ['§8.2.3 rule 1: no id', `<iq type='get' to='localhost'>${X}</iq>`, 'modify bad-request'],
  ['§8.2.3 rule 2: no type', `<iq id='1' to='localhost'>${X}</iq>`, 'modify bad-request'],
  ['§8.2.3 rule 2: an unknown type', `<iq id='1' type='put' to='localhost'>${X}</iq>`, 'modify bad-request'],
  ['§8.2.3 rule 4: no child', `<iq id='1' type='get' to='localhost'/>`, 'modify bad-request'],
  ['§8.2.3 rule 4: two children', `<iq id='1' type='set' to='localhost'>${X}${X}</iq>`, 'modify bad-request'],
  ['§8.2.3 rule 5: a result', `<iq id='1' type='result' to='localhost'/>`, 'silence'],
  ['§8.3.1: an error', `<iq id='1' type='error' to='localhost'>${X}</iq>`, 'silence'],
  ['§8.3.1: an error for nobody', `<message type='error' id='1' to='nobody@localhost'/>`, 'silence'],
  [
    '§8.4: a payload that the server does not know',
    `<iq id='1' type='get' to='localhost'>${X}</iq>`,
    'cancel service-unavailable'
  ],
  [
    '§10.3.3: no `to`, on behalf of the account',
    `<iq id='1' type='get'>${X}</iq>`,
    'cancel service-unavailable'
  ],
  [
    '§10.5.3.3: the own account',
    `<iq id='1' type='set' to='juliet@localhost'>${X}</iq>`,
    'cancel service-unavailable'
  ],
  [
    '§10.5.3.1: nobody’s account',
    `<iq id='1' type='get' to='nobody@localhost'>${X}</iq>`,
    'cancel service-unavailable'
  ],
  [
    '§10.5.4: nobody’s resource',
    `<iq id='1' type='get' to='nobody@localhost/x'>${X}</iq>`,
    'cancel service-unavailable'
  ],
  [
    '§10.5.2: a resource of the domain',
    `<iq id='1' type='get' to='localhost/x'>${X}</iq>`,
    'cancel service-unavailable'
  ],
  [
    '§10.5.1: a message for the domain',
    `<message id='1' to='localhost'><body>hail</body></message>`,
    'cancel service-unavailable'
  ],
  [
    '§10.5.3.1: a message for nobody',
    `<message id='1' to='nobody@localhost'><body>hail</body></message>`,
    'cancel service-unavailable'
  ],
  ['§10.5.3.1: presence for nobody', `<presence id='1' to='nobody@localhost'/>`, 'silence'],
  ['§10.5.1: presence for the domain', `<presence id='1' to='localhost'/>`, 'silence'],
  ...['iq', 'message', 'presence'].flatMap(kind => {
    const type = kind === 'iq' ? `type='get'` : ''
    return [
      [
        `§8.3.3.8: a ${kind} to what is no address`,
        `<${kind} id='1' ${type} to='@localhost'>${X}</${kind}>`,
        'modify jid-malformed'
      ],
      [
        `§10.4.2: a ${kind} to another domain`,
        `<${kind} id='1' ${type} to='juliet@far.example'>${X}</${kind}>`,
        'cancel remote-server-not-found'
      ]
    ] as [string, string, string][]
  })
]

function errorOf(stanza: Element): string {
  const error = childOf(stanza, 'error') as Element
  return `${error.attrs.type} ${firstChild(error)?.name}`
}

test('RFC 6120 §8, §10: what is answered, and what is not', async t => {
  const server = await startTestServer(t)
  await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
    for (const [clause, stanza, wanted] of ANSWERS) {
      await t.test(clause, async () => {
        await juliet.sends(stanza)
        await juliet.fence()
        const answers = juliet.unread.splice(0)
        if (wanted === 'silence') return assert.deepEqual(answers.map(String), [])
        assert.equal(answers.length, 1, answers.map(String).join('\n'))
        const [answer] = answers as [Element]
        assert.equal(errorOf(answer), wanted)
        // §8.3.1: the same kind and id, from whoever was addressed; nothing of the payload
        const [, kind, to] = /^<(\w+)(?:.*?\sto='(.*?)')?/.exec(stanza) ?? []
        assert.equal(answer.name, kind)
        assert.equal(answer.attrs.type, 'error')
        assert.equal(answer.attrs.id, stanza.includes(" id='1'") ? '1' : undefined)
        assert.equal(answer.attrs.from, to)
        assert.equal(answer.attrs.to, JULIET)
        assert.equal(childOf(answer, 'x'), undefined)
      })
    }
  })
})

test('RFC 6120 §8.1.2.1: `from` is stamped; §8.1.1.1: `to` is left as it is', async t => {
  const server = await startTestServer(t)
  const romeo = { jid: 'romeo@localhost/orchard', presence: true }
  await scenario(server, { juliet: JULIET, romeo }, async ({ juliet, romeo }) => {
    // none, the full JID, another spelling of it, the bare JID
    for (const from of ['', JULIET, 'JULIET@LocalHost/balcony', 'juliet@localhost']) {
      for (const to of ['romeo@localhost', 'ROMEO@localhost', 'romeo@LOCALHOST/orchard']) {
        const attrs = from === '' ? '' : `from='${from}'`
        await juliet.sends(`<message ${attrs} to='${to}'><body>hail</body></message>`)
        await romeo.receives(`<message from='${JULIET}' to='${to}'><body>hail</body></message>`)
      }
    }
    // §10.3.1: no `to` is the own account, here with nobody else to hear it
    await juliet.sends('<presence/>')
    await juliet.receives(`<presence from='${JULIET}'/>`)
    await juliet.sends('<message><body>note to self</body></message>')
    await juliet.receives(`<message from='${JULIET}'><body>note to self</body></message>`)
  })
})

for (const from of ['romeo@localhost', 'juliet@localhost/chamber', 'localhost', '@', '']) {
  test(`RFC 6120 §8.1.2.1, §4.9.3.9: from='${from}' ends the stream`, async t => {
    const server = await startTestServer(t)
    await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
      await juliet.sends(`<message from='${from}' to='juliet@localhost'/>`)
      await juliet.receives(
        `<stream:error xmlns:stream='http://etherx.jabber.org/streams'><invalid-from xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
      )
      await juliet.isClosed()
    })
  })
}

test('RFC 6120 §8.4, §4.8.1: what the server does not know is delivered as it came', async t => {
  const server = await startTestServer(t)
  const romeo = { jid: 'romeo@localhost/orchard', presence: true }
  await scenario(server, { juliet: JULIET, romeo }, async ({ juliet, romeo }) => {
    const content =
      `<body xml:lang='en'>a &lt; b &amp;&amp; ü 🎭</body><p:y xmlns:p='urn:example:p' p:a='1'><p:z/><q xmlns=''/></p:y>` +
      `<odd xmlns='urn:example:odd' b="it's"> <![CDATA[<raw>]]> </odd>`
    await juliet.sends(
      `<message to='romeo@localhost/orchard' type='birdcall' more='yes' id='1'>${content}</message>`
    )
    await romeo.receives(
      `<message from='${JULIET}' to='romeo@localhost/orchard' type='birdcall' more='yes' id='1'>${content}</message>`,
      { exact: true }
    )
  })
})

test('RFC 6120 §10.1: between two addresses order is kept, whatever kind the stanzas are', async t => {
  const server = await startTestServer(t)
  const romeo = { jid: 'romeo@localhost/orchard', presence: true }
  await scenario(server, { juliet: JULIET, romeo }, async ({ juliet, romeo }) => {
    const order: string[] = []
    for (let i = 0; i < 60; i++) {
      const id = `s${i}`
      order.push(id)
      const to = i % 2 === 0 ? 'romeo@localhost/orchard' : 'romeo@localhost'
      if (i % 3 === 0) juliet.send(`<message id='${id}' to='${to}' type='chat'><body>${i}</body></message>`)
      else if (i % 3 === 1) juliet.send(`<presence id='${id}' to='${to}'/>`)
      else juliet.send(`<message id='${id}' to='${to}'><body>${i}</body></message>`)
    }
    await juliet.fence()
    await romeo.fence()
    assert.deepEqual(
      romeo.unread.map(({ attrs }) => attrs.id as string),
      order
    )
  })
})
