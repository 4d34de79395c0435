import { xml } from '@xmpp/client'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const OWNER = `${PUBSUB}#owner`
const ATOM = 'http://www.w3.org/2005/Atom'
const THREAD = 'http://purl.org/syndication/thread/1.0'
const ACTIVITY = 'http://activitystrea.ms/spec/1.0/'
const REVIEW = 'http://activitystrea.ms/schema/1.0/review'
const BUDDYCLOUD = 'http://buddycloud.org/v1'

export const postsOf = channel => `/user/${channel}/posts`

export const register = () => xml('query', 'jabber:iq:register')
export const pubsub = (...children) => xml('pubsub', PUBSUB, ...children)
export const owner = (...children) => xml('pubsub', OWNER, ...children)
export const follow = (channel, jid) => pubsub(xml('subscribe', { node: postsOf(channel), jid }))
export const unfollow = (channel, jid) => pubsub(xml('unsubscribe', { node: postsOf(channel), jid }))
export const ratings = () => xml('ratings', { xmlns: 'urn:balcony:ratings', summary: 'true', hide: 'true' })
export const itemsWith = (channel, wish) => pubsub(xml('items', { node: postsOf(channel) }), wish)
export const items = channel => pubsub(xml('items', { node: postsOf(channel) }))

/** Gives somebody a role. */
export const role = (channel, jid, affiliation) =>
  owner(xml('affiliations', { node: postsOf(channel) }, xml('affiliation', { jid, affiliation })))

/** Creates a channel with that configuration. */
export const create = (channel, fields) =>
  pubsub(xml('create', channel ? { node: postsOf(channel) } : {}), xml('configure', {}, submission(fields)))

export const metadata = channel =>
  xml('query', { xmlns: 'http://jabber.org/protocol/disco#info', node: postsOf(channel) })

export const publish = (channel, ...inside) =>
  pubsub(
    xml('publish', { node: postsOf(channel) }, xml('item', {}, xml('entry', { xmlns: ATOM }, ...inside)))
  )
export const content = text => xml('content', {}, text)
export const inReplyTo = ref => xml('in-reply-to', { xmlns: THREAD, ref })
export const stars = (id, value) => [
  content(''),
  inReplyTo(id),
  xml('target', ACTIVITY, xml('id', {}, id)),
  xml('rating', REVIEW, value)
]

export const recent = (since, more = {}) =>
  pubsub(xml('recent-items', { xmlns: BUDDYCLOUD, since, max: '10', ...more }))

const submission = fields =>
  xml(
    'x',
    { xmlns: 'jabber:x:data', type: 'submit' },
    ...Object.entries({ FORM_TYPE: `${PUBSUB}#node_config`, ...fields }).map(([name, value]) =>
      xml('field', { var: name }, xml('value', {}, value))
    )
  )

/** The id that a publication was given. */
export const publishedAs = answer => answer.getChild('pubsub').getChild('publish').getChild('item').attrs.id
/** The items of an answer, group by group. */
export const itemsIn = answer =>
  answer
    .getChild('pubsub')
    .getChildren('items')
    .flatMap(group => group.getChildren('item'))
