import { z } from 'zod'
import type { CommandNote, Access } from '../../modules/adhoc'
import type { FieldType } from '../../xml/form'

/*
 * What the command line and the server say to each other about ad-hoc commands. The server keeps no dialogue: each
 * question brings along all that was answered so far, which is checked anew. So nothing is left behind by a command
 * line that goes away.
 */

/** Values by field name, as a form has them. Pairs, since names come from others. */
export type Answer = readonly (readonly [string, readonly string[]])[]

/** XEP-0004 sets no bound; these are those of the forms (parseSubmit) and of any dialogue that people would do. */
const MAX_FIELDS = 256
const MAX_VALUES = 20_000
const MAX_STAGES = 32

/** The next turn of a command, by what was answered so far: a form each. */
export const TurnRequest = z.strictObject({
  host: z.string().max(3100),
  node: z.string().max(3100),
  answers: z
    .array(z.array(z.tuple([z.string().max(3100), z.array(z.string()).max(MAX_VALUES)])).max(MAX_FIELDS))
    .max(MAX_STAGES),
  /** All is answered: do it. */
  finish: z.boolean()
})

/** A command of a host. */
export interface CommandInfo {
  host: string
  node: string
  name: string
  access: Access
  /** The same on all hosts. */
  serverWide: boolean
  /** Forms. */
  stages: number
}

export interface AskedField {
  var: string
  type: FieldType
  label?: string
  desc?: string
  required: boolean
  options?: { value: string; label?: string }[]
  /** Other values than the options are taken. */
  open: boolean
  /** What the form suggests; of text-private nothing. */
  values: string[]
}

/** A form to fill in. */
export interface AskedForm {
  title?: string
  instructions: string[]
  fields: AskedField[]
}

/** What is wrong with an answer. */
export interface Fault {
  message: string
  field?: string
}

/** A form waits for its answer: the next one, or one whose answer has a fault. */
export interface FormTurn {
  state: 'form'
  /** From 0. */
  stage: number
  /** No form follows it. */
  last: boolean
  form: AskedForm
  fault?: Fault
}

export interface ResultField {
  var: string
  type: string
  label?: string
  values: string[]
}

/** A form of type `result`, or anything else that a command has in one. */
export interface ResultForm {
  title?: string
  fields: ResultField[]
  /** XEP-0004 §3.4; without it there are no items. */
  reported?: { var: string; label?: string }[]
  /** Values by column, in the order of `reported`. */
  items: string[][][]
  /** Elements of other namespaces, such as a roster: a table each. */
  others: { name: string; columns: string[]; rows: string[][] }[]
}

export interface Completed {
  state: 'completed'
  notes: CommandNote[]
  form?: ResultForm
}

/** What comes next, or what has come of it. */
export type Turn = FormTurn | Completed
