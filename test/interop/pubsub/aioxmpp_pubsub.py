"""XEP-0060's use cases by aioxmpp's PubSubClient. Juliet owns nodes, romeo and benvolio subscribe, tybalt is unwelcome."""
import aioxmpp
import aioxmpp.pubsub
import aioxmpp.pubsub.xso as pubsub_xso
import aioxmpp.rsm.xso as rsm

from aio import GET, NS, PUBSUB, SET, Entry, Person, check, form, forms, live, refused, says, values_of

NODE = 'princely_musings'
Feature = pubsub_xso.Feature
ROMEO, BENVOLIO, TYBALT, JULIET = (
    aioxmpp.JID.fromstr(f'{name}@localhost') for name in ('romeo', 'benvolio', 'tybalt', 'juliet'))


async def discovery(juliet):
    info = await juliet.disco.query_info(PUBSUB)
    check(('pubsub', 'service') in [(one.category, one.type_) for one in info.identities], info.identities)
    features = await juliet.pubsub.get_features(PUBSUB)
    check(features >= {Feature.PUBLISH, Feature.SUBSCRIBE, Feature.CONFIG_NODE, Feature.PURGE_NODES,
                       Feature.PUBLISH_OPTIONS, Feature.SUBSCRIPTION_OPTIONS, Feature.ACCESS_OPEN}, features)
    says('the service says what it can do')


async def nodes(juliet):
    answer = await juliet.send(GET, PUBSUB, pubsub_xso.OwnerRequest(pubsub_xso.OwnerDefault()))
    check(values_of(answer.payload.data)['pubsub#access_model'] == ['open'], answer)
    aioxmpp.pubsub.NodeConfigForm.from_xso(answer.payload.data)
    says('the defaults')
    check(await juliet.pubsub.create(PUBSUB, NODE) == NODE, 'by that name')
    instant = await juliet.pubsub.create(PUBSUB)
    check(instant, 'a name is given')
    await juliet.pubsub.delete(PUBSUB, instant)
    await refused(juliet.pubsub.create(PUBSUB, NODE), 'CONFLICT')
    request = pubsub_xso.Request(pubsub_xso.Create())
    request.payload.node = 'closed'
    request.configure = pubsub_xso.Configure()
    request.configure.data = form('node_config', {'pubsub#access_model': 'whitelist', 'pubsub#max_items': '3'})
    await juliet.send(SET, PUBSUB, request)
    config = await juliet.pubsub.get_node_config(PUBSUB, 'closed')
    check(values_of(config)['pubsub#max_items'] == ['3'], values_of(config))
    says('nodes are created, with a configuration and without, with a name and without')
    config = aioxmpp.pubsub.NodeConfigForm.from_xso(await juliet.pubsub.get_node_config(PUBSUB, NODE))
    check(config.access_model.value == 'open' and config.persist_items.value is True, config)
    check('whitelist' in config.access_model.options, config.access_model.options)
    config.title.value, config.notify_config.value = 'Musings', True
    await juliet.pubsub.set_node_config(PUBSUB, config.render_reply(), NODE)
    config = aioxmpp.pubsub.NodeConfigForm.from_xso(await juliet.pubsub.get_node_config(PUBSUB, NODE))
    check(config.title.value == 'Musings' and config.notify_config.value is True, config)
    says('a form that is shown can be submitted')


async def subscriptions(juliet, romeo, benvolio):
    answer = await romeo.pubsub.subscribe(PUBSUB, NODE)
    told = answer.payload
    check((told.subscription, told.jid, told.node) == ('subscribed', ROMEO, NODE), told)
    # aioxmpp 0.13 gives <options/> a node and a jid beside <subscribe/>; §6.3.7 wants that refused
    deliver = form('subscribe_options', {'pubsub#deliver': '1'})
    await refused(benvolio.pubsub.subscribe(PUBSUB, NODE, config=deliver), 'BAD_REQUEST')
    await benvolio.pubsub.subscribe(PUBSUB, NODE, subscription_jid=benvolio.jid)
    mine = await benvolio.pubsub.get_subscriptions(PUBSUB)
    check([(s.node, s.jid) for s in mine.subscriptions] == [(NODE, benvolio.jid)], mine.subscriptions)
    every = await juliet.pubsub.get_node_subscriptions(PUBSUB, NODE)
    check({(s.jid, s.subscription) for s in every.payload.subscriptions}
          == {(ROMEO, 'subscribed'), (benvolio.jid, 'subscribed')}, every.payload.subscriptions)
    await refused(romeo.pubsub.subscribe(PUBSUB, 'closed'), 'NOT_ALLOWED', 'closed-node')
    await refused(romeo.pubsub.subscribe(PUBSUB, 'nowhere'), 'ITEM_NOT_FOUND')
    await refused(romeo.pubsub.subscribe(PUBSUB, NODE, subscription_jid=JULIET), 'BAD_REQUEST', 'invalid-jid')
    await refused(romeo.pubsub.get_node_subscriptions(PUBSUB, NODE), 'FORBIDDEN')
    says('romeo and benvolio have subscribed')

    defaults = await romeo.pubsub.get_default_config(PUBSUB, NODE)
    check(values_of(defaults)['pubsub#deliver'] == ['1'], values_of(defaults))
    for wanted in ('0', '1'):
        await romeo.pubsub.set_subscription_config(PUBSUB, form('subscribe_options', {'pubsub#deliver': wanted}), NODE)
        shown = await romeo.pubsub.get_subscription_config(PUBSUB, NODE)
        check(values_of(shown)['pubsub#deliver'] == [wanted], values_of(shown))
    await romeo.pubsub.unsubscribe(PUBSUB, NODE)
    await refused(romeo.pubsub.unsubscribe(PUBSUB, NODE), 'UNEXPECTED_REQUEST', 'not-subscribed')
    await refused(romeo.pubsub.get_subscription_config(PUBSUB, NODE), 'UNEXPECTED_REQUEST', 'not-subscribed')
    await romeo.pubsub.subscribe(PUBSUB, NODE)
    says('romeo chooses, leaves and comes back')


