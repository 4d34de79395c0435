import { nsOf, textOf } from '../../core/xml/element'
import type { Child, Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { pretty } from './print'
import { parseStanza } from './reader'

/*
 * Expected stanzas are written like the examples of the specs:
 *
 *   <iq type='result' id='1' from='*'><query xmlns='jabber:iq:roster'><item jid='{who}'/></query></iq>
 *
 * - An attribute that is written must be there with that value; others may be there. `!` means: must not be there.
 * - A child that is written must be there, in any order, each for itself; others may be there.
 * - Text that is written must be the element's text; whitespace around it does not count.
 * - `*` in a value or text stands for anything, `{name}` for something that is not empty: it is remembered, and the
 *   next `{name}` must be the same. `\*`, `\{` and `\!` are the characters themselves.
 * - `t:exact='yes'` on an element: nothing may be there but what is written, all the way down.
 * - `t:absent='yes'`: no such child may be there.
 * - `t:ordered='yes'`: its children come in the order in which they are written.
 */

/** What `{name}` stood for, by name. */
export type Vars = Map<string, string>

export interface MatchOptions {
  /** As `t:exact='yes'` on the outermost element. */
  exact?: boolean
}

const MARK = 't:'

/**
 * Compares a stanza with a pattern. On a match the names are remembered in `vars` and undefined is returned;
 * otherwise `vars` is as before and the answer says what is wrong.
 */
export function mismatch(
  pattern: Element,
  actual: Element,
  vars: Vars,
  options: MatchOptions = {}
): string | undefined {
  const found = match(pattern, actual, { vars, exact: options.exact ?? false, path: '' })
  if (typeof found === 'string') return found
  for (const [name, value] of found) vars.set(name, value)
  return undefined
}

/** The message for a person: what was expected, what came, what is the difference. */
export function describeMismatch(pattern: Element, actual: Element, why: string): string {
  return `expected:\n${pretty(pattern, '  ')}\nbut got:\n${pretty(actual, '  ')}\ndifference: ${why}`
}

/** Reads a pattern that is given as text. */
export function parsePattern(pattern: string | Element, contentNs: string = NS.CLIENT): Element {
  return typeof pattern === 'string' ? parseStanza(pattern, contentNs) : pattern
}

/** Puts what is remembered in place of `{name}`; names that nobody remembers stay as they are. */
export function fill(text: string, vars: Vars): string {
  return text.replace(/\{([a-z]\w*)\}/gi, (all, name: string) => vars.get(name) ?? all)
}

interface Situation {
  vars: Vars
  exact: boolean
  /** Where in the stanza, for messages. */
  path: string
}

/** A match is what is remembered after it; a mismatch is what is wrong. */
function match(pattern: Element, actual: Element, outer: Situation): Vars | string {
  const path = outer.path === '' ? pattern.name : `${outer.path}/${pattern.name}`
  const exact = outer.exact || marked(pattern, 'exact')
  if (pattern.name !== actual.name) return `${path}: the element is <${actual.name}>`
  const [wanted, got] = [nsOf(pattern), nsOf(actual)]
  if (wanted !== got)
    return `${path}: the namespace is ${got ?? "the stream's"}, not ${wanted ?? "the stream's"}`

  const vars = matchAttributes(pattern, actual, { vars: outer.vars, exact, path })
  if (typeof vars === 'string') return vars
  const text = matchText(pattern, actual, { vars, exact, path })
  if (typeof text === 'string') return text
  return matchChildren(pattern, actual, { vars: text, exact, path })
}

function matchAttributes(pattern: Element, actual: Element, { vars, exact, path }: Situation): Vars | string {
  let known = vars
  const wanted = Object.entries(pattern.attrs).filter(([name]) => !isAside(name))
  const got = actual.attrs
  for (const [name, value] of wanted) {
    const there = got[name]
    if (value === '!') {
      if (there !== undefined) return `${path}: attribute ${name}='${there}' must not be there`
      continue
    }
    if (there === undefined) return `${path}: attribute ${name} is missing`
    const next = matchValue(value, there, known)
    if (!next) return `${path}: attribute ${name} is '${there}', not '${fill(value, known)}'`
    known = next
  }
  if (!exact) return known
  const names = new Set(wanted.map(([name]) => name))
  const extra = Object.keys(got).find(name => !isAside(name) && !names.has(name))
  return extra === undefined ? known : `${path}: attribute ${extra}='${got[extra]}' is one too many`
}

/** Declarations of namespaces are compared with the element, and marks are for us. */
function isAside(name: string): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:') || name.startsWith(MARK)
}

