import test from 'node:test'
import assert from 'node:assert/strict'
import { errorReply, parseElement, serialize, StanzaError, type Element } from '#core'
import {
  asAnswer,
  authorizationForm,
  metadataForm,
  notificationMessages,
  parseDecision,
  parseRequest,
  read,
  write
} from '../../../modules/lib_pubsub/xml'
import { actor, BARD, Bench, BERNARDO, FRANCISCO, HAMLET, NODE } from './harness'
import { ATOM, form, OWNER, PUBSUB, request, RSM } from './requests'

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
