"""Channels by aioxmpp: juliet's own, a topic with a moderator and a ban, and one for an evening."""
import aioxmpp
import aioxmpp.ibr
import aioxmpp.pubsub.xso as pubsub_xso
import aioxmpp.rsm.xso as rsm
import aioxmpp.xso as xso

from aio import CHANNELS, GET, SET, Entry, Person, check, form, forms, live, refused, says, values_of

BUDDYCLOUD = 'http://buddycloud.org/v1'
HERS = '/user/juliet@localhost/'
POSTS = f'{HERS}posts'
TOPIC = '/user/verona@topics.localhost/posts'
JULIET, ROMEO, BENVOLIO, TYBALT = (
    aioxmpp.JID.fromstr(f'{name}@localhost') for name in ('juliet', 'romeo', 'benvolio', 'tybalt'))

# What a client of channels has to teach the library: roles, and requests, that are not XEP-0060's (protoXEP §5, §6)
for cls in (pubsub_xso.Affiliation, pubsub_xso.OwnerAffiliation):
    cls.affiliation.validator.values = cls.affiliation.validator.values | {'moderator'}


class RecentItems(xso.XSO):
    TAG = (BUDDYCLOUD, 'recent-items')
    since = xso.Attr('since')
    max_ = xso.Attr('max', type_=xso.Integer())
    parent_only = xso.Attr('parent-only', type_=xso.Bool(), default=False)

    def __init__(self, max_, parent_only=False):
        super().__init__()
        self.since, self.max_, self.parent_only = '2020-01-01T00:00:00Z', max_, parent_only


class OfItem(xso.XSO):
    node = xso.Attr('node')
    item = xso.Attr('item_id')

    def __init__(self, node, item):
        super().__init__()
        self.node, self.item = node, item


class Replies(OfItem):
    TAG = (BUDDYCLOUD, 'replies')


pubsub_xso.Request.own = xso.Child([RecentItems, Replies])


def ids(answer):
    return [item.id_ for item in answer.payload.items]


async def asks(person, own, page=None):
    request = pubsub_xso.Request()
    request.own = own
    if page is not None:
        request.rsm = page
    return await person.send(GET, CHANNELS, request)


async def create(person, node, values):
    request = pubsub_xso.Request(pubsub_xso.Create())
    request.payload.node = node
    request.configure = pubsub_xso.Configure()
    request.configure.data = form('node_config', values)
    answer = await person.send(SET, CHANNELS, request)
    return node or answer.payload.node


async def own_channel(juliet):
    info = await juliet.disco.query_info(CHANNELS)
    check(('pubsub', 'channels') in [(one.category, one.type_) for one in info.identities], info.identities)
    listed = await juliet.disco.query_items(aioxmpp.JID.fromstr('topics.localhost'))
    check([item.jid for item in listed.items] == [CHANNELS], listed)
    await juliet.send(SET, CHANNELS, aioxmpp.ibr.Query())
    told = values_of((await juliet.disco.query_info(CHANNELS, node=POSTS)).exts[0])
    check(told['buddycloud#channel_type'] == ['personal'] and told['pubsub#owner'] == ['juliet@localhost'], told)
    config = await juliet.pubsub.get_node_config(CHANNELS, POSTS)
    shown = aioxmpp.pubsub.NodeConfigForm.from_xso(config)
    shown.title.value = 'The balcony'
    await juliet.pubsub.set_node_config(CHANNELS, shown.render_reply(), POSTS)
    config = values_of(await juliet.pubsub.get_node_config(CHANNELS, f'{HERS}mood'))
    check(config['pubsub#title'] == ['The balcony'], config)
    says('juliet has a channel, and gives it a title')


