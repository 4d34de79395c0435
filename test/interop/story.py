"""The story of the README, lived by slixmpp: one phase a run, told by its first argument.

Reads its settings as JSON on standard input: {"host", "ports": {"tcp", "tls"}, "passwords": {jid: password},
"tls": "1.2" | "1.3"}. Prints a line for each step and ends with status 0 when all of it came about.
"""
import asyncio
import json
import ssl
import sys
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.exceptions import IqError

SETTINGS = json.load(sys.stdin)
LIMIT = 30
PUBSUB = 'http://jabber.org/protocol/pubsub'
OWNER = PUBSUB + '#owner'
EVENT = PUBSUB + '#event'
ERRORS = PUBSUB + '#errors'
ATOM = 'http://www.w3.org/2005/Atom'
ACTIVITY = 'http://activitystrea.ms/spec/1.0/'
THREAD = 'http://purl.org/syndication/thread/1.0'
REVIEW = 'http://activitystrea.ms/schema/1.0/review'
BUDDYCLOUD = 'http://buddycloud.org/v1'
CHANNELS = 'channels.localhost'
POSTS = '/user/juliet@localhost/posts'


class Person(slixmpp.ClientXMPP):
    """A client that keeps what it receives until it is asked for."""

    def __init__(self, jid):
        super().__init__(jid, SETTINGS['passwords'][jid.split('/')[0]])
        for plugin in ('xep_0004', 'xep_0030', 'xep_0050', 'xep_0060', 'xep_0077', 'xep_0199'):
            self.register_plugin(plugin)
        self['feature_mechanisms'].unencrypted_plain = False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the server's own certificate
        version = ssl.TLSVersion.TLSv1_2 if SETTINGS.get('tls') == '1.2' else ssl.TLSVersion.TLSv1_3
        context.minimum_version = context.maximum_version = version
        self.get_ssl_context = lambda: context
        self.ssl_context = context
        self.inbox = asyncio.Queue()
        self.presences = asyncio.Queue()
        self.add_event_handler('message', self.inbox.put_nowait)  # those with a body
        self.add_event_handler('pubsub_publish', self.inbox.put_nowait)
        self.add_event_handler('presence_available', self.presences.put_nowait)
        self.auto_authorize = None
        self.auto_subscribe = False

    async def enter(self):
        started = self.wait_until('session_start', LIMIT)
        direct = SETTINGS.get('transport') == 'tls'
        port = SETTINGS['ports']['tls' if direct else 'tcp']
        self.connect((SETTINGS['host'], port), use_ssl=direct, force_starttls=not direct, disable_starttls=direct)
        await started
        await self.get_roster()
        self.send_presence()

    async def leave(self):
        self.disconnect()
        await asyncio.wait_for(self.disconnected, LIMIT)

    async def message(self, wanted):
        """The next message that the function takes."""
        async def search():
            while True:
                found = await self.inbox.get()
                if wanted(found):
                    return found
        return await asyncio.wait_for(search(), LIMIT)

    async def presence(self, sender):
        async def search():
            while True:
                found = await self.presences.get()
                if found['from'].bare == sender:
                    return found
        return await asyncio.wait_for(search(), LIMIT)

    async def iq(self, kind, to, payload):
        """Sends a payload and returns the result, or the IqError."""
        stanza = self.make_iq(itype=kind, ito=to)
        stanza.append(ET.fromstring(payload) if isinstance(payload, str) else payload)
        try:
            return await stanza.send(timeout=LIMIT)
        except IqError as error:
            return error


