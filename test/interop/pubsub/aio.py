"""People with aioxmpp, for the scripts beside this one; settings as JSON on standard input (server.ts)."""
import asyncio
import json
import logging
import sys
import traceback

import aioxmpp
import aioxmpp.connector
import aioxmpp.dispatcher
import aioxmpp.forms as forms
import aioxmpp.pubsub.xso as pubsub_xso
import aioxmpp.rsm.xso as rsm
import aioxmpp.xso as xso

SETTINGS = json.load(sys.stdin)
PUBSUB, CHANNELS = (aioxmpp.JID.fromstr(SETTINGS[name]) for name in ('pubsub', 'channels'))
LIMIT = 30
NS = 'http://jabber.org/protocol/pubsub'
ERRORS = f'{NS}#errors'
ATOM = 'http://www.w3.org/2005/Atom'
THREAD = 'http://purl.org/syndication/thread/1.0'
IQ = aioxmpp.IQ
GET, SET = aioxmpp.IQType.GET, aioxmpp.IQType.SET

# aioxmpp leaves it to others to say that <set/> is in <pubsub/> (XEP-0060 §6.5.4)
pubsub_xso.Request.rsm = xso.Child([rsm.ResultSetMetadata])
# aioxmpp 0.13 drops each notification of a subscription that is for ever; `expiry` is optional (§17.3)
FOREVER = "missing attribute expiry on {http://jabber.org/protocol/pubsub#event}subscription"

faults = []


class Faults(logging.Handler):
    """The library says in its log what it could not parse."""

    def emit(self, record):
        text = record.getMessage()
        if 'erroneous stanza received' in text or record.levelno >= logging.ERROR:
            why = causes(record.exc_info[1] if record.exc_info else None)
            if FOREVER not in why:
                faults.append(f'{text}: {why}')


def causes(error):
    told = []
    while error is not None:
        told.append(repr(error))
        error = error.__cause__ or error.__context__
    return ' < '.join(told)


logging.getLogger('aioxmpp').setLevel(logging.DEBUG)
logging.getLogger('aioxmpp').addHandler(Faults())
logging.getLogger('aioxmpp').propagate = False



class ReplyTo(xso.XSO):
    TAG = (THREAD, 'in-reply-to')
    ref = xso.Attr('ref')

    def __init__(self, ref=None):
        super().__init__()
        self.ref = ref


class Author(xso.XSO):
    TAG = (ATOM, 'author')
    name = xso.ChildText((ATOM, 'name'), default=None)


@pubsub_xso.as_payload_class
class Entry(xso.XSO):
    """An Atom entry, as far as the stories need it."""
    TAG = (ATOM, 'entry')
    id_ = xso.ChildText((ATOM, 'id'), default=None)
    title = xso.ChildText((ATOM, 'title'), default=None, attr_policy=xso.UnknownAttrPolicy.DROP)
    content = xso.ChildText((ATOM, 'content'), default=None, attr_policy=xso.UnknownAttrPolicy.DROP)
    published = xso.ChildText((ATOM, 'published'), type_=xso.DateTime(), default=None)
    author = xso.Child([Author])
    reply_to = xso.Child([ReplyTo])

    def __init__(self, title=None, content=None, reply_to=None):
        super().__init__()
        self.title = title
        self.content = content
        if reply_to is not None:
            self.reply_to = ReplyTo(reply_to)


class Person:
    """A client that keeps the signals of the pubsub service until it is asked for them."""

    def __init__(self, name):
        self.jid = aioxmpp.JID.fromstr(f'{name}@localhost/aioxmpp')
        self.client = aioxmpp.PresenceManagedClient(
            self.jid,
            aioxmpp.make_security_layer(SETTINGS['passwords'][f'{name}@localhost'], no_verify=True),
            override_peer=[(SETTINGS['host'], SETTINGS['port'], aioxmpp.connector.STARTTLSConnector())],
            max_initial_attempts=1,
            logger=logging.getLogger(f'aioxmpp.{name}'))
        self.pubsub = self.client.summon(aioxmpp.PubSubClient)
        self.disco = self.client.summon(aioxmpp.DiscoClient)
        self.heard = {kind: asyncio.Queue() for kind in ('published', 'retracted', 'deleted', 'message')}
        self.pubsub.on_item_published.connect(
            lambda jid, node, item, message: self.heard['published'].put_nowait((node, item, message)) or False)
        self.pubsub.on_item_retracted.connect(
            lambda jid, node, id_, message: self.heard['retracted'].put_nowait((node, id_)) or False)
        self.pubsub.on_node_deleted.connect(
            lambda jid, node, redirect_uri, message: self.heard['deleted'].put_nowait((node, redirect_uri)) or False)
        dispatcher = self.client.summon(aioxmpp.dispatcher.SimpleMessageDispatcher)
        for kind in (aioxmpp.MessageType.NORMAL, aioxmpp.MessageType.CHAT):
            dispatcher.register_callback(kind, None, self.heard['message'].put_nowait)

    async def enter(self):
        self.context = self.client.connected()
        await asyncio.wait_for(self.context.__aenter__(), LIMIT)
        return self

    async def leave(self):
        await self.context.__aexit__(None, None, None)

    def send(self, kind, to, payload):
        return self.client.send(IQ(kind, to=to, payload=payload))

    async def hears(self, kind, wanted=lambda heard: True):
        """The next of a kind that the function takes; the ones before it are forgotten."""
        async def search():
            while True:
                found = await self.heard[kind].get()
                if wanted(found):
                    return found
        try:
            return await asyncio.wait_for(search(), LIMIT)
        except asyncio.TimeoutError:
            raise AssertionError(f'{self.jid} did not hear of: {kind}') from None


def form(form_type, values):
    """A form to be submitted."""
    made = forms.Data(type_=forms.DataType.SUBMIT)
    made.fields.append(forms.Field(type_=forms.FieldType.HIDDEN, var='FORM_TYPE', values=[f'{NS}#{form_type}']))
    for name, value in values.items():
        made.fields.append(forms.Field(var=name, values=[value]))
    return made


def values_of(data):
    return {field.var: list(field.values) for field in data.fields}


def says(step):
    print('ok', step, flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(str(what))


async def refused(request, condition, application=None):
    """That it is refused with this condition, and with one of the application's, if any."""
    try:
        answer = await request
    except aioxmpp.errors.XMPPError as error:
        check(error.condition == getattr(aioxmpp.ErrorCondition, condition), error)
        if application is not None:
            tag = getattr(error.application_defined_condition, 'TAG', None) or error.application_defined_condition.tag
            check(tag == (ERRORS, application) or tag == f'{{{ERRORS}}}{application}', tag)
        return
    raise AssertionError(f'not refused: {answer}')


def live(story):
    """Runs the story in its time, and looks at what the library could not parse."""
    async def told():
        await asyncio.wait_for(story(), SETTINGS['seconds'])
        check(not faults, f'aioxmpp complains: {faults}')
    try:
        asyncio.get_event_loop().run_until_complete(told())
    except BaseException:
        traceback.print_exc()
        print(faults, file=sys.stderr)
        sys.exit(1)