async def following(juliet, romeo, benvolio):
    for person in (romeo, benvolio):
        answer = await person.pubsub.subscribe(CHANNELS, POSTS)
        check(answer.payload.subscription == 'subscribed', answer.payload)
    every = await juliet.pubsub.get_node_subscriptions(CHANNELS, POSTS)
    check({s.jid for s in every.payload.subscriptions} == {JULIET, ROMEO, BENVOLIO}, every.payload.subscriptions)
    mine = await romeo.pubsub.get_subscriptions(CHANNELS)
    check(POSTS in [s.node for s in mine.subscriptions], mine.subscriptions)
    says('romeo and benvolio follow her')


async def posts(juliet, romeo, benvolio):
    post = await juliet.pubsub.publish(CHANNELS, POSTS, Entry(content='O Romeo, Romeo!'))
    check(post.startswith(f'tag:{CHANNELS},{POSTS},'), post)
    node, item, message = await romeo.hears('published')
    entry = item.registered_payload
    check((node, item.id_, entry.id_, entry.content) == (POSTS, post, post, 'O Romeo, Romeo!'), item)
    check(entry.author.name == 'juliet@localhost' and entry.published is not None and entry.title, entry)
    check(message.type_ == aioxmpp.MessageType.HEADLINE and message.from_ == CHANNELS, message)
    answer = Entry(content='I take thee at thy word', reply_to=post)
    await refused(romeo.pubsub.publish(CHANNELS, POSTS, answer), 'FORBIDDEN')
    await juliet.pubsub.change_node_affiliations(CHANNELS, POSTS, [(ROMEO, 'publisher')])
    shown = await juliet.pubsub.get_node_affiliations(CHANNELS, f'{HERS}status')
    check((ROMEO, 'publisher') in [(a.jid, a.affiliation) for a in shown.payload.affiliations], shown)
    reply = await romeo.pubsub.publish(CHANNELS, POSTS, answer)
    heard = await benvolio.hears('published', lambda heard: heard[1].id_ == reply)
    check(heard[1].registered_payload.reply_to.ref == post, heard)
    await refused(romeo.pubsub.publish(CHANNELS, f'{HERS}status', Entry(content='hers')), 'FORBIDDEN')
    says('she posts, he may write and replies')
    more = [await juliet.pubsub.publish(CHANNELS, POSTS, Entry(content=f'line {n}')) for n in range(12)]
    request = pubsub_xso.Request(pubsub_xso.Items(POSTS))
    request.rsm = rsm.ResultSetMetadata.limit(10)
    first = await benvolio.send(GET, CHANNELS, request)
    check(ids(first) == more[::-1][:10] and first.rsm.count == 14, first.rsm)
    request.rsm = first.rsm.next_page(10)
    rest = await benvolio.send(GET, CHANNELS, request)
    check(ids(rest) == [*more[::-1][10:], reply, post], ids(rest))
    check(ids(await benvolio.pubsub.get_items_by_id(CHANNELS, POSTS, [reply])) == [reply], 'one by its name')
    recent = await asks(romeo, RecentItems(30), rsm.ResultSetMetadata.limit(5))
    check(ids(recent) == more[::-1][:5] and recent.rsm.last is not None, recent)
    parents = await asks(romeo, RecentItems(30, parent_only=True))
    check(ids(parents) == [*more[::-1], post], parents)
    check(reply in ids(await asks(romeo, Replies(POSTS, post))), 'the reply')
    says('items, recent items and replies are read, page by page')
    await juliet.pubsub.retract(CHANNELS, POSTS, post, notify=True)
    await benvolio.hears('retracted', lambda heard: heard == (POSTS, post))
    says('a post goes, and all are told')


