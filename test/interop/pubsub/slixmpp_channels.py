"""Channels by slixmpp's plug-ins: juliet's own, a topic with a moderator and a ban, and one for an evening."""
import xml.etree.ElementTree as ET

from slixmpp.exceptions import IqError

from slix import CHANNELS, DATA, Person, check, ids, live, refused, says

NS = 'http://jabber.org/protocol/pubsub'
CONFIG = f'{NS}#node_config'
ERRORS = f'{NS}#errors'
ATOM = 'http://www.w3.org/2005/Atom'
ACTIVITY = 'http://activitystrea.ms/spec/1.0/'
THREAD = 'http://purl.org/syndication/thread/1.0'
REVIEW = 'http://activitystrea.ms/schema/1.0/review'
BUDDYCLOUD = 'http://buddycloud.org/v1'
RSM = 'http://jabber.org/protocol/rsm'
HERS = '/user/juliet@localhost/'
POSTS = f'{HERS}posts'
TOPIC = '/user/verona@topics.localhost/posts'


def entry(content, reply_to=None, rating=None):
    extra = ''
    if reply_to is not None:
        extra = f"<in-reply-to xmlns='{THREAD}' ref='{reply_to}'/>"
    if rating is not None:
        extra += (f"<target xmlns='{ACTIVITY}'><id>{reply_to}</id></target>"
                  f"<rating xmlns='{REVIEW}'>{rating}</rating>")
    return ET.fromstring(f"<entry xmlns='{ATOM}'><content>{content}</content>{extra}</entry>")


def id_of(published):
    return published['pubsub']['publish']['item']['id']


async def refused_with(request, condition, application, namespace=ERRORS):
    """An error with a condition that slixmpp has no name for."""
    try:
        answer = await request
    except IqError as error:
        check(error.iq['error']['condition'] == condition, error.iq)
        check(error.iq.xml.find(f'.//{{{namespace}}}{application}') is not None, error.iq)
        return
    raise AssertionError(f'not refused: {answer}')


async def register(person):
    form = await person['xep_0077'].get_registration(CHANNELS)
    check(form['register'] is not None, form)
    iq = person.make_iq_set(ito=CHANNELS)
    iq.enable('register')
    await iq.send()


async def asks(person, request, paging=''):
    """What slixmpp has no call for: a request of channels, with a page."""
    iq = person.make_iq_get(ito=CHANNELS)
    iq['pubsub'].xml.append(ET.fromstring(request))
    if paging:
        iq['pubsub'].xml.append(ET.fromstring(f"<set xmlns='{RSM}'>{paging}</set>"))
    return await iq.send()


def all_items(answer):
    return [item.get('id') for item in answer.xml.iter(f'{{{NS}}}item')]


async def discovery(juliet):
    info = await juliet.disco.get_info(jid=CHANNELS)
    kinds = {(category, kind) for category, kind, _, _ in info['disco_info']['identities']}
    check(('pubsub', 'channels') in kinds, info)
    listed = await juliet.disco.get_items(jid='topics.localhost')
    check([jid for jid, _, _ in listed['disco_items']['items']] == [CHANNELS], listed)
    says('the service of channels is found')


async def own_channel(juliet):
    await register(juliet)
    info = await juliet.disco.get_info(jid=CHANNELS, node=POSTS)
    form = {f.get('var'): f.findtext(f'{DATA}value') for f in info.xml.iter(f'{DATA}field')}
    check(form['buddycloud#channel_type'] == 'personal' and form['pubsub#owner'] == 'juliet@localhost', form)
    shown = await juliet.pubsub.get_node_config(CHANNELS, POSTS)
    form = shown['pubsub_owner']['configure']['form']
    check(form.get_values()['buddycloud#default_affiliation'] == 'member', shown)
    form['type'] = 'submit'  # as it is: what the server sets stays
    form.field['pubsub#title']['value'] = 'The balcony'
    await juliet.pubsub.set_node_config(CHANNELS, POSTS, form)
    for kind in ('status', 'mood'):  # one title for the channel
        shown = await juliet.pubsub.get_node_config(CHANNELS, HERS + kind)
        check(shown['pubsub_owner']['configure']['form'].get_values()['pubsub#title'] == 'The balcony', shown)
    says('juliet has a channel, and gives it a title')


