import test from 'node:test'
import assert from 'node:assert/strict'
import { errorReply, parseElement, serialize, StanzaError, type Element } from '#core'
import { PubsubError, type ErrorName } from '../../../modules/lib_pubsub'
import {
  asAnswer,
  notificationMessages,
  parseDecision,
  parseRequest,
  authorizationForm,
  metadataForm,
  read,
  write
} from '../../../modules/lib_pubsub/xml'
import { actor, BARD, Bench, BERNARDO, FRANCISCO, HAMLET, NODE } from './harness'

const OWNER = 'http://jabber.org/protocol/pubsub#owner'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const RSM = 'http://jabber.org/protocol/rsm'
const ATOM = 'http://www.w3.org/2005/Atom'
const NODE_CONFIG = 'http://jabber.org/protocol/pubsub#node_config'

const request = (inner: string, ns = PUBSUB): Element =>
  parseElement(`<pubsub xmlns='${ns}'>${inner}</pubsub>`)

function form(fields: Record<string, string>, formType = NODE_CONFIG): string {
  const all = Object.entries({ FORM_TYPE: formType, ...fields })
  const inner = all.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join('')
  return `<x xmlns='jabber:x:data' type='submit'>${inner}</x>`
}

/** Sends a request through the whole library, and gives the answer's XML; notifications are put to `sent`. */
async function ask(
  bench: Bench,
  jid: string,
  type: 'get' | 'set',
  xml: Element,
  sent: string[] = []
): Promise<string> {
  const iq = parseElement(`<iq type='${type}' id='1' from='${jid}' to='pubsub.shakespeare.lit'/>`)
  try {
    const operation = parseRequest(bench.service.definition, type, xml)
    if (!operation.write) return serialize(await read(bench.service, bench.store, actor(jid), operation))
    const { result, notifications } = await write(bench.service, bench.store, actor(jid), operation)
    let id = 0
    for (const notification of notifications) {
      for (const message of notificationMessages(notification, 'pubsub.shakespeare.lit', () => `n${++id}`)) {
        sent.push(serialize(message))
      }
    }
    if (result.error) throw result.error
    return result.payload ? serialize(result.payload) : ''
  } catch (error) {
    const answer = asAnswer(error)
    assert.ok(answer instanceof StanzaError, String(error))
    const reply = errorReply(iq, answer)
    return serialize(reply ?? iq).replace(/^<iq [^>]*>|<\/iq>$/g, '')
  }
}

