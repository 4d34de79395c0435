"""XEP-0060's use cases by slixmpp's plug-in. Juliet owns nodes, romeo and benvolio subscribe, tybalt is unwelcome."""
import xml.etree.ElementTree as ET

from slix import PUBSUB, Person, check, ids, live, refused, says, values_of

NS = 'http://jabber.org/protocol/pubsub'
CONFIG, OPTIONS, PUBLISHING, META = (
    f'{NS}#{name}' for name in ('node_config', 'subscribe_options', 'publish-options', 'meta-data'))
ATOM = 'http://www.w3.org/2005/Atom'
NODE = 'princely_musings'


def entry(title):
    return ET.fromstring(f"<entry xmlns='{ATOM}'><title>{title}</title></entry>")


def title_of(payload):
    return payload.findtext(f'{{{ATOM}}}title')


async def discovery(juliet):
    info = await juliet.disco.get_info(jid=PUBSUB)
    check(('pubsub', 'service', None, None) in [(c, t, lang, None) for c, t, lang, _ in
                                                info['disco_info']['identities']], info)
    for feature in ('publish', 'subscribe', 'retrieve-items', 'config-node', 'subscription-options', 'rsm'):
        check(f'{NS}#{feature}' in info['disco_info']['features'], f'{feature} in {info}')
    says('the service says what it can do')


async def nodes(juliet):
    defaults = await juliet.pubsub.get_node_config(PUBSUB)
    fields = defaults['pubsub_owner']['default']['form'].get_fields()
    check(fields['pubsub#access_model']['value'] == 'open', defaults)
    check({option['value'] for option in fields['pubsub#access_model']['options']}
          >= {'open', 'authorize', 'whitelist'}, defaults)
    says('the defaults')
    await juliet.pubsub.create_node(PUBSUB, NODE)
    instant = await juliet.pubsub.create_node(PUBSUB, '')
    made = instant['pubsub']['create']['node']
    check(made, instant)
    await juliet.pubsub.delete_node(PUBSUB, made)
    await refused(juliet.pubsub.create_node(PUBSUB, NODE), 'conflict')
    form = juliet.form(CONFIG, {'pubsub#title': 'Closed', 'pubsub#access_model': 'whitelist',
                                'pubsub#max_items': '3', 'pubsub#notify_config': True})
    await juliet.pubsub.create_node(PUBSUB, 'closed', config=form)
    shown = await juliet.pubsub.get_node_config(PUBSUB, 'closed')
    config = shown['pubsub_owner']['configure']['form'].get_values()
    check(config['pubsub#access_model'] == 'whitelist' and config['pubsub#max_items'] == '3', shown)
    check(config['pubsub#notify_config'] is True and config['pubsub#title'] == 'Closed', shown)
    says('nodes are created, with a configuration and without, with a name and without')
    await juliet.pubsub.set_node_config(
        PUBSUB, NODE, juliet.form(CONFIG, {'pubsub#title': 'Musings', 'pubsub#notify_config': True,
                                           'pubsub#notify_sub': True}))
    # what was shown can be sent back as it is
    shown = await juliet.pubsub.get_node_config(PUBSUB, NODE)
    form = shown['pubsub_owner']['configure']['form']
    check(form.get_values()['pubsub#title'] == 'Musings', shown)
    form['type'] = 'submit'
    await juliet.pubsub.set_node_config(PUBSUB, NODE, form)
    again = await juliet.pubsub.get_node_config(PUBSUB, NODE)
    check(values_of(again['pubsub_owner']['configure']['form']) == values_of(form), again)
    says('a form that is shown can be submitted')