def says(step):
    print('ok', step, flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def condition_of(error):
    check(isinstance(error, IqError), f'an error was expected, got {error}')
    return error.iq['error']['condition']


def has(error, name):
    """Whether an application condition is in the error."""
    return error.iq.xml.find(f'.//{{{ERRORS}}}{name}') is not None


async def chat():
    juliet, romeo = Person('juliet@localhost/balcony'), Person('romeo@localhost/orchard')
    await juliet.enter()
    await romeo.enter()
    says(f'both are logged in, over TLS {SETTINGS.get("tls", "1.3")}')
    asked = romeo.wait_until('presence_subscribe', LIMIT)
    juliet.send_presence_subscription('romeo@localhost')
    await asked
    romeo.send_presence_subscription('juliet@localhost', ptype='subscribed')
    await juliet.presence('romeo@localhost')
    returned = juliet.wait_until('presence_subscribe', LIMIT)
    romeo.send_presence_subscription('juliet@localhost')
    await returned
    juliet.send_presence_subscription('romeo@localhost', ptype='subscribed')
    await romeo.presence('juliet@localhost')
    says('they see each other')
    juliet.send_message('romeo@localhost', 'Art thou not Romeo?', mtype='chat')
    heard = await romeo.message(lambda message: message['body'])
    check(heard['body'] == 'Art thou not Romeo?', heard)
    heard.reply('Neither, fair saint.').send()
    heard = await juliet.message(lambda message: message['body'])
    check(heard['body'] == 'Neither, fair saint.', heard)
    says('they chat')
    await juliet.leave()
    await romeo.leave()


def entry(content, extra=''):
    return (f"<entry xmlns='{ATOM}' xmlns:thr='{THREAD}' xmlns:activity='{ACTIVITY}' xmlns:review='{REVIEW}'>"
            f"<content>{content}</content>{extra}</entry>")


def publish(payload, node=POSTS):
    return f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'><item>{payload}</item></publish></pubsub>"


def reply_to(item, rating=None):
    extra = f"<thr:in-reply-to ref='{item}'/>"
    if rating is not None:
        extra += f'<activity:target><id>{item}</id></activity:target><review:rating>{rating}</review:rating>'
    return extra


async def channels():
    juliet, romeo = Person('juliet@localhost/balcony'), Person('romeo@localhost/orchard')
    await juliet.enter()
    await romeo.enter()
    registered = await juliet.iq('set', CHANNELS, "<query xmlns='jabber:iq:register'/>")
    check(not isinstance(registered, IqError), registered)
    info = await juliet['xep_0030'].get_info(jid=CHANNELS, node=POSTS)
    check(info['disco_info']['identities'], info)
    says('juliet has a channel')
    followed = await romeo['xep_0060'].subscribe(CHANNELS, POSTS)
    check(followed['pubsub']['subscription']['subscription'] == 'subscribed', followed)
    says('romeo follows it')

    since = '2020-01-01T00:00:00Z'
    posted = await juliet.iq('set', CHANNELS, publish(entry('O Romeo, Romeo!')))
    check(not isinstance(posted, IqError), posted)
    item = posted.xml.find(f'.//{{{PUBSUB}}}item').get('id')
    check(item.startswith(f'tag:{CHANNELS},{POSTS},'), item)
    note = await romeo.message(lambda message: message.xml.find(f'.//{{{ATOM}}}entry') is not None)
    check(note['type'] == 'headline' and note['from'] == CHANNELS, note)
    told = note.xml.find(f'.//{{{ATOM}}}entry')
    check(told.findtext(f'{{{ATOM}}}id') == item, 'the entry has the id of the item')
    check(told.findtext(f'{{{ATOM}}}author/{{{ATOM}}}name') == 'juliet@localhost', 'the author is juliet')
    for name in ('published', 'updated', 'title'):
        check(told.find(f'{{{ATOM}}}{name}') is not None, f'the server adds {name}')
    check(told.findtext(f'{{{ACTIVITY}}}verb') == 'post', 'the verb is post')
    check(told.find(f'{{{ACTIVITY}}}object/{{{ACTIVITY}}}object-type') is not None, 'there is an object')
    says('juliet posts, the server completes the entry, romeo is notified')

    refused = await romeo.iq('set', CHANNELS, publish(entry('I take thee at thy word', reply_to(item))))
    check(condition_of(refused) == 'forbidden', refused)
    says('a follower reads: the reply is forbidden')
    made = await juliet.iq('set', CHANNELS, (
        f"<pubsub xmlns='{OWNER}'><affiliations node='{POSTS}'>"
        "<affiliation jid='romeo@localhost' affiliation='publisher'/></affiliations></pubsub>"))
    check(not isinstance(made, IqError), made)
    for kind in ('posts', 'status', 'geoloc', 'public-key'):
        shown = await juliet.iq('get', CHANNELS, (
            f"<pubsub xmlns='{OWNER}'><affiliations node='/user/juliet@localhost/{kind}'/></pubsub>"))
        check(not isinstance(shown, IqError), shown)
        roles = {a.get('jid'): a.get('affiliation') for a in shown.xml.iter(f'{{{OWNER}}}affiliation')}
        check(roles.get('romeo@localhost') == 'publisher', f'{kind}: {roles}')
    says('juliet makes romeo follower+post, and every node of her channel shows it')
    replied = await romeo.iq('set', CHANNELS, publish(entry('I take thee at thy word', reply_to(item))))
    check(not isinstance(replied, IqError), replied)
    says('romeo replies in the thread')
    rated = await romeo.iq('set', CHANNELS, publish(entry('', reply_to(item, '5'))))
    check(not isinstance(rated, IqError), rated)
    again = await romeo.iq('set', CHANNELS, publish(entry('', reply_to(item, '5'))))
    check(has(again, 'item-already-rated'), again)
    says('romeo rates the post 5, once')

    for parent_only, least in ((False, 3), (True, 1)):
        asked = f"<recent-items xmlns='{BUDDYCLOUD}' since='{since}' max='10'"
        asked += " parent-only='true'/>" if parent_only else '/>'
        recent = await romeo.iq('get', CHANNELS, f"<pubsub xmlns='{PUBSUB}'>{asked}</pubsub>")
        check(not isinstance(recent, IqError), recent)
        found = [i for i in recent.xml.iter(f'{{{PUBSUB}}}item')]
        check(len(found) == least, f'parent-only {parent_only}: {len(found)} items')
    says('romeo asks for recent items, with replies and without')
    await juliet.leave()
    await romeo.leave()


ADMIN = 'http://jabber.org/protocol/admin'
OWN = 'urn:balcony:admin'


async def command(person, host, node, values=None):
    """Executes a command, and fills in its form."""
    adhoc = person['xep_0050']
    answer = await adhoc.send_command(host, node, action='execute', timeout=LIMIT)
    if values is None:
        return answer
    form = person['xep_0004'].make_form(ftype='submit')
    asked = {f.get('var'): f.findtext('{jabber:x:data}value') for f in answer.xml.iter('{jabber:x:data}field')}
    form.add_field(var='FORM_TYPE', ftype='hidden', value=asked['FORM_TYPE'])
    for name, value in values.items():
        form.add_field(var=name, value=value)
    return await adhoc.send_command(
        host, node, action='complete', payload=form.xml, sessionid=answer['command']['sessionid'], timeout=LIMIT)


async def buddies_of(person, host):
    answer = await command(person, host, f'{OWN}#server-buddy-list')
    rows = {}
    for row in answer.xml.iter('{jabber:x:data}item'):
        fields = {f.get('var'): f.findtext('{jabber:x:data}value') or '' for f in row}
        rows[fields['peerjid']] = fields['subscription']
    return rows


async def agree(person):
    for host, peer in (('localhost', CHANNELS), (CHANNELS, 'localhost')):
        for _ in range(200):
            if await buddies_of(person, host) == {peer: 'both'}:
                break
            await asyncio.sleep(0.05)
        check(await buddies_of(person, host) == {peer: 'both'}, f'{host} has {peer} as a buddy')


async def admin():
    person = Person('admin@localhost/globe')
    await person.enter()
    listed = await person['xep_0050'].get_commands('localhost')
    nodes = [node for _, node, _ in listed['disco_items']['items']]
    check(f'{ADMIN}#server-buddy' in nodes, nodes)
    says('admin sees the commands')
    asked = await command(person, 'localhost', f'{ADMIN}#server-buddy', {'peerjid': CHANNELS})
    check(asked['command']['status'] == 'completed', asked)
    await person.message(lambda message: message['from'] == CHANNELS)
    says('admin is asked by the host that has the request')
    pending = await command(person, CHANNELS, f'{OWN}#server-buddy-pending')
    check('localhost' in [v.text for v in pending.xml.iter('{jabber:x:data}value')], pending)
    approved = await command(
        person, CHANNELS, f'{OWN}#server-buddy-pending', {'peers': 'localhost', 'decision': 'approve'})
    check(approved['command']['status'] == 'completed', approved)
    says('the request is approved where it waits')
    policy = await command(person, CHANNELS, f'{OWN}#server-buddy-policy', {'policy': 'always'})
    check(policy['command']['status'] == 'completed', policy)
    says('the policy is changed by command')
    await agree(person)
    says('both hosts are in each other\'s server roster')
    await person.leave()


async def after_restart():
    person = Person('admin@localhost/globe')
    await person.enter()
    await agree(person)
    policy = await command(person, CHANNELS, f'{OWN}#server-buddy-policy')
    field = next(f for f in policy.xml.iter('{jabber:x:data}field') if f.get('var') == 'policy')
    check(field.findtext('{jabber:x:data}value') == 'always', 'the policy is still there')
    says('the buddies and the policy have survived')
    await posts()
    await person.leave()


async def abroad():
    """The channels are a component of a server that is not ours: it has no commands, they do."""
    person = Person('admin@localhost/globe')
    await person.enter()
    listed = await person['xep_0050'].get_commands(CHANNELS)
    nodes = [node for _, node, _ in listed['disco_items']['items']]
    check(f'{OWN}#server-buddy-policy' in nodes, nodes)
    says('admin sees the commands of the channels')
    policy = await command(person, CHANNELS, f'{OWN}#server-buddy-policy', {'policy': 'listed'})
    check(policy['command']['status'] == 'completed', policy)
    shown = await command(person, CHANNELS, f'{OWN}#server-buddy-policy')
    field = next(f for f in shown.xml.iter('{jabber:x:data}field') if f.get('var') == 'policy')
    check(field.findtext('{jabber:x:data}value') == 'listed', 'the policy has changed')
    says('a policy is changed')
    romeo = Person('romeo@localhost/orchard')
    await romeo.enter()
    listed = await romeo['xep_0050'].get_commands(CHANNELS)
    check(not list(listed['disco_items']['items']), 'romeo sees none')
    says('others see none')
    await romeo.leave()
    await person.leave()


async def posts():
    romeo = Person('romeo@localhost/orchard')
    await romeo.enter()
    items = await romeo['xep_0060'].get_items(CHANNELS, POSTS)
    check(len(list(items.xml.iter(f'{{{PUBSUB}}}item'))) == 3, items)
    says('the posts have survived')
    await romeo.leave()


PHASES = {'chat': chat, 'channels': channels, 'admin': admin, 'after-restart': after_restart, 'abroad': abroad,
          'posts': posts}
asyncio.get_event_loop().run_until_complete(asyncio.wait_for(PHASES[sys.argv[1]](), 4 * LIMIT))
