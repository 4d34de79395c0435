import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, firstChild, type Element } from '../../../core/xml/element'
import { scenario } from '../../lib/wire'
import { command, COMMANDS, form, outcome, sessionOf, startWithCommands } from './commands'

/** The actions that an answer offers, the default first. */
function actionsOf(answer: Element): string[] {
  const actions = childOf(childOf(answer, 'command') as Element, 'actions')
  return actions ? [actions.attrs.execute as string, ...childrenOf(actions).map(({ name }) => name)] : []
}

function titleOf(answer: Element): string {
  const x = childOf(childOf(answer, 'command') as Element, 'x')
  return (x && firstChild(x)?.getText()) ?? ''
}

test('XEP-0050 §2.4.1: a command of no stage is completed at once', async t => {
  const server = await startWithCommands(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (const action of ["action='execute'", '']) {
      juliet.send(
        `<iq type='set' to='localhost' id='exec1'><command xmlns='${COMMANDS}' node='list' ${action}/></iq>`
      )
      await juliet.receives(
        `<iq type='result' id='exec1' from='localhost'>
           <command xmlns='${COMMANDS}' node='list' sessionid='*' status='completed'><x xmlns='jabber:x:data' type='result'/></command>
         </iq>`
      )
    }
    // §3.3: an id is never used again
    const ids = [await command(juliet, { node: 'list' }), await command(juliet, { node: 'list' })].map(
      sessionOf
    )
    assert.notEqual(ids[0], ids[1])
    // §3.6: what failed is completed too, with a note
    await juliet.sends(
      `<iq type='set' to='localhost' id='f'><command xmlns='${COMMANDS}' node='fails'/></iq>`
    )
    await juliet.receives(
      `<iq type='result' id='f'><command xmlns='${COMMANDS}' status='completed'><note type='error'>It did not work.</note></command></iq>`
    )
  })
})

test('XEP-0050 §2.4.2: three stages, back and forth', async t => {
  const server = await startWithCommands(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const first = await command(juliet, { node: 'config', action: 'execute' })
    const sessionid = sessionOf(first)
    const goes = (attrs: Record<string, string>, content = ''): Promise<Element> =>
      command(juliet, { node: 'config', sessionid, ...attrs }, content)
    assert.equal(outcome(first), 'executing')
    assert.deepEqual(actionsOf(first), ['next', 'next'])

    const second = await goes({ action: 'next' }, form({ service: 'httpd' }))
    assert.equal(titleOf(second), 'runmodes of httpd')
    assert.deepEqual(actionsOf(second), ['next', 'prev', 'next'])

    // what was said is still in the form
    const back = await goes({ action: 'prev' })
    assert.equal(titleOf(back), 'service')
    assert.match(back.toString(), /<value>httpd<\/value>/)

    // §3.4: execute is the default, and what `execute` names
    assert.equal(
      titleOf(await goes({ action: 'execute' }, form({ service: 'postgresql' }))),
      'runmodes of postgresql'
    )
    const third = await goes({}, form({ runmode: '3' }))
    assert.deepEqual(actionsOf(third), ['complete', 'prev', 'complete'])
    const done = await goes({ action: 'complete' }, form({ state: 'off' }))
    assert.equal(outcome(done), 'completed')
    assert.match(done.toString(), /postgresql 3 off/)
    assert.equal(sessionOf(done), sessionid)
    // the session has ended
    assert.equal(outcome(await goes({}, form({ state: 'on' }))), 'cancel not-allowed +session-expired')
  })
})

test('XEP-0050 §2.4.3: canceling is always possible, and ends the session', async t => {
  const server = await startWithCommands(t, { sessionsPerUser: 1 })
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (const stages of [[], [{ service: 'httpd' }]] as Record<string, string>[][]) {
      const sessionid = sessionOf(await command(juliet, { node: 'config' }))
      for (const said of stages) await command(juliet, { node: 'config', sessionid }, form(said))
      const canceled = await command(juliet, { node: 'config', sessionid, action: 'cancel' })
      assert.equal(outcome(canceled), 'canceled')
      assert.equal(sessionOf(canceled), sessionid)
      const again = await command(juliet, { node: 'config', sessionid, action: 'cancel' })
      assert.equal(outcome(again), 'cancel not-allowed +session-expired')
    }
  })
})

