"""An administrator with slixmpp: commands through its own dialogue (xep_0050, xep_0133), forms through xep_0004.

Reads its settings as JSON on standard input: {"host", "port", "password"}; the phase is the first argument. Prints a
line for each step and ends with status 0 when all of it came about.
"""
import asyncio
import json
import sys

import slixmpp
from slixmpp.exceptions import IqError

SETTINGS = json.load(sys.stdin)
LIMIT = 30
HERE, THERE = 'localhost', 'peer.localhost'
ADMIN = 'http://jabber.org/protocol/admin'
OWN = 'urn:balcony:admin'


def says(step):
    print('ok', step, flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


class Person(slixmpp.ClientXMPP):
    def __init__(self, jid):
        super().__init__(jid, SETTINGS['password'])
        for plugin in ('xep_0004', 'xep_0030', 'xep_0050', 'xep_0133'):
            self.register_plugin(plugin)
        self.inbox = asyncio.Queue()
        self.add_event_handler('message', self.inbox.put_nowait)

    async def enter(self):
        started = self.wait_until('session_start', LIMIT)
        self.connect((SETTINGS['host'], SETTINGS['port']), disable_starttls=True)
        await started
        self.send_presence()

    async def leave(self):
        self.disconnect()
        await asyncio.wait_for(self.disconnected, LIMIT)

    async def names(self, jid):
        """The commands there, as xep_0133 asks for them."""
        listed = await self['xep_0133'].get_commands(jid)
        return {node: name for _, node, name in listed['disco_items']['items']}

    async def message(self, wanted):
        async def search():
            while True:
                found = await self.inbox.get()
                if wanted(found):
                    return found
        return await asyncio.wait_for(search(), LIMIT)


class Dialogue:
    """One run of a command in slixmpp's own session, a turn at a time."""

    def __init__(self, person):
        self.adhoc = person['xep_0050']
        self.forms = person['xep_0004']
        self.session = {'next': self.answered, 'error': self.answered}
        self.answers = asyncio.Queue()

    def answered(self, iq, session):
        self.session = session
        self.answers.put_nowait(iq)

    async def answer(self):
        self.iq = await asyncio.wait_for(self.answers.get(), LIMIT)
        return self

    async def starts(self, start, jid=HERE):
        start(jid, session=self.session)
        return await self.answer()

    async def executes(self, node, jid=HERE):
        self.adhoc.start_command(jid, node, self.session)
        return await self.answer()

    async def goes(self, act, values=None):
        self.session['payload'] = None
        if values is not None:
            form = self.forms.make_form(ftype='submit')
            if 'FORM_TYPE' in self.fields:
                form.add_field(var='FORM_TYPE', ftype='hidden', value=self.fields['FORM_TYPE']['value'])
            for name, value in values.items():
                form.add_field(var=name, value=value)
            self.session['payload'] = [form]
        act(self.session)
        return await self.answer()

    def completes(self, values):
        return self.goes(self.adhoc.complete_command, values)

    def next(self, values):
        return self.goes(self.adhoc.continue_command, values)

    def prev(self):
        return self.goes(lambda session: self.adhoc.continue_command(session, direction='prev'))

    def cancels(self):
        return self.goes(self.adhoc.cancel_command)

    @property
    def status(self):
        return self.iq['command']['status']

    @property
    def actions(self):
        return self.iq['command']['actions']

    @property
    def notes(self):
        return self.iq['command']['notes']

    @property
    def fields(self):
        return self.iq['command']['form'].get_fields()

    def value(self, name):
        return self.fields[name]['value']


async def fails(person, node, values, jid=HERE):
    """The condition of the error that comes of a form."""
    adhoc = person['xep_0050']
    first = await adhoc.send_command(jid, node, timeout=LIMIT)
    form = person['xep_0004'].make_form(ftype='submit')
    form.add_field(var='FORM_TYPE', ftype='hidden', value=ADMIN)
    for name, value in values.items():
        form.add_field(var=name, value=value)
    try:
        await adhoc.send_command(
            jid, node, action='complete', payload=form, sessionid=first['command']['sessionid'], timeout=LIMIT)
    except IqError as error:
        return error.iq['error']['condition']
    raise AssertionError('an error was expected')


async def accounts():
    person = Person('admin@localhost/globe')
    await person.enter()
    at_host, at_account = await person.names(HERE), await person.names('admin@localhost')
    check(at_host[f'{ADMIN}#add-user'] == 'Add User', at_host)
    check(f'{ADMIN}#server-buddy' in at_account, at_account)
    says('the commands are at the host and at the own account')

    admin = person['xep_0133']
    add = await Dialogue(person).starts(admin.add_user)
    check(add.status == 'executing' and add.fields['accountjid']['type'] == 'jid-single', add.iq)
    check(add.fields['accountjid']['required'] and add.fields['password']['type'] == 'text-private', add.iq)
    said = {'accountjid': 'nurse@localhost', 'password': 'a long secret', 'given_name': 'Angelica'}
    await add.completes({**said, 'password-verify': 'another secret'})
    check(add.status == 'executing', add.iq)
    check(any(kind == 'error' and 'password-verify' in text for kind, text in add.notes), add.notes)
    check(add.value('given_name') == 'Angelica' and add.value('accountjid') == 'nurse@localhost', add.iq)
    says('wrong input is shown again with what was typed')
    await add.completes({**said, 'password-verify': 'a long secret'})
    check(add.status == 'completed', add.iq)
    says('a user is added')
    check(await fails(person, f'{ADMIN}#add-user', {**said, 'password-verify': 'a long secret'}) == 'conflict', '')
    check(await fails(person, f'{ADMIN}#delete-user', {'accountjids': ['ghost@localhost']}) == 'item-not-found', '')
    says('errors are those of XEP-0133')
    twice = await Dialogue(person).starts(admin.add_user)
    await twice.completes({**said, 'password-verify': 'a long secret'})
    check(twice.iq['error']['condition'] == 'conflict', twice.iq)
    says('an error finds its dialogue')

    number = await Dialogue(person).starts(admin.get_registered_users_num)
    check(number.status == 'completed' and number.value('registeredusersnum') == '3', number.iq)
    users = await Dialogue(person).starts(admin.get_registered_users_list)
    await users.completes({'max_items': '25'})
    check('nurse@localhost' in users.value('registereduserjids'), users.iq)
    says('they are counted and listed')

    delete = await Dialogue(person).starts(admin.delete_user, 'admin@localhost')
    await delete.cancels()
    check(delete.status == 'canceled', delete.iq)
    delete = await Dialogue(person).starts(admin.delete_user, 'admin@localhost')
    await delete.completes({'accountjids': ['nurse@localhost']})
    check(delete.status == 'completed', delete.iq)
    number = await Dialogue(person).starts(admin.get_registered_users_num)
    check(number.value('registeredusersnum') == '2', number.iq)
    says('a command is canceled, and run at the own account')

    romeo = Person('romeo@localhost/orchard')
    await romeo.enter()
    check(await romeo.names(HERE) == {}, 'romeo sees none')
    refused = await Dialogue(romeo).starts(romeo['xep_0133'].delete_user)
    check(refused.iq['error']['condition'] == 'forbidden', refused.iq)
    says('others see none and run none')
    await romeo.leave()
    await person.leave()


async def buddies():
    person = Person('admin@localhost/globe')
    await person.enter()
    ask = await Dialogue(person).executes(f'{ADMIN}#server-buddy')
    check(ask.fields['peerjid']['type'] == 'jid-single' and ask.fields['peerjid']['required'], ask.iq)
    await ask.completes({'peerjid': f'user@{THERE}'})
    check(ask.status == 'executing' and ask.value('peerjid') == f'user@{THERE}', ask.iq)
    await ask.completes({'peerjid': THERE})
    check(ask.status == 'completed' and ask.value('peerjid') == THERE, ask.iq)
    says('the request has left')
    prompt = await person.message(lambda message: message['from'] == THERE)
    check(f'The server {HERE} asks to be a buddy of {THERE}' in prompt['body'], prompt)
    form = prompt['form']
    answer = person['xep_0004'].make_form(ftype='submit')
    for name, field in form.get_fields().items():
        if field['type'] == 'hidden':
            answer.add_field(var=name, ftype='hidden', value=field['value'])
    answer.add_field(var='decision', value='approve')
    reply = person.make_message(mto=THERE, mtype='normal')
    reply.append(answer)
    reply.send()
    told = await person.message(lambda message: message['from'] == THERE)
    check(f'{HERE} was approved' in told['body'], told)
    says('the form in the message approves')
    await person.leave()


async def stages():
    person = Person('juliet@localhost/balcony')
    await person.enter()
    run = await Dialogue(person).executes('config')
    check(run.actions == {'next'}, run.iq)
    await run.next({'service': 'none'})
    check(run.status == 'executing' and run.value('service') == 'none', run.iq)
    await run.next({'service': 'httpd'})
    check(run.iq['command']['form']['title'] == 'runmodes of httpd' and run.actions == {'prev', 'next'}, run.iq)
    await run.prev()
    check(run.value('service') == 'httpd', run.iq)
    await run.next({'service': 'postgresql'})
    await run.next({'runmode': '3'})
    check(run.actions == {'prev', 'complete'}, run.iq)
    await run.completes({'state': 'off'})
    check(run.status == 'completed' and 'postgresql 3 off' in run.notes[0][1], run.iq)
    says('three stages, back and forth')
    await person.leave()


PHASES = {'accounts': accounts, 'buddies': buddies, 'stages': stages}
asyncio.get_event_loop().run_until_complete(asyncio.wait_for(PHASES[sys.argv[1]](), 2 * LIMIT))
