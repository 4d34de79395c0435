import type { FormDef, FormValues } from '../xml/form'
import type { JID } from '../jid'
import type { StanzaEvent } from '../routing/event'
import type { Element } from '../xml/element'

/** Who may run a command: operators of the server, administrators of the host (operators too), anybody. */
export type Access = 'operator' | 'admin' | 'any'

export interface CommandNote {
  type: 'info' | 'warn' | 'error'
  text: string
}

export interface CommandResult {
  notes?: CommandNote[]
  /** A form of type `result`. */
  form?: Element
}

/** Who runs the command, and how. */
export interface CommandRun {
  /** The requester's address; for the command line `undefined`, then `actor` is `local:USER`. */
  requester: JID | undefined
  /** For logs and audit. */
  actor: string
  role: 'operator' | 'admin' | 'member' | 'none'
  /** The stanza that asks, for `modules.reload` and the like; undefined for the command line. */
  event: StanzaEvent | undefined
  lang: string | undefined
  /** The command is about the server as a whole. */
  serverWide?: boolean
  /** The command changes nothing. */
  reads?: boolean
  /** What was told of in this run (`tellOf`): the answer waits until it is kept. */
  acts?: Promise<void>[]
}

/** A form and what it is filled in with at first. */
export interface StageForm extends FormDef {
  values?: FormValues
}

/** One form of the dialogue; it follows from what was said before. */
export interface CommandStage {
  form(said: FormValues, run: CommandRun): StageForm | Promise<StageForm>
  /** Refuses what was filled in by throwing a FormError that names the field; what was typed is kept. */
  check?(said: FormValues, run: CommandRun): void | Promise<void>
}

/**
 * An ad-hoc command (XEP-0050): the dialogue for XMPP and the command line are made from this. Stages are
 * functions of what was said before; nothing happens before `finish`, where access is asked again.
 */
export interface AdhocCommand {
  /** The command's node, e.g. `http://jabber.org/protocol/admin#server-buddy`. */
  node: string
  name: string
  access: Access
  /** Also offered at the administrator's own bare JID (clients look there). */
  onAccount?: boolean
  /** Does the same on whichever host it is run: the command line asks for none. */
  serverWide?: boolean
  /** Only shows something: the audit counts it where it comes very often, and never keeps it in place of what changed. */
  reads?: boolean
  stages: readonly CommandStage[]
  finish(said: FormValues, run: CommandRun): CommandResult | void | Promise<CommandResult | void>
}

declare module '../events/items' {
  interface ItemTypes {
    'adhoc-command': AdhocCommand
  }
}