const parsed: [string, 'get' | 'set', Element, unknown][] = [
  [
    'ex. 28',
    'set',
    request(`<subscribe node='n' jid='A@B/c'/>`),
    { name: 'subscribe', request: { node: 'n', jid: 'a@b/c' } }
  ],
  [
    'ex. 47',
    'set',
    request(`<unsubscribe node='n' jid='a@b' subid='x'/>`),
    { name: 'unsubscribe', request: { node: 'n', jid: 'a@b' } }
  ],
  ['ex. 16', 'get', request(`<subscriptions/>`), { name: 'subscriptionsOf', request: {} }],
  [
    'ex. 19',
    'get',
    request(`<subscriptions node='n'/>`),
    { name: 'subscriptionsOf', request: { node: 'n' } }
  ],
  ['ex. 22', 'get', request(`<affiliations/>`), { name: 'affiliationsOf', request: {} }],
  ['ex. 74', 'get', request(`<items node='n'/>`), { name: 'items', request: { node: 'n' } }],
  [
    'ex. 78',
    'get',
    request(`<items node='n'><item id='a'/><item id='b'/></items>`),
    { name: 'items', request: { node: 'n', ids: ['a', 'b'] } }
  ],
  [
    'ex. 80',
    'get',
    request(`<items node='n' max_items='2'/>`),
    { name: 'items', request: { node: 'n', maxItems: 2 } }
  ],
  [
    'XEP-0059 ex. 5',
    'get',
    request(`<items node='n'/><set xmlns='${RSM}'><max>10</max><after>x</after></set>`),
    { name: 'items', request: { node: 'n', page: { max: 10, after: 'x' } } }
  ],
  [
    'XEP-0059 ex. 11',
    'get',
    request(`<items node='n'/><set xmlns='${RSM}'><max>10</max><before/></set>`),
    { name: 'items', request: { node: 'n', page: { max: 10, before: '' } } }
  ],
  [
    'XEP-0059 ex. 12',
    'get',
    request(`<set xmlns='${RSM}'><max>10</max><index>371</index></set><items node='n'/>`),
    { name: 'items', request: { node: 'n', page: { max: 10, index: 371 } } }
  ],
  [
    'ex. 96',
    'set',
    request(
      `<publish node='n'><item id='a'>\n<entry xmlns='${ATOM}'><title>t</title></entry>\n</item></publish>`
    ),
    {
      name: 'publish',
      request: {
        node: 'n',
        item: {
          id: 'a',
          payload: { xml: `<entry xmlns="${ATOM}"><title>t</title></entry>`, name: 'entry', ns: ATOM }
        }
      }
    }
  ],
  [
    'a payload in the namespace of its item',
    'set',
    request(`<publish node='n'><item><x/></item></publish>`),
    {
      name: 'publish',
      request: { node: 'n', item: { payload: { xml: `<x xmlns="${PUBSUB}"/>`, name: 'x', ns: PUBSUB } } }
    }
  ],
  ['§4.3', 'set', request(`<publish node='n'/>`), { name: 'publish', request: { node: 'n' } }],
  [
    '§12.21',
    'set',
    request(`<publish node='n'><item id='current'/></publish>`),
    { name: 'publish', request: { node: 'n', item: { id: 'current' } } }
  ],
  [
    'ex. 114',
    'set',
    request(
      `<publish node='n'/><publish-options>${form({ 'pubsub#access_model': 'open', 'pubsub#max_items': '3' }, `${PUBSUB}#publish-options`)}</publish-options>`
    ),
    { name: 'publish', request: { node: 'n', options: { access_model: 'open', max_items: 3 } } }
  ],
  [
    'ex. 115',
    'set',
    request(`<retract node='n'><item id='a'/></retract>`),
    { name: 'retract', request: { node: 'n', ids: ['a'], notify: false } }
  ],
  [
    '§7.2.2.1',
    'set',
    request(`<retract node='n' notify='true'><item id='a'/></retract>`),
    { name: 'retract', request: { node: 'n', ids: ['a'], notify: true } }
  ],
  ['ex. 131', 'set', request(`<create/>`), { name: 'create', request: {} }],
  ['ex. 133', 'set', request(`<create node='n'/><configure/>`), { name: 'create', request: { node: 'n' } }],
  [
    'ex. 137',
    'set',
    request(
      `<create node='n'/><configure>${form({ 'pubsub#title': 'T', 'pubsub#max_items': 'max', 'pubsub#persist_items': '0', 'pubsub#item_expire': '604800', 'pubsub#max_payload_size': '1028' })}</configure>`
    ),
    {
      name: 'create',
      request: {
        node: 'n',
        config: { title: 'T', max_items: 'max', persist_items: false, max_payload_size: 1028 }
      }
    }
  ],
  [
    'ex. 139',
    'get',
    request(`<configure node='n'/>`, OWNER),
    { name: 'configuration', request: { node: 'n' } }
  ],
  [
    'ex. 146',
    'set',
    request(`<configure node='n'>${form({ 'pubsub#access_model': 'whitelist' })}</configure>`, OWNER),
    { name: 'configure', request: { node: 'n', config: { access_model: 'whitelist' } } }
  ],
  [
    'ex. 147',
    'set',
    request(`<configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>`, OWNER),
    { name: 'configure', request: { node: 'n', config: {} } }
  ],
  ['ex. 152', 'get', request(`<default/>`, OWNER), { name: 'defaultConfiguration', request: {} }],
  ['ex. 157', 'set', request(`<delete node='n'/>`, OWNER), { name: 'delete', request: { node: 'n' } }],
  [
    'ex. 158',
    'set',
    request(`<delete node='n'><redirect uri='xmpp:x'/></delete>`, OWNER),
    { name: 'delete', request: { node: 'n', redirect: 'xmpp:x' } }
  ],
  ['ex. 163', 'set', request(`<purge node='n'/>`, OWNER), { name: 'purge', request: { node: 'n' } }],
  [
    'ex. 184',
    'get',
    request(`<subscriptions node='n'/>`, OWNER),
    { name: 'subscriptionsTo', request: { node: 'n' } }
  ],
  [
    'ex. 194',
    'set',
    request(
      `<subscriptions node='n'><subscription jid='a@b' subscription='none'/><subscription jid='c@d'/></subscriptions>`,
      OWNER
    ),
    {
      name: 'changeSubscriptions',
      request: { node: 'n', changes: [{ jid: 'a@b', state: 'none' }, { jid: 'c@d' }] }
    }
  ],
  [
    'ex. 197',
    'get',
    request(`<affiliations node='n'/>`, OWNER),
    { name: 'affiliations', request: { node: 'n' } }
  ],
  [
    'ex. 208',
    'set',
    request(`<affiliations node='n'><affiliation jid='a@b' affiliation='none'/></affiliations>`, OWNER),
    { name: 'changeAffiliations', request: { node: 'n', changes: [{ jid: 'a@b', affiliation: 'none' }] } }
  ]
]

