import { JID } from '../jid'
import { childOf, childrenOf, childText, el, nsOf, textOf } from './element'
import type { Element } from './element'
import { faultOf } from './datatypes'

/*
 * XEP-0004 data forms, from one definition of their fields: the same table renders a form, reads a submission
 * and says what is wrong with it. Meaning (what a field does, who may set it) belongs to whoever owns the table.
 */

const FORM = 'jabber:x:data'
const VALIDATE = 'http://jabber.org/protocol/xdata-validate'
const FORM_TYPE = 'FORM_TYPE'
/** Values of one field, unless the field says otherwise. */
const MAX_VALUES = 1000

/** XEP-0004 §3.3. */
export type FieldType =
  | 'boolean'
  | 'fixed'
  | 'hidden'
  | 'jid-multi'
  | 'jid-single'
  | 'list-multi'
  | 'list-single'
  | 'text-multi'
  | 'text-private'
  | 'text-single'

/** XEP-0122 §4.6: fields whose type says all, or that nobody sees. */
const UNTYPED: ReadonlySet<FieldType | undefined> = new Set<FieldType>([
  'boolean',
  'fixed',
  'hidden',
  'jid-multi',
  'jid-single',
  'text-private'
])

/** What may be chosen in a list: the value, and what a person reads. */
export interface FormOption {
  value: string
  label?: string
}

/** One field of a form. `fixed` fields are text for the reader and never come back. */
export interface FormField {
  /** Name of the field; a `fixed` field may do without. */
  var: string
  /** XEP-0004 §3.3. Default: text-single. */
  type?: FieldType
  label?: string
  /** Longer explanation, one line. */
  desc?: string
  /** A submission without a value for it is refused. */
  required?: boolean
  /** Choices of list-single and list-multi. */
  options?: readonly (FormOption | string)[]
  /** A list accepts values that are not among the options (XEP-0122 §3.2.2). */
  open?: boolean
  /** Characters in one value, at most. Default: 4096; text-multi and text of several lines 65536 in all. */
  maxLength?: number
  /** Values in a multi field, at most. Default: 1000. */
  maxValues?: number
  /** XEP-0122 §7.2.2, as `xs:integer`: shown to the client, and checked. Not for addresses and booleans. */
  datatype?: string
  /** The least and the most that a value of a datatype with an order may be (XEP-0122 §4.7). */
  min?: number | string
  max?: number | string
  /** What a whole value must match: a POSIX extended regular expression (XEP-0122 §3.2.4); not beside a range. */
  regex?: string
  /** Values of a list-multi field, at least (XEP-0122 §3.3). */
  minValues?: number
  /** Looks at each value (and may normalise it); what it throws becomes the reason of the FormError. */
  check?: (value: string) => string
}

/** A form: FORM_TYPE (XEP-0068), texts, fields in the order they are shown. */
export interface FormDef {
  formType?: string
  title?: string
  instructions?: string | readonly string[]
  fields: readonly FormField[]
}

/**
 * The value of a field: boolean for `boolean`; a list for the `-multi` types except text-multi, whose lines are
 * joined (XEP-0004 §3.3); a string for all others.
 */
export type FormValue = string | boolean | string[]
/** Values by field name. A field that was not submitted is absent (XEP-0004 §3.5: it keeps its value). */
export type FormValues = Record<string, FormValue | undefined>

/** A submission that cannot be taken; `field` names the culprit, the message says what is wrong with it. */
export class FormError extends Error {
  override readonly name = 'FormError'
  constructor(
    reason: string,
    readonly field?: string
  ) {
    super(field === undefined ? reason : `${field}: ${reason}`)
  }
}

/** How a submission is read. */
export interface SubmitOptions {
  /**
   * Fields that the definition does not have: `ignore` (XEP-0004 §3.1, the default), `refuse`, or `keep`
   * (they are returned as lists of strings).
   */
  unknown?: 'ignore' | 'refuse' | 'keep'
  /** Required fields may be left out: they keep their current value (XEP-0004 §3.5). */
  partial?: boolean
  /** A submission without FORM_TYPE is taken; a wrong one never is. */
  formTypeOptional?: boolean
  /** Fields in a form, at most. Default: 256. */
  maxFields?: number
}

