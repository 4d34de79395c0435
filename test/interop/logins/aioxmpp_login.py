"""aioxmpp logs in, says something to itself and leaves; see ways.ts for the settings on standard input."""
import asyncio
import json
import sys

import OpenSSL.SSL
import aioxmpp
import aioxmpp.connector
import aioxmpp.dispatcher
import aioxmpp.security_layer

SETTINGS = json.load(sys.stdin)
LIMIT = 30
TEXT = 'Is there anybody there? said the Traveller'
VERSION = OpenSSL.SSL.TLS1_2_VERSION if SETTINGS['tls'] == '1.2' else OpenSSL.SSL.TLS1_3_VERSION


connections = []


def context():
    made = aioxmpp.security_layer.default_ssl_context()
    made.set_min_proto_version(VERSION)
    made.set_max_proto_version(VERSION)
    made.load_verify_locations(SETTINGS['ca'])
    made.set_info_callback(lambda connection, *_: connections.append(connection))
    return made


async def main():
    jid = aioxmpp.JID.fromstr(SETTINGS['jid'])
    connector = (
        aioxmpp.connector.XMPPOverTLSConnector() if SETTINGS['transport'] == 'direct'
        else aioxmpp.connector.STARTTLSConnector())
    client = aioxmpp.PresenceManagedClient(
        jid,
        aioxmpp.make_security_layer(SETTINGS['password'], ssl_context_factory=context),
        override_peer=[(SETTINGS['host'], SETTINGS['port'], connector)],
        max_initial_attempts=1)
    heard = asyncio.Queue()
    dispatcher = client.summon(aioxmpp.dispatcher.SimpleMessageDispatcher)
    dispatcher.register_callback(aioxmpp.MessageType.CHAT, None, heard.put_nowait)
    ended = asyncio.get_running_loop().create_future()
    client.on_stopped.connect(lambda: ended.done() or ended.set_result(None))
    client.on_failure.connect(lambda error: ended.done() or ended.set_exception(error))
    async with client.connected():
        print('ok logged in over', connections[-1].get_protocol_version_name(), flush=True)
        message = aioxmpp.Message(to=jid.bare(), type_=aioxmpp.MessageType.CHAT)
        message.body[None] = TEXT
        await client.send(message)
        back = await asyncio.wait_for(heard.get(), LIMIT)
        if back.body.any() != TEXT or back.from_ != client.local_jid:
            raise AssertionError(f'heard {back}')
        print('ok heard', flush=True)
    await asyncio.wait_for(ended, LIMIT)
    print('ok left', flush=True)


asyncio.get_event_loop().run_until_complete(asyncio.wait_for(main(), LIMIT))
