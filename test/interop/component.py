"""An external component made with slixmpp: echoes what is said to it, answers disco and ping, keeps names of its own.

Reads its settings as JSON on standard input: {"host", "port", "domain", "secret", "peer", "count"}. Speaks with `peer`
until it is told to leave, and ends with status 0 when all of it came about.
"""
import asyncio
import json
import sys

from slixmpp.componentxmpp import ComponentXMPP
from slixmpp.exceptions import IqError

SETTINGS = json.load(sys.stdin)
LIMIT = 30


def says(step):
    print('ok', step, flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


class Echo(ComponentXMPP):
    def __init__(self):
        super().__init__(SETTINGS['domain'], SETTINGS['secret'], SETTINGS['host'], SETTINGS['port'])
        for plugin in ('xep_0030', 'xep_0199'):
            self.register_plugin(plugin)
        self['xep_0030'].add_identity(category='gateway', itype='echo', name='An echo')
        self.farewell = asyncio.get_event_loop().create_future()
        self.refusal = asyncio.get_event_loop().create_future()
        self.heard = []
        self.add_event_handler('message', self.echo)
        self.add_event_handler('message_error', lambda message: None)
        self.add_event_handler('presence_subscribe', self.welcome)
        self.add_event_handler('stream_error', self.stream_error)

    def stream_error(self, error):
        if not self.refusal.done():
            self.refusal.set_result(error['condition'])

    def welcome(self, presence):
        """Whoever asks may see the name that they asked for."""
        self.send_presence(pto=presence['from'].bare, pfrom=presence['to'], ptype='subscribed')
        self.send_presence(pto=presence['from'].bare, pfrom=presence['to'])

    def echo(self, message):
        self.heard.append(message['body'])
        if message['body'] == 'farewell' and not self.farewell.done():
            self.farewell.set_result(None)
        message.reply(message['body']).send()


async def main():
    echo = Echo()
    started = echo.wait_until('session_start', LIMIT)
    echo.connect()
    await started
    says('the component is attached')
    # Names at its own domain are its own to write
    for number in range(SETTINGS['count']):
        echo.send_message(SETTINGS['peer'], f'number {number}', mtype='chat', mfrom=f"n{number % 7}@{SETTINGS['domain']}/r")
    pong = await echo['xep_0199'].send_ping('localhost', ifrom=f"someone@{SETTINGS['domain']}", timeout=LIMIT)
    check(pong['type'] == 'result', pong)
    info = await echo['xep_0030'].get_info(jid='localhost', ifrom=SETTINGS['domain'], timeout=LIMIT)
    check(any(category == 'server' for category, *_ in info['disco_info']['identities']), info)
    says('it asks the server')
    try:
        await echo['xep_0030'].get_info(jid='nobody@localhost/x', ifrom=SETTINGS['domain'], timeout=LIMIT)
        check(False, 'an error was expected')
    except IqError as error:
        # It looks for errors in jabber:client itself, whatever the stream's namespace is
        check(error.iq.xml.find('.//{urn:ietf:params:xml:ns:xmpp-stanzas}service-unavailable') is not None, error)
    await asyncio.wait_for(echo.farewell, 4 * LIMIT)
    says('it was told to leave')
    # It speaks for its own domain only
    echo.send_message(SETTINGS['peer'], 'forged', mfrom='localhost')
    check(await asyncio.wait_for(echo.refusal, LIMIT) == 'invalid-from', 'the stream ends')
    says('a name that is not its own ends the stream')
    echo.abort()


asyncio.get_event_loop().run_until_complete(asyncio.wait_for(main(), 6 * LIMIT))
