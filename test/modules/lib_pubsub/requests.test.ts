import test from 'node:test'
import assert from 'node:assert/strict'
import type { Element } from '#core'
import { PubsubError, type ErrorName } from '../../../modules/lib_pubsub'
import { parseRequest } from '../../../modules/lib_pubsub/xml'
import { Bench } from './harness'
import { ATOM, form, OWNER, PUBSUB, request, RSM } from './requests'

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
        config: {
          title: 'T',
          max_items: 'max',
          persist_items: false,
          item_expire: 604800,
          max_payload_size: 1028
        }
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