for (const [clause, type, xml, expected] of parsed) {
  test(`request of ${clause}: ${xml.children.map(child => (typeof child === 'string' ? '' : child.name)).join(' ')}`, () => {
    const { write: changes, ...operation } = parseRequest(new Bench().service.definition, type, xml)
    assert.equal(changes, type === 'set')
    assert.deepEqual(operation, expected)
  })
}

const refused: [string, 'get' | 'set', Element, ErrorName, string?][] = [
  ['nothing', 'get', request(''), 'badRequest'],
  ['an unknown request', 'get', request('<constructor/>'), 'badRequest'],
  ['two requests', 'set', request(`<create node='a'/><create node='b'/>`), 'badRequest'],
  [
    'two requests of different kinds',
    'set',
    request(`<create node='a'/><subscribe node='a' jid='a@b'/>`),
    'badRequest'
  ],
  ['three', 'set', request(`<create/><configure/><configure/>`), 'badRequest'],
  ['§8.1.3 configure before create', 'set', request(`<configure/><create node='a'/>`), 'badRequest'],
  ['§8.1.3 configure with node', 'set', request(`<create node='a'/><configure node='a'/>`), 'badRequest'],
  ['a stranger', 'set', request(`<create/><actor xmlns='urn:x'>a@b</actor>`), 'badRequest'],
  ['pages where there are none', 'set', request(`<create/><set xmlns='${RSM}'/>`), 'badRequest'],
  ['pages of a change', 'set', request(`<affiliations node='n'/><set xmlns='${RSM}'/>`, OWNER), 'badRequest'],
  ['a get that is a set', 'get', request(`<create node='a'/>`), 'badRequest'],
  ['a set that is a get', 'set', request(`<items node='a'/>`), 'badRequest'],
  ["an owner's request in the other namespace", 'set', request(`<delete node='a'/>`), 'badRequest'],
  [
    'an entity request in the other namespace',
    'set',
    request(`<subscribe node='a' jid='a@b'/>`, OWNER),
    'badRequest'
  ],
  ['§6.1.3.1 no jid', 'set', request(`<subscribe node='a'/>`), 'invalidJid'],
  ['§6.1.3.1 no JID', 'set', request(`<subscribe node='a' jid='a@'/>`), 'invalidJid'],
  [
    '§6.3.4.6 options',
    'get',
    request(`<options node='a' jid='a@b'/>`),
    'unsupported',
    'subscription-options'
  ],
  [
    '§6.3.7 subscribe and configure',
    'set',
    request(`<subscribe node='a' jid='a@b'/><options/>`),
    'unsupported',
    'subscription-options'
  ],
  ['§6.4.3.2 default options', 'get', request(`<default/>`), 'unsupported', 'retrieve-default-sub'],
  ['§7.1.1 two items', 'set', request(`<publish node='n'><item/><item/></publish>`), 'maxItemsExceeded'],
  [
    '§7.1.3.6 two payloads',
    'set',
    request(`<publish node='n'><item><a xmlns='x'/><b xmlns='x'/></item></publish>`),
    'invalidPayload'
  ],
  ['§7.1.3.6 text', 'set', request(`<publish node='n'><item>text</item></publish>`), 'invalidPayload'],
  ['no item but something else', 'set', request(`<publish node='n'><entry/></publish>`), 'badRequest'],
  [
    'an item of another namespace',
    'set',
    request(`<publish node='n'><item xmlns='x'/></publish>`),
    'badRequest'
  ],
  ['§7.1.5 options without form', 'set', request(`<publish node='n'/><publish-options/>`), 'badRequest'],
  [
    '§7.1.5 options of another form',
    'set',
    request(`<publish node='n'/><publish-options>${form({})}</publish-options>`),
    'badRequest'
  ],
  [
    '§7.1.5 unknown option',
    'set',
    request(
      `<publish node='n'/><publish-options>${form({ 'pubsub#x': '1' }, `${PUBSUB}#publish-options`)}</publish-options>`
    ),
    'preconditionNotMet'
  ],
  [
    '§7.1.5 an access model that is not offered',
    'set',
    request(
      `<publish node='n'/><publish-options>${form({ 'pubsub#access_model': 'presence' }, `${PUBSUB}#publish-options`)}</publish-options>`
    ),
    'preconditionNotMet'
  ],
  ['§7.2.3.4 no item', 'set', request(`<retract node='n'/>`), 'itemRequired'],
  ['§7.2.3.4 no id', 'set', request(`<retract node='n'><item/></retract>`), 'itemRequired'],
  [
    'a strange notify',
    'set',
    request(`<retract node='n' notify='yes'><item id='a'/></retract>`),
    'badRequest'
  ],
  ['max_items of words', 'get', request(`<items node='n' max_items='all'/>`), 'badRequest'],
  ['negative max_items', 'get', request(`<items node='n' max_items='-1'/>`), 'badRequest'],
  ['an item asked for without id', 'get', request(`<items node='n'><item/></items>`), 'badRequest'],
  [
    'a nonsense max',
    'get',
    request(`<items node='n'/><set xmlns='${RSM}'><max>1e3</max></set>`),
    'badRequest'
  ],
  [
    'max twice',
    'get',
    request(`<items node='n'/><set xmlns='${RSM}'><max>1</max><max>1</max></set>`),
    'badRequest'
  ],
  [
    'no part of a set',
    'get',
    request(`<items node='n'/><set xmlns='${RSM}'><first>1</first></set>`),
    'badRequest'
  ],
  ['two sets', 'get', request(`<items node='n'/><set xmlns='${RSM}'/><set xmlns='${RSM}'/>`), 'badRequest'],
  [
    '§8.1.2 access model',
    'set',
    request(`<create node='n'/><configure>${form({ 'pubsub#access_model': 'roster' })}</configure>`),
    'unsupportedAccessModel'
  ],
  [
    '§8.2.5.2 no number',
    'set',
    request(`<configure node='n'>${form({ 'pubsub#max_items': 'many' })}</configure>`, OWNER),
    'invalidConfiguration'
  ],
  [
    '§8.2.5.2 beyond the maximum',
    'set',
    request(`<configure node='n'>${form({ 'pubsub#max_items': '10001' })}</configure>`, OWNER),
    'invalidConfiguration'
  ],
  [
    '§8.2.5.2 nothing',
    'set',
    request(`<configure node='n'>${form({ 'pubsub#max_items': '0' })}</configure>`, OWNER),
    'invalidConfiguration'
  ],
  [
    '§8.2.5.2 payload size',
    'set',
    request(`<configure node='n'>${form({ 'pubsub#max_payload_size': '9999999' })}</configure>`, OWNER),
    'invalidConfiguration'
  ],
  [
    '§8.2.5.2 no value',
    'set',
    request(`<configure node='n'>${form({ 'pubsub#publish_model': '' })}</configure>`, OWNER),
    'invalidConfiguration'
  ],
  [
    '§8.2.5.2 no boolean',
    'set',
    request(`<configure node='n'>${form({ 'pubsub#persist_items': 'yes' })}</configure>`, OWNER),
    'invalidConfiguration'
  ],
  [
    '§8.2.5.2 another form',
    'set',
    request(`<configure node='n'>${form({}, 'urn:x')}</configure>`, OWNER),
    'invalidConfiguration'
  ],
  [
    '§8.1.2 a collection',
    'set',
    request(`<create node='n'/><configure>${form({ 'pubsub#node_type': 'collection' })}</configure>`),
    'unsupported',
    'collections'
  ],
  ['§8.2.4 no form', 'set', request(`<configure node='n'/>`, OWNER), 'badRequest'],
  ['§8.3.2 collections', 'get', request(`<default type='collection'/>`, OWNER), 'unsupported', 'collections'],
  ['§8.4.1 no uri', 'set', request(`<delete node='n'><redirect/></delete>`, OWNER), 'badRequest'],
  [
    '§8.8.2 no such state',
    'set',
    request(`<subscriptions node='n'><subscription jid='a@b' subscription='x'/></subscriptions>`, OWNER),
    'badRequest'
  ],
  [
    '§8.8.2 no jid',
    'set',
    request(`<subscriptions node='n'><subscription subscription='none'/></subscriptions>`, OWNER),
    'invalidJid'
  ],
  [
    '§8.9.2 no such affiliation',
    'set',
    request(`<affiliations node='n'><affiliation jid='a@b' affiliation='king'/></affiliations>`, OWNER),
    'badRequest'
  ],
  [
    '§8.9.2 something else',
    'set',
    request(`<affiliations node='n'><subscription jid='a@b'/></affiliations>`, OWNER),
    'badRequest'
  ],
  ...['subscribe', 'unsubscribe', 'publish', 'retract'].map((name): [string, 'set', Element, ErrorName] => [
    `${name} without node`,
    'set',
    request(`<${name} jid='a@b'/>`),
    'nodeIdRequired'
  ]),
  ['items without node', 'get', request('<items/>'), 'nodeIdRequired'],
  ...['configure', 'delete', 'purge', 'subscriptions', 'affiliations'].map(
    (name): [string, 'set', Element, ErrorName] => [
      `${name} without node`,
      'set',
      request(`<${name} node=''/>`, OWNER),
      'nodeIdRequired'
    ]
  ),
  ...['configure', 'subscriptions', 'affiliations'].map((name): [string, 'get', Element, ErrorName] => [
    `${name} without node`,
    'get',
    request(`<${name}/>`, OWNER),
    'nodeIdRequired'
  ])
]

