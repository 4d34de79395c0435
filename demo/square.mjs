import assert from 'node:assert/strict'
import { content, create, follow, items, itemsIn, metadata, publish, role, unfollow } from './words.mjs'

const CHANNELS = 'channels.localhost'
const SQUARE = 'square@topics.localhost'
const says = words => stanza => stanza.is('message') && stanza.toString().includes(words)

/** A topic channel with a moderator and a ban. */
export async function keepOrder({ mercutio, benvolio, tybalt, nurse }, { scene, tells }) {
  scene('Act I, scene 2. A public square, and who keeps order in it')
  await mercutio.asks(
    'set',
    CHANNELS,
    create(SQUARE, { 'pubsub#title': 'The square', 'buddycloud#default_affiliation': 'publisher' })
  )
  tells('mercutio opens a topic channel, where whoever follows may write.')
  for (const person of [benvolio, tybalt, nurse])
    await person.asks('set', CHANNELS, follow(SQUARE, person.jid))
  await mercutio.asks('set', CHANNELS, role(SQUARE, benvolio.jid, 'moderator'))
  tells('benvolio, tybalt and the nurse come in; benvolio becomes moderator.')
  await nurse.asks('set', CHANNELS, publish(SQUARE, content('Has anybody seen my fan?')))
  await tybalt.asks('set', CHANNELS, publish(SQUARE, content('I hate the word peace')))
  await benvolio.finds('the word', says('hate the word'))
  tells('the nurse looks for her fan; tybalt hates the word peace.')

  await benvolio.asks('set', CHANNELS, role(SQUARE, tybalt.jid, 'outcast'))
  tells('benvolio, who keeps the peace, bans tybalt.')
  const shouting = publish(SQUARE, content('Turn thee, Benvolio!'))
  assert.equal(await tybalt.isRefused('set', CHANNELS, shouting), 'forbidden')
  assert.equal(await tybalt.isRefused('get', CHANNELS, items(SQUARE)), 'forbidden')
  tells('tybalt can neither write nor read …')
  await tybalt.asks('set', CHANNELS, unfollow(SQUARE, tybalt.jid)).catch(() => undefined)
  assert.equal(await tybalt.isRefused('set', CHANNELS, follow(SQUARE, tybalt.jid)), 'forbidden')
  tells('… and leaving by one door to come in by the other does not help him.')
  assert.match((await tybalt.asks('get', CHANNELS, metadata(SQUARE))).toString(), /The square/)
  tells('the name over the gate he may still read, like everybody.')
  assert.equal(itemsIn(await nurse.asks('get', CHANNELS, items(SQUARE))).length, 2)
  tells('what was said stays, until somebody with the right to do so takes it down.')
}
