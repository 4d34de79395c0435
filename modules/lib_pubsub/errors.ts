import type { ErrorType, StanzaCondition } from '#core'

/** What one protocol error looks like on the wire, and the clause that asks for it. */
export interface ErrorDefinition {
  clause: string
  type: ErrorType
  condition: StanzaCondition
  /** Name of the application condition in `http://jabber.org/protocol/pubsub#errors`. */
  app?: string
}

/*
 * All errors of the protocol (XEP-0060 unless another document is named). `unsupported` is the one whose
 * application condition has an attribute: the feature that is not there.
 */
export const ERRORS = {
  badRequest: { clause: '§8.1.3, §8.9.2.4', type: 'modify', condition: 'bad-request' },
  nodeIdRequired: {
    clause: '§7.2.3.3, §8.2.3.3',
    type: 'modify',
    condition: 'bad-request',
    app: 'nodeid-required'
  },
  nodeNotFound: { clause: '§6.1.3.12, §8.4.3.2', type: 'cancel', condition: 'item-not-found' },
  nodeMoved: { clause: '§6.1.3.11', type: 'modify', condition: 'gone' },
  itemNotFound: { clause: '§7.2.3.2', type: 'cancel', condition: 'item-not-found' },
  forbidden: { clause: '§6.1.3.8, §7.1.3.1, §8.2.3.2', type: 'auth', condition: 'forbidden' },
  unsupported: { clause: '§11', type: 'cancel', condition: 'feature-not-implemented', app: 'unsupported' },

  // §5, §6: entities and subscribers
  invalidJid: { clause: '§6.1.3.1', type: 'modify', condition: 'bad-request', app: 'invalid-jid' },
  presenceSubscriptionRequired: {
    clause: '§6.1.3.2',
    type: 'auth',
    condition: 'not-authorized',
    app: 'presence-subscription-required'
  },
  notInRosterGroup: {
    clause: '§6.1.3.3',
    type: 'auth',
    condition: 'not-authorized',
    app: 'not-in-roster-group'
  },
  closedNode: { clause: '§6.1.3.4', type: 'cancel', condition: 'not-allowed', app: 'closed-node' },
  anonymous: { clause: '§6.1.3.6', type: 'cancel', condition: 'forbidden' },
  pendingSubscription: {
    clause: '§6.1.3.7',
    type: 'auth',
    condition: 'not-authorized',
    app: 'pending-subscription'
  },
  tooManySubscriptions: {
    clause: '§6.1.3.9',
    type: 'wait',
    condition: 'policy-violation',
    app: 'too-many-subscriptions'
  },
  configurationRequired: {
    clause: '§6.1.5',
    type: 'modify',
    condition: 'not-acceptable',
    app: 'configuration-required'
  },
  notSubscribed: {
    clause: '§6.2.3.2',
    type: 'cancel',
    condition: 'unexpected-request',
    app: 'not-subscribed'
  },
  optionsNotSubscribed: {
    clause: '§6.3.4.2',
    type: 'modify',
    condition: 'unexpected-request',
    app: 'not-subscribed'
  },
  subIdRequired: { clause: '§6.2.3.1', type: 'modify', condition: 'bad-request', app: 'subid-required' },
  invalidSubId: { clause: '§6.2.3.5', type: 'modify', condition: 'not-acceptable', app: 'invalid-subid' },
  jidRequired: { clause: '§6.3.4.3', type: 'modify', condition: 'bad-request', app: 'jid-required' },
  invalidOptions: { clause: '§6.3.6.2', type: 'modify', condition: 'bad-request', app: 'invalid-options' },
  readersSubscribe: { clause: '§6.5.9.3', type: 'auth', condition: 'not-authorized', app: 'not-subscribed' },
  pageNotFound: { clause: 'XEP-0059 §2.4', type: 'cancel', condition: 'item-not-found' },
  orderNotSupported: { clause: 'XEP-0413 §4.6', type: 'cancel', condition: 'feature-not-implemented' },
  indexNotSupported: { clause: 'XEP-0059 §2.6', type: 'cancel', condition: 'feature-not-implemented' },

  // §7: publishers
  nodeFull: { clause: '§7.1.3.4', type: 'cancel', condition: 'conflict', app: 'node-full' },
  payloadTooBig: { clause: '§7.1.3.5', type: 'modify', condition: 'not-acceptable', app: 'payload-too-big' },
  invalidPayload: { clause: '§7.1.3.6', type: 'modify', condition: 'bad-request', app: 'invalid-payload' },
  itemRequired: {
    clause: '§7.1.3.7, §7.2.3.4',
    type: 'modify',
    condition: 'bad-request',
    app: 'item-required'
  },
  payloadRequired: { clause: '§7.1.3.7', type: 'modify', condition: 'bad-request', app: 'payload-required' },
  itemForbidden: { clause: '§7.1.3.7', type: 'modify', condition: 'bad-request', app: 'item-forbidden' },
  invalidItemId: { clause: '§12.9', type: 'modify', condition: 'not-acceptable' },
  preconditionNotMet: {
    clause: '§7.1.5',
    type: 'cancel',
    condition: 'conflict',
    app: 'precondition-not-met'
  },
  maxItemsExceeded: { clause: '§12.11', type: 'cancel', condition: 'not-allowed', app: 'max-items-exceeded' },

  // §8: owners
  nodeExists: { clause: '§8.1.1', type: 'cancel', condition: 'conflict' },
  registrationRequired: { clause: '§8.1.1', type: 'auth', condition: 'registration-required' },
  noInstantNodes: { clause: '§8.1.1', type: 'modify', condition: 'not-acceptable', app: 'nodeid-required' },
  invalidNodeId: { clause: '§4.6.2', type: 'modify', condition: 'not-acceptable' },
  maxNodesExceeded: { clause: '§17.2', type: 'cancel', condition: 'not-allowed', app: 'max-nodes-exceeded' },
  unsupportedAccessModel: {
    clause: '§8.1.2',
    type: 'modify',
    condition: 'not-acceptable',
    app: 'unsupported-access-model'
  },
  noConfiguration: { clause: '§8.2.3.4', type: 'cancel', condition: 'not-allowed' },
  invalidConfiguration: { clause: '§8.2.5.2', type: 'modify', condition: 'not-acceptable' },
  notAcceptable: { clause: '§8.8.2.4, §8.9.2.4', type: 'modify', condition: 'not-acceptable' }
} as const satisfies Record<string, ErrorDefinition>

export type ErrorName = keyof typeof ERRORS

export interface ErrorDetails {
  /** For a person to read: what is wrong and what to do. */
  text?: string
  /** `unsupported`: the feature (§17.2), without the namespace. */
  feature?: string
  /** `nodeMoved`: where the node is now. */
  uri?: string
}

/** A request that is refused as the protocol says; nothing of it has been done. */
export class PubsubError extends Error {
  override readonly name = 'PubsubError'
  readonly type: ErrorType
  readonly condition: StanzaCondition
  readonly app: string | undefined
  readonly feature: string | undefined
  readonly text: string | undefined
  readonly uri: string | undefined

  constructor(
    /** Its row in ERRORS. */
    readonly error: ErrorName,
    details: ErrorDetails = {}
  ) {
    const { condition, type, app }: ErrorDefinition = ERRORS[error]
    super(details.text ?? `${error}${details.feature ? ` (${details.feature})` : ''}`)
    this.type = type
    this.condition = condition
    this.app = app
    this.feature = details.feature
    this.text = details.text
    this.uri = details.uri
  }
}

/** The service cannot do this (§11): `feature` as in §17.2. */
export function unsupported(feature: string): PubsubError {
  return new PubsubError('unsupported', { feature })
}