for (const [name, type, xml, error, feature] of refused) {
  test(`refused when it is read: ${name} (${type}): ${error}`, () => {
    assert.throws(
      () => parseRequest(new Bench().service.definition, type, xml),
      (thrown: unknown) => {
        assert.ok(thrown instanceof PubsubError, String(thrown))
        assert.equal(thrown.error, error)
        if (feature) assert.equal(thrown.feature, feature)
        return true
      }
    )
  })
}

test('extensions that the caller reads itself are handed over', () => {
  const xml = request(`<items node='n'/><actor xmlns='http://buddycloud.org/v1'>a@b</actor>`)
  const options = { extensions: ['http://buddycloud.org/v1'] }
  const operation = parseRequest(new Bench().service.definition, 'get', xml, options)
  assert.deepEqual(
    operation.extensions?.map(one => one.name),
    ['actor']
  )
})

test('a conversation: create, subscribe, publish, retrieve, retract, delete', async () => {
  const bench = new Bench()
  const sent: string[] = []
  const set = (jid: string, inner: string, ns = PUBSUB) => ask(bench, jid, 'set', request(inner, ns), sent)
  const get = (jid: string, inner: string, ns = PUBSUB) => ask(bench, jid, 'get', request(inner, ns), sent)

  assert.equal(
    await set(`${HAMLET}/elsinore`, `<create/>`),
    `<pubsub xmlns="${PUBSUB}"><create node="id-1"/></pubsub>`
  )
  assert.equal(await set(`${HAMLET}/elsinore`, `<create node='${NODE}'/>`), '')
  assert.equal(
    await set(`${FRANCISCO}/barracks`, `<subscribe node='${NODE}' jid='${FRANCISCO}'/>`),
    `<pubsub xmlns="${PUBSUB}"><subscription node="${NODE}" jid="${FRANCISCO}" subscription="subscribed"/></pubsub>`
  )
  assert.equal(
    await set(
      HAMLET,
      `<publish node='${NODE}'><item id='a'><entry xmlns='${ATOM}'>To be &lt;</entry></item></publish>`
    ),
    `<pubsub xmlns="${PUBSUB}"><publish node="${NODE}"><item id="a"/></publish></pubsub>`
  )
  assert.deepEqual(sent.splice(0), [
    `<message from="pubsub.shakespeare.lit" to="${FRANCISCO}" type="headline" id="n1"><event xmlns="${PUBSUB}#event"><items node="${NODE}"><item id="a"><entry xmlns="${ATOM}">To be &lt;</entry></item></items></event></message>`
  ])
  assert.equal(
    await get(FRANCISCO, `<items node='${NODE}'/>`),
    `<pubsub xmlns="${PUBSUB}"><items node="${NODE}"><item id="a"><entry xmlns="${ATOM}">To be &lt;</entry></item></items></pubsub>`
  )
  assert.equal(
    await get(FRANCISCO, `<items node='${NODE}'/><set xmlns='${RSM}'><max>1</max></set>`),
    `<pubsub xmlns="${PUBSUB}"><items node="${NODE}"><item id="a"><entry xmlns="${ATOM}">To be &lt;</entry></item></items><set xmlns="${RSM}"><first index="0">a</first><last>a</last><count>1</count></set></pubsub>`
  )
  assert.equal(
    await get(FRANCISCO, `<items node='${NODE}'><item id='z'/></items>`),
    `<pubsub xmlns="${PUBSUB}"><items node="${NODE}"/></pubsub>`
  )
  assert.equal(
    await get(`${FRANCISCO}/x`, `<subscriptions/>`),
    `<pubsub xmlns="${PUBSUB}"><subscriptions><subscription node="${NODE}" jid="${FRANCISCO}" subscription="subscribed"/></subscriptions></pubsub>`
  )
  assert.equal(await get(FRANCISCO, `<affiliations/>`), `<pubsub xmlns="${PUBSUB}"><affiliations/></pubsub>`)
  assert.equal(
    await get(HAMLET, `<affiliations node='${NODE}'/>`, OWNER),
    `<pubsub xmlns="${OWNER}"><affiliations node="${NODE}"><affiliation jid="${HAMLET}" affiliation="owner"/></affiliations></pubsub>`
  )
  assert.equal(
    await get(HAMLET, `<subscriptions node='${NODE}'/>`, OWNER),
    `<pubsub xmlns="${OWNER}"><subscriptions node="${NODE}"><subscription jid="${FRANCISCO}" subscription="subscribed"/></subscriptions></pubsub>`
  )
  assert.equal(await set(HAMLET, `<retract node='${NODE}' notify='1'><item id='a'/></retract>`), '')
  assert.match(sent.splice(0).join(), /<items node="princely_musings"><retract id="a"\/><\/items>/)
  assert.equal(await set(HAMLET, `<purge node='${NODE}'/>`, OWNER), '')
  assert.match(sent.splice(0).join(), /<purge node="princely_musings"\/>/)
  assert.equal(
    await set(FRANCISCO, `<delete node='${NODE}'/>`, OWNER),
    `<error type="auth"><forbidden xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`
  )
  assert.equal(await set(HAMLET, `<delete node='${NODE}'><redirect uri='xmpp:x'/></delete>`, OWNER), '')
  assert.match(sent.splice(0).join(), /<delete node="princely_musings"><redirect uri="xmpp:x"\/><\/delete>/)
  assert.equal(
    await get(HAMLET, `<items node='${NODE}'/>`),
    `<error type="modify"><gone xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">xmpp:x</gone></error>`
  )
})