test('XEP-0050 §4.4: errors', async t => {
  const server = await startWithCommands(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const sessionid = sessionOf(await command(juliet, { node: 'config' }))
    const inSession = { node: 'config', sessionid }
    const cases: [string, Record<string, string>, string?][] = [
      ['modify bad-request', {}],
      ['cancel item-not-found', { node: 'unknown' }],
      ['cancel forbidden', { node: 'restart' }],
      ['modify bad-request +malformed-action', { node: 'config', action: 'dance' }],
      ['modify bad-request +malformed-action', { ...inSession, action: '' }],
      // begins with another action, or with none that is possible at this stage
      ...['next', 'prev', 'complete', 'cancel'].map(
        action =>
          ['modify bad-request +bad-action', { node: 'config', action }] as [string, Record<string, string>]
      ),
      ['modify bad-request +bad-action', { ...inSession, action: 'prev' }],
      ['modify bad-request +bad-action', { ...inSession, action: 'complete' }, form({ service: 'httpd' })],
      ['modify bad-request +bad-payload', inSession],
      // §4.1: not empty
      ['modify bad-request +bad-sessionid', { node: 'config', sessionid: '' }],
      ['cancel not-allowed +session-expired', { node: 'config', sessionid: 'unknown' }],
      // a session is of one command
      ['cancel not-allowed +session-expired', { node: 'list', sessionid }]
    ]
    for (const [wanted, attrs, content] of cases) {
      assert.equal(outcome(await command(juliet, attrs, content)), wanted, JSON.stringify(attrs))
    }
    // None of that ended the session. §4.1: a status from the requester means nothing
    const next = await command(juliet, { ...inSession, status: 'completed' }, form({ service: 'httpd' }))
    assert.equal(titleOf(next), 'runmodes of httpd')
    // a command is set, not got
    const got = await juliet.request(
      `<iq type='get' to='localhost'><command xmlns='${COMMANDS}' node='list'/></iq>`
    )
    assert.equal(outcome(got), 'cancel service-unavailable')
  })
})

test('a form that cannot be taken is shown again, with the reason and what was typed', async t => {
  const server = await startWithCommands(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const sessionid = sessionOf(await command(juliet, { node: 'config' }))
    const says = (content: string): Promise<Element> =>
      command(juliet, { node: 'config', sessionid }, content)
    const noteOf = (answer: Element): string =>
      childOf(childOf(answer, 'command') as Element, 'note')?.getText() ?? ''
    for (const [content, note] of [
      [form({ service: '' }), 'service: a value is required'],
      [form({ service: 'none' }), 'service: there is no such service'],
      [form({ service: 'httpd' }, 'result'), "the form must be of type 'submit'"]
    ] as const) {
      const answer = await says(content)
      assert.equal(outcome(answer), 'executing')
      assert.equal(noteOf(answer), note)
    }
    assert.match((await says(form({ service: 'none' }))).toString(), /<value>none<\/value>/)
    // §3.5.1: a form of type cancel counts as submitted
    assert.equal(titleOf(await says(form({ service: 'httpd' }, 'cancel'))), 'runmodes of httpd')
  })
})

test('XEP-0050 §3.7: the language of a session is that of its first request; answers say theirs', async t => {
  const server = await startWithCommands(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (const [onIq, onCommand] of [
      [`xml:lang='en-gb'`, ''],
      ['', `xml:lang='en-gb'`],
      // whose language stays what it is
      [`xml:lang='fr-ca'`, '']
    ] as const) {
      const first = await juliet.request(
        `<iq type='set' to='localhost' ${onIq}><command xmlns='${COMMANDS}' node='config' ${onCommand}/></iq>`
      )
      assert.equal(childOf(first, 'command')?.attrs['xml:lang'], 'en')
      const attrs = { node: 'config', sessionid: sessionOf(first), 'xml:lang': 'de' }
      await command(juliet, attrs, form({ service: 'httpd' }))
      await command(juliet, attrs, form({ runmode: '3' }))
      assert.match(
        (await command(juliet, attrs, form({ state: 'off' }))).toString(),
        new RegExp(`httpd 3 off ${(onIq || onCommand).slice(10, -1)}`)
      )
    }
  })
})