/** The data form among an element's children, of whatever type. */
export function formOf(parent: Element): Element | undefined {
  return childOf(parent, 'x', FORM)
}

/** The FORM_TYPE of a form (XEP-0068). */
export function formTypeOf(x: Element): string | undefined {
  for (const field of childrenOf(x, 'field'))
    if (field.attrs.var === FORM_TYPE) return childText(field, 'value')
  return undefined
}

/**
 * Builds the form.
 * - `form`: all fields with type, label, options, and the value where there is one, except that of text-private;
 * - `result`: the fields that have a value, except text-private;
 * - `submit`: names and values alone;
 * - `cancel`: an empty form.
 */
export function renderForm(
  def: FormDef,
  values: FormValues = {},
  type: 'form' | 'result' | 'submit' | 'cancel' = 'form'
): Element {
  if (type === 'cancel') return el('x', { xmlns: FORM, type })
  const texts = type !== 'submit'
  return el(
    'x',
    { xmlns: FORM, type },
    texts && def.title && el('title', null, def.title),
    type === 'form' && [def.instructions ?? []].flat().map(line => el('instructions', null, line)),
    def.formType !== undefined &&
      el('field', { var: FORM_TYPE, type: 'hidden' }, el('value', null, def.formType)),
    def.fields.map(field => renderField(field, own(values, field.var), type))
  )
}

/** A result of several rows (XEP-0004 §3.4): `reported` from the definition, one `item` for each row. */
export function renderTable(def: FormDef, rows: readonly FormValues[]): Element {
  const header = def.fields.map(field =>
    el('field', { var: field.var, type: field.type ?? 'text-single', label: field.label })
  )
  return el(
    'x',
    { xmlns: FORM, type: 'result' },
    def.title && el('title', null, def.title),
    def.formType !== undefined &&
      el('field', { var: FORM_TYPE, type: 'hidden' }, el('value', null, def.formType)),
    el('reported', null, header),
    rows.map(row =>
      el(
        'item',
        null,
        def.fields.map(field =>
          el('field', { var: field.var }, renderValues(field, own(row, field.var) ?? ''))
        )
      )
    )
  )
}

/** Names of fields come from others: `constructor` is something that every object has. */
function own(values: FormValues, name: string): FormValue | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

function renderField(field: FormField, value: FormValue | undefined, form: 'form' | 'result' | 'submit') {
  const type = field.type ?? 'text-single'
  if (form !== 'form' && (type === 'fixed' ? form === 'submit' : value === undefined)) return undefined
  if (form === 'result' && type === 'text-private') return undefined
  if (form === 'submit') return el('field', { var: field.var }, renderValues(field, value))
  return el(
    'field',
    { var: field.var || undefined, type, label: field.label },
    form === 'form' && [
      field.desc !== undefined && el('desc', null, field.desc),
      field.required && el('required')
    ],
    form === 'form' && renderValidate(field),
    // What is hidden while it is typed is not sent back
    type !== 'text-private' && renderValues(field, value),
    form === 'form' &&
      // With a label in any case: converse.js shows nothing else
      field.options?.map(option =>
        typeof option === 'string'
          ? el('option', { label: option }, el('value', null, option))
          : el('option', { label: option.label }, el('value', null, option.value))
      )
  )
}

function renderValues(field: FormField, value: FormValue | undefined): Element[] {
  if (value === undefined) return []
  if (typeof value === 'boolean') return [el('value', null, value ? '1' : '0')]
  // XEP-0004 §3.3: the lines of text-multi are values of their own
  const values = Array.isArray(value) ? value : field.type === 'text-multi' ? value.split('\n') : [value]
  return values.map(one => el('value', null, one))
}

