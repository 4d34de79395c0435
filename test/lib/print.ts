import type { Child, Element } from '../../core/xml/element'

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&apos;' }

const escape = (text: string): string => text.replace(/[&<>']/g, char => ESCAPES[char] ?? char)

/** An opening tag without its brackets; the declaration of the matcher's marks says nothing to a reader. */
function tagOf(element: Element): string {
  const attrs = Object.entries(element.attrs).filter(([name]) => name !== 'xmlns:t')
  return [element.name, ...attrs.map(([name, value]) => `${name}='${escape(value)}'`)].join(' ')
}

/** An element over several lines, as the specs print their examples. */
export function pretty(element: Element, indent = ''): string {
  const tag = tagOf(element)
  const children = (element.children as Child[]).filter(child => typeof child !== 'string' || child !== '')
  if (children.length === 0) return `${indent}<${tag}/>`
  if (children.every(child => typeof child === 'string'))
    return `${indent}<${tag}>${escape(children.join(''))}</${element.name}>`
  const lines = children.map(child =>
    typeof child === 'string' ? `${indent}  ${escape(child)}` : pretty(child, `${indent}  `)
  )
  return `${indent}<${tag}>\n${lines.join('\n')}\n${indent}</${element.name}>`
}

/** An element on one line, as it goes over the wire. */
export function inline(element: Element): string {
  const tag = tagOf(element)
  const inner = (element.children as Child[])
    .map(child => (typeof child === 'string' ? escape(child) : inline(child)))
    .join('')
  return inner === '' ? `<${tag}/>` : `<${tag}>${inner}</${element.name}>`
}