async def subscriptions(juliet, romeo, benvolio):
    answer = await romeo.pubsub.subscribe(PUBSUB, NODE)
    told = answer['pubsub']['subscription']
    check(told['subscription'] == 'subscribed' and told['jid'] == 'romeo@localhost' and told['node'] == NODE, answer)
    heard = await juliet.hears('subscription')
    event = heard['pubsub_event']['subscription']
    check(event['jid'] == 'romeo@localhost' and event['subscription'] == 'subscribed', heard)
    await benvolio.pubsub.subscribe(PUBSUB, NODE, bare=False)
    mine = await benvolio.pubsub.get_subscriptions(PUBSUB)
    listed = [(s['node'], s['jid'].full) for s in mine['pubsub']['subscriptions']]
    check(listed == [(NODE, 'benvolio@localhost/slixmpp')], mine)
    all_of_it = await juliet.pubsub.get_node_subscriptions(PUBSUB, NODE)
    check({s['jid'].full for s in all_of_it['pubsub_owner']['subscriptions']}
          == {'romeo@localhost', 'benvolio@localhost/slixmpp'}, all_of_it)
    await refused(romeo.pubsub.subscribe(PUBSUB, 'closed'), 'not-allowed', 'closed-node')
    await refused(romeo.pubsub.subscribe(PUBSUB, 'nowhere'), 'item-not-found')
    await refused(romeo.pubsub.subscribe(PUBSUB, NODE, subscribee='juliet@localhost'), 'bad-request', 'invalid-jid')
    await refused(romeo.pubsub.get_node_subscriptions(PUBSUB, NODE), 'forbidden')
    says('romeo and benvolio have subscribed')

    shown = await romeo.pubsub.get_subscription_options(PUBSUB, NODE, 'romeo@localhost')
    check(shown['pubsub']['options']['options'].get_values()['pubsub#deliver'] is True, shown)
    defaults = await romeo.pubsub.get_subscription_options(PUBSUB, NODE)
    check(defaults.xml.find(".//{jabber:x:data}field[@var='pubsub#deliver']") is not None, defaults)
    form = romeo.form(OPTIONS, {'pubsub#deliver': False})
    # slixmpp 1.8.3 sends its set_subscription_options as a get, which XEP-0060 §6.3.5 does not know
    iq = romeo.make_iq_set(ito=PUBSUB)
    iq['pubsub']['options']['node'] = NODE
    iq['pubsub']['options']['jid'] = 'romeo@localhost'
    iq['pubsub']['options'].append(form)
    await iq.send()
    shown = await romeo.pubsub.get_subscription_options(PUBSUB, NODE, 'romeo@localhost')
    check(shown['pubsub']['options']['options'].get_values()['pubsub#deliver'] is False, shown)
    await romeo.pubsub.unsubscribe(PUBSUB, NODE)
    await refused(romeo.pubsub.unsubscribe(PUBSUB, NODE), 'unexpected-request', 'not-subscribed')
    await romeo.pubsub.subscribe(PUBSUB, NODE)
    says('romeo chooses, leaves and comes back')


async def items(juliet, romeo, benvolio):
    answer = await juliet.pubsub.publish(PUBSUB, NODE, id='one', payload=entry('Alone'))
    check(answer['pubsub']['publish']['item']['id'] == 'one', answer)
    for person in (romeo, benvolio):
        heard = await person.hears('publish')
        event = heard['pubsub_event']['items']
        check(event['node'] == NODE and event['item']['id'] == 'one', heard)
        check(title_of(event['item']['payload']) == 'Alone' and heard['type'] == 'headline', heard)
    answer = await juliet.pubsub.publish(PUBSUB, NODE, payload=entry('Nameless'))
    check(answer['pubsub']['publish']['item']['id'], answer)
    await refused(romeo.pubsub.publish(PUBSUB, NODE, payload=entry('No')), 'forbidden')
    await refused(juliet.pubsub.publish(PUBSUB, NODE), 'bad-request', 'item-required')
    options = juliet.form(PUBLISHING, {'pubsub#access_model': 'open'})
    await juliet.pubsub.publish(PUBSUB, NODE, id='two', payload=entry('With options'), options=options)
    options = juliet.form(PUBLISHING, {'pubsub#access_model': 'whitelist'})
    failed = juliet.pubsub.publish(PUBSUB, NODE, id='three', payload=entry('Not so'), options=options)
    try:
        await failed
        raise AssertionError('the precondition is not met')
    except Exception as error:  # the library does not know precondition-not-met (§7.1.5)
        check(error.iq['error']['condition'] == 'conflict', error)
    says('items are published and heard of, preconditions compared')

    await juliet.pubsub.purge(PUBSUB, NODE)
    check((await romeo.hears('purge'))['pubsub_event']['purge']['node'] == NODE, 'purged')
    check(ids(await romeo.pubsub.get_items(PUBSUB, NODE)) == [], 'no items')
    names = [f'item {n:02}' for n in range(25)]
    for name in names:
        await juliet.pubsub.publish(PUBSUB, NODE, id=name, payload=entry(name))
    recent = await romeo.pubsub.get_items(PUBSUB, NODE, max_items=3)
    check(ids(recent) == names[-3:], ids(recent))
    pages = [ids(page) async for page in romeo.pubsub.get_items(PUBSUB, NODE, iterator=True)]
    check(len(pages) == 3 and sum(pages, []) in (names, names[::-1]), pages)
    chosen = await romeo.pubsub.get_items(PUBSUB, NODE, item_ids=['item 03', 'item 05'])
    check(sorted(ids(chosen)) == ['item 03', 'item 05'], chosen)
    single = await romeo.pubsub.get_item(PUBSUB, NODE, 'item 04')
    check(title_of(single['pubsub']['items']['item']['payload']) == 'item 04', single)
    listed = await romeo.disco.get_items(jid=PUBSUB, node=NODE)
    check('item 24' in [name for _, _, name in listed['disco_items']['items']], listed)
    says('items are read: all, the newest, by name, page by page, in disco')

    await juliet.pubsub.retract(PUBSUB, NODE, 'item 24', notify=True)
    heard = await romeo.hears('retract')
    check(heard['pubsub_event']['items']['retract']['id'] == 'item 24', heard)
    await refused(juliet.pubsub.retract(PUBSUB, NODE, 'item 24'), 'item-not-found')
    await refused(romeo.pubsub.retract(PUBSUB, NODE, 'item 23'), 'forbidden')
    says('an item is retracted')