def ids(answer):
    return [item.id_ for item in answer.payload.items]


async def page(person, set_):
    request = pubsub_xso.Request(pubsub_xso.Items(NODE))
    request.rsm = set_
    return await person.send(GET, PUBSUB, request)


async def items(juliet, romeo, benvolio):
    check(await juliet.pubsub.publish(PUBSUB, NODE, Entry('Alone'), id_='one') == 'one', 'its name stays')
    for person in (romeo, benvolio):
        node, item, message = await person.hears('published')
        check((node, item.id_, item.registered_payload.title) == (NODE, 'one', 'Alone'), item)
        check(message.type_ == aioxmpp.MessageType.HEADLINE, message)
    check(await juliet.pubsub.publish(PUBSUB, NODE, Entry('Nameless')), 'a name is given')
    await refused(romeo.pubsub.publish(PUBSUB, NODE, Entry('No')), 'FORBIDDEN')
    await refused(juliet.pubsub.notify(PUBSUB, NODE), 'BAD_REQUEST', 'item-required')
    await juliet.pubsub.publish(PUBSUB, NODE, Entry('With options'), id_='two', publish_options=form(
        'publish-options', {'pubsub#access_model': 'open'}))
    await refused(juliet.pubsub.publish(PUBSUB, NODE, Entry('Not so'), id_='three', publish_options=form(
        'publish-options', {'pubsub#access_model': 'whitelist'})), 'CONFLICT')
    says('items are published and heard of, preconditions compared')

    await juliet.pubsub.purge(PUBSUB, NODE)
    check(ids(await romeo.pubsub.get_items(PUBSUB, NODE)) == [], 'no items')
    names = [f'item {n:02}' for n in range(25)]
    for name in names:
        await juliet.pubsub.publish(PUBSUB, NODE, Entry(name), id_=name)
    check(ids(await romeo.pubsub.get_items(PUBSUB, NODE, max_items=3)) == names[-3:], 'the newest')
    some = await romeo.pubsub.get_items_by_id(PUBSUB, NODE, ['item 03', 'item 05'])
    check(sorted(ids(some)) == ['item 03', 'item 05'], ids(some))
    check(some.payload.items[0].registered_payload.title == ids(some)[0], some)
    read = []
    answer = await page(romeo, rsm.ResultSetMetadata.limit(10))
    check(answer.rsm.count == 25 and answer.rsm.first.index == 0, answer.rsm)
    while ids(answer):
        read.append(ids(answer))
        answer = await page(romeo, answer.rsm.next_page(10)) if answer.rsm.last else None
    check([len(one) for one in read] == [10, 10, 5] and sum(read, []) in (names, names[::-1]), read)
    last = await page(romeo, rsm.ResultSetMetadata.last_page(5))
    check(ids(last) == read[2], ids(last))
    before = await page(romeo, last.rsm.previous_page(10))
    check(ids(before) == read[1], ids(before))
    none = await page(romeo, rsm.ResultSetMetadata.limit(0))
    check(ids(none) == [] and none.rsm.count == 25, none.rsm)
    listed = await romeo.disco.query_items(PUBSUB, node=NODE, require_fresh=True)
    check('item 24' in [item.name for item in listed.items], listed)
    says('items are read: all, the newest, by name, page by page both ways, in disco')

    await juliet.pubsub.retract(PUBSUB, NODE, 'item 24', notify=True)
    check(await romeo.hears('retracted') == (NODE, 'item 24'), 'retracted')
    await refused(juliet.pubsub.retract(PUBSUB, NODE, 'item 24'), 'ITEM_NOT_FOUND')
    await refused(romeo.pubsub.retract(PUBSUB, NODE, 'item 23'), 'FORBIDDEN')
    says('an item is retracted')