test('§8.9.2.4 example 209: the last owner stays, the others are changed', async () => {
  const bench = await new Bench().node({}, { 'polonius@denmark.lit': 'member' })
  const change = `<affiliations node='${NODE}'><affiliation jid='${HAMLET}' affiliation='none'/><affiliation jid='polonius@denmark.lit' affiliation='none'/><affiliation jid='${BARD}' affiliation='publisher'/></affiliations>`
  const sent: string[] = []
  assert.equal(
    await ask(bench, HAMLET, 'set', request(change, OWNER), sent),
    `<pubsub xmlns="${OWNER}"><affiliations node="${NODE}"><affiliation jid="${HAMLET}" affiliation="owner"/></affiliations></pubsub>` +
      `<error type="modify"><not-acceptable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`
  )
  assert.equal(await bench.standing('polonius@denmark.lit'), 'none')
  assert.equal(await bench.standing(BARD), 'publisher')
  assert.match(
    sent[1] ?? '',
    /<event xmlns="[^"]*#event"><affiliations node="princely_musings"><affiliation jid="bard@shakespeare.lit" affiliation="publisher"\/>/
  )
})

test('§8.8.2.4 example 195: entries that could not be changed are returned', async () => {
  const bench = await new Bench().node({}, { [BERNARDO]: 'outcast' })
  const change = `<subscriptions node='${NODE}'><subscription jid='${BERNARDO}' subscription='subscribed'/><subscription jid='${BARD}' subscription='subscribed'/></subscriptions>`
  assert.match(
    await ask(bench, HAMLET, 'set', request(change, OWNER)),
    /^<pubsub [^>]*#owner"><subscriptions node="princely_musings"><subscription jid="bernardo@denmark.lit" subscription="none"\/><\/subscriptions><\/pubsub><error type="modify"><not-acceptable/
  )
  assert.equal(await bench.standing(BARD), 'none subscribed')
})