async def metadata(romeo):
    info = await romeo.disco.get_info(jid=PUBSUB, node=NODE)
    check('leaf' in [kind for _, kind, _, _ in info['disco_info']['identities']], info)
    form = info.xml.find('.//{jabber:x:data}x')
    told = {f.get('var'): f.findtext('{jabber:x:data}value') for f in form}
    check(told['FORM_TYPE'] == META and told['pubsub#title'] == 'Musings', told)
    check(told['pubsub#owner'] == 'juliet@localhost' and told['pubsub#num_subscribers'] == '2', told)
    listed = await romeo.pubsub.get_nodes(PUBSUB)
    check([node for _, node, _ in listed['disco_items']['items']] == [NODE], listed)
    says('metadata, and a list of nodes without those that are closed')


async def affiliations(juliet, romeo, benvolio, tybalt):
    await juliet.pubsub.modify_affiliations(PUBSUB, NODE, affiliations=[
        ('romeo@localhost', 'publisher'), ('tybalt@localhost', 'outcast')])
    shown = await juliet.pubsub.get_node_affiliations(PUBSUB, NODE)
    check({(a['jid'].full, a['affiliation']) for a in shown['pubsub_owner']['affiliations']} == {
        ('juliet@localhost', 'owner'), ('romeo@localhost', 'publisher'), ('tybalt@localhost', 'outcast')}, shown)
    mine = await romeo.pubsub.get_affiliations(PUBSUB)
    check([(a['node'], a['affiliation']) for a in mine['pubsub']['affiliations']] == [(NODE, 'publisher')], mine)
    await refused(tybalt.pubsub.subscribe(PUBSUB, NODE), 'forbidden')
    await refused(tybalt.pubsub.get_items(PUBSUB, NODE), 'forbidden')
    await romeo.pubsub.publish(PUBSUB, NODE, id='his', payload=entry('It is the east'))
    await benvolio.hears('publish', lambda event: event['pubsub_event']['items']['item']['id'] == 'his')
    says('a publisher publishes, an outcast is kept out')


async def approval(juliet, benvolio):
    await juliet.pubsub.create_node(
        PUBSUB, 'asks', config=juliet.form(CONFIG, {'pubsub#access_model': 'authorize'}))
    answer = await benvolio.pubsub.subscribe(PUBSUB, 'asks')
    check(answer['pubsub']['subscription']['subscription'] == 'pending', answer)
    await refused(benvolio.pubsub.get_items(PUBSUB, 'asks'), 'not-authorized', 'not-subscribed')
    asked = await juliet.hears('form')
    form = asked['form']
    check(form.get_values()['pubsub#subscriber_jid'] == 'benvolio@localhost', asked)
    check(values_of(form)['FORM_TYPE'] == [f'{NS}#subscribe_authorization'], asked)
    reply = asked.reply(clear=True)
    filled = juliet.form(f'{NS}#subscribe_authorization', {
        **{name: value[0] for name, value in values_of(form).items() if name != 'FORM_TYPE'}, 'pubsub#allow': 'true'})
    reply['type'] = 'normal'
    reply.append(filled)
    reply.send()
    told = await benvolio.hears('subscription', lambda event: event['pubsub_event']['subscription']['node'] == 'asks')
    check(told['pubsub_event']['subscription']['subscription'] == 'subscribed', told)
    await benvolio.pubsub.get_items(PUBSUB, 'asks')
    await juliet.pubsub.modify_subscriptions(PUBSUB, 'asks', subscriptions=[('benvolio@localhost', 'none')])
    told = await benvolio.hears('subscription')
    check(told['pubsub_event']['subscription']['subscription'] == 'none', told)
    says('juliet approves by the form of the message, and takes it back')


async def the_end(juliet, romeo):
    await juliet.pubsub.set_node_config(PUBSUB, NODE, juliet.form(CONFIG, {'pubsub#title': 'The end'}))
    told = await romeo.hears('config', lambda event: 'The end' in str(event))
    check(told['pubsub_event']['configuration']['form'].get_values()['pubsub#title'] == 'The end', told)
    await refused(romeo.pubsub.delete_node(PUBSUB, NODE), 'forbidden')
    await juliet.pubsub.delete_node(PUBSUB, NODE)
    check((await romeo.hears('delete'))['pubsub_event']['delete']['node'] == NODE, 'deleted')
    await refused(romeo.pubsub.get_items(PUBSUB, NODE), 'item-not-found')
    says('the node is configured anew and deleted')


async def story():
    juliet, romeo, benvolio, tybalt = [
        await Person(name).enter() for name in ('juliet', 'romeo', 'benvolio', 'tybalt')]
    await discovery(juliet)
    await nodes(juliet)
    await subscriptions(juliet, romeo, benvolio)
    await items(juliet, romeo, benvolio)
    await metadata(romeo)
    await affiliations(juliet, romeo, benvolio, tybalt)
    await approval(juliet, benvolio)
    await the_end(juliet, romeo)
    for person in (juliet, romeo, benvolio, tybalt):
        await person.leave()


live(story)