function matchText(pattern: Element, actual: Element, { vars, exact, path }: Situation): Vars | string {
  const wanted = textOf(pattern).trim()
  const got = textOf(actual).trim()
  if (wanted === '') return exact && got !== '' ? `${path}: the text '${got}' is one too many` : vars
  return matchValue(wanted, got, vars) ?? `${path}: the text is '${got}', not '${fill(wanted, vars)}'`
}

function matchChildren(pattern: Element, actual: Element, { vars, exact, path }: Situation): Vars | string {
  const all = elementsOf(pattern)
  const wanted = all.filter(child => !marked(child, 'absent'))
  const got = elementsOf(actual)
  const found = assign(wanted, got, { vars, exact, path }, marked(pattern, 'ordered'))
  if (typeof found === 'string') return found
  if (exact && got.length > wanted.length) return `${path}: ${got.length} children, not ${wanted.length}`
  for (const child of all) {
    if (!marked(child, 'absent')) continue
    if (got.some(one => typeof match(child, one, { vars: found, exact: false, path }) !== 'string'))
      return `${path}: <${child.name}> must not be there`
  }
  return found
}

/**
 * Finds for every wanted child one of its own among those that are there. A name that is remembered on the way may
 * rule out a later one, so every choice is tried.
 */
function assign(wanted: Element[], got: Element[], situation: Situation, ordered: boolean): Vars | string {
  const [first, ...rest] = wanted
  if (!first) return situation.vars
  let why: string | undefined
  for (const [index, candidate] of got.entries()) {
    const vars = match(first, candidate, situation)
    if (typeof vars === 'string') {
      if (isSame(first, candidate)) why ??= vars
      continue
    }
    const others = ordered ? got.slice(index + 1) : got.filter(one => one !== candidate)
    const found = assign(rest, others, { ...situation, vars }, ordered)
    if (typeof found !== 'string') return found
    why = found
  }
  return why ?? `${situation.path}: child <${first.name} xmlns='${nsOf(first) ?? ''}'> is missing`
}

function isSame(one: Element, other: Element): boolean {
  return one.name === other.name && nsOf(one) === nsOf(other)
}

/** What is remembered after a value matched; undefined where it does not match. */
function matchValue(wanted: string, got: string, vars: Vars): Vars | undefined {
  const names: string[] = []
  const source = wanted.replace(
    /\\([*{!])|\*|\{([a-z]\w*)\}|[^\\*{]+|[^]/gi,
    (token, escaped?: string, name?: string) => {
      if (escaped !== undefined) return literal(escaped)
      if (token === '*') return '[^]*'
      if (name === undefined) return literal(token)
      const known = vars.get(name)
      if (known !== undefined) return literal(known)
      if (names.includes(name)) return `\\k<${name}>`
      names.push(name)
      return `(?<${name}>[^]+)`
    }
  )
  const found = new RegExp(`^${source}$`, 'u').exec(got)
  if (!found) return undefined
  if (names.length === 0) return vars
  return new Map([...vars, ...Object.entries(found.groups ?? {})])
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

function elementsOf(element: Element): Element[] {
  return (element.children as Child[]).filter((child): child is Element => typeof child !== 'string')
}

function marked(pattern: Element, mark: string): boolean {
  return pattern.attrs[MARK + mark] === 'yes'
}