test('application conditions are in the namespace of §17.2, with their feature', async () => {
  const bench = await new Bench().node({ access_model: 'whitelist', persist_items: false })
  assert.equal(
    await ask(bench, FRANCISCO, 'get', request(`<items node='${NODE}'/>`)),
    `<error type="cancel"><not-allowed xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><closed-node xmlns="${PUBSUB}#errors"/></error>`
  )
  assert.equal(
    await ask(bench, HAMLET, 'get', request(`<items node='${NODE}'/>`)),
    `<error type="cancel"><feature-not-implemented xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><unsupported xmlns="${PUBSUB}#errors" feature="persistent-items"/></error>`
  )
})

test('§6.5.4 a truncated list says so, and is continued backwards', async () => {
  const bench = await new Bench({ limits: { page: 2 } }).node()
  for (const id of ['a', 'b', 'c']) await bench.publish(HAMLET, id)
  const set = (index: number, first: string, last: string) =>
    `<set xmlns="${RSM}"><first index="${index}">${first}</first><last>${last}</last><count>3</count></set>`
  const all = await ask(bench, HAMLET, 'get', request(`<items node='${NODE}'/>`))
  assert.ok(all.includes(set(1, 'b', 'c')), all)
  const older = request(`<items node='${NODE}'/><set xmlns='${RSM}'><before>b</before></set>`)
  const page = await ask(bench, HAMLET, 'get', older)
  assert.ok(page.includes(set(0, 'a', 'a')), page)
  const two = await ask(bench, HAMLET, 'get', request(`<items node='${NODE}' max_items='2'/>`))
  assert.ok(!two.includes('<set'), two)
})