async def following(juliet, romeo, benvolio):
    for person in (romeo, benvolio):
        answer = await person.pubsub.subscribe(CHANNELS, POSTS)
        check(answer['pubsub']['subscription']['subscription'] == 'subscribed', answer)
    told = await juliet.hears('subscription')
    check(told['pubsub_event']['subscription']['jid'].bare == 'romeo@localhost', told)
    listed = await juliet.pubsub.get_node_subscriptions(CHANNELS, POSTS)
    check({s['jid'].bare for s in listed['pubsub_owner']['subscriptions']}
          == {'juliet@localhost', 'romeo@localhost', 'benvolio@localhost'}, listed)
    mine = await romeo.pubsub.get_affiliations(CHANNELS)
    check((POSTS, 'member') in [(a['node'], a['affiliation']) for a in mine['pubsub']['affiliations']], mine)
    mine = await romeo.pubsub.get_subscriptions(CHANNELS)
    check(POSTS in [s['node'] for s in mine['pubsub']['subscriptions']], mine)
    says('romeo and benvolio follow her')


async def posts(juliet, romeo, benvolio):
    post = id_of(await juliet.pubsub.publish(CHANNELS, POSTS, payload=entry('O Romeo, Romeo!')))
    check(post.startswith(f'tag:{CHANNELS},{POSTS},'), post)
    heard = await romeo.hears('publish')
    item = heard['pubsub_event']['items']['item']
    check(heard['type'] == 'headline' and item['id'] == post, heard)
    check(item['payload'].findtext(f'{{{ATOM}}}author/{{{ATOM}}}name') == 'juliet@localhost', heard)
    await refused(romeo.pubsub.publish(CHANNELS, POSTS, payload=entry('I take thee', post)), 'forbidden')
    await juliet.pubsub.modify_affiliations(CHANNELS, POSTS, affiliations=[('romeo@localhost', 'publisher')])
    shown = await juliet.pubsub.get_node_affiliations(CHANNELS, POSTS)
    check(('romeo@localhost', 'publisher') in [
        (a['jid'].bare, a['affiliation']) for a in shown['pubsub_owner']['affiliations']], shown)
    reply = id_of(await romeo.pubsub.publish(CHANNELS, POSTS, payload=entry('I take thee at thy word', post)))
    await benvolio.hears('publish', lambda event: event['pubsub_event']['items']['item']['id'] == reply)
    for kind in ('status', 'geoloc', 'public-key'):
        await refused(romeo.pubsub.publish(CHANNELS, HERS + kind, payload=entry('hers')), 'forbidden')
    says('she posts, he may write and replies')
    await romeo.pubsub.publish(CHANNELS, POSTS, payload=entry('', post, '5.0'))
    await refused_with(romeo.pubsub.publish(CHANNELS, POSTS, payload=entry('', post, '5')),
                       'bad-request', 'item-already-rated')
    says('he rates her post, once')
    return post, reply


