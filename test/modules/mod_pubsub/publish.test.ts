import assert from 'node:assert/strict'
import test from 'node:test'
import {
  asks,
  ATOM,
  create,
  does,
  entry,
  event,
  iq,
  isRefused,
  NODE,
  onEachDatabase,
  OWNER,
  play,
  publish,
  PUBSUB,
  SERVICE,
  startPubsub,
  subscribe
} from './lib'

onEachDatabase(database => {
  test('XEP-0060 §7.1: an item is published, acknowledged, told to the subscriber and kept', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await asks(
        francisco,
        subscribe('francisco@localhost'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscription t:exact='yes' node='${NODE}'
           jid='francisco@localhost' subscription='subscribed'/></pubsub></iq>`
      )
      await asks(
        hamlet,
        publish('one'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><publish node='${NODE}'><item id='one'/></publish></pubsub></iq>`
      )
      await francisco.receives(
        `<message from='${SERVICE}' to='francisco@localhost' type='headline' id='*' t:exact='yes'>
           <event xmlns='${PUBSUB}#event'><items node='${NODE}'><item id='one'>
             <entry xmlns='${ATOM}'><title>soliloquy</title></entry></item></items></event></message>`
      )
      await asks(
        francisco,
        iq('get', `<items node='${NODE}'/>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}' t:exact='yes'><items node='${NODE}'><item id='one'>
           <entry xmlns='${ATOM}'><title>soliloquy</title></entry></item></items></pubsub></iq>`
      )
      await hamlet.receivesNothing()
    })
  })

  test('§7.1.2: the service makes an id where none is given', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      const made = `<item id='{made}'/>`
      await asks(
        hamlet,
        publish(undefined),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><publish node='${NODE}'>${made}</publish></pubsub></iq>`
      )
      await asks(
        hamlet,
        iq('get', `<items node='${NODE}'><item id='{made}'/></items>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${NODE}'>${made}</items></pubsub></iq>`
      )
    })
  })

  test('twenty publications at once: answers and events in the order of the requests', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe('francisco@localhost'))
      const numbers = Array.from({ length: 20 }, (_, i) => i)
      hamlet.write(numbers.map(i => publish(`n${i}`).replace('<iq', `<iq id='q${i}'`)).join(''))
      for (const i of numbers) {
        await hamlet.receives(`<iq type='result' id='q${i}'/>`)
        await francisco.receives(event(`<items node='${NODE}'><item id='n${i}'/></items>`))
      }
      const items = numbers.slice(-3).map(i => `<item id='n${i}'/>`)
      await asks(
        hamlet,
        iq('get', `<items node='${NODE}' max_items='3'/>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items t:ordered='yes'>${items.join('')}</items></pubsub></iq>`
      )
    })
  })

  test('§12.1: an item that is published again replaces the old one and is the newest', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      for (const id of ['a', 'b', 'a']) await does(hamlet, publish(id, `again ${id}`))
      const answer = await hamlet.request(iq('get', `<items node='${NODE}'/>`))
      assert.deepEqual(answer.toString().match(/id="[ab]"/g), ['id="b"', 'id="a"'])
    })
  })

  test('§7.1.2.5: a full node retracts the oldest item, discards it, or refuses the new one', async t => {
    const server = await startPubsub(t, database)
    const cases = { 'retract-oldest': true, 'discard-oldest': false, reject: undefined }
    await play(server, async ({ hamlet, francisco }) => {
      for (const [what, told] of Object.entries(cases)) {
        await does(hamlet, create({ max_items: '2', publish_node_full: what }, what))
        await does(francisco, subscribe('francisco@localhost', what))
        await does(hamlet, publish('1', 'x', what))
        await does(hamlet, publish('2', 'x', what))
        await francisco.forgets()
        if (told === undefined) {
          await isRefused(hamlet, publish('3', 'x', what), 'cancel conflict node-full')
          await does(hamlet, publish('2', 'not one more', what))
          continue
        }
        await does(hamlet, publish('3', 'x', what))
        await francisco.receives(event(`<items node='${what}'><item id='3'/></items>`))
        if (told) await francisco.receives(event(`<items node='${what}'><retract id='1'/></items>`))
        await francisco.receivesNothing()
        const answer = await hamlet.request(iq('get', `<items node='${what}'/>`))
        assert.deepEqual(answer.toString().match(/id="\d"/g), ['id="2"', 'id="3"'])
      }
    })
  })

  test('§7.1.3: who may not publish, and what may not be published', async t => {
    const server = await startPubsub(t, database, { payloadBytes: 1000 })
    await play(server, async ({ hamlet, francisco }) => {
      await isRefused(hamlet, publish('x'), 'cancel item-not-found')
      await does(hamlet, create({ type: ATOM }))
      await isRefused(francisco, publish('x'), 'auth forbidden')
      const put = (inside: string): string => iq('set', `<publish node='${NODE}'>${inside}</publish>`)
      await isRefused(hamlet, put(''), 'modify bad-request item-required')
      await isRefused(hamlet, put(`<item id='x'/>`), 'modify bad-request payload-required')
      await isRefused(hamlet, put(`<item>text</item>`), 'modify bad-request invalid-payload')
      await isRefused(
        hamlet,
        put(`<item>${entry('1')}${entry('2')}</item>`),
        'modify bad-request invalid-payload'
      )
      await isRefused(
        hamlet,
        put(`<item><entry xmlns='urn:other'/></item>`),
        'modify bad-request invalid-payload'
      )
      await isRefused(
        hamlet,
        put(`<item>${entry('1')}</item><item>${entry('2')}</item>`),
        'cancel not-allowed max-items-exceeded'
      )
      await isRefused(hamlet, put(`<item id=''>${entry('1')}</item>`), 'modify not-acceptable')
      await isRefused(hamlet, iq('set', `<publish/>`), 'modify bad-request nodeid-required')
      await isRefused(
        hamlet,
        iq('get', `<publish node='${NODE}'><item>${entry('1')}</item></publish>`),
        'modify bad-request'
      )
      await asks(
        hamlet,
        iq('get', `<items node='${NODE}'/>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items t:exact='yes' node='${NODE}'/></pubsub></iq>`
      )
    })
  })

  test('a payload, an item id and a node name at their limits, and one byte past them', async t => {
    const server = await startPubsub(t, database, { payloadBytes: 1000 })
    await play(server, async ({ hamlet }) => {
      await does(hamlet, create())
      const frame = `<entry xmlns="${ATOM}"><title></title></entry>`.length
      await does(hamlet, publish('fits', 'x'.repeat(1000 - frame)))
      await isRefused(
        hamlet,
        publish('bigger', 'x'.repeat(1001 - frame)),
        'modify not-acceptable payload-too-big'
      )
      // bytes count, not characters
      await isRefused(hamlet, publish('bigger', 'ü'.repeat(500)), 'modify not-acceptable payload-too-big')
      await does(hamlet, publish('i'.repeat(512)))
      await isRefused(hamlet, publish('i'.repeat(513)), 'modify not-acceptable')
      await isRefused(hamlet, publish('é'.repeat(257)), 'modify not-acceptable')
      const longest = 'ö'.repeat(511) + 'o'
      await does(hamlet, create({}, longest))
      await does(hamlet, publish('x', 'x', longest))
      await isRefused(hamlet, create({}, `${longest}o`), 'modify not-acceptable')
      await isRefused(hamlet, create({}, 'x'.repeat(1024)), 'modify not-acceptable')
      await isRefused(hamlet, create({}, ''), 'modify not-acceptable')
      await isRefused(hamlet, create({}, 'tab&#9;ulator'), 'modify not-acceptable')
    })
  })

  test('names that differ in case, accent, trailing space or script are different nodes and items', async t => {
    const server = await startPubsub(t, database)
    const names = ['musings', 'Musings', 'musíngs', 'musings ', 'мusings', 'musings🎭']
    await play(server, async ({ hamlet }) => {
      for (const name of names) {
        await does(hamlet, create({}, name))
        await does(hamlet, publish(name, name, names[0]))
      }
      const answer = await hamlet.request(iq('get', `<items node='${names[0]}'/>`))
      assert.equal(answer.toString().match(/<item /g)?.length, names.length)
      for (const name of names) await isRefused(hamlet, create({}, name), 'cancel conflict')
    })
  })

  test('§7.2: items are retracted by who may, and subscribers are told', async t => {
    const server = await startPubsub(t, database)
    const retract = (inside: string, attrs = ''): string =>
      iq('set', `<retract node='${NODE}'${attrs}>${inside}</retract>`)
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({ publish_model: 'open', notify_retract: '0' }))
      await does(francisco, subscribe('francisco@localhost'))
      await does(hamlet, publish('own'))
      await does(bernardo, publish('guest'))
      await francisco.forgets()
      await isRefused(bernardo, retract(`<item id='own'/>`), 'auth forbidden')
      await isRefused(hamlet, retract(`<item id='none'/>`), 'cancel item-not-found')
      await isRefused(hamlet, retract(`<item id='own'/><item id='none'/>`), 'cancel item-not-found')
      await isRefused(hamlet, retract(''), 'modify bad-request item-required')
      await isRefused(hamlet, retract(`<item/>`), 'modify bad-request item-required')
      await isRefused(hamlet, retract(`<item id='own'/>`, ` notify='maybe'`), 'modify bad-request')
      await does(bernardo, retract(`<item id='guest'/>`))
      await does(hamlet, retract(`<item id='own'/>`, ` notify='true'`))
      await francisco.receives(event(`<items node='${NODE}'><retract id='own' t:exact='yes'/></items>`))
      await francisco.receivesNothing()
      await isRefused(hamlet, retract(`<item id='own'/>`), 'cancel item-not-found')
    })
  })

  test('§8.5: purge empties the node with one notification', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create())
      await does(francisco, subscribe('francisco@localhost'))
      for (let i = 0; i < 5; i++) await does(hamlet, publish(`n${i}`))
      await francisco.forgets()
      const purge = iq('set', `<purge node='${NODE}'/>`, OWNER)
      await isRefused(francisco, purge, 'auth forbidden')
      await does(hamlet, purge)
      await francisco.receives(event(`<purge node='${NODE}'/>`))
      await francisco.receivesNothing()
      await does(hamlet, publish('after'))
      await asks(
        hamlet,
        iq('get', `<items node='${NODE}' max_items='1'/>`),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items><item id='after'/></items></pubsub></iq>`
      )
    })
  })

  test('§4.3: a transient node keeps nothing; one without payloads tells that there is an item', async t => {
    const server = await startPubsub(t, database)
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ persist_items: '0' }, 'transient'))
      await does(hamlet, create({ deliver_payloads: '0', notification_type: 'normal' }, 'quiet'))
      for (const node of ['transient', 'quiet']) await does(francisco, subscribe('francisco@localhost', node))
      await does(hamlet, publish('t', 'x', 'transient'))
      await francisco.receives(
        event(`<items node='transient'><item id='t'><entry xmlns='${ATOM}'/></item></items>`)
      )
      await isRefused(
        hamlet,
        iq('get', `<items node='transient'/>`),
        'cancel feature-not-implemented unsupported persistent-items'
      )
      await does(hamlet, publish('q', 'x', 'quiet'))
      await francisco.receives(
        `<message type='normal'><event xmlns='${PUBSUB}#event'><items node='quiet'><item id='q' t:exact='yes'/></items></event></message>`
      )
    })
  })

  test('§7.1.2.3: the service names the publisher, and nobody else does', async t => {
    const server = await startPubsub(t, database, { defaults: { namePublisher: true } })
    await play(server, async ({ hamlet, francisco }) => {
      await does(hamlet, create({ publish_model: 'open' }))
      await does(francisco, subscribe('francisco@localhost/barracks'))
      const forged = `<item id='x' publisher='hamlet@localhost'>${entry('to be')}</item>`
      await does(francisco, iq('set', `<publish node='${NODE}'>${forged}</publish>`))
      await francisco.receives(
        event(`<items node='${NODE}'><item id='x' publisher='francisco@localhost'/></items>`)
      )
    })
  })
})
