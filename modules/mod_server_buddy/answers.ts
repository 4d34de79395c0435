import {
  childrenOf,
  childText,
  CollapsedLog,
  el,
  FormError,
  formOf,
  formTypeOf,
  HANDLED,
  isStanzaError,
  JID,
  parseSubmit,
  StanzaError,
  type CommandRun,
  type Context,
  type Element,
  type FormValues,
  type Handled,
  type StanzaEvent
} from '#core'
import { denied, refused } from '../lib_admin'
import type { Buddies } from './buddies'
import { decide } from './decide'
import type { Prompts } from './prompts'
import { REQUEST, REQUEST_FORM, requestMessage } from './request-form'

/** What administrators say to the form that they got in a message. */
export class Answers {
  readonly #ctx: Context
  readonly #buddies: Buddies
  readonly #prompts: Prompts
  readonly #denied: CollapsedLog

  constructor(ctx: Context, buddies: Buddies, prompts: Prompts) {
    this.#ctx = ctx
    this.#buddies = buddies
    this.#prompts = prompts
    this.#denied = new CollapsedLog(ctx.log)
    ctx.defer(() => this.#denied.flush())
  }

  async receive(event: StanzaEvent): Promise<Handled | void> {
    const { stanza, from, origin } = event
    const { type, id } = stanza.attrs
    if (type === 'error') {
      // Said by whoever could not deliver
      if (id !== undefined && from.kind !== 'host') await this.#prompts.returned(id, from.bare)
      return
    }
    const form = formOf(stanza)
    if (!form || formTypeOf(form) !== REQUEST) return
    if (form.attrs.type === 'cancel') return HANDLED // XEP-0004 §3.1: the request goes on waiting
    const role = this.#ctx.server.role(from, this.#ctx.host)
    if (role !== 'operator' && role !== 'admin') {
      const data = { from: from.full, origin: origin.kind }
      this.#denied.warn(from.bare, data, 'a decision on a buddy request refused: the role does not allow it')
      denied(this.#ctx, event, 'server-buddy-decide', `needs the role admin, has ${role}`)
      throw new StanzaError(
        'forbidden',
        `nothing was decided: ${from.bare} does not administer ${this.#ctx.host.name}`
      )
    }
    const acts: Promise<void>[] = []
    const lang: string | undefined = stanza.attrs['xml:lang']
    const run: CommandRun = { requester: from, actor: from.bare, role, event, lang, acts }
    await this.#decide(event, form, run)
    return HANDLED
  }

  async #decide(event: StanzaEvent, form: Element, run: CommandRun): Promise<void> {
    let said: FormValues
    let peer: string
    try {
      said = parseSubmit(REQUEST_FORM, form)
      peer = peerOf(said)
    } catch (error) {
      if (!(error instanceof FormError)) throw error
      refused({ ctx: this.#ctx, run, command: 'server-buddy-decide' }, '', error.message)
      return this.#say(event, `Nothing was decided: ${error.message}.`, await this.#anew(form))
    }
    try {
      const what = await decide(this.#ctx, this.#buddies, run, peer, said)
      await Promise.all(run.acts ?? [])
      this.#say(event, `${peer} ${what}.`)
    } catch (error) {
      if (!isStanzaError(error)) throw error
      this.#say(event, `Nothing was decided: ${error.text ?? error.condition}.`)
    }
  }

  /** The form once more, where it is about a request that still waits. */
  async #anew(form: Element): Promise<Element | undefined> {
    const peerField = childrenOf(form, 'field').find(({ attrs }) => attrs.var === 'peerjid')
    const peer = JID.tryParse(peerField && childText(peerField, 'value'))?.full
    const buddy = peer === undefined ? undefined : await this.#buddies.get(peer)
    if (peer === undefined || !buddy?.pendingIn) return undefined
    return requestMessage(this.#ctx.host.name, peer, buddy).at(-1)
  }

  #say({ stanza, from }: StanzaEvent, text: string, form?: Element): void {
    const thread = childText(stanza, 'thread')
    this.#ctx.send(
      el(
        'message',
        { to: from.full, type: 'normal' },
        el('subject', null, 'Buddy request'),
        el('body', null, text),
        thread && el('thread', null, thread),
        form
      )
    )
  }
}

function peerOf(said: FormValues): string {
  const jid = JID.tryParse(said.peerjid as string)
  if (jid?.kind !== 'host') throw new FormError('the domain of a server is expected', 'peerjid')
  return jid.full
}
