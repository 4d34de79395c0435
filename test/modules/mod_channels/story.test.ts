import assert from 'node:assert/strict'
import test from 'node:test'
import {
  ACTIVITY,
  affiliate,
  asks,
  ATOM,
  BUDDYCLOUD,
  does,
  entry,
  event,
  iq,
  isRefused,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  publish,
  PUBSUB,
  rating,
  replyTo,
  REVIEW,
  startChannels,
  subscribe,
  THREAD
} from './lib'

const NODES = ['posts', 'status', 'geoloc', 'geoloc-past', 'geoloc-future', 'public-key', 'mood']

onEachDatabase('the story', database => {
  test('juliet posts, romeo follows, replies and rates, and asks what is new', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo }) => {
      const since = new Date().toISOString()
      await asks(
        juliet,
        iq('get', '<affiliations/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><affiliations t:exact='yes'>${NODES.map(
          type => `<affiliation node='${node('juliet@localhost', type)}' affiliation='owner'/>`
        ).join('')}</affiliations></pubsub></iq>`
      )
      await asks(
        romeo,
        subscribe('romeo@localhost'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}' t:exact='yes'>
           <subscription node='${POSTS}' jid='romeo@localhost' subscription='subscribed'/>
           <affiliation node='${POSTS}' jid='romeo@localhost' affiliation='member'/></pubsub></iq>`
      )
      const joined = event(
        `<subscription node='${POSTS}' jid='romeo@localhost' subscription='subscribed'/>
         <affiliations node='${POSTS}'><affiliation node='${POSTS}' jid='romeo@localhost' affiliation='member'/></affiliations>`
      )
      await juliet.receives(joined)
      await romeo.receives(joined)

      await asks(
        juliet,
        publish(entry('Wherefore art thou?')),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><publish node='${POSTS}'><item id='{post}'/></publish></pubsub></iq>`
      )
      const completed = `<items node='${POSTS}'><item id='{post}'><entry xmlns='${ATOM}' t:exact='yes'>
        <id>{post}</id><title>Post</title><published>{when}</published><updated>{when}</updated>
        <author><name>juliet@localhost</name><uri>acct:juliet@localhost</uri>
          <jid xmlns='http://buddycloud.com/atom-elements-0'>juliet@localhost</jid>
          <object-type xmlns='${ACTIVITY}'>person</object-type></author>
        <content type='text'>Wherefore art thou?</content>
        <verb xmlns='${ACTIVITY}'>post</verb>
        <object xmlns='${ACTIVITY}'><object-type>note</object-type></object></entry></item></items>`
      await romeo.receives(event(completed))
      await juliet.receives(event(completed))

      const reply = publish(entry('Shall I hear more?', replyTo('{post}')))
      await isRefused(romeo, reply, 'auth forbidden')
      await does(juliet, affiliate('romeo@localhost', 'publisher'))
      for (const type of NODES) {
        const name = node('juliet@localhost', type)
        await asks(
          juliet,
          iq('get', `<affiliations node='${name}'/>`, OWNER),
          `<iq type='result'><pubsub xmlns='${OWNER}'><affiliations node='${name}'>
             <affiliation jid='juliet@localhost' affiliation='owner'/>
             <affiliation jid='romeo@localhost' affiliation='publisher'/></affiliations></pubsub></iq>`
        )
      }
      await asks(
        romeo,
        reply,
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><publish node='${POSTS}'><item id='{reply}'/></publish></pubsub></iq>`
      )
      await romeo.finds(
        event(`<items node='${POSTS}'><item id='{reply}'><entry xmlns='${ATOM}'>
          <in-reply-to xmlns='${THREAD}' ref='{post}'/>
          <object xmlns='${ACTIVITY}'><object-type>comment</object-type></object></entry></item></items>`)
      )
      await does(romeo, publish(rating('5', '{post}')))
      await romeo.finds(
        event(`<items node='${POSTS}'><item id='{rating}'><entry xmlns='${ATOM}'>
          <content type='text'>rating:5.0</content><verb xmlns='${ACTIVITY}'>rated</verb>
          <target xmlns='${ACTIVITY}'><id>{post}</id></target>
          <rating xmlns='${REVIEW}'>5.0</rating></entry></item></items>`)
      )
      await isRefused(romeo, publish(rating('4.0', '{post}')), 'modify bad-request item-already-rated')

      const recent = (more = ''): string =>
        iq('get', `<recent-items xmlns='${BUDDYCLOUD}' since='${since}' max='10' ${more}/>`)
      await asks(
        romeo,
        recent(),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}' t:ordered='yes'>
           <item id='{rating}'/><item id='{reply}'/><item id='{post}'/></items></pubsub></iq>`
      )
      await asks(
        romeo,
        recent("parent-only='true'"),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><items node='${POSTS}'><item id='{post}'/>
           <item t:absent='yes' id='{reply}'/></items></pubsub></iq>`
      )
    })
    assert.deepEqual(server.errors(), [])
  })
})
