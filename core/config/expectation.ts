import type { z } from 'zod'
import { peel, type Schema } from './schema'

interface Bounds {
  min?: number
  max?: number
  /** The bounds themselves are not allowed. */
  over?: number
  under?: number
  step?: number
  length?: number
  pattern?: RegExp
  format?: string
}

const FORMATS: Record<string, string> = {
  email: 'an e-mail address',
  url: 'a URL',
  uuid: 'a UUID',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  cidrv4: 'an IPv4 network, as in 192.0.2.0/24',
  cidrv6: 'an IPv6 network, as in 2001:db8::/32',
  date: 'a date, as in 2025-01-31',
  datetime: 'a date and time, as in 2025-01-31T12:00:00Z',
  time: 'a time of day, as in 12:30:00',
  duration: 'a duration, as in PT1H30M'
}

/** What a schema allows, for a person: "a whole number from 0 to 65535", `one of "ask" or "always"`. */
export function expectation(schema: Schema): string {
  const { def, notes } = peel(schema)
  if (notes.expected !== undefined) return notes.expected
  switch (def.type) {
    case 'string':
      return ofString(boundsOf(def))
    case 'number':
    case 'bigint':
      return ofNumber(boundsOf(def))
    case 'boolean':
      return 'true or false'
    case 'enum':
      return choice(Object.values(def.entries))
    case 'literal':
      return choice(def.values)
    case 'array':
      return `a list${ofLength(boundsOf(def), 'item')}`
    case 'tuple':
      return 'a list'
    case 'union':
      return [...new Set(def.options.map(expectation))].join(', or ')
    case 'object':
    case 'intersection':
    case 'record':
      return 'a map'
    case 'null':
      return 'nothing'
    default:
      return 'another value'
  }
}

/** The type of an option in short, for the documentation: `list of string`. */
export function typeName(schema: Schema): string {
  const { def, notes } = peel(schema)
  if (notes.expected !== undefined) return expectation(schema).replace(/^an? /, '')
  if (def.type === 'array') return `list of ${typeName(def.element)}`
  if (def.type === 'union') return [...new Set(def.options.map(typeName))].join(' or ')
  if (def.type === 'intersection' || def.type === 'object' || def.type === 'record') return 'map'
  return expectation(schema).replace(/^an? /, '')
}

function ofString(bounds: Bounds): string {
  if (bounds.format !== undefined && FORMATS[bounds.format]) return FORMATS[bounds.format] ?? ''
  if (bounds.min === 1 && bounds.max === undefined) return 'a string that is not empty'
  const matching = bounds.pattern ? ` matching ${String(bounds.pattern)}` : ''
  return `a string${ofLength(bounds, 'character')}${matching}`
}

function ofNumber(bounds: Bounds): string {
  const whole = bounds.format?.includes('int') || bounds.step === 1
  const step = bounds.step !== undefined && bounds.step !== 1 ? ` that is a multiple of ${bounds.step}` : ''
  return `a ${whole ? 'whole ' : ''}number${range(bounds)}${step}`
}

function range({ min, max, over, under }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  const low = min !== undefined ? `of at least ${min}` : over !== undefined ? `greater than ${over}` : ''
  const high = max !== undefined ? `of at most ${max}` : under !== undefined ? `less than ${under}` : ''
  return [low, high]
    .filter(Boolean)
    .map(text => ` ${text}`)
    .join(' and')
}

function ofLength({ min, max, length }: Bounds, unit: string): string {
  const units = (n: number) => `${n} ${unit}${n === 1 ? '' : 's'}`
  if (length !== undefined) return ` of ${units(length)}`
  if (min !== undefined && max !== undefined) return ` of ${min} to ${units(max)}`
  if (min !== undefined) return ` of at least ${units(min)}`
  return max === undefined ? '' : ` of at most ${units(max)}`
}

function choice(values: readonly unknown[]): string {
  const shown = values.map(value => JSON.stringify(value) ?? String(value))
  const last = shown.pop() ?? 'nothing'
  return shown.length === 0 ? last : `${shown.join(', ')} or ${last}`
}

/** What the checks of a string, number or list demand; a check that is a function tells nothing. */
function boundsOf(def: object): Bounds {
  const own = def as { checks?: readonly z.core.$ZodCheck[]; format?: string }
  const bounds: Bounds = own.format === undefined ? {} : { format: own.format }
  for (const check of own.checks ?? []) {
    const rule = (check as z.core.$ZodChecks)._zod.def
    if (rule.check === 'greater_than') bounds[rule.inclusive ? 'min' : 'over'] = Number(rule.value)
    else if (rule.check === 'less_than') bounds[rule.inclusive ? 'max' : 'under'] = Number(rule.value)
    else if (rule.check === 'multiple_of') bounds.step = Number(rule.value)
    else if (rule.check === 'min_length') bounds.min = rule.minimum
    else if (rule.check === 'max_length') bounds.max = rule.maximum
    else if (rule.check === 'length_equals') bounds.length = rule.length
    else if (rule.check === 'number_format') bounds.format = rule.format
    else if (rule.check === 'string_format' && rule.format === 'regex') bounds.pattern = rule.pattern
    else if (rule.check === 'string_format') bounds.format = rule.format
  }
  return bounds
}