async def lists(juliet, romeo, benvolio, post, reply):
    read = await romeo.pubsub.get_items(CHANNELS, POSTS)
    check(len(ids(read)) == 3 and ids(read)[-1] == post, ids(read))
    more = [id_of(await juliet.pubsub.publish(CHANNELS, POSTS, payload=entry(f'line {n}'))) for n in range(22)]
    pages = [ids(page) async for page in benvolio.pubsub.get_items(CHANNELS, POSTS, iterator=True)]
    check(len(pages) == 3 and sum(pages, [])[:22] == more[::-1], pages)
    single = await benvolio.pubsub.get_item(CHANNELS, POSTS, reply)
    check(ids(single) == [reply], single)
    since = "since='2020-01-01T00:00:00Z'"
    recent = await asks(
        romeo, f"<recent-items xmlns='{BUDDYCLOUD}' {since} max='30'/>", '<max>10</max>')
    check(all_items(recent) == more[::-1][:10], recent)
    check(recent['pubsub']['rsm']['last'], recent)
    parents = await asks(romeo, f"<recent-items xmlns='{BUDDYCLOUD}' {since} max='30' parent-only='true'/>")
    check(set(all_items(parents)) == {*more, post}, parents)
    for request, wanted in (
            (f"<replies xmlns='{BUDDYCLOUD}' node='{POSTS}' item_id='{post}'/>", {reply}),
            (f"<thread xmlns='{BUDDYCLOUD}' node='{POSTS}' item_id='{post}'/>", {post, reply})):
        answer = await asks(romeo, request)
        check(wanted <= set(all_items(answer)), answer)
    answer = await asks(romeo, f"<threads xmlns='{BUDDYCLOUD}' node='{POSTS}'/>", '<max>5</max>')
    check(len(answer.xml.findall(f'.//{{{NS}}}thread')) == 5 and answer['pubsub']['rsm']['last'], answer)
    says('items, recent items and threads are read, page by page')
    await juliet.pubsub.retract(CHANNELS, POSTS, post, notify=True)
    heard = await benvolio.hears('retract')
    gone = {retract.get('id') for retract in heard.xml.iter(f'{{{NS}#event}}retract')}
    check(post in gone, heard)
    says('a post goes with its replies, and all are told')


async def feelings(juliet, romeo):
    mood = juliet['xep_0107'].stanza.UserMood()
    mood['value'], mood['text'] = 'in_love', 'Alas'
    await juliet.pubsub.publish(CHANNELS, f'{HERS}mood', id='current', payload=mood)
    heard = await romeo.hears('publish', lambda e: e['pubsub_event']['items']['node'] == f'{HERS}mood')
    check(heard['pubsub_event']['items']['item']['mood']['value'] == 'in_love', heard)
    place = juliet['xep_0080'].stanza.Geoloc()
    place['locality'], place['lat'] = 'Verona', '45.43'
    await juliet.pubsub.publish(CHANNELS, f'{HERS}geoloc', payload=place)
    heard = await romeo.hears('publish', lambda e: e['pubsub_event']['items']['node'] == f'{HERS}geoloc')
    check(heard['pubsub_event']['items']['item']['geoloc']['locality'] == 'Verona', heard)
    says('mood and place are told')