/** XEP-0122, for what has more to say than the type of the field. */
function renderValidate(field: FormField): Element | undefined {
  const { type, datatype, regex, minValues, maxValues } = field
  if (UNTYPED.has(type)) return undefined
  const open = field.open === true && field.options !== undefined
  // §3.3: for list-multi alone
  const range = type === 'list-multi' && (minValues !== undefined || maxValues !== undefined)
  if (datatype === undefined && regex === undefined && !open && !range) return undefined
  return el(
    'validate',
    // §3.1: the default, but not every client knows it
    { xmlns: VALIDATE, datatype: datatype ?? 'xs:string' },
    renderMethod(field, open),
    range && el('list-range', { min: minValues, max: maxValues })
  )
}

/** §3.2: one method. A range or pattern on a list makes it an open one, so a closed one has none. */
function renderMethod({ type, options, min, max, regex }: FormField, open: boolean): Element {
  const closed = options !== undefined && !open
  if (!closed && (min !== undefined || max !== undefined)) return el('range', { min, max })
  if (!closed && regex !== undefined) return el('regex', null, regex)
  return open || type === 'text-multi' ? el('open') : el('basic')
}

/**
 * Reads a form of type `submit` by its definition.
 * @throws FormError that names the field: a form of another type or FORM_TYPE, a field twice, several values
 * where one belongs, a value that is no boolean, no option, no address or no number in range, too long, missing.
 */
export function parseSubmit(def: FormDef, x: Element, options: SubmitOptions = {}): FormValues {
  if (x.name !== 'x' || nsOf(x) !== FORM) throw new FormError('a data form is expected (jabber:x:data)')
  if (x.attrs.type !== 'submit') throw new FormError("the form must be of type 'submit'")
  // without a prototype: field names come from the wire
  const values: FormValues = Object.create(null)
  const submitted = collect(x, options.maxFields ?? 256)
  checkFormType(def, submitted, options)
  for (const field of def.fields) {
    if (field.type === 'fixed') continue
    const raw = submitted.get(field.var)
    const value = raw && readValues(field, raw)
    if (value !== undefined) values[field.var] = value
    if (field.required && isEmpty(value) && !(options.partial && raw === undefined))
      throw new FormError('a value is required', field.var)
  }
  if ((options.unknown ?? 'ignore') !== 'ignore') takeUnknown(def, submitted, values, options)
  return values
}

/**
 * What was typed into a form, right or wrong, so that it can be shown again; nothing that is hidden, and nothing
 * longer than the field may be.
 */
export function typedIn(def: FormDef, x: Element): FormValues {
  const typed: FormValues = Object.create(null)
  const submitted = new Map(childrenOf(x, 'field', FORM).map(field => [field.attrs.var as string, field]))
  for (const field of def.fields) {
    const found = submitted.get(field.var)
    if (!found || field.type === 'fixed' || field.type === 'hidden' || field.type === 'text-private') continue
    const raw = childrenOf(found, 'value', FORM)
      .map(textOf)
      .slice(0, field.maxValues ?? MAX_VALUES)
    if (raw.some(one => one.length > maxLengthOf(field))) continue
    typed[field.var] = typedValue(field, raw)
  }
  return typed
}

function typedValue({ type }: FormField, raw: string[]): FormValue {
  if (type === 'boolean') return raw[0] === '1' || raw[0] === 'true'
  if (type === 'jid-multi' || type === 'list-multi') return raw
  return type === 'text-multi' ? raw.join('\n') : (raw[0] ?? '')
}

function collect(x: Element, maxFields: number): Map<string, string[]> {
  const submitted = new Map<string, string[]>()
  const fields = childrenOf(x, 'field', FORM)
  if (fields.length > maxFields) throw new FormError(`more than ${maxFields} fields`)
  for (const field of fields) {
    const name: string | undefined = field.attrs.var
    if (name === undefined) {
      if (field.attrs.type === 'fixed') continue
      throw new FormError("a field has no 'var'") // XEP-0004 §3.2
    }
    if (submitted.has(name)) throw new FormError('the field is there twice', name)
    submitted.set(name, childrenOf(field, 'value', FORM).map(textOf))
  }
  return submitted
}

