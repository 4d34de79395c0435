import { el, isElement, nsOf, type Child, type Element } from '#core'
import { XHTML } from './namespaces'

/*
 * XHTML from strangers, cut down to what shows text: XEP-0071's elements with hardly any attribute. What is not on
 * the list loses its tag and keeps its text; what is never text (scripts, styles, forms) goes whole.
 */

const NO_ATTRIBUTES: readonly string[] = []

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  a: ['href', 'title'],
  b: NO_ATTRIBUTES,
  blockquote: NO_ATTRIBUTES,
  br: NO_ATTRIBUTES,
  cite: NO_ATTRIBUTES,
  code: NO_ATTRIBUTES,
  dd: NO_ATTRIBUTES,
  div: NO_ATTRIBUTES,
  dl: NO_ATTRIBUTES,
  dt: NO_ATTRIBUTES,
  em: NO_ATTRIBUTES,
  h1: NO_ATTRIBUTES,
  h2: NO_ATTRIBUTES,
  h3: NO_ATTRIBUTES,
  h4: NO_ATTRIBUTES,
  h5: NO_ATTRIBUTES,
  h6: NO_ATTRIBUTES,
  i: NO_ATTRIBUTES,
  img: ['alt', 'height', 'src', 'width'],
  kbd: NO_ATTRIBUTES,
  li: NO_ATTRIBUTES,
  ol: NO_ATTRIBUTES,
  p: NO_ATTRIBUTES,
  pre: NO_ATTRIBUTES,
  q: NO_ATTRIBUTES,
  s: NO_ATTRIBUTES,
  samp: NO_ATTRIBUTES,
  span: NO_ATTRIBUTES,
  strong: NO_ATTRIBUTES,
  sub: NO_ATTRIBUTES,
  sup: NO_ATTRIBUTES,
  u: NO_ATTRIBUTES,
  ul: NO_ATTRIBUTES,
  var: NO_ATTRIBUTES
}

/** What these hold is not for reading. */
const DROPPED: ReadonlySet<string> = new Set([
  'applet',
  'audio',
  'base',
  'button',
  'canvas',
  'embed',
  'form',
  'frame',
  'frameset',
  'head',
  'iframe',
  'input',
  'link',
  'meta',
  'noscript',
  'object',
  'option',
  'script',
  'select',
  'style',
  'template',
  'textarea',
  'title',
  'video'
])

/** Schemes of links; an image is loaded by itself, so it has fewer. */
const LINKS = /^(?:https?|xmpp|mailto):/i
const IMAGES = /^https:/i

/**
 * The cleaned content of an Atom `xhtml` construct (RFC 4287 §3.1.1.3), as the one `<div/>` it has.
 * @returns `undefined` where nothing is left to read
 */
export function cleanXhtml(content: Element): Element | undefined {
  const children = cleanChildren(content)
  const [only] = children
  const div =
    children.length === 1 && isElement(only) && only.name === 'div'
      ? el('div', XHTML, ...(only.children as Child[]))
      : el('div', XHTML, ...children)
  return shows(div) ? div : undefined
}

function cleanChildren(element: Element): Child[] {
  const kept: Child[] = []
  for (const child of element.children as Child[]) {
    if (typeof child === 'string') kept.push(child)
    else if ((child.attrs.xmlns ?? nsOf(element)) === XHTML) kept.push(...clean(child))
    // an element of another vocabulary (SVG, MathML) is not text
  }
  return kept
}

function clean(element: Element): Child[] {
  const name = element.name
  if (DROPPED.has(name)) return []
  const children = cleanChildren(element)
  const allowed = Object.hasOwn(ALLOWED, name) ? ALLOWED[name] : undefined
  if (allowed === undefined) return children
  const attrs: Record<string, string> = {}
  for (const key of allowed) {
    const value: string | undefined = element.attrs[key]
    if (value !== undefined && isHarmless(key, value)) attrs[key] = value.trim()
  }
  if (name === 'img') return attrs.src === undefined ? [] : [el('img', attrs)]
  return [el(name, attrs, ...children)]
}

function isHarmless(key: string, value: string): boolean {
  if (value.length > 2048) return false
  if (key === 'href') return LINKS.test(value.trim())
  if (key === 'src') return IMAGES.test(value.trim())
  if (key === 'width' || key === 'height') return /^\d{1,5}$/.test(value)
  return true
}

/** Whether there is any text or image in it. */
function shows(element: Element): boolean {
  return (element.children as Child[]).some(child =>
    typeof child === 'string' ? child.trim() !== '' : child.name === 'img' || shows(child)
  )
}
