/*
 * XEP-0122: what the values of a field are, beyond text. The same definition makes `<validate/>` and checks what
 * comes back: whoever fills in a form need not have understood it (§4.4).
 */

/** What values are, and what they are compared by: a range is for what has an order (§4.7). */
interface Datatype {
  /** What a person is told who typed something else. */
  what: string
  /** Undefined for what is no such value. */
  read(text: string): number | undefined
  min?: number
  max?: number
}

function matching(pattern: RegExp, what: string): Datatype {
  return { what, read: text => (pattern.test(text) ? 0 : undefined) }
}

function integer(min?: number, max?: number): Datatype {
  const what = 'a whole number'
  const read = (text: string): number | undefined => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined)
  return { what, read, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }
}

function number(what: string, pattern: RegExp): Datatype {
  return { what, read: text => (pattern.test(text) ? Number(text) : undefined) }
}

const DATE = /^-?\d{4,6}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/
const TIME = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,12})?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)?$/

/** Without a zone it is UTC. Undefined for a day that the month does not have. */
function readDate(text: string): number | undefined {
  if (!DATE.test(text)) return undefined
  const time = Date.parse(`${text}T00:00:00Z`)
  return new Date(time || NaN).toJSON()?.slice(0, 10) === text || time === 0 ? time : undefined
}

function readTime(text: string): number | undefined {
  if (!TIME.test(text)) return undefined
  const time = Date.parse(`1970-01-01T${/[Z+-]/.test(text) ? text : `${text}Z`}`)
  return Number.isNaN(time) ? undefined : time
}

/** Milliseconds since the epoch of an xs:dateTime (XEP-0082 §3.2); without a zone it is UTC. */
export function readDateTime(text: string): number | undefined {
  const [date = '', time = '', more] = text.split('T')
  const day = readDate(date)
  const within = readTime(time)
  return day === undefined || within === undefined || more !== undefined ? undefined : day + within
}

const DATATYPES: Readonly<Record<string, Datatype>> = {
  'xs:anyURI': matching(/^[a-z][a-z\d+.-]*:\S+$/i, 'an address like https://example.org'),
  'xs:byte': integer(-128, 127),
  'xs:date': { what: 'a date like 2026-12-31', read: readDate },
  'xs:dateTime': { what: 'a time like 2026-12-31T23:59:59Z', read: readDateTime },
  'xs:decimal': number('a number', /^[+-]?\d{1,15}(\.\d{1,15})?$/),
  'xs:double': number('a number', /^[+-]?\d{1,15}(\.\d{1,15})?(e[+-]?\d{1,3})?$/i),
  'xs:int': integer(-2147483648, 2147483647),
  'xs:integer': integer(),
  'xs:language': matching(/^[a-z]{1,8}(-[a-z\d]{1,8})*$/i, 'a language like en or pt-BR'),
  'xs:long': integer(),
  'xs:short': integer(-32768, 32767),
  'xs:time': { what: 'a time of day like 23:59:59', read: readTime }
}

/** What a value must be; `regex` and a range are alternatives (§3.2: one method at most). */
export interface Constraint {
  /** A name of XEP-0122 §7.2.2; one that is not known counts as text (§4.1). */
  datatype?: string
  min?: number | string
  max?: number | string
  regex?: string
}

/** What is wrong with a value, for whoever typed it; undefined where it is all right. */
export function faultOf({ datatype, min, max, regex }: Constraint, text: string): string | undefined {
  // A pattern is for the whole value (§3.2.4); it is the module's own, and so is what it costs
  if (regex !== undefined && !new RegExp(`^(?:${regex})$`, 'u').test(text)) return `must match ${regex}`
  const type = datatype === undefined ? undefined : DATATYPES[datatype]
  if (!type) return undefined
  const value = type.read(text)
  if (value === undefined) return `must be ${type.what}`
  const least = boundOf(type, min) ?? type.min
  const most = boundOf(type, max) ?? type.max
  if (least !== undefined && value < least) return `must be at least ${min ?? least}`
  if (most !== undefined && value > most) return `must be at most ${max ?? most}`
  return undefined
}

function boundOf(type: Datatype, bound: number | string | undefined): number | undefined {
  return typeof bound === 'string' ? type.read(bound) : bound
}