test('§8.2.2 the configuration form, §8.2.4 its submission, §8.2.5.3 the notification', async () => {
  const bench = await new Bench().node({ notify_config: true })
  await bench.subscribe(FRANCISCO)
  const shown = await ask(bench, HAMLET, 'get', request(`<configure node='${NODE}'/>`, OWNER))
  assert.match(
    shown,
    /^<pubsub [^>]*#owner"><configure node="princely_musings"><x xmlns="jabber:x:data" type="form">/
  )
  assert.match(
    shown,
    /var="pubsub#access_model" type="list-single"[^>]*><required\/><value>open<\/value><option/
  )
  assert.match(
    shown,
    /var="pubsub#max_items"[^>]*><required\/><validate [^>]*datatype="pubsub:integer-or-max"><basic\/><\/validate><value>max<\/value>/
  )
  assert.match(
    await ask(bench, HAMLET, 'get', request(`<default/>`, OWNER)),
    /^<pubsub [^>]*><default><x [^>]*type="form">/
  )
  const sent: string[] = []
  const change = request(
    `<configure node='${NODE}'>${form({ 'pubsub#title': 'Musings', 'pubsub#max_items': '7' })}</configure>`,
    OWNER
  )
  assert.equal(await ask(bench, HAMLET, 'set', change, sent), '')
  assert.equal(sent.length, 1)
  assert.match(
    sent[0] ?? '',
    /<configuration node="princely_musings"><x xmlns="jabber:x:data" type="result">/
  )
  assert.match(sent[0] ?? '', /var="pubsub#title"[^>]*><value>Musings<\/value>/)
  assert.match(sent[0] ?? '', /var="pubsub#max_items"[^>]*><value>7<\/value>/)
  assert.equal(bench.store.node(NODE)?.config.max_items, 7)
})

