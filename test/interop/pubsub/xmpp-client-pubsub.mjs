/* XEP-0060's use cases by @xmpp/client. Juliet owns nodes, romeo and benvolio subscribe, tybalt is unwelcome. */
import { ATOM, PUBSUB, assert, form, lives, refused, says, set, settings, valuesOf, xml } from './person.mjs'

const NODE = 'princely_musings'
const entry = title => xml('entry', ATOM, xml('title', {}, title))
const config = values => xml('configure', {}, form('node_config', values))
const formIn = element => element.getChild('x', 'jabber:x:data')
const title = item => item.getChild('entry', ATOM).getChildText('title')

await lives(settings.pubsub, async (juliet, romeo, benvolio, tybalt) => {
  const info = await juliet.disco('info')
  assert.equal(info.getChildByAttr('category', 'pubsub').attrs.type, 'service')
  for (const name of ['publish', 'subscribe', 'rsm', 'publish-options', 'purge-nodes'])
    assert.ok(info.getChildByAttr('var', `${PUBSUB}#${name}`), name)
  const defaults = formIn((await juliet.shows(xml('default'))).getChild('default'))
  assert.equal(valuesOf(defaults)['pubsub#access_model'], 'open')
  says('the service says what it can do, and its defaults')

  await juliet.set(xml('create', { node: NODE }))
  const instant = (await juliet.set(xml('create'))).getChild('create').attrs.node
  await juliet.decides(xml('delete', { node: instant }))
  await refused(juliet.set(xml('create', { node: NODE })), 'conflict')
  await juliet.set(xml('create', { node: 'closed' }), config({ 'pubsub#access_model': 'whitelist' }))
  const shown = (await juliet.shows(xml('configure', { node: NODE }))).getChild('configure')
  const changed = form('node_config', {
    ...valuesOf(formIn(shown)),
    FORM_TYPE: `${PUBSUB}#node_config`,
    'pubsub#title': 'Musings'
  })
  await juliet.decides(xml('configure', { node: NODE }, changed))
  says('nodes are created and configured')

  const told = await romeo.subscribe(NODE)
  assert.deepEqual([told.subscription, told.jid, told.node], ['subscribed', romeo.bare, NODE])
  await benvolio.subscribe(NODE, `${benvolio.bare}/js`)
  const mine = (await benvolio.get(xml('subscriptions')))
    .getChild('subscriptions')
    .getChildren('subscription')
  assert.deepEqual(
    mine.map(one => [one.attrs.node, one.attrs.jid]),
    [[NODE, `${benvolio.bare}/js`]]
  )
  const all = (await juliet.shows(xml('subscriptions', { node: NODE }))).getChild('subscriptions')
  assert.equal(all.getChildren('subscription').length, 2)
  await refused(romeo.subscribe('closed'), 'not-allowed', 'closed-node')
  await refused(romeo.subscribe('nowhere'), 'item-not-found')
  await refused(romeo.subscribe(NODE, juliet.bare), 'bad-request', 'invalid-jid')
  const options = { node: NODE, jid: romeo.bare }
  await romeo.set(xml('options', options, form('subscribe_options', { 'pubsub#deliver': '0' })))
  const chosen = formIn((await romeo.get(xml('options', options))).getChild('options'))
  assert.equal(valuesOf(chosen)['pubsub#deliver'], '0')
  await romeo.unsubscribe(NODE)
  await refused(romeo.unsubscribe(NODE), 'unexpected-request', 'not-subscribed')
  await romeo.subscribe(NODE)
  says('romeo and benvolio subscribe, choose, leave and come back')

  assert.equal(await juliet.publish(NODE, entry('Alone'), 'one'), 'one')
  for (const person of [romeo, benvolio])
    assert.equal(title((await person.hears('items', NODE)).getChild('item')), 'Alone')
  assert.ok(await juliet.publish(NODE, entry('Nameless')))
  await refused(romeo.publish(NODE, entry('No')), 'forbidden')
  await refused(juliet.set(xml('publish', { node: NODE })), 'bad-request', 'item-required')
  const withOptions = model =>
    xml('publish-options', {}, form('publish-options', { 'pubsub#access_model': model }))
  await juliet.publish(NODE, entry('With options'), 'two', withOptions('open'))
  await refused(
    juliet.publish(NODE, entry('x'), 'three', withOptions('whitelist')),
    'conflict',
    'precondition-not-met'
  )
  await juliet.decides(xml('purge', { node: NODE }))
  await romeo.hears('purge', NODE)
  says('items are published, preconditions compared, a node purged')

  const names = Array.from({ length: 25 }, (_, n) => `item ${String(n).padStart(2, '0')}`)
  for (const name of names) await juliet.publish(NODE, entry(name), name)
  assert.deepEqual((await romeo.items(NODE, { max_items: 3 })).ids, names.slice(-3))
  const read = []
  for (let page = { last: undefined }; page?.last !== undefined || read.length === 0;) {
    const more = await romeo.items(NODE, {}, [], set({ max: '10', ...(page.last && { after: page.last }) }))
    read.push(...more.ids)
    page = more.ids.length === 10 ? more.page : undefined
  }
  assert.deepEqual([...read].sort(), names)
  const some = await romeo.items(NODE, {}, [xml('item', { id: 'item 04' })])
  assert.deepEqual(some.ids, ['item 04'])
  await juliet.set(xml('retract', { node: NODE, notify: 'true' }, xml('item', { id: 'item 24' })))
  const gone = items => items.getChild('retract')?.attrs.id === 'item 24'
  await romeo.hears('items', NODE, gone)
  await refused(romeo.set(xml('retract', { node: NODE }, xml('item', { id: 'item 23' }))), 'forbidden')
  const listed = await romeo.disco('items', NODE)
  assert.ok(listed.getChildByAttr('name', 'item 23'))
  const metadata = valuesOf(formIn(await romeo.disco('info', NODE)))
  assert.deepEqual([metadata['pubsub#title'], metadata['pubsub#num_subscribers']], ['Musings', '2'])
  assert.deepEqual(
    (await romeo.disco('items')).getChildren('item').map(item => item.attrs.node),
    [NODE]
  )
  says('items are read page by page, metadata and lists in disco, an item is retracted')

  await juliet.affiliate(NODE, romeo, 'publisher')
  await juliet.affiliate(NODE, tybalt, 'outcast')
  const own = (await romeo.get(xml('affiliations'))).getChild('affiliations').getChildren('affiliation')
  assert.deepEqual(
    own.map(one => [one.attrs.node, one.attrs.affiliation]),
    [[NODE, 'publisher']]
  )
  await refused(tybalt.subscribe(NODE), 'forbidden')
  await refused(tybalt.items(NODE), 'forbidden')
  await romeo.publish(NODE, entry('It is the east'), 'his')
  says('a publisher publishes, an outcast is kept out')

  await juliet.set(xml('create', { node: 'asks' }), config({ 'pubsub#access_model': 'authorize' }))
  assert.equal((await benvolio.subscribe('asks')).subscription, 'pending')
  await refused(benvolio.items('asks'), 'not-authorized', 'not-subscribed')
  const asked = valuesOf(await juliet.finds('the request', message => message.getChild('x', 'jabber:x:data')))
  assert.equal(asked['pubsub#subscriber_jid'], benvolio.bare)
  const answer = form('subscribe_authorization', { ...asked, 'pubsub#allow': 'true' })
  await juliet.xmpp.send(xml('message', { to: settings.pubsub }, answer))
  await benvolio.hears('subscription', 'asks', one => one.attrs.subscription === 'subscribed')
  await benvolio.items('asks')
  says('juliet approves by the form of the message')

  await refused(romeo.decides(xml('delete', { node: NODE })), 'forbidden')
  await juliet.decides(xml('delete', { node: NODE }))
  await romeo.hears('delete', NODE)
  await refused(romeo.items(NODE), 'item-not-found')
  says('the node is deleted')
})
