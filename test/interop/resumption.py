"""slixmpp loses its connection and resumes its stream (XEP-0198); settings as JSON on standard input."""
import asyncio
import json
import sys

import slixmpp

SETTINGS = json.load(sys.stdin)
LIMIT = 30
ROUNDS = 5
BATCH = 20


def client(jid):
    made = slixmpp.ClientXMPP(jid, SETTINGS['password'])
    made.register_plugin('xep_0198')
    made.heard = []
    made.more = asyncio.Event()

    def hears(message):
        made.heard.append(message['body'])
        made.more.set()

    made.add_event_handler('message', hears)
    return made


def dials(who):
    who.connect((SETTINGS['host'], SETTINGS['port']), disable_starttls=True, force_starttls=False)


async def until(who, count):
    while len(who.heard) < count:
        who.more.clear()
        await asyncio.wait_for(who.more.wait(), LIMIT)


async def main():
    juliet, romeo = client(SETTINGS['juliet']), client(SETTINGS['romeo'])
    for who in (juliet, romeo):
        started = asyncio.ensure_future(who.wait_until('session_start', LIMIT))
        dials(who)
        await started
        who.send_presence()
    if not juliet['xep_0198'].enabled_out:
        await juliet.wait_until('sm_enabled', LIMIT)
    print('ok enabled', flush=True)
    again = []
    juliet.add_event_handler('session_start', again.append)
    sent = 0
    for turn in range(ROUNDS):
        for n in range(BATCH):
            romeo.send_message(SETTINGS['juliet'], str(sent), mtype='chat')
            sent += 1
            if n == BATCH // 2:
                resumed = asyncio.ensure_future(juliet.wait_until('session_resumed', LIMIT))
                gone = asyncio.ensure_future(juliet.wait_until('disconnected', LIMIT))
                juliet.transport.abort()
                await gone
        dials(juliet)
        await resumed
        await until(juliet, sent)
        # What slixmpp 1.8 has sent and does not know to be acknowledged it forgets when it resumes, so she speaks now
        juliet.send_message(SETTINGS['romeo'], str(turn), mtype='chat')
        await until(romeo, turn + 1)
    if juliet.heard != [str(n) for n in range(sent)]:
        raise AssertionError(f'juliet heard {juliet.heard}')
    if romeo.heard != [str(turn) for turn in range(ROUNDS)]:
        raise AssertionError(f'romeo heard {romeo.heard}')
    if again:
        raise AssertionError('a session began that should have been resumed')
    print(f'ok resumed {ROUNDS} times', flush=True)
    for who in (juliet, romeo):
        who.disconnect()
        await asyncio.wait_for(who.disconnected, LIMIT)
    print('ok left', flush=True)


asyncio.get_event_loop().run_until_complete(main())
