/*
 * The presence subscription state machine of RFC 6121, appendix A: pure.
 */

export type SubscriptionType = 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed'

/** What both sides' wishes are, as one side's server keeps them. */
export interface State {
  readonly subscription: 'none' | 'to' | 'from' | 'both'
  /** Pending out: we asked and wait. */
  readonly ask: boolean
  /** Pending in: they asked and wait. */
  readonly pendingIn: boolean
  /** Pre-approval (§3.4). */
  readonly approved: boolean
}

export interface Outbound {
  readonly route: boolean
  readonly state: State
}

export interface Inbound {
  readonly deliver: boolean
  /** What the server answers by itself. */
  readonly answer?: 'subscribed' | 'unsubscribed'
  readonly state: State
}

const hasTo = ({ subscription }: State): boolean => subscription === 'to' || subscription === 'both'
const hasFrom = ({ subscription }: State): boolean => subscription === 'from' || subscription === 'both'

function subscriptionOf(to: boolean, from: boolean): State['subscription'] {
  if (to) return from ? 'both' : 'to'
  return from ? 'from' : 'none'
}

/** A.2: the user sends a subscription stanza. */
export function outbound(type: SubscriptionType, state: State): Outbound {
  switch (type) {
    case 'subscribe':
      return { route: true, state: hasTo(state) ? state : { ...state, ask: true } }
    case 'unsubscribe':
      return {
        route: true,
        state: { ...state, ask: false, subscription: subscriptionOf(false, hasFrom(state)) }
      }
    case 'subscribed':
      if (state.pendingIn) {
        return {
          route: true,
          state: { ...state, pendingIn: false, subscription: subscriptionOf(hasTo(state), true) }
        }
      }
      return { route: false, state: hasFrom(state) ? state : { ...state, approved: true } } // §3.4.2
    case 'unsubscribed':
      if (state.pendingIn || hasFrom(state)) {
        const subscription = subscriptionOf(hasTo(state), false)
        return { route: true, state: { ...state, pendingIn: false, approved: false, subscription } }
      }
      return { route: false, state: state.approved ? { ...state, approved: false } : state } // §3.2.2, §3.4.3
  }
}

/** A.3: a subscription stanza comes for the user. */
export function inbound(type: SubscriptionType, state: State): Inbound {
  switch (type) {
    case 'subscribe':
      if (hasFrom(state)) return { deliver: false, answer: 'subscribed', state } // §3.1.3
      if (state.pendingIn) return { deliver: false, state }
      if (state.approved) {
        const subscription = subscriptionOf(hasTo(state), true)
        return { deliver: false, answer: 'subscribed', state: { ...state, subscription } } // §3.4.2
      }
      return { deliver: true, state: { ...state, pendingIn: true } }
    case 'unsubscribe':
      if (!state.pendingIn && !hasFrom(state)) return { deliver: false, state }
      return {
        deliver: true,
        answer: 'unsubscribed',
        state: { ...state, pendingIn: false, subscription: subscriptionOf(hasTo(state), false) }
      }
    case 'subscribed':
      if (!state.ask) return { deliver: false, state }
      return {
        deliver: true,
        state: { ...state, ask: false, subscription: subscriptionOf(true, hasFrom(state)) }
      }
    case 'unsubscribed':
      if (!state.ask && !hasTo(state)) return { deliver: false, state }
      return {
        deliver: true,
        state: { ...state, ask: false, subscription: subscriptionOf(false, hasFrom(state)) }
      }
  }
}