function checkFormType(def: FormDef, submitted: Map<string, string[]>, options: SubmitOptions): void {
  if (def.formType === undefined) return
  const given = submitted.get(FORM_TYPE)
  if (given === undefined && options.formTypeOptional) return
  if (given === undefined) throw new FormError(`must be ${def.formType}`, FORM_TYPE)
  if (given.length !== 1 || given[0] !== def.formType)
    throw new FormError(`must be ${def.formType}`, FORM_TYPE)
}

function takeUnknown(
  def: FormDef,
  submitted: Map<string, string[]>,
  values: FormValues,
  options: SubmitOptions
): void {
  const known = new Set(def.fields.map(field => field.var))
  for (const [name, raw] of submitted) {
    if (name === FORM_TYPE || known.has(name)) continue
    if (options.unknown === 'refuse') throw new FormError('there is no such field', name)
    values[name] = raw
  }
}

function isEmpty(value: FormValue | undefined): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

function readValues(field: FormField, raw: string[]): FormValue | undefined {
  switch (field.type) {
    case 'jid-multi':
    case 'list-multi': {
      const maxValues = field.maxValues ?? MAX_VALUES
      if (raw.length > maxValues) throw new FormError(`more than ${maxValues} values`, field.var)
      // XEP-0004 §3.3: duplicates are ignored; an empty value stands for none (§3.6)
      const values = [...new Set(raw.filter(one => one !== '').map(one => readOne(field, one)))]
      if (field.minValues !== undefined && values.length < field.minValues)
        throw new FormError(`at least ${field.minValues} values are expected`, field.var)
      return values
    }
    case 'text-multi':
      return readOne(field, raw.join('\n'))
    case 'boolean':
      return readBoolean(field, single(field, raw))
    default: {
      const one = single(field, raw)
      // XEP-0004 §3.6: empty and absent mean the same, so it is not a wrong choice or a bad address
      return one === '' ? '' : readOne(field, one)
    }
  }
}

function single(field: FormField, raw: string[]): string {
  if (raw.length > 1) throw new FormError('one value is expected, not several', field.var) // XEP-0004 §3.2
  return raw[0] ?? ''
}

function readBoolean(field: FormField, raw: string): boolean {
  if (raw === '1' || raw === 'true') return true
  if (raw === '0' || raw === 'false' || raw === '') return false // XEP-0004 §3.3: the default is false
  throw new FormError('must be 0, 1, true or false', field.var)
}

function readOne(field: FormField, raw: string): string {
  const maxLength = maxLengthOf(field)
  if (raw.length > maxLength) throw new FormError(`longer than ${maxLength} characters`, field.var)
  if (field.options && !field.open && !isOption(field, raw))
    throw new FormError(`must be one of ${field.options.map(optionValue).join(', ')}`, field.var)
  // XEP-0122 §3.2.2: each line for itself
  for (const one of field.type === 'text-multi' ? raw.split('\n') : [raw]) {
    const fault = faultOf(field, one)
    if (fault !== undefined) throw new FormError(fault, field.var)
  }
  try {
    const isJid = field.type === 'jid-single' || field.type === 'jid-multi'
    // XEP-0004 §3.3: duplicates are found by comparing prepared addresses
    const value = isJid ? JID.parse(raw).full : raw
    return field.check ? field.check(value) : value
  } catch (error) {
    throw new FormError(error instanceof Error ? error.message : String(error), field.var)
  }
}

function maxLengthOf(field: FormField): number {
  return field.maxLength ?? (field.type === 'text-multi' ? 65536 : 4096)
}

function optionValue(option: FormOption | string): string {
  return typeof option === 'string' ? option : option.value
}

function isOption(field: FormField, value: string): boolean {
  return field.options !== undefined && field.options.some(option => optionValue(option) === value)
}
