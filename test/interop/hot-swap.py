"""juliet and romeo, two clients of slixmpp, chat without a pause while the server's modules are swapped.

Reads its settings as one line of JSON on standard input: {"host", "ports": {"tcp", "tls"}, "passwords":
{jid: password}}. Prints 'said N' for each number that was said and heard, until standard input ends; status 0 when
nothing was lost, nobody was disconnected and no error came.
"""
import asyncio
import json
import ssl
import sys

import slixmpp

SETTINGS = json.loads(sys.stdin.readline())
LIMIT = 60
# Every so many numbers the other things that a client does
OTHERS_EVERY = 10


class Person(slixmpp.ClientXMPP):
    def __init__(self, jid, trouble):
        super().__init__(jid, SETTINGS['passwords'][jid.split('/')[0]])
        for plugin in ('xep_0030', 'xep_0092', 'xep_0199'):
            self.register_plugin(plugin)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the server's own certificate
        self.get_ssl_context = lambda: context
        self.ssl_context = context
        self.heard = asyncio.Queue()
        self.trouble = trouble
        self.leaving = False
        self.add_event_handler('message', self.heard.put_nowait)
        self.add_event_handler('message_error', lambda stanza: self.fails(stanza))
        self.add_event_handler('presence_unavailable', lambda stanza: self.fails(stanza))
        self.add_event_handler('disconnected', lambda _: self.fails('disconnected'))
        self.add_event_handler('stream_error', self.fails)

    def fails(self, what):
        if not self.leaving and not self.trouble.done():
            self.trouble.set_exception(RuntimeError(f'{self.boundjid}: {what}'))

    async def enter(self, direct):
        started = self.wait_until('session_start', LIMIT)
        port = SETTINGS['ports']['tls' if direct else 'tcp']
        self.connect((SETTINGS['host'], port), use_ssl=direct, force_starttls=not direct, disable_starttls=direct)
        await started
        await self.get_roster()
        self.send_presence()

    async def leave(self):
        self.leaving = True
        self.disconnect()
        await asyncio.wait_for(self.disconnected, LIMIT)

    async def says(self, other, number):
        self.send_message(other.boundjid.full, str(number), mtype='chat')
        message = await asyncio.wait_for(other.heard.get(), LIMIT)
        if message['type'] != 'chat' or message['body'] != str(number) or message['from'] != self.boundjid:
            raise AssertionError(f'{number} was said, and heard was {message}')
        print('said', number, flush=True)

    async def does_others(self, number):
        """A result or an exception."""
        await self['xep_0199'].ping('localhost', timeout=LIMIT)
        await self['xep_0030'].get_info('channels.localhost', timeout=LIMIT)
        await self['xep_0092'].get_version('localhost', timeout=LIMIT)
        await self.update_roster('contact@example.org', name=str(number), timeout=LIMIT)
        await self.get_roster(timeout=LIMIT)
        name = self.client_roster['contact@example.org']['name']
        if name != str(number):
            raise AssertionError(f'the contact is named {name}, not {number}')


async def chat(trouble):
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    juliet, romeo = Person('juliet@localhost/balcony', trouble), Person('romeo@localhost/orchard', trouble)
    await juliet.enter(direct=False)
    await romeo.enter(direct=True)
    number = 0
    while not over.done():
        for speaker, listener in ((juliet, romeo), (romeo, juliet)):
            number += 1
            await speaker.says(listener, number)
            if number % OTHERS_EVERY == 0:
                await speaker.does_others(number)
    for person in (juliet, romeo):
        if not person.heard.empty():
            raise AssertionError(f'{person.boundjid} heard too much')
        await person.leave()


async def main():
    trouble = asyncio.get_running_loop().create_future()
    chatting = asyncio.ensure_future(chat(trouble))
    done, _ = await asyncio.wait((chatting, trouble), return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        one.result()


asyncio.get_event_loop().run_until_complete(main())