async def metadata(romeo):
    info = await romeo.disco.query_info(PUBSUB, node=NODE, require_fresh=True)
    check('leaf' in [one.type_ for one in info.identities], info.identities)
    told = values_of(info.exts[0])
    check(told['FORM_TYPE'] == [f'{NS}#meta-data'] and told['pubsub#title'] == ['Musings'], told)
    check(told['pubsub#num_subscribers'] == ['2'] and told['pubsub#owner'] == ['juliet@localhost'], told)
    listed = await romeo.pubsub.get_nodes(PUBSUB)
    check([node for node, _ in listed] == [NODE], listed)
    says('metadata, and a list of nodes without those that are closed')


async def affiliations(juliet, romeo, benvolio, tybalt):
    await juliet.pubsub.change_node_affiliations(PUBSUB, NODE, [(ROMEO, 'publisher'), (TYBALT, 'outcast')])
    shown = await juliet.pubsub.get_node_affiliations(PUBSUB, NODE)
    check({(a.jid, a.affiliation) for a in shown.payload.affiliations}
          == {(JULIET, 'owner'), (ROMEO, 'publisher'), (TYBALT, 'outcast')}, shown)
    mine = await romeo.send(GET, PUBSUB, pubsub_xso.Request(pubsub_xso.Affiliations()))
    check([(a.node, a.affiliation) for a in mine.payload.affiliations] == [(NODE, 'publisher')], mine)
    await refused(tybalt.pubsub.subscribe(PUBSUB, NODE), 'FORBIDDEN')
    await refused(tybalt.pubsub.get_items(PUBSUB, NODE), 'FORBIDDEN')
    await romeo.pubsub.publish(PUBSUB, NODE, Entry('It is the east'), id_='his')
    await benvolio.hears('published', lambda heard: heard[1].id_ == 'his')
    says('a publisher publishes, an outcast is kept out')


async def approval(juliet, benvolio):
    await juliet.pubsub.create(PUBSUB, 'asks')
    await juliet.pubsub.set_node_config(PUBSUB, form('node_config', {'pubsub#access_model': 'authorize'}), 'asks')
    answer = await benvolio.pubsub.subscribe(PUBSUB, 'asks')
    check(answer.payload.subscription == 'pending', answer.payload)
    await refused(benvolio.pubsub.get_items(PUBSUB, 'asks'), 'NOT_AUTHORIZED', 'not-subscribed')
    asked = await juliet.hears('message', lambda message: message.xep0004_data)
    data = asked.xep0004_data[0]
    check(values_of(data)['pubsub#subscriber_jid'] == ['benvolio@localhost'], values_of(data))
    check(values_of(data)['FORM_TYPE'] == [f'{NS}#subscribe_authorization'], values_of(data))
    reply = aioxmpp.Message(to=asked.from_, type_=aioxmpp.MessageType.NORMAL)
    data.type_ = forms.DataType.SUBMIT
    next(field for field in data.fields if field.var == 'pubsub#allow').values[:] = ['1']
    reply.xep0004_data.append(data)
    await juliet.client.send(reply)
    every = await juliet.pubsub.get_node_subscriptions(PUBSUB, 'asks')
    check([(s.jid, s.subscription) for s in every.payload.subscriptions] == [(BENVOLIO, 'subscribed')], every)
    await benvolio.pubsub.get_items(PUBSUB, 'asks')
    await juliet.pubsub.change_node_subscriptions(PUBSUB, 'asks', [(BENVOLIO, 'none')])
    await refused(benvolio.pubsub.get_items(PUBSUB, 'asks'), 'NOT_AUTHORIZED', 'not-subscribed')
    says('juliet approves by the form of the message, and takes it back')


async def the_end(juliet, romeo):
    await refused(romeo.pubsub.delete(PUBSUB, NODE), 'FORBIDDEN')
    await juliet.pubsub.delete(PUBSUB, NODE, redirect_uri='xmpp:pubsub.localhost?;node=later')
    check(await romeo.hears('deleted') == (NODE, 'xmpp:pubsub.localhost?;node=later'), 'deleted')
    await refused(romeo.pubsub.get_items(PUBSUB, NODE), 'GONE')
    says('the node is deleted, with a word where it has gone')


async def story():
    people = juliet, romeo, benvolio, tybalt = [
        await Person(name).enter() for name in ('juliet', 'romeo', 'benvolio', 'tybalt')]
    await discovery(juliet)
    await nodes(juliet)
    await subscriptions(juliet, romeo, benvolio)
    await items(juliet, romeo, benvolio)
    await metadata(romeo)
    await affiliations(juliet, romeo, benvolio, tybalt)
    await approval(juliet, benvolio)
    await the_end(juliet, romeo)
    for person in people:
        await person.leave()


live(story)
