import { PrecisError } from './error'

// RFC 3492 with the parameters of its §5
const BASE = 36
const T_MIN = 1
const T_MAX = 26
const SKEW = 38
const DAMP = 700
const FIRST_BIAS = 72
const FIRST_CODE_POINT = 0x80
const DIGITS = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** A label of Unicode to the part of an A-label after `xn--`. */
export function punycodeEncode(label: string): string {
  const input = Array.from(label, char => char.codePointAt(0) ?? 0)
  const basic = input.filter(cp => cp < FIRST_CODE_POINT)
  let output = String.fromCharCode(...basic) + (basic.length > 0 ? '-' : '')
  let next = FIRST_CODE_POINT
  let delta = 0
  let bias = FIRST_BIAS
  let handled = basic.length
  while (handled < input.length) {
    const lowest = Math.min(...input.filter(cp => cp >= next))
    delta += (lowest - next) * (handled + 1)
    next = lowest
    for (const cp of input) {
      if (cp < next) delta++
      if (cp !== next) continue
      output += variableLength(delta, bias)
      bias = adapt(delta, handled + 1, handled === basic.length)
      delta = 0
      handled++
    }
    delta++
    next++
  }
  return output
}

/** The reverse. Throws PrecisError on what no label encodes to. */
export function punycodeDecode(encoded: string): string {
  const split = encoded.lastIndexOf('-')
  const output = Array.from(encoded.slice(0, Math.max(split, 0)), char => char.charCodeAt(0))
  let next = FIRST_CODE_POINT
  let position = 0
  let bias = FIRST_BIAS
  for (let at = split + 1; at < encoded.length;) {
    const before = position
    for (let weight = 1, k = BASE; ; k += BASE) {
      const digit = at < encoded.length ? digitOf(encoded.charCodeAt(at++)) : BASE
      position += digit * weight
      if (digit >= BASE || position > 0x7fffffff)
        throw new PrecisError('holds an A-label that does not decode')
      const t = threshold(k, bias)
      if (digit < t) break
      weight *= BASE - t
    }
    const length = output.length + 1
    bias = adapt(position - before, length, before === 0)
    next += Math.floor(position / length)
    position %= length
    if (next > 0x10ffff) throw new PrecisError('holds an A-label that does not decode')
    output.splice(position++, 0, next)
  }
  return String.fromCodePoint(...output)
}

function variableLength(delta: number, bias: number): string {
  let text = ''
  let rest = delta
  for (let k = BASE; ; k += BASE) {
    const t = threshold(k, bias)
    if (rest < t) return text + DIGITS.charAt(rest)
    text += DIGITS.charAt(t + ((rest - t) % (BASE - t)))
    rest = Math.floor((rest - t) / (BASE - t))
  }
}

function threshold(k: number, bias: number): number {
  return Math.min(Math.max(k - bias, T_MIN), T_MAX)
}

function adapt(delta: number, length: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? DAMP : 2))
  rest += Math.floor(rest / length)
  let k = 0
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = Math.floor(rest / (BASE - T_MIN))
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW))
}

function digitOf(charCode: number): number {
  const digit = DIGITS.indexOf(String.fromCharCode(charCode).toLowerCase())
  return digit < 0 ? BASE : digit
}
