"""slixmpp logs in, says something to itself and leaves; see ways.ts for the settings on standard input."""
import asyncio
import json
import ssl
import sys

import slixmpp

SETTINGS = json.load(sys.stdin)
LIMIT = 30
TEXT = 'Is there anybody there? said the Traveller'


def context():
    made = ssl.create_default_context(cafile=SETTINGS['ca'])
    version = ssl.TLSVersion.TLSv1_2 if SETTINGS['tls'] == '1.2' else ssl.TLSVersion.TLSv1_3
    made.minimum_version = made.maximum_version = version
    return made


async def main():
    client = slixmpp.ClientXMPP(SETTINGS['jid'], SETTINGS['password'])
    client.ssl_context = context()
    client.get_ssl_context = lambda: client.ssl_context
    heard = asyncio.Queue()
    client.add_event_handler('message', heard.put_nowait)
    failed = asyncio.get_running_loop().create_future()

    def fails(reason):
        if not failed.done():
            failed.set_exception(RuntimeError(f'login failed: {reason}'))

    client.add_event_handler('failed_all_auth', fails)
    client.add_event_handler('ssl_invalid_chain', fails)
    client.add_event_handler('connection_failed', fails)
    started = asyncio.ensure_future(client.wait_until('session_start', LIMIT))
    direct = SETTINGS['transport'] == 'direct'
    client.connect(
        (SETTINGS['host'], SETTINGS['port']),
        use_ssl=direct, force_starttls=not direct, disable_starttls=direct)
    done, _ = await asyncio.wait((started, failed), return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        one.result()
    tls = client.transport.get_extra_info('ssl_object')
    print('ok logged in over', tls.version(), flush=True)
    client.send_presence()
    await client.get_roster()
    client.send_message(client.boundjid.bare, TEXT, mtype='chat')
    message = await asyncio.wait_for(heard.get(), LIMIT)
    if message['body'] != TEXT or message['from'] != client.boundjid:
        raise AssertionError(f'heard {message}')
    print('ok heard', flush=True)
    client.disconnect()
    await asyncio.wait_for(client.disconnected, LIMIT)
    print('ok left', flush=True)


asyncio.get_event_loop().run_until_complete(main())