async def topic(romeo, benvolio, tybalt):
    await create(benvolio, TOPIC, {'pubsub#title': 'Streets of Verona', 'pubsub#access_model': 'authorize',
                                   'buddycloud#default_affiliation': 'publisher'})
    await benvolio.pubsub.change_node_affiliations(CHANNELS, TOPIC, [(ROMEO, 'moderator')])
    mine = await romeo.send(GET, CHANNELS, pubsub_xso.Request(pubsub_xso.Affiliations()))
    check((TOPIC, 'moderator') in [(a.node, a.affiliation) for a in mine.payload.affiliations], mine)
    answer = await tybalt.pubsub.subscribe(CHANNELS, TOPIC)
    check(answer.payload.subscription == 'pending', answer.payload)
    asked = await romeo.hears('message', lambda message: message.xep0004_data)
    data = asked.xep0004_data[0]
    check(values_of(data)['pubsub#subscriber_jid'] == ['tybalt@localhost'], values_of(data))
    reply = aioxmpp.Message(to=asked.from_, type_=aioxmpp.MessageType.NORMAL)
    data.type_ = forms.DataType.SUBMIT
    next(field for field in data.fields if field.var == 'pubsub#allow').values[:] = ['true']
    reply.xep0004_data.append(data)
    await romeo.client.send(reply)
    every = await romeo.pubsub.get_node_subscriptions(CHANNELS, TOPIC)
    check((TYBALT, 'subscribed') in [(s.jid, s.subscription) for s in every.payload.subscriptions], every)
    rude = await tybalt.pubsub.publish(CHANNELS, TOPIC, Entry(content='Boy, this shall not excuse'))
    await benvolio.hears('published', lambda heard: heard[1].id_ == rude)
    await romeo.pubsub.change_node_affiliations(CHANNELS, TOPIC, [(TYBALT, 'outcast')])
    await romeo.pubsub.retract(CHANNELS, TOPIC, rude)
    for request in (tybalt.pubsub.get_items(CHANNELS, TOPIC), tybalt.pubsub.subscribe(CHANNELS, TOPIC),
                    tybalt.pubsub.publish(CHANNELS, TOPIC, Entry(content='I hate the word'))):
        await refused(request, 'FORBIDDEN')
    await refused(romeo.pubsub.delete(CHANNELS, TOPIC), 'FORBIDDEN')
    await benvolio.pubsub.delete(CHANNELS, TOPIC)
    says('a topic channel: the moderator approves, bans and cleans up, the owner closes it')


async def ephemeral(juliet, romeo):
    node = await create(juliet, None, {'buddycloud#ephemeral': 'true'})
    await romeo.pubsub.subscribe(CHANNELS, node)
    said = await romeo.pubsub.publish(CHANNELS, node, Entry(content='Good night, good night!'))
    await juliet.hears('published', lambda heard: heard[1].id_ == said)
    await refused(juliet.pubsub.delete(CHANNELS, node), 'NOT_ALLOWED')
    await juliet.pubsub.unsubscribe(CHANNELS, node)
    check(said in ids(await romeo.pubsub.get_items(CHANNELS, node)), 'it is there while romeo is')
    await romeo.pubsub.unsubscribe(CHANNELS, node)
    await refused(juliet.pubsub.get_items(CHANNELS, node), 'ITEM_NOT_FOUND')
    says('an ephemeral channel goes with the last who leaves')


async def farewell(juliet, romeo, benvolio):
    await benvolio.pubsub.unsubscribe(CHANNELS, POSTS)
    await refused(benvolio.pubsub.unsubscribe(CHANNELS, POSTS), 'UNEXPECTED_REQUEST', 'not-subscribed')
    away = aioxmpp.ibr.Query()
    away.remove = True
    await juliet.send(SET, CHANNELS, away)
    await romeo.hears('deleted', lambda heard: heard[0] == POSTS)
    await refused(romeo.pubsub.get_items(CHANNELS, POSTS), 'ITEM_NOT_FOUND')
    says('juliet takes her channel away')


async def story():
    people = juliet, romeo, benvolio, tybalt = [
        await Person(name).enter() for name in ('juliet', 'romeo', 'benvolio', 'tybalt')]
    await own_channel(juliet)
    await following(juliet, romeo, benvolio)
    await posts(juliet, romeo, benvolio)
    await topic(romeo, benvolio, tybalt)
    await ephemeral(juliet, romeo)
    await farewell(juliet, romeo, benvolio)
    for person in people:
        await person.leave()


live(story)