test('§8.6 a request for approval and its answers', async () => {
  const bench = await new Bench().node({ access_model: 'authorize' })
  const sent: string[] = []
  const reply = await ask(
    bench,
    FRANCISCO,
    'set',
    request(`<subscribe node='${NODE}' jid='${FRANCISCO}'/>`),
    sent
  )
  assert.match(reply, /subscription="pending"/)
  assert.match(
    sent[0] ?? '',
    /^<message from="pubsub.shakespeare.lit" to="hamlet@denmark.lit" type="normal" id="n1"><x xmlns="jabber:x:data" type="form">/
  )
  assert.match(sent[0] ?? '', /var="pubsub#allow" type="boolean"[^>]*><required\/><value>0<\/value>/)

  const type = `${PUBSUB}#subscribe_authorization`
  const fields = { 'pubsub#node': NODE, 'pubsub#subscriber_jid': FRANCISCO }
  const answer = (allow: string) =>
    parseDecision(parseElement(form({ ...fields, 'pubsub#allow': allow }, type)))
  assert.deepEqual(answer('true'), { node: NODE, jid: FRANCISCO, allow: true })
  assert.deepEqual(answer('0'), { node: NODE, jid: FRANCISCO, allow: false })
  const cancelled = authorizationForm(NODE, FRANCISCO)
  cancelled.attrs.type = 'cancel'
  assert.equal(parseDecision(cancelled), undefined)
  assert.throws(() => parseDecision(parseElement(form(fields, type))), { error: 'badRequest' })
})

test('§6.1.7 the last item comes with the time of its publication', async () => {
  const now = Date.UTC(2003, 11, 13, 23, 58, 37)
  const bench = await new Bench({ now: () => now }).node({ send_last_published_item: 'on_sub' })
  await bench.publish(HAMLET, 'a')
  await bench.publish(HAMLET, 'b')
  const sent: string[] = []
  await ask(bench, FRANCISCO, 'set', request(`<subscribe node='${NODE}' jid='${FRANCISCO}/x'/>`), sent)
  assert.equal(sent.length, 1)
  assert.match(
    sent[0] ?? '',
    /to="francisco@denmark.lit\/x".*<item id="b">.*<delay xmlns="urn:xmpp:delay" stamp="2003-12-13T23:58:37.000Z"\/><\/message>$/
  )
})

test('§4.3 a transient notification: items without item', async () => {
  const bench = await new Bench().node({ persist_items: false, deliver_payloads: false })
  await bench.subscribe(FRANCISCO)
  const sent: string[] = []
  assert.equal(
    await ask(bench, HAMLET, 'set', request(`<publish node='${NODE}'/>`), sent),
    `<pubsub xmlns="${PUBSUB}"><publish node="${NODE}"/></pubsub>`
  )
  assert.match(sent[0] ?? '', /<items node="princely_musings"\/>/)
})

test('§5.4 the meta-data form', async () => {
  const bench = await new Bench().node({ title: 'Musings', type: ATOM })
  await bench.subscribe(FRANCISCO)
  const data = await bench.service.metadata(bench.store, actor(FRANCISCO), { node: NODE })
  const xml = serialize(metadataForm(bench.service.definition.fields, data))
  assert.match(
    xml,
    /^<x xmlns="jabber:x:data" type="result"><field var="FORM_TYPE" type="hidden"><value>[^<]*#meta-data</
  )
  for (const [name, value] of [
    ['title', 'Musings'],
    ['type', ATOM],
    ['creator', HAMLET],
    ['owner', HAMLET],
    ['num_subscribers', '1'],
    ['access_model', 'open'],
    ['creation_date', '1970-01-01T00:00:01.001Z']
  ]) {
    assert.match(xml, new RegExp(`var="pubsub#${name}"[^>]*><value>${value}</value>`))
  }
  assert.doesNotMatch(xml, /notify_retract/)
})
