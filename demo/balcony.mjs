import assert from 'node:assert/strict'
import { xml } from '@xmpp/client'
import {
  content,
  create,
  follow,
  inReplyTo,
  items,
  itemsIn,
  itemsWith,
  metadata,
  publish,
  publishedAs,
  ratings,
  recent,
  register,
  role,
  stars,
  unfollow
} from './words.mjs'

const CHANNELS = 'channels.localhost'
const says = words => stanza => stanza.is('message') && stanza.toString().includes(words)

/** A personal channel: followed, read, answered, rated. */
export async function talkOnTheBalcony({ juliet, romeo, nurse }, { scene, tells }) {
  scene('Act I, scene 1. A channel of one’s own')
  const began = new Date().toISOString()
  await romeo.sends(
    xml('message', { to: juliet.jid, type: 'chat' }, xml('body', {}, 'By yonder moon I swear'))
  )
  await juliet.finds('the message', says('yonder moon'))
  tells('romeo whispers to juliet, and it arrives: the server speaks plain XMPP.')

  await juliet.asks('set', CHANNELS, register())
  tells('juliet registers, and has a channel: posts, status, where she is and where she goes.')
  await romeo.asks('set', CHANNELS, follow(juliet.jid, romeo.jid))
  await nurse.asks('set', CHANNELS, follow(juliet.jid, nurse.jid))
  tells('romeo and the nurse follow it.')
  const posted = await juliet.asks(
    'set',
    CHANNELS,
    publish(juliet.jid, content('O Romeo, Romeo! wherefore art thou Romeo?'))
  )
  const post = publishedAs(posted)
  await romeo.finds('the post', says('wherefore art thou'))
  await nurse.finds('the post', says('wherefore art thou'))
  tells(
    'juliet posts. Both hear of it at once, dated and signed by the server, not by whoever claims to be her.'
  )

  const reply = publish(juliet.jid, content('I take thee at thy word'), inReplyTo(post))
  assert.equal(await romeo.isRefused('set', CHANNELS, reply), 'forbidden')
  tells('romeo wants to answer, but a follower only reads.')
  await juliet.asks('set', CHANNELS, role(juliet.jid, romeo.jid, 'publisher'))
  await romeo.asks('set', CHANNELS, reply)
  await juliet.finds('the reply', says('at thy word'))
  tells('juliet lets him write, and his answer stands in her thread.')
  await romeo.asks('set', CHANNELS, publish(juliet.jid, ...stars(post, '5')))
  const again = await romeo.isRefused('set', CHANNELS, publish(juliet.jid, ...stars(post, '5')))
  assert.equal(again, 'item-already-rated')
  tells('he gives her post five stars. He would give five more, but one rating is what a person has.')

  const rated = itemsIn(await juliet.asks('get', CHANNELS, itemsWith(juliet.jid, ratings())))
  const summary = rated.find(item => item.attrs.id === post).getChild('summary')
  assert.deepEqual([rated.length, summary.attrs.count, Number(summary.attrs.average)], [2, '1', 5])
  tells(
    `juliet looks at her posts with their stars added up: one rating, ${summary.attrs.average} on average.`
  )

  const news = itemsIn(await nurse.asks('get', CHANNELS, recent(began)))
  const threads = itemsIn(await nurse.asks('get', CHANNELS, recent(began, { 'parent-only': 'true' })))
  assert.deepEqual([news.length, threads.length], [3, 1])
  tells('the nurse asks what is new in all that she follows: a post, an answer, a rating; one thread in all.')
}

/** An ephemeral channel: made for a moment, gone with the last who leaves. */
export async function callTheMeeting({ romeo, juliet }, { scene, tells }) {
  scene('Act I, scene 3. A meeting that leaves no trace')
  const made = await romeo.asks('set', CHANNELS, create(undefined, { 'buddycloud#ephemeral': 'true' }))
  const { node } = made.getChild('pubsub').getChild('create').attrs
  const meeting = node.split('/')[2]
  tells(
    `romeo opens a channel for tonight. The server calls it ${meeting.slice(0, 8)}…, which nobody can guess.`
  )
  await juliet.asks('set', CHANNELS, follow(meeting, juliet.jid))
  await juliet.asks('set', CHANNELS, publish(meeting, content('Good night, good night!')))
  await romeo.finds('the good night', says('Good night'))
  tells('juliet joins, and writes: whoever is in, is a moderator.')
  await romeo.asks('set', CHANNELS, unfollow(meeting, romeo.jid))
  await juliet.asks('set', CHANNELS, unfollow(meeting, juliet.jid))
  assert.equal(await juliet.isRefused('get', CHANNELS, items(meeting)), 'item-not-found')
  assert.equal(await juliet.isRefused('get', CHANNELS, metadata(meeting)), 'item-not-found')
  tells('parting is such sweet sorrow: the last has left, and the channel is gone with all that was said.')
}
