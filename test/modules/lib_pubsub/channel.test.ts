import test from 'node:test'
import assert from 'node:assert/strict'
import {
  AUTHORIZE,
  bareOf,
  OPEN,
  PubsubError,
  STANDARD_ACCESS,
  standardFields,
  type DefinitionOptions,
  type Node,
  type Role,
  type RoleTable
} from '../../../modules/lib_pubsub'
import { actor, Bench, entry, HAMLET, NODE, told } from './harness'

/*
 * A service as unlike XEP-0060's own as channels are: other roles, other access models, completed payloads, other
 * ids. It shows that nothing of that needs a change of the engine.
 */

const MODERATOR = 'mod@denmark.lit'
const POSTER = 'poster@denmark.lit'
const FOLLOWER = 'follower@denmark.lit'
const STRANGER = 'stranger@elsewhere.lit'

const ANYONE_KNOWS = ['owner', 'moderator', 'publisher', 'member']
const nobody: Role = {
  subscribe: 'access',
  read: 'access',
  publish: 'never',
  retract: 'none',
  purge: false,
  remove: false,
  configure: [],
  manageSubscriptions: false,
  listAffiliations: ANYONE_KNOWS
}
const follower: Role = { ...nobody, subscribe: 'always' }
const below = ['publisher', 'member', 'none', 'outcast']
const among = (names: string[]) =>
  Object.fromEntries(names.map(from => [from, names.filter(to => to !== from)]))
const moderator: Role = {
  ...follower,
  read: 'always',
  publish: 'always',
  retract: 'any',
  configure: ['title', 'description'],
  manageSubscriptions: true,
  listAffiliations: 'all',
  transitions: { others: among(below) }
}
const roles: RoleTable = {
  owner: 'owner',
  roles: {
    owner: {
      ...moderator,
      purge: true,
      remove: true,
      configure: 'all',
      transitions: { others: among(['owner', 'moderator', ...below]) }
    },
    moderator,
    publisher: { ...follower, publish: 'always', retract: 'own' },
    member: follower,
    none: nobody,
    outcast: { ...nobody, subscribe: 'never', read: 'never' }
  }
}

interface Columns {
  parent?: string
}

const access = {
  ...STANDARD_ACCESS,
  local: {
    label: 'Open to this domain, others ask',
    rule: ({ bare }: { bare: string }) => (bare.endsWith('@denmark.lit') ? OPEN : AUTHORIZE)
  }
}

const channels: DefinitionOptions<Node, Columns> = {
  roles,
  access,
  fields: [
    ...standardFields({ access, maxItems: 100, maxPayload: 65536 }),
    { key: 'x-color', form: { var: 'x-color', label: 'Colour' }, initial: 'black' },
    { key: 'x-type', form: { var: 'x-type', label: 'Type' }, initial: 'topic', fixed: true }
  ],
  subscribeCreator: true,
  instantNodes: false,
  hooks: {
    nodeName: name => name.replace('/users/', '/user/'),
    mayCreate: ({ bare }, name) => {
      if (name.startsWith('/user/') && !name.startsWith(`/user/${bare}/`)) throw new PubsubError('forbidden')
    },
    newConfig: config => ({ ...config, 'x-type': 'personal' }),
    changedConfig: config => ({ ...config, description: config.description.slice(0, 10) }),
    mayPublish: ({ bare }, node) => (node.name.endsWith('/status') ? node.creator === bare : undefined),
    itemId: (given, node) => `tag:x,${node.name},${given ?? 'made'}`,
    namedItem: (id, node) => (id.startsWith('tag:') ? id : `tag:x,${node.name},${id}`),
    complete: async (draft, previous, { store, node, actor }) => {
      if (previous && previous.publisher !== actor.bare) throw new PubsubError('forbidden')
      const parent = /in-reply-to (\w+)/.exec(draft.payload ?? '')?.[1]
      if (parent === undefined) return draft
      const id = `tag:x,${node.name},${parent}`
      if (!(await store.item(node, id))) throw new PubsubError('itemNotFound')
      return { ...draft, payload: draft.payload?.toUpperCase(), extra: { parent: id } }
    },
    alsoRetracted: async (items, { store, node }) => {
      const all = await store.items(node, { limit: 100 })
      return all.filter(one => items.some(item => one.extra?.parent === item.id))
    },
    subscriberAffiliation: (_jid, affiliation) => (affiliation === 'none' ? 'member' : affiliation),
    leaverAffiliation: async (jid, affiliation, node, store) => {
      if (affiliation !== 'owner') return affiliation === 'outcast' ? affiliation : 'none'
      const { rows } = await store.affiliations(node, { limit: 2 }, ['owner'])
      if (rows.length < 2) throw new PubsubError('forbidden', { text: `${bareOf(jid)} is the last owner` })
      return 'none'
    }
  }
}

async function channel(config: Record<string, string> = {}): Promise<Bench<Columns>> {
  const bench = new Bench<Columns>(channels)
  await bench.node(config, { [MODERATOR]: 'moderator', [POSTER]: 'publisher', [FOLLOWER]: 'member' })
  return bench
}

const change = (bench: Bench<Columns>, by: string, jid: string, affiliation: string) =>
  bench.service.changeAffiliations(bench.store, actor(by), { node: NODE, changes: [{ jid, affiliation }] })