async def topic(juliet, romeo, benvolio, tybalt):
    form = benvolio.form(CONFIG, {'pubsub#title': 'Streets of Verona', 'pubsub#access_model': 'authorize',
                                  'buddycloud#default_affiliation': 'publisher'})
    await benvolio.pubsub.create_node(CHANNELS, TOPIC, config=form)
    await benvolio.pubsub.modify_affiliations(CHANNELS, TOPIC, affiliations=[('romeo@localhost', 'moderator')])
    mine = await romeo.pubsub.get_affiliations(CHANNELS)
    check((TOPIC, 'moderator') in [(a['node'], a['affiliation']) for a in mine['pubsub']['affiliations']], mine)
    await romeo.pubsub.subscribe(CHANNELS, TOPIC)
    asked = await tybalt.pubsub.subscribe(CHANNELS, TOPIC)
    check(asked['pubsub']['subscription']['subscription'] == 'pending', asked)
    request = await romeo.hears('form')
    values = request['form'].get_values()
    check(values['pubsub#subscriber_jid'] == 'tybalt@localhost', request)
    reply = request.reply(clear=True)
    reply['type'] = 'normal'
    reply.append(romeo.form(f'{NS}#subscribe_authorization', {
        'pubsub#node': values['pubsub#node'], 'pubsub#subscriber_jid': 'tybalt@localhost', 'pubsub#allow': 'true'}))
    reply.send()
    await tybalt.hears(
        'subscription', lambda event: event['pubsub_event']['subscription']['subscription'] == 'subscribed')
    rude = id_of(await tybalt.pubsub.publish(CHANNELS, TOPIC, payload=entry('Boy, this shall not excuse')))
    await romeo.hears('publish', lambda event: event['pubsub_event']['items']['item']['id'] == rude)
    await romeo.pubsub.modify_affiliations(CHANNELS, TOPIC, affiliations=[('tybalt@localhost', 'outcast')])
    await romeo.pubsub.retract(CHANNELS, TOPIC, rude)
    for request in (tybalt.pubsub.get_items(CHANNELS, TOPIC), tybalt.pubsub.subscribe(CHANNELS, TOPIC),
                    tybalt.pubsub.publish(CHANNELS, TOPIC, payload=entry('I hate the word'))):
        await refused(request, 'forbidden')
    await refused(romeo.pubsub.delete_node(CHANNELS, TOPIC), 'forbidden')
    says('a topic channel: the moderator approves, bans and cleans up')
    await benvolio.pubsub.delete_node(CHANNELS, TOPIC)
    check((await romeo.hears('delete'))['pubsub_event']['delete']['node'] == TOPIC, 'deleted')
    says('and its owner closes it')


async def ephemeral(juliet, romeo):
    form = juliet.form(CONFIG, {'buddycloud#ephemeral': 'true'})
    made = await juliet.pubsub.create_node(CHANNELS, '', config=form)
    node = made['pubsub']['create']['node']
    joined = await romeo.pubsub.subscribe(CHANNELS, node)
    check(joined['pubsub']['subscription']['subscription'] == 'subscribed', joined)
    said = id_of(await romeo.pubsub.publish(CHANNELS, node, payload=entry('Good night, good night!')))
    await juliet.hears('publish', lambda event: event['pubsub_event']['items']['item']['id'] == said)
    await refused_with(juliet.pubsub.delete_node(CHANNELS, node),
                       'not-allowed', 'can-not-delete-ephemeral-node', f'{BUDDYCLOUD}/errors')
    await juliet.pubsub.unsubscribe(CHANNELS, node)
    check(said in ids(await romeo.pubsub.get_items(CHANNELS, node)), 'it is there while romeo is')
    await romeo.pubsub.unsubscribe(CHANNELS, node)
    await refused(juliet.pubsub.get_items(CHANNELS, node), 'item-not-found')
    says('an ephemeral channel goes with the last who leaves')


async def farewell(juliet, romeo, benvolio):
    await benvolio.pubsub.unsubscribe(CHANNELS, POSTS)
    await refused(benvolio.pubsub.unsubscribe(CHANNELS, POSTS), 'unexpected-request', 'not-subscribed')
    await juliet['xep_0077'].cancel_registration(CHANNELS)
    await romeo.hears('delete', lambda event: event['pubsub_event']['delete']['node'] == POSTS)
    await refused(romeo.pubsub.get_items(CHANNELS, POSTS), 'item-not-found')
    says('juliet takes her channel away')


async def story():
    people = juliet, romeo, benvolio, tybalt = [
        await Person(name).enter() for name in ('juliet', 'romeo', 'benvolio', 'tybalt')]
    await discovery(juliet)
    await own_channel(juliet)
    await following(juliet, romeo, benvolio)
    post, reply = await posts(juliet, romeo, benvolio)
    await lists(juliet, romeo, benvolio, post, reply)
    await feelings(juliet, romeo)
    await topic(juliet, romeo, benvolio, tybalt)
    await ephemeral(juliet, romeo)
    await farewell(juliet, romeo, benvolio)
    for person in people:
        await person.leave()


live(story)
