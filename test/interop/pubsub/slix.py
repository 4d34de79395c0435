"""People with slixmpp, for the scripts beside this one; settings as JSON on standard input (server.ts)."""
import asyncio
import json
import logging
import ssl
import sys
import traceback
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0059.stanza import Set
from slixmpp.plugins.xep_0060.stanza import Pubsub
from slixmpp.xmlstream import register_stanza_plugin

register_stanza_plugin(Pubsub, Set)  # slixmpp 1.8.3 pages through items, but does not say that <set/> is in <pubsub/>

SETTINGS = json.load(sys.stdin)
PUBSUB, CHANNELS = SETTINGS['pubsub'], SETTINGS['channels']
LIMIT = 30
DATA = '{jabber:x:data}'
EVENTS = ('publish', 'retract', 'purge', 'delete', 'config', 'subscription')
faults = []


class Faults(logging.Handler):
    """The library says in its log what it could not deal with."""

    def emit(self, record):
        faults.append(record.getMessage())


logging.getLogger('slixmpp').addHandler(Faults(logging.WARNING))


class Person(slixmpp.ClientXMPP):
    """A client that keeps the events of pubsub until it is asked for them."""

    def __init__(self, name):
        super().__init__(f'{name}@localhost/slixmpp', SETTINGS['passwords'][f'{name}@localhost'])
        for plugin in ('xep_0004', 'xep_0030', 'xep_0050', 'xep_0059', 'xep_0060', 'xep_0077', 'xep_0080', 'xep_0082',
                       'xep_0107'):
            self.register_plugin(plugin)
        self['feature_mechanisms'].unencrypted_plain = False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the server's own certificate
        self.ssl_context = context
        self.get_ssl_context = lambda: context
        self.pubsub = self['xep_0060']
        self.disco = self['xep_0030']
        self.heard = {kind: asyncio.Queue() for kind in (*EVENTS, 'message', 'form')}
        for kind in EVENTS:
            self.add_event_handler(f'pubsub_{kind}', self.heard[kind].put_nowait)
        self.add_event_handler('message', self.heard['message'].put_nowait)  # those with a body
        self.add_event_handler('message_xform', self.heard['form'].put_nowait)

    async def enter(self):
        started = self.wait_until('session_start', LIMIT)
        self.connect((SETTINGS['host'], SETTINGS['port']), force_starttls=True)
        await started
        await self.get_roster()
        self.send_presence()
        return self

    async def leave(self):
        self.disconnect()
        await asyncio.wait_for(self.disconnected, LIMIT)

    async def hears(self, kind, wanted=lambda event: True):
        """The next event of a kind that the function takes; the ones before it are forgotten."""
        async def search():
            while True:
                found = await self.heard[kind].get()
                if wanted(found):
                    return found
        try:
            return await asyncio.wait_for(search(), LIMIT)
        except asyncio.TimeoutError:
            raise AssertionError(f'{self.boundjid} did not hear of: {kind}') from None

    def form(self, form_type, values):
        """A form to be submitted."""
        form = self['xep_0004'].make_form(ftype='submit')
        form.add_field(var='FORM_TYPE', ftype='hidden', value=form_type)
        for name, value in values.items():
            form.add_field(var=name, value=value)
        return form


def says(step):
    print('ok', step, flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(str(what))


async def refused(request, condition, of_pubsub=''):
    """That it is refused with these conditions, which the library understands."""
    try:
        answer = await request
    except IqError as error:
        told = error.iq['error']
        check(told['condition'] == condition, error.iq)
        check(told['pubsub']['condition'] == of_pubsub, error.iq)
        return error
    raise AssertionError(f'not refused: {answer}')


def values_of(form):
    """The values of a form by name, as its XML has them; the library's own reading is beside it, where it has one."""
    return {field.get('var'): [value.text or '' for value in field.findall(f'{DATA}value')]
            for field in form.xml.findall(f'{DATA}field')}


def ids(answer):
    return [item['id'] for item in answer['pubsub']['items']]


def live(story):
    """Runs the story in its time, and looks at what the library logged."""
    async def told():
        await asyncio.wait_for(story(), SETTINGS['seconds'])
        check(not faults, f'slixmpp complains: {faults}')
    try:
        asyncio.get_event_loop().run_until_complete(told())
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