test('following makes a member, leaving makes nobody, a ban stays', async () => {
  const bench = await channel()
  const { result } = await bench.subscribe(STRANGER)
  assert.deepEqual([result.state, result.affiliation], ['subscribed', 'member'])
  const leave = (jid: string) => bench.service.unsubscribe(bench.store, actor(jid), { node: NODE, jid })
  assert.equal((await leave(STRANGER)).result.affiliation, 'none')
  assert.equal(await bench.standing(STRANGER), 'none')
  await bench.subscribe(STRANGER)
  await change(bench, MODERATOR, STRANGER, 'outcast')
  assert.equal(await bench.standing(STRANGER), 'outcast')
  await bench.refuses(bench.subscribe(STRANGER), 'forbidden')
  await bench.refuses(leave(HAMLET), 'forbidden')
})

test('an access model that looks at the person', async () => {
  const bench = await channel({ access_model: 'local' })
  await bench.publish(HAMLET, 'a')
  assert.deepEqual(await bench.ids('passer-by@denmark.lit'), [`tag:x,${NODE},a`])
  await bench.refuses(bench.ids(STRANGER), 'readersSubscribe')
  const outcome = await bench.subscribe(STRANGER)
  assert.equal(outcome.result.state, 'pending')
  assert.deepEqual(told(outcome), [`approval:${STRANGER} -> ${[HAMLET, MODERATOR].join(' ')}`])
  assert.equal(await bench.standing(STRANGER), 'none pending')
  await bench.service.decide(bench.store, actor(MODERATOR), { node: NODE, jid: STRANGER, allow: true })
  assert.equal(await bench.standing(STRANGER), 'member subscribed')
})

test('moderators change those below them, owners all but the last owner', async () => {
  const bench = await channel()
  assert.equal((await change(bench, MODERATOR, FOLLOWER, 'publisher')).result.applied.length, 1)
  assert.equal((await change(bench, MODERATOR, FOLLOWER, 'moderator')).result.rejected.length, 1)
  assert.equal((await change(bench, MODERATOR, HAMLET, 'none')).result.rejected.length, 1)
  assert.equal((await change(bench, HAMLET, MODERATOR, 'owner')).result.applied.length, 1)
  assert.equal((await change(bench, MODERATOR, HAMLET, 'moderator')).result.applied.length, 1)
  await bench.refuses(change(bench, POSTER, FOLLOWER, 'none'), 'forbidden')
})

test('moderators configure what their role names, nothing else', async () => {
  const bench = await channel()
  const set = (jid: string, config: Record<string, string>) =>
    bench.service.configure(bench.store, actor(jid), { node: NODE, config })
  const { result } = await set(MODERATOR, { title: 'T', description: 'longer than ten' })
  assert.deepEqual([result.config.title, result.config.description], ['T', 'longer tha'])
  await bench.refuses(set(MODERATOR, { access_model: 'authorize' }), 'forbidden')
  assert.deepEqual((await set(MODERATOR, { access_model: 'open', title: 'U' })).result.changed, ['title'])
  await set(HAMLET, { access_model: 'authorize', 'x-color': 'red' })
  assert.equal(bench.store.node(NODE)?.config['x-color'], 'red')
  assert.equal(bench.store.node(NODE)?.config['x-type'], 'personal')
})

test('who is told of whom', async () => {
  const bench = await channel()
  await change(bench, HAMLET, STRANGER, 'outcast')
  const list = async (jid: string) =>
    (await bench.service.affiliations(bench.store, actor(jid), { node: NODE })).entries.map(
      one => one.affiliation
    )
  assert.deepEqual(await list(MODERATOR), ['owner', 'moderator', 'publisher', 'member', 'outcast'])
  assert.deepEqual(await list('passer-by@denmark.lit'), ['owner', 'moderator', 'publisher', 'member'])
  await bench.refuses(list(STRANGER), 'forbidden')
})

test('payloads are completed, ids are global, replies go with their parent', async () => {
  const bench = await channel()
  const { result } = await bench.publish(HAMLET, undefined, 'first')
  assert.deepEqual([result.id, result.assigned], [`tag:x,${NODE},made`, true])
  const reply = await bench.publish(POSTER, 'r', 'in-reply-to made')
  assert.equal(reply.result.item?.extra?.parent, `tag:x,${NODE},made`)
  assert.equal(reply.result.item.payload, entry('in-reply-to made').xml.toUpperCase())
  await bench.refuses(bench.publish(POSTER, 's', 'in-reply-to nothing'), 'itemNotFound')
  await bench.refuses(bench.publish(HAMLET, 'r', 'mine now'), 'forbidden')
  const outcome = await bench.service.retract(bench.store, actor(MODERATOR), { node: NODE, ids: ['made'] })
  assert.deepEqual(told(outcome), [`retract:tag:x,${NODE},made,tag:x,${NODE},r -> ${HAMLET}`])
  assert.deepEqual(await bench.ids(), [])
})

test('rights to publish differ from node to node; names have aliases and belong to somebody', async () => {
  const bench = await channel()
  const create = (jid: string, node: string) => bench.service.create(bench.store, actor(jid), { node })
  const { result } = await create(MODERATOR, `/users/${MODERATOR}/status`)
  assert.deepEqual([result.node.name, result.assigned], [`/user/${MODERATOR}/status`, true])
  await bench.refuses(create(POSTER, `/user/${MODERATOR}/posts`), 'forbidden')
  const node = result.node.name
  const changes = [{ jid: POSTER, affiliation: 'publisher' }]
  await bench.service.changeAffiliations(bench.store, actor(MODERATOR), { node, changes })
  const publish = (jid: string) =>
    bench.service.publish(bench.store, actor(jid), { node, item: { payload: entry() } })
  await bench.refuses(publish(POSTER), 'forbidden')
  assert.equal((await publish(MODERATOR)).result.item?.publisher, MODERATOR)
})
