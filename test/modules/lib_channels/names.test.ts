import assert from 'node:assert/strict'
import test from 'node:test'
import {
  isGoodLocalId,
  localId,
  nodeType,
  parseNodeName,
  parseTag,
  PERSONAL_NODES,
  tagOf
} from '../../../modules/lib_channels'

const POSTS = '/user/juliet@capulet.lit/posts'
const SERVICE = 'channels.capulet.lit'

test('protoXEP §4.4: the name of a node is taken apart, canonical', () => {
  assert.deepEqual(parseNodeName(POSTS), { name: POSTS, channel: 'juliet@capulet.lit', type: 'posts' })
  for (const type of PERSONAL_NODES) {
    assert.equal(parseNodeName(`/user/juliet@capulet.lit/${type}`)?.type, type)
  }
})

test('other writings of a name come to the canonical one', () => {
  const same = [
    '/users/juliet@capulet.lit/posts',
    '/user/Juliet@Capulet.LIT/posts',
    '/user/ｊｕｌｉｅｔ@capulet.lit/posts', // full width (RFC 7622 §3.3.1)
    '/user/juliet@capulet.lit./posts'
  ]
  for (const name of same) assert.equal(parseNodeName(name)?.name, POSTS, name)
  assert.equal(parseNodeName('/user/re\u0301mi@capulet.lit/posts')?.name, '/user/r\u00e9mi@capulet.lit/posts')
  assert.equal(parseNodeName('/user/a@xn--bcher-kva.lit/posts')?.channel, 'a@bücher.lit')
})

test('the types of the old servers are taken', () => {
  const types = ['geo/previous', 'geo/current', 'geo/next', 'geo/future'].map(
    type => parseNodeName(`/user/juliet@capulet.lit/${type}`)?.type
  )
  assert.deepEqual(types, ['geoloc-past', 'geoloc', 'geoloc-future', 'geoloc-future'])
})

test('what is no name is none', () => {
  const wrong = [
    '',
    '/',
    'posts',
    '/user',
    '/user/',
    '/user/juliet@capulet.lit',
    '/user/juliet@capulet.lit/',
    '/user//posts',
    '/user/capulet.lit/posts',
    '/user/juliet@capulet.lit/balcony/posts',
    '/user/juliet@capulet.lit/../posts',
    '/user/../posts',
    '/user/juliet@capulet.lit/..',
    '/user/juliet@capulet.lit/posts/',
    '/user/juliet@capulet.lit/Posts',
    '/user/juliet@capulet.lit/po sts',
    '/user/juliet@capulet.lit/-posts',
    '/user/@capulet.lit/posts',
    '/user/ju liet@capulet.lit/posts',
    '//user/juliet@capulet.lit/posts',
    '/User/juliet@capulet.lit/posts',
    'xmpp:/user/juliet@capulet.lit/posts',
    '/user/juliet@capulet.lit/geo/elsewhere',
    '/user/juliet@capulet.lit/constructor/',
    '/user/jul\u0000iet@capulet.lit/posts',
    '/user/juliet@capulet.lit/posts\u0000',
    `/user/${'j'.repeat(1024)}@capulet.lit/posts`,
    `/user/juliet@capulet.lit/${'p'.repeat(65)}`,
    `/user/juliet@capulet.lit/posts${' '.repeat(3072)}`
  ]
  for (const name of wrong) assert.equal(parseNodeName(name), undefined, JSON.stringify(name))
})

test('a name is as long as its JID may be', () => {
  const local = 'j'.repeat(1023)
  assert.equal(parseNodeName(`/user/${local}@capulet.lit/posts`)?.channel, `${local}@capulet.lit`)
})

test('a global id is split at its first and last comma', () => {
  const node = '/user/romeo,montague@capulet.lit/posts'
  const tag = tagOf(SERVICE, node, '0c1')
  assert.deepEqual(parseTag(tag), { service: SERVICE, node, local: '0c1' })
  assert.deepEqual(parseTag('tag:null@channels.capulet.lit,/users/juliet@capulet.lit/posts,1'), {
    service: SERVICE,
    node: POSTS,
    local: '1'
  })
  for (const wrong of [
    '0c1',
    'tag:x',
    `tag:${SERVICE},1`,
    `tag:${SERVICE},/posts,1`,
    `tag:${SERVICE},${POSTS},`
  ]) {
    assert.equal(parseTag(wrong), undefined, wrong)
  }
})

test('a request names an item by either form, and by no other node’s', () => {
  assert.equal(localId('0c1', SERVICE, POSTS), '0c1')
  assert.equal(localId(tagOf(SERVICE, POSTS, '0c1'), SERVICE, POSTS), '0c1')
  assert.equal(localId('tag:CHANNELS.capulet.lit,/users/Juliet@capulet.lit/posts,0c1', SERVICE, POSTS), '0c1')
  assert.equal(localId(tagOf('channels.evil.lit', POSTS, '0c1'), SERVICE, POSTS), undefined)
  assert.equal(localId(tagOf(SERVICE, '/user/romeo@capulet.lit/posts', '0c1'), SERVICE, POSTS), undefined)
  assert.equal(localId('a,b', SERVICE, POSTS), undefined)
})

test('a client’s own id is kept where it can be a local part', () => {
  for (const good of ['1', '0c1f-22', 'tag:mine', 'Größe', '🌹', 'x'.repeat(128), '🌹'.repeat(128)]) {
    assert.ok(isGoodLocalId(good), good)
  }
  for (const bad of ['', 'a,b', 'x'.repeat(129), '🌹'.repeat(129), 'a\u0000', 'a\n', 'o\u0308', '\ud800']) {
    assert.ok(!isGoodLocalId(bad), JSON.stringify(bad))
  }
})

test('what nodes hold, and which are the owner’s alone', () => {
  const owners = PERSONAL_NODES.filter(type => nodeType(type).publishers === 'owner')
  assert.deepEqual(owners, ['status', 'geoloc', 'geoloc-past', 'geoloc-future', 'public-key', 'mood'])
  const single = PERSONAL_NODES.filter(type => nodeType(type).single)
  assert.deepEqual(single, ['status', 'geoloc', 'mood'])
  assert.equal(nodeType('constructor').root, 'entry')
})
