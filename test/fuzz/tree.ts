/** An element with its namespaces resolved: what two parsers must agree on. */
export interface Tree {
  /** `{namespace}local` */
  name: string
  /** By expanded name, without declarations. */
  attributes: Map<string, string>
  /** Text that stands together is one string. */
  children: (Tree | string)[]
}

export const XML_NS = 'http://www.w3.org/XML/1998/namespace'
export const STREAM_NS = 'http://etherx.jabber.org/streams'
export const CONTENT_NS = 'jabber:client'

export type Mode = 'stream' | 'frame'

/** What a parser made of a document: the header's element first where it is a stream, then the stanzas. */
export interface Outcome {
  accepted: boolean
  /** Why it was refused; for people. */
  reason: string
  trees: Tree[]
}

export function addText(children: (Tree | string)[], text: string): void {
  const last = children.length - 1
  if (text === '') return
  if (typeof children[last] === 'string') children[last] += text
  else children.push(text)
}

/** One text for equal trees. */
export function print(tree: Tree): string {
  const attributes = [...tree.attributes].sort(([a], [b]) => (a < b ? -1 : 1))
  const children = tree.children.map(child =>
    typeof child === 'string' ? JSON.stringify(child) : print(child)
  )
  return `(${tree.name} ${JSON.stringify(attributes)} ${children.join(' ')})`
}
