import { childOf, childrenOf, NS, type Element, type Judgement } from '#core'

const CHAT_STATES = 'http://jabber.org/protocol/chatstates'
const PUBSUB_EVENT = 'http://jabber.org/protocol/pubsub#event'
const MUC = 'http://jabber.org/protocol/muc#user'

/** What an operator decides. */
export interface Rules {
  presence: 'later' | 'now'
  chatStates: 'never' | 'later' | 'now'
  events: 'later' | 'now'
}

/** What becomes of a stanza for a client that nobody looks at. What is not known to be able to wait is sent. */
export function judge(stanza: Element, rules: Rules): Judgement {
  if (stanza.name === 'presence') return rules.presence === 'now' ? 'now' : judgePresence(stanza)
  if (stanza.name !== 'message') return 'now'
  if (stanza.attrs.type === 'headline') return rules.events === 'now' ? 'now' : judgeHeadline(stanza)
  if (!isChatState(stanza) || rules.chatStates === 'now') return 'now'
  return rules.chatStates === 'never' ? 'never' : { instead: `chat state of ${String(stanza.attrs.from)}` }
}

/** Whether somebody is there: the last word of each is enough. Requests and errors are for a person. */
function judgePresence(stanza: Element): Judgement {
  const { type, from } = stanza.attrs
  if (type !== undefined && type !== 'unavailable') return 'now'
  // The own presence in a room says that one was let in, or thrown out (XEP-0045 §7.2)
  const inRoom = childOf(stanza, 'x', MUC)
  if (inRoom && childrenOf(inRoom, 'status').length > 0) return 'now'
  return { instead: `presence of ${String(from)}` }
}

/** News of a node: what was retracted and what came are told apart, so all of them are kept. */
function judgeHeadline(stanza: Element): Judgement {
  return childOf(stanza, 'event', PUBSUB_EVENT) ? { instead: undefined } : 'now'
}

/** Nothing but that somebody is typing, or no longer (XEP-0085 §5.1). */
function isChatState(stanza: Element): boolean {
  const children = childrenOf(stanza)
  return children.some(isState) && children.every(child => isState(child) || isWrapping(child))
}

function isState({ attrs }: Element): boolean {
  return attrs.xmlns === CHAT_STATES
}

/** What says nothing of its own: the thread (XEP-0085 §5.7), and hints what to do with the message (XEP-0334). */
function isWrapping({ name, attrs }: Element): boolean {
  return name === 'thread' || attrs.xmlns === 'urn:xmpp:hints' || attrs.xmlns === NS.DELAY
}
