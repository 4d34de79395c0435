import { FormError, JID, parseSubmit, renderForm, type Element, type FormDef, type FormValues } from '#core'
import { readChanges, readValues, showConfig, type ConfigChanges, type ConfigField } from '../config'
import type { Metadata } from '../discovery'
import { PubsubError, unsupported } from '../errors'
import { optionFields, shownOptions, type OptionsDefinition } from '../options'
import type { Node, SubscriptionOptions } from '../store'
import {
  META_DATA,
  NODE_CONFIG,
  PUBLISH_OPTIONS,
  SUBSCRIBE_AUTHORIZATION,
  SUBSCRIBE_OPTIONS
} from './namespaces'

/** The form of a node's configuration (§16.4.4), with these values. */
export function configForm(
  fields: readonly ConfigField[],
  config: ConfigChanges,
  type: 'form' | 'result' | 'submit' = 'form'
): Element {
  return renderForm(formOf(fields, NODE_CONFIG), showConfig(fields, config), type)
}

/** What a submitted configuration sets (§8.2.4). Fields that the service does not have are ignored (XEP-0004 §3.1). */
export function parseConfig(fields: readonly ConfigField[], x: Element): ConfigChanges {
  try {
    return readChanges(fields, parseSubmit(formOf(fields, NODE_CONFIG), x, { partial: true }))
  } catch (error) {
    if (!(error instanceof FormError)) throw error
    if (error.field === 'pubsub#access_model') throw new PubsubError('unsupportedAccessModel') // §8.1.2
    if (error.field === 'pubsub#node_type') throw unsupported('collections') // XEP-0248
    throw new PubsubError('invalidConfiguration', { text: error.message })
  }
}

/** Preconditions of a publication (§7.1.5); a field that the service does not have cannot be met. */
export function parseOptions(fields: readonly ConfigField[], x: Element): ConfigChanges {
  try {
    return readValues(
      fields,
      parseSubmit(formOf(fields, PUBLISH_OPTIONS), x, { unknown: 'refuse', partial: true })
    )
  } catch (error) {
    if (!(error instanceof FormError)) throw error
    const known = error.field === undefined || error.field === 'FORM_TYPE'
    throw new PubsubError(known ? 'badRequest' : 'preconditionNotMet', { text: error.message })
  }
}

/** The form of what a subscriber may choose (§16.4.2); `body`: where the payloads have a text. */
export function choiceForm(
  offered: OptionsDefinition,
  options: SubscriptionOptions,
  body: boolean,
  type: 'form' | 'result'
): Element {
  const fields = optionFields(offered, body)
  return renderForm(formOf(fields, SUBSCRIBE_OPTIONS), showConfig(fields, shownOptions(options)), type)
}

/** What a subscriber chooses (§6.3.5); §6.3.6.2 where that cannot be. */
export function parseChoice(offered: OptionsDefinition, x: Element): ConfigChanges {
  const fields = optionFields(offered, offered.hasBody !== undefined)
  try {
    return readChanges(fields, parseSubmit(formOf(fields, SUBSCRIBE_OPTIONS), x, { partial: true }))
  } catch (error) {
    if (!(error instanceof FormError)) throw error
    throw new PubsubError('invalidOptions', { text: error.message })
  }
}

function formOf(fields: readonly ConfigField[], formType: string): FormDef {
  return { formType, fields: fields.map(field => field.form) }
}

/** §5.4: the meta-data of a node, for disco#info. */
export function metadataForm<N extends Node>(
  fields: readonly ConfigField[],
  { node, owners, publishers, subscribers }: Metadata<N>
): Element {
  const shown = fields.filter(field => field.metadata)
  const def: FormDef = {
    formType: META_DATA,
    fields: [
      ...shown.map(field => field.form),
      { var: 'pubsub#creation_date', label: 'When the node was created' },
      { var: 'pubsub#creator', type: 'jid-single', label: 'The JID of the node creator' },
      { var: 'pubsub#owner', type: 'jid-multi', label: 'The JIDs of those with an affiliation of owner' },
      {
        var: 'pubsub#publisher',
        type: 'jid-multi',
        label: 'The JIDs of those with an affiliation of publisher'
      },
      { var: 'pubsub#num_subscribers', label: 'The number of subscribers to the node' }
    ]
  }
  const values: FormValues = {
    ...showConfig(shown, node.config),
    'pubsub#creation_date': new Date(node.createdAt).toISOString(),
    'pubsub#creator': node.creator || undefined,
    'pubsub#owner': [...owners],
    'pubsub#publisher': publishers.length > 0 ? [...publishers] : undefined,
    'pubsub#num_subscribers': String(subscribers)
  }
  return renderForm(def, values, 'result')
}

const AUTHORIZATION: FormDef = {
  formType: SUBSCRIBE_AUTHORIZATION,
  title: 'Subscription request',
  instructions:
    'Somebody asks to subscribe to a node that you own. Allow it or not; to decide later, cancel.',
  fields: [
    { var: 'pubsub#subid', type: 'hidden' },
    { var: 'pubsub#node', label: 'Node', required: true },
    { var: 'pubsub#subscriber_jid', type: 'jid-single', label: 'Subscriber', required: true },
    { var: 'pubsub#allow', type: 'boolean', label: 'Allow this address to subscribe?', required: true }
  ]
}

/** §8.6: asks an owner to approve. */
export function authorizationForm(node: string, jid: string, subId?: string): Element {
  const def =
    subId === undefined ? { ...AUTHORIZATION, fields: AUTHORIZATION.fields.slice(1) } : AUTHORIZATION
  return renderForm(def, {
    'pubsub#subid': subId,
    'pubsub#node': node,
    'pubsub#subscriber_jid': jid,
    'pubsub#allow': false
  })
}

/** What an owner decided. */
export interface Decision {
  node: string
  jid: string
  allow: boolean
  /** Where the service has SubIDs. */
  subId?: string
}

/**
 * Reads an owner's answer (§8.6); `undefined` where the form was cancelled: the request stays pending.
 * @throws PubsubError badRequest where it is no such form
 */
export function parseDecision(x: Element): Decision | undefined {
  if (x.attrs.type === 'cancel') return undefined
  try {
    const values = parseSubmit(AUTHORIZATION, x)
    const jid = JID.parse(String(values['pubsub#subscriber_jid'])).full
    const subId = values['pubsub#subid']
    return {
      node: String(values['pubsub#node']),
      jid,
      allow: values['pubsub#allow'] === true,
      ...(typeof subId === 'string' && subId !== '' && { subId })
    }
  } catch (error) {
    if (!(error instanceof FormError)) throw error
    throw new PubsubError('badRequest', { text: error.message })
  }
}
